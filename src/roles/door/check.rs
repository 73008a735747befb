//! `twinkle door --check`: what an installer on a ladder runs first. Looks at everything that the
//! door would use and says what is wrong and what to do; moves nothing, unless told to pulse.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::clock::{Clock, SystemClock};
use crate::exit::Exit;
use crate::hw::gpio::{self, Consumer, LineSpec, Output, State, Survey, survey};
use crate::hw::{self, LockSpec, Sensor};
use crate::roles::door::live::{self, Live};
use crate::roles::door::plan::Plan;
use crate::roles::door::receivers;
use crate::roles::door::report::Report;
use crate::wire::link::CLOCK_TOLERANCE_MS;

/// How many round trips to the relay are measured.
const PINGS: u64 = 10;
/// How long a pulse is.
const PULSE: Duration = Duration::from_secs(1);

/// Checks all, and prints what it finds as it finds it.
pub(super) async fn run(plan: &Plan, pulse: bool) -> anyhow::Result<Exit> {
    let mut report = Report::new(io::stdout());
    let mut check = Check {
        plan,
        consumer: plan.consumer(),
        pulse,
        report: &mut report,
    };
    check.lock().await?;
    for (sensor, line) in &plan.sensors {
        check.sensor(*sensor, line).await?;
    }
    for (name, line) in plan.lamps() {
        check.lamp(name, line).await?;
    }
    check.source()?;
    check.relay().await?;
    check.clock()?;
    Ok(report.end()?)
}

struct Check<'a> {
    plan: &'a Plan,
    consumer: Consumer,
    pulse: bool,
    report: &'a mut Report,
}

/// A running door that holds a line, and how it stands.
struct Running {
    process: u32,
    live: Option<Live>,
}

