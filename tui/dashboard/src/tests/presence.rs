//! Presence: its own selection, strangers, and the filter.

use control::{NodeAction, StreamEvent};
use crossterm::event::KeyCode;
use directory_api::{ListName, MixNodePresence, Update};
use insta::assert_snapshot;

use super::{Desk, settings, text};
use crate::fixture;
use crate::keys::Key;
use crate::message::Effect;
use crate::model::Settings;
use crate::regions::Target;

const ENTER: Key = Key::code(KeyCode::Enter);
const ESC: Key = Key::code(KeyCode::Esc);

/// In front of a devnet at whose directory a stranger announces itself.
fn desk(settings: Settings) -> Desk {
    let mut desk = Desk::eventful(settings);
    let stranger = MixNodePresence {
        host: "10.0.0.1:1789".into(),
        pub_key: fixture::key("stranger"),
        version: "0.5.0".into(),
        location: "elsewhere".into(),
        layer: 2,
        last_seen: 0,
    };
    desk.hear(StreamEvent::Directory { node: None, update: Update::MixNode(stranger) });
    desk.press(Key::of('5'));
    desk
}

#[test]
fn presence_at_every_size() {
    let mut desk = desk(settings());
    desk.press(Key::of('G'));
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        assert_snapshot!(
            format!("presence-stranger-{width}x{height}"),
            text(&desk.screen(width, height))
        );
    }
}

#[test]
fn its_selection_is_its_own_and_keys_act_on_it() {
    let mut desk = desk(settings());
    desk.model.selected = Some("bob".into());
    desk.press(Key::of('j'));
    desk.press(Key::of('j'));
    assert_eq!(desk.model.selected.as_deref(), Some("bob"), "elsewhere nothing moved");
    let effects = desk.press(Key::of('p'));
    let act = Effect::Act { node: "mix-1-2".into(), action: NodeAction::Pause };
    assert_eq!(effects, [act], "what is highlighted is meant");
    desk.press(ENTER);
    assert!(text(&desk.screen(120, 40)).contains("mix-1-2 · mixnode, layer 1"));
    desk.press(ESC);
    desk.press(Key::of('2'));
    let effects = desk.press(Key::of('p'));
    assert_eq!(effects, [Effect::Act { node: "bob".into(), action: NodeAction::Pause }]);
}

#[test]
fn a_stranger_can_be_selected_and_copied_and_has_no_card() {
    let mut desk = desk(settings());
    desk.press(Key::of('G'));
    let effects = desk.press(Key::of('y'));
    let [Effect::Copy { text: key, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*key, fixture::key("stranger"));
    desk.press(ENTER);
    assert_eq!(desk.model.overlays.len(), 0);
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("it is no process of this devnet"), "{screen}");
    assert_eq!(desk.press(Key::of('x')), []);
    assert_eq!(desk.model.overlays.len(), 0, "it cannot be stopped either");
    desk.tell(crate::message::Message::Click(Target::Announcer(fixture::key("mix-1-1"))));
    desk.press(ENTER);
    assert_eq!(desk.model.overlays.len(), 1);
}

#[test]
fn a_filter_narrows_both_lists_by_name_key_list_and_state() {
    let rows = |typed: &str| {
        let mut desk = desk(settings());
        desk.press(Key::of('/'));
        desk.type_text(typed);
        desk.press(ENTER);
        let screen = text(&desk.screen(120, 40));
        let names = ["mix-1-1", "mix-2-2", "mix-3-1", "provider-1", "stranger"];
        let ages: Vec<&str> = screen
            .lines()
            .filter_map(|line| line.rsplit_once("││").or_else(|| line.split_once("││")))
            .filter_map(|(_, right)| names.into_iter().find(|name| right.contains(name)))
            .collect();
        (ages, screen)
    };
    assert_eq!(rows("late").0, ["mix-2-2", "mix-3-1"]);
    assert_eq!(rows("gateway").0, ["provider-1"]);
    assert_eq!(rows("10.0.0.1").0, ["stranger"]);
    assert_eq!(rows("!mix").0, [""; 0], "a provider is a mixprovider");
    let (_, screen) = rows("nobody");
    assert!(screen.contains("no node is like this: esc drops the filter"), "{screen}");
    assert!(screen.contains("no heartbeat is like this: esc drops the filter"), "{screen}");
}

#[test]
fn a_heartbeat_is_about_its_node() {
    let mut desk = desk(settings());
    desk.press(Key::code(KeyCode::Tab));
    let list = ListName::MixNode;
    let update = Update::Seen { pub_key: fixture::key("mix-1-1"), list };
    desk.hear(StreamEvent::Directory { node: Some("mix-1-1".into()), update });
    let effects = desk.press(Key::of('p'));
    assert_eq!(effects, [Effect::Act { node: "mix-1-1".into(), action: NodeAction::Pause }]);
}
