//! twinkle: door access and attendance. A badge's flash goes from a door over its site's relay to
//! the central, which decides, marks the person present for the day, and has the door opened.
//!
//! ```text
//! hw -> roles::door -> wire -> roles::relay -> wire -> roles::central -> db
//! roles::employee, roles::report -> db -> render
//! ```
//!
//! Data flows one way, and only the verdict comes back. This library is what the binary `twinkle`
//! is made of; it promises no stable interface of its own.

pub mod author;
pub mod backoff;
pub mod batches;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod db;
pub mod domain;
pub mod exit;
pub mod hw;
pub mod ics;
pub mod logging;
pub mod metrics;
pub mod msgpack;
pub mod render;
pub mod roles;
pub mod service;
pub mod shutdown;
pub mod site;
pub mod version;
pub mod wire;
