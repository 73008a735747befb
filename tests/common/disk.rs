//! Disks that a test fills and spoils.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::preload;

/// What stands between processes and their databases, and lets nothing be written when told.
pub struct TestDisk {
    file: PathBuf,
}

impl TestDisk {
    /// A good one. Its file is to lie in this folder.
    pub fn new(folder: &Path) -> Self {
        let disk = Self {
            file: folder.join("disk"),
        };
        disk.becomes("good");
        disk
    }

    /// `full`, `read-only` or `good` from now on.
    pub fn becomes(&self, what: &str) {
        let half_done = self.file.with_extension("new");
        fs::write(&half_done, what).unwrap();
        fs::rename(half_done, &self.file).unwrap();
    }

    /// Has a process use this disk.
    pub fn give_to(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", preload::library("disk"))
            .env("TEST_DISK", &self.file);
    }
}

/// A small file system in memory, which goes with the test.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many megabytes there; `None`, with a line that says so, where we may not.
    #[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub fn mount(folder: &Path, megabytes: u32) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder)
            .output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            eprintln!("skipped: nothing can be mounted here, which takes root");
            return None;
        }
        let folder = folder.to_owned();
        Some(Self { folder })
    }

    /// Leaves no byte free.
    pub fn fill(&self) {
        let mut file = File::create(self.folder.join("filling")).unwrap();
        for size in [65_536, 4_096, 1] {
            while file.write(&vec![0; size]).is_ok() {}
        }
    }

    /// Frees what was filled.
    pub fn free(&self) {
        fs::remove_file(self.folder.join("filling")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Its processes may still be about to end.
        let _unmounted = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
