//! Changing a plan while its devnet runs: one more node, one less, other rates, another crowd.
//!
//! Nothing is changed unless all of it can be, and what would be no network any more is refused.

use contract::{Change, Endpoint, Role};

use crate::names::{NameError, check_client_name, client_name, mixnode_name, provider_name};
use crate::plan::{
    CLIENT_PORT, MIXNODE_PORT, NodePlan, PROVIDER_MIX_PORT, Plan, PortPlan, Ports,
    provider_clients_port,
};
use crate::{Layout, LayoutError};

/// Why a plan cannot be changed like that.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrowError {
    /// More or other than there can be.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// There is no such layer.
    #[error("there is no layer {layer}; the network has {layers}")]
    Layer {
        /// What was asked for.
        layer: u8,
        /// How many there are.
        layers: u8,
    },
    /// A client cannot be called that.
    #[error("`{name}` cannot be the name of a client: {reason}")]
    Name {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        reason: NameError,
    },
    /// A node has that name, or is just leaving with it.
    #[error("there is a node named `{0}` already")]
    NameInUse(String),
    /// Ports were counted up from a base, and none is left.
    #[error("no port is left from {0} on")]
    Ports(u16),
    /// No node has that name.
    #[error("there is no node named `{0}`")]
    NoSuchNode(String),
    /// Everybody asks the directory.
    #[error("the directory cannot be removed: without it no node finds another")]
    Directory,
    /// A layer would be empty.
    #[error("`{name}` is the only mixnode of layer {layer}: without it no packet passes")]
    LastMixnode {
        /// Its name.
        name: String,
        /// Its layer.
        layer: u8,
    },
    /// There would be none.
    #[error("`{0}` is the only provider: without it nobody gets messages")]
    LastProvider(String),
    /// Their messages are there.
    #[error("`{name}` is the provider of {}", clients.join(", "))]
    HasClients {
        /// Its name.
        name: String,
        /// Who has it.
        clients: Vec<String>,
    },
}

impl GrowError {
    /// What the reader can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::LastMixnode { layer, .. } => {
                format!("add another first: `nym-devnet add mix --layer {layer}`")
            }
            Self::LastProvider(_) => "add another first: `nym-devnet add provider`".into(),
            Self::HasClients { clients, .. } => {
                format!("remove them first: `nym-devnet remove {}`", clients.join(" "))
            }
            Self::Directory => "`nym-devnet down` stops the whole devnet".into(),
            Self::NameInUse(_) => "take another name, or wait until that node is gone".into(),
            Self::Name { .. } => "such as `carol` or `client-7`".into(),
            Self::Ports(_) => "start the devnet with a lower --ports base:PORT".into(),
            Self::Layout(_) | Self::Layer { .. } | Self::NoSuchNode(_) => return None,
        })
    }
}

impl NodePlan {
    /// By this nodes are ordered in a plan. Clients are in the order in which they came.
    pub fn order(&self) -> (u8, u8, u16) {
        let rank = match self.role {
            Role::Directory => 0,
            Role::Mixnode => 1,
            Role::Provider => 2,
            Role::Client => 3,
            Role::Crowd => 4,
        };
        let number = match self.role {
            Role::Mixnode | Role::Provider => {
                self.name.rsplit('-').next().and_then(|number| number.parse().ok())
            }
            Role::Directory | Role::Client | Role::Crowd => None,
        };
        (rank, self.layer.unwrap_or_default(), number.unwrap_or_default())
    }
}

impl Plan {
    /// One more mixnode, with the first number of its layer that is free. Nodes that were removed and
    /// still run have their names and ports until they are gone.
    pub fn add_mixnode(&mut self, layer: u8, gone: &[NodePlan]) -> Result<NodePlan, GrowError> {
        let mut layout = self.layout.clone();
        let layers = layout.layers();
        let width = layer.checked_sub(1).and_then(|at| layout.widths.get_mut(usize::from(at)));
        *width.ok_or(GrowError::Layer { layer, layers })? += 1;
        layout.check()?;
        let name = self.free_name(gone, |number| mixnode_name(layer, number + 1));
        let port = self.free_port(gone, Endpoint::Mix, |number| MIXNODE_PORT + number)?;
        let ports = vec![port];
        let node = NodePlan::new(&layout, name, Role::Mixnode);
        Ok(self.put(layout, NodePlan { layer: Some(layer), ports, ..node }))
    }

    /// One more provider.
    pub fn add_provider(&mut self, gone: &[NodePlan]) -> Result<NodePlan, GrowError> {
        let mut layout = self.layout.clone();
        layout.providers += 1;
        layout.check()?;
        let name = self.free_name(gone, provider_name);
        let mix = self.free_port(gone, Endpoint::Mix, |number| PROVIDER_MIX_PORT + number)?;
        let taken = [gone, &[NodePlan { ports: vec![mix], ..self.nodes[0].clone() }]].concat();
        let clients = self.free_port(&taken, Endpoint::Clients, provider_clients_port)?;
        let node = NodePlan::new(&layout, name, Role::Provider);
        Ok(self.put(layout, NodePlan { ports: vec![mix, clients], ..node }))
    }

