//! Packets per second of each node: from the directory's history before the stream was heard, and
//! from the stream since.
//!
//! Both count the same reports, so of a step that both know, the one that counted more saw more, and
//! nothing is counted twice, in whatever order they arrive: there is no seam.

use std::collections::BTreeMap;

use control::History;

use super::ring::{COARSE, Ring, Window};
use crate::state::as_f64;

/// Steps of one second that are kept: the window of five minutes.
const SECONDS: usize = 300;

/// Steps of ten seconds that are kept: the window of an hour.
const TENS: usize = 360;

/// Over how many seconds the rate of a second is: the window of every other rate on the screen. A
/// Poisson stream of a few packets a second would jump about.
const SMOOTHED: i64 = 5;

/// Reports come once a second. After three missing ones the rate is unknown, not zero.
const CARRIED: i64 = 3;

/// Which packets of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Those that it took.
    In,
    /// Those that it passed on.
    Out,
}

/// What was counted in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    received: u32,
    sent: u32,
    /// How many reports said so, each of the second before it; none is not zero packets.
    reports: u32,
}

impl Counts {
    fn packets(self) -> u64 {
        u64::from(self.received) + u64::from(self.sent)
    }

    fn of(self, flow: Flow) -> u64 {
        match flow {
            Flow::In => self.received.into(),
            Flow::Out => self.sent.into(),
        }
    }
}

/// What was passed on to a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PassedOn {
    /// Packets that others sent there.
    pub(crate) towards: u64,
    /// Packets that it took.
    pub(crate) taken: u64,
    /// For how many seconds it told so.
    pub(crate) seconds: u64,
    /// Seconds of a step: so far apart may be what the two tell of.
    pub(crate) step: u64,
}

/// A step of a node.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    /// What the stream told.
    live: Counts,
    /// What the history told.
    told: Counts,
    /// Packets that others passed on to the node; only the stream tells that.
    towards: u32,
}

impl Cell {
    fn known(&self) -> Counts {
        let Self { live, told, .. } = *self;
        let more = live.reports == 0 || told.packets() > live.packets();
        if told.reports > 0 && more { told } else { live }
    }
}

#[derive(Clone, Debug)]
struct Series {
    fine: Ring<Cell>,
    coarse: Ring<Cell>,
}

impl Default for Series {
    fn default() -> Self {
        Self { fine: Ring::new(1, SECONDS), coarse: Ring::new(COARSE, TENS) }
    }
}

/// Packets per second by node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates(BTreeMap<String, Series>);

fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Rates {
    fn series(&mut self, node: &str) -> &mut Series {
        if !self.0.contains_key(node) {
            self.0.insert(node.to_owned(), Series::default());
        }
        // An entry would need the name to be copied at each report.
        self.0.get_mut(node).expect("it was just inserted")
    }

    /// A node reported what it took and passed on since its report before.
    pub(super) fn report(&mut self, node: &str, second: i64, received: u64, sent: u64) {
        let Series { fine, coarse } = self.series(node);
        for cell in [fine.record(second), coarse.record(second)] {
            let live = &mut cell.live;
            live.received = live.received.saturating_add(small(received));
            live.sent = live.sent.saturating_add(small(sent));
            live.reports = live.reports.saturating_add(1);
        }
    }

    /// Others passed packets on to a node.
    pub(super) fn towards(&mut self, node: &str, second: i64, count: u64) {
        let Series { fine, coarse } = self.series(node);
        for cell in [fine.record(second), coarse.record(second)] {
            cell.towards = cell.towards.saturating_add(small(count));
        }
    }

    pub(super) fn forget(&mut self, node: &str) {
        self.0.remove(node);
    }

    /// Takes over what the directory told. Steps of another length than ours are of no use.
    pub(super) fn recall(&mut self, history: &History, is_known: impl Fn(&str) -> bool) {
        let (step, since) = (history.step_s, history.since_unix_ms / 1000);
        let (Ok(length), Ok(since)) = (i64::try_from(step), i64::try_from(since)) else { return };
        for node in history.nodes.iter().filter(|node| is_known(&node.node)) {
            let series = self.series(&node.node);
            let ring = match step {
                1 => &mut series.fine,
                COARSE => &mut series.coarse,
                _ => return,
            };
            let steps = node.received.iter().zip(&node.sent);
            for (second, (received, sent)) in (0..).map(|step| since + step * length).zip(steps) {
                let (Some(received), Some(sent)) = (received, sent) else { continue };
                let Some(cell) = ring.recall(second) else { continue };
                let reports = small(step);
                cell.told = Counts { received: small(*received), sent: small(*sent), reports };
            }
        }
    }

    /// Packets per second of these nodes together over a window that ends now, oldest first: by
    /// seconds, or of the hour by ten of them. A moment of which no node is known has none.
    pub(crate) fn curve<'a>(
        &self,
        nodes: impl IntoIterator<Item = &'a str>,
        flow: Flow,
        window: Window,
        now: i64,
    ) -> Vec<Option<f64>> {
        let seconds = usize::try_from(window.seconds()).unwrap_or(SECONDS);
        let points = if window == Window::Hour { TENS } else { seconds };
        let mut sum = vec![None; points];
        for series in nodes.into_iter().filter_map(|node| self.0.get(node)) {
            match window {
                Window::Minute | Window::FiveMinutes => series.add_seconds(flow, now, &mut sum),
                Window::Hour => series.add_tens(flow, now, &mut sum),
            }
        }
        sum
    }

    /// Packets per second that a node took between two seconds, both included; none if it reported
    /// nothing in this time.
    pub(crate) fn mean(&self, node: &str, since: i64, until: i64) -> Option<f64> {
        let fine = &self.0.get(node)?.fine;
        let cells = (since..=until).filter_map(|second| fine.get(second)).map(Cell::known);
        let (received, reports) = cells.fold((0, 0), |(received, reports), counts| {
            (received + u64::from(counts.received), reports + u64::from(counts.reports))
        });
        (reports > 0).then(|| as_f64(received) / as_f64(reports))
    }

    /// What others passed on to a node and what it took, in the part of a window of which the stream
    /// told both.
    pub(crate) fn passed_on(&self, node: &str, window: Window, now: i64) -> PassedOn {
        let mut sum = PassedOn { step: window.step(), ..PassedOn::default() };
        let Some(series) = self.0.get(node) else { return sum };
        let ring = if window == Window::Hour { &series.coarse } else { &series.fine };
        for cell in ring.window(window, now).filter(|cell| cell.live.reports > 0) {
            sum.towards += u64::from(cell.towards);
            sum.taken += u64::from(cell.live.received);
            sum.seconds += u64::from(cell.live.reports);
        }
        sum
    }

    /// The first second of a window of which anything is known.
    pub(crate) fn known_since(&self, window: Window, now: i64) -> Option<i64> {
        let length = i64::try_from(window.seconds()).unwrap_or(i64::MAX);
        let step = i64::try_from(window.step()).unwrap_or(1);
        let firsts = self.0.values().filter_map(|series| {
            let ring = if window == Window::Hour { &series.coarse } else { &series.fine };
            let known = ring.iter().find(|(_, cell)| cell.known().reports > 0);
            known.map(|(number, _)| number.saturating_mul(step))
        });
        firsts.min().map(|first| first.max(now.saturating_sub(length)))
    }
}

