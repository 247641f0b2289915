//! Every action by its name, found by typing some of its letters.

use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::Overlay;
use crate::action::{ACTIONS, Action, Context, Spec};
use crate::input_line::{self, Edit};
use crate::message::Effect;
use crate::model::Model;
use crate::motion::Motion;
use crate::scene::{Highlight, Scene, centered};
use crate::screens::{self, Screen};
use crate::text;
use crate::update;

/// Size of the palette, where the terminal has it.
const SIZE: (u16, u16) = (72, 22);

/// Longest text that can be looked for: no action's description is longer.
const MAX_CHARS: usize = 100;

/// The palette.
#[derive(Debug)]
pub(crate) struct Palette {
    context: Context,
    input: Input,
    row: usize,
}

impl Palette {
    pub(super) fn new(context: Context) -> Self {
        Self { context, input: Input::default(), row: 0 }
    }

    /// Edits what is looked for; says whether something had no room.
    pub(crate) fn edit(&mut self, edit: Edit<'_>) -> bool {
        self.row = 0;
        input_line::apply(&mut self.input, edit, MAX_CHARS)
    }

    /// The actions that match: those of the place where the palette was opened first, then those
    /// of other screens.
    pub(crate) fn matches(&self) -> Vec<&'static Spec> {
        let here = |spec: &&Spec| spec.contexts.contains(&self.context);
        let elsewhere = |spec: &&Spec| !here(spec) && screen_of(spec).is_some();
        let all = ACTIONS.iter().filter(here).chain(ACTIONS.iter().filter(elsewhere));
        let needle = self.input.value();
        let mut found: Vec<(u8, &'static Spec)> = all
            .filter(|spec| !matches!(spec.action, Action::Palette | Action::Close))
            .filter_map(|spec| Some((rank(needle, spec)?, spec)))
            .collect();
        found.sort_by_key(|&(rank, _)| rank);
        found.into_iter().map(|(_, spec)| spec).collect()
    }

    pub(super) fn draw(&self, area: Rect, scene: &mut Scene<'_>) {
        let place = centered(area, SIZE.0, SIZE.1);
        let inner = scene.window(place, "Palette");
        let prompt = format!("{} ", scene.symbols.prompt);
        scene.put(
            inner,
            0,
            Line::from(vec![
                Span::styled(prompt, scene.theme.accent),
                Span::raw(text::visible(self.input.value(), scene.symbols)),
            ]),
        );
        let cursor = u16::try_from(self.input.visual_cursor() + 2).unwrap_or(u16::MAX);
        if cursor < inner.width && inner.height > 0 {
            scene.cursor = Some(Position::new(inner.x + cursor, inner.y));
        }
        let rows =
            Rect { y: inner.y.saturating_add(1), height: inner.height.saturating_sub(1), ..inner };
        let found = self.matches();
        if found.is_empty() {
            scene.nothing_yet(rows, "no action has these letters in its name");
        }
        scene.list(rows, found.len(), Some(self.row), Highlight::Strong, |scene, row, place| {
            let spec = found[row];
            let keys: Vec<String> =
                scene.keys(spec).iter().map(|key| key.label(scene.symbols)).take(2).collect();
            let line = Line::from(vec![
                Span::styled(format!("{:<10}", keys.join(" ")), scene.theme.accent),
                Span::raw(format!("{:<16}", spec.name)),
                Span::styled(
                    text::fit(
                        spec.description,
                        usize::from(place.width.saturating_sub(26)),
                        scene.symbols,
                    ),
                    scene.theme.muted,
                ),
            ]);
            scene.put(place, 0, line);
            None
        });
    }
}

/// How well an action matches: 0 best; none if it does not.
fn rank(needle: &str, spec: &Spec) -> Option<u8> {
    let needle = needle.trim().to_lowercase().replace(' ', "-");
    if needle.is_empty() || spec.name.starts_with(&needle) {
        Some(0)
    } else if spec.name.contains(&needle) {
        Some(1)
    } else if is_subsequence(&needle, spec.name) {
        Some(2)
    } else if spec.description.to_lowercase().contains(&needle.replace('-', " ")) {
        Some(3)
    } else {
        None
    }
}

fn is_subsequence(needle: &str, name: &str) -> bool {
    let mut rest = name.chars();
    needle.chars().all(|c| rest.any(|other| other == c))
}

/// The screen on which an action works.
fn screen_of(spec: &Spec) -> Option<Screen> {
    Screen::ALL.into_iter().find(|screen| spec.contexts.contains(&screen.context()))
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Overlay::Palette(palette)) = model.overlays.last_mut() else { return Vec::new() };
    match action {
        Action::LeaveInput => {
            model.overlays.pop();
        }
        Action::Choose => {
            let chosen = palette.matches().get(palette.row).copied();
            let context = palette.context;
            model.overlays.pop();
            let Some(spec) = chosen else { return Vec::new() };
            if !spec.contexts.contains(&context)
                && let Some(screen) = screen_of(spec)
            {
                update::show(model, screen);
            }
            return update::perform(model, spec.action);
        }
        action => {
            if let Some(request) = screens::edit(action) {
                palette.edit(Edit::Key(request));
            } else if let Some(motion) = Motion::of(action, 1) {
                palette.row = motion.from(palette.row, palette.matches().len());
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_find_an_action_and_names_come_before_descriptions() {
        let mut palette = Palette::new(Context::Network);
        palette.edit(Edit::Insert("rest"));
        assert_eq!(palette.matches().first().map(|spec| spec.action), Some(Action::Restart));
        let mut palette = Palette::new(Context::Network);
        palette.edit(Edit::Insert("klnd"));
        assert_eq!(palette.matches().first().map(|spec| spec.action), Some(Action::Kill));
    }

    #[test]
    fn every_action_of_every_screen_is_in_the_palette() {
        let found = Palette::new(Context::Network).matches();
        for spec in ACTIONS.iter().filter(|spec| screen_of(spec).is_some()) {
            let listed = found.iter().any(|found| found.name == spec.name);
            assert!(listed || spec.action == Action::Palette, "{} is missing", spec.name);
        }
    }
}
