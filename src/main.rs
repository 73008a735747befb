//! The binary: parse, run, say in one line what went wrong, exit.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ArgMatches;
use twinkle::cli::{self, Cli, Command};
use twinkle::config::Settings;
use twinkle::exit::Exit;
use twinkle::logging::{self, Lines};
use twinkle::roles;

fn main() -> ExitCode {
    let (cli, given) = cli::parse();
    let Ok(log) = logging::start(
        look(&cli.command),
        cli.log,
        cli.log_format.unwrap_or_default(),
    ) else {
        return Exit::Unusable.into();
    };
    let exit = run(cli, &given).unwrap_or_else(|error| {
        let exit = Exit::of(error.chain());
        if exit != Exit::Done {
            log.say_error(&error);
        }
        exit
    });
    exit.into()
}

/// How the log of a command looks.
fn look(command: &Command) -> Lines {
    match command {
        Command::Employee(_) | Command::Report(_) => Lines::Bare,
        Command::Door(door) if door.is_brief() => Lines::Errors,
        Command::Central(central) if central.command.is_some() => Lines::Bare,
        Command::Central(_) | Command::Relay(_) | Command::Door(_) => Lines::Dated,
    }
}

fn run(cli: Cli, given: &ArgMatches) -> anyhow::Result<Exit> {
    let file = Settings::file(cli.config.as_deref())?;
    let settings = Settings::read(file.as_ref())?;
    if cli.print_config {
        let text = cli::effective(given, file.as_ref().map(|file| (&*file.path, &*file.text)))?;
        io::stdout().lock().write_all(text.as_bytes())?;
        return Ok(Exit::Done);
    }
    match cli.command {
        Command::Central(args) => roles::central::run(args, &settings),
        Command::Relay(args) => roles::relay::run(args, &settings),
        Command::Door(args) => roles::door::run(&args, &settings),
        Command::Employee(args) => roles::employee::run(args, &settings),
        Command::Report(args) => roles::report::run(args, &settings),
    }
}
