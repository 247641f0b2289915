//! Everything that can be done, found by typing some of its letters: actions, processes, themes, and
//! what can be explained.

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::Overlay;
use crate::action::{ACTIONS, Action, Context, Spec};
use crate::explain::Topic;
use crate::fuzzy::{Fit, Search};
use crate::input_line::{self, Edit};
use crate::message::Effect;
use crate::model::Model;
use crate::motion::Motion;
use crate::regions::Target;
use crate::scene::{Highlight, Scene, centered};
use crate::screens::{self, Screen};
use crate::text;
use crate::theme::ThemeName;
use crate::update;

/// Size of the palette, where the terminal has it.
const SIZE: (u16, u16) = (76, 24);

/// Longest text that can be looked for: no action's description is longer.
const MAX_CHARS: usize = 100;

/// Columns of the keys and of the names.
const KEYS_COLUMNS: usize = 10;
const NAME_COLUMNS: usize = 20;

/// The longest word for the kind of a topic, and one blank.
const WORD_COLUMNS: usize = 9;

/// The palette.
#[derive(Debug)]
pub(crate) struct Palette {
    context: Context,
    input: Input,
    row: usize,
}

/// Something to choose.
#[derive(Clone, Debug)]
pub(crate) enum Choice {
    /// Something to do.
    Do(&'static Spec),
    /// A process to go to.
    Node { name: String, what: String },
    /// Other colours.
    Theme(ThemeName),
    /// Something to read about.
    Topic(Topic),
}

impl Choice {
    /// What is looked for in.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Do(spec) => spec.name.to_owned(),
            Self::Node { name, .. } => format!("go to {name}"),
            Self::Theme(theme) => format!("theme {theme}"),
            Self::Topic(topic) => format!("explain {}", topic.entry().title),
        }
    }

    fn description(&self) -> &str {
        match self {
            Self::Do(spec) => spec.description,
            Self::Node { what, .. } => what,
            Self::Theme(theme) => theme.description(),
            Self::Topic(topic) => topic.kind(),
        }
    }
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

    /// Everything that matches, best first. Of equals, and while nothing is looked for, what was
    /// chosen lately comes first; then the actions of the place where the palette was opened, those
    /// of other screens, the processes and the themes.
    pub(crate) fn matches(&self, model: &Model) -> Vec<Choice> {
        let here = |spec: &&Spec| spec.contexts.contains(&self.context);
        let elsewhere = |spec: &&Spec| !here(spec) && screen_of(spec).is_some();
        let actions = ACTIONS.iter().filter(here).chain(ACTIONS.iter().filter(elsewhere));
        let actions = actions
            .filter(|spec| !matches!(spec.action, Action::Palette | Action::Close))
            .map(Choice::Do);
        let nodes = model.devnet().into_iter().flat_map(|devnet| {
            devnet.nodes.iter().map(|node| Choice::Node {
                name: node.name().to_owned(),
                what: match node.status.layer {
                    Some(layer) => format!("{}, layer {layer}", node.status.role),
                    None => node.status.role.to_string(),
                },
            })
        });
        let themes = ThemeName::ALL.into_iter().map(Choice::Theme);
        // Only for somebody who looks for something: there are more of them than of all the rest.
        let topics = Topic::all().into_iter().flat_map(|(_, topics)| topics).map(Choice::Topic);
        let topics = topics.filter(|_| !self.input.value().is_empty());
        let mut search = Search::new(self.input.value());
        let lately = |name: &str| {
            let at = model.chosen.iter().position(|chosen| chosen == name);
            at.unwrap_or(usize::MAX)
        };
        let mut found: Vec<(Fit, usize, Choice)> = actions
            .chain(nodes)
            .chain(themes)
            .chain(topics)
            .filter_map(|choice| {
                let name = choice.name();
                let fit = search.fit(&name, choice.description())?;
                Some((fit, lately(&name), choice))
            })
            .collect();
        // What there is to do comes before what there is to read.
        let reads = |choice: &Choice| matches!(choice, Choice::Topic(_));
        found.sort_by(|a, b| reads(&a.2).cmp(&reads(&b.2)).then(b.0.cmp(&a.0)).then(a.1.cmp(&b.1)));
        found.into_iter().map(|(_, _, choice)| choice).collect()
    }

    pub(super) fn draw(&self, model: &Model, area: Rect, scene: &mut Scene<'_>) {
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
        let found = self.matches(model);
        let mut search = Search::new(self.input.value());
        if found.is_empty() {
            scene.nothing_yet(rows, "no action, process or theme has these letters");
        } else {
            let count = text::plural(found.len(), "choice");
            scene.edge_note(place, true, Line::styled(count, scene.theme.muted));
        }
        scene.list(rows, found.len(), Some(self.row), Highlight::Strong, |scene, row, place| {
            let line = line(&found[row], &mut search, row == self.row, place.width, scene);
            scene.put(place, 0, line);
            Some(Target::Choice(row))
        });
        // The highlighted row has one style, and shows what was looked for all the same.
        self.underline_found(&found, &mut search, rows, scene);
    }

    fn underline_found(
        &self,
        found: &[Choice],
        search: &mut Search,
        rows: Rect,
        scene: &mut Scene<'_>,
    ) {
        let Some(choice) = found.get(self.row).filter(|_| !search.is_empty()) else { return };
        let height = usize::from(rows.height);
        let first = crate::motion::first_visible(self.row, found.len(), height);
        let Ok(row) = u16::try_from(self.row - first) else { return };
        for letter in search.letters(&choice.name()) {
            let Ok(column) = u16::try_from(KEYS_COLUMNS + letter) else { continue };
            let place = Rect { x: rows.x + column, y: rows.y + row, width: 1, height: 1 };
            if letter < NAME_COLUMNS && rows.contains((place.x, place.y).into()) {
                let style = Style::new().add_modifier(ratatui::style::Modifier::UNDERLINED);
                scene.buffer.set_style(place, style);
            }
        }
    }
}