impl Check<'_> {
    async fn lock(&mut self) -> io::Result<()> {
        let (line, fail_safe) = match &self.plan.lock {
            LockSpec::Simulated => {
                return self.report.warn(
                    "lock",
                    "simulated: nothing will be unlocked",
                    "name the lock's line with --lock, as in --lock GPIO17",
                );
            }
            LockSpec::Line { line, fail_safe } => (line, *fail_safe),
        };
        let Some(found) = self.look("lock", line).await? else {
            return Ok(());
        };
        let locked_is_high = fail_safe != line.active_low;
        let locked = level(locked_is_high);
        match &found.state {
            State::Held { label, is_output } => {
                if let Some(running) = self.holder("lock", &found, label, *is_output).await? {
                    let stands = running.live.map(|live| match live.unlocked {
                        true => "unlocked now",
                        false => "locked now",
                    });
                    self.running("lock", &found, running.process, stands)?;
                }
            }
            State::LeftAsOutput => self.report.warn(
                "lock",
                &format!(
                    "{}: its last owner left it driven, perhaps unlocked",
                    found.shown
                ),
                "lock it: run the same command with --relock instead of --check",
            )?,
            State::Free { high, changes } => {
                let at_rest = level(*high);
                let says = format!(
                    "{}: free, {at_rest} at rest; {locked} is locked",
                    found.shown
                );
                let resistor = format!(
                    "add 10 kΩ to {}, or choose a pin that pulls {}",
                    if locked_is_high { "3V3" } else { "GND" },
                    if locked_is_high { "up" } else { "down" },
                );
                if *changes > 0 {
                    let says = format!("{says}, but it floats: {changes} changes in half a second");
                    self.report.warn("lock", &says, &resistor)?;
                } else if *high != locked_is_high {
                    let says = format!("{says}: unlocked whenever twinkle does not run");
                    self.report.warn("lock", &says, &resistor)?;
                } else if found.reset_pull.is_some_and(|up| up != locked_is_high) {
                    let says = format!("{says}, but the pin pulls the other way at start");
                    let advice = format!("{resistor}, unless there is one already");
                    self.report.warn("lock", &says, &advice)?;
                } else {
                    self.report.ok("lock", &says)?;
                }
                if self.pulse {
                    self.pulse(
                        "lock",
                        line,
                        fail_safe,
                        "unlocked for a second: did it click?",
                    )
                    .await?;
                }
            }
        }
        Ok(())
    }

    async fn sensor(&mut self, sensor: Sensor, line: &LineSpec) -> io::Result<()> {
        let what = sensor.to_string();
        let Some(found) = self.look(&what, line).await? else {
            return Ok(());
        };
        let state = |active| {
            if active {
                sensor.active()
            } else {
                sensor.idle()
            }
        };
        match &found.state {
            State::Held { label, is_output } => {
                if let Some(running) = self.holder(&what, &found, label, *is_output).await? {
                    let sensed = running
                        .live
                        .and_then(|live| live.sensors.get(&what).copied());
                    let stands = sensed.map(|sensed| sensed.map_or("lost", state));
                    self.running(&what, &found, running.process, stands)?;
                }
            }
            State::LeftAsOutput => self.report.warn(
                &what,
                &format!("{}: its last owner left it an output", found.shown),
                "is it the right line? If so, the door will make it an input",
            )?,
            State::Free { high, changes } if *changes > 1 => self.report.warn(
                &what,
                &format!(
                    "{}: {}, but it changed {changes} times in half a second",
                    found.shown,
                    level(*high)
                ),
                "if nobody touched it, it floats: add 10 kΩ to 3V3 or GND; see docs/hardware.md",
            )?,
            State::Free { high, .. } => {
                let active = *high != line.active_low;
                let says = format!("{}: {}, {}", found.shown, level(*high), state(active));
                if active && sensor != Sensor::Contact {
                    let turned = if line.active_low { "leave out" } else { "add" };
                    let advice = format!("if that is not so, {turned} ,active-low behind the line");
                    self.report.warn(&what, &says, &advice)?;
                } else {
                    self.report.ok(&what, &says)?;
                }
            }
        }
        Ok(())
    }

    async fn lamp(&mut self, what: &str, line: &LineSpec) -> io::Result<()> {
        let Some(found) = self.look(what, line).await? else {
            return Ok(());
        };
        if let State::Held { label, is_output } = &found.state {
            if let Some(running) = self.holder(what, &found, label, *is_output).await? {
                self.running(what, &found, running.process, None)?;
            }
            return Ok(());
        }
        self.report.ok(what, &format!("{}: free", found.shown))?;
        if self.pulse {
            self.pulse(what, line, false, "on for a second: did it show?")
                .await?;
        }
        Ok(())
    }

    /// Looks at a line; says so if it cannot be had.
    async fn look(&mut self, what: &str, line: &LineSpec) -> io::Result<Option<Survey>> {
        match survey(line, &self.consumer).await {
            Ok(found) => Ok(Some(found)),
            Err(cause) => self.report.fail_for(what, &cause).map(|()| None),
        }
    }

    /// The running door that holds a line, if it is one; says so if it is somebody else.
    async fn holder(
        &mut self,
        what: &str,
        found: &Survey,
        label: &str,
        is_output: bool,
    ) -> io::Result<Option<Running>> {
        let Some(process) = Consumer::process(label).filter(|process| is_alive(*process)) else {
            let busy = gpio::Error::Busy {
                line: found.shown.clone(),
                holder: format!("'{label}'"),
                is_output,
            };
            self.report.fail_for(what, &busy)?;
            return Ok(None);
        };
        let live = live::ask(process).await.ok();
        Ok(Some(Running { process, live }))
    }

    fn running(
        &mut self,
        what: &str,
        found: &Survey,
        process: u32,
        stands: Option<&str>,
    ) -> io::Result<()> {
        let stands = stands.map_or(String::new(), |stands| format!(", {stands}"));
        let says = format!(
            "{}: held by the running door, process {process}{stands}",
            found.shown
        );
        self.report.ok(what, &says)?;
        if self.pulse {
            self.report
                .note("not pulsed: stop the running door for that")?;
        }
        Ok(())
    }

    async fn pulse(
        &mut self,
        what: &str,
        line: &LineSpec,
        rest: bool,
        says: &str,
    ) -> io::Result<()> {
        let mut output = match Output::request(line, rest, &self.consumer) {
            Ok(output) => output,
            Err(cause) => return self.report.fail_for(what, &cause),
        };
        output.set(!rest)?;
        sleep(PULSE).await;
        output.set(rest)?;
        self.report.note(says)
    }

    fn source(&mut self) -> io::Result<()> {
        if let Some(address) = receivers::address(&self.plan.from) {
            return match address {
                Ok(address) => {
                    let from = format!("from plain-text receivers that connect to {address}");
                    self.report.ok("flashes", &from)
                }
                Err(help) => self.report.fail("flashes", help, "see --from"),
            };
        }
        let source = match hw::source(&self.plan.from, &[receivers::WRITTEN]) {
            Ok(source) => source,
            Err(unknown) => {
                return self
                    .report
                    .fail("flashes", &unknown.to_string(), "see --from");
            }
        };
        match source.look() {
            Ok(()) => self
                .report
                .ok("flashes", &format!("from {}", source.describe())),
            Err(trouble) => self.report.fail("flashes", &trouble.what, &trouble.advice),
        }
    }

    async fn relay(&mut self) -> io::Result<()> {
        let link = self.plan.link(Arc::new(SystemClock));
        let probe = match link.probe(PINGS).await {
            Ok(probe) => probe,
            Err(cause) => {
                let says = format!("{}: {cause}", self.plan.relay);
                return self
                    .report
                    .fail("relay", &says, cause.advice().unwrap_or("see --relay"));
            }
        };
        let millis = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
        let (least, most) = (millis(probe.round_trip.0), millis(probe.round_trip.1));
        let (name, address) = (&probe.name, &self.plan.relay);
        let says = format!("'{name}' at {address} answers in {least} to {most} ms");
        match probe.installation {
            Some(_) => self.report.ok("relay", &says)?,
            None => self.report.warn(
                "relay",
                &format!("{says}, but has not met its central yet"),
                "look at the relay's log; no flash will be decided until then",
            )?,
        }
        let ahead = probe.clock_ahead_ms;
        if ahead.unsigned_abs() > CLOCK_TOLERANCE_MS {
            let direction = if ahead > 0 { "ahead of" } else { "behind" };
            let says = format!("{} s {direction} the relay's", ahead.unsigned_abs() / 1000);
            let advice = "set the time, and let it be kept: timedatectl set-ntp true";
            self.report.warn("clock", &says, advice)?;
        }
        Ok(())
    }

    fn clock(&mut self) -> io::Result<()> {
        let now = SystemClock.now().format("%Y-%m-%d %H:%M:%S UTC");
        match is_synchronised() {
            Some(true) => self.report.ok("clock", &format!("{now}, synchronised"))?,
            Some(false) => self.report.warn(
                "clock",
                &format!("{now}, not synchronised"),
                "let it be: timedatectl set-ntp true",
            )?,
            None => {
                let says = format!("{now}; whether it is synchronised, nobody here can say");
                self.report.ok("clock", &says)?;
            }
        }
        if !Path::new("/dev/rtc0").exists() {
            self.report
                .note("no real-time clock: wrong after a power cut, until a network is there")?;
        }
        Ok(())
    }
}

fn level(high: bool) -> &'static str {
    if high { "high" } else { "low" }
}

fn is_alive(process: u32) -> bool {
    let name = fs::read_to_string(format!("/proc/{process}/comm"));
    name.is_ok_and(|name| name.trim_end() == "twinkle")
}

/// Whether the system keeps the clock right; `None` if nobody knows.
fn is_synchronised() -> Option<bool> {
    let asked = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .output()
        .ok()?;
    match asked.stdout.trim_ascii() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}
