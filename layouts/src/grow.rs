//! Changing a plan while its devnet runs: one more node, one less, other rates, another crowd.
//!
//! Nothing is changed unless all of it can be, and what would be no network any more is refused.

use contract::{Change, Endpoint, Role};

use crate::names::{CROWD, NameError, check_client_name, client_name, mixnode_name, provider_name};
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
        node.provider = self.present(node.provider).or_else(|| self.provider_with_fewest());
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
                let mut node = NodePlan::new(&layout, CROWD.into(), Role::Crowd);
                let first = self.nodes.iter().find(|node| node.role == Role::Provider);
                let named = self.present(node.provider);
                node.provider = named.or_else(|| first.map(|provider| provider.name.clone()));
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

    /// The provider that the layout names for a client, if it was not removed.
    fn present(&self, provider: Option<String>) -> Option<String> {
        provider.filter(|name| self.nodes.iter().any(|node| node.name == *name))
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
mod tests;
