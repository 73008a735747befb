//! The command line of a door.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::cli::HardwareArgs;
use crate::config::Span;
use crate::domain::code::Shown;
use crate::domain::ids::DeviceName;
use crate::wire::address::HostPort;

/// `twinkle door`.
#[derive(Debug, Args)]
#[command(after_help = "\
Variables: TWINKLE_DOOR_NAME, TWINKLE_DOOR_RELAY, TWINKLE_DOOR_FROM, TWINKLE_DOOR_LOCK,
TWINKLE_DOOR_OPEN_FOR, TWINKLE_DOOR_ACTIVE_LOW, TWINKLE_DOOR_FAIL_SAFE, TWINKLE_DOOR_CONTACT,
TWINKLE_DOOR_EXIT_BUTTON, TWINKLE_DOOR_FIRE, TWINKLE_DOOR_TAMPER, TWINKLE_DOOR_HELD_AFTER,
TWINKLE_DOOR_GREEN, TWINKLE_DOOR_RED, TWINKLE_DOOR_BUZZER, TWINKLE_DOOR_DEADLINE,
TWINKLE_DOOR_IDENTITY, TWINKLE_DOOR_INSECURE

A LINE is gpiochip0:17, pinctrl-bcm2711:17 by the chip's label, or GPIO17 by its own name;
',active-low' behind it turns it round. Wiring: docs/hardware.md.

Examples:
  twinkle door lab                                read badge numbers from standard input
  twinkle door lab --from serial:/dev/ttyUSB0     read a receiver on a serial port
  twinkle door lab --flash 7                      one flash: exit 0 open, 1 not, 4 nobody answers
  twinkle door lab --relay 127.0.0.1:9999         straight to a central
  twinkle door --identity lab.identity --relay north.example:9998
  twinkle door lab --lock GPIO17 --active-low --contact GPIO23 --exit-button GPIO24,active-low
  twinkle door lab --lock GPIO17 --check          is the wiring right, and the relay there?
  twinkle door lab --probe 100                    how long each hop takes, without a badge")]
pub struct DoorArgs {
    /// The door's name [default: the machine's]
    #[arg(env = "TWINKLE_DOOR_NAME", hide_env = true)]
    pub name: Option<DeviceName>,
    /// Where relay or central listens, or several [default: 127.0.0.1:9998]
    #[arg(
        long,
        value_name = "ADDR",
        value_delimiter = ',',
        env = "TWINKLE_DOOR_RELAY",
        hide_env = true
    )]
    pub relay: Vec<HostPort>,
    /// Where flashes come from.
    #[arg(
        help = "Flashes from: stdin, serial:PORT[,BAUD] or tcp:ADDR [default: stdin]",
        long,
        value_name = "SOURCE",
        env = "TWINKLE_DOOR_FROM",
        hide_env = true
    )]
    pub from: Option<String>,
    /// What to unlock: a GPIO line, or sim, a simulated lock [default: sim]
    #[arg(long, value_name = "LOCK", env = "TWINKLE_DOOR_LOCK", hide_env = true)]
    pub lock: Option<String>,
    /// How long the lock stays open [default: 5s]
    #[arg(
        long,
        value_name = "TIME",
        env = "TWINKLE_DOOR_OPEN_FOR",
        hide_env = true
    )]
    pub open_for: Option<Span>,
    /// The rest of the hardware.
    #[command(flatten)]
    pub hardware: HardwareArgs,
    /// How long the relay may take to answer [default: 3s]
    #[arg(
        long,
        value_name = "TIME",
        env = "TWINKLE_DOOR_DEADLINE",
        hide_env = true
    )]
    pub deadline: Option<Span>,
    /// Flash this badge once instead, and end
    #[arg(long, value_name = "ID")]
    pub flash: Option<Shown>,
    /// What the central knows it by: a file from 'central enroll'
    #[arg(
        long,
        value_name = "FILE",
        env = "TWINKLE_DOOR_IDENTITY",
        hide_env = true
    )]
    pub identity: Option<PathBuf>,
    /// Time the way to relay and central so many times instead, and end
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        default_missing_value = "100",
        conflicts_with = "flash",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub probe: Option<u32>,
    /// Use addresses off this machine, unprotected
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        env = "TWINKLE_DOOR_INSECURE",
        hide_env = true,
        hide_possible_values = true
    )]
    pub insecure: Option<bool>,
}

impl DoorArgs {
    /// Whether the command does one thing and ends, rather than keeps a door.
    pub fn is_brief(&self) -> bool {
        self.flash.is_some() || self.probe.is_some() || self.hardware.relock || self.hardware.check
    }
}
