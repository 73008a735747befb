//! How `door --check` prints what it finds: a word on how it is, what it is about, what was found,
//! and below it what to do.

use std::env;
use std::io::{self, IsTerminal, Stdout, Write};

use crate::exit::Exit;
use crate::hw::gpio;

/// How wide the names of what is checked may be.
const WIDTH: usize = 12;

/// See the module.
pub(super) struct Report {
    to: Stdout,
    colours: bool,
    warnings: usize,
    failures: usize,
    /// How the command ends if something fails: as the first failure says.
    exit: Option<Exit>,
}

impl Report {
    pub(super) fn new(to: Stdout) -> Self {
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colours: to.is_terminal() && !plain,
            to,
            warnings: 0,
            failures: 0,
            exit: None,
        }
    }

    /// All is as it should be.
    pub(super) fn ok(&mut self, what: &str, found: &str) -> io::Result<()> {
        self.line("ok", 32, what, found)
    }

    /// It will work, but not as somebody may expect.
    pub(super) fn warn(&mut self, what: &str, found: &str, advice: &str) -> io::Result<()> {
        self.warnings += 1;
        self.line("warn", 33, what, found)?;
        self.note(advice)
    }

    /// It will not work.
    pub(super) fn fail(&mut self, what: &str, found: &str, advice: &str) -> io::Result<()> {
        self.failed(Exit::Unusable);
        self.line("FAIL", 31, what, found)?;
        self.note(advice)
    }

    /// A line cannot be had; the error says what to do.
    pub(super) fn fail_for(&mut self, what: &str, cause: &gpio::Error) -> io::Result<()> {
        self.failed(match cause.is_not_found() {
            true => Exit::NotFound,
            false => Exit::Unusable,
        });
        let text = cause.to_string();
        let (found, advice) = text.split_once("; ").unwrap_or((&text, ""));
        self.line("FAIL", 31, what, found)?;
        match advice {
            "" => Ok(()),
            advice => self.note(advice),
        }
    }

    /// More about the line before.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.to, "      {:WIDTH$}  {text}", "")
    }

    /// The last line; returns how the command ends.
    pub(super) fn end(mut self) -> io::Result<Exit> {
        let count = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            count => format!("{count} {what}s"),
        };
        let says = match (self.failures, self.warnings) {
            (0, 0) => "all is well".to_owned(),
            (0, warnings) => count(warnings, "warning"),
            (failures, 0) => count(failures, "failure"),
            (failures, warnings) => {
                format!(
                    "{}, {}",
                    count(failures, "failure"),
                    count(warnings, "warning")
                )
            }
        };
        writeln!(self.to, "\n{says}")?;
        Ok(self.exit.unwrap_or(Exit::Done))
    }

    fn failed(&mut self, exit: Exit) {
        self.failures += 1;
        self.exit.get_or_insert(exit);
    }

    fn line(&mut self, how: &str, colour: u8, what: &str, found: &str) -> io::Result<()> {
        match self.colours {
            true => write!(self.to, "\x1b[{colour}m{how:4}\x1b[0m")?,
            false => write!(self.to, "{how:4}")?,
        }
        writeln!(self.to, "  {what:WIDTH$}  {found}")?;
        self.to.flush()
    }
}
