//! Lines out of a byte stream of unknown origin: bounded in length, and safe to show.

/// Cuts a stream into lines. What a line has beyond a bound is left out, so that a stream without
/// line ends costs no more memory than one with them.
#[derive(Debug)]
pub struct Splitter {
    line: Vec<u8>,
    longest: usize,
    cut: bool,
}

/// One line of a stream, without its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// What was kept of it.
    pub bytes: Vec<u8>,
    /// Whether there was more of it.
    pub cut: bool,
}

impl Splitter {
    /// Keeps so many bytes of a line at most.
    pub fn new(longest: usize) -> Self {
        Self { line: Vec::new(), longest, cut: false }
    }

    /// The lines that these bytes complete.
    pub fn feed(&mut self, mut bytes: &[u8], mut take: impl FnMut(Line)) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.append(&bytes[..end]);
            bytes = &bytes[end + 1..];
            take(self.line());
        }
        self.append(bytes);
    }

    /// What the stream ended with, if that was no line end.
    pub fn rest(&mut self) -> Option<Line> {
        (!self.line.is_empty()).then(|| self.line())
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = self.longest - self.line.len();
        self.cut |= bytes.len() > room;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn line(&mut self) -> Line {
        let mut bytes = std::mem::take(&mut self.line);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Line { bytes, cut: std::mem::take(&mut self.cut) }
    }
}

impl Line {
    /// Text that can be shown on a terminal as it is; bytes that are no UTF-8 stand as `�`.
    pub fn visible(&self) -> String {
        let mut text = control::visible(&String::from_utf8_lossy(&self.bytes));
        if self.cut {
            text.push('…');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(longest: usize, chunks: &[&[u8]]) -> Vec<(String, bool)> {
        let mut splitter = Splitter::new(longest);
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.feed(chunk, |line| lines.push(line));
        }
        lines.extend(splitter.rest());
        lines.iter().map(|line| (String::from_utf8_lossy(&line.bytes).into(), line.cut)).collect()
    }

    #[test]
    fn lines_survive_any_chunking_and_a_bound() {
        let whole = |text: &str| (text.to_owned(), false);
        assert_eq!(
            split(8, &[b"on", b"e\r\n\ntwo", b"\nthree"]),
            [whole("one"), whole(""), whole("two"), whole("three")]
        );
        assert_eq!(
            split(4, &[b"123456", b"789\nab", b"\nabcd\n"]),
            [("1234".into(), true), whole("ab"), whole("abcd")]
        );
    }

    #[test]
    fn nothing_in_a_shown_line_moves_the_cursor() {
        let line = |text: &str| Line { bytes: text.into(), cut: false };
        assert_eq!(line("\u{1b}[31mred\u{7}").visible(), "␛[31mred␇");
        assert_eq!(line("a\tb\u{9b}2J\u{202e}").visible(), "a    b�2J�");
        assert_eq!(Line { bytes: vec![b'a', 0xff], cut: true }.visible(), "a�…");
    }

    proptest! {
        #[test]
        fn a_stream_never_holds_more_than_the_bound(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20)
        ) {
            let mut splitter = Splitter::new(16);
            let ends = chunks.concat().split(|&byte| byte == b'\n').count() - 1;
            let mut lines = 0;
            for chunk in &chunks {
                splitter.feed(chunk, |line| {
                    assert!(line.bytes.len() <= 16);
                    assert!(line.visible().chars().all(|c| !c.is_control()));
                    lines += 1;
                });
            }
            prop_assert_eq!(lines, ends);
        }
    }
}
