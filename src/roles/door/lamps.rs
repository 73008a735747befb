//! What the lamps and the buzzer at a door show: patterns, as docs/hardware.md lists them. What is
//! shown follows from what is known and the time; only [`Lamps`] drives lines.

use std::io;
use std::time::Duration;

use tokio::time::Instant;
use tracing::error;

use crate::hw::gpio::Output;
use crate::roles::door::doorway::Alarm;

/// Times in ms, alternately on and off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pattern {
    steps: &'static [u64],
    /// Whether it begins again at its end.
    again: bool,
}

const fn once(steps: &'static [u64]) -> Pattern {
    Pattern {
        steps,
        again: false,
    }
}

const fn again(steps: &'static [u64]) -> Pattern {
    Pattern { steps, again: true }
}

/// What a flash came to, as people at the door are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Open,
    Refused,
    /// Nobody could be asked, or the lock does not unlock.
    Undecided,
}

impl Outcome {
    fn red(self) -> Pattern {
        match self {
            Outcome::Open => once(&[]),
            Outcome::Refused => once(&[1_000]),
            Outcome::Undecided => once(&[150, 150, 150, 150, 150]),
        }
    }

    fn buzzer(self) -> Pattern {
        match self {
            Outcome::Open => once(&[100]),
            Outcome::Refused => once(&[100, 100, 100]),
            Outcome::Undecided => once(&[100, 100, 100, 100, 100]),
        }
    }
}

impl Alarm {
    fn red(self) -> Pattern {
        match self {
            Alarm::Held => again(&[500, 500]),
            Alarm::Forced | Alarm::Tamper => again(&[100, 100]),
        }
    }

    fn buzzer(self) -> Pattern {
        match self {
            Alarm::Held => again(&[200, 800]),
            Alarm::Forced | Alarm::Tamper => again(&[100, 100]),
        }
    }
}

/// The red lamp while the relay cannot be asked.
const RELAY_LOST: Pattern = again(&[50, 1_950]);

impl Pattern {
    /// Whether it is on now, and when that changes; `None` if it is over.
    fn at(self, since: Instant, now: Instant) -> Option<(bool, Instant)> {
        let length: u64 = self.steps.iter().sum();
        let mut begun = since;
        if self.again && length > 0 {
            let passed = u64::try_from((now - since).as_millis()).unwrap_or(0);
            begun += Duration::from_millis(passed - passed % length);
        }
        let mut on = true;
        for &step in self.steps {
            begun += Duration::from_millis(step);
            if now < begun {
                return Some((on, begun));
            }
            on = !on;
        }
        None
    }
}

/// What is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lit {
    pub(super) green: bool,
    pub(super) red: bool,
    pub(super) buzzer: bool,
}

/// What is to be shown.
#[derive(Debug, Default)]
pub(super) struct Signals {
    pub(super) unlocked: bool,
    pub(super) fire: bool,
    outcome: Option<(Instant, Outcome)>,
    alarm: Option<(Instant, Alarm)>,
    relay_lost: Option<Instant>,
}

impl Signals {
    /// A flash has come to its end.
    pub(super) fn outcome(&mut self, outcome: Outcome, now: Instant) {
        self.outcome = Some((now, outcome));
    }

    /// There is this alarm, or none.
    pub(super) fn alarm(&mut self, alarm: Option<Alarm>, now: Instant) {
        if self.alarm.map(|(_, known)| known) != alarm {
            self.alarm = alarm.map(|alarm| (now, alarm));
        }
    }

    /// The relay can be asked, or not.
    pub(super) fn relay(&mut self, is_there: bool, now: Instant) {
        self.relay_lost = match is_there {
            true => None,
            false => self.relay_lost.or(Some(now)),
        };
    }

    /// What is on now, and when that changes if nothing happens.
    pub(super) fn lit(&self, now: Instant) -> (Lit, Option<Instant>) {
        let alarm = self.alarm.filter(|_| !self.fire);
        let outcome = self.outcome.filter(|_| !self.fire && alarm.is_none());
        let lost = self.relay_lost.filter(|_| !self.fire);
        // The first that is not over.
        let red = alarm
            .and_then(|(since, alarm)| alarm.red().at(since, now))
            .or_else(|| outcome.and_then(|(since, outcome)| outcome.red().at(since, now)))
            .or_else(|| lost.and_then(|since| RELAY_LOST.at(since, now)));
        let buzzer = alarm
            .and_then(|(since, alarm)| alarm.buzzer().at(since, now))
            .or_else(|| outcome.and_then(|(since, outcome)| outcome.buzzer().at(since, now)));
        let lit = Lit {
            green: self.unlocked,
            red: red.is_some_and(|(on, _)| on),
            buzzer: buzzer.is_some_and(|(on, _)| on),
        };
        let changes = [red, buzzer].into_iter().flatten().map(|(_, when)| when);
        (lit, changes.min())
    }
}

