//! `completions`: what a shell needs to complete commands, options and names.
//!
//! The script asks this program at each press of the key, so that it also knows the devnets and nodes
//! that are there.

use std::path::Path;

use clap_complete::env::Shells;
use control::{Failure, FailureCode};
use serde::Serialize;

use crate::cli::CompletionsArgs;
use crate::context::{Context, own_program};
use crate::stop::Outcome;

/// The variable by which a script asks for completions. See [`clap_complete::env`].
pub(crate) const VARIABLE: &str = "NYM_DEVNET_COMPLETE";

/// What people type.
const COMMAND: &str = "nym-devnet";

#[derive(Serialize)]
struct Completions {
    shell: String,
    script: String,
}

pub(crate) fn run(context: &Context, args: &CompletionsArgs) -> Outcome {
    let shell = args.shell.to_string();
    let script = script(&shell, &own_program()?)?;
    let completions = Completions { shell, script };
    context.output.result("completions", None, &completions, |_| completions.script.clone())
}

fn script(shell: &str, program: &Path) -> Result<String, Failure> {
    let unusable = |why: &str| {
        let message = format!("cannot write completions for {shell}: {why}");
        Failure::new(FailureCode::Environment, message)
    };
    let program = program.to_str().ok_or_else(|| unusable("the program's path is no UTF-8"))?;
    let shells = Shells::builtins();
    let shell = shells.completer(shell).ok_or_else(|| unusable("it is not known"))?;
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, COMMAND, COMMAND, program, &mut script)
        .map_err(|error| unusable(&error.to_string()))?;
    String::from_utf8(script).map_err(|error| unusable(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn every_shell_that_can_be_named_has_a_script_that_asks_this_program() {
        for shell in Shell::value_variants() {
            let program = Path::new("/opt/a folder/nym-devnet");
            let script = script(&shell.to_string(), program).expect("known");
            assert!(script.contains(VARIABLE), "{shell}: {script}");
            assert!(script.contains("/opt/a folder/nym-devnet"), "{shell}: {script}");
        }
    }
}
