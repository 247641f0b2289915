//! The lessons that are built in.

use std::sync::LazyLock;

use crate::lesson::Lesson;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../lessons/", $name)))),*]
    };
}

/// The files, in the order of the lessons.
const FILES: [(&str, &str); 13] = files![
    "01-layers.toml",
    "02-onion.toml",
    "03-tamper.toml",
    "04-delay.toml",
    "05-bits.toml",
    "06-cover.toml",
    "07-provider.toml",
    "08-width.toml",
    "09-presence.toml",
    "10-isolate.toml",
    "11-replay.toml",
    "12-adversary.toml",
    "13-lonely.toml",
];

static LESSONS: LazyLock<Vec<Lesson>> = LazyLock::new(|| {
    let read = |(name, text): (&str, &str)| {
        Lesson::read(name, text).unwrap_or_else(|error| panic!("a test reads them: {error}"))
    };
    FILES.into_iter().map(read).collect()
});

/// All of them, by their numbers.
pub fn builtin() -> &'static [Lesson] {
    &LESSONS
}

/// The one of this number or name.
pub fn find(word: &str) -> Option<&'static Lesson> {
    builtin().iter().find(|lesson| lesson.slug == word || lesson.number.to_string() == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::FACTS;

    #[test]
    fn all_are_right_and_count_from_one() {
        for (name, text) in FILES {
            let lesson = Lesson::read(name, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(name, format!("{:02}-{}.toml", lesson.number, lesson.slug));
        }
        assert!(builtin().iter().all(|lesson| !lesson.sabotages.is_empty()));
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/lessons");
        assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), FILES.len());
        assert!(builtin().is_sorted_by(|one, next| one.number < next.number));
    }

    #[test]
    fn every_fact_in_them_is_in_the_list() {
        for lesson in builtin() {
            for expression in lesson.expressions() {
                for fact in expression.facts() {
                    assert!(FACTS.iter().any(|known| known.name == fact), "{fact}");
                }
            }
        }
    }

    #[test]
    fn one_is_found_by_number_and_by_name() {
        assert_eq!(find("1").map(|lesson| lesson.slug.as_str()), Some("layers"));
        assert_eq!(find("layers").map(|lesson| lesson.number), Some(1));
        assert_eq!(find("0"), None);
    }
}