/// The lines of lamps and buzzer, those that there are; off when dropped.
#[derive(Debug, Default)]
pub(super) struct Lamps {
    pub(super) green: Option<Output>,
    pub(super) red: Option<Output>,
    pub(super) buzzer: Option<Output>,
    lit: Lit,
    /// Whether it was said that one fails.
    said: bool,
}

impl Lamps {
    pub(super) fn new(green: Option<Output>, red: Option<Output>, buzzer: Option<Output>) -> Self {
        Self {
            green,
            red,
            buzzer,
            ..Self::default()
        }
    }

    /// Whether there are any.
    pub(super) fn any(&self) -> bool {
        self.green.is_some() || self.red.is_some() || self.buzzer.is_some()
    }

    /// Has them be so.
    pub(super) fn show(&mut self, lit: Lit) {
        let mut set = |output: &mut Option<Output>, was: bool, is: bool| {
            let Some(output) = output.as_mut().filter(|_| was != is) else {
                return;
            };
            let done: io::Result<()> = output.set(is);
            if let Err(cause) = &done
                && !self.said
            {
                // A door opens and locks without them.
                error!("the lamp at {} fails: {cause}", output.shown());
            }
            self.said = done.is_err();
        };
        set(&mut self.green, self.lit.green, lit.green);
        set(&mut self.red, self.lit.red, lit.red);
        set(&mut self.buzzer, self.lit.buzzer, lit.buzzer);
        self.lit = lit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the lamps change within this time from `began`, in ms, and to what: `G`, `R`, `B`.
    fn course(signals: &Signals, began: Instant, within: u64) -> Vec<(u64, String)> {
        let mut course = Vec::new();
        let mut now = began;
        loop {
            let (lit, next) = signals.lit(now);
            let shown = [(lit.green, "G"), (lit.red, "R"), (lit.buzzer, "B")];
            let shown: String = shown
                .iter()
                .filter(|(on, _)| *on)
                .map(|(_, c)| *c)
                .collect();
            let at = u64::try_from((now - began).as_millis()).unwrap();
            if course.last().is_none_or(|(_, last)| *last != shown) {
                course.push((at, shown));
            }
            match next {
                Some(next) if next <= began + Duration::from_millis(within) => {
                    assert!(next > now, "time does not pass");
                    now = next;
                }
                _ => return course,
            }
        }
    }

    fn expect(signals: &Signals, began: Instant, within: u64, expected: &[(u64, &str)]) {
        let course = course(signals, began, within);
        let course: Vec<_> = course.iter().map(|(at, lit)| (*at, lit.as_str())).collect();
        assert_eq!(course, expected);
    }

    #[test]
    fn each_outcome_has_its_pattern_and_an_end() {
        let now = Instant::now();
        let mut signals = Signals {
            unlocked: true,
            ..Signals::default()
        };
        signals.outcome(Outcome::Open, now);
        expect(&signals, now, 9_000, &[(0, "GB"), (100, "G")]);
        signals.unlocked = false;
        signals.outcome(Outcome::Refused, now);
        let refused = [(0, "RB"), (100, "R"), (200, "RB"), (300, "R"), (1_000, "")];
        expect(&signals, now, 9_000, &refused);
        signals.outcome(Outcome::Undecided, now);
        assert_eq!(
            course(&signals, now, 9_000).last(),
            Some(&(750, String::new()))
        );
    }

    #[test]
    fn a_lost_relay_blinks_under_everything_else() {
        let now = Instant::now();
        let mut signals = Signals::default();
        signals.relay(false, now);
        // Said again, it does not begin anew.
        signals.relay(false, now + Duration::from_millis(30));
        let blinks = [(0, "R"), (50, ""), (2_000, "R"), (2_050, ""), (4_000, "R")];
        expect(&signals, now, 4_000, &blinks);
        signals.outcome(Outcome::Refused, now);
        assert_eq!(
            course(&signals, now, 2_100)[3..],
            [
                (300, "R".to_owned()),
                (1_000, String::new()),
                (2_000, "R".to_owned()),
                (2_050, String::new())
            ]
        );
        signals.relay(true, now);
        expect(&signals, now + Duration::from_secs(60), 9_000, &[(0, "")]);
    }

    #[test]
    fn an_alarm_covers_outcomes_and_fire_covers_all() {
        let now = Instant::now();
        let mut signals = Signals::default();
        signals.outcome(Outcome::Refused, now);
        signals.alarm(Some(Alarm::Held), now);
        expect(
            &signals,
            now,
            1_000,
            &[(0, "RB"), (200, "R"), (500, ""), (1_000, "RB")],
        );
        signals.alarm(Some(Alarm::Forced), now);
        expect(&signals, now, 200, &[(0, "RB"), (100, ""), (200, "RB")]);
        signals.fire = true;
        signals.unlocked = true;
        signals.relay(false, now);
        expect(&signals, now, 60_000, &[(0, "G")]);
    }
}
