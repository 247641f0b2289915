//! The one list of actions. Keys, hints, help, palette and `docs/keybindings.md` are read from it.

use crossterm::event::KeyCode;

use crate::keys::Key;

/// Something that the user can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Show the Network screen.
    ShowNetwork,
    /// Show the Nodes screen.
    ShowNodes,
    /// Show the Messages screen.
    ShowMessages,
    /// Show the Presence screen.
    ShowPresence,
    /// Show the Logs screen.
    ShowLogs,
    /// Open what is selected.
    Open,
    /// Take up the input line of Messages.
    Write,
    /// Start a process.
    Start,
    /// Stop a process.
    Stop,
    /// End a process with SIGKILL.
    Kill,
    /// Restart a process.
    Restart,
    /// Show the log of the selected process.
    NodeLogs,
    /// Narrow a list by a text.
    Filter,
    /// Hold on to the newest line, or let go.
    Follow,
    /// Copy what is selected.
    Copy,
    /// Sort by the next column.
    Sort,
    /// Sort the other way round.
    ReverseSort,
    /// Stop the view, not the devnet.
    Freeze,
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
    /// The list of every action.
    Palette,
    /// What the keys of this screen do.
    Help,
    /// Leave the dashboard.
    Quit,
    /// Send what was typed.
    Send,
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
    /// Draw everything anew.
    Redraw,
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Leave at once.
    Interrupt,
}

/// Where keys go: a screen, or what lies over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    /// The Network screen.
    Network,
    /// The Nodes screen.
    Nodes,
    /// The Messages screen.
    Messages,
    /// The Presence screen.
    Presence,
    /// The Logs screen.
    Logs,
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
}

impl Context {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::Network,
        Self::Nodes,
        Self::Messages,
        Self::Presence,
        Self::Logs,
        Self::Card,
        Self::Writing,
        Self::Filtering,
        Self::Searching,
        Self::Question,
        Self::Reading,
    ];

    /// Its name in help and documents.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Network => "Network",
            Self::Nodes => "Nodes",
            Self::Messages => "Messages",
            Self::Presence => "Presence",
            Self::Logs => "Logs",
            Self::Card => "Card of a node",
            Self::Writing => "Writing a message",
            Self::Filtering => "Typing a filter",
            Self::Searching => "Palette",
            Self::Question => "A question",
            Self::Reading => "Help",
        }
    }

    /// Whether characters are text here.
    pub(crate) fn takes_text(self) -> bool {
        matches!(self, Self::Writing | Self::Filtering | Self::Searching)
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
    /// Its keys, the one to show first.
    pub(crate) keys: &'static [Key],
    /// Where they work.
    pub(crate) contexts: &'static [Context],
    /// Changes the devnet: not available with `--read-only`.
    pub(crate) changes: bool,
    /// Interrupts what a process does: asks before.
    pub(crate) destructive: bool,
}

const SCREENS: &[Context] =
    &[Context::Network, Context::Nodes, Context::Messages, Context::Presence, Context::Logs];
const SCREENS_AND_CARD: &[Context] = &[
    Context::Network,
    Context::Nodes,
    Context::Messages,
    Context::Presence,
    Context::Logs,
    Context::Card,
];
const WITH_NODE: &[Context] = &[Context::Network, Context::Nodes, Context::Presence, Context::Card];
const SCROLLED: &[Context] = &[
    Context::Network,
    Context::Nodes,
    Context::Messages,
    Context::Presence,
    Context::Logs,
    Context::Card,
    Context::Reading,
];
const TEXT: &[Context] = &[Context::Writing, Context::Filtering, Context::Searching];

const fn show(action: Action, name: &'static str, key: &'static [Key], what: &'static str) -> Spec {
    spec(action, name, "", what, key, SCREENS_AND_CARD)
}

const fn spec(
    action: Action,
    name: &'static str,
    label: &'static str,
    description: &'static str,
    keys: &'static [Key],
    contexts: &'static [Context],
) -> Spec {
    Spec { action, name, label, description, keys, contexts, changes: false, destructive: false }
}

const fn changing(spec: Spec) -> Spec {
    Spec { changes: true, ..spec }
}

const fn destructive(spec: Spec) -> Spec {
    Spec { changes: true, destructive: true, ..spec }
}

