//! Keys pressed against the real loop, and what the screen shows in the end.

mod adversary;
mod lessons;
mod tour;

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use control::{
    AttackRequest, AttackStatus, ControlError, Envelope, Failure, FailureCode, History, Inbox,
    MessageStatus, NodeAction, NodeStatus, SendRequest, Snapshot, State, StreamEvent,
};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures_util::Stream;
use futures_util::future::BoxFuture;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::sync::{mpsc, watch};

use super::{settings, text};
use crate::app::{self, Console, run_with};
use crate::fixture::{self, Fixture};
use crate::message::Wanted;
use crate::model::Settings;
use crate::source::{Events, Source};
use crate::{Error, Outcome};

/// How long a story may wait for something to appear.
const PATIENCE: Duration = Duration::from_secs(10);

fn patience() -> Duration {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR").ok();
    PATIENCE * factor.and_then(|factor| factor.parse().ok()).unwrap_or(1)
}

/// A supervisor that says what is written down, one stream for each connection, and remembers what
/// it was asked.
#[derive(Clone)]
struct Script {
    streams: Arc<Mutex<VecDeque<mpsc::UnboundedReceiver<Envelope>>>>,
    asked: mpsc::UnboundedSender<String>,
}

impl Events for mpsc::UnboundedReceiver<Envelope> {
    async fn next(&mut self) -> Result<Option<Envelope>, ControlError> {
        Ok(self.recv().await)
    }
}

impl Source for Script {
    type Events = mpsc::UnboundedReceiver<Envelope>;

    async fn events(&self) -> Result<Self::Events, ControlError> {
        let stream = self.streams.lock().expect("one test thread").pop_front();
        stream.ok_or_else(|| Failure::new(FailureCode::Unreachable, "nobody listens").into())
    }

    async fn act(&self, node: &str, action: NodeAction) -> Result<NodeStatus, ControlError> {
        self.asked.send(format!("{} {node}", action.word())).expect("the story goes on");
        if node == "alice" {
            let failure = Failure::new(FailureCode::NotRunning, "alice is stopping already");
            return Err(failure.hint("wait until it is stopped").into());
        }
        Ok(Fixture::two_by_three().status(node))
    }

    async fn change(&self, wanted: &Wanted) -> Result<(), ControlError> {
        let words: Vec<String> = wanted.commands().collect();
        self.asked.send(words.join("; ")).expect("the story goes on");
        Ok(())
    }

    async fn attack(&self, request: &AttackRequest) -> Result<AttackStatus, ControlError> {
        self.asked.send(request.plan.command()).expect("the story goes on");
        Ok(fixture::attacked(7, &request.plan))
    }

    async fn passages(&self, nodes: &[String]) -> Result<Self::Events, ControlError> {
        self.asked.send(format!("passages {}", nodes.join(","))).expect("the story goes on");
        self.events().await
    }

    async fn send(&self, request: &SendRequest) -> Result<MessageStatus, ControlError> {
        let words = request.content.preview();
        self.asked
            .send(format!("send {} {} {words}", request.from, request.to))
            .expect("the story goes on");
        if words.starts_with("refuse") {
            let failure = Failure::new(FailureCode::NotRunning, "the client is stopping");
            return Err(failure.hint("wait until it is stopped").into());
        }
        Ok(fixture::message(&request.from, &request.to, &words))
    }

    async fn inbox(&self, _: &str, _: u64) -> Result<Inbox, ControlError> {
        Ok(Inbox { messages: vec![], more: false, last: Some(0) })
    }

    async fn status(&self) -> Result<Snapshot, ControlError> {
        Ok(Fixture::two_by_three().snapshot(Duration::from_secs(6)))
    }

    async fn perform(&self, actions: Vec<::lessons::Action>) -> Result<(), String> {
        let commands: Vec<String> = actions.iter().map(|action| action.command(None)).collect();
        self.asked.send(commands.join("; ")).expect("the story goes on");
        Ok(())
    }

    async fn history(&self, window_s: u64, step_s: u64) -> Result<History, ControlError> {
        Ok(fixture::history(window_s, step_s))
    }
}

