//! The five things that `twinkle` can be. None of them imports another.

pub mod central;
pub mod door;
pub mod employee;
pub mod relay;
pub mod report;
