//! The supervisor's own log: its file, and the event stream.

use std::io::{self, Write};
use std::path::PathBuf;

use control::LOG_LINE_BYTES;
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::devnet::Outside;
use crate::lines::Splitter;
use crate::log_writer::Log;

/// Begins to log: everything from `info` on, or what `RUST_LOG` asks for.
pub(crate) fn begin(path: PathBuf, stream: mpsc::Sender<Outside>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let of_file = stream.clone();
    let file = Log::at(path, move |text| of_file.try_send(Outside::Log(text)).is_ok());
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_target(false)
        .with_writer(Both { file, stream })
        .finish();
    // It fails when there is one already, as in a test.
    drop(tracing::subscriber::set_global_default(logger));
}

struct Both {
    file: Log,
    stream: mpsc::Sender<Outside>,
}

impl<'a> MakeWriter<'a> for Both {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

/// Each write is a whole line: the logger formats first.
impl Write for &Both {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Splitter::new(LOG_LINE_BYTES).feed(bytes, |line| {
            // A full stream misses the line; the file has it.
            drop(self.stream.try_send(Outside::Log(line.visible())));
        });
        self.file.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
