use super::*;
use crate::fixture;

fn numbered(number: usize) -> MessageStatus {
    MessageStatus { id: format!("{number:032x}"), ..fixture::message("alice", "bob", "hi") }
}

fn received(id: &str, client: &str, text: &str) -> ReceivedMessage {
    let content = Content::Text(text.into());
    ReceivedMessage { client: client.into(), id: id.into(), unix_ms: 7, content }
}

/// What a client received, as it is counted; a count of all of it says the same.
#[track_caller]
fn inbox(letters: &Letters, client: &str) -> Inbox {
    let arrivals = letters.all().filter_map(|letter| letter.arrival.as_ref());
    let of_client: Vec<_> = arrivals.filter(|arrival| arrival.client == client).collect();
    let new = of_client.iter().filter(|arrival| arrival.new).count();
    assert_eq!(letters.inbox(client), Inbox { all: of_client.len(), new });
    letters.inbox(client)
}

fn ids(letters: &Letters) -> Vec<&str> {
    letters.all().map(|letter| letter.id.as_str()).collect()
}

#[test]
fn a_message_is_replaced_by_its_newer_state_and_old_ones_are_forgotten() {
    let mut letters = Letters::default();
    for number in 0..MAX_LETTERS + 5 {
        letters.update(numbered(number));
        let state = control::MessageState::Sent;
        letters.update(MessageStatus { state, ..numbered(number) });
    }
    assert_eq!(letters.sent().count(), MAX_LETTERS);
    assert!(letters.sent().all(|letter| letter.state == control::MessageState::Sent));
    assert_eq!(ids(&letters)[0], format!("{:032x}", 5));
    assert!(letters.get(&format!("{:032x}", 4)).is_none());
}

#[test]
fn a_step_of_a_message_does_not_move_it_behind_others_of_the_same_time() {
    let mut letters = Letters::default();
    for number in [1, 2, 1, 2, 1] {
        letters.update(numbered(number));
    }
    assert_eq!(ids(&letters), [format!("{:032x}", 1), format!("{:032x}", 2)]);
}

#[test]
fn long_messages_leave_room_for_fewer() {
    let mut letters = Letters::default();
    for number in 0..9 {
        let packets = vec![control::PacketStatus::default(); MAX_PACKETS / 4];
        letters.update(MessageStatus { packets, ..numbered(number) });
    }
    assert_eq!(letters.sent().count(), 4);
    let packets = vec![control::PacketStatus::default(); MAX_PACKETS + 1];
    letters.update(MessageStatus { packets, ..numbered(9) });
    assert_eq!(letters.sent().count(), 1, "the latest is always there");

    for number in 0..2 * MAX_TEXTS_BYTES / MAX_TEXT_BYTES {
        let id = format!("long {number}");
        let message = received(&id, "bob", &"x".repeat(MAX_TEXT_BYTES + 1));
        letters.receive(ReceivedMessage { unix_ms: fixture::STARTED_UNIX_MS + 9000, ..message });
    }
    assert_eq!(inbox(&letters, "bob").all, MAX_TEXTS_BYTES / MAX_TEXT_BYTES);
    assert_eq!(letters.sent().count(), 0, "the older one");
}

/// The two reports come through two pipes, so either may be heard first.
#[test]
fn what_was_sent_and_what_arrived_are_one_message_whichever_is_told_first() {
    let sent = || fixture::sent(fixture::message("alice", "bob", "hello"));
    let arrived = || received(&sent().id, "bob", "hello, and more than a status repeats");
    let mut first = Letters::default();
    first.update(sent());
    first.receive(arrived());
    let mut second = Letters::default();
    second.receive(arrived());
    assert_eq!(second.all().next().and_then(Letter::from), None, "nobody knows yet");
    second.update(sent());
    second.receive(arrived());
    for letters in [first, second] {
        let all: Vec<&Letter> = letters.all().collect();
        let [letter] = all[..] else { panic!("{all:?}") };
        assert_eq!((letter.from(), letters.recipient(letter)), (Some("alice"), Some("bob")));
        let text = "hello, and more than a status repeats";
        assert_eq!(letter.body.text(), Some((text, true)));
    }
}

