//! Somebody looks as the adversary, corrupts a mixnode and attacks his own devnet.

use super::*;

/// The stream of what nodes know is opened for those that work for one, and for no others.
#[tokio::test]
async fn somebody_corrupts_a_mixnode_and_lets_it_go() {
    let mut story = Story::running().await;
    story.type_text("a");
    story.until("The adversary's view").await;
    // As soon as it is opened, it is the next of the script's streams.
    let (told, passages) = mpsc::unbounded_channel();
    story.streams.lock().expect("one test thread").push_back(passages);
    story.type_text("+");
    assert_eq!(story.asked().await, "passages mix-1-1");
    story.until("you are somebody who sees every link, mix-1-1 works for it").await;
    story.until("they tell   which packet became which").await;
    drop(told);
    story.until("nobody works for you: the supervisor closed their stream").await;
    story.type_text("-");
    story.until("sees every link, no node works for it").await;
    story.type_text("qy");
    assert_eq!(story.outcome().await, Outcome::Quit);
}

/// The supervisor waits for nobody: who was stopped for a while goes on with a stream of its own.
#[tokio::test]
async fn a_stream_of_what_nodes_know_that_fell_behind_is_asked_for_again() {
    let mut story = Story::running().await;
    story.type_text("a");
    story.until("The adversary's view").await;
    let (told, first) = mpsc::unbounded_channel();
    let (still_told, second) = mpsc::unbounded_channel();
    story.streams.lock().expect("one test thread").extend([first, second]);
    story.type_text("+");
    assert_eq!(story.asked().await, "passages mix-1-1");
    let passages = StreamEvent::Passages { node: "mix-1-1".into(), passages: Vec::new() };
    let envelope = story.fixture.at(Duration::from_secs(6), passages);
    told.send(envelope).expect("the dashboard listens");
    drop(told);
    assert_eq!(story.asked().await, "passages mix-1-1");
    // That one says nothing at all, so it is not asked for a third time.
    drop(still_told);
    story.until("nobody works for you: the supervisor closed their stream").await;
    story.type_text("qy");
    assert_eq!(story.outcome().await, Outcome::Quit);
}

#[tokio::test]
async fn somebody_replays_a_packet_and_sees_who_dropped_it() {
    let mut story = Story::running().await;
    story.type_text("ax");
    story.until("$ nym-devnet attack replay alice mix-1-1").await;
    story.enter();
    assert_eq!(story.asked().await, "attack replay alice mix-1-1");
    story.until("stopped   replay alice → mix-1-1").await;
    story.until("mix-1-1 dropped the copy: replay.").await;
    story.until("A node keeps a tag").await;
    story.press(KeyCode::Esc, KeyModifiers::NONE);
    story.until("Who writes to bob?").await;
    story.type_text("qy");
    assert_eq!(story.outcome().await, Outcome::Quit);
}
