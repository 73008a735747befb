//! Who gives an administrator's command, for the audit.

use std::{env, fs};

use nix::unistd::{Uid, User};

use crate::domain::ids::PersonName;

/// The login uid of a process that nobody logged in for.
const NOBODY_LOGGED_IN: u32 = u32::MAX;

/// Who makes a change: the person named, if any, and always the one behind this process, whose word
/// that is.
pub fn who(named: Option<&PersonName>) -> String {
    match named {
        Some(name) => format!("{name} (as {})", behind_this_process()),
        None => behind_this_process(),
    }
}

/// The person behind this process: who logged in, as the kernel remembers it across `su` and
/// `sudo`; else who called `sudo`; else the user this process runs as.
fn behind_this_process() -> String {
    let login = fs::read_to_string("/proc/self/loginuid").ok();
    let login = login.and_then(|text| text.trim().parse().ok());
    let login = login
        .filter(|&uid| uid != NOBODY_LOGGED_IN)
        .map(Uid::from_raw)
        .map(name_of);
    let by_sudo = || env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    login
        .or_else(by_sudo)
        .unwrap_or_else(|| name_of(Uid::effective()))
}

fn name_of(uid: Uid) -> String {
    match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => format!("uid {uid}"),
    }
}