/// Every action, in the order in which hints name them: the first fit into a narrow terminal.
pub(crate) static ACTIONS: &[Spec] = &[
    spec(
        Action::Open,
        "open",
        "open",
        "open the selected node's card, or what is selected",
        &[Key::code(KeyCode::Enter)],
        SCREENS,
    ),
    spec(Action::Yes, "yes", "yes", "do what is asked", &[Key::of('y')], &[Context::Question]),
    spec(
        Action::No,
        "no",
        "no",
        "leave it",
        &[Key::of('n'), Key::code(KeyCode::Esc), Key::of('q')],
        &[Context::Question],
    ),
    changing(spec(
        Action::Send,
        "send",
        "send",
        "send the message",
        &[Key::code(KeyCode::Enter)],
        &[Context::Writing],
    )),
    spec(
        Action::Accept,
        "accept-filter",
        "keep",
        "keep the filter and go back to the list",
        &[Key::code(KeyCode::Enter)],
        &[Context::Filtering],
    ),
    spec(
        Action::Choose,
        "choose",
        "choose",
        "do what is highlighted",
        &[Key::code(KeyCode::Enter)],
        &[Context::Searching, Context::Question],
    ),
    changing(spec(
        Action::Write,
        "write-message",
        "message",
        "write a message",
        &[Key::of('m')],
        SCREENS,
    )),
    changing(spec(
        Action::Start,
        "start-node",
        "start",
        "start the selected process",
        &[Key::of('s')],
        WITH_NODE,
    )),
    destructive(spec(
        Action::Stop,
        "stop-node",
        "stop",
        "stop the selected process: it leaves the directory, drains and ends",
        &[Key::of('x')],
        WITH_NODE,
    )),
    destructive(spec(
        Action::Kill,
        "kill-node",
        "kill",
        "end the selected process with SIGKILL, as a crash would",
        &[Key::of('X')],
        WITH_NODE,
    )),
    destructive(spec(
        Action::Restart,
        "restart-node",
        "restart",
        "stop the selected process, then start it",
        &[Key::of('r')],
        WITH_NODE,
    )),
    spec(
        Action::NodeLogs,
        "node-logs",
        "logs",
        "show the log of the selected process",
        &[Key::of('L')],
        WITH_NODE,
    ),
    spec(
        Action::Filter,
        "filter",
        "filter",
        "narrow the list by a text",
        &[Key::of('/')],
        &[Context::Nodes, Context::Logs],
    ),
    spec(
        Action::Follow,
        "follow",
        "follow",
        "hold on to the newest line, or let go of it",
        &[Key::of('f')],
        &[Context::Logs, Context::Presence],
    ),
    spec(
        Action::Sort,
        "sort",
        "sort",
        "sort by the next column",
        &[Key::of('o')],
        &[Context::Nodes],
    ),
    spec(
        Action::ReverseSort,
        "reverse-sort",
        "",
        "sort the other way round",
        &[Key::of('O')],
        &[Context::Nodes],
    ),
    spec(
        Action::Copy,
        "copy",
        "copy",
        "copy what is selected, through the terminal (OSC 52)",
        &[Key::of('y')],
        SCREENS_AND_CARD,
    ),
    spec(
        Action::NextPane,
        "next-pane",
        "pane",
        "to the next pane",
        &[Key::code(KeyCode::Tab)],
        &[Context::Messages, Context::Presence, Context::Logs, Context::Writing],
    ),
    spec(
        Action::PreviousPane,
        "previous-pane",
        "",
        "to the previous pane",
        &[Key::code(KeyCode::BackTab)],
        &[Context::Messages, Context::Presence, Context::Logs, Context::Writing],
    ),
    spec(
        Action::Freeze,
        "freeze",
        "freeze",
        "freeze the view, or let it go on; the devnet runs on",
        &[Key::of(' ')],
        SCREENS_AND_CARD,
    ),
    show(Action::ShowNetwork, "show-network", &[Key::of('1')], "the map: who sends to whom"),
    show(Action::ShowNodes, "show-nodes", &[Key::of('2')], "every process in a table"),
    show(Action::ShowMessages, "show-messages", &[Key::of('4')], "send and follow messages"),
    show(Action::ShowPresence, "show-presence", &[Key::of('5')], "heartbeats as they arrive"),
    show(Action::ShowLogs, "show-logs", &[Key::of('6')], "the logs of all processes"),
    spec(Action::Up, "up", "", "one up", &[Key::code(KeyCode::Up), Key::of('k')], SCROLLED),
    spec(Action::Down, "down", "", "one down", &[Key::code(KeyCode::Down), Key::of('j')], SCROLLED),
    spec(
        Action::Left,
        "left",
        "",
        "one to the left",
        &[Key::code(KeyCode::Left), Key::of('h')],
        SCREENS,
    ),
    spec(
        Action::Right,
        "right",
        "",
        "one to the right",
        &[Key::code(KeyCode::Right), Key::of('l')],
        SCREENS,
    ),
    spec(
        Action::First,
        "first",
        "",
        "to the first",
        &[Key::of('g'), Key::code(KeyCode::Home)],
        SCROLLED,
    ),
    spec(
        Action::Last,
        "last",
        "",
        "to the last",
        &[Key::of('G'), Key::code(KeyCode::End)],
        SCROLLED,
    ),
    spec(
        Action::PageUp,
        "page-up",
        "",
        "a page up",
        &[Key::code(KeyCode::PageUp), Key::ctrl('u')],
        SCROLLED,
    ),
    spec(
        Action::PageDown,
        "page-down",
        "",
        "a page down",
        &[Key::code(KeyCode::PageDown), Key::ctrl('d')],
        SCROLLED,
    ),
    spec(
        Action::Up,
        "choice-up",
        "",
        "the choice above",
        &[Key::code(KeyCode::Up), Key::ctrl('p')],
        &[Context::Searching],
    ),
    spec(
        Action::Down,
        "choice-down",
        "",
        "the choice below",
        &[Key::code(KeyCode::Down), Key::ctrl('n')],
        &[Context::Searching],
    ),
    spec(
        Action::NextPane,
        "other-answer",
        "",
        "highlight the other answer",
        &[
            Key::code(KeyCode::Tab),
            Key::code(KeyCode::Left),
            Key::code(KeyCode::Right),
            Key::of('h'),
            Key::of('l'),
        ],
        &[Context::Question],
    ),
    spec(
        Action::LeaveInput,
        "leave-input",
        "leave",
        "leave the input line",
        &[Key::code(KeyCode::Esc)],
        TEXT,
    ),
    spec(
        Action::Close,
        "close",
        "close",
        "close what lies over the screen",
        &[Key::code(KeyCode::Esc), Key::of('q')],
        &[Context::Card, Context::Reading],
    ),
    spec(
        Action::Back,
        "back",
        "",
        "back: drop the filter, end the freeze",
        &[Key::code(KeyCode::Esc)],
        SCREENS,
    ),
    spec(
        Action::CursorLeft,
        "cursor-left",
        "",
        "a character to the left",
        &[Key::code(KeyCode::Left), Key::ctrl('b')],
        TEXT,
    ),
    spec(
        Action::CursorRight,
        "cursor-right",
        "",
        "a character to the right",
        &[Key::code(KeyCode::Right), Key::ctrl('f')],
        TEXT,
    ),
    spec(
        Action::CursorStart,
        "cursor-start",
        "",
        "to the start of the line",
        &[Key::code(KeyCode::Home), Key::ctrl('a')],
        TEXT,
    ),
    spec(
        Action::CursorEnd,
        "cursor-end",
        "",
        "to the end of the line",
        &[Key::code(KeyCode::End), Key::ctrl('e')],
        TEXT,
    ),
    spec(
        Action::DeleteBack,
        "delete-back",
        "",
        "delete the character before the cursor",
        &[Key::code(KeyCode::Backspace), Key::ctrl('h')],
        TEXT,
    ),
    spec(
        Action::DeleteForward,
        "delete-forward",
        "",
        "delete the character under the cursor",
        &[Key::code(KeyCode::Delete), Key::ctrl('d')],
        TEXT,
    ),
    spec(
        Action::DeleteWord,
        "delete-word",
        "",
        "delete the word before the cursor",
        &[Key::ctrl('w')],
        TEXT,
    ),
    spec(
        Action::DeleteToStart,
        "delete-to-start",
        "",
        "delete everything before the cursor",
        &[Key::ctrl('u')],
        TEXT,
    ),
    spec(
        Action::Palette,
        "palette",
        "palette",
        "find any action by its name",
        &[Key::of(':')],
        SCREENS_AND_CARD,
    ),
    spec(Action::Help, "help", "help", "what the keys do here", &[Key::of('?')], SCREENS_AND_CARD),
    spec(Action::Close, "close-help", "", "close the help", &[Key::of('?')], &[Context::Reading]),
    spec(Action::Quit, "quit", "quit", "leave the dashboard", &[Key::of('q')], SCREENS),
    spec(Action::Redraw, "redraw", "", "draw everything anew", &[Key::ctrl('l')], &Context::ALL),
    spec(
        Action::Suspend,
        "suspend",
        "",
        "give the terminal back to the shell; `fg` returns",
        &[Key::ctrl('z')],
        &Context::ALL,
    ),
    spec(
        Action::Interrupt,
        "interrupt",
        "",
        "leave at once, without a question",
        &[Key::ctrl('c')],
        &Context::ALL,
    ),
];

/// What a key does in a context.
pub(crate) fn bound(context: Context, key: Key) -> Option<&'static Spec> {
    in_context(context).find(|spec| spec.keys.contains(&key))
}

/// The actions of a context, in order.
pub(crate) fn in_context(context: Context) -> impl Iterator<Item = &'static Spec> {
    ACTIONS.iter().filter(move |spec| spec.contexts.contains(&context))
}
