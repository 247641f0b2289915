//! Figures after somebody turned a knob or chose other eyes: those of before do not count.

use vantage::{Report, WINDOW};

use super::anonymity::{changed, pass, shown, watched};
use super::{Desk, settings};
use crate::fixture::Fixture;
use crate::keys::Key;

fn report(desk: &Desk) -> Report {
    let live = desk.model.devnet().expect("it runs");
    live.watch.vantage().report(WINDOW).expect("a devnet")
}

#[test]
fn figures_are_those_since_the_last_change_of_settings() {
    let (mut desk, mut observed) = watched(Fixture::two_by_three(), settings(), 90);
    let before = report(&desk);
    assert_eq!((before.changed, before.doubts), (None, Vec::new()));
    changed(&mut desk, |info| info.hop_delay_ms = 210.0);
    pass(&mut desk, &mut observed, 3);
    let soon = report(&desk);
    let told = soon.changed.clone().expect("it was changed");
    assert!(!told.is_settled && told.what == "hop delay", "{told:?}");
    let [doubt] = &soon.doubts[..] else { panic!("{soon:?}") };
    assert!(doubt.starts_with("settings changed "), "{doubt}");
    assert!(soon.sender.is_some_and(|sender| sender.packets < 200), "{soon:?}");
    assert!(soon.delay_distance.is_none(), "delays of before: {soon:?}");
    pass(&mut desk, &mut observed, 17);
    let later = report(&desk);
    assert!(later.changed.as_ref().is_some_and(|changed| changed.is_settled), "{later:?}");
    assert!(later.doubts.is_empty(), "{later:?}");
    assert!((15.0..18.0).contains(&later.watched_s), "{later:?}");
    let packets = later.sender.expect("some came out").packets;
    assert!((700..1100).contains(&packets), "{packets}");
    assert!((25.0..35.0).contains(&later.rate), "{later:?}");
    let screen = shown(&mut desk);
    assert!(screen.contains("17 s since hop delay changed"), "{screen}");
    // The curve keeps all.
    let live = desk.model.devnet().expect("it runs");
    let curve = live.watch.vantage().curve(WINDOW).flatten().count();
    assert!(curve > 55, "{curve}");
    pass(&mut desk, &mut observed, 60);
    assert_eq!(report(&desk).changed, None);
}

#[test]
fn one_link_counts_nothing_of_what_other_eyes_saw() {
    let (mut desk, mut observed) = watched(Fixture::two_by_three(), settings(), 60);
    desk.press(Key::of('a'));
    desk.press(Key::of('v'));
    // Around the end: the last of them is a link.
    desk.press(Key::of('O'));
    let screen = shown(&mut desk);
    assert!(screen.contains("sees the link between alice and mix-1-2"), "{screen}");
    assert!(screen.contains("- packets that enter"), "{screen}");
    assert!(screen.contains("there is no guess to compare"), "{screen}");
    assert!(screen.contains("one link: nothing comes out here"), "{screen}");
    assert!(report(&desk).calibration.is_none());
    for _ in 0..20 {
        pass(&mut desk, &mut observed, 1);
        let rate = report(&desk).rate;
        assert!(rate < 8.0, "{rate}");
    }
    // Three a second over two links.
    let rate = report(&desk).rate;
    assert!((0.5..3.0).contains(&rate), "{rate}");
}
