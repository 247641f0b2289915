//! What may happen to the dashboard, and what it may ask for.

use std::path::PathBuf;
use std::time::Duration;

use control::{
    AddRequest, AttackRequest, AttackStatus, ControlError, Envelope, History, InboxMessage,
    NodeAction, SendRequest, SetRequest, Snapshot,
};
use ratatui::layout::Size;
use tutor::{Hold, Kept, Learnt};

use crate::Outcome;
use crate::keys::Key;
use crate::playback::Pace;
use crate::regions::Target;
use crate::remembered::{Remembered, Store};

/// Something happened.
#[derive(Debug)]
pub(crate) enum Message {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// Something on the screen was clicked.
    Click(Target),
    /// The wheel was turned.
    Wheel {
        /// The pane that was under it.
        pane: Option<Target>,
        /// Towards the top.
        up: bool,
    },
    /// The terminal has another size.
    Resize(Size),
    /// A second has passed.
    Tick,
    /// The event stream is open.
    Connected,
    /// The event stream ended or could not be opened.
    Disconnected {
        /// Why.
        reason: String,
    },
    /// The devnet said something.
    Heard(Box<Envelope>),
    /// The supervisor answered to something done to a process.
    Acted {
        /// The process.
        node: String,
        /// What was done.
        action: NodeAction,
        /// Whether it was.
        result: Result<(), Problem>,
    },
    /// The supervisor answered to a change of the network.
    Changed {
        /// Whether it was made.
        result: Result<(), Problem>,
    },
    /// An attack is over, or was refused.
    Attacked {
        /// What was to be done, in a few words.
        title: String,
        /// What came of it.
        result: Result<Box<AttackStatus>, Problem>,
    },
    /// Nodes that should work for the observer do not, or not any more.
    Unconfided(Problem),
    /// A message was accepted, or not.
    Sent {
        /// What was typed.
        text: String,
        /// Whether it was.
        result: Result<(), Problem>,
        /// It was not refused, only not answered in time: it may still be sent.
        unsure: bool,
    },
    /// A client told what it has in its inbox, or could not.
    Inbox {
        /// The client.
        client: String,
        /// The newest of it, oldest first.
        result: Result<Vec<InboxMessage>, Problem>,
    },
    /// The user has left the pager, or it could not be started.
    Paged {
        /// Whether it was.
        result: Result<(), Problem>,
    },
    /// The directory's history came, in parts of different steps, or did not.
    History(Result<Vec<History>, Problem>),
    /// Something was handed to the terminal to copy, or could not be.
    Copied {
        /// What, for the user.
        what: String,
        /// Whether it was.
        result: Result<(), Problem>,
    },
    /// What is to be remembered was written down, or could not be.
    Remembered(Result<(), Problem>),
    /// It is known how everything is, and what is remembered of lessons.
    Surveyed {
        /// How everything is.
        result: Result<Box<Snapshot>, Problem>,
        /// What is remembered, where anything is.
        kept: Option<Kept>,
        /// Keeps the devnet for the lesson; none if another lesson has it.
        hold: Option<Hold>,
    },
    /// What a lesson asked for was carried out, or not.
    Performed {
        /// The number of the request.
        number: u64,
        /// Whether it was.
        result: Result<(), Problem>,
    },
    /// What is remembered of lessons was read.
    Recalled(Kept),
    /// It was written.
    Learnt(Kept),
    /// A signal asks the process to end.
    Signal(i32),
}

/// Why something was not done, for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem(pub(crate) String);

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Refused(failure) => match failure.hint {
                Some(hint) => Self(format!("{}; {hint}", failure.message)),
                None => Self(failure.message),
            },
            ControlError::Unreachable { reason, .. } => {
                // The last cause of the chain says most, and there is one line to say it in.
                let cause = reason.rsplit(": ").next().unwrap_or(&reason);
                Self(format!("the supervisor does not answer: {cause}"))
            }
        }
    }
}

/// Changes of a running network, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    /// Other parameters.
    pub(crate) set: SetRequest,
    /// Nodes to add.
    pub(crate) add: Vec<AddRequest>,
    /// Nodes to remove, by name.
    pub(crate) remove: Vec<String>,
}

impl Wanted {
    /// Whether there is nothing to change.
    pub(crate) fn is_empty(&self) -> bool {
        self.set == SetRequest::default() && self.add.is_empty() && self.remove.is_empty()
    }

    /// What somebody would type behind `nym-devnet` instead, in order.
    pub(crate) fn commands(&self) -> impl Iterator<Item = String> {
        let SetRequest { hop_delay_ms, slot_ms, loop_cover_ms, slot_cover, crowd } = self.set;
        let times = [("hop", hop_delay_ms), ("slot", slot_ms), ("cover", loop_cover_ms)];
        let times = times.into_iter().filter_map(|(name, ms)| Some(format!(" {name}={}ms", ms?)));
        let on = |on| if on { "on" } else { "off" };
        let covers = slot_cover.map(|covers| format!(" slot-cover={}", on(covers)));
        let crowd = crowd.map(|size| format!(" crowd={size}"));
        let parts: String = times.chain(covers).chain(crowd).collect();
        let set = (!parts.is_empty()).then(|| format!("set{parts}"));
        let add = self.add.iter().map(|add| match add {
            AddRequest::Mixnode { layer } => format!("add mix --layer {layer}"),
            AddRequest::Provider => "add provider".to_owned(),
            AddRequest::Client { name: Some(name) } => format!("add client {name}"),
            AddRequest::Client { name: None } => "add client".to_owned(),
        });
        let names = self.remove.join(" ");
        let remove = (!names.is_empty()).then(|| format!("remove {names}"));
        set.into_iter().chain(add).chain(remove)
    }
}

/// Something to be done outside of the model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Open the event stream.
    Connect {
        /// After this long.
        after: Duration,
    },
    /// Do something to a process.
    Act {
        /// The process.
        node: String,
        /// What.
        action: NodeAction,
    },
    /// Change the network.
    Change(Box<Wanted>),
    /// Run an attack.
    Attack(Box<AttackRequest>),
    /// Let these nodes, and no others, tell what only they know.
    Confide(Vec<String>),
    /// Send a message.
    Send {
        /// The request.
        request: SendRequest,
        /// What was typed, to be given back if it is refused.
        text: String,
    },
    /// Ask a client what it has in its inbox.
    ReadInbox {
        /// The client.
        client: String,
    },
    /// Show a file in the pager.
    Page {
        /// The file.
        file: PathBuf,
    },
    /// Ask for the directory's history.
    History,
    /// Hand text to the terminal's clipboard.
    Copy {
        /// The text.
        text: String,
        /// What it is, for the user.
        what: String,
    },
    /// Remember this for the next time.
    Remember(Store, Remembered),
    /// Keep the devnet of this name for a lesson; ask how everything is, and what is remembered of lessons there.
    Survey(Option<(tutor::Store, String)>),
    /// Carry out what a lesson asks for.
    Perform {
        /// The number of the request.
        number: u64,
        /// What.
        actions: Vec<lessons::Action>,
    },
    /// Read what is remembered of lessons.
    Recall(tutor::Store),
    /// Remember this of lessons.
    Learn(tutor::Store, Vec<Learnt>),
    /// Say this once the terminal is given back.
    Tell(String),
    /// Play the recording like this from now on.
    Pace(Pace),
    /// Draw everything anew.
    Redraw,
    /// Give the terminal back to the shell.
    Suspend,
    /// End.
    Quit(Outcome),
}
