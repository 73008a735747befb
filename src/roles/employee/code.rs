//! `twinkle employee code`.

use std::env;
use std::io::{self, IsTerminal};

use crate::author;
use crate::cli::employee::CodeArgs;
use crate::domain::otp::Algorithm;
use crate::render;
use crate::roles::employee::{Office, meant, say, title};

/// Has an employee need one-time codes, or no longer.
pub(super) fn run(office: &mut Office, args: CodeArgs) -> anyhow::Result<()> {
    office.author.who = author::who(args.author.by.as_ref());
    let whom = meant(args.whom)?;
    let (today, author) = (office.today, &office.author);
    if !args.change.enable {
        let (employee, had) = office.store.disable_code(&whom, today, author)?;
        let title = title(&employee);
        match had {
            true => say(format_args!("{title} needs no one-time code any more")),
            false => say(format_args!("{title} needed no one-time code")),
        }?;
        return Ok(());
    }
    let algorithm = match args.sha256 {
        true => Algorithm::Sha256,
        false => Algorithm::Sha1,
    };
    let store = &mut office.store;
    let (employee, generator) = store.enable_code(&whom, algorithm, args.digits, today, author)?;
    let uri = generator.uri(&render::one_line(&employee.name));
    let stdout = io::stdout();
    let colour = stdout.is_terminal() && env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let badge = employee.twinklets.first();
    let badge = badge.map_or_else(|| "ID".to_owned(), ToString::to_string);
    say(format_args!(
        "{title} needs a one-time code at every door from now on\n\n{uri}\n\n{picture}\n\n\
         Take this into an authenticator now: it is not shown again. An earlier one is void.\n\
         At a door it is {badge}:CODE, as in {badge}:012345.",
        title = title(&employee),
        picture = render::qr(&uri, colour)?
    ))?;
    Ok(())
}