impl Series {
    /// Adds the rate of each second, smoothed over those before it.
    fn add_seconds(&self, flow: Flow, now: i64, sum: &mut [Option<f64>]) {
        let points = i64::try_from(sum.len()).unwrap_or(0);
        let first = now - points + 1;
        let get = |second| self.fine.get(second).map(Cell::known).unwrap_or_default();
        let (mut packets, mut reports) = (0, 0);
        let (mut begin, mut latest) = (first, None);
        for second in first - SMOOTHED..=now {
            let counts = get(second);
            if counts.reports > 0 {
                if latest.is_none_or(|latest| second - latest > CARRIED) {
                    // Silence is not averaged into what comes after it.
                    (packets, reports, begin) = (0, 0, second);
                }
                latest = Some(second);
                packets += counts.of(flow);
                reports += u64::from(counts.reports);
                while second - begin >= SMOOTHED {
                    let old = get(begin);
                    packets -= old.of(flow);
                    reports -= u64::from(old.reports);
                    begin += 1;
                }
            }
            let is_known = latest.is_some_and(|latest| second - latest <= CARRIED) && reports > 0;
            let point = usize::try_from(second - first).ok().and_then(|at| sum.get_mut(at));
            if let (true, Some(point)) = (is_known, point) {
                let rate = as_f64(packets) / as_f64(reports);
                *point = Some(point.unwrap_or(0.0) + rate);
            }
        }
    }