/// A row: its key, its name with the letters that were looked for, and what it does.
fn line(
    choice: &Choice,
    search: &mut Search,
    selected: bool,
    width: u16,
    scene: &Scene<'_>,
) -> Line<'static> {
    let keys: Vec<String> = match choice {
        Choice::Do(spec) => {
            scene.keys(spec).iter().map(|key| key.label(scene.symbols)).take(2).collect()
        }
        _ => Vec::new(),
    };
    let keys = text::fit(&keys.join(" "), KEYS_COLUMNS - 1, scene.symbols);
    let mut spans = vec![Span::styled(format!("{keys:<KEYS_COLUMNS$}"), scene.theme.accent)];
    let name = text::visible(&choice.name(), scene.symbols);
    let columns = match choice {
        // What is said of these is one word, and their names are longer than those of actions.
        Choice::Topic(_) => usize::from(width).saturating_sub(KEYS_COLUMNS + WORD_COLUMNS),
        _ => NAME_COLUMNS,
    };
    let columns = columns.clamp(NAME_COLUMNS, (text::width(&name) + 2).max(NAME_COLUMNS));
    let fitted = text::fit(&name, columns - 1, scene.symbols);
    let letters = if search.is_empty() || selected { Vec::new() } else { search.letters(&name) };
    for (index, letter) in fitted.chars().enumerate() {
        let style = if letters.contains(&index) { scene.theme.found } else { Style::new() };
        spans.push(Span::styled(letter.to_string(), style));
    }
    let pad = columns.saturating_sub(text::width(&fitted));
    spans.push(Span::raw(" ".repeat(pad)));
    let room = usize::from(width).saturating_sub(KEYS_COLUMNS + columns);
    let what = text::fit(choice.description(), room, scene.symbols);
    spans.push(Span::styled(what, scene.theme.muted));
    Line::from(spans)
}

