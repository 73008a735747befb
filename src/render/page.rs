//! A page about one thing: what is known of it line by line, lists, and what to do.

use std::fmt::Write;

use crate::render::{Grid, one_line, table};

/// A page for people.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    width: Option<u16>,
}

impl Page {
    /// A page with this title, as wide as the terminal.
    pub fn new(title: &str) -> Self {
        Self {
            text: format!("{}\n", one_line(title)),
            width: table::terminal_width(),
        }
    }

    /// Adds what is known, each with what it is about before it.
    pub fn facts(&mut self, facts: &[(&'static str, String)]) {
        self.text.push('\n');
        self.text += &table::facts(facts, self.width);
    }

    /// Adds a list under its heading.
    pub fn list(&mut self, heading: &str, grid: &Grid) {
        self.heading(heading);
        self.text += &table::grid(grid, self.width);
    }

    /// Adds sentences under their heading.
    pub fn say(&mut self, heading: &str, sentences: &[String]) {
        self.heading(heading);
        let lines: Vec<_> = sentences.iter().map(|text| ("-", text.clone())).collect();
        self.text += &table::facts(&lines, self.width);
    }

    /// The whole page.
    pub fn into_text(self) -> String {
        self.text
    }

    fn heading(&mut self, heading: &str) {
        // Writing to a text does not fail.
        let _written = write!(self.text, "\n{heading}\n");
    }
}
