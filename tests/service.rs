//! What a service manager hears of each role that runs on.

#![allow(clippy::unwrap_used, reason = "a failing step fails its test")]

mod common;

use std::net::Shutdown;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;

use common::{Proc, SOON, Site};

/// A service manager that listens, and wants to hear of each process every 0.2 s.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(site: &Site) -> Self {
        let path = site.folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self { socket, path }
    }

    fn start(&self, command: &mut Command) -> Proc {
        command
            .env("NOTIFY_SOCKET", &self.path)
            .env("WATCHDOG_USEC", "200000");
        Proc::spawn(command)
    }

    /// The next that is said.
    fn hear(&self) -> String {
        let mut bytes = [0; 1024];
        let count = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(bytes.get(..count).unwrap()).into_owned()
    }
}

#[test]
fn each_role_says_when_it_is_ready_alive_and_about_to_end() {
    let site = Site::seeded();
    let here = format!("{}:0", site.host);
    let nowhere = format!("{}:1", site.host);
    for (args, doing) in [
        (["central", "--listen", &here], "STATUS=listening on 127."),
        (["relay", "--listen", &here], "STATUS=listening on 127."),
        (["door", "--relay", &nowhere], "STATUS=reading flashes"),
    ] {
        let manager = Manager::new(&site);
        let mut role = manager.start(&mut site.command(&args));
        let ready = manager.hear();
        assert!(ready.starts_with("READY=1\n"), "{args:?}: {ready}");
        assert!(ready.contains(doing), "{args:?}: {ready}");
        // Again and again, for as long as it is alive.
        for _ in 0..3 {
            assert_eq!(manager.hear(), "WATCHDOG=1\n", "{args:?}");
        }
        role.signal("TERM");
        while manager.hear() != "STOPPING=1\n" {}
        assert_eq!(role.wait(SOON).code(), Some(0), "{args:?}");
        manager.socket.shutdown(Shutdown::Both).unwrap();
        std::fs::remove_file(&manager.path).unwrap();
    }
}
