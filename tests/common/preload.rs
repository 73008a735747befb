//! Small C libraries that stand between a process and its system.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::{Mutex, OnceLock};
use std::{env, fs};

/// The library of that name beside this file, compiled once by each test binary that needs it.
pub fn library(name: &'static str) -> PathBuf {
    static COMPILED: OnceLock<Mutex<HashMap<&str, PathBuf>>> = OnceLock::new();
    let mut compiled = COMPILED.get_or_init(Mutex::default).lock().unwrap();
    compiled
        .entry(name)
        .or_insert_with(|| compile(name))
        .clone()
}

fn compile(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(folder).unwrap();
    let library = folder.join(format!("{name}-{}.so", env!("CARGO_CRATE_NAME")));
    let half_done = library.with_extension(format!("{}.so", process::id()));
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let compiled = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&half_done)
        .arg(format!(
            "{}/tests/common/{name}.c",
            env!("CARGO_MANIFEST_DIR")
        ))
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(compiled.success(), "the C compiler failed");
    fs::rename(half_done, &library).unwrap();
    library
}
