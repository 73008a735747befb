//! The command line of corrections.

use std::str::FromStr;

use clap::Args;

use crate::cli::employee::ChangeArgs;
use crate::domain::attendance::Mark;
use crate::domain::ids::TwinkletId;
use crate::domain::remark::Remark;

/// `twinkle employee mark`.
#[derive(Debug, Args)]
#[command(
    override_usage = "twinkle employee mark [OPTIONS] --reason <TEXT> <EMPLOYEE|--all|--twinklet <ID>> <DAY> <MARK>",
    after_help = "\
A MARK is P present, A absent, L leave, HD half day, or auto for what is derived. A DAY is
2026-11-22, today or yesterday. The register shows a mark that was set with a star, and its reason
below. Nothing is overwritten: the last word on a day counts, and auto takes back all before it.

Examples:
  twinkle employee mark 'Asha Rao' yesterday P --reason 'forgot her badge'
  twinkle employee mark 3 2026-12-24 L --reason 'annual leave'
  twinkle employee mark 3 2026-12-24 auto --reason 'came after all'
  twinkle employee mark --all 2026-11-20 P --reason 'the central was down'"
)]
pub struct MarkArgs {
    /// EMPLOYEE DAY MARK; without EMPLOYEE after --all or --twinklet
    #[arg(value_name = "WORDS", required = true, num_args = 2..=3)]
    pub words: Vec<String>,
    /// Everybody who was employed that day
    #[arg(long, conflicts_with = "twinklet")]
    pub all: bool,
    /// The employee who has this badge
    #[arg(long, value_name = "ID")]
    pub twinklet: Option<TwinkletId>,
    /// Why, in a line that the register shows
    #[arg(long, value_name = "TEXT")]
    pub reason: Remark,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What a day is to be marked; `None` for what is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkChoice(pub Option<Mark>);

impl FromStr for MarkChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let by_office = [Mark::Present, Mark::Absent, Mark::Leave, Mark::HalfDay];
        match text.to_ascii_uppercase().as_str() {
            "AUTO" => Ok(Self(None)),
            symbol => Mark::from_symbol(symbol)
                .filter(|mark| by_office.contains(mark))
                .map(|mark| Self(Some(mark)))
                .ok_or("write a mark as P, A, L or HD, or auto for what is derived"),
        }
    }
}
