//! Where packets may be, and who may have sent them: the vectors that follow packets through mixnodes.
//!
//! Each packet carries the probabilities that it is one of the followed packets, and that each of the
//! sources sent it. A mixnode's packets cannot be told from each other, so that one average stands for
//! all that wait there: what comes changes the average, what leaves carries it on. That is the tracking
//! of Ben Guirat, Gosain and Diaz, *`MiXiM`: Mixnet Design Decisions and Empirical Evaluation* (2021). It
//! uses numbers and order alone, no times, and is exact while delays are exponential.
//!
//! A packet on its way from one mixnode to the next needs no vector of its own: links are instant. So a
//! network's whole state is one vector per mixnode, and nothing is allocated per packet. Vectors are
//! dense for a thousand sources too: adding up a thousand numbers in a row takes less time than merging
//! sparse vectors of a hundred, as the benchmark shows, and drops no mass.

/// Packets that are followed at once. Each costs one column.
pub const MAX_TARGETS: usize = 16;

/// Column of packets of which nothing is known: those that waited before watching began, or whose
/// coming was lost.
pub(crate) const UNKNOWN: usize = MAX_TARGETS;

/// The first column of the sources.
pub(crate) const SOURCES: usize = UNKNOWN + 1;

/// One vector for each mixnode.
#[derive(Clone, Debug)]
pub(crate) struct Masses {
    rows: Vec<Row>,
    width: usize,
    /// What a packet that is underway carries.
    hand: Vec<f64>,
}

/// The packets of a mixnode.
#[derive(Clone, Debug)]
struct Row {
    count: u32,
    /// Means nothing while there are no packets.
    average: Vec<f64>,
}

impl Default for Masses {
    fn default() -> Self {
        Self { rows: Vec::new(), width: SOURCES, hand: vec![0.0; SOURCES] }
    }
}

impl Masses {
    /// One more mixnode: its row.
    pub(crate) fn add_row(&mut self) -> usize {
        self.rows.push(Row { count: 0, average: vec![0.0; self.width] });
        self.rows.len() - 1
    }

    /// There are so many columns, at least.
    pub(crate) fn widen(&mut self, width: usize) {
        if width > self.width {
            self.width = width;
            self.hand.resize(width, 0.0);
            for row in &mut self.rows {
                row.average.resize(width, 0.0);
            }
        }
    }

    /// What the packet that is underway carries.
    pub(crate) fn hand(&self) -> &[f64] {
        &self.hand
    }

    /// A packet of this source is underway, which is this target too.
    pub(crate) fn send(&mut self, source: usize, target: Option<usize>) {
        self.hand.fill(0.0);
        self.hand[source] = 1.0;
        if let Some(target) = target {
            self.hand[target] = 1.0;
        }
    }

    /// A packet that somebody knows all about is underway.
    pub(crate) fn carry(&mut self, vector: &[f64]) {
        let known = vector.len().min(self.width);
        self.hand[..known].copy_from_slice(&vector[..known]);
        self.hand[known..].fill(0.0);
    }

    /// A packet of this mixnode is underway: says whether there was any. If there was none, nothing is
    /// known of the packet.
    pub(crate) fn depart(&mut self, row: usize) -> bool {
        let row = &mut self.rows[row];
        if row.count == 0 {
            self.send(UNKNOWN, None);
            return false;
        }
        row.count -= 1;
        self.hand.copy_from_slice(&row.average);
        true
    }

    /// The packet that is underway comes to this mixnode.
    pub(crate) fn arrive(&mut self, row: usize) {
        self.rows[row].take(&self.hand);
    }

    /// A packet goes from one mixnode straight to another: as [`depart`](Self::depart) and
    /// [`arrive`](Self::arrive), without a copy.
    pub(crate) fn pass(&mut self, from: usize, to: usize) -> bool {
        match self.rows.get_disjoint_mut([from, to]) {
            Ok([from, to]) if from.count > 0 => {
                from.count -= 1;
                to.take(&from.average);
                true
            }
            _ => {
                let was_any = self.depart(from);
                self.arrive(to);
                was_any
            }
        }
    }

    /// What of a column waits at all mixnodes together, in packets.
    pub(crate) fn waiting(&self, column: usize) -> f64 {
        self.rows.iter().map(|row| f64::from(row.count) * row.average[column]).sum()
    }

    /// What of a column waits at one mixnode, in packets.
    pub(crate) fn at(&self, row: usize, column: usize) -> f64 {
        let row = &self.rows[row];
        if row.count == 0 { 0.0 } else { f64::from(row.count) * row.average[column] }
    }

    /// Nothing waits here any more; gives what was lost of each target.
    pub(crate) fn clear(&mut self, row: usize) -> [f64; MAX_TARGETS] {
        let lost = std::array::from_fn(|target| self.at(row, target));
        self.rows[row].count = 0;
        lost
    }

    /// So many packets wait here, whatever was counted; gives what was lost of each target. Those that
    /// were missed are unknown, those that were too many were no one in particular.
    pub(crate) fn set_count(&mut self, row: usize, count: u32) -> [f64; MAX_TARGETS] {
        let before = self.rows[row].count;
        if count > before {
            self.send(UNKNOWN, None);
            for _ in before..count {
                self.arrive(row);
            }
            return [0.0; MAX_TARGETS];
        }
        let gone = f64::from(before - count);
        let lost = std::array::from_fn(|target| gone * self.rows[row].average[target]);
        self.rows[row].count = count;
        lost
    }

