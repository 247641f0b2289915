//! What is written down when the dashboard panics: what, where and on which screen, but no key and no
//! message of anybody.

use std::backtrace::Backtrace;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// The folder of the reports. A devnet's name cannot begin with a dot, so this is no devnet's.
const FOLDER: &str = ".reports";

/// Reports that are kept: the oldest go.
const MAX_REPORTS: usize = 10;

/// Longest message of a panic that is written down, in characters.
const MAX_CHARS: usize = 500;

/// What the hook has to know. It runs wherever the panic is.
static KNOWN: Mutex<Known> = Mutex::new(Known { folder: None, place: "", ends: false });

struct Known {
    /// Where reports are kept; none to keep none.
    folder: Option<PathBuf>,
    /// What is shown.
    place: &'static str,
    /// Whether the devnet ends with the dashboard.
    ends: bool,
}

/// Reports are kept in this folder from now on.
pub(crate) fn keep_in(folder: Option<PathBuf>, ends: bool) {
    if let Ok(mut known) = KNOWN.lock() {
        known.folder = folder.map(|folder| folder.join(FOLDER));
        known.ends = ends;
    }
}

/// This is shown from now on.
pub(crate) fn shows(place: &'static str) {
    if let Ok(mut known) = KNOWN.lock() {
        known.place = place;
    }
}

/// Writes a panic down, and says what there is to say: where the report is, and how the devnet is.
pub(crate) fn write(panic: &PanicHookInfo<'_>) -> String {
    // Who panicked may hold it; then there is no report, but a word all the same.
    let Ok(known) = KNOWN.try_lock() else { return said(None, false) };
    let backtrace = Backtrace::force_capture().to_string();
    let location = panic.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let payload = panic.payload();
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = compose(known.place, message, &location, &backtrace);
    let path = known.folder.as_deref().map(|folder| keep(folder, &text));
    said(path, known.ends)
}

fn said(report: Option<io::Result<PathBuf>>, ends: bool) -> String {
    let devnet = if ends { "the devnet ends with it" } else { "the devnet goes on" };
    match report {
        Some(Ok(path)) => {
            format!("the dashboard panicked; {devnet}. A report is in {}", path.display())
        }
        Some(Err(error)) => {
            format!("the dashboard panicked; {devnet}. No report could be written: {error}")
        }
        None => format!("the dashboard panicked; {devnet}"),
    }
}

fn compose(place: &str, message: Option<&str>, location: &str, backtrace: &str) -> String {
    format!(
        "nym-devnet {version}, {os} {arch}\nscreen: {place}\npanic: {message}\nat: {location}\n\n\
         {backtrace}\n",
        version = env!("CARGO_PKG_VERSION"),
        os = std::env::consts::OS,
        arch = std::env::consts::ARCH,
        message = without_contents(message.unwrap_or("no message")),
    )
}

/// A panic's message without what it quotes: slicing a text, for one, quotes the text.
fn without_contents(message: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    for c in message.chars().take(MAX_CHARS) {
        match (quote, c) {
            (None, '`' | '"') => {
                quote = Some(c);
                out.push(c);
                out.push('…');
            }
            (Some(open), c) if c == open => {
                quote = None;
                out.push(c);
            }
            (Some(_), _) => {}
            (None, c) if c.is_control() => out.push(' '),
            (None, c) => out.push(c),
        }
    }
    out
}

/// Puts a report into a folder, and takes the oldest out of it.
fn keep(folder: &Path, text: &str) -> io::Result<PathBuf> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut reports: Vec<PathBuf> =
        fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    reports.sort();
    let spare = (reports.len() + 1).saturating_sub(MAX_REPORTS);
    for old in reports.iter().take(spare) {
        fs::remove_file(old)?;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Of as many digits for some centuries, so that names sort as times do. Nanoseconds, for a panic seldom
    // comes alone.
    let path = folder.join(format!("panic-{}-{}.txt", now.as_nanos(), std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_and_where_but_nothing_of_what_was_written() {
        let message =
            "byte index 3 is not a char boundary; it is inside 'é' of `dear bob`\u{1b}[2J";
        let text = compose("Messages", Some(message), "src/text.rs:7:5", "0: main");
        for part in ["screen: Messages", "at: src/text.rs:7:5", "0: main", "not a char boundary"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("dear bob") && !text.contains('\u{1b}'), "{text}");
        assert!(without_contents(&"x".repeat(100_000)).len() <= MAX_CHARS);
    }

    #[test]
    fn the_latest_reports_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("reports");
        keep(&folder, "first").expect("it can be written");
        for number in 0..20 {
            fs::write(folder.join(format!("panic-{number:013}.txt")), "old").expect("writes");
        }
        let path = keep(&folder, "last").expect("it can be written");
        assert_eq!(fs::read_to_string(path).expect("it is there"), "last");
        let texts: Vec<String> = fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a file"))
            .collect();
        assert_eq!(texts.len(), MAX_REPORTS);
        assert!(texts.contains(&"first".to_owned()), "it is younger than the old ones");
    }

    #[test]
    fn who_watches_is_told_where_the_report_is_and_how_the_devnet_is() {
        let told = said(Some(Ok("/x/panic-1.txt".into())), false);
        assert!(told.contains("/x/panic-1.txt") && told.contains("goes on"), "{told}");
        let told = said(Some(Err(io::Error::other("disk full"))), true);
        assert!(told.contains("disk full") && told.contains("ends with it"), "{told}");
    }
}
