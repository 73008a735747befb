//! `twinkle employee erase`.

use crate::cli::employee::EraseArgs;
use crate::roles::employee::{Office, meant, say};

/// Takes a person's name out of everything.
pub(super) fn run(office: &mut Office, args: EraseArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let (whom, today) = (meant(args.whom)?, office.today);
    let erased = office
        .store
        .erase_employee(&whom, &args.reason, today, &office.author)?;
    let number = erased.number;
    say(format_args!(
        "{number} is 'erased {number}' from now on; days and totals stay. \
         Backups and what was printed or exported still have the name."
    ))?;
    Ok(())
}
