//! Messages that are sent and inboxes that are read, while clients come and go.

use super::*;

#[tokio::test]
async fn a_message_is_sent_by_name_and_waited_for() {
    let report = with_devnet(false, async |devnet| {
        devnet.until("mix-1-1", |node| node.state == State::Listening).await;
        devnet.until("bob", |node| node.state == State::Ready).await;
        devnet.until("alice", |node| node.state == State::Ready).await;

        let sent = within(devnet.send("bob", "arrives", 20_000)).await.expect("delivered");
        assert_eq!((sent.from.as_str(), sent.to.as_str()), ("alice", "bob"));
        assert_eq!(sent.state, MessageState::Delivered);
        assert_eq!(sent.delivered_ms, Some(2.999));
        assert_eq!(sent.packets[0].route, ["mix-1-1", "1.2.3.4:5"]);

        // A slow machine needs longer to say that it is underway.
        let mut deadline = 50;
        let late = loop {
            let late = devnet.send("bob", "gets lost", deadline).await.expect_err("nobody has it");
            assert_eq!(late.code, FailureCode::DeadlinePassed);
            if !late.message.contains("has not answered") || deadline > 10_000 {
                break late;
            }
            deadline *= 4;
        };
        assert!(late.message.contains("1 of 1 packets sent, 0 acknowledged"), "{late}");
        let refused = devnet.send("bob", "refuse", 20_000).await.expect_err("refused");
        assert_eq!(refused.code, FailureCode::SendFailed);
        assert!(refused.message.ends_with("refused: no route"), "{refused}");

        let unknown = devnet.send("bbo", "x", 50).await.expect_err("no such client");
        assert_eq!(unknown.code, FailureCode::NoSuchNode);
        assert_eq!(unknown.hint.as_deref(), Some("did you mean `bob`? `nym-devnet ps` lists all"));
        for malformed in ["bob@", "not@an-address", &"1l@".repeat(40), "\u{1b}[2J@x"] {
            let refused = devnet.send(malformed, "x", 50).await.expect_err("no address");
            assert_eq!(refused.code, FailureCode::Usage, "{refused}");
            assert!(!refused.message.contains('\u{1b}'), "{refused}");
        }
        let no_client = devnet.send("mix-1-1", "x", 50).await.expect_err("a mixnode");
        assert_eq!(no_client.code, FailureCode::Usage);
        assert_eq!(no_client.hint.as_deref(), Some("clients are alice, bob"));
        let large = "x".repeat(contract::MAX_CONTENT_BYTES + 1);
        let too_large = devnet.send("bob", &large, 50).await.expect_err("too large");
        assert_eq!(too_large.code, FailureCode::Usage);

        // Who is not ready says why.
        devnet.client.act("alice", NodeAction::Stop).await.expect("it runs");
        devnet.until("alice", |node| node.state == State::Stopped).await;
        let stopped = devnet.send("bob", "x", 50).await.expect_err("alice is stopped");
        assert_eq!(stopped.code, FailureCode::NotRunning);
        assert!(stopped.message.contains("`alice` is stopped"), "{stopped}");
        assert_eq!(devnet.node("alice").await.state, State::Stopped);
        devnet.down().await
    })
    .await;
    assert!(report.deleted && !report.folder.exists());
}

