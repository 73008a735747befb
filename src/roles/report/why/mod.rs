//! `twinkle report why`: how a mark or a verdict came to be, or would come to be now, and what to
//! do about it.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use crate::cli::WhyArgs;
use crate::clock::{Clock, SystemClock};
use crate::db::{Device, DeviceKind, Employee, Error, Store};
use crate::domain::calendar::{Calendar, Day, Days};
use crate::domain::ids::{EmployeeRef, TwinkletId};
use crate::domain::near::nearest;
use crate::exit::Usage;

use super::standing::Standing;

mod badge;
mod door;
mod person;
mod trials;

/// When something is asked about.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// The day.
    day: Day,
    /// The time, if one is.
    at: Option<DateTime<Utc>>,
}

/// What every answer draws on.
struct Sources<'a> {
    store: &'a mut Store,
    standing: Standing,
    calendar: Calendar,
    today: Day,
    asked: Asked,
}

/// Who or what is asked about.
enum Subject {
    Person(Box<Employee>),
    Door(Device),
    Badge(TwinkletId),
}

/// Answers the question.
pub(super) fn run(store: &mut Store, args: &WhyArgs, days: Days) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let today = days.day_of(now);
    let at = args.at.map(|at| at.resolve(today, days));
    let day = match (at, args.on) {
        (Some(at), _) => days.day_of(at),
        (None, on) => on.map_or(today, |on| on.resolve(today)),
    };
    let door = match &args.door {
        Some(name) => Some(store.door(name.as_str())?),
        None => None,
    };
    let subject = subject(store, args, day, door.as_ref())?;
    let standing = Standing::of(store, now, days)?;
    let calendar = store.calendar()?;
    let mut sources = Sources {
        store,
        standing,
        calendar,
        today,
        asked: Asked { day, at },
    };
    let page = match subject {
        Subject::Person(employee) => person::page(&mut sources, &employee, door.as_ref())?,
        Subject::Door(door) => door::page(&sources, &door)?,
        Subject::Badge(twinklet) => badge::page(&sources, twinklet, door.as_ref())?,
    };
    io::stdout().write_all(page.into_text().as_bytes())?;
    Ok(())
}

fn subject(
    store: &Store,
    args: &WhyArgs,
    day: Day,
    door: Option<&Device>,
) -> anyhow::Result<Subject> {
    if let Some(twinklet) = args.twinklet {
        let holder = store.employee(&EmployeeRef::Twinklet(twinklet), day);
        return Ok(match holder {
            Ok(employee) => Subject::Person(Box::new(employee)),
            Err(Error::NotFound(_)) => Subject::Badge(twinklet),
            Err(other) => return Err(other.into()),
        });
    }
    let Some(who) = &args.who else {
        let door = door.cloned().map(Subject::Door);
        return door.ok_or_else(|| Usage("name an employee or a door".to_owned()).into());
    };
    let whom = who.parse::<EmployeeRef>();
    let whom = whom.map_err(|invalid| Usage(invalid.to_string()))?;
    // A door is asked about by its name alone: --door narrows a question about an employee.
    let as_door = match args.door {
        Some(_) => Err(Error::NotFound(String::new())),
        None => store.door(who.trim()),
    };
    let employee = match (&whom, &as_door) {
        // Nobody needs to hear who is called nearly as the door is.
        (EmployeeRef::Name(name), Ok(_)) if !store.is_anybody_called(name)? => {
            Err(Error::NotFound(String::new()))
        }
        _ => store.employee(&whom, day),
    };
    match (employee, as_door) {
        (Ok(employee), Ok(door)) => Err(Usage(format!(
            "'{who}' is a door and an employee; say --door '{}', or the employee's number, {}",
            door.name, employee.number
        ))
        .into()),
        (Ok(employee), Err(Error::NotFound(_))) => Ok(Subject::Person(Box::new(employee))),
        (Err(Error::NotFound(_)), Ok(door)) => Ok(Subject::Door(door)),
        (Err(Error::NotFound(no_employee)), Err(Error::NotFound(_))) => {
            let number = matches!(who.parse(), Ok(EmployeeRef::Number(_)));
            Err(Error::NotFound(match number || args.door.is_some() {
                true => no_employee,
                false => neither(store, who, day)?,
            })
            .into())
        }
        (Err(other), _) | (_, Err(other)) => Err(other.into()),
    }
}

/// That nothing is called so, with what is near.
fn neither(store: &Store, who: &str, day: Day) -> anyhow::Result<String> {
    let (employees, devices) = (store.employees(day)?, store.devices()?);
    let doors = devices
        .iter()
        .filter(|device| device.kind == DeviceKind::Door);
    let names = employees.iter().map(|employee| employee.name.as_str());
    let near = nearest(who, names.chain(doors.map(|door| door.name.as_str())));
    let near: Vec<_> = near.iter().map(|name| format!("'{name}'")).collect();
    Ok(match near.is_empty() {
        true => format!(
            "no employee and no door is called '{who}'; 'twinkle employee list' and 'twinkle \
             report live' show all"
        ),
        false => format!(
            "no employee and no door is called '{who}'; did you mean {}?",
            near.join(" or ")
        ),
    })
}

impl Sources<'_> {
    /// The instant that is asked about; now, if it is only today, or no time that was or will be.
    fn instant(&self) -> DateTime<Utc> {
        self.asked.at.unwrap_or(self.standing.now)
    }

    /// Whether it is today that is asked about.
    fn is_today(&self) -> bool {
        self.asked.day == self.today
    }

    /// As in `on Thursday 2024-02-15`, or with the time.
    fn when(&self) -> String {
        let local = |at| self.standing.days.local(at).format("%A %Y-%m-%d %H:%M");
        match self.asked.at {
            Some(at) => format!("on {}", local(at)),
            None => format!("on {}", self.asked.day.format("%A %Y-%m-%d")),
        }
    }
}
