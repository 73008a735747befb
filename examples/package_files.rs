//! Writes what an installation has beside the program: a manual page for each command, and
//! completions for bash, zsh and fish, all from the command line that the program itself reads.
//!
//!     cargo run --example package_files -- FOLDER

use std::io;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::CommandFactory;
use clap_complete::Shell;
use twinkle::cli::Cli;

fn main() -> io::Result<()> {
    match env::args_os().nth(1).map(PathBuf::from) {
        Some(folder) => write(&folder),
        None => Err(io::Error::other("say into which folder to write")),
    }
}

/// Writes `man/*.1` and `completions/*` into that folder.
pub(crate) fn write(folder: &Path) -> io::Result<()> {
    let pages = folder.join("man");
    let completions = folder.join("completions");
    // Nothing stays of a command that is no more.
    for folder in [&pages, &completions] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
    }
    let mut command = Cli::command();
    clap_mangen::generate_to(command.clone(), pages)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "twinkle", &completions)?;
    }
    Ok(())
}
