//! Changes of a plan, one by one and in any order.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn plan(ports: Ports) -> Plan {
    Plan::new(Layout::default(), ports).expect("a network")
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.nodes.iter().map(|node| node.name.as_str()).collect()
}

#[test]
fn a_node_gets_the_first_free_name_its_place_and_a_port_of_its_own() {
    let mut plan = plan(Ports::Preferred);
    let one = plan.add_mixnode(2, &[]).expect("there is room");
    let two = plan.add_mixnode(2, &[]).expect("there is room");
    assert_eq!((one.name.as_str(), two.name.as_str()), ("mix-2-2", "mix-2-3"));
    assert_eq!((one.ports[0].port, two.ports[0].port), (9983, 9984));
    let provider = plan.add_provider(&[]).expect("there is room");
    let ports: Vec<u16> = provider.ports.iter().map(|port| port.port).collect();
    assert_eq!(ports, [4001, 9002], "9001 is the second port of the first client");
    let carol = plan.add_client(None, &[]).expect("there is room");
    assert_eq!((carol.name.as_str(), carol.ports[0].port), ("carol", 1979));
    assert_eq!(carol.provider.as_deref(), Some("provider-2"), "it has the fewest");
    plan.add_client(Some("zoe"), &[]).expect("a name");
    assert_eq!(
        names(&plan),
        [
            "directory",
            "mix-1-1",
            "mix-2-1",
            "mix-2-2",
            "mix-2-3",
            "mix-3-1",
            "provider-1",
            "provider-2",
            "alice",
            "bob",
            "carol",
            "zoe",
            "crowd"
        ]
    );
    assert_eq!((plan.layout.widths.as_slice(), plan.layout.clients), (&[1, 3, 1][..], 4));
    assert_eq!(plan.layout.client_names, ["alice", "bob", "carol", "zoe"]);

    // A name and a port are free again when the process is gone, not before.
    let gone = plan.remove("mix-2-1").expect("there are others");
    let other = plan.add_mixnode(2, std::slice::from_ref(&gone)).expect("there is room");
    assert_eq!((other.name.as_str(), other.ports[0].port), ("mix-2-4", 9985));
    let again = plan.add_mixnode(2, &[]).expect("there is room");
    assert_eq!((again.name.as_str(), again.ports[0].port), ("mix-2-1", 9981));
    assert_eq!(names(&plan)[2], "mix-2-1");
}

#[test]
fn ports_follow_the_policy_of_the_devnet() {
    let mut auto = plan(Ports::Auto);
    assert_eq!(auto.add_mixnode(1, &[]).expect("room").ports[0].port, 0);
    let mut base = plan(Ports::Base(20_000));
    let provider = base.add_provider(&[]).expect("room");
    assert_eq!(provider.ports.iter().map(|p| p.port).collect::<Vec<_>>(), [20_008, 20_009]);
    assert!(provider.ports.iter().all(|port| !port.fallback));
    let mut full = plan(Ports::Base(65_528));
    assert_eq!(full.add_mixnode(1, &[]), Err(GrowError::Ports(65_528)));
    assert_eq!(full.layout.widths, [1; 3], "nothing was changed");
}

#[test]
fn what_would_be_no_network_is_refused_and_changes_nothing() {
    let mut plan = plan(Ports::Preferred);
    let before = plan.clone();
    let error = |result: Result<NodePlan, GrowError>| result.expect_err("refused").to_string();
    assert!(error(plan.remove("mix-2-1")).contains("only mixnode of layer 2"));
    assert!(error(plan.remove("provider-1")).contains("only provider"));
    assert!(error(plan.remove("directory")).contains("directory"));
    assert!(error(plan.remove("mix-9-9")).contains("no node named"));
    assert!(error(plan.add_mixnode(4, &[])).contains("no layer 4; the network has 3"));
    assert!(error(plan.add_mixnode(0, &[])).contains("no layer 0"));
    assert!(error(plan.add_client(Some("alice"), &[])).contains("already"));
    assert!(error(plan.add_client(Some("mix-1-2"), &[])).contains("another kind"));
    for (change, what) in [
        (Change { crowd: Some(1001), ..Change::default() }, "crowd: 1001"),
        (Change { slot: Some(Duration::ZERO), ..Change::default() }, "slot in milliseconds: 0"),
    ] {
        let error = plan.set(change).expect_err("refused").to_string();
        assert!(error.starts_with(what), "{error}");
    }
    assert_eq!(plan, before);
    plan.layout.widths[0] = crate::MAX_WIDTH;
    assert!(error(plan.add_mixnode(1, &[])).contains("65 is not between 1 and 64"));
}

#[test]
fn a_provider_goes_after_its_clients() {
    let mut plan = plan(Ports::Preferred);
    plan.add_provider(&[]).expect("room");
    let refused = plan.remove("provider-1").expect_err("it has clients");
    assert_eq!(refused.to_string(), "`provider-1` is the provider of alice, bob, crowd");
    assert_eq!(
        refused.hint().as_deref(),
        Some("remove them first: `nym-devnet remove alice bob crowd`")
    );
    for client in ["alice", "bob", "crowd"] {
        plan.remove(client).expect("nobody needs it");
    }
    plan.remove("provider-1").expect("nobody needs it");
    assert_eq!((plan.layout.clients, plan.layout.crowd, plan.layout.providers), (0, 0, 1));
    plan.set(Change { crowd: Some(3), ..Change::default() }).expect("a network");
    let crowd = plan.nodes.last().expect("a crowd");
    assert_eq!((crowd.role, crowd.provider.as_deref()), (Role::Crowd, Some("provider-2")));
}

