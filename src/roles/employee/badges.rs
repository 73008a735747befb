//! `twinkle employee replace`, `lost`, `found` and `lend`: badges that change hands.

use crate::cli::employee::{LendArgs, PersonArgs, ReplaceArgs};
use crate::db::Badge;
use crate::roles::employee::{Office, meant, say, title};

/// Takes a badge back and gives another.
pub(super) fn replace(office: &mut Office, args: ReplaceArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let (whom, today) = (meant(args.whom)?, office.today);
    let changed = office
        .store
        .replace_badge(&whom, args.with, today, &office.author)?;
    let (title, with) = (title(&changed.employee), args.with);
    match changed.changes.first().map(|change| &change.old) {
        Some(Some(old)) => say(format_args!(
            "{title} has twinklet {with} now; {old} opens nothing any more"
        )),
        Some(None) => say(format_args!("{title} has twinklet {with} now")),
        None => say(format_args!("{title} has twinklet {with} already")),
    }?;
    Ok(())
}

/// Notes that a badge is lost.
pub(super) fn lost(office: &mut Office, args: PersonArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let (whom, today) = (meant(args.whom)?, office.today);
    let (changed, twinklet) = office.store.lose_badge(&whom, today, &office.author)?;
    let (number, title) = (changed.employee.number, title(&changed.employee));
    match changed.changes.is_empty() {
        true => say(format_args!(
            "{title}: twinklet {twinklet} was lost already"
        )),
        false => say(format_args!(
            "{title}: twinklet {twinklet} is lost, and opens nothing any more\n\
             'twinkle employee replace {number} --with ID' gives another; \
             'found --twinklet {twinklet}' takes this back"
        )),
    }?;
    Ok(())
}

/// Notes that a lost badge is there again.
pub(super) fn found(office: &mut Office, args: PersonArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let (whom, today) = (meant(args.whom)?, office.today);
    let (changed, twinklet) = office.store.find_badge(&whom, today, &office.author)?;
    let title = title(&changed.employee);
    say(format_args!(
        "{title}: twinklet {twinklet} is there again, and opens as before"
    ))?;
    Ok(())
}

/// Lends a badge for some days.
pub(super) fn lend(office: &mut Office, args: &LendArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let today = office.today;
    let from = args.from.map_or(today, |choice| office.day(choice));
    let until = office.day(args.until);
    let badge = Badge::new(args.twinklet, from, Some(until));
    let (changed, owner) =
        office
            .store
            .lend_badge(&args.employee, &badge, today, &office.author)?;
    let (title, twinklet) = (title(&changed.employee), args.twinklet);
    say(format_args!(
        "{title} has twinklet {twinklet} from {from} until {until}"
    ))?;
    if let Some(owner) = owner {
        let owner = crate::roles::employee::title(&owner);
        say(format_args!("{owner} has it before and after that"))?;
    }
    Ok(())
}
