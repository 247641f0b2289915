//! How the selection moves through a conversation, and what of it is shown.

use super::View;
use super::draw::{self, Frame};
use crate::blocks::Held;
use crate::model::Model;
use crate::motion::Motion;
use crate::state::{Devnet, Letter};

/// The selection among these messages.
pub(super) fn held(view: &View, letters: &[&Letter]) -> Held {
    view.letter.as_ref().map_or(Held::End, |id| {
        // What was selected may have been forgotten: it was older than all.
        let index = letters.iter().position(|letter| letter.id == *id).unwrap_or(0);
        Held::Item(index, view.above)
    })
}

/// Rows of a page of the conversation.
pub(super) fn page(model: &Model) -> usize {
    let frame = model.devnet().map(|devnet| Frame::new(model, devnet, draw::area(model)));
    frame.map_or(1, |frame| frame.rows.height.max(1).into())
}

/// The selected message after a step, and the rows of it that are above the pane. No message: the
/// newest.
pub(super) fn step(model: &Model, devnet: &Devnet, motion: Motion) -> (Option<String>, usize) {
    let view = &model.screens.messages;
    let frame = Frame::new(model, devnet, draw::area(model));
    let look = frame.look(model, devnet);
    let letters: Vec<&Letter> = view.conversation(devnet).collect();
    let rows = |index: usize| {
        look.block(letters[index], view.unfolded.contains(&letters[index].id)).rows.len()
    };
    let height = usize::from(frame.rows.height).max(1);
    match held(view, &letters).step(letters.len(), height, motion, rows) {
        Held::End => (None, 0),
        Held::Item(index, above) => (Some(letters[index].id.clone()), above),
    }
}
