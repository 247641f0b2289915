//! What something means in a mixnet: two or three sentences, and what to read next.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Overlay;
use crate::action::Action;
use crate::explain::{Figures, Topic};
use crate::message::Effect;
use crate::model::Model;
use crate::motion::Motion;
use crate::scene::{Highlight, Scene, centered};
use crate::text;

/// Width of an explanation, where the terminal has it: lines of this length are read with ease.
const WIDTH: u16 = 76;

/// Columns of the frame, with the space inside.
const FRAME: u16 = 4;

/// Most topics that are gone back through.
const MAX_TRAIL: usize = 100;

/// An explanation.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// What it is about.
    topic: Topic,
    /// What was read before, the latest last.
    trail: Vec<Topic>,
    /// Which of the related topics is highlighted.
    row: usize,
}

impl Explanation {
    /// About something.
    pub(super) fn new(topic: Topic) -> Self {
        Self { topic, trail: Vec::new(), row: 0 }
    }

    fn related(&self) -> &'static [Topic] {
        self.topic.entry().see
    }

    fn open(&mut self) {
        let Some(&next) = self.related().get(self.row) else { return };
        if self.trail.len() == MAX_TRAIL {
            self.trail.remove(0);
        }
        self.trail.push(self.topic);
        (self.topic, self.row) = (next, 0);
    }

    /// Draws it over an area.
    pub(super) fn draw(&self, model: &Model, area: Rect, scene: &mut Scene<'_>) {
        let entry = self.topic.entry();
        let figures = model.devnet().map_or_else(Figures::in_words, Figures::of);
        let columns = WIDTH.min(area.width).saturating_sub(FRAME);
        let text = text::visible(&figures.fill(entry.text), scene.symbols);
        let text = text::wrap(&text, columns.into());
        let below = if entry.see.is_empty() { 0 } else { entry.see.len() + 2 };
        let height = u16::try_from(text.len() + below + 2).unwrap_or(u16::MAX);
        let place = centered(area, WIDTH, height);
        let title = format!("{} {} {}", entry.title, scene.symbols.dot, self.topic.kind());
        let inner = scene.window(place, title);
        let used = u16::try_from(text.len()).unwrap_or(u16::MAX);
        for (row, line) in (0..inner.height).zip(text) {
            scene.put(inner, row, Line::from(line));
        }
        let rest = inner.height.saturating_sub(used.saturating_add(1));
        let below = Rect { y: inner.bottom().saturating_sub(rest), height: rest, ..inner };
        if entry.see.is_empty() || below.height < 2 {
            return;
        }
        scene.put(below, 0, Line::styled("see also", scene.theme.muted));
        let rows = Rect { y: below.y + 1, height: below.height - 1, ..below };
        scene.list(
            rows,
            entry.see.len(),
            Some(self.row),
            Highlight::Strong,
            |scene, row, place| {
                let topic = entry.see[row];
                let line = Line::from(vec![
                    Span::raw(format!("{} ", topic.entry().title)),
                    Span::styled(topic.kind(), scene.theme.muted),
                ]);
                scene.put(place, 0, line);
                None
            },
        );
    }
}

/// An action while this lies over the screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Overlay::Explanation(explanation)) = model.overlays.last_mut() else {
        return Vec::new();
    };
    let rows = explanation.related().len().max(1);
    match action {
        Action::Close => {
            model.overlays.pop();
        }
        Action::Back => match explanation.trail.pop() {
            Some(before) => (explanation.topic, explanation.row) = (before, 0),
            None => {
                model.overlays.pop();
            }
        },
        Action::Choose => explanation.open(),
        Action::NextPane => explanation.row = (explanation.row + 1) % rows,
        Action::PreviousPane => explanation.row = (explanation.row + rows - 1) % rows,
        action => {
            if let Some(motion) = Motion::of(action, rows) {
                explanation.row = motion.from(explanation.row, rows);
            }
        }
    }
    Vec::new()
}
