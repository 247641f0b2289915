//! Whether the ports of the original network are free, and who has those that are not.

use std::net::{Ipv4Addr, TcpListener};

use contract::Endpoint;
use layouts::{Layout, Plan, Ports};

use super::Check;
use crate::port_owner::owner;

pub(super) fn checks() -> Vec<Check> {
    let plan = match Plan::new(Layout::default(), Ports::Preferred) {
        Ok(plan) => plan,
        Err(error) => return vec![Check::fail("ports", error.to_string(), "use --ports auto")],
    };
    let mut taken = Vec::new();
    let mut free = 0_usize;
    for node in &plan.nodes {
        let second = node.second_port.map(|port| (Endpoint::SecondApp, port));
        let ports = node.ports.iter().map(|port| (port.endpoint, port.port)).chain(second);
        for (endpoint, port) in ports.filter(|(_, port)| *port != 0) {
            // Only a look: a node opens its port itself, and says what it got.
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                Ok(_) => free += 1,
                Err(error) => {
                    let who = owner(port).unwrap_or_else(|| error.to_string());
                    taken.push(format!("{port} ({}, {endpoint}): {who}", node.name));
                }
            }
        }
    }
    if taken.is_empty() {
        return vec![Check::ok("ports", format!("all {free} of the original network are free"))];
    }
    let found = format!("{free} are free; taken: {}", taken.join("; "));
    let mend = "nodes take others and say which; `--ports auto` always does";
    vec![Check::warn("ports", found, mend)]
}
