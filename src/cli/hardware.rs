//! The part of a door's command line that is about its hardware.

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::config::Span;
use crate::hw::gpio::LineSpec;

/// The lock's kind, and the lines beside it. A line is `gpiochip0:17`, `GPIO17`, or with a chip's
/// label before the colon; `,active-low` behind it where low is what counts.
#[derive(Debug, Args)]
pub struct HardwareArgs {
    /// The lock has power when its line is low
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        env = "TWINKLE_DOOR_ACTIVE_LOW",
        hide_env = true,
        hide_possible_values = true
    )]
    pub active_low: Option<bool>,
    /// Power locks, as a magnet does: without it the door is open
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        env = "TWINKLE_DOOR_FAIL_SAFE",
        hide_env = true,
        hide_possible_values = true
    )]
    pub fail_safe: Option<bool>,
    /// The line that is high while the door is open
    #[arg(
        long,
        value_name = "LINE",
        env = "TWINKLE_DOOR_CONTACT",
        hide_env = true
    )]
    pub contact: Option<LineSpec>,
    /// The line that is high while somebody wants out
    #[arg(
        long,
        value_name = "LINE",
        env = "TWINKLE_DOOR_EXIT_BUTTON",
        hide_env = true
    )]
    pub exit_button: Option<LineSpec>,
    /// The line that is high while the fire alarm is on
    #[arg(long, value_name = "LINE", env = "TWINKLE_DOOR_FIRE", hide_env = true)]
    pub fire: Option<LineSpec>,
    /// The line that is high while the device's case is open
    #[arg(
        long,
        value_name = "LINE",
        env = "TWINKLE_DOOR_TAMPER",
        hide_env = true
    )]
    pub tamper: Option<LineSpec>,
    /// How long the door may stand open [default: 30s]
    #[arg(
        long,
        value_name = "TIME",
        env = "TWINKLE_DOOR_HELD_AFTER",
        hide_env = true
    )]
    pub held_after: Option<Span>,
    /// The line of a green lamp: unlocked
    #[arg(long, value_name = "LINE", env = "TWINKLE_DOOR_GREEN", hide_env = true)]
    pub green: Option<LineSpec>,
    /// The line of a red lamp: refused, alarm, relay lost
    #[arg(long, value_name = "LINE", env = "TWINKLE_DOOR_RED", hide_env = true)]
    pub red: Option<LineSpec>,
    /// The line of a buzzer
    #[arg(
        long,
        value_name = "LINE",
        env = "TWINKLE_DOOR_BUZZER",
        hide_env = true
    )]
    pub buzzer: Option<LineSpec>,
    /// Look whether all is well instead, and end; moves nothing
    #[arg(long, conflicts_with_all = ["flash", "relock"])]
    pub check: bool,
    /// With --check: unlock for a moment, and light each lamp
    #[arg(long, requires = "check")]
    pub pulse: bool,
    /// Lock instead, and end: for when a door could not do it itself
    #[arg(long, conflicts_with = "flash")]
    pub relock: bool,
}