/// A terminal in memory. After each frame its text can be seen.
struct Paper {
    terminal: Terminal<TestBackend>,
    shown: watch::Sender<String>,
    asked: mpsc::UnboundedSender<String>,
}

impl Console for Paper {
    type Backend = TestBackend;

    fn terminal(&mut self) -> &mut Terminal<TestBackend> {
        &mut self.terminal
    }

    fn drawn(&mut self) {
        self.shown.send_replace(text(self.terminal.backend().buffer()));
    }

    fn tell(&mut self, words: &str) {
        self.asked.send(format!("tell {words}")).expect("the story goes on");
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.asked.send(format!("copy {text}")).map_err(io::Error::other)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.asked.send("suspend".into()).map_err(io::Error::other)
    }

    fn page(&mut self, file: &Path) -> io::Result<BoxFuture<'static, io::Result<()>>> {
        self.asked.send(format!("page {}", file.display())).map_err(io::Error::other)?;
        Ok(Box::pin(std::future::ready(Ok(()))))
    }

    fn resume(&mut self) -> io::Result<()> {
        self.asked.send("resume".into()).map_err(io::Error::other)
    }
}

/// Keys as they are pressed.
struct Keyboard(mpsc::UnboundedReceiver<Event>);

impl Stream for Keyboard {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

impl app::Keyboard for Keyboard {}

/// A dashboard that runs, and everything that can be done to it.
struct Story {
    fixture: Fixture,
    keys: mpsc::UnboundedSender<Event>,
    streams: Arc<Mutex<VecDeque<mpsc::UnboundedReceiver<Envelope>>>>,
    events: mpsc::UnboundedSender<Envelope>,
    signals: mpsc::Sender<i32>,
    shown: watch::Receiver<String>,
    asked: mpsc::UnboundedReceiver<String>,
    end: tokio::task::JoinHandle<Result<Outcome, Error>>,
}

impl Story {
    /// Runs a dashboard in front of two by three.
    fn begin(settings: Settings) -> Self {
        Self::begin_with(settings, |script| script)
    }

    /// The same with another supervisor, which may leave requests to this one.
    fn begin_with<S: Source>(settings: Settings, source: impl FnOnce(Script) -> S) -> Self {
        let (keys, keyboard) = mpsc::unbounded_channel();
        let (events, stream) = mpsc::unbounded_channel();
        let (signals, signalled) = mpsc::channel(1);
        let (shown_to, shown) = watch::channel(String::new());
        let (asked_of, asked) = mpsc::unbounded_channel();
        let streams = Arc::new(Mutex::new(VecDeque::from([stream])));
        let script = Script { streams: Arc::clone(&streams), asked: asked_of.clone() };
        let source = source(script);
        let terminal = Terminal::new(TestBackend::new(100, 30)).expect("a test backend");
        let mut paper = Paper { terminal, shown: shown_to, asked: asked_of };
        let end = tokio::spawn(async move {
            run_with(&mut paper, Keyboard(keyboard), source, settings, signalled).await
        });
        let fixture = Fixture::two_by_three();
        Self { fixture, keys, streams, events, signals, shown, asked, end }
    }

