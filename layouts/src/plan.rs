//! Every process of a devnet with its name and its place.

use std::collections::BTreeMap;
use std::path::PathBuf;

use contract::{Change, Endpoint, Role};
use serde::{Deserialize, Serialize};

use crate::names::{CROWD, mixnode_name, provider_name};
use crate::{Layout, LayoutError, Rates, Restart};

/// Where the preferred ports of the directory, mixnodes, providers and clients begin.
const DIRECTORY_PORT: u16 = 8080;
pub(crate) const MIXNODE_PORT: u16 = 9980;
pub(crate) const PROVIDER_MIX_PORT: u16 = 4000;
const PROVIDER_CLIENTS_PORT: u16 = 9000;
pub(crate) const CLIENT_PORT: u16 = 1977;

/// Where applications of v0.5 look for a client. The first client listens there too; a second provider
/// would have it otherwise.
const SECOND_CLIENT_PORT: u16 = 9001;

/// Which ports the processes listen on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ports {
    /// The ports of the original network; where one is taken, any free one.
    #[default]
    Preferred,
    /// Any free ones.
    Auto,
    /// Exactly these, counted up from a base; one that is taken is a failure.
    Base(u16),
}

/// A port that a process should listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortPlan {
    /// What for.
    pub endpoint: Endpoint,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Whether any free one will do where it is taken.
    pub fallback: bool,
}

/// A process of the devnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePlan {
    /// Its name.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Mixnodes: their layer, from 1.
    pub layer: Option<u8>,
    /// Clients and crowd: name of their provider. The crowd's identities are all there.
    pub provider: Option<String>,
    /// Its listening sockets.
    pub ports: Vec<PortPlan>,
    /// Clients: one more port for applications, if it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_port: Option<u16>,
    /// Clients and crowd: their rates.
    pub rates: Rates,
    /// Mixnodes: whether they report their packets to the directory.
    pub metrics: bool,
    /// When it is started again.
    pub restart: Restart,
    /// Variables of its environment, besides those that it inherits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// A command to run in its place, see [`NodeLayout::command`](crate::NodeLayout::command).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
}

impl NodePlan {
    /// A node as the whole layout wants it, with what is different for this one.
    pub(crate) fn new(layout: &Layout, name: String, role: Role) -> Self {
        let own = layout.nodes.get(&name).cloned().unwrap_or_default();
        let change = Change {
            hop_delay: own.hop_delay,
            slot: own.slot,
            loop_cover: own.loop_cover,
            slot_cover: None,
            crowd: None,
        };
        Self {
            name,
            role,
            layer: None,
            provider: own.provider,
            ports: Vec::new(),
            second_port: None,
            rates: change.applied_to(layout.rates),
            metrics: own.metrics.unwrap_or(layout.metrics),
            restart: own.restart.unwrap_or(layout.restart),
            env: own.env,
            command: own.command,
        }
    }
}

/// A layout with every process named and placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The layout.
    pub layout: Layout,
    /// Its processes: directory, mixnodes by layer, providers, clients, crowd.
    pub nodes: Vec<NodePlan>,
    /// Which ports nodes get that come later.
    #[serde(default)]
    pub ports: Ports,
    /// Files that a built-in layout brings along, by name, with their contents. The supervisor writes
    /// them into its own folder, which is then the folder of the layout.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The folder of the layout's file: `{layout_dir}` in commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout_dir: Option<PathBuf>,
}

/// Why there is no plan of what was asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The layout cannot be a network.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The ports would not end before the last that there is.
    #[error(
        "ports from {base} on: {needed} are needed, and only {} are left up to {}",
        u32::from(u16::MAX) - u32::from(*base) + 1,
        u16::MAX
    )]
    Ports {
        /// The first of them.
        base: u16,
        /// How many are needed.
        needed: u16,
        /// The last base from which they are enough.
        largest_base: u16,
    },
}

impl Plan {
    /// The plan of a layout.
    pub fn new(layout: Layout, ports: Ports) -> Result<Self, PlanError> {
        layout.check()?;
        let mut next_of_base = match ports {
            Ports::Base(base) => base,
            Ports::Preferred | Ports::Auto => 0,
        };
        let mut place = |endpoint, preferred: u16| {
            let (port, fallback) = match ports {
                Ports::Preferred => (preferred, true),
                Ports::Auto => (0, true),
                Ports::Base(_) => {
                    let port = next_of_base;
                    next_of_base = next_of_base.saturating_add(1);
                    (port, false)
                }
            };
            PortPlan { endpoint, port, fallback }
        };

        let mut nodes = vec![NodePlan {
            ports: vec![place(Endpoint::Http, DIRECTORY_PORT)],
            ..NodePlan::new(&layout, "directory".into(), Role::Directory)
        }];
        let mut mixnodes = 0;
        for (layer, &width) in (1..).zip(&layout.widths) {
            for index in 1..=width {
                nodes.push(NodePlan {
                    layer: Some(layer),
                    ports: vec![place(Endpoint::Mix, MIXNODE_PORT + mixnodes)],
                    ..NodePlan::new(&layout, mixnode_name(layer, index), Role::Mixnode)
                });
                mixnodes += 1;
            }
        }
        for index in 0..layout.providers {
            nodes.push(NodePlan {
                ports: vec![
                    place(Endpoint::Mix, PROVIDER_MIX_PORT + index),
                    place(Endpoint::Clients, provider_clients_port(index)),
                ],
                ..NodePlan::new(&layout, provider_name(index), Role::Provider)
            });
        }
        for index in 0..layout.clients {
            let mut node = NodePlan::new(&layout, layout.client_name(index), Role::Client);
            node.provider.get_or_insert_with(|| provider_name(index % layout.providers));
            node.ports = vec![place(Endpoint::App, CLIENT_PORT + index)];
            if index == 0 && ports == Ports::Preferred {
                node.second_port = Some(SECOND_CLIENT_PORT);
            }
            nodes.push(node);
        }
        if layout.crowd > 0 {
            let mut node = NodePlan::new(&layout, CROWD.into(), Role::Crowd);
            node.provider.get_or_insert_with(|| provider_name(0));
            nodes.push(node);
        }
        let plan = Self { layout, nodes, ports, files: BTreeMap::new(), layout_dir: None };
        plan.check_ports(ports)?;
        Ok(plan)
    }

