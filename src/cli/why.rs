//! The command line of the question why.

use clap::Args;

use crate::domain::calendar::DayChoice;
use crate::domain::ids::{DeviceName, TwinkletId};
use crate::domain::instant::InstantChoice;

/// `twinkle report why`.
#[derive(Debug, Args)]
#[command(after_help = "\
EMPLOYEE is a number, or a name that only one employee has. A DAY is 2026-11-22, today or yesterday.
A TIME is 08:05 (today), '2026-11-22 08:05' or 'yesterday 08:05'.

Examples:
  twinkle report why 'Asha Rao'                   today's mark, and whether doors would open now
  twinkle report why 'Asha Rao' --on 2026-11-12   how that day's mark came to be
  twinkle report why Ravi --at 08:05              why the door did not open for him this morning
  twinkle report why Ravi --door 'front door'
  twinkle report why lab                          what is wrong with that door
  twinkle report why --twinklet 99                whose badge it is, and what it may")]
pub struct WhyArgs {
    /// The employee or the door that is asked about
    #[arg(
        value_name = "EMPLOYEE|DOOR",
        conflicts_with = "twinklet",
        required_unless_present_any = ["twinklet", "door"]
    )]
    pub who: Option<String>,
    /// The badge that is asked about, whoever has it
    #[arg(long, value_name = "ID")]
    pub twinklet: Option<TwinkletId>,
    /// Only this door; alone: the door that is asked about
    #[arg(long, value_name = "DOOR")]
    pub door: Option<DeviceName>,
    /// The day that is asked about [default: today]
    #[arg(long, value_name = "DAY", conflicts_with = "at")]
    pub on: Option<DayChoice>,
    /// The time that is asked about
    #[arg(long, value_name = "TIME")]
    pub at: Option<InstantChoice>,
}
