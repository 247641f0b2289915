//! Somebody new takes the tour.

use super::*;

#[tokio::test]
async fn somebody_takes_the_tour_as_far_as_a_message_and_leaves_it() {
    let mut story = Story::running().await;
    story.type_text("T");
    story.until("Tour 1 of 9 · What is on the screen").await;
    story.until("enter layer 1").await;
    story.type_text("T");
    story.until("press m, type something, and send it with ↵").await;
    story.type_text("mThe first");
    story.until("› The first").await;
    story.enter();
    assert_eq!(story.asked().await, "send alice bob The first");
    let accepted_unix_ms = fixture::unix_ms(Duration::from_secs(60));
    let message =
        MessageStatus { accepted_unix_ms, ..fixture::message("alice", "bob", "The first") };
    story.hear(StreamEvent::Message(fixture::sent(message.clone())));
    story.until("done: it left alice after 377 ms").await;
    story.press(KeyCode::Esc, KeyModifiers::NONE);
    story.until("J journey").await;
    story.type_text("T");
    story.until("Tour 3 of 9 · Follow it").await;
    story.type_text("J");
    story.until("on its way to bob").await;
    story.hear(StreamEvent::Message(fixture::acknowledged(message)));
    story.until("done: it reached bob 712 ms after it was written").await;
    story.type_text("T");
    story.until("done: alice knows after 1.43 s that it is stored").await;
    // Out of the journey, then out of the tour.
    story.press(KeyCode::Esc, KeyModifiers::NONE);
    story.until("J journey").await;
    story.press(KeyCode::Esc, KeyModifiers::NONE);
    story.until("left the tour; T takes it up again").await;
    story.type_text("T");
    story.until("Tour 4 of 9").await;
    story.type_text("qy");
    assert_eq!(story.outcome().await, Outcome::Quit);
}