    /// A column begins anew for somebody else: what is left in it becomes unknown.
    pub(crate) fn forget_source(&mut self, column: usize) {
        for row in &mut self.rows {
            row.average[UNKNOWN] += row.average[column];
            row.average[column] = 0.0;
        }
    }

    /// A target's column begins anew.
    pub(crate) fn forget_target(&mut self, column: usize) {
        for row in &mut self.rows {
            row.average[column] = 0.0;
        }
    }
}

impl Row {
    fn take(&mut self, packet: &[f64]) {
        if self.count == 0 {
            // Whatever stood here is no packet's.
            self.average.copy_from_slice(packet);
        } else {
            let part = f64::from(self.count + 1).recip();
            for (average, packet) in self.average.iter_mut().zip(packet) {
                *average += part * (packet - *average);
            }
        }
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::surprise;
    use crate::test_help::assert_near;

    const A: usize = SOURCES;
    const B: usize = SOURCES + 1;
    const C: usize = SOURCES + 2;
    const D: usize = SOURCES + 3;

    fn two_mixnodes() -> Masses {
        let mut masses = Masses::default();
        masses.add_row();
        masses.add_row();
        masses.widen(SOURCES + 5);
        masses
    }

    fn come(masses: &mut Masses, source: usize, target: Option<usize>) {
        masses.send(source, target);
        masses.arrive(0);
    }

    /// A is followed, with B and C; one leaves; D comes; the others leave.
    #[test]
    fn by_hand() {
        let mut masses = two_mixnodes();
        come(&mut masses, A, Some(0));
        come(&mut masses, B, None);
        come(&mut masses, C, None);
        assert!(masses.depart(0));
        let mut followed = vec![masses.hand()[0]];
        let first = masses.hand().to_vec();
        assert_near(followed[0], 1.0 / 3.0, 1e-12);
        assert_near(first[SOURCES..].iter().copied().map(surprise).sum(), 1.584_963, 1e-6);
        come(&mut masses, D, None);
        for _ in 0..3 {
            assert!(masses.depart(0));
            followed.push(masses.hand()[0]);
            assert_near(masses.hand()[0], 2.0 / 9.0, 1e-12);
            assert_near(masses.hand()[B], 2.0 / 9.0, 1e-12);
            assert_near(masses.hand()[D], 1.0 / 3.0, 1e-12);
            let bits: f64 = masses.hand()[SOURCES..].iter().copied().map(surprise).sum();
            assert_near(bits, 1.974_938, 1e-6);
        }
        assert_near(followed.iter().sum(), 1.0, 1e-12);
        assert_near(followed.into_iter().map(surprise).sum(), 1.974_938, 1e-6);
        // The first goes on to a mixnode where a foreign packet waits: either may leave next.
        masses.send(SOURCES + 4, None);
        masses.arrive(1);
        masses.carry(&first);
        masses.arrive(1);
        for _ in 0..2 {
            masses.depart(1);
            assert_near(masses.hand()[0], 1.0 / 6.0, 1e-12);
        }
    }

    #[test]
    fn passing_on_is_leaving_and_coming() {
        let (mut short, mut long) = (two_mixnodes(), two_mixnodes());
        for masses in [&mut short, &mut long] {
            come(masses, A, Some(3));
            come(masses, B, None);
            masses.send(C, None);
            masses.arrive(1);
        }
        assert!(short.pass(0, 1));
        assert!(long.depart(0));
        long.arrive(1);
        assert_eq!(short.rows[0].average, long.rows[0].average);
        assert_eq!(short.rows[1].average, long.rows[1].average);
        assert_near(short.at(1, 3), 0.5, 1e-12);
        assert_near(short.waiting(3), 1.0, 1e-12);
        // To itself, and from nowhere.
        assert!(short.pass(0, 0));
        assert_near(short.at(0, 3), 0.5, 1e-12);
        assert!(short.depart(0));
        assert!(!short.pass(0, 1));
        assert_near(short.at(1, UNKNOWN), 1.0, 1e-12);
    }

    #[test]
    fn counts_that_were_wrong() {
        let mut masses = two_mixnodes();
        come(&mut masses, A, Some(0));
        come(&mut masses, B, None);
        assert_near(masses.set_count(0, 4)[0], 0.0, 0.0);
        assert_near(masses.at(0, UNKNOWN), 2.0, 1e-12);
        assert_near(masses.set_count(0, 1)[0], 0.75, 1e-12);
        assert_near(masses.waiting(0), 0.25, 1e-12);
        assert_near(masses.clear(0)[0], 0.25, 1e-12);
        assert!(!masses.depart(0));
        assert_near(masses.hand()[UNKNOWN], 1.0, 0.0);
    }

    #[test]
    fn a_column_of_somebody_else_is_empty() {
        let mut masses = two_mixnodes();
        come(&mut masses, A, None);
        masses.forget_source(A);
        assert_near(masses.at(0, A), 0.0, 0.0);
        assert_near(masses.at(0, UNKNOWN), 1.0, 0.0);
    }
}
