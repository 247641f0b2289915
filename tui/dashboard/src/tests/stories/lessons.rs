//! Somebody goes through a lesson.

use contract::LinkEvent;

use super::*;

/// Messages from alice to bob arrive, and packets pass on every link between layers 1 and 2.
fn arrive(story: &mut Story, count: usize) {
    for (from, to) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        let t = story.fixture.at(Duration::from_secs(6), StreamEvent::Unknown).t;
        let links = vec![LinkEvent { t, from: None, dst: format!("mix-2-{to}"), bytes: 2396 }];
        story.hear(StreamEvent::Links { src: format!("mix-1-{from}"), links });
    }
    for number in 1..=count {
        let message = fixture::message("alice", "bob", "hello");
        let message = MessageStatus { id: format!("{number:0>32}"), ..message };
        story.hear(StreamEvent::Message(fixture::acknowledged(message)));
    }
}

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

#[tokio::test]
async fn somebody_goes_through_a_lesson_and_it_is_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut story = learning(folder.path()).await;
    story.type_text("9");
    story.until("0 of 13 done").await;
    story.enter();
    story.until("Your mixnet has 6 mixnodes in 3 layers").await;
    let kept = || tutor::Store::new(folder.path()).read();
    assert!(kept().progress.left("default").is_some(), "what it was before stands in the file");
    story.enter();
    story.until("Your answer, in ways").await;
    story.type_text("8");
    story.until("› 8").await;
    story.enter();
    story.until("Right: 8 ways.").await;
    story.type_text("5");
    story.enter();
    story.until("Not 5: it is 4 links.").await;
    story.enter();
    assert_eq!(story.asked().await, "nym-devnet send alice bob 'hello {n}' --count 5");
    story.until("now 0 messages").await;
    story.type_text("1");
    story.until("9 Lesson 1 Layers · 5 of 6").await;
    arrive(&mut story, 5);
    story.until("something to read").await;
    story.type_text("9");
    story.until("There it is, after").await;
    story.enter();
    story.until("the lesson is done: 1 of 2 answers were right").await;
    story.enter();
    story.until("✓ done, 1 of 2").await;
    story.type_text("q");
    assert_eq!(story.outcome().await, Outcome::Quit);
    let kept = kept();
    assert_eq!(kept.complaints, [""; 0]);
    assert_eq!(kept.progress.of("layers").finished, 1);
    assert!(kept.progress.left("default").is_none());
}

#[tokio::test]
async fn who_quits_in_the_middle_leaves_the_network_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut story = learning(folder.path()).await;
    story.type_text("9G");
    story.until("The best mixnet hides nobody").await;
    story.enter();
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
    story.until("2 senders").await;
    story.type_text("q");
    assert_eq!(story.asked().await, "nym-devnet set crowd=8");
    assert_eq!(story.outcome().await, Outcome::Quit);
    let kept = tutor::Store::new(folder.path()).read();
    assert!(kept.progress.left("default").is_none());
    assert_eq!((kept.progress.of("lonely").begun, kept.progress.of("lonely").finished), (1, 0));
}
