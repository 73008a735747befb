//! A program in a terminal of its own, and what stands on that terminal's screen.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nix::pty::{Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::ttyname;

use super::{SOON, wait_until};

/// What a program prints to have a screen of its own.
const FULL_SCREEN: &str = "\x1b[?1049h";

/// A terminal with a program in it.
pub struct Pty {
    child: Child,
    keyboard: File,
    slave: OwnedFd,
    path: PathBuf,
    screen: Arc<Mutex<Screen>>,
    before: Termios,
}

struct Screen {
    parser: vt100::Parser,
    /// Every byte so far.
    raw: Vec<u8>,
}

impl Pty {
    /// Starts a program in a terminal of that size.
    pub fn spawn(command: &Command, rows: u16, columns: u16) -> Self {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        // It must be the controlling terminal, or nobody hears that its size changes.
        let mut within = Command::new("setsid");
        within
            .args(["--ctty", "--wait"])
            .arg(command.get_program())
            .args(command.get_args());
        within.env_clear();
        for (name, value) in command.get_envs() {
            value.map(|value| within.env(name, value));
        }
        let path = std::env::var_os("PATH").unwrap();
        within.env("PATH", path).env("TERM", "xterm-256color");
        if let Some(folder) = command.get_current_dir() {
            within.current_dir(folder);
        }
        let end = |slave: &OwnedFd| Stdio::from(slave.try_clone().unwrap());
        within
            .stdin(end(&pty.slave))
            .stdout(end(&pty.slave))
            .stderr(end(&pty.slave));
        let child = within.spawn().unwrap();
        let screen = Arc::new(Mutex::new(Screen {
            parser: vt100::Parser::new(lines(rows), lines(columns), 0),
            raw: Vec::new(),
        }));
        let mut output = File::from(pty.master.try_clone().unwrap());
        let written = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let mut screen = written.lock().unwrap();
                screen.parser.process(&bytes[..count]);
                screen.raw.extend_from_slice(&bytes[..count]);
            }
        });
        Self {
            child,
            path: ttyname(&pty.slave).unwrap(),
            keyboard: File::from(pty.master),
            slave: pty.slave,
            screen,
            before,
        }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Makes the terminal as large as that.
    pub fn resize(&self, rows: u16, columns: u16) {
        self.screen
            .lock()
            .unwrap()
            .parser
            .screen_mut()
            .set_size(lines(rows), lines(columns));
        let (rows, columns) = (rows.to_string(), columns.to_string());
        let sized = Command::new("stty")
            .args(["rows", &rows, "cols", &columns, "-F"])
            .arg(&self.path)
            .status()
            .unwrap();
        assert!(sized.success());
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.screen.lock().unwrap().parser.screen().contents()
    }

    /// How the first of that on the screen looks: its colour, and whether it is bold, and dim.
    pub fn look_of(&self, text: &str) -> (vt100::Color, bool, bool) {
        let screen = self.screen.lock().unwrap();
        let screen = screen.parser.screen();
        let (_, columns) = screen.size();
        let mut rows = (0..).zip(screen.rows(0, columns.get()));
        let place = rows.find_map(|(row, line)| {
            let before = &line[..line.find(text)?];
            Some((row, u16::try_from(before.chars().count()).unwrap()))
        });
        let Some((row, column)) = place else {
            panic!("no {text:?} on\n{}", screen.contents());
        };
        let cell = screen.cell(row, column).unwrap();
        (cell.fgcolor(), cell.bold(), cell.dim())
    }

    /// Waits until that stands on the screen.
    pub fn wait_for(&self, text: &str) {
        self.wait_for_within(SOON, text);
    }

    /// Waits no longer than that until it stands on the screen.
    pub fn wait_for_within(&self, within: Duration, text: &str) {
        let mut seen;
        let began = std::time::Instant::now();
        loop {
            seen = self.screen();
            if seen.contains(text) {
                return;
            }
            assert!(
                began.elapsed() < within,
                "not within {within:?}: {text:?} on\n{seen}"
            );
            super::pause(Duration::from_millis(10));
        }
    }

    /// Whether that was printed, wherever on the screen it went.
    pub fn has_printed(&self, text: &str) -> bool {
        let screen = self.screen.lock().unwrap();
        String::from_utf8_lossy(&screen.raw).contains(text)
    }

    /// Waits for the program's end, and fails unless the terminal is as it was before.
    pub fn ends_with_the_terminal_as_it_was(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_until(SOON, "the program's end", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        let after = tcgetattr(&self.slave).unwrap();
        assert_eq!(after.local_flags, self.before.local_flags);
        assert_eq!(after.input_flags, self.before.input_flags);
        wait_until(
            SOON,
            "the usual screen with its cursor, after one of its own",
            || {
                let screen = self.screen.lock().unwrap();
                let entered = String::from_utf8_lossy(&screen.raw).contains(FULL_SCREEN);
                entered
                    && !screen.parser.screen().alternate_screen()
                    && !screen.parser.screen().hide_cursor()
            },
        );
        ended.unwrap()
    }
}

fn lines(number: u16) -> NonZero<u16> {
    NonZero::new(number).unwrap()
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