#[test]
fn a_provider_that_was_removed_is_nobodys() {
    let own = |provider: &str| crate::NodeLayout {
        provider: Some(provider.into()),
        ..crate::NodeLayout::default()
    };
    let nodes = [("carol".to_owned(), own("provider-2")), ("crowd".to_owned(), own("provider-2"))];
    let layout = Layout { providers: 2, crowd: 0, nodes: nodes.into(), ..Layout::default() };
    let mut plan = Plan::new(layout, Ports::Auto).expect("a network");
    let carol = plan.clone().add_client(Some("carol"), &[]).expect("room");
    assert_eq!(carol.provider.as_deref(), Some("provider-2"), "as the layout says");
    plan.remove("bob").expect("nobody needs it");
    plan.remove("provider-2").expect("nobody needs it");
    let carol = plan.add_client(Some("carol"), &[]).expect("room");
    assert_eq!(carol.provider.as_deref(), Some("provider-1"));
    plan.set(Change { crowd: Some(1), ..Change::default() }).expect("a network");
    assert_eq!(plan.nodes.last().and_then(|crowd| crowd.provider.as_deref()), Some("provider-1"));
}

#[test]
fn rates_change_for_all_but_those_that_have_their_own() {
    let slow = Duration::from_secs(9);
    let own = crate::NodeLayout { slot: Some(slow), ..crate::NodeLayout::default() };
    let nodes = [("bob".to_owned(), own)].into();
    let mut plan =
        Plan::new(Layout { nodes, ..Layout::default() }, Ports::Auto).expect("a network");
    let quick = Duration::from_millis(50);
    let change = Change { slot: Some(quick), hop_delay: Some(quick), ..Change::default() };
    plan.set(change).expect("a network");
    let rates = |name: &str| plan.nodes.iter().find(|n| n.name == name).expect(name).rates;
    assert_eq!((rates("alice").slot, rates("crowd").slot), (quick, quick));
    assert_eq!((rates("bob").slot, rates("bob").hop_delay), (slow, quick));
    assert_eq!(plan.layout.profile_name(), "classic, changed");
}

/// Something that is asked of a plan.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Mixnode(u8),
    Provider,
    Client,
    /// The node with this index, of as many as there are.
    Remove(prop::sample::Index),
    /// The process of the node that was removed first has ended.
    Ended,
    Crowd(u16),
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        (0..6_u8).prop_map(Wish::Mixnode),
        Just(Wish::Provider),
        Just(Wish::Client),
        any::<prop::sample::Index>().prop_map(Wish::Remove),
        any::<prop::sample::Index>().prop_map(Wish::Remove),
        Just(Wish::Ended),
        (0..3_u16).prop_map(Wish::Crowd),
    ]
}

proptest! {
    /// Whatever is asked in whatever order: it is a network, and nobody has what another has.
    #[test]
    fn a_plan_stays_a_network(wishes in prop::collection::vec(wish(), 1..80), base in any::<bool>()) {
        let mut plan = plan(if base { Ports::Base(20_000) } else { Ports::Preferred });
        let mut gone: Vec<NodePlan> = Vec::new();
        for wish in wishes {
            let before = plan.clone();
            let done = match wish {
                Wish::Mixnode(layer) => plan.add_mixnode(layer, &gone).map(drop),
                Wish::Provider => plan.add_provider(&gone).map(drop),
                Wish::Client => plan.add_client(None, &gone).map(drop),
                Wish::Remove(index) => {
                    let name = plan.nodes[index.index(plan.nodes.len())].name.clone();
                    plan.remove(&name).map(|node| gone.push(node))
                }
                Wish::Ended => {
                    gone.drain(..gone.len().min(1));
                    Ok(())
                }
                Wish::Crowd(size) => {
                    plan.set(Change { crowd: Some(size), ..Change::default() })
                }
            };
            if let Err(error) = done {
                prop_assert_eq!(&plan, &before, "{}", error);
            }
            check(&plan, &gone);
        }
    }
}

fn check(plan: &Plan, gone: &[NodePlan]) {
    let layout = &plan.layout;
    assert_eq!(layout.check(), Ok(()));
    let of_role = |role| plan.nodes.iter().filter(move |node| node.role == role);
    assert_eq!(of_role(Role::Directory).count(), 1);
    for (layer, &width) in (1..).zip(&layout.widths) {
        let in_layer = of_role(Role::Mixnode).filter(|node| node.layer == Some(layer));
        assert_eq!(in_layer.count(), usize::from(width));
    }
    assert_eq!(of_role(Role::Provider).count(), usize::from(layout.providers));
    assert_eq!(of_role(Role::Client).count(), usize::from(layout.clients));
    assert_eq!(of_role(Role::Crowd).count(), usize::from(layout.crowd > 0));
    assert!(plan.nodes.is_sorted_by_key(NodePlan::order));
    // The crowd can be wanted again while the former is leaving; whoever runs it waits for that.
    let others = plan.nodes.iter().chain(gone).filter(|node| node.role != Role::Crowd);
    let names: Vec<&str> = others.clone().map(|node| node.name.as_str()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    let ports: Vec<u16> =
        others.flat_map(|node| node.ports.iter().map(|p| p.port).chain(node.second_port)).collect();
    assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len(), "{ports:?}");
    let providers: Vec<&str> = of_role(Role::Provider).map(|node| node.name.as_str()).collect();
    for client in of_role(Role::Client).chain(of_role(Role::Crowd)) {
        let own = client.provider.as_deref().expect("it has one");
        assert!(providers.contains(&own), "{own} of {}", client.name);
    }
    let names = of_role(Role::Client).map(|node| node.name.clone());
    let told = (0..layout.clients).map(|index| layout.client_name(index));
    assert!(names.eq(told), "{:?}", layout.client_names);
}