    /// Adds the rate of each whole step of ten seconds; the present one still fills.
    fn add_tens(&self, flow: Flow, now: i64, sum: &mut [Option<f64>]) {
        let first = self.coarse.step(now) - i64::try_from(sum.len()).unwrap_or(0);
        for (step, point) in (first..).zip(sum) {
            let counts = self.coarse.get(step).map(Cell::known).unwrap_or_default();
            if counts.reports > 0 {
                let rate = as_f64(counts.of(flow)) / f64::from(counts.reports);
                *point = Some(point.unwrap_or(0.0) + rate);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use control::NodeHistory;

    use super::*;

    fn history(since: u64, step_s: u64, counts: &[Option<u64>]) -> History {
        let counts = counts.to_vec();
        let node = NodeHistory { node: "m".into(), received: counts.clone(), sent: counts };
        History { since_unix_ms: since * 1000, step_s, nodes: vec![node] }
    }

    fn minute(rates: &Rates, now: i64) -> Vec<Option<f64>> {
        rates.curve(["m"], Flow::In, Window::Minute, now)
    }

    /// 60 packets a second: until 1030 the history tells, from 1025 on the stream.
    #[test]
    fn history_and_stream_join_without_a_seam_in_whatever_order() {
        let told = history(990, 1, &[Some(60); 41]);
        let streamed =
            |rates: &mut Rates| (1025..=1049).for_each(|at| rates.report("m", at, 60, 60));
        let mut first = Rates::default();
        first.recall(&told, |_| true);
        streamed(&mut first);
        let mut last = Rates::default();
        streamed(&mut last);
        last.recall(&told, |_| true);
        // Asked for twice.
        last.recall(&told, |_| true);
        for rates in [first, last] {
            let curve = minute(&rates, 1049);
            assert_eq!(curve, vec![Some(60.0); 60]);
            assert_eq!(rates.known_since(Window::FiveMinutes, 1049), Some(990));
            assert_eq!(rates.known_since(Window::Minute, 1049), Some(990));
        }
    }

    #[test]
    fn a_second_of_which_the_stream_saw_half_is_as_the_history_tells_it() {
        let mut rates = Rates::default();
        rates.report("m", 1000, 25, 25);
        rates.recall(&history(1000, 1, &[Some(50), Some(10)]), |_| true);
        // The second that still filled when the history was read goes on.
        (0..2).for_each(|_| rates.report("m", 1001, 25, 25));
        assert_eq!(rates.mean("m", 1000, 1000), Some(50.0));
        assert_eq!(rates.mean("m", 1001, 1001), Some(25.0));
        assert_eq!(rates.mean("m", 1002, 1050), None);
    }

    #[test]
    fn silence_is_a_gap_and_zero_packets_are_not() {
        let mut rates = Rates::default();
        (1000..1010).for_each(|at| rates.report("m", at, 0, 0));
        (1020..1030).for_each(|at| rates.report("m", at, 40, 0));
        let curve = minute(&rates, 1040);
        let at = |second: usize| curve[second - 981];
        assert_eq!([at(999), at(1000), at(1012)], [None, Some(0.0), Some(0.0)]);
        assert_eq!([at(1013), at(1019)], [None, None], "no report for longer than three seconds");
        assert_eq!([at(1020), at(1029), at(1032)], [Some(40.0); 3], "nothing of the zeros before");
        assert_eq!(at(1033), None);
    }

    #[test]
    fn two_reports_in_a_second_and_none_in_the_next_are_one_each() {
        let mut rates = Rates::default();
        for second in 1000..1060 {
            // A node that reports at the end of a second, now a little before and now after it.
            let reports = [1, 2, 0, 1][usize::try_from(second % 4).expect("small")];
            (0..reports).for_each(|_| rates.report("m", second, 30, 30));
        }
        assert_eq!(minute(&rates, 1059)[4..], vec![Some(30.0); 56]);
    }

    #[test]
    fn an_hour_has_steps_of_ten_seconds_and_only_whole_ones() {
        let mut rates = Rates::default();
        rates.recall(&history(1000, 10, &[Some(600), None, Some(300), Some(40)]), |_| true);
        (1030..1045).for_each(|at| rates.report("m", at, 30, 30));
        let curve = rates.curve(["m", "unknown"], Flow::Out, Window::Hour, 1045);
        assert_eq!(curve.len(), 360);
        assert_eq!(curve[355..], [None, Some(60.0), None, Some(30.0), Some(30.0)]);
        // Of strangers, and in other steps, nothing is kept.
        let mut none = Rates::default();
        none.recall(&history(1000, 10, &[Some(600)]), |_| false);
        none.recall(&history(1000, 7, &[Some(600)]), |_| true);
        assert!(none.curve(["m"], Flow::In, Window::Hour, 1020).iter().all(Option::is_none));
    }

    #[test]
    fn nodes_are_added_up_as_far_as_they_are_known() {
        let mut rates = Rates::default();
        (1000..1010).for_each(|at| rates.report("m", at, 10, 10));
        (1005..1010).for_each(|at| rates.report("n", at, 5, 5));
        let curve = rates.curve(["m", "n"], Flow::In, Window::Minute, 1009);
        assert_eq!(
            curve[49..],
            [[None; 1].as_slice(), &[Some(10.0); 5], &[Some(15.0); 5]].concat()
        );
    }

    #[test]
    fn what_was_passed_on_is_compared_with_what_was_taken_at_the_same_time() {
        let mut rates = Rates::default();
        rates.towards("m", 999, 50);
        for second in 1000..1060 {
            rates.report("m", second, 45, 45);
            rates.towards("m", second, 50);
        }
        let passed_on = PassedOn { towards: 3000, taken: 2700, seconds: 60, step: 1 };
        assert_eq!(rates.passed_on("m", Window::Minute, 1059), passed_on);
        let nothing = PassedOn { step: 10, ..PassedOn::default() };
        assert_eq!(rates.passed_on("n", Window::Hour, 1059), nothing);
    }

    /// What is said of the memory that all this takes.
    #[test]
    fn a_node_has_660_cells_of_28_bytes() {
        assert_eq!((SECONDS + TENS, size_of::<Cell>()), (660, 28));
    }
}
