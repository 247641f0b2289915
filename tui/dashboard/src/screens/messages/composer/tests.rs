use super::*;
use crate::symbols::{ASCII, UNICODE};

const COLUMNS: usize = 10;

fn typed(text: &str) -> Composer {
    let mut composer = Composer::default();
    assert_eq!(composer.edit(Edit::Insert(text)), 0);
    composer
}

fn key(composer: &mut Composer, request: InputRequest) {
    composer.edit(Edit::Key(request));
}

fn cursor(composer: &Composer) -> (usize, usize) {
    let page = composer.page(COLUMNS, &UNICODE);
    (page.row, page.column)
}

#[test]
fn line_ends_are_kept_and_what_commands_a_terminal_is_not() {
    let composer = typed("one\r\ntwo\rthree\n\u{1b}[31m\tfour");
    assert_eq!(composer.text(), "one\ntwo\nthree\n[31m\tfour");
    let rows = composer.page(COLUMNS, &UNICODE).rows;
    assert_eq!(rows, ["one", "two", "three", "[31m four"]);
}

#[test]
fn the_arrows_go_through_rows_of_long_lines_and_wide_characters() {
    let mut composer = typed("a long line of words\n漢字漢字");
    let page = composer.page(COLUMNS, &UNICODE);
    assert_eq!(page.rows, ["a long ", "line of ", "words", "漢字漢字"]);
    assert_eq!((page.row, page.column), (3, 8));
    composer.up(COLUMNS, &UNICODE);
    assert_eq!(cursor(&composer), (2, 5));
    composer.up(COLUMNS, &UNICODE);
    assert_eq!(cursor(&composer), (1, 5));
    composer.down(COLUMNS, &UNICODE);
    composer.down(COLUMNS, &UNICODE);
    assert_eq!(cursor(&composer), (3, 4), "not in the middle of a character");
    key(&mut composer, InputRequest::DeletePrevChar);
    assert_eq!(composer.text(), "a long line of words\n漢漢字");
    key(&mut composer, InputRequest::GoToStart);
    assert_eq!(cursor(&composer), (3, 0));
    key(&mut composer, InputRequest::GoToPrevChar);
    assert_eq!(cursor(&composer), (2, 5), "before the line end");
    key(&mut composer, InputRequest::GoToStart);
    assert_eq!(cursor(&composer), (0, 0), "of the line, not of its row");
    key(&mut composer, InputRequest::GoToEnd);
    assert_eq!(cursor(&composer), (2, 5));
}

#[test]
fn a_row_that_is_full_up_to_its_last_column_can_be_entered_from_below() {
    let mut composer = typed("abcdefghijklmno");
    assert_eq!(cursor(&composer), (1, 5));
    for _ in 0..4 {
        key(&mut composer, InputRequest::GoToNextChar);
    }
    composer.edit(Edit::Insert("pqrst"));
    // At the right of the last row, where the row above has no place for a cursor.
    assert_eq!(cursor(&composer), (1, 10));
    composer.up(COLUMNS, &UNICODE);
    assert_eq!(cursor(&composer), (0, 9));
}

#[test]
fn an_emoji_of_many_characters_is_deleted_at_once() {
    let mut composer = typed("a👍🏽");
    key(&mut composer, InputRequest::DeletePrevChar);
    assert_eq!(composer.text(), "a");
}

#[test]
fn what_is_before_the_cursor_in_its_line_goes_and_then_the_line_end() {
    let mut composer = typed("one\ntwo three");
    key(&mut composer, InputRequest::GoToPrevWord);
    key(&mut composer, InputRequest::DeleteFromStart);
    assert_eq!(composer.text(), "one\nthree");
    key(&mut composer, InputRequest::DeleteFromStart);
    assert_eq!(composer.text(), "onethree");
    key(&mut composer, InputRequest::DeleteFromStart);
    key(&mut composer, InputRequest::DeleteFromStart);
    assert_eq!(composer.text(), "three");
}

#[test]
fn what_has_no_room_is_counted_and_no_character_is_torn() {
    let mut composer = typed(&"x".repeat(MAX_BYTES - 3));
    assert_eq!(composer.edit(Edit::Insert("é漢")), 3);
    assert_eq!(composer.text().len(), MAX_BYTES - 1);
    assert_eq!(composer.packets(), MAX_BYTES.div_ceil(MESSAGE_BYTES_PER_PACKET));
    assert_eq!(composer.edit(Edit::Insert("👍🏽")), 8);
}

#[test]
fn what_was_sent_comes_back_at_the_edges_of_the_text_and_what_was_typed_is_kept() {
    let mut composer = Composer::default();
    for text in ["first", "second\nwith a line", "second\nwith a line"] {
        composer.edit(Edit::Insert(text));
        assert_eq!(composer.take(), text);
    }
    composer.down(COLUMNS, &UNICODE);
    assert_eq!(composer.text(), "", "nothing comes after");
    composer.edit(Edit::Insert("half a th"));
    composer.up(COLUMNS, &UNICODE);
    assert_eq!(composer.text(), "second\nwith a line");
    composer.up(COLUMNS, &UNICODE);
    composer.up(COLUMNS, &UNICODE);
    assert_eq!(composer.text(), "second\nwith a line", "first through its rows");
    composer.up(COLUMNS, &UNICODE);
    assert_eq!(composer.text(), "first");
    composer.up(COLUMNS, &UNICODE);
    assert_eq!(composer.text(), "first", "nothing came before");
    for _ in 0..5 {
        composer.down(COLUMNS, &UNICODE);
    }
    assert_eq!(composer.text(), "half a th");
}

#[test]
fn what_is_given_back_does_not_replace_what_is_being_typed() {
    let mut composer = typed("refused");
    let text = composer.take();
    assert!(composer.give_back(text.clone()));
    assert_eq!(composer.take(), "refused");
    composer.edit(Edit::Insert("another"));
    assert!(!composer.give_back(text));
    assert_eq!(composer.text(), "another");
    composer.up(COLUMNS, &UNICODE);
    assert_eq!(composer.text(), "refused");
}

#[test]
fn the_cursor_is_where_the_character_is_that_stands_for_another() {
    let composer = typed("漢字\u{200d}");
    let page = composer.page(COLUMNS, &ASCII);
    assert_eq!((page.rows, page.column), (vec!["???".to_owned()], 3));
}
