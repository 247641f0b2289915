//! A question before something that cannot be undone. The harmless answer comes first.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::Overlay;
use crate::action::Action;
use crate::message::Effect;
use crate::model::Model;
use crate::regions::Target;
use crate::scene::{Scene, centered};
use crate::text;

/// Width of a question, where the terminal has it.
const WIDTH: u16 = 60;

/// Something to agree to.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// One word.
    pub(crate) title: String,
    /// What is asked, naming the target.
    pub(crate) asks: String,
    /// What it means.
    pub(crate) detail: String,
    /// The answer that does it.
    pub(crate) yes: String,
    /// The answer that does not.
    pub(crate) no: String,
    /// Whether the answer that does it is highlighted.
    pub(crate) agreed: bool,
    /// The command that would do it too.
    pub(crate) command: Option<String>,
    /// What to do.
    pub(crate) effect: Effect,
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Overlay::Question(question)) = model.overlays.last_mut() else { return Vec::new() };
    let agreed = match action {
        Action::Yes => true,
        Action::No => false,
        Action::Choose => question.agreed,
        Action::NextPane => {
            question.agreed = !question.agreed;
            return Vec::new();
        }
        _ => return Vec::new(),
    };
    let (command, effect) = (question.command.take(), question.effect.clone());
    model.overlays.pop();
    if !agreed {
        return Vec::new();
    }
    if let Some(command) = command {
        model.did(command);
    }
    vec![effect]
}

impl Question {
    pub(super) fn draw(&self, area: Rect, scene: &mut Scene<'_>) {
        let width = WIDTH.min(area.width);
        let lines = self.detail.len() / usize::from(width.saturating_sub(6).max(1)) + 1;
        let height = u16::try_from(lines + 6).unwrap_or(u16::MAX);
        let place = centered(area, width, height);
        let inner = scene.window(place, self.title.as_str());
        scene.put(inner, 0, Line::styled(self.asks.as_str(), scene.theme.warn));
        let detail =
            Rect { y: inner.y.saturating_add(1), height: inner.height.saturating_sub(3), ..inner };
        if detail.height > 0 {
            Paragraph::new(self.detail.as_str())
                .wrap(Wrap { trim: true })
                .render(detail.intersection(scene.buffer.area), scene.buffer);
        }
        self.draw_answers(inner, scene);
    }

    fn draw_answers(&self, inner: Rect, scene: &mut Scene<'_>) {
        let row = inner.height.saturating_sub(1);
        let answer = |word: &str, action: Action, chosen: bool| {
            let style = if chosen { scene.theme.selection } else { Style::new() };
            let text = format!(" {word} ({}) ", scene.key(action));
            let width = u16::try_from(text::width(&text)).unwrap_or(u16::MAX);
            (Span::styled(text, style), width)
        };
        let (no, no_width) = answer(&self.no, Action::No, !self.agreed);
        let (yes, yes_width) = answer(&self.yes, Action::Yes, self.agreed);
        scene.put(inner, row, Line::from(vec![no, Span::raw("  "), yes]));
        let place = Rect { y: inner.y + row, height: 1, ..inner };
        scene.regions.add(Rect { width: no_width, ..place }, Target::Action(Action::No));
        scene.regions.add(
            Rect { x: place.x + no_width + 2, width: yes_width, ..place },
            Target::Action(Action::Yes),
        );
    }
}
