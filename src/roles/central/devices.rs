//! `twinkle central enroll`, `rotate`, `disown` and `devices`: who may connect. They work beside a
//! running central, which notices within a second.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::author;
use crate::cli::EnrollArgs;
use crate::clock::{Clock, SystemClock};
use crate::db::{self, Author, Device, DeviceKind, Enrolled, Store};
use crate::domain::calendar::Days;
use crate::domain::ids::DeviceName;
use crate::exit::{Exit, Unusable, Usage};
use crate::render::{self, Column, Format, Grid};
use crate::roles::central::authority::{self, Authority};
use crate::roles::central::kind_of;
use crate::site::Site;
use crate::wire::Role;

/// `twinkle central enroll`.
pub(super) fn enroll(site: &Site, args: EnrollArgs) -> anyhow::Result<Exit> {
    let EnrollArgs {
        name,
        role,
        relay,
        plain,
        output,
    } = args;
    if role == Role::Relay && !relay.is_empty() {
        return Err(Usage("--relay is for doors: a relay connects to the central".into()).into());
    }
    if plain && (role == Role::Relay || relay.is_empty() || output.is_some()) {
        let right = "--plain is for a door behind a relay that takes its plain text, with --relay \
                     and without --output: such a door has no file";
        return Err(Usage(right.to_owned()).into());
    }
    let (mut store, _) = site.open()?;
    let mut new = Enrolled {
        kind: kind_of(role),
        name,
        fingerprint: None,
        relays: relay.into_iter().collect(),
        used: false,
    };
    store.may_enroll(&new)?;
    let authority = the_authority(&store)?;
    if plain {
        store.enroll(&new, &author())?;
        let through = list_of(&new.relays);
        return say(format_args!(
            "enrolled door '{}', for plain text through {through}: it has no file",
            new.name
        ));
    }
    let output = output.unwrap_or_else(|| default_file(&new.name, "identity"));
    let file = issue(&authority, &mut new, role, output)?;
    keep_if(&file, store.enroll(&new, &author()))?;
    say_written("enrolled", &new, role, &file)
}

/// `twinkle central rotate`.
pub(super) fn rotate(
    site: &Site,
    name: &DeviceName,
    output: Option<PathBuf>,
) -> anyhow::Result<Exit> {
    let (mut store, _) = site.open()?;
    let mut new = store.enrolled(name)?;
    if new.fingerprint.is_none() {
        let why = format!("door '{name}' speaks plain text: it has no identity to rotate");
        return Err(db::Error::Conflict(why).into());
    }
    let role = match new.kind {
        DeviceKind::Door => Role::Door,
        DeviceKind::Relay => Role::Relay,
    };
    let authority = the_authority(&store)?;
    let output = output.unwrap_or_else(|| default_file(name, "new.identity"));
    let file = issue(&authority, &mut new, role, output)?;
    keep_if(&file, store.rotate(&new, &author()))?;
    say_written("new identity for", &new, role, &file)?;
    say(format_args!(
        "the one it has ends when this one is first used"
    ))
}

/// `twinkle central disown`.
pub(super) fn disown(site: &Site, name: &DeviceName) -> anyhow::Result<Exit> {
    let (mut store, _) = site.open()?;
    let disowned = store.disown(name, &author())?;
    say(format_args!(
        "disowned {} '{name}': it is hung up on within a second, and taken no more",
        disowned.kind
    ))
}

/// `twinkle central devices`.
pub(super) fn list(site: &Site, format: Format) -> anyhow::Result<Exit> {
    let (store, days) = site.open()?;
    let known = Known {
        enrolled: store.roll()?,
        disowned: store.disowned()?,
        is_served: store.is_served()?,
    };
    let grid = Grid {
        columns: vec![
            Column::code("role"),
            Column::text("name"),
            Column::text("through"),
            Column::code("fingerprint"),
            Column::code("state"),
            Column::code("last seen"),
            Column::text("keeps"),
        ],
        rows: store
            .devices()?
            .iter()
            .map(|device| row(device, &known, format, days))
            .collect(),
    };
    if grid.rows.is_empty() && format == Format::Table {
        return say(format_args!(
            "no devices yet: one is known once it is enrolled or has connected"
        ));
    }
    render::print_grid(&grid, format)?;
    Ok(Exit::Done)
}

/// What is known of all devices together.
struct Known {
    enrolled: Vec<Enrolled>,
    disowned: BTreeSet<DeviceName>,
    /// Whether a central runs, so that what is connected still is.
    is_served: bool,
}

