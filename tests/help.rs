//! What each command says of itself.

#![allow(clippy::unwrap_used, reason = "a failing step fails its test")]

mod common;

use clap::CommandFactory;
use common::Fixed;
use twinkle::cli::Cli;

/// Every command with those below it, as words.
fn commands(of: &clap::Command, before: &[String], all: &mut Vec<Vec<String>>) {
    all.push(before.to_vec());
    for command in of
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        let words = [before, &[command.get_name().to_owned()]].concat();
        commands(command, &words, all);
    }
}

fn all_commands() -> Vec<Vec<String>> {
    let mut all = Vec::new();
    commands(&Cli::command(), &[], &mut all);
    assert!(all.len() > 10, "{all:?}");
    all
}

#[test]
fn every_command_explains_itself() {
    let fixed = Fixed::empty();
    for words in all_commands() {
        let name = [&["help".to_owned()], &*words].concat().join("-");
        let args: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        fixed.shows(&name, &args);
    }
}

#[test]
fn help_has_a_line_for_each_flag_examples_and_room_in_the_terminal() {
    let fixed = Fixed::empty();
    for words in all_commands() {
        let args: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let help = fixed.run(&args).stdout;
        // The line of its use cannot be broken.
        for line in help.lines().filter(|line| !line.starts_with("Usage:")) {
            assert!(line.chars().count() <= 100, "{words:?}: {line}");
        }
        assert!(help.contains("\nExamples:\n"), "{words:?} has no examples");
        // clap puts the text of a flag below it where the two do not fit on one line.
        let mut lines = help.lines().skip_while(|line| *line != "Options:").skip(1);
        let options: Vec<_> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        assert!(!options.is_empty(), "{words:?} has no options");
        for line in options {
            assert!(line.trim_start().starts_with('-'), "{words:?}: {line}");
        }
    }
}