#[tokio::test]
async fn what_a_sender_has_accepted_outlives_it() {
    let report = with_devnet(false, async |devnet| {
        devnet.until("bob", |node| node.state == State::Ready).await;
        devnet.until("alice", |node| node.state == State::Ready).await;
        let send_and = async |action| {
            let sending = Box::pin(devnet.send("bob", "stays", 20_000));
            let acting = Box::pin(async {
                devnet.until_message(MessageState::Queued).await;
                devnet.client.act("alice", action).await.expect("it runs");
            });
            within(async { tokio::join!(sending, acting) }).await.0
        };
        let sent = send_and(NodeAction::Kill).await.expect("its next process sends it");
        assert_eq!((sent.state, sent.packets[0].attempts), (MessageState::Delivered, 1));
        devnet.until("alice", |node| node.state == State::Ready && node.restarts == 1).await;

        // Nobody waits for one that does not come back by itself.
        std::fs::remove_file(devnet.dir.join("kept")).expect("removes");
        let kept = send_and(NodeAction::Stop).await.expect_err("it stays where it is");
        assert_eq!(kept.code, FailureCode::NotRunning);
        assert!(kept.message.contains("`alice` is stopped: asked to leave"), "{kept}");
        assert!(kept.message.ends_with("sends it when it is started"), "{kept}");
        devnet.until_message(MessageState::Queued).await;
        devnet.client.act("alice", NodeAction::Start).await.expect("can start");
        devnet.until_message(MessageState::Delivered).await;
        devnet.down().await
    })
    .await;
    assert!(report.deleted);
}

#[tokio::test]
async fn a_client_that_dies_before_it_answers_is_asked_again_for_the_same_message() {
    let report = with_devnet(false, async |devnet| {
        devnet.until("bob", |node| node.state == State::Ready).await;
        devnet.until("alice", |node| node.state == State::Ready).await;
        let request = SendRequest {
            from: "alice".into(),
            to: "bob".into(),
            content: Content::Text("dies".into()),
            wait: SendWait::Accepted,
            timeout_ms: 20_000,
        };
        let sent = within(devnet.client.send(&request)).await.expect("its third process takes it");
        let asked = std::fs::read_to_string(devnet.dir.join("asked")).expect("it was asked");
        let ids: Vec<&str> = asked.lines().collect();
        assert_eq!(ids, [sent.id.as_str(); 3], "it is one message");
        assert_eq!(sent.id.len(), 32);

        // One that is not started again is not waited for.
        std::fs::remove_file(devnet.dir.join("asked")).expect("removes");
        let sending = Box::pin(devnet.client.send(&request));
        let stopping = Box::pin(async {
            devnet.until("alice", |node| node.state == State::BackingOff).await;
            devnet.client.act("alice", NodeAction::Stop).await.expect("it is there");
        });
        let (unsent, ()) = within(async { tokio::join!(sending, stopping) }).await;
        let ControlError::Refused(failure) = unsent.expect_err("nobody takes it") else {
            panic!("it is refused")
        };
        assert_eq!(failure.code, FailureCode::NotRunning);
        assert!(failure.message.contains("ended before it answered: exit code 9"), "{failure}");
        devnet.down().await
    })
    .await;
    assert!(report.deleted);
}

#[tokio::test]
async fn a_client_that_comes_back_is_asked_for_more_than_it_reads_at_once() {
    let report = with_devnet(false, async |devnet| {
        devnet.until("bob", |node| node.state == State::Ready).await;
        devnet.until("alice", |node| node.state == State::Ready).await;
        // While it stands still its requests wait, and after the restart all of them are asked anew.
        devnet.client.act("alice", NodeAction::Pause).await.expect("it runs");
        devnet.client.act("alice", NodeAction::Kill).await.expect("it runs");
        let request = SendRequest {
            from: "alice".into(),
            to: "bob".into(),
            content: Content::Text("x".into()),
            wait: SendWait::Accepted,
            timeout_ms: 60_000,
        };
        let sends = (0..100).map(|_| devnet.client.send(&request));
        for sent in within(futures_util::future::join_all(sends)).await {
            sent.expect("accepted");
        }
        devnet.down().await
    })
    .await;
    assert!(report.deleted);
}