    /// The same after the first snapshot and some traffic.
    async fn running() -> Self {
        let mut story = Self::begin(settings());
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

    fn hear(&mut self, event: StreamEvent) {
        let envelope = self.fixture.at(Duration::from_secs(6), event);
        self.events.send(envelope).expect("the dashboard listens");
    }

    fn press(&self, code: KeyCode, modifiers: KeyModifiers) {
        let event = Event::Key(KeyEvent::new(code, modifiers));
        self.keys.send(event).expect("the dashboard listens");
    }

    fn type_text(&self, text: &str) {
        text.chars().for_each(|c| self.press(KeyCode::Char(c), KeyModifiers::NONE));
    }

    fn enter(&self) {
        self.press(KeyCode::Enter, KeyModifiers::NONE);
    }

    /// Waits until the screen shows this.
    async fn until(&mut self, words: &str) {
        let waited =
            tokio::time::timeout(patience(), self.shown.wait_for(|shown| shown.contains(words)));
        let appeared = waited.await.is_ok();
        assert!(appeared, "`{words}` did not appear on\n{}", *self.shown.borrow());
    }

    /// The next thing that the dashboard asked for.
    async fn asked(&mut self) -> String {
        let asked = tokio::time::timeout(patience(), self.asked.recv()).await;
        asked.expect("in time").expect("the dashboard runs")
    }

    async fn outcome(self) -> Outcome {
        let end = tokio::time::timeout(patience(), self.end).await;
        end.expect("in time").expect("no panic").expect("no error")
    }
}

#[tokio::test]
async fn somebody_sends_a_message_and_sees_it_arrive() {
    let mut story = Story::running().await;
    story.type_text("m");
    story.until("type a message; ↵ sends it").await;
    story.type_text("hello bob");
    story.until("› hello bob").await;
    story.enter();
    assert_eq!(story.asked().await, "send alice bob hello bob");
    story.until("last: nym-devnet send alice bob 'hello bob'").await;

    let message = fixture::message("alice", "bob", "hello bob");
    story.hear(StreamEvent::Message(message.clone()));
    story.until("◌  queued").await;
    story.hear(StreamEvent::Message(fixture::sent(message.clone())));
    story.until("◌  sent").await;
    story.hear(fixture::received("bob", "hello bob"));
    story.hear(StreamEvent::Message(fixture::acknowledged(message)));
    story.until("✓✓ acknowledged").await;
    story.until("alice → mix-1-2 → mix-2-1 → mix-3-1 → provider-1 → bob").await;
    story.until("bob         ✉ 1").await;
    story.press(KeyCode::Esc, KeyModifiers::NONE);
    story.type_text("qy");
    assert_eq!(story.outcome().await, Outcome::Quit);
}

#[tokio::test]
async fn somebody_kills_a_node_and_sees_it_come_back() {
    let mut story = Story::running().await;
    story.type_text("2");
    story.until("NAME").await;
    story.type_text("jjjX");
    story.until("Kill mix-1-2?").await;
    story.type_text("y");
    assert_eq!(story.asked().await, "kill mix-1-2");
    story.until("mix-1-2 was killed").await;
    let ready = story.fixture.status("mix-1-2");
    story.hear(StreamEvent::Node(NodeStatus {
        state: State::BackingOff,
        reason: "killed by SIGKILL".into(),
        pid: None,
        ..ready.clone()
    }));
    story.until("↻ backing off: killed by").await;
    story.until("10/11 ready").await;
    story.hear(StreamEvent::Node(NodeStatus { restarts: 1, ..ready }));
    story.until("11/11 ready").await;
    story.enter();
    story.until("restarts   1").await;
    story.press(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(story.outcome().await, Outcome::Quit);
}

#[tokio::test]
async fn a_refusal_is_shown_with_its_hint() {
    let mut story = Story::running().await;
    story.type_text("jhs");
    assert_eq!(story.asked().await, "start alice");
    story.until("cannot start alice: alice is stopping already; wait until it is stopped").await;
}

#[tokio::test]
async fn a_lost_stream_is_tried_again_and_goes_on() {
    let mut story = Story::running().await;
    // Nobody listens at first; then somebody does.
    let (events, stream) = mpsc::unbounded_channel();
    drop(std::mem::replace(&mut story.events, events));
    story.until("connection lost").await;
    story.until("reconnecting").await;
    story.until("nobody listens").await;
    story.streams.lock().expect("one test thread").push_back(stream);
    let mut snapshot = story.fixture.snapshot(Duration::from_secs(6));
    snapshot.nodes.truncate(3);
    story.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    story.until("● live  3/3 ready").await;
}

#[tokio::test]
async fn the_devnet_goes_down_and_the_dashboard_with_it() {
    let mut story = Story::running().await;
    story.hear(StreamEvent::Down { reason: "`nym-devnet down` was called".into() });
    let reason = "`nym-devnet down` was called".to_owned();
    assert_eq!(story.outcome().await, Outcome::DevnetEnded { reason });
}

#[tokio::test]
async fn a_signal_ends_the_dashboard_without_a_question() {
    let story = Story::running().await;
    story.signals.send(15).await.expect("the dashboard listens");
    assert_eq!(story.outcome().await, Outcome::Signalled { signal: 15 });
}

#[tokio::test]
async fn the_terminal_is_given_to_the_shell_and_to_its_clipboard() {
    let mut story = Story::running().await;
    story.press(KeyCode::Char('z'), KeyModifiers::CONTROL);
    assert_eq!(story.asked().await, "suspend");
    story.until("Network").await;
    story.type_text("jy");
    let key = fixture::key("mix-1-1");
    assert_eq!(story.asked().await, format!("copy 127.0.0.1:9980 {key}"));
    story.until("copied address and key of mix-1-1").await;
}

#[tokio::test]
async fn the_mouse_points_at_what_is_drawn() {
    use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
    let mut story = Story::running().await;
    story.type_text("2");
    story.until("NAME").await;
    let shown = story.shown.borrow().clone();
    let row = shown.lines().position(|line| line.contains("mix-3-1")).expect("a row");
    let click = MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column: 5,
        row: u16::try_from(row).expect("a small screen"),
        modifiers: KeyModifiers::NONE,
    };
    story.keys.send(Event::Mouse(click)).expect("the dashboard listens");
    story.keys.send(Event::Mouse(click)).expect("the dashboard listens");
    story.until("mix-3-1 · mixnode, layer 3").await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_drawn_while_nothing_happens() {
    let mut story = Story::begin(settings());
    story.until("connecting to the supervisor").await;
    // On virtual time a minute passes at once; each second may change an age, so it may draw.
    let mut frames = 0;
    let minute = tokio::time::sleep(Duration::from_secs(60));
    tokio::pin!(minute);
    loop {
        tokio::select! {
            () = &mut minute => break,
            changed = story.shown.changed() => { changed.expect("it runs"); frames += 1; }
        }
    }
    assert!(frames <= 61, "{frames} frames in a quiet minute");
}

#[tokio::test(start_paused = true)]
async fn a_torrent_of_events_is_drawn_ten_times_a_second() {
    let mut story = Story::begin(settings());
    let snapshot = story.fixture.snapshot(Duration::ZERO);
    story.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    let mut frames = 0;
    for second in 1..=5_u64 {
        for _ in 0..20 {
            for envelope in story.fixture.second(second) {
                story.events.send(envelope).expect("the dashboard listens");
            }
            let slice = tokio::time::sleep(Duration::from_millis(50));
            tokio::pin!(slice);
            loop {
                tokio::select! {
                    () = &mut slice => break,
                    changed = story.shown.changed() => { changed.expect("it runs"); frames += 1; }
                }
            }
        }
    }
    assert!((40..=55).contains(&frames), "{frames} frames in five seconds");
}

/// A supervisor that never stops talking, and says at once that somebody fell behind.
#[derive(Clone)]
struct Flood(Script);

/// What it says: a snapshot, what was lost, and then one log line after the other.
struct Torrent {
    fixture: Fixture,
    said: u64,
}

impl Events for Torrent {
    async fn next(&mut self) -> Result<Option<Envelope>, ControlError> {
        let event = match self.said {
            0 => StreamEvent::Snapshot(Box::new(self.fixture.snapshot(Duration::ZERO))),
            1 => StreamEvent::Lost { node: "mix-1-1".into(), count: 4711, links: 0 },
            said => fixture::log("mix-1-1", Duration::ZERO, &format!("line {said}")),
        };
        self.said += 1;
        Ok(Some(self.fixture.at(Duration::ZERO, event)))
    }
}

impl Source for Flood {
    type Events = Torrent;

    async fn events(&self) -> Result<Torrent, ControlError> {
        Ok(Torrent { fixture: Fixture::two_by_three(), said: 0 })
    }

    async fn act(&self, node: &str, action: NodeAction) -> Result<NodeStatus, ControlError> {
        self.0.act(node, action).await
    }

    async fn change(&self, wanted: &Wanted) -> Result<(), ControlError> {
        self.0.change(wanted).await
    }

    async fn attack(&self, request: &AttackRequest) -> Result<AttackStatus, ControlError> {
        self.0.attack(request).await
    }

    async fn passages(&self, _: &[String]) -> Result<Torrent, ControlError> {
        self.events().await
    }

    async fn send(&self, request: &SendRequest) -> Result<MessageStatus, ControlError> {
        self.0.send(request).await
    }

    async fn inbox(&self, client: &str, after: u64) -> Result<Inbox, ControlError> {
        self.0.inbox(client, after).await
    }

    async fn status(&self) -> Result<Snapshot, ControlError> {
        self.0.status().await
    }

    async fn perform(&self, actions: Vec<::lessons::Action>) -> Result<(), String> {
        self.0.perform(actions).await
    }

    async fn history(&self, window_s: u64, step_s: u64) -> Result<History, ControlError> {
        self.0.history(window_s, step_s).await
    }
}

/// The torrent has no end: were it drained before keys are looked at, this would not end either.
#[tokio::test]
async fn keys_are_heard_in_the_midst_of_a_torrent_and_what_was_lost_is_told() {
    let mut story = Story::begin_with(settings(), Flood);
    story.until("4711 events lost").await;
    story.type_text("6");
    story.until("5000 lines").await;
    story.type_text(" ");
    story.until("PAUSED").await;
    story.type_text(" 2");
    story.until("NAME").await;
    story.type_text("qy");
    assert_eq!(story.outcome().await, Outcome::Quit);
}

#[tokio::test]
async fn somebody_writes_lines_pastes_more_and_finds_them_in_the_history() {
    let mut story = Story::running().await;
    story.type_text("m");
    story.until("type a message").await;
    story.type_text("first");
    story.press(KeyCode::Enter, KeyModifiers::ALT);
    story.keys.send(Event::Paste("second\r\nthird".into())).expect("the dashboard listens");
    story.until("18 of 1 589 B, 1 packet").await;
    story.enter();
    assert_eq!(story.asked().await, "send alice bob first\nsecond\nthird");
    story.until("0 of 1 589 B").await;
    story.press(KeyCode::Up, KeyModifiers::NONE);
    story.until("› first").await;
    story.press(KeyCode::Down, KeyModifiers::NONE);
    story.until("0 of 1 589 B").await;
}

#[tokio::test]
async fn a_refused_message_is_given_back() {
    let mut story = Story::running().await;
    story.type_text("mrefuse this");
    story.until("› refuse this").await;
    story.enter();
    assert_eq!(story.asked().await, "send alice bob refuse this");
    story.until("not sent: the client is stopping; wait until it is stopped").await;
    story.until("› refuse this").await;
}

#[tokio::test]
async fn a_log_is_read_in_the_pager_and_the_screen_comes_back() {
    let mut story = Story::running().await;
    let at = Duration::from_secs(6);
    story.hear(fixture::log("mix-1-1", at, "INFO mixnode: hello"));
    story.type_text("6");
    story.until("INFO mixnode: hello").await;
    story.type_text("e");
    assert_eq!(story.asked().await, "page /tmp/devnet/logs/mix-1-1.log");
    assert_eq!(story.asked().await, "resume");
    story.type_text("1");
    story.until("╭ Network").await;
}

/// A knob is turned, what would be is seen, and it is applied; then the adversary's view and the truth.
#[tokio::test]
async fn somebody_turns_a_knob_and_looks_as_the_adversary() {
    let mut story = Story::running().await;
    story.type_text("8");
    story.until("Knobs").await;
    story.press(KeyCode::Left, KeyModifiers::NONE);
    story.until("would be").await;
    story.until("(200 ms)").await;
    story.enter();
    assert_eq!(story.asked().await, "set hop=100ms");
    story.until("the network changes").await;
    story.type_text("a");
    story.until("The adversary's view").await;
    story.type_text("v");
    story.until("The truth, which no observer has").await;
    story.type_text("a");
    story.until("Knobs").await;
    story.type_text("qy");
    assert_eq!(story.outcome().await, Outcome::Quit);
}
