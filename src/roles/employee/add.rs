//! `twinkle employee add`.

use std::io::{self, Write};

use crate::cli::employee::AddArgs;
use crate::db::NewEmployee;
use crate::domain::guessing::EASILY_GUESSED;
use crate::roles::employee::{Office, say};

/// Adds an employee with a badge.
pub(super) fn run(office: &mut Office, args: AddArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let new = NewEmployee {
        name: args.name,
        twinklet: args.twinklet,
        joined: args
            .joined
            .map_or(office.today, |choice| office.day(choice)),
        department: args.department,
        hours: args.hours,
    };
    let number = office.store.add_employee(&new, &office.author)?;
    let NewEmployee {
        name,
        twinklet,
        joined,
        ..
    } = new;
    say(format_args!(
        "added {number}: {name}, twinklet {twinklet}, joined {joined}"
    ))?;
    if twinklet.get() <= EASILY_GUESSED {
        writeln!(
            io::stderr(),
            "hint: ids up to {EASILY_GUESSED} can be found by trying them all at a door; codes keep \
             that from opening it: twinkle employee code {number} --enable"
        )?;
    }
    Ok(())
}
