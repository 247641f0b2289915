//! A node that somebody starts by hand, without a supervisor: `nym-mixnode init`, then
//! `nym-mixnode run`, as with the Nym programs of 2020.
//!
//! [`start`] is such a program's `main`; what is particular to it is a [`Program`]: its flags, the
//! keys of its config file ([`Config`]), and how it runs. A flag overrides the file, the file
//! the default. Nothing here runs in a devnet.

mod address;
mod banner;
mod clash;
mod config;
mod home;
mod init;
mod namesake;
mod node;
mod program;
mod values;

pub use address::{Address, AddressFlags, Announce, Host};
pub use clash::{Clash, FlagsDiffer};
pub use config::{Config, ConfigError, Key, Keys, read as read_config, render as render_config};
pub use home::{Home, HomeError, make_private_folder};
pub use node::NodeConfig;
pub use program::{Program, Run, start};
pub use values::{BadValue, DirectoryUrl, FilePath, Id, Limited, Location};
