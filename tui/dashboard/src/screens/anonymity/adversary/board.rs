//! The board of suspects: who writes to somebody? Each packet tells a little, and little adds up.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use vantage::{Guess, Ranked, Vantage, Who, odds_in_words};

use crate::model::Model;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::screens::anonymity::padded;
use crate::screens::traffic::plot;
use crate::state::Devnet;
use crate::text;

/// Columns of a place and a name.
const NAME: usize = 16;

/// Columns of the odds.
const ODDS: u16 = 12;

/// Draws the pane.
pub(super) fn draw(
    model: &Model,
    devnet: &Devnet,
    guess: Option<&Guess>,
    area: Rect,
    scene: &mut Scene<'_>,
) {
    let vantage = devnet.watch.vantage();
    let victim = vantage
        .looks_for()
        .map_or_else(|| "somebody".into(), |victim| text::visible(victim, scene.symbols));
    let title = format!("Who writes to {victim}?");
    let inner = padded(scene.pane(area, title.clone(), false));
    let Some(guess) = guess else {
        scene.nothing_yet(inner, "nobody is known yet of whom one could ask");
        return;
    };
    if let Who::Link(..) = vantage.who() {
        scene.nothing_yet(inner, "one link: nothing comes out here");
        return;
    }
    let packets = text::plural(guess.packets, "packet");
    let over = format!("{packets} in {:.0} s", guess.over_s);
    // Corners, a space at either side of both, and a piece of the edge between them.
    let has_room = text::width(&title) + text::width(&over) + 7 <= usize::from(area.width);
    let packets = if has_room { over } else { packets };
    scene.edge_note(area, false, Line::styled(packets, scene.theme.muted));
    // Somebody is always first.
    let chance = guess.ranking.len().saturating_sub(1).max(1);
    let long = format!("if anybody writes to {victim} at all; by chance 1 : {chance}");
    let note = [long, format!("if anybody does; by chance 1 : {chance}")]
        .into_iter()
        .find(|note| text::width(note) + 4 < usize::from(area.width));
    if let Some(note) = note {
        scene.edge_note(area, true, Line::styled(note, scene.theme.muted));
    }
    if guess.packets == 0 {
        scene.nothing_yet(inner, &format!("no packet has come to {victim} yet"));
        return;
    }
    let reveals = model.screens.anonymity.reveals;
    let rows = guess.ranking.len();
    scene.list(inner, rows, None, Highlight::None, |scene, row, place| {
        let suspect = &guess.ranking[row];
        let wrote = if reveals { wrote(vantage, &suspect.name, &guess.recipient) } else { 0 };
        draw_row(row, suspect, wrote, place, scene);
        Some(Target::Node(suspect.name.clone()))
    });
}

/// How many of the messages whose truth was told went from one to the other.
fn wrote(vantage: &Vantage, from: &str, to: &str) -> usize {
    let revealed = vantage.truth().revealed();
    let is_it = |packet: &&vantage::Revealed| {
        packet.carried == control::Carried::Message
            && packet.sender == from
            && packet.recipient.as_deref() == Some(to)
    };
    revealed.filter(is_it).count()
}

fn draw_row(row: usize, suspect: &Ranked, wrote: usize, place: Rect, scene: &mut Scene<'_>) {
    let name = text::fit(&text::visible(&suspect.name, scene.symbols), 11, scene.symbols);
    let style = if wrote > 0 { scene.theme.bad } else { scene.theme.base };
    scene.put(place, 0, Line::styled(format!("{:>3} {name}", row + 1), style));
    let truth = if wrote > 0 { format!(" wrote {wrote}") } else { String::new() };
    let line = Line::from(vec![
        Span::raw(format!("{:>width$}", odds_in_words(suspect.odds), width = usize::from(ODDS))),
        Span::styled(truth, scene.theme.bad),
    ]);
    let left = scene.put_right(place, 0, line);
    let begin = u16::try_from(NAME).unwrap_or(0);
    let bar =
        Rect { x: place.x + begin.min(place.width), width: left.saturating_sub(begin), ..place };
    plot::bar(scene, bar, suspect.probability, None, scene.theme.link[1]);
}
