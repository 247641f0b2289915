//! A devnet to measure, in a folder of its own.
#![allow(dead_code, reason = "each benchmark uses its own part of this")]

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A running network. It goes down with this.
pub(crate) struct Devnet {
    state: TempDir,
    status: Value,
}

impl Devnet {
    /// Starts one, and waits until all of it is ready.
    pub(crate) fn up(options: &str) -> Self {
        let state = tempfile::Builder::new().prefix("nym").tempdir_in("/tmp").expect("a folder");
        let mut devnet = Self { state, status: Value::Null };
        devnet.run(&format!("up {options} --ports auto --detach"));
        devnet.status = serde_json::from_str(&devnet.run("status -o json")).expect("JSON");
        devnet
    }

    /// Where it keeps its files.
    pub(crate) fn folder(&self) -> &Path {
        self.state.path()
    }

    /// What `status` says of the nodes with this role.
    pub(crate) fn nodes(&self, role: &str) -> impl Iterator<Item = &Value> {
        let nodes = self.status["data"]["nodes"].as_array().expect("a list");
        nodes.iter().filter(move |node| node["role"] == role)
    }

    /// Runs the program to its end; returns what it printed.
    fn run(&self, arguments: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_nym-devnet"))
            .args(arguments.split_whitespace())
            .env("NYM_DEVNET_STATE_DIR", self.folder())
            .stdin(Stdio::null())
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        // Also where a measurement has failed.
        if !self.status.is_null() {
            self.run("down");
        }
    }
}
