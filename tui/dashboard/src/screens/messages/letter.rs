//! A message as rows: when, from whom, what it says, and how far it has come.

use std::fmt::Write as _;

use control::{MessageState, MessageStatus, State};
use jiff::tz::TimeZone;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::action::Action;
use crate::keymap::Keymap;
use crate::scene::Scene;
use crate::state::{Body, Devnet, Letter};
use crate::symbols::Symbols;
use crate::text;
use crate::theme::Theme;
use crate::wrap;

/// How many rows of a message's text a conversation shows before it folds.
const FOLD_ABOVE_ROWS: usize = 6;

/// How many it shows of a folded one.
const FOLDED_ROWS: usize = 4;

/// Rows that an unfolded message has at most: 32 KiB of empty lines are none that anybody reads.
const MAX_ROWS: usize = 2000;

/// Columns of a time, and of the cursor before it.
const TIME_WIDTH: usize = 9;

/// Most columns of a name.
const NAME_WIDTH: usize = 10;

/// Columns of a state in words, and of a delay.
const STATE_WIDTH: usize = 12;
const DELAY_WIDTH: usize = 8;

/// From this width on a state has its word and its delay; below, one of both.
const ROOM_FOR_WORDS: usize = 80;

/// From this width on what the other one wrote stands to the right.
const ROOM_FOR_SIDES: usize = 80;

/// What decides how a message looks.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) devnet: &'a Devnet,
    pub(super) theme: &'static Theme,
    pub(super) symbols: &'static Symbols,
    pub(super) zone: &'a TimeZone,
    pub(super) keymap: &'a Keymap,
    /// Who is on the left.
    pub(super) own: &'a str,
    /// Columns of a row.
    pub(super) columns: usize,
}

/// A message as rows of a conversation.
#[derive(Debug)]
pub(super) struct Block {
    /// Its rows.
    pub(super) rows: Vec<Line<'static>>,
    /// Columns of the first row that stand before what it says: cursor, time and name.
    pub(super) head: usize,
    /// How the first row ends: its state.
    pub(super) state: Line<'static>,
}

/// Why its sender has not sent it yet.
fn holds<'a>(devnet: &'a Devnet, status: &MessageStatus) -> Option<(State, &'a str)> {
    let sender = devnet.node(&status.from).filter(|node| node.status.state != State::Ready)?;
    Some((sender.status.state, &sender.status.reason))
}

fn is_stored(status: &MessageStatus) -> bool {
    !status.packets.is_empty() && status.packets.iter().all(|packet| packet.acknowledged)
}

/// Its sender keeps it until it can send.
const HELD: &str = "held";

/// How far a message has come, in a word.
pub(crate) fn word(devnet: &Devnet, status: &MessageStatus) -> &'static str {
    match status.state {
        MessageState::Queued if holds(devnet, status).is_some() => HELD,
        // The provider has it, and the recipient is away.
        MessageState::Sent if is_stored(status) => "stored",
        state => state.word(),
    }
}

/// Glyph, word and style of how far a message has come.
pub(crate) fn progress(
    devnet: &Devnet,
    status: &MessageStatus,
    scene: &Scene<'_>,
) -> (&'static str, &'static str, Style) {
    progress_of(devnet, status, scene.symbols, scene.theme)
}

fn progress_of(
    devnet: &Devnet,
    status: &MessageStatus,
    symbols: &Symbols,
    theme: &Theme,
) -> (&'static str, &'static str, Style) {
    let [queued, sent, delivered, acknowledged, failed] = symbols.message;
    let word = word(devnet, status);
    let (glyph, style) = match status.state {
        MessageState::Queued if word == HELD => (queued, theme.warn),
        MessageState::Queued => (queued, theme.muted),
        MessageState::Sent => (sent, theme.warn),
        MessageState::Delivered => (delivered, theme.ok),
        MessageState::Acknowledged => (acknowledged, theme.ok),
        MessageState::Failed => (failed, theme.bad),
    };
    (glyph, word, style)
}

