//! The tour: the first minutes with a network, in steps over the real screens. A step ends when
//! something was observed on the network, not when a key was pressed.

mod draw;
mod observed;
mod steps;

pub(crate) use draw::{draw, split};

use crate::action::Action;
use crate::model::{Model, Tone};
use crate::state::Moment;
use steps::Step;

/// The tour, as far as this dashboard has come with it.
#[derive(Debug, Default)]
pub(crate) struct Tour {
    /// It is offered in the hint line.
    offers: bool,
    /// It was offered or begun, now or another time.
    known: bool,
    /// It is on the screen.
    shown: bool,
    /// Where it stands; none before its beginning, and after its end.
    stage: Option<Stage>,
}

/// Where the tour stands.
#[derive(Clone, Debug)]
struct Stage {
    step: Step,
    /// When this step began, by the devnet's clocks.
    since: Moment,
    /// The message that is followed, by its id.
    message: Option<String>,
    /// Its journey was opened in this step.
    followed: bool,
    /// The mixnode that was stopped.
    node: Option<String>,
    /// What was observed that ends this step, in a sentence without a full stop.
    done: Option<String>,
    /// Somebody wanted to go on too early: next time he may.
    pressed: bool,
}

/// What a step waits for.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// For nothing: what could be done here is only told.
    Told(String),
    /// For this.
    Waiting(String),
    /// It has happened.
    Done(String),
}

impl Tour {
    /// At the start of a dashboard.
    pub(crate) fn new(known: bool) -> Self {
        Self { known, ..Self::default() }
    }

    /// Whether it was offered or begun, now or another time.
    pub(crate) fn is_known(&self) -> bool {
        self.known
    }

    /// Whether it is on the screen.
    pub(crate) fn is_shown(&self) -> bool {
        self.shown
    }

    /// Whether Esc is about it: it is on the screen, or offered.
    pub(crate) fn can_be_left(&self) -> bool {
        self.shown || self.offers
    }
}

/// Offers the tour to somebody who has not seen it. Only where that can be remembered, so that it is
/// offered once, and on a devnet that can still be changed.
pub(crate) fn offer(model: &mut Model) {
    let is_new = !model.tour.known && model.settings.store.is_some() && model.playback.is_none();
    if is_new {
        (model.tour.offers, model.tour.known) = (true, true);
    }
}

/// The offer, if there is one.
pub(crate) fn offered(model: &Model) -> Option<String> {
    let key = model.key(Action::Tour);
    (model.tour.offers && !key.is_empty()).then(|| format!("new here? {key} shows you round"))
}

/// Begins the tour, takes it up again, or goes on to its next step.
pub(crate) fn go_on(model: &mut Model) {
    (model.tour.offers, model.tour.known) = (false, true);
    let was_shown = std::mem::replace(&mut model.tour.shown, true);
    let since = model.moment();
    let Some(mut stage) = model.tour.stage.take() else {
        model.tour.stage = Some(Stage::begin(Step::Look, since));
        return look(model);
    };
    if was_shown {
        if stage.done.is_none()
            && !stage.pressed
            && let Verdict::Waiting(_) = stage.judge(model)
        {
            let key = model.key(Action::Tour);
            model.say(Tone::Warning, format!("not yet; {key} again leaves this step out"));
            stage.pressed = true;
        } else if let Some(step) = stage.step.next() {
            let Stage { message, node, .. } = stage;
            stage = Stage { message, node, ..Stage::begin(step, since) };
        } else {
            model.tour.shown = false;
            return;
        }
    }
    model.tour.stage = Some(stage);
    look(model);
}

/// Leaves the tour, or declines it. It can be taken up where it was left.
pub(crate) fn leave(model: &mut Model) {
    model.tour.offers = false;
    if std::mem::take(&mut model.tour.shown) {
        let key = model.key(Action::Tour);
        model.say(Tone::Good, format!("left the tour; {key} takes it up again"));
    }
}

/// Whether the step that is shown has come to its end.
pub(crate) fn look(model: &mut Model) {
    if !model.tour.shown {
        return;
    }
    let Some(mut stage) = model.tour.stage.take() else { return };
    if stage.done.is_none()
        && let Verdict::Done(what) = stage.judge(model)
    {
        stage.done = Some(what);
    }
    model.tour.stage = Some(stage);
}

impl Stage {
    fn begin(step: Step, since: Moment) -> Self {
        Self { step, since, message: None, followed: false, node: None, done: None, pressed: false }
    }
}
