//! The one list of actions. Keys, hints, help, palette and `docs/keybindings.md` are read from it.

mod list;

pub(crate) use list::ACTIONS;

use crate::keys::Key;

/// Something that the user can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Show the Network screen.
    ShowNetwork,
    /// Show the Nodes screen.
    ShowNodes,
    /// Show the Traffic screen.
    ShowTraffic,
    /// Show the Messages screen.
    ShowMessages,
    /// Show the Presence screen.
    ShowPresence,
    /// Show the Logs screen.
    ShowLogs,
    /// Show the Problems screen.
    ShowProblems,
    /// Show the Anonymity screen.
    ShowAnonymity,
    /// Show the Lessons screen.
    ShowLessons,
    /// Begin the selected lesson.
    BeginLesson,
    /// Go on in a lesson: read on, let something be done, wait again.
    GoOn,
    /// Give the answer that was typed.
    Answer,
    /// Ask for a hint.
    Hint,
    /// Leave the lesson.
    LeaveLesson,
    /// Show the network as an observer of its links has it, or go back.
    Adversary,
    /// Other eyes to watch with.
    NextObserver,
    /// Those before.
    PreviousObserver,
    /// Show the truth beside the guess, or hide it.
    Reveal,
    /// One more mixnode works for the observer.
    MoreCorrupt,
    /// One fewer does.
    LessCorrupt,
    /// Ask whether somebody else sends.
    NextClient,
    /// Whether the one before does.
    PreviousClient,
    /// Choose an attack, and see what came of those before.
    Attacks,
    /// Run the attack that was chosen.
    Launch,
    /// Make the network as the knobs stand.
    Apply,
    /// Open what is selected.
    Open,
    /// Take up the input line of Messages.
    Write,
    /// Start a process.
    Start,
    /// Start every process that does not run.
    StartAll,
    /// Stop a process.
    Stop,
    /// End a process with SIGKILL.
    Kill,
    /// Restart a process.
    Restart,
    /// Let a process stand still, or go on.
    Pause,
    /// Show the log of the selected process.
    NodeLogs,
    /// Follow a message hop by hop.
    Journey,
    /// The next message, in its journey.
    NextMessage,
    /// The message before, in its journey.
    PreviousMessage,
    /// Say what the selected thing means.
    Explain,
    /// Look further back, or less far.
    Window,
    /// Narrow a list by a text.
    Filter,
    /// Hold on to the newest line, or let go.
    Follow,
    /// Look for a text and leave the rest where it is.
    Search,
    /// To the next place with that text.
    NextMatch,
    /// To the previous one.
    PreviousMatch,
    /// Show only what is this bad, or worse.
    Level,
    /// Break long lines, or let them go on to the right.
    Wrap,
    /// Open the log's file in the pager.
    Page,
    /// Copy what is selected.
    Copy,
    /// Sort by the next column.
    Sort,
    /// Sort the other way round.
    ReverseSort,
    /// Stop the view, not the devnet. In a recording: pause.
    Freeze,
    /// Play the recording at half the speed.
    Slower,
    /// Play the recording at twice the speed.
    Faster,
    /// Let the focused pane fill the screen, or give the others their room back.
    Zoom,
    /// The next theme.
    NextTheme,
    /// To the next pane.
    NextPane,
    /// To the previous pane.
    PreviousPane,
    /// One up.
    Up,
    /// One down.
    Down,
    /// One to the left.
    Left,
    /// One to the right.
    Right,
    /// To the first.
    First,
    /// To the last.
    Last,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Out of what was opened.
    Back,
    /// Take the tour, or go on with it.
    Tour,
    /// The list of every action.
    Palette,
    /// What the keys of this screen do.
    Help,
    /// Leave the dashboard.
    Quit,
    /// Send what was typed.
    Send,
    /// Begin a new line of what is typed.
    NewLine,
    /// Keep the filter.
    Accept,
    /// Leave the input line.
    LeaveInput,
    /// Choose what is highlighted.
    Choose,
    /// Agree.
    Yes,
    /// Decline.
    No,
    /// Close an overlay.
    Close,
    /// Edit: a character to the left.
    CursorLeft,
    /// Edit: a character to the right.
    CursorRight,
    /// Edit: a word to the left.
    CursorWordLeft,
    /// Edit: a word to the right.
    CursorWordRight,
    /// Edit: to the start.
    CursorStart,
    /// Edit: to the end.
    CursorEnd,
    /// Edit: delete the character before.
    DeleteBack,
    /// Edit: delete the character under the cursor.
    DeleteForward,
    /// Edit: delete the word before.
    DeleteWord,
    /// Edit: delete everything before.
    DeleteToStart,
    /// Edit: delete everything behind.
    DeleteToEnd,
    /// Draw everything anew.
    Redraw,
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Leave at once.
    Interrupt,
}

