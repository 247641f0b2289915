//! Counters of packets that were given up.

use std::collections::BTreeMap;

/// The word for packets dropped because the queue in front of a link was full.
pub const QUEUE: &str = "queue";

/// Adds up counters by their word; those at zero are left out. What a node gives up is counted in
/// several places: its engine, its links, its sockets.
pub fn add_up<'a>(counted: impl IntoIterator<Item = (&'a str, u64)>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::<String, u64>::new();
    for (reason, count) in counted {
        if count > 0 {
            *sums.entry(reason.into()).or_default() += count;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_word_from_two_places_is_one_counter() {
        let sums = add_up([("mac", 1), (QUEUE, 0), ("mac", 2)]);
        assert_eq!(sums, BTreeMap::from([("mac".to_owned(), 3)]));
    }
}
