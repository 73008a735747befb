//! What twinkle is about, as plain values and pure functions: who may enter, which day counts,
//! what the register shows. Nothing here does I/O, reads a clock or imports another module.

pub mod access;
pub mod advice;
pub mod attendance;
pub mod calendar;
pub mod code;
pub mod delays;
pub mod direction;
pub mod door_event;
pub mod event_filter;
pub mod fingerprint;
pub mod guessing;
pub mod hours;
pub mod ids;
pub mod instant;
pub mod near;
pub mod otp;
pub mod packet;
pub mod remark;
pub mod roster;
pub mod spool;
pub(crate) mod text;
