//! What a door is made of, as the command line and the configuration say together.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;

use crate::cli::DoorArgs;
use crate::clock::Clock;
use crate::config::{self, DoorSettings, Span};
use crate::domain::ids::DeviceName;
use crate::exit::Usage;
use crate::hw::gpio::{Consumer, LineSpec};
use crate::hw::{LockSpec, Sensor};
use crate::roles::door::doorway::Rules;
use crate::wire::Role;
use crate::wire::address::{Addresses, HostPort};
use crate::wire::identity::{self, Identity};
use crate::wire::link::{Link, Options, Patience};

/// Where the relay is if nobody says otherwise: here, on the replaced system's port.
const DEFAULT_RELAY_PORT: u16 = 9998;
/// What a door reads and drives if nobody says otherwise.
const DEFAULT_SOURCE: &str = "stdin";
const DEFAULT_LOCK: &str = "sim";
/// How long the lock stays open if nobody says otherwise.
const DEFAULT_OPEN_FOR: Span = Span(Duration::from_secs(5));
/// How long the door may stand open if nobody says otherwise.
const DEFAULT_HELD_AFTER: Span = Span(Duration::from_secs(30));
/// How long a person waits at a door before trying again.
const DEFAULT_DEADLINE: Span = Span(Duration::from_secs(3));

/// See the module.
pub(super) struct Plan {
    pub(super) name: DeviceName,
    pub(super) relay: Addresses,
    pub(super) from: String,
    pub(super) lock: LockSpec,
    pub(super) open_for: Duration,
    pub(super) held_after: Duration,
    pub(super) sensors: Vec<(Sensor, LineSpec)>,
    pub(super) green: Option<LineSpec>,
    pub(super) red: Option<LineSpec>,
    pub(super) buzzer: Option<LineSpec>,
    pub(super) deadline: Duration,
    pub(super) identity: Option<Identity>,
    pub(super) insecure: bool,
}

impl Plan {
    /// What flags and variables say, else the configuration, else the defaults.
    ///
    /// # Errors
    /// If the machine's name is none for a door, or what is said of the lock makes no sense.
    pub(super) fn of(args: &DoorArgs, section: &DoorSettings) -> anyhow::Result<Self> {
        let named = args.name.clone().or(section.name.clone());
        let identity = args.identity.as_ref().or(section.identity.as_ref());
        let identity = identity
            .map(|file| Identity::load(file, Role::Door, named.as_ref()))
            .transpose()?;
        let insecure = args.insecure.or(section.insecure).unwrap_or(false);
        identity::check(identity.as_ref(), insecure)?;
        let name = match &identity {
            Some(identity) => identity.name.clone(),
            None => config::device_name(named, "door")?,
        };
        let relay = Addresses::of(args.relay.clone()).or(section.relay.clone());
        let from = args.from.clone().or(section.from.clone());
        let (lines, inputs, outputs) = (&args.hardware, &section.inputs, &section.outputs);
        let said = |args: &Option<LineSpec>, section: &Option<LineSpec>| {
            args.clone().or_else(|| section.clone())
        };
        let sensors = Sensor::ALL.into_iter().filter_map(|sensor| {
            let line = match sensor {
                Sensor::Contact => said(&lines.contact, &inputs.contact),
                Sensor::ExitButton => said(&lines.exit_button, &inputs.exit_button),
                Sensor::Fire => said(&lines.fire, &inputs.fire),
                Sensor::Tamper => said(&lines.tamper, &inputs.tamper),
            };
            Some((sensor, line?))
        });
        let held_after = lines.held_after.or(inputs.held_after);
        Ok(Self {
            name,
            relay: relay.unwrap_or_else(|| HostPort::here(DEFAULT_RELAY_PORT).into()),
            from: from.unwrap_or_else(|| DEFAULT_SOURCE.to_owned()),
            lock: lock(args, section)?,
            open_for: args
                .open_for
                .or(section.open_for)
                .unwrap_or(DEFAULT_OPEN_FOR)
                .0,
            held_after: held_after.unwrap_or(DEFAULT_HELD_AFTER).0,
            sensors: sensors.collect(),
            green: said(&lines.green, &outputs.green),
            red: said(&lines.red, &outputs.red),
            buzzer: said(&lines.buzzer, &outputs.buzzer),
            deadline: args
                .deadline
                .or(section.deadline)
                .unwrap_or(DEFAULT_DEADLINE)
                .0,
            identity,
            insecure,
        })
    }

    /// How the door behaves.
    pub(super) fn rules(&self) -> Rules {
        Rules {
            open_for: self.open_for,
            held_after: self.held_after,
            sees_exits: self.has(Sensor::ExitButton),
        }
    }

    /// The lamps and the buzzer that there are, by name.
    pub(super) fn lamps(&self) -> impl Iterator<Item = (&'static str, &LineSpec)> {
        let lamps = [
            ("green lamp", &self.green),
            ("red lamp", &self.red),
            ("buzzer", &self.buzzer),
        ];
        lamps
            .into_iter()
            .filter_map(|(name, line)| Some((name, line.as_ref()?)))
    }

    /// Whether there is anything of hardware about this door.
    pub(super) fn has_lines(&self) -> bool {
        self.lock != LockSpec::Simulated
            || !self.sensors.is_empty()
            || self.lamps().next().is_some()
    }

    /// The way to the relay.
    pub(super) fn link(&self, clock: Arc<dyn Clock>) -> Link {
        Link::new(Options {
            addresses: self.relay.clone(),
            upstream: "relay",
            role: Role::Door,
            name: self.name.clone(),
            // Nobody waits for us who might give up first.
            patience: Patience {
                deadline: self.deadline,
                margin: Duration::ZERO,
            },
            insecure: self.insecure,
            identity: self.identity.clone(),
            clock,
        })
    }

    /// Whether there is such a sensor.
    fn has(&self, wanted: Sensor) -> bool {
        self.sensors.iter().any(|(sensor, _)| *sensor == wanted)
    }

    /// How this door's lines are labelled.
    pub(super) fn consumer(&self) -> Consumer {
        Consumer::ours(self.name.as_str())
    }
}

/// The lock alone: all that matters to whoever locks it.
///
/// # Errors
/// If what is said of it makes no sense.
pub(super) fn lock(args: &DoorArgs, section: &DoorSettings) -> anyhow::Result<LockSpec> {
    let lock = args.lock.as_deref().or(section.lock.as_deref());
    let active_low = args.hardware.active_low.or(section.active_low) == Some(true);
    let fail_safe = args.hardware.fail_safe.or(section.fail_safe) == Some(true);
    let mut lock = LockSpec::parse(lock.unwrap_or(DEFAULT_LOCK), fail_safe)
        .map_err(|help| Usage(help.to_owned()))?;
    match &mut lock {
        LockSpec::Line { line, .. } => line.active_low |= active_low,
        LockSpec::Simulated if active_low || fail_safe => bail!(Usage(
            "--active-low and --fail-safe are about a real lock; name its line with --lock".into()
        )),
        LockSpec::Simulated => (),
    }
    Ok(lock)
}
