//! Text broken into rows of a width, at spaces where there are any, and never inside a character.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The rows of a line without line ends, as ranges of its bytes. At least one, and none is wider
/// than this, but for spaces at its end and for a character that is wider by itself.
pub(crate) fn rows(line: &str, columns: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let columns = columns.max(1);
    let mut begin = Some(0);
    std::iter::from_fn(move || {
        let from = begin?;
        let end = row_end(&line[from..], columns).map(|end| from + end);
        begin = end;
        Some(from..end.unwrap_or(line.len()))
    })
}

/// The rows of a line as they are shown: without the spaces at their ends, for which there may be no
/// room.
pub(crate) fn shown(line: &str, columns: usize) -> impl Iterator<Item = &str> {
    rows(line, columns).map(|row| line[row].trim_end())
}

/// Where the first row of a line ends; none if the line is one row.
fn row_end(line: &str, columns: usize) -> Option<usize> {
    // Most lines are short ASCII.
    if line.len() <= columns && line.is_ascii() {
        return None;
    }
    let mut used = 0;
    // Where the row could end, and how wide it were then.
    let mut after_space = None;
    for (at, character) in line.grapheme_indices(true) {
        let is_space = character.chars().all(char::is_whitespace);
        let width = character.width();
        if used + width > columns && !is_space && at > 0 {
            // A row that is more than half empty looks as if the text were over.
            let at_space = after_space.filter(|(_, used)| 2 * used >= columns);
            return at_space.map_or(Some(at), |(end, _)| Some(end));
        }
        used += width;
        if is_space {
            after_space = Some((at + character.len(), used));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(line: &str, columns: usize) -> Vec<&str> {
        rows(line, columns).map(|row| &line[row]).collect()
    }

    #[test]
    fn rows_end_at_spaces_and_long_words_where_they_must() {
        assert_eq!(wrapped("one two three", 8), ["one two ", "three"]);
        assert_eq!(wrapped("one two three", 7), ["one two ", "three"]);
        assert_eq!(wrapped("a abcdefghij", 5), ["a abc", "defgh", "ij"]);
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("exact", 5), ["exact"]);
        assert_eq!(wrapped("ab", 0), ["a", "b"]);
    }

    #[test]
    fn wide_characters_and_joined_ones_are_measured_and_not_torn() {
        assert_eq!(wrapped("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(wrapped("漢字", 1), ["漢", "字"]);
        assert_eq!(wrapped("ae\u{301}b", 2), ["ae\u{301}", "b"]);
        assert_eq!(wrapped("👍🏽👍🏽👍🏽", 4), ["👍🏽👍🏽", "👍🏽"]);
    }

    #[test]
    fn every_byte_is_in_one_row() {
        let text = "Lorem ipsum 漢字 dolor   sit amet, consectetur👍🏽 adipiscing";
        for columns in 0..70 {
            assert_eq!(wrapped(text, columns).concat(), text);
        }
    }
}