#[test]
fn what_arrived_is_new_until_somebody_looks_and_what_was_kept_never_is() {
    let mut letters = Letters::default();
    let new = |letters: &Letters| inbox(letters, "bob").new;
    letters.receive(received("one", "bob", "1"));
    letters.receive(received("two", "bob", "2"));
    let kept = |id: &str| InboxMessage {
        client: "bob".into(),
        number: 1,
        id: id.into(),
        unix_ms: 3,
        content: Content::Text("old".into()),
    };
    letters.keep(vec![kept("zero"), kept("two")]);
    assert_eq!((inbox(&letters, "bob").all, new(&letters)), (3, 2));
    assert_eq!(ids(&letters), ["zero", "one", "two"], "older ones stand before newer ones");
    letters.look("one");
    assert_eq!(new(&letters), 1);
    letters.receive(received("one", "bob", "1"));
    assert_eq!((inbox(&letters, "bob").all, new(&letters)), (3, 1), "heard twice is one");
    for id in ["one", "two", "none"] {
        letters.look(id);
    }
    assert_eq!((new(&letters), letters.has_new()), (0, false));
}

#[test]
fn inboxes_are_counted_and_those_that_are_empty_are_forgotten() {
    let mut letters = Letters::default();
    letters.receive(received("one", "carol", "1"));
    letters.look("one");
    letters.receive(received("two", "carol", "2"));
    // Its sender is told of later, and takes nothing from the count.
    letters.update(MessageStatus { id: "two".into(), ..numbered(0) });
    assert_eq!(inbox(&letters, "carol"), Inbox { all: 2, new: 1 });
    for number in 0..MAX_LETTERS {
        let id = format!("later {number}");
        let unix_ms = fixture::STARTED_UNIX_MS + 9000;
        letters.receive(ReceivedMessage { unix_ms, ..received(&id, "bob", "hi") });
    }
    assert_eq!(inbox(&letters, "carol"), Inbox::default());
    assert_eq!(inbox(&letters, "bob"), Inbox { all: MAX_LETTERS, new: MAX_LETTERS });
    assert_eq!(letters.inboxes.len(), 1);
}

#[test]
fn a_reply_goes_to_whoever_sent_what_it_answers() {
    let mut letters = Letters::default();
    let question = numbered(1);
    let mut answer = MessageStatus { from: "bob".into(), ..numbered(2) };
    answer.to = format!("{SENDER_OF}{}", question.id);
    letters.update(answer.clone());
    let to = |letters: &Letters| {
        let letter = letters.get(&answer.id).expect("it is there");
        assert!(letter.is_reply());
        letters.recipient(letter).expect("somebody").to_owned()
    };
    assert_eq!(to(&letters), answer.to, "nobody knows");
    letters.update(question);
    assert_eq!(to(&letters), "alice");
}

#[test]
fn of_bytes_their_number_and_the_first_are_kept_though_only_the_first_are_there() {
    let mut letters = Letters::default();
    let mut message = numbered(1);
    (message.content, message.bytes) = (Content::from_bytes(vec![0xff; 1023]), 100_000);
    letters.update(message);
    let body = &letters.all().next().expect("it is there").body;
    assert_eq!(*body, Body::Binary { first: vec![0xff; 12], bytes: 100_000 });
    let title = letters.sent().next().map(|letter| letter.content.preview());
    assert_eq!(title.as_deref(), Some("[100000 bytes]"));
}

#[test]
fn a_long_text_is_cut_between_characters_and_says_so() {
    let mut letters = Letters::default();
    letters.receive(received("long", "bob", &format!("x{}", "é".repeat(MAX_TEXT_BYTES))));
    let body = &letters.all().next().expect("it is there").body;
    let (text, whole) = body.text().expect("text");
    assert_eq!((text.len(), whole), (MAX_TEXT_BYTES - 1, false));
    assert_eq!(body.bytes(), 2 * MAX_TEXT_BYTES + 1);
}