#[tokio::test]
async fn an_inbox_is_read_page_by_page_also_while_its_client_is_killed() {
    let report = with_devnet(false, async |devnet| {
        devnet.until("bob", |node| node.state == State::Ready).await;
        let page = async |after| within(devnet.client.inbox("bob", after)).await;
        let first = page(0).await.expect("a page");
        assert_eq!((first.messages.len(), first.more), (1, true));
        let message = &first.messages[0];
        assert_eq!((message.client.as_str(), message.id.as_str()), ("bob", "m1"));
        assert_eq!((message.number, message.unix_ms), (1, 1));

        // It dies when it is asked, and its next process answers.
        std::fs::write(devnet.dir.join("crash"), "").expect("writes");
        let last = page(1).await.expect("a page");
        assert_eq!((last.messages[0].number, last.more), (2, false));
        assert_eq!(last.messages[0].content, Content::Omitted(16 << 20));
        devnet.until("bob", |node| node.state == State::Ready && node.restarts == 1).await;

        let failed = async |code| {
            let error = page(0).await.expect_err("no page");
            let ControlError::Refused(failure) = error else { panic!("{error}") };
            assert_eq!(failure.code, code, "{failure}");
            failure
        };
        std::fs::write(devnet.dir.join("refuse"), "").expect("writes");
        let refused = failed(FailureCode::Other).await;
        assert_eq!(refused.message, "cannot read the inbox of `bob`: it refused: no disk");
        devnet.client.act("bob", NodeAction::Stop).await.expect("it runs");
        let stopped = failed(FailureCode::NotRunning).await;
        let start = "`bob`: it is stopped: asked to leave; exit code 0";
        assert!(stopped.message.ends_with(start), "{stopped}");
        assert!(stopped.hint.expect("a hint").contains("`nym-devnet start bob`"));
        let no_client = devnet.client.inbox("mix-1-1", 0).await.expect_err("a mixnode");
        assert!(matches!(no_client, ControlError::Refused(failure)
            if failure.code == FailureCode::Usage));
        devnet.down().await
    })
    .await;
    assert!(report.deleted);
}

#[tokio::test]
async fn a_page_is_not_waited_for_longer_than_its_time() {
    let dir = tempfile::tempdir().expect("a folder");
    let (spec, claim) = spec(dir.path(), false);
    let mut devnet = Devnet::new(spec, claim, Box::new(|_, _| Command::new("true")));
    let now = Moment::now();
    let (reply, mut answer) = tokio::sync::oneshot::channel();
    devnet.answer(now, Ask::Inbox { client: "bob".into(), after: 0, reply });
    let deadline = devnet.next_wake().expect("the wait ends");
    assert_eq!(deadline, now.t + control::INBOX_TIMEOUT);
    devnet.wake(Moment { t: Time::from_nanos(deadline.as_nanos() - 1), ..now });
    assert!(answer.try_recv().is_err(), "nobody has answered");
    devnet.wake(Moment { t: deadline, ..now });
    let failure = answer.try_recv().expect("answered").expect_err("nobody did");
    assert_eq!(failure.code, FailureCode::DeadlinePassed);
    let message = "cannot read the inbox of `bob`: no answer within 15s; \
                   it is planned: not started yet";
    assert_eq!(failure.message, message);
}

#[tokio::test]
async fn steps_of_a_long_message_are_shown_less_often() {
    for (fragments, delay) in [(1, SHOW_DELAY), (10_559, 11 * SHOW_DELAY)] {
        let dir = tempfile::tempdir().expect("a folder");
        let (spec, claim) = spec(dir.path(), false);
        let alice = spec.plan.nodes.iter().position(|node| node.name == "alice").expect("alice");
        let mut devnet = Devnet::new(spec, claim, Box::new(|_, _| Command::new("true")));
        let now = Moment::now();
        let source = devnet.source(alice);
        let mut tell = |stage| {
            let event = contract::MessageEvent { t: now.t, message: "m".into(), stage };
            let event = contract::Event::Message(event);
            devnet.child_event(now, source, ChildEvent::Event(Box::new(event)));
            devnet.next_wake()
        };
        let (to, content) = ("bob-key@p".into(), Content::Text("x".into()));
        assert_eq!(tell(contract::MessageStage::Accepted { to, content, fragments }), None);
        let sent = |attempt| contract::MessageStage::Sent {
            fragment: 0,
            attempt,
            route: vec![],
            trace: None,
        };
        assert_eq!(tell(sent(1)), None, "another state is shown at once");
        assert_eq!(tell(sent(2)), Some(now.t + delay));
    }
}