impl Action {
    /// Everything about it. Of several entries, the first: it has the hint.
    pub(crate) fn spec(self) -> Option<&'static Spec> {
        ACTIONS.iter().find(|spec| spec.action == self)
    }
}

/// Where keys go: a screen, or what lies over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    /// The Network screen.
    Network,
    /// The Nodes screen.
    Nodes,
    /// The Traffic screen.
    Traffic,
    /// The Messages screen.
    Messages,
    /// The Presence screen.
    Presence,
    /// The Logs screen.
    Logs,
    /// The Problems screen.
    Problems,
    /// The Anonymity screen.
    Anonymity,
    /// The adversary's view of it.
    Adversary,
    /// The lessons in a list.
    Lessons,
    /// A lesson that is gone through.
    Lesson,
    /// Typing an answer.
    Answering,
    /// The card of a process.
    Card,
    /// Typing a message.
    Writing,
    /// Typing a filter.
    Filtering,
    /// Typing in the palette.
    Searching,
    /// A question.
    Question,
    /// The help.
    Reading,
    /// The journey of a message.
    Journey,
    /// Choosing an attack.
    Attacking,
    /// An explanation.
    Explanation,
}

impl Context {
    /// All of them.
    pub(crate) const ALL: [Self; 21] = [
        Self::Network,
        Self::Nodes,
        Self::Traffic,
        Self::Messages,
        Self::Presence,
        Self::Logs,
        Self::Problems,
        Self::Anonymity,
        Self::Adversary,
        Self::Lessons,
        Self::Lesson,
        Self::Answering,
        Self::Card,
        Self::Writing,
        Self::Filtering,
        Self::Searching,
        Self::Question,
        Self::Reading,
        Self::Journey,
        Self::Attacking,
        Self::Explanation,
    ];

    /// Its name in help and documents.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Network => "Network",
            Self::Nodes => "Nodes",
            Self::Traffic => "Traffic",
            Self::Messages => "Messages",
            Self::Presence => "Presence",
            Self::Logs => "Logs",
            Self::Problems => "Problems",
            Self::Anonymity => "Anonymity",
            Self::Adversary => "Adversary's view",
            Self::Lessons => "Lessons",
            Self::Lesson => "A lesson",
            Self::Answering => "Typing an answer",
            Self::Card => "Card of a node",
            Self::Writing => "Writing a message",
            Self::Filtering => "Typing a filter",
            Self::Searching => "Palette",
            Self::Question => "A question",
            Self::Reading => "Help",
            Self::Journey => "Journey of a message",
            Self::Attacking => "Attacks",
            Self::Explanation => "Explanation",
        }
    }

    /// Whether characters are text here.
    pub(crate) fn takes_text(self) -> bool {
        matches!(self, Self::Writing | Self::Filtering | Self::Searching | Self::Answering)
    }
}

/// Everything about an action but what it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    /// The action.
    pub(crate) action: Action,
    /// Its stable name.
    pub(crate) name: &'static str,
    /// Its word in the hint line; empty for what needs no hint.
    pub(crate) label: &'static str,
    /// What it does, in a line.
    pub(crate) description: &'static str,
    /// Its keys unless the user has others ([`crate::keymap::Keymap`]), the one to show first.
    pub(crate) keys: &'static [Key],
    /// Where they work.
    pub(crate) contexts: &'static [Context],
    /// Changes the devnet: not available with `--read-only`.
    pub(crate) changes: bool,
    /// Interrupts what a process does: asks before.
    pub(crate) destructive: bool,
}

/// The actions of a context, in order.
pub(crate) fn in_context(context: Context) -> impl Iterator<Item = &'static Spec> {
    ACTIONS.iter().filter(move |spec| spec.contexts.contains(&context))
}
