//! What is remembered of logs and received messages: the latest, bounded in number and in bytes.

use std::collections::{HashMap, VecDeque};

use control::{LogLine, ReceivedMessage};

/// Log lines of all processes, in bytes of text …
const MAX_LOG_BYTES: usize = 2 << 20;

/// … and lines of one process, so that a noisy one does not push out what the others said.
const MAX_LOG_LINES_OF_NODE: usize = 500;

/// Received messages of all clients …
const MAX_RECEIVED: usize = 2000;

/// … and their bytes: two of the largest.
const MAX_RECEIVED_BYTES: usize = 2 << 20;

/// The latest log lines, oldest first.
#[derive(Debug, Default)]
pub(crate) struct LogRing {
    lines: VecDeque<LogLine>,
    bytes: usize,
    of_node: HashMap<String, usize>,
}

impl LogRing {
    pub(crate) fn push(&mut self, line: LogLine) {
        let of_node = self.of_node.entry(line.node.clone()).or_default();
        *of_node += 1;
        if *of_node > MAX_LOG_LINES_OF_NODE
            && let Some(index) = self.lines.iter().position(|other| other.node == line.node)
        {
            self.forget(index);
        }
        self.bytes += line.line.len();
        self.lines.push_back(line);
        while self.bytes > MAX_LOG_BYTES && self.lines.len() > 1 {
            self.forget(0);
        }
    }

    fn forget(&mut self, index: usize) {
        if let Some(line) = self.lines.remove(index) {
            self.bytes -= line.line.len();
            if let Some(of_node) = self.of_node.get_mut(&line.node) {
                *of_node -= 1;
                if *of_node == 0 {
                    // It may have been removed from the devnet long ago.
                    self.of_node.remove(&line.node);
                }
            }
        }
    }

    pub(crate) fn all(&self) -> Vec<LogLine> {
        self.lines.iter().cloned().collect()
    }
}

/// The latest received messages, oldest first.
#[derive(Debug, Default)]
pub(crate) struct ReceivedRing {
    messages: VecDeque<ReceivedMessage>,
    bytes: usize,
}

impl ReceivedRing {
    pub(crate) fn push(&mut self, message: ReceivedMessage) {
        self.bytes += message.content.byte_count();
        self.messages.push_back(message);
        while self.messages.len() > 1
            && (self.messages.len() > MAX_RECEIVED || self.bytes > MAX_RECEIVED_BYTES)
        {
            if let Some(oldest) = self.messages.pop_front() {
                self.bytes -= oldest.content.byte_count();
            }
        }
    }

    pub(crate) fn all(&self) -> Vec<ReceivedMessage> {
        self.messages.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use contract::Content;

    use super::*;

    #[test]
    fn a_noisy_process_pushes_out_only_its_own_lines() {
        let mut ring = LogRing::default();
        let line = |node: &str, line: String| LogLine { node: node.into(), unix_ms: 0, line };
        ring.push(line("alice", "first".into()));
        for index in 0..MAX_LOG_LINES_OF_NODE + 5 {
            ring.push(line("noisy", index.to_string()));
        }
        let all = ring.all();
        assert_eq!(all.len(), MAX_LOG_LINES_OF_NODE + 1);
        assert_eq!((all[0].line.as_str(), all[1].line.as_str()), ("first", "5"));
        for _ in 0..3 {
            ring.push(line("alice", "x".repeat(MAX_LOG_BYTES / 2)));
        }
        assert!(ring.bytes <= MAX_LOG_BYTES);
        assert_eq!(ring.of_node.len(), 1, "the noisy one is forgotten");
        assert_eq!(ring.bytes, ring.all().iter().map(|line| line.line.len()).sum::<usize>());
    }

    #[test]
    fn a_long_message_pushes_out_the_oldest_ones() {
        let mut ring = ReceivedRing::default();
        let message = |id: &str, bytes: usize| ReceivedMessage {
            client: "bob".into(),
            id: id.into(),
            unix_ms: 0,
            content: Content::Text("x".repeat(bytes)),
        };
        for (id, bytes) in [("one", 1), ("two", 2), ("three", 3)] {
            ring.push(message(id, bytes));
        }
        ring.push(message("long", MAX_RECEIVED_BYTES - 3));
        let ids: Vec<String> = ring.all().into_iter().map(|message| message.id).collect();
        assert_eq!(ids, ["three", "long"]);
        ring.push(message("longer", MAX_RECEIVED_BYTES + 1));
        assert_eq!(ring.all().len(), 1, "the latest is always there");
    }
}
