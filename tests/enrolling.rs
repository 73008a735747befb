//! The authority and the identities that it makes: what goes wrong is said, and leaves nothing behind.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use common::Site;

#[test]
fn a_lost_authority_never_means_that_everybody_is_taken() {
    let site = Site::seeded();
    site.enroll("door", "lab", &[]);
    let authority = site.folder.path().join("twinkle.db.authority");
    let kept = std::fs::read(&authority).unwrap();
    let insecure = site.run(&["central", "--listen", "127.0.0.1:0", "--insecure"]);
    assert_eq!(insecure.code, Some(2), "{insecure:?}");

    std::fs::remove_file(&authority).unwrap();
    for args in [
        &["central", "--listen", "127.0.0.1:0"][..],
        &["central", "enroll", "other", "--role", "door"],
    ] {
        let refused = site.run(args);
        assert_eq!(refused.code, Some(4), "{refused:?}");
        assert!(refused.stderr.contains("put"), "{refused:?}");
    }
    // Another installation's is no replacement.
    let other = Site::seeded();
    other.enroll("door", "lab", &[]);
    std::fs::copy(other.folder.path().join("twinkle.db.authority"), &authority).unwrap();
    let refused = site.run(&["central", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");

    std::fs::write(&authority, kept).unwrap();
    site.central(0, &[]).address();
    std::fs::remove_file(&authority).unwrap();
    site.ok(&["central", "disown", "lab"]);
    site.central(0, &[]).address();
}

#[test]
fn enrolling_says_what_is_wrong_and_leaves_nothing_behind() {
    use std::os::unix::fs::PermissionsExt;

    let site = Site::seeded();
    let north = site.enroll("relay", "north", &[]);
    let authority = site.folder.path().join("twinkle.db.authority");
    for secret in [&north, &authority] {
        let mode = std::fs::metadata(secret).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", secret.display());
    }
    let files = || std::fs::read_dir(site.folder.path()).unwrap().count();
    let before = files();
    for (args, code, says) in [
        (
            &["north", "--role", "door"][..],
            3,
            "relay 'north' is enrolled already",
        ),
        (
            &["lab", "--role", "door", "--relay", "nort"],
            3,
            "did you mean 'north'?",
        ),
        (
            &["south", "--role", "relay", "--relay", "north"],
            2,
            "--relay is for doors",
        ),
        (
            &["lab", "--role", "door", "--plain"],
            2,
            "--plain is for a door behind a relay",
        ),
        (&["lab", "--role", "window"], 2, "say door or relay"),
        (
            &["lab", "--role", "door", "-o", "north.identity"],
            3,
            "is there already",
        ),
        (
            &["lab", "--role", "door", "-o", "no/such/folder"],
            4,
            "cannot write",
        ),
    ] {
        let ended = site.run(&[&["central", "enroll"], args].concat());
        assert_eq!(ended.code, Some(code), "{args:?}: {ended:?}");
        assert!(ended.stderr.contains(says), "{args:?}: {ended:?}");
    }
    assert_eq!(files(), before);
    for command in ["disown", "rotate"] {
        let ended = site.run(&["central", command, "nort"]);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stderr.contains("did you mean 'north'?"), "{ended:?}");
    }
    // An identity is its device's alone.
    for args in [
        ["door", "--identity", "north.identity"],
        ["relay", "x", "north.identity"],
    ] {
        let ended = site.run(&args);
        assert!(matches!(ended.code, Some(2 | 4)), "{ended:?}");
    }
    let both = site.run(&["relay", "--identity", "north.identity", "--insecure"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}