/// The screen on which an action works.
fn screen_of(spec: &Spec) -> Option<Screen> {
    Screen::ALL.into_iter().find(|screen| spec.contexts.contains(&screen.context()))
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if action == Action::Choose {
        return choose(model);
    }
    let count = match (model.overlays.last(), Motion::of(action, 1)) {
        (Some(Overlay::Palette(palette)), Some(_)) => palette.matches(model).len(),
        _ => 0,
    };
    let Some(Overlay::Palette(palette)) = model.overlays.last_mut() else { return Vec::new() };
    if action == Action::LeaveInput {
        model.overlays.pop();
    } else if let Some(request) = screens::edit(action) {
        palette.edit(Edit::Key(request));
    } else if let Some(motion) = Motion::of(action, 1) {
        palette.row = motion.from(palette.row, count);
    }
    Vec::new()
}

/// Somebody points at a row: it is what is chosen.
pub(super) fn point(model: &mut Model, row: usize) -> Vec<Effect> {
    let Some(Overlay::Palette(palette)) = model.overlays.last_mut() else { return Vec::new() };
    palette.row = row;
    choose(model)
}

/// Does what is highlighted.
fn choose(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Palette(palette)) = model.overlays.last() else { return Vec::new() };
    let chosen = palette.matches(model).into_iter().nth(palette.row);
    let context = palette.context;
    model.overlays.pop();
    let Some(choice) = chosen else { return Vec::new() };
    model.chose(choice.name());
    match choice {
        Choice::Do(spec) => {
            if !spec.contexts.contains(&context)
                && let Some(screen) = screen_of(spec)
            {
                update::show(model, screen);
            }
            update::perform(model, spec.action)
        }
        Choice::Node { name, .. } => {
            if !matches!(model.screen, Screen::Network | Screen::Nodes | Screen::Presence) {
                update::show(model, Screen::Network);
            }
            model.overlays.clear();
            model.selected = Some(name);
            Vec::new()
        }
        Choice::Theme(theme) => {
            update::choose_theme(model, theme);
            Vec::new()
        }
        Choice::Topic(topic) => {
            model.overlays.push(Overlay::explanation(topic));
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Desk;

    fn found(desk: &Desk, typed: &str) -> Vec<String> {
        let mut palette = Palette::new(Context::Network);
        palette.edit(Edit::Insert(typed));
        palette.matches(&desk.model).iter().map(Choice::name).collect()
    }

    #[test]
    fn letters_in_order_find_an_action_a_process_or_a_theme() {
        let desk = Desk::running();
        for (typed, first) in [
            ("rest", "restart-node"),
            ("klnd", "kill-node"),
            ("m21", "go to mix-2-1"),
            ("go bob", "go to bob"),
            ("trit", "theme tritanopia"),
            ("logs", "show-logs"),
            ("explain reply", "explain reply block"),
            ("pool-full", "explain pool-full"),
        ] {
            let found = found(&desk, typed);
            assert!(found.iter().take(2).any(|name| name == first), "{typed}: {found:?}");
        }
        assert_eq!(found(&desk, "no such thing"), Vec::<String>::new());
    }

    #[test]
    fn every_action_of_every_screen_is_in_the_palette() {
        let found = found(&Desk::running(), "");
        for spec in ACTIONS.iter().filter(|spec| screen_of(spec).is_some()) {
            let listed = found.iter().any(|name| name == spec.name);
            assert!(listed || spec.action == Action::Palette, "{} is missing", spec.name);
        }
    }

    #[test]
    fn what_was_chosen_lately_comes_first() {
        let mut desk = Desk::running();
        for name in ["go to bob", "theme light", "go to bob", "show-logs"] {
            desk.model.chose(name.to_owned());
        }
        assert_eq!(found(&desk, "")[..3], ["show-logs", "go to bob", "theme light"]);
        for number in 0..100 {
            desk.model.chose(format!("go to {number}"));
        }
        assert!(desk.model.chosen.len() < 20, "it is bounded");
    }
}
