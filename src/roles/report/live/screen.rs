//! The terminal as a full screen, given back as it was however the program ends.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::{DefaultTerminal, Frame};

/// The terminal while it is ours. Dropped, it is given back; also after a panic, before its message
/// is printed.
#[derive(Debug)]
pub struct Screen {
    terminal: DefaultTerminal,
}

/// What somebody wants who pressed a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To end.
    Quit,
    /// To see the other page.
    OtherPage,
    /// To see what is so many lines further down, or up.
    Scroll(i32),
    /// To see all drawn anew.
    Redraw,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn open() -> io::Result<Self> {
        let terminal = ratatui::try_init()?;
        Ok(Self { terminal })
    }

    /// Draws all anew.
    ///
    /// # Errors
    /// Those of writing.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw)?;
        Ok(())
    }

    /// What was wished since the last look, without waiting.
    ///
    /// # Errors
    /// Those of reading.
    pub fn wishes(&self) -> io::Result<Vec<Wish>> {
        let mut wishes = Vec::new();
        while event::poll(Duration::ZERO)? {
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    wishes.extend(wish(key));
                }
                Event::Resize(..) => wishes.push(Wish::Redraw),
                _ => (),
            }
        }
        Ok(wishes)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

fn wish(key: KeyEvent) -> Option<Wish> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if control => Wish::Quit,
        KeyCode::Char('l') if control => Wish::Redraw,
        KeyCode::Char('q' | 'Q') | KeyCode::Esc => Wish::Quit,
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right => Wish::OtherPage,
        KeyCode::Down => Wish::Scroll(1),
        KeyCode::Up => Wish::Scroll(-1),
        KeyCode::PageDown | KeyCode::Char(' ') => Wish::Scroll(10),
        KeyCode::PageUp => Wish::Scroll(-10),
        KeyCode::Home => Wish::Scroll(i32::MIN),
        _ => return None,
    })
}
