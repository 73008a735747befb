//! What a release has beside its sources: `twinkle --version` says from which commit it was built (a
//! debug build would be compiled anew after each commit for nothing else), and its relocations are
//! packed.

#![allow(
    clippy::print_stdout,
    reason = "cargo reads what a build script prints"
)]

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// What `git archive` writes the commit into, by `.gitattributes`: a tarball has no `.git`.
const EXPORTED: &str = "packaging/commit";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={EXPORTED}");
    let folder = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let folder = Path::new(&folder);
    let mut commit = None;
    if env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        pack_relocations();
        commit = commit_of(folder);
        let log = git(folder, &["rev-parse", "--git-path", "logs/HEAD"]);
        if let Some(log) = log.filter(|log| folder.join(log).exists()) {
            println!("cargo:rerun-if-changed={log}");
        }
    }
    let commit = commit.map_or(String::new(), |commit| format!(" ({commit})"));
    println!("cargo:rustc-env=TWINKLE_COMMIT={commit}");
}

/// The addresses that the loader adjusts take a fifteenth of the program, written out; packed, next
/// to nothing. glibc reads that from 2.36 on, and a linker from before passes over the option.
fn pack_relocations() {
    if env::var_os("CARGO_CFG_TARGET_ENV").is_some_and(|of| of == "gnu") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The commit of these sources and its day, as in `39cdf8a0b1c2 2026-11-25`.
pub(crate) fn commit_of(folder: &Path) -> Option<String> {
    let exported = fs::read_to_string(folder.join(EXPORTED)).unwrap_or_default();
    let exported = exported.trim();
    if !exported.is_empty() && !exported.starts_with('$') {
        return Some(exported.to_owned());
    }
    // Not that of a repository that the sources were unpacked into.
    let top = fs::canonicalize(git(folder, &["rev-parse", "--show-toplevel"])?).ok()?;
    (top == fs::canonicalize(folder).ok()?).then_some(())?;
    let commit = git(
        folder,
        &["log", "-1", "--abbrev=12", "--format=%h %cs", "HEAD"],
    )?;
    match git(folder, &["status", "--porcelain", "--untracked-files=no"]) {
        Some(changed) if !changed.is_empty() => Some(format!("{commit}, changed since")),
        _ => Some(commit),
    }
}

/// What git prints, if there is a git.
fn git(folder: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .current_dir(folder)
        .args(args)
        .output()
        .ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| printed.trim().to_owned())
}