    /// One more client of the provider that has the fewest; with the first usual name that is free if
    /// nobody names one.
    pub fn add_client(
        &mut self,
        name: Option<&str>,
        gone: &[NodePlan],
    ) -> Result<NodePlan, GrowError> {
        let mut layout = self.layout.clone();
        layout.clients += 1;
        layout.check()?;
        let name = match name {
            Some(name) => {
                let refuse = |reason| GrowError::Name { name: name.into(), reason };
                check_client_name(name).map_err(refuse)?;
                if self.nodes.iter().chain(gone).any(|node| node.name == name) {
                    return Err(GrowError::NameInUse(name.into()));
                }
                name.into()
            }
            None => self.free_name(gone, client_name),
        };
        let port = self.free_port(gone, Endpoint::App, |number| CLIENT_PORT + number)?;
        let mut node = NodePlan::new(&layout, name, Role::Client);
        node.provider = node.provider.or_else(|| self.provider_with_fewest());
        let node = self.put(layout, NodePlan { ports: vec![port], ..node });
        self.name_clients();
        Ok(node)
    }

    /// One node less.
    pub fn remove(&mut self, name: &str) -> Result<NodePlan, GrowError> {
        let index = self.nodes.iter().position(|node| node.name == name);
        let index = index.ok_or_else(|| GrowError::NoSuchNode(name.into()))?;
        let node = &self.nodes[index];
        let layout = &mut self.layout;
        match node.role {
            Role::Directory => return Err(GrowError::Directory),
            Role::Mixnode => {
                let layer = node.layer.unwrap_or_default();
                let at = usize::from(layer.saturating_sub(1));
                match layout.widths.get_mut(at) {
                    Some(width) if *width > 1 => *width -= 1,
                    _ => return Err(GrowError::LastMixnode { name: name.into(), layer }),
                }
            }
            Role::Provider => {
                let clients = self.nodes.iter().filter(|n| n.provider.as_deref() == Some(name));
                let clients: Vec<String> = clients.map(|client| client.name.clone()).collect();
                if layout.providers <= 1 {
                    return Err(GrowError::LastProvider(name.into()));
                }
                if !clients.is_empty() {
                    return Err(GrowError::HasClients { name: name.into(), clients });
                }
                layout.providers -= 1;
            }
            Role::Client => layout.clients = layout.clients.saturating_sub(1),
            Role::Crowd => layout.crowd = 0,
        }
        // Whoever gets the name next is a node like all others.
        layout.nodes.remove(name);
        let node = self.nodes.remove(index);
        self.name_clients();
        Ok(node)
    }

    /// Other rates, or another crowd. What the layout says of a single client goes on for that client.
    pub fn set(&mut self, change: Change) -> Result<(), GrowError> {
        let mut layout = self.layout.clone();
        layout.rates = change.applied_to(layout.rates);
        layout.crowd = change.crowd.unwrap_or(layout.crowd);
        layout.check()?;
        for node in &mut self.nodes {
            node.rates = NodePlan::new(&layout, node.name.clone(), node.role).rates;
        }
        let crowd = self.nodes.iter().position(|node| node.role == Role::Crowd);
        match crowd {
            Some(index) if layout.crowd == 0 => drop(self.nodes.remove(index)),
            None if layout.crowd > 0 => {
                let mut node = NodePlan::new(&layout, "crowd".into(), Role::Crowd);
                let first = self.nodes.iter().find(|node| node.role == Role::Provider);
                node.provider =
                    node.provider.or_else(|| first.map(|provider| provider.name.clone()));
                self.nodes.push(node);
            }
            _ => {}
        }
        self.layout = layout;
        Ok(())
    }

    /// Puts a node into its place.
    fn put(&mut self, layout: Layout, node: NodePlan) -> NodePlan {
        self.layout = layout;
        let at = self.nodes.partition_point(|other| other.order() <= node.order());
        self.nodes.insert(at, node.clone());
        node
    }

    fn free_name(&self, gone: &[NodePlan], name: impl Fn(u16) -> String) -> String {
        let is_free = |name: &String| self.nodes.iter().chain(gone).all(|node| node.name != *name);
        let names = (0..u16::MAX).map(name);
        names.into_iter().find(is_free).expect("a checked layout has some 400 nodes at most")
    }

    /// The first preferred port that no node was told to take.
    fn free_port(
        &self,
        gone: &[NodePlan],
        endpoint: Endpoint,
        preferred: impl Fn(u16) -> u16,
    ) -> Result<PortPlan, GrowError> {
        let planned = || self.nodes.iter().chain(gone);
        let is_free = |port: &u16| {
            planned().all(|node| {
                node.second_port != Some(*port) && node.ports.iter().all(|own| own.port != *port)
            })
        };
        // As many as there can be nodes with two ports each, and more.
        let found = match self.ports {
            Ports::Auto => return Ok(PortPlan { endpoint, port: 0, fallback: true }),
            Ports::Preferred => (0..1000).map(preferred).find(is_free),
            Ports::Base(base) => (base..=u16::MAX).find(is_free),
        };
        match (found, self.ports) {
            (Some(port), ports) => {
                Ok(PortPlan { endpoint, port, fallback: ports == Ports::Preferred })
            }
            (None, Ports::Base(base)) => Err(GrowError::Ports(base)),
            (None, _) => Ok(PortPlan { endpoint, port: 0, fallback: true }),
        }
    }

    fn provider_with_fewest(&self) -> Option<String> {
        let providers = self.nodes.iter().filter(|node| node.role == Role::Provider);
        let clients = |name: &str| {
            self.nodes.iter().filter(|node| node.provider.as_deref() == Some(name)).count()
        };
        providers.map(|node| &node.name).min_by_key(|name| clients(name)).cloned()
    }

    /// The layout calls clients what they are called now.
    fn name_clients(&mut self) {
        let clients = self.nodes.iter().filter(|node| node.role == Role::Client);
        let names: Vec<String> = clients.map(|node| node.name.clone()).collect();
        let usual = (0..self.layout.clients).map(client_name);
        self.layout.client_names = if usual.eq(names.iter().cloned()) { Vec::new() } else { names };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
}
