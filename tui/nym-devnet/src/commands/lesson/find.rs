//! The lesson that a word means: one that is built in, or a file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use control::{Failure, FailureCode, shown_argument};
use lessons::{Lesson, MAX_LESSON_BYTES};

/// The lesson of this number or name, or in this file. Names have neither points nor slashes.
pub(super) fn find(word: &str) -> Result<Lesson, Failure> {
    if let Some(lesson) = lessons::find(word) {
        return Ok(lesson.clone());
    }
    if word.contains(['.', '/']) {
        return read(word);
    }
    let message = format!("there is no lesson `{}`", shown_argument(word));
    let names = || lessons::builtin().iter().map(|lesson| lesson.slug.as_str());
    let hint = match layouts::nearest(word, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`nym-devnet lesson list` lists them; a file of your own is `./FILE`".into(),
    };
    Err(Failure::new(FailureCode::Usage, message).hint(hint))
}

/// A lesson of the user's own.
fn read(path: &str) -> Result<Lesson, Failure> {
    let shown = shown_argument(path);
    let text = read_bounded(Path::new(path)).map_err(|error| {
        Failure::new(FailureCode::Usage, format!("cannot read the lesson `{shown}`: {error}"))
    })?;
    let lesson = Lesson::read(&shown, &text).map_err(|error| {
        Failure::new(FailureCode::Usage, error.to_string())
            .hint("docs/lessons.md explains what a lesson's file has")
    })?;
    if lessons::find(&lesson.slug).is_some() {
        // Progress is kept by name.
        let message = format!("{shown}: there is a lesson `{}` already", lesson.slug);
        return Err(Failure::new(FailureCode::Usage, message).hint("give it another `slug`"));
    }
    Ok(lesson)
}

/// What is too long is refused by whoever reads it as a lesson.
fn read_bounded(path: &Path) -> io::Result<String> {
    // A pipe would be waited for.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(MAX_LESSON_BYTES + 1).read_to_string(&mut text)?;
    Ok(text)
}