    fn check_ports(&self, ports: Ports) -> Result<(), PlanError> {
        let Ports::Base(base) = ports else { return Ok(()) };
        let needed: usize = self.nodes.iter().map(|node| node.ports.len()).sum();
        let needed = u16::try_from(needed).expect("a checked layout has some 400 ports at most");
        let largest_base = u16::MAX - (needed - 1);
        if base > largest_base {
            return Err(PlanError::Ports { base, needed, largest_base });
        }
        Ok(())
    }

    /// The rates.
    pub fn rates(&self) -> Rates {
        self.layout.rates
    }
}

/// Leaves out the port that is the first client's.
pub(crate) fn provider_clients_port(index: u16) -> u16 {
    let port = PROVIDER_CLIENTS_PORT + index;
    if port >= SECOND_CLIENT_PORT { port + 1 } else { port }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_by_three_has_the_processes_of_the_readme() {
        let layout = Layout { widths: vec![2; 3], ..Layout::default() };
        let plan = Plan::new(layout, Ports::Preferred).expect("a network");
        let names: Vec<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "directory",
                "mix-1-1",
                "mix-1-2",
                "mix-2-1",
                "mix-2-2",
                "mix-3-1",
                "mix-3-2",
                "provider-1",
                "alice",
                "bob",
                "crowd"
            ]
        );
        assert_eq!(plan.nodes[6].ports[0].port, 9985);
        assert!(plan.nodes.iter().flat_map(|node| &node.ports).all(|port| port.fallback));
    }

    #[test]
    fn preferred_ports_are_all_different_and_the_first_client_has_two() {
        let layout = Layout { providers: 4, clients: 3, ..Layout::default() };
        let plan = Plan::new(layout.clone(), Ports::Preferred).expect("a network");
        let second: Vec<(&str, u16)> = plan
            .nodes
            .iter()
            .filter_map(|node| Some((node.name.as_str(), node.second_port?)))
            .collect();
        assert_eq!(second, [("alice", 9001)]);
        let first = plan.nodes.iter().flat_map(|node| &node.ports).map(|port| port.port);
        let mut all: Vec<u16> = first.chain(second.iter().map(|(_, port)| *port)).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "{all:?}");
        for ports in [Ports::Auto, Ports::Base(20_000)] {
            let plan = Plan::new(layout.clone(), ports).expect("a network");
            assert!(plan.nodes.iter().all(|node| node.second_port.is_none()));
        }
    }

    #[test]
    fn ports_from_a_base_are_all_different_and_insisted_on() {
        let plan = Plan::new(Layout::default(), Ports::Base(20_000)).expect("a network");
        let ports: Vec<u16> =
            plan.nodes.iter().flat_map(|node| &node.ports).map(|port| port.port).collect();
        assert_eq!(ports, (20_000..20_008).collect::<Vec<u16>>());
        assert!(plan.nodes.iter().flat_map(|node| &node.ports).all(|port| !port.fallback));
    }

    #[test]
    fn ports_that_would_not_end_before_the_last_are_refused() {
        let last = Plan::new(Layout::default(), Ports::Base(65_528)).expect("eight are left");
        assert_eq!(last.nodes[last.nodes.len() - 2].ports[0].port, u16::MAX);
        let error = Plan::new(Layout::default(), Ports::Base(65_529)).expect_err("seven are left");
        assert_eq!(
            error,
            PlanError::Ports { base: 65_529, needed: 8, largest_base: 65_528 },
            "{error}"
        );
        assert_eq!(
            error.to_string(),
            "ports from 65529 on: 8 are needed, and only 7 are left up to 65535"
        );
        let most = Layout {
            widths: vec![crate::MAX_WIDTH; crate::MAX_LAYERS.into()],
            providers: crate::MAX_PROVIDERS,
            clients: crate::MAX_CLIENTS,
            ..Layout::default()
        };
        assert!(Plan::new(most, Ports::Base(u16::MAX)).is_err(), "and it can be counted");
    }

    #[test]
    fn there_is_no_plan_of_what_cannot_be_a_network() {
        let layout = Layout { providers: 0, ..Layout::default() };
        let error = Plan::new(layout, Ports::Auto).expect_err("refused");
        assert!(matches!(error, PlanError::Layout(_)), "{error}");
    }
}
