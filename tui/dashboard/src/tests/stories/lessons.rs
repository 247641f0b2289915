//! Somebody goes through a lesson.

use super::*;

/// With a folder in which lessons are remembered.
async fn learning(folder: &Path) -> Story {
    let lessons = Some(tutor::Store::new(folder));
    let mut story = Story::begin(Settings { stops_on_quit: false, lessons, ..settings() });
    let snapshot = story.fixture.snapshot(Duration::ZERO);
    story.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    for second in 1..=6 {
        for envelope in story.fixture.second(second) {
            story.events.send(envelope).expect("the dashboard listens");
        }
    }
    story.until("11/11 ready").await;
    story
}

/// Two seconds of traffic, after which the observer of the lesson knows everybody.
fn traffic(story: &mut Story) {
    for second in 7..=8 {
        for envelope in story.fixture.second(second) {
            story.events.send(envelope).expect("the dashboard listens");
        }
    }
}

#[tokio::test]
async fn somebody_begins_a_lesson_looks_elsewhere_and_leaves_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut story = learning(folder.path()).await;
    story.type_text("9");
    story.until(" 0 of ").await;
    story.enter();
    story.until("The network is made ready").await;
    let kept = || tutor::Store::new(folder.path()).read();
    traffic(&mut story);
    story.until("Your mixnet has 6 mixnodes in 3 layers").await;
    assert!(kept().progress.left("default").is_some(), "what it was before stands in the file");
    story.enter();
    story.until("Your answer, in ways").await;
    story.type_text("8");
    story.until("› 8").await;
    story.enter();
    story.until("Right: 8 ways.").await;
    story.press(KeyCode::Esc, KeyModifiers::NONE);
    story.type_text("1");
    story.until("a question waits for you").await;
    story.type_text("9x");
    story.until("◐ begun").await;
    story.type_text("q");
    assert_eq!(story.outcome().await, Outcome::Quit);
    let kept = kept();
    assert_eq!(kept.complaints, [""; 0]);
    assert_eq!((kept.progress.of("layers").begun, kept.progress.of("layers").finished), (1, 0));
    assert!(kept.progress.left("default").is_none());
}

#[tokio::test]
async fn who_quits_in_the_middle_leaves_the_network_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut story = learning(folder.path()).await;
    story.type_text("9G");
    story.until("The best mixnet hides nobody").await;
    story.enter();
    story.until("The network is made ready").await;
    traffic(&mut story);
    story.until("clients send in your network").await;
    story.enter();
    story.until("Your answer, in bits").await;
    story.type_text("0");
    story.enter();
    story.until("Send the others away.").await;
    story.enter();
    assert_eq!(story.asked().await, "nym-devnet set crowd=0; nym-devnet stop bob");
    story.fixture.crowd = 0;
    let snapshot = story.fixture.snapshot(Duration::from_secs(6));
    story.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    story.until(" senders, ").await;
    story.type_text("q");
    assert_eq!(story.asked().await, "nym-devnet set crowd=8");
    assert_eq!(story.outcome().await, Outcome::Quit);
    let kept = tutor::Store::new(folder.path()).read();
    assert!(kept.progress.left("default").is_none());
    assert_eq!((kept.progress.of("lonely").begun, kept.progress.of("lonely").finished), (1, 0));
}

/// A terminal has it, say. Whoever begins when that is over begins as usual.
#[tokio::test]
async fn a_devnet_that_another_program_has_a_lesson_on_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = tutor::Store::new(folder.path());
    let hold = kept.hold("default").expect("nobody has it");
    let mut story = learning(folder.path()).await;
    story.type_text("9");
    story.until(" 0 of ").await;
    story.enter();
    story.until("a lesson is underway on `default`").await;
    assert_eq!(kept.read().progress.of("layers").begun, 0);
    drop(hold);
    story.enter();
    story.until("The network is made ready").await;
    traffic(&mut story);
    story.until("Your mixnet has 6 mixnodes in 3 layers").await;
    assert!(kept.hold("default").is_none());
    story.type_text("q");
    assert_eq!(story.outcome().await, Outcome::Quit);
    assert!(kept.hold("default").is_some());
}