fn row(device: &Device, known: &Known, format: Format, days: Days) -> Vec<String> {
    let is_it = |name: &DeviceName| name.as_str() == device.name;
    let own: Vec<_> = known
        .enrolled
        .iter()
        .filter(|one| one.kind == device.kind && is_it(&one.name))
        .collect();
    let disowned = own.is_empty() && known.disowned.iter().any(is_it);
    let connected = device.connected.is_some() && known.is_served && !disowned;
    let state = match (&own[..], connected) {
        _ if disowned => "disowned",
        (_, true) if own.iter().any(|one| !one.used) && own.len() > 1 => "connected, rotating",
        (_, true) => "connected",
        ([one], false) if one.fingerprint.is_some() && !one.used => "never used",
        _ => "away",
    };
    let relays: BTreeSet<_> = own.iter().flat_map(|one| &one.relays).cloned().collect();
    let through = match relays.is_empty() {
        true => device.relay.clone().unwrap_or_default(),
        false => list_of(&relays),
    };
    let fingerprints: Vec<_> = own
        .iter()
        .filter_map(|one| Some(format!("{:.16}", one.fingerprint?)))
        .collect();
    let seen = match (device.heard, connected) {
        (_, true) => "now".to_owned(),
        (Some(heard), false) => time(heard, format, days),
        (None, false) => String::new(),
    };
    let keeps = device.keeps(connected, |at| time(at, format, days));
    let or_dash = |text: String| match format {
        Format::Table if text.is_empty() => "-".to_owned(),
        _ => text,
    };
    vec![
        device.kind.to_string(),
        device.name.clone(),
        or_dash(through),
        or_dash(fingerprints.join(" ")),
        state.to_owned(),
        or_dash(seen),
        or_dash(keeps),
    ]
}

fn time(at: DateTime<Utc>, format: Format, days: Days) -> String {
    let at = days.local(at);
    match format {
        Format::Table => at.format("%Y-%m-%d %H:%M").to_string(),
        Format::Csv => at.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    }
}

/// The database's authority, which is made with the first identity.
fn the_authority(store: &Store) -> anyhow::Result<Authority> {
    let installation = store.installation()?;
    if let Some(authority) = Authority::load(store.path(), installation)? {
        return Ok(authority);
    }
    if let Some(one) = store.roll()?.first() {
        return Err(Unusable(format!(
            "'{}' was enrolled by an authority that is gone: put {} back from a backup",
            one.name,
            authority::place(store.path()).display()
        ))
        .into());
    }
    let made = Authority::make(store.path(), installation)?;
    say(format_args!(
        "made this central's authority, {}: keep it secret, and keep a copy",
        authority::place(store.path()).display()
    ))?;
    if store.is_served()? {
        say(format_args!(
            "the central that runs takes devices without an identity until it is restarted, and \
             none from then on"
        ))?;
    }
    Ok(made)
}

/// The file of a device's identity in the folder where the administrator is.
fn default_file(name: &DeviceName, extension: &str) -> PathBuf {
    // A name is no path.
    let name = name.as_str().replace('/', "-");
    PathBuf::from(format!("{name}.{extension}"))
}

/// Makes the identity of a device and writes its file.
fn issue(
    authority: &Authority,
    new: &mut Enrolled,
    role: Role,
    file: PathBuf,
) -> anyhow::Result<PathBuf> {
    let (content, papers) = authority.issue(role, &new.name, new.relays.iter().cloned())?;
    let fingerprint = papers.fingerprint();
    new.fingerprint = Some(fingerprint);
    let text = format!(
        "# The identity of {role} '{}', {fingerprint}.\n\
         # Whoever has this file is this {role}: copy it there, and keep it secret.\n{}",
        new.name,
        toml::to_string(&content)?
    );
    match authority::write_secret(&file, &text) {
        Ok(_) => Ok(file),
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {
            let shown = file.display();
            let why = format!("{shown} is there already; name another file with --output");
            Err(db::Error::Conflict(why).into())
        }
        Err(cause) => {
            let why = format!("cannot write {}: {cause}", file.display());
            Err(Unusable(why).into())
        }
    }
}

/// Takes a file back whose identity could not be stored: it would be nobody's.
fn keep_if<T>(file: &Path, stored: db::Result<T>) -> db::Result<T> {
    if stored.is_err() {
        let _removed = fs::remove_file(file);
    }
    stored
}

fn say_written(did: &str, new: &Enrolled, role: Role, file: &Path) -> anyhow::Result<Exit> {
    let fingerprint = new.fingerprint.map(|shown| format!("{shown:.16}"));
    let through = match new.relays.is_empty() {
        true => String::new(),
        false => format!(", through {}", list_of(&new.relays)),
    };
    say(format_args!(
        "{did} {role} '{}'{through}, fingerprint {}",
        new.name,
        fingerprint.unwrap_or_default()
    ))?;
    let file = file.display();
    say(format_args!(
        "wrote {file}: copy it to that machine, where 'twinkle {role} --identity FILE' uses it"
    ))
}

fn list_of(relays: &BTreeSet<DeviceName>) -> String {
    let names: Vec<_> = relays.iter().map(DeviceName::as_str).collect();
    names.join(", ")
}

fn author() -> Author {
    Author {
        who: author::who(None),
        at: SystemClock.now(),
    }
}

fn say(line: std::fmt::Arguments<'_>) -> anyhow::Result<Exit> {
    writeln!(io::stdout(), "{line}")?;
    Ok(Exit::Done)
}
