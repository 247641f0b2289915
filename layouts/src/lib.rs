//! What a devnet looks like: a [`Layout`] says how many of what, a [`Plan`] gives every process its
//! name and its place.

mod layout;
mod plan;
mod profile;
mod restart;

pub use contract::Rates;
pub use layout::{
    Layout, LayoutError, MAX_CLIENTS, MAX_CROWD, MAX_LAYERS, MAX_PROVIDERS, MAX_WIDTH, NodeLayout,
};
pub use plan::{
    NodePlan, Plan, PlanError, PortPlan, Ports, client_name, mixnode_name, provider_name,
};
pub use profile::Profile;
pub use restart::Restart;
