//! Attacks on the devnet that is shown: one to choose and run, and what came of those before.

mod plan;

use control::{AttackRequest, AttackStatus, Verdict};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use self::plan::{Kind, Row};
use super::Overlay;
use crate::action::Action;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::regions::Target;
use crate::scene::{Highlight, Scene, centered};
use crate::state::Devnet;
use crate::symbols::Symbols;
use crate::text;

/// Size of the window, where the terminal has it: a sentence or two of each of the last attacks.
const SIZE: (u16, u16) = (80, 30);

/// How long is waited for a packet on the link, in milliseconds: as the command does.
const WAIT_MS: u64 = 15_000;

/// Columns of the names of rows.
const NAME: usize = 10;

/// Rows of what is said of an attack before it is run.
const ABOUT: usize = 3;

/// Choosing an attack.
#[derive(Clone, Debug)]
pub(crate) struct Attacks {
    /// Which, and against whom.
    choice: plan::Choice,
    /// Which row the keys turn.
    row: usize,
}

impl Attacks {
    /// What is selected is likely to be meant.
    pub(super) fn new(model: &Model) -> Self {
        let selected = model.selected_node().map(|node| node.name().to_owned());
        Self { choice: plan::Choice::new(selected), row: 0 }
    }

    /// Draws it over an area.
    pub(super) fn draw(&self, model: &Model, area: Rect, scene: &mut Scene<'_>) {
        let place = centered(area, SIZE.0, SIZE.1);
        let inner = scene.window(place, "Attack your own devnet");
        let Some(devnet) = model.devnet() else {
            scene.nothing_yet(inner, "there is no devnet to attack yet");
            return;
        };
        let rows = self.choice.rows(devnet);
        let list = Rect { height: inner.height.min(row_number(rows.len())), ..inner };
        let row = self.row.min(rows.len().saturating_sub(1));
        scene.list(list, rows.len(), None, Highlight::None, |scene, at, place| {
            draw_row(&rows[at], at == row, place, scene);
            Some(Target::Choice(at))
        });
        let mut rest = below(inner, list.height.saturating_add(1));
        for line in wrapped(self.choice.kind.about(), rest.width, scene.symbols, ABOUT) {
            scene.put(rest, 0, Line::styled(line, scene.theme.muted));
            rest = below(rest, 1);
        }
        let command = match self.choice.plan(devnet) {
            Ok(plan) => Line::from(vec![
                Span::styled("$ ", scene.theme.muted),
                Span::styled(
                    text::visible(&model.command(&plan.command()), scene.symbols),
                    scene.theme.accent,
                ),
            ]),
            Err(why) => Line::styled(why, scene.theme.warn),
        };
        scene.put(rest, 0, command);
        draw_results(devnet, below(rest, 2), scene);
        let note = match model.refusal(Action::Launch) {
            Some(why) => Span::styled(why.to_owned(), scene.theme.warn),
            None => Span::styled(
                format!("{} runs it, {} turns", scene.key(Action::Launch), turns(scene)),
                scene.theme.muted,
            ),
        };
        scene.edge_note(place, true, Line::from(note));
    }
}

/// What came of attacks, the latest first, as far as there is room.
fn draw_results(devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let mut rest = area;
    if devnet.attacks.latest().len() == 0 {
        let words = "nobody has attacked this devnet yet: what it answers will stand here";
        scene.put(rest, 0, Line::styled(words, scene.theme.muted));
        return;
    }
    for status in devnet.attacks.latest() {
        if rest.height == 0 {
            return;
        }
        let (word, style) = verdict(status, scene);
        let title = shown(&status.plan.title(), scene.symbols);
        let line = Line::from(vec![
            Span::styled(format!("{word:<9} "), style),
            Span::styled(title, scene.theme.title),
        ]);
        scene.put(rest, 0, line);
        rest = below(rest, 1);
        let words = status.sentences().join(" ");
        for line in wrapped(&words, rest.width, scene.symbols, usize::MAX) {
            scene.put(rest, 0, Line::raw(line));
            rest = below(rest, 1);
        }
        rest = below(rest, 1);
    }
}

/// The keys that turn.
fn turns(scene: &Scene<'_>) -> String {
    let [left, right, ..] = scene.symbols.arrows;
    format!("{left} {right}")
}

