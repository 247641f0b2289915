//! Editing a line of text: one key at a time, or a whole paste at once.

use tui_input::{Input, InputRequest};

/// A change of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edit<'a> {
    /// What a key stands for.
    Key(InputRequest),
    /// This text goes in at the cursor.
    Insert(&'a str),
}

/// Changes the line, which never gets longer than this; says whether something had no room.
pub(crate) fn apply(input: &mut Input, edit: Edit<'_>, max_chars: usize) -> bool {
    let text = match edit {
        Edit::Key(request) => {
            input.handle(request);
            return false;
        }
        Edit::Insert(text) => text,
    };
    // In one go: character by character, each walks the whole line.
    let room = max_chars.saturating_sub(input.value().chars().count());
    let inserted: String = text.chars().take(room).collect();
    let cursor = input.cursor();
    let before = input.value().chars().take(cursor);
    let after = input.value().chars().skip(cursor);
    let value: String = before.chain(inserted.chars()).chain(after).collect();
    let cursor = cursor + inserted.chars().count();
    *input = std::mem::take(input).with_value(value).with_cursor(cursor);
    inserted.len() < text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_in_at_the_cursor_and_what_has_no_room_is_told() {
        let mut input = Input::default();
        assert!(!apply(&mut input, Edit::Insert("hälo"), 8));
        apply(&mut input, Edit::Key(InputRequest::GoToPrevChar), 8);
        assert!(!apply(&mut input, Edit::Insert("l"), 8));
        assert_eq!((input.value(), input.cursor()), ("hällo", 4));
        assert!(apply(&mut input, Edit::Insert("1234"), 8));
        assert_eq!((input.value(), input.cursor()), ("häll123o", 7));
    }
}
