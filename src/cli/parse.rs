//! Reading the command line, and saying what is wrong with it.

use std::env;
use std::io::{self, Write};
use std::process;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::cli::Cli;

/// Reads the command line, and returns also how each flag was given; where it is wrong, says so and
/// exits with code 2.
pub fn parse() -> (Cli, ArgMatches) {
    let matches = Cli::command().try_get_matches();
    let parsed = matches.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    parsed.unwrap_or_else(|error| {
        // clap names the flag, although nobody may have typed it.
        let variable = error.get(ContextKind::InvalidArg).and_then(variable_behind);
        let code = error.exit_code();
        // Where nobody reads, the exit code has to do.
        let _read = error.print();
        if let Some(variable) = variable {
            let _read = writeln!(
                io::stderr(),
                "\nThe value is that of the variable {variable}."
            );
        }
        process::exit(code)
    })
}

/// The variable that a wrong argument's value came from, if it was not typed.
fn variable_behind(argument: &ContextValue) -> Option<String> {
    let ContextValue::String(shown) = argument else {
        return None;
    };
    let flag = shown
        .split(['=', '[', ' ', '<'])
        .next()
        .filter(|flag| !flag.is_empty());
    let typed = |flag: &str| env::args().any(|word| word.starts_with(flag));
    let command = Cli::command();
    let mut arguments = command
        .get_subcommands()
        .flat_map(Command::get_arguments)
        .chain(command.get_arguments());
    let set = arguments.find(|argument| {
        let same = match flag {
            Some(flag) => argument
                .get_long()
                .is_some_and(|long| flag == format!("--{long}")),
            None => argument.is_positional(),
        };
        same && argument
            .get_env()
            .is_some_and(|name| env::var_os(name).is_some())
    });
    let name = set?.get_env()?.to_string_lossy().into_owned();
    flag.is_none_or(|flag| !typed(flag)).then_some(name)
}
