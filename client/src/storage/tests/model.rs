//! What arrives, against a model of it in memory: in whatever order, however often, and however often
//! the client ends meanwhile, each message is complete once, with the right bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// Longest message: a few pieces, and one of which the content begins in the last.
const MAX_BYTES: usize = 8000;

#[derive(Clone, Debug)]
enum Step {
    /// Pieces of these messages, in one transaction.
    Keep(Vec<(Index, Index)>),
    /// An application takes the messages up to here.
    Take(Index),
    /// The client ends and starts again.
    Reopen,
    /// It is killed and starts again.
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => vec(any::<(Index, Index)>(), 1..12).prop_map(Step::Keep),
        1 => any::<Index>().prop_map(Step::Take),
        1 => Just(Step::Reopen),
        1 => Just(Step::Kill),
    ]
}

fn open(folder: &Path) -> MessageFile {
    let mut file = MessageFile::open(&folder.join("client.sqlite")).expect("the file is whole");
    file.database.memory_mut().limits.taken = Amount { messages: 2, bytes: 10_000 };
    file
}

/// What a plain program knows.
#[derive(Default)]
struct Model {
    arrived: BTreeMap<MessageId, BTreeSet<u32>>,
    /// Completed messages in their order, and whether an application has them.
    inbox: Vec<(MessageId, bool)>,
}

impl Model {
    fn keep(&mut self, piece: &Fragment) -> Kept {
        if self.inbox.iter().any(|(message, _)| *message == piece.message) {
            return Kept::Duplicate;
        }
        let arrived = self.arrived.entry(piece.message).or_default();
        if !arrived.insert(piece.index) {
            return Kept::Duplicate;
        }
        if arrived.len() < piece.count as usize {
            return Kept::Incomplete;
        }
        self.inbox.push((piece.message, false));
        let number = self.inbox.len() as u64;
        Kept::Complete { message: piece.message, number, content: contract::Content::Omitted(0) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_message_is_complete_once_with_the_right_bytes(
        contents in vec((vec(any::<u8>(), 0..4), 0..MAX_BYTES), 1..6),
        mut steps in vec(step(), 1..40),
    ) {
        let contents: Vec<Vec<u8>> = contents
            .iter()
            .map(|(seed, length)| seed.iter().copied().chain(bytes(*length)).collect())
            .collect();
        let all: Vec<Vec<_>> =
            (0..).zip(&contents).map(|(number, data)| pieces(id(number), data)).collect();
        let mut folder = tempfile::tempdir().expect("a folder");
        let mut file = open(folder.path());
        let mut model = Model::default();
        // In the end, all arrives.
        steps.push(Step::Reopen);
        let rest: Vec<_> = all.iter().flatten().cloned().collect();
        let mut last = vec![rest];
        for step in steps.into_iter().map(Some).chain([None]) {
            let kept = match step {
                Some(Step::Keep(of)) => of
                    .iter()
                    .map(|(message, piece)| piece.get(&message.get(&all)[..]).clone())
                    .collect(),
                None => last.pop().expect("once"),
                Some(Step::Take(up_to)) => {
                    if !model.inbox.is_empty() {
                        let up_to = up_to.index(model.inbox.len());
                        model.inbox[..=up_to].iter_mut().for_each(|(_, taken)| *taken = true);
                        let taken: Vec<u64> = (1..=up_to as u64 + 1).collect();
                        file.take(&taken).expect("taken");
                    }
                    continue;
                }
                Some(Step::Reopen) => {
                    drop(file);
                    file = open(folder.path());
                    continue;
                }
                Some(Step::Kill) => {
                    let after = tempfile::tempdir().expect("a folder");
                    for name in ["client.sqlite", "client.sqlite-wal"] {
                        let (from, to) = (folder.path().join(name), after.path().join(name));
                        fs::copy(from, to).expect("copied");
                    }
                    drop(file);
                    folder = after;
                    file = open(folder.path());
                    continue;
                }
            };
            let expected: Vec<Kept> = kept.iter().map(|(piece, _)| model.keep(piece)).collect();
            let found = file.keep(1, &kept).expect("kept");
            for (found, expected) in found.into_iter().zip(expected) {
                match (found, expected) {
                    (
                        Kept::Complete { message, number, content },
                        Kept::Complete { message: expected, number: at, .. },
                    ) => {
                        prop_assert_eq!((message, number), (expected, at));
                        let data = &contents[usize::from(message.0[0])];
                        prop_assert!(content == contract::Content::from_bytes(data.clone()));
                    }
                    (found, expected) => prop_assert_eq!(found, expected),
                }
            }
            file.tidy().expect("tidies");
            let mut after = 0;
            for (number, (message, _)) in
                (1..).zip(&model.inbox).filter(|(_, (_, taken))| !taken)
            {
                let received = file.next_untaken(after).expect("reads").expect("is there");
                prop_assert_eq!((received.number, received.message), (number, *message));
                prop_assert!(received.data == contents[usize::from(message.0[0])]);
                after = number;
            }
            prop_assert_eq!(file.next_untaken(after).expect("reads"), None);
        }
        prop_assert_eq!(model.inbox.len(), contents.len(), "all of them");
        prop_assert_eq!(count(&file, "incomplete"), 0);
    }
}
