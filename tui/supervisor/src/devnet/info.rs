//! What is told of a devnet and its nodes before anything has happened, and when its plan changes.

use std::collections::BTreeMap;
use std::time::Duration;

use control::{DevnetInfo, NodeStatus};
use layouts::{Layout, NodePlan};

use crate::clock::Moment;
use crate::folder::Folder;
use crate::process::Process;
use crate::spec::Spec;

/// What is known of a node before its first process.
pub(super) fn first_status(
    plan: &NodePlan,
    process: &Process,
    folder: &Folder,
    now: Moment,
) -> NodeStatus {
    NodeStatus {
        name: plan.name.clone(),
        role: plan.role,
        layer: plan.layer,
        state: process.state(),
        reason: process.reason().into(),
        since_unix_ms: now.unix_ms(),
        pid: None,
        started_unix_ms: None,
        restarts: 0,
        last_exit: None,
        fatal: None,
        addresses: BTreeMap::new(),
        public_keys: Vec::new(),
        address: None,
        log_file: folder.log(&plan.name),
    }
}

/// What a devnet is when it begins.
pub(super) fn devnet_info(
    spec: &Spec,
    folder: &Folder,
    now: Moment,
    notices: Vec<String>,
) -> DevnetInfo {
    let layout = &spec.plan.layout;
    let mut info = DevnetInfo {
        name: spec.name.clone(),
        supervisor_pid: std::process::id(),
        folder: folder.path().into(),
        started_unix_ms: now.unix_ms(),
        layers: layout.layers(),
        widths: Vec::new(),
        clients: 0,
        crowd: 0,
        profile: String::new(),
        hop_delay_ms: 0.0,
        slot_ms: 0.0,
        loop_cover_ms: 0.0,
        slot_cover: true,
        acks: layout.acks,
        trace: layout.trace,
        cores: std::thread::available_parallelism()
            .map_or(0, |cores| cores.get().try_into().unwrap_or(u16::MAX)),
        faithful: layout.faithful,
        seed: layout.seed,
        resumed: false,
        attached: true,
        control_address: None,
        notices,
    };
    describe(layout, &mut info);
    info
}

/// What of a devnet may change while it runs.
pub(super) fn describe(layout: &Layout, info: &mut DevnetInfo) {
    let milliseconds = |duration: Duration| duration.div_duration_f64(Duration::from_millis(1));
    info.widths.clone_from(&layout.widths);
    info.clients = layout.clients;
    info.crowd = layout.crowd;
    info.profile = layout.profile_name();
    info.hop_delay_ms = milliseconds(layout.rates.hop_delay);
    info.slot_ms = milliseconds(layout.rates.slot);
    info.loop_cover_ms = milliseconds(layout.rates.loop_cover);
    info.slot_cover = layout.rates.slot_cover;
}
