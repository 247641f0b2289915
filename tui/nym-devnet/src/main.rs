//! `nym-devnet`: a whole Nym mixnet on one machine.
//!
//! One program holds every role and starts itself: `up` starts `supervise`, which starts `node …`
//! for each process. This file only chooses the command and turns its end into an exit code.

mod cli;
mod commands;
mod context;
mod node;
mod output;
mod port_owner;
mod progress;
mod signals;
mod stop;
mod watch;

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use clap_complete::CompleteEnv;
use control::{Failure, FailureCode, shown_argument, visible};

use crate::cli::{Cli, Command, Format};
use crate::context::Context;
use crate::node::{NodeCli, NodeCommand};
use crate::stop::{Outcome, Stop};

fn main() -> ExitCode {
    // These two are processes of their own, with their own streams and their own runtime.
    match std::env::args_os().nth(1).as_deref().and_then(OsStr::to_str) {
        Some("node") => {
            return match NodeCli::try_parse() {
                Ok(NodeCli { command: NodeCommand::Node(role) }) => node::run(role),
                Err(error) => usage(&error),
            };
        }
        Some("supervise") => return supervise(),
        _ => {}
    }
    // A shell that completes a line asks by a variable, and gets nothing else.
    CompleteEnv::with_factory(Cli::command).var(commands::completions::VARIABLE).complete();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    // These two are processes of their own, with their own streams and their own runtime.
    let command = match cli.command {
        Command::Node(role) => return node::run(role),
        Command::Supervise => return supervise(),
        command => command,
    };
    let format = cli.globals.output;
    let ended = Context::new(cli.globals).and_then(|context| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Failure::new(FailureCode::Environment, format!("cannot set up a runtime: {error}"))
        })?;
        let ended = runtime.block_on(run(&context, command));
        // A read of standard input underway does not hold up the end.
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            if let Stop::Failed(failure) = &stop {
                output::failure(failure, format);
            }
            ExitCode::from(stop.exit_code())
        }
    }
}

async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Up(args) => Box::pin(commands::up::run(context, &args)).await,
        Command::Attach(args) => Box::pin(commands::attach::run(context, &args)).await,
        Command::Down(args) => commands::down::run(context, &args).await,
        Command::Ls => commands::ls::run(context),
        Command::Ps => commands::ps::run(context).await,
        Command::Status => commands::status::run(context).await,
        Command::Wait(args) => commands::wait::run(context, &args).await,
        Command::Start(args) => commands::act::start(context, &args).await,
        Command::Stop(args) => commands::act::stop(context, &args).await,
        Command::Restart(args) => commands::act::restart(context, &args).await,
        Command::Pause(args) => commands::act::pause(context, &args).await,
        Command::Resume(args) => commands::act::resume(context, &args).await,
        Command::Kill(args) => commands::act::kill(context, &args).await,
        Command::Add(args) => commands::add::run(context, &args).await,
        Command::Remove(args) => commands::remove::run(context, &args).await,
        Command::Set(args) => commands::set::run(context, &args).await,
        Command::Ping(args) => commands::ping::run(context, &args).await,
        Command::Attack(command) => commands::attack::run(context, command).await,
        Command::Send(args) => commands::send::run(context, args).await,
        Command::Inbox(args) => commands::inbox::run(context, &args).await,
        Command::Logs(args) => commands::logs::run(context, &args).await,
        Command::Topology(args) => commands::topology::run(context, &args).await,
        Command::Metrics(args) => commands::metrics::run(context, &args).await,
        Command::Anonymity(args) => commands::anonymity::run(context, &args).await,
        Command::Lesson(command) => Box::pin(commands::lesson::run(context, &command)).await,
        Command::Layout(command) => commands::layout::run(context, &command),
        Command::Gc(args) => commands::gc::run(context, &args),
        Command::Keys => commands::keys::run(context),
        Command::Doctor => commands::doctor::run(context),
        Command::Completions(args) => commands::completions::run(context, &args),
        Command::Node(_) | Command::Supervise => unreachable!("they have a runtime of their own"),
    }
}

fn supervise() -> ExitCode {
    match context::own_program() {
        Ok(program) => ExitCode::from(supervisor::supervise(program)),
        Err(failure) => {
            output::failure(&failure, Format::Text);
            ExitCode::from(failure.code.exit_code())
        }
    }
}

/// What the parser has to say: help and version are results, everything else is a failure.
fn usage(error: &clap::Error) -> ExitCode {
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let arguments: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let mut text = safe_to_show(&error.to_string(), &arguments);
    if error.kind() == ErrorKind::MissingSubcommand {
        // Its own list of commands has those too that help does not show.
        text = format!("error: a command is missing\n\n{}", Cli::command().render_help());
    }
    if !is_help && asks_for_json(&arguments) {
        // What is missing is listed below; after an empty line come usage and advice.
        let message: Vec<&str> =
            text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let message = message.join(" ");
        let message = message.strip_prefix("error: ").unwrap_or(&message);
        let failure = Failure::new(FailureCode::Usage, message)
            .hint("`nym-devnet help` lists commands and options");
        output::failure(&failure, Format::Json);
    } else if is_help {
        // What is long has lines of spaces in between.
        let shown = error.render();
        let is_plain = !io::stdout().is_terminal()
            || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let shown = if is_plain { shown.to_string() } else { shown.ansi().to_string() };
        let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
        drop(writeln!(io::stdout(), "{}", lines.join("\n")));
    } else if text == error.to_string() {
        // Whoever does not read it sees the exit code.
        drop(error.print());
    } else {
        // Without the colours, which are control characters too.
        drop(io::stderr().write_all(text.as_bytes()));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// What the parser says, with the arguments that it repeats cut and made visible.
fn safe_to_show(text: &str, arguments: &[String]) -> String {
    let values = arguments.iter().filter_map(|argument| Some(argument.split_once('=')?.1));
    let mut text = text.to_owned();
    for repeated in arguments.iter().map(String::as_str).chain(values) {
        let shown = shown_argument(repeated);
        if shown != repeated {
            text = text.replace(repeated, &shown);
        }
    }
    // What is left comes from variables of the environment.
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Whether a command line that cannot be parsed asks for JSON.
fn asks_for_json(arguments: &[String]) -> bool {
    let by_option = arguments.windows(2).any(|pair| {
        matches!(pair[0].as_str(), "-o" | "--output") && pair[1].eq_ignore_ascii_case("json")
    });
    let is_joined =
        |argument: &String| matches!(argument.as_str(), "-ojson" | "-o=json" | "--output=json");
    let is_option =
        |argument: &String| argument.starts_with("-o") || argument.starts_with("--output");
    let by_variable = || std::env::var("NYM_DEVNET_OUTPUT").is_ok_and(|format| format == "json");
    by_option
        || arguments.iter().any(is_joined)
        || !arguments.iter().any(is_option) && by_variable()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_repeats_is_safe_to_show() {
        let long = "x".repeat(5000);
        for argument in ["\u{1b}[2J", &long, &format!("--width={long}"), "--width=\u{9b}2J"] {
            let line = ["nym-devnet", "ps", argument];
            let error = Cli::try_parse_from(line).expect_err(argument);
            let text = safe_to_show(&error.to_string(), &line.map(String::from));
            assert!(text.lines().all(|line| line.chars().count() < 200), "{text}");
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
        }
    }
}
