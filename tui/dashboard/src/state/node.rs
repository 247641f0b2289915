//! A process as the event stream describes it, with the rates that follow from what it counted.

use std::collections::BTreeMap;

use contract::{NodeMetrics, Role, Time};
use control::{NodeStatus, ProcessUsage};

use super::{Counter, Link, Meter};

/// A process.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Its state.
    pub(crate) status: NodeStatus,
    /// Its latest counters.
    pub(crate) metrics: Option<NodeMetrics>,
    /// What it uses.
    pub(crate) usage: Option<ProcessUsage>,
    /// Packets that it took. Of a mixnode: as the directory reports it.
    pub(crate) received: Meter,
    /// Packets that it passed on. Of a mixnode: as the directory reports it.
    pub(crate) sent: Meter,
    /// Packets that left on each link, by name of the next hop. Of a mixnode: as the directory
    /// reports it; of others: as seen on the links.
    pub(crate) links: BTreeMap<String, Link>,
    /// The counters behind `received` and `sent`, where they are counters.
    counters: [Counter; 2],
}

impl Node {
    pub(super) fn new(status: NodeStatus) -> Self {
        Self {
            status,
            metrics: None,
            usage: None,
            received: Meter::default(),
            sent: Meter::default(),
            links: BTreeMap::new(),
            counters: <[Counter; 2]>::default(),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.status.name
    }

    /// A mixnode that does not tell the directory what it does: its rates are unknown, not zero.
    pub(crate) fn reports_no_metrics(&self) -> bool {
        let reports = self.metrics.as_ref().and_then(|metrics| metrics.reports_metrics);
        reports == Some(false)
    }

    /// What the supervisor says of it. Its figures are kept only while the process is the same.
    pub(super) fn update(&mut self, status: NodeStatus) {
        if self.status.pid != status.pid {
            self.process_changed();
        }
        self.status = status;
    }

    /// What the process before counted and used says nothing about this one. The curves stay: they
    /// show what was.
    fn process_changed(&mut self) {
        self.metrics = None;
        self.usage = None;
        self.counters.iter_mut().for_each(Counter::end);
        self.received.end();
        self.sent.end();
        self.links.values_mut().for_each(Link::end);
    }

    /// The process reported its counters. A mixnode's rates come from the directory, so that the
    /// screen shows what the directory knows.
    pub(super) fn report(&mut self, metrics: NodeMetrics) {
        if self.status.role != Role::Mixnode {
            let [received, sent] = &mut self.counters;
            received.read(metrics.t, metrics.received);
            sent.read(metrics.t, metrics.sent);
            self.received = received.meter().clone();
            self.sent = sent.meter().clone();
            self.count_links(metrics.t);
        }
        self.metrics = Some(metrics);
    }

    /// What was counted on each link since it was counted last is what passed until now.
    pub(super) fn count_links(&mut self, at: Time) {
        self.links.values_mut().for_each(|link| link.count(at));
    }

    /// The link to a process. One that is new carried nothing while the process has been counting.
    pub(super) fn link(&mut self, next: &str) -> &mut Link {
        if !self.links.contains_key(next) {
            self.links.insert(next.to_owned(), Link::beside(&self.sent));
        }
        self.links.get_mut(next).expect("it was there or has been put there")
    }
}
