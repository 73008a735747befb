//! Which twinkle this is.

/// Its version and, of a release, the commit it was built from.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("TWINKLE_COMMIT"));