/// How often packets were sent again.
pub(super) fn sent_again(status: &MessageStatus) -> u32 {
    status.packets.iter().map(|packet| packet.attempts.saturating_sub(1)).sum()
}

impl Look<'_> {
    /// Glyph, word and style of how far a message has come.
    pub(super) fn progress(&self, status: &MessageStatus) -> (&'static str, &'static str, Style) {
        progress_of(self.devnet, status, self.symbols, self.theme)
    }

    /// The rows of a message.
    pub(super) fn block(&self, letter: &Letter, unfolded: bool) -> Block {
        let (own, from) = match letter.from() {
            Some(from) => (from == self.own, text::visible(from, self.symbols)),
            None => (false, "someone".to_owned()),
        };
        let indent = match own {
            true => 0,
            false if self.columns >= ROOM_FOR_SIDES => self.columns / 4,
            false => 2,
        };
        let state = self.state(letter);
        let name = text::fit(&from, NAME_WIDTH, self.symbols);
        let head = 1 + indent + TIME_WIDTH + text::width(&name) + 2;
        // Those who are on the left leave the right free.
        let free = if own && self.columns >= ROOM_FOR_SIDES { self.columns / 8 } else { 0 };
        let columns = self.columns.saturating_sub(head + state.width() + 1 + free).max(8);
        let style = if own { self.theme.accent } else { self.theme.title };
        let mut rows = Vec::new();
        for (row, words) in self.text(&letter.body, columns, unfolded).into_iter().enumerate() {
            let mut spans = if row == 0 {
                let time = text::clock(letter.unix_ms(), self.zone);
                vec![
                    Span::raw(" ".repeat(1 + indent)),
                    Span::styled(format!("{time} "), self.theme.muted),
                    Span::styled(name.clone(), style),
                    Span::raw("  "),
                ]
            } else {
                vec![Span::raw(" ".repeat(head))]
            };
            spans.push(words);
            rows.push(Line::from(spans));
        }
        let columns = self.columns.saturating_sub(head).max(8);
        for (words, style) in self.notes(letter) {
            for row in wrap::shown(&words, columns) {
                let spans = [Span::raw(" ".repeat(head)), Span::styled(row.to_owned(), style)];
                rows.push(Line::from(spans.to_vec()));
            }
        }
        Block { rows, head, state }
    }

    /// Glyph, word and delay, where there is room for them.
    fn state(&self, letter: &Letter) -> Line<'static> {
        let (glyph, word, style, delay) = match &letter.status {
            Some(status) => {
                let (glyph, word, style) = self.progress(status);
                (glyph, word, style, status.delivered_ms.map(text::millis))
            }
            None => (self.symbols.letter, "received", self.theme.ok, None),
        };
        let (columns, words) = if self.columns >= ROOM_FOR_WORDS {
            (STATE_WIDTH, word.to_owned())
        } else {
            (DELAY_WIDTH, delay.clone().unwrap_or_else(|| word.to_owned()))
        };
        let mut spans = vec![Span::styled(format!("{glyph:<2} {words:<columns$}"), style)];
        if self.columns >= ROOM_FOR_WORDS {
            spans.push(Span::raw(format!("{:>DELAY_WIDTH$}", delay.unwrap_or_default())));
        }
        Line::from(spans)
    }

    /// What a message says, as rows of so many columns.
    fn text(&self, body: &Body, columns: usize, unfolded: bool) -> Vec<Span<'static>> {
        let muted = |words: String| Span::styled(words, self.theme.muted);
        let text = match body {
            Body::Text { text, .. } => text,
            Body::Binary { first, bytes } => {
                let mut words = format!("[no text: {} B,", text::grouped(*bytes));
                for byte in first {
                    // Writing into a text does not fail.
                    let _ = write!(words, " {byte:02x}");
                }
                if *bytes > first.len() {
                    words.push(' ');
                    words.push_str(self.symbols.ellipsis);
                }
                words.push(']');
                let rows = wrap::shown(&words, columns);
                return rows.map(|row| muted(row.to_owned())).collect();
            }
            Body::Unseen { bytes } => {
                let words = format!("[{} B, too long to be shown]", text::grouped(*bytes));
                return vec![muted(words)];
            }
        };
        let most = if unfolded { MAX_ROWS } else { FOLD_ABOVE_ROWS };
        let mut rows = Vec::new();
        for line in text.split('\n') {
            let shown = text::visible(line.strip_suffix('\r').unwrap_or(line), self.symbols);
            let shown = wrap::shown(&shown, columns).take(most + 1);
            rows.extend(shown.map(|row| Span::raw(row.to_owned())));
            if rows.len() > most {
                break;
            }
        }
        if rows.len() > most {
            rows.truncate(if unfolded { MAX_ROWS } else { FOLDED_ROWS });
            let size = text::grouped(body.bytes());
            let (ellipsis, key) =
                (self.symbols.ellipsis, self.keymap.label(Action::Open, self.symbols));
            rows.push(muted(format!("{ellipsis} {size} B in all: {key} unfolds")));
        } else if text.is_empty() {
            return vec![muted("[empty]".to_owned())];
        }
        rows
    }

    /// What else there is to say of a message, and how it is meant.
    fn notes(&self, letter: &Letter) -> Vec<(String, Style)> {
        let theme = self.theme;
        let mut notes = Vec::new();
        if let Some((text, false)) = letter.body.text() {
            let (kept, all) = (text::grouped(text.len()), text::grouped(letter.body.bytes()));
            let why = match letter.arrival {
                Some(_) => "no more of it is kept here",
                None => "the rest is shown when it arrives",
            };
            notes.push((format!("{kept} of {all} B: {why}"), theme.muted));
        }
        let Some(status) = &letter.status else { return notes };
        if let Some(error) = &status.error {
            notes.push((text::visible(error, self.symbols), theme.bad));
        }
        if status.state == MessageState::Queued
            && let Some((state, reason)) = holds(self.devnet, status)
        {
            let reason = text::visible(reason, self.symbols);
            notes.push((format!("{} {}: {reason}", status.from, state.phrase()), theme.warn));
        }
        if status.state == MessageState::Sent && is_stored(status) {
            let to = text::visible(&status.to, self.symbols);
            let words = format!("its provider has stored it until {to} is there");
            notes.push((words, theme.warn));
        }
        notes.extend(packets(status).map(|words| (words, theme.muted)));
        if letter.is_reply() {
            let from = text::visible(&status.from, self.symbols);
            let words = format!("over a reply block: {from} does not know to whom");
            notes.push((words, theme.muted));
        } else if self.devnet.node(&status.to).is_none() {
            let to = text::visible(&status.to, self.symbols);
            notes.push((format!("to {to}, outside of this devnet"), theme.muted));
        }
        notes
    }
}

/// How its packets fare, where one that passes at once would not say it.
fn packets(status: &MessageStatus) -> Option<String> {
    let all = status.packets.len();
    let again = sent_again(status);
    let acknowledged = status.packets.iter().filter(|packet| packet.acknowledged).count();
    let underway = matches!(status.state, MessageState::Sent | MessageState::Delivered);
    let mut words = Vec::new();
    if underway && all > 1 {
        words.push(format!("{acknowledged} of {all} packets acknowledged"));
    }
    words.extend(match (all, again) {
        (_, 0) => None,
        (1, 1) => Some("sent again".to_owned()),
        (1, _) => Some(format!("sent again {again} times")),
        _ => Some(format!("{} sent again", text::plural(again, "packet"))),
    });
    (!words.is_empty()).then(|| words.join(", "))
}
