//! The last steps of the tour: how well the network hides, and how it looks to somebody who watches it.

use super::Verdict;
use super::steps::key;
use crate::action::Action;
use crate::model::Model;
use crate::screens::Screen;
use crate::screens::anonymity;
use crate::state::Devnet;

/// What there is to know about bits.
pub(super) fn says_of_bits(model: &Model) -> String {
    let senders = model.live.as_ref().map(|devnet| devnet.watch.vantage().senders().len());
    let many = match senders {
        Some(1) => "Here is one client, which has nobody to hide among: 0 bits.".into(),
        Some(senders @ 2..) => format!(
            "With {senders} senders it can be {:.2} at best.",
            // As many as a network can have are far below what this type tells apart.
            f64::from(u32::try_from(senders).unwrap_or(u32::MAX)).log2()
        ),
        Some(0) | None => "Twice the senders can make it one more.".into(),
    };
    format!(
        "Somebody who sees every link, and reads nothing, reckons for each packet that comes out who may \
         have sent it. Bits say how much is left open: 1 is a choice of two, 2 of four. {many}"
    )
}

/// What there is to know about the adversary's view.
pub(super) const OF_ADVERSARY: &str = "His view has all that he has: who sent to whom and when, in packets of \
     one size. For whoever receives he keeps a list of suspects, and each packet tells him a little more. \
     Nodes of a devnet tell the truth, so his guesses can be looked at beside it.";

/// Whether somebody has seen how well the network hides.
pub(super) fn bits(model: &Model, devnet: &Devnet) -> Verdict {
    if model.screen != Screen::Anonymity || model.screens.anonymity.is_adversary() {
        let show = key(model, Action::ShowAnonymity);
        return Verdict::Waiting(format!("press {show} for Anonymity"));
    }
    let report = anonymity::report(devnet);
    match report.and_then(|report| Some((report.sender?, report.most_bits))) {
        Some((sender, most)) => Verdict::Done(format!(
            "{:.2} of {most:.2} bits, like one of {:.1} senders",
            sender.bits,
            sender.bits.exp2()
        )),
        None => Verdict::Waiting("waiting for packets to come out".into()),
    }
}

/// Whether somebody has looked with the adversary's eyes, and at the truth.
pub(super) fn adversary(model: &Model, devnet: &Devnet) -> Verdict {
    let view = &model.screens.anonymity;
    if model.screen != Screen::Anonymity || !view.is_adversary() {
        let look = key(model, Action::Adversary);
        let show = key(model, Action::ShowAnonymity);
        return Verdict::Waiting(if model.screen == Screen::Anonymity {
            format!("press {look} to look as the adversary")
        } else {
            format!("press {show}, then {look} to look as the adversary")
        });
    }
    if !view.reveals() {
        let reveal = key(model, Action::Reveal);
        return Verdict::Waiting(format!("press {reveal} for the truth beside his guesses"));
    }
    let calibrated = anonymity::report(devnet).and_then(|report| report.calibration);
    match calibrated {
        Some(counted) => Verdict::Done(format!(
            "his first guess is right for {:.0} % of packets",
            counted.hits * 100.0
        )),
        None if !devnet.info.trace => Verdict::Told("nodes of this devnet tell no truth".into()),
        None => Verdict::Waiting("waiting for nodes to tell whose packets came out".into()),
    }
}
