//! What a devnet looks like: a [`Layout`] says how many of what, a [`Plan`] gives every process its
//! name and its place.
//!
//! A layout comes from a [`Source`], a TOML file or one that is built in, and from [`Override`]s, what
//! flags and variables say. [`resolve`] puts them together, and says where what is wrong stands.

mod builtin;
mod fault;
mod file;
mod grow;
mod kinds;
mod layout;
mod load;
mod names;
mod overrides;
mod plan;
mod profile;
mod reading;
mod resolve;
mod restart;
mod schema;
mod source;
mod value;
mod variables;

pub use contract::Rates;
pub use fault::{LayoutFault, nearest};
pub use grow::GrowError;
pub use layout::{
    Layout, LayoutError, MAX_CLIENTS, MAX_CROWD, MAX_LAYERS, MAX_PROVIDERS, MAX_WIDTH, NodeLayout,
};
pub use load::Load;
pub use names::{NameError, check_client_name, client_name, mixnode_name, provider_name};
pub use overrides::Override;
pub use plan::{NodePlan, Plan, PlanError, PortPlan, Ports};
pub use profile::Profile;
pub use resolve::{Resolved, resolve};
pub use restart::Restart;
pub use schema::{reference, schema};
pub use source::{Source, SourceError};
pub use variables::Variables;
