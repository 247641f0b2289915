//! Starting a supervisor from a front end, and holding its lifeline.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use control::{ControlClient, ControlError, Failure, FailureCode};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::spec::{Lifeline, Spec, Started};

/// How long a supervisor may take until its socket answers. It is some milliseconds.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a supervisor may take to stop everything: four groups of a second each, and its answers.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A supervisor that was started here. When this is dropped the devnet stops, unless it was
/// [detached](Self::detach).
#[derive(Debug)]
pub struct Supervisor {
    process: Child,
    lifeline: ChildStdin,
}

impl Supervisor {
    /// Starts `program supervise` and waits until it can be asked.
    pub async fn start(program: &Path, spec: &Spec) -> Result<(Self, ControlClient), Failure> {
        let failed = |reason: String| {
            let message =
                format!("cannot start the supervisor `{} supervise`: {reason}", program.display());
            Failure::new(FailureCode::Environment, message)
        };
        // Only paths can fail: those of a recording or of a layout need not be UTF-8.
        let mut line = serde_json::to_string(spec).map_err(|error| failed(error.to_string()))?;
        line.push('\n');
        let mut process = Command::new(program)
            .arg("supervise")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let (Some(lifeline), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            unreachable!("both were asked for")
        };
        let mut supervisor = Self { process, lifeline };
        let handshake = async {
            supervisor.lifeline.write_all(line.as_bytes()).await?;
            let mut answer = String::new();
            BufReader::new(stdout).read_line(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = timeout(START_TIMEOUT, handshake)
            .await
            .map_err(|_| failed(format!("no answer within {START_TIMEOUT:?}")))?
            .map_err(|error| failed(error.to_string()))?;
        match serde_json::from_str(&answer) {
            Ok(Started::Ready { socket }) => match ControlClient::new(socket) {
                Ok(client) => Ok((supervisor, client)),
                Err(ControlError::Refused(failure)) => Err(failure),
                Err(error) => Err(failed(error.to_string())),
            },
            Ok(Started::Failed(failure)) => {
                supervisor.end().await;
                Err(failure)
            }
            Err(_) if answer.is_empty() => Err(failed("it ended at once".into())),
            Err(error) => Err(failed(format!("its answer is not understood: {error}"))),
        }
    }

    /// Lets the devnet go on without us.
    pub async fn detach(mut self) -> Result<(), Failure> {
        self.say(Lifeline::Detach).await.map_err(|error| {
            let message = format!("cannot detach from the supervisor: {error}");
            Failure::new(FailureCode::Unreachable, message)
        })
    }

    /// Keeps the devnet's folder when it ends: somebody is told to look into its logs. It fails only
    /// if the supervisor is gone, and with it whoever would delete the folder.
    pub async fn keep_folder(&mut self) {
        drop(self.say(Lifeline::KeepFolder).await);
    }

    /// Stops the devnet and waits until its supervisor is gone. One that does not end in time is
    /// killed, which ends its processes.
    pub async fn end(mut self) {
        drop(self.lifeline);
        if timeout(STOP_TIMEOUT, self.process.wait()).await.is_err() {
            drop(self.process.kill().await);
        }
    }

    async fn say(&mut self, word: Lifeline) -> std::io::Result<()> {
        let mut line = serde_json::to_string(&word).expect("plain data");
        line.push('\n');
        self.lifeline.write_all(line.as_bytes()).await
    }
}