/// How an attack ended, in a word.
fn verdict(status: &AttackStatus, scene: &Scene<'_>) -> (&'static str, Style) {
    let Some(verdict) = status.verdict() else { return ("underway", scene.theme.accent) };
    let style = match verdict {
        Verdict::Stopped | Verdict::Harmless => scene.theme.ok,
        Verdict::Through => scene.theme.bad,
        Verdict::Unknown | Verdict::NotDone => scene.theme.warn,
    };
    (verdict.word(), style)
}

/// One row: what can be chosen, and what is.
fn draw_row(row: &Row, is_turned: bool, place: Rect, scene: &mut Scene<'_>) {
    let cursor = if is_turned { scene.symbols.cursor } else { " " };
    let mut line = vec![
        Span::styled(format!("{cursor} "), scene.theme.accent),
        Span::styled(format!("{:<NAME$}", row.name), scene.theme.muted),
    ];
    if row.name == plan::KIND {
        for kind in Kind::ALL {
            let style = match (kind.word() == row.value, is_turned) {
                (true, true) => scene.theme.selection,
                (true, false) => scene.theme.faint_selection,
                (false, _) => scene.theme.base,
            };
            let mark = if kind.word() == row.value { scene.symbols.cursor } else { " " };
            line.push(Span::styled(format!("{mark}{} ", kind.word()), style));
        }
    } else {
        let (less, more) = if scene.symbols.unicode { ("◂", "▸") } else { ("<", ">") };
        let style = if is_turned { scene.theme.selection } else { scene.theme.accent };
        let value = text::visible(&row.value, scene.symbols);
        line.push(Span::styled(format!("{less} "), scene.theme.muted));
        line.push(Span::styled(value, style));
        line.push(Span::styled(format!(" {more}"), scene.theme.muted));
    }
    scene.put(place, 0, Line::from(line));
}

/// What is left of an area below so many rows.
fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

fn row_number(rows: usize) -> u16 {
    u16::try_from(rows).unwrap_or(u16::MAX)
}

/// A sentence with an arrow and a minus that this terminal has.
fn shown(words: &str, symbols: &Symbols) -> String {
    let words = words.replace('→', symbols.hop);
    let words = if symbols.unicode { words } else { words.replace('−', "-") };
    text::visible(&words, symbols)
}

/// Words in lines of this width, and no more than so many.
fn wrapped(words: &str, width: u16, symbols: &Symbols, most: usize) -> Vec<String> {
    let mut lines = text::wrap(&shown(words, symbols), usize::from(width).max(1));
    lines.truncate(most);
    lines
}

/// An action while this lies over the screen; none if it is for what lies below.
pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if matches!(action, Action::Explain | Action::Help) {
        return None;
    }
    let Some(Overlay::Attacks(mut attacks)) = model.overlays.pop() else { return Some(Vec::new()) };
    if action == Action::Close {
        return Some(Vec::new());
    }
    let mut effects = Vec::new();
    if let Some(devnet) = model.devnet() {
        let rows = attacks.choice.rows(devnet);
        attacks.row = attacks.row.min(rows.len().saturating_sub(1));
        match action {
            Action::Up => attacks.row = (attacks.row + rows.len() - 1) % rows.len(),
            Action::Down => attacks.row = (attacks.row + 1) % rows.len(),
            Action::Left => attacks.choice.turn(devnet, rows[attacks.row].name, false),
            Action::Right => attacks.choice.turn(devnet, rows[attacks.row].name, true),
            Action::Launch => effects = launch(model, &attacks.choice),
            _ => {}
        }
    }
    model.overlays.push(Overlay::Attacks(attacks));
    Some(effects)
}

/// Runs what is chosen.
fn launch(model: &mut Model, choice: &plan::Choice) -> Vec<Effect> {
    let Some(devnet) = model.devnet() else { return Vec::new() };
    match choice.plan(devnet) {
        Ok(plan) => {
            model.did(model.command(&plan.command()));
            vec![Effect::Attack(Box::new(AttackRequest { plan, wait_ms: WAIT_MS }))]
        }
        Err(why) => {
            model.say(Tone::Warning, why);
            Vec::new()
        }
    }
}

/// Somebody points at a row.
pub(super) fn point(model: &mut Model, row: usize) -> Vec<Effect> {
    if let Some(Overlay::Attacks(attacks)) = model.overlays.last_mut() {
        attacks.row = row;
    }
    Vec::new()
}
