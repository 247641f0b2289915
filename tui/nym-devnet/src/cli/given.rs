//! What somebody gave for a field of the layout, and by what: a flag, or else its variable. What it means,
//! and whether it is right, is decided with the layout.

use std::ffi::OsStr;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{Arg, Command, Error};

/// A value as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// What it is called in errors: `--width` or `NYM_DEVNET_WIDTH`.
    pub(crate) origin: String,
    /// What it says.
    pub(crate) text: String,
}

/// Takes any text, and remembers where it is from.
#[derive(Clone, Debug)]
pub(super) struct GivenParser;

impl TypedValueParser for GivenParser {
    type Value = Given;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Given, Error> {
        self.parse_ref_(command, argument, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Given, Error> {
        let text = StringValueParser::new().parse_ref(command, argument, value)?;
        let variable = argument.and_then(Arg::get_env);
        let variable = variable.filter(|_| source == ValueSource::EnvVariable);
        let origin = match (variable, argument.and_then(Arg::get_long)) {
            (Some(variable), _) => variable.to_string_lossy().into_owned(),
            (None, Some(flag)) => format!("--{flag}"),
            (None, None) => "command line".into(),
        };
        Ok(Given { origin, text })
    }
}
