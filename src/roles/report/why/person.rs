//! The answer about an employee.

use chrono::TimeDelta;

use crate::db::{Asked, Device, Employee, EventRow, What};
use crate::domain::access::{Reason, Verdict};
use crate::domain::advice::{Refused, advice};
use crate::domain::attendance::{Cell, Correction, Mark};
use crate::domain::calendar::{Day, Off};
use crate::domain::event_filter::EventFilter;
use crate::domain::ids::TwinkletId;
use crate::render::page::Page;
use crate::render::{Column, Grid};
use crate::roles::report::register::derive;

use super::Sources;
use super::trials::{Try, trial_list, trial_time, trials};

/// A flash this near to the time that is asked about is the one that is meant.
pub(super) const NEAR: TimeDelta = TimeDelta::minutes(10);

/// The page of an employee.
pub(super) fn page(
    sources: &mut Sources<'_>,
    employee: &Employee,
    door: Option<&Device>,
) -> anyhow::Result<Page> {
    let shown = shown(sources, employee)?;
    let (flashes, others) = flashes(sources, employee, door)?;
    let trials = match sources.asked.day < sources.today && sources.asked.at.is_none() {
        true => Vec::new(),
        false => trials(sources, employee, door)?,
    };
    let title = format!("{} ({}) {}", employee.name, employee.number, sources.when());
    let mut page = Page::new(&title);
    page.facts(&facts(sources, employee, &shown)?);
    if flashes.is_empty() {
        let where_to = door.map_or(String::new(), |door| format!(" at {}", door.name));
        page.say("Flashes", &[match (sources.asked.at, others) {
            (Some(_), 1..) => format!(
                "none within 10 minutes of that time{where_to}; {others} at other times of the day"
            ),
            (Some(_), _) => format!("none that day{where_to}"),
            (None, _) => format!("none that day{where_to}: no badge of theirs reached the central"),
        }]);
    } else {
        page.list("Flashes", &flash_list(sources, &flashes));
    }
    if !trials.is_empty() {
        let local = sources.standing.days.local(trial_time(sources));
        let heading = match sources.asked.at.is_some() || !sources.is_today() {
            true => format!(
                "A flash {} would find",
                local.format("on %Y-%m-%d at %H:%M")
            ),
            false => "A flash now would find".to_owned(),
        };
        page.list(&heading, &trial_list(&trials));
    }
    let since = changes_since(sources, employee)?;
    if !since.is_empty() {
        page.say("Changed since", &since);
    }
    page.say(
        "What to do",
        &what_to_do(sources, employee, &shown, &flashes, &trials),
    );
    Ok(page)
}

/// What the register shows for a day.
struct Shown {
    /// `None` for somebody without a line.
    cell: Option<Cell>,
    correction: Option<Correction>,
}

impl Shown {
    fn mark(&self) -> Option<Mark> {
        self.cell.map(|cell| cell.mark)
    }
}

fn shown(sources: &mut Sources<'_>, employee: &Employee) -> anyhow::Result<Shown> {
    let day = sources.asked.day;
    let asked = Asked {
        employee: Some(employee.number),
        ..Asked::default()
    };
    let now = sources.standing.now;
    let register = derive(sources.store, &sources.calendar, (day, day), now, asked)?;
    let row = register.rows.into_iter().next();
    let (cells, corrections) = row.map(|row| (row.cells, row.corrections)).unzip();
    let on_day = |correction: &Correction| correction.day == day;
    Ok(Shown {
        cell: cells.and_then(|cells: Vec<Cell>| cells.first().copied()),
        correction: corrections.into_iter().flatten().find(on_day),
    })
}

fn explain(sources: &Sources<'_>, employee: &Employee, shown: &Shown) -> String {
    let day = sources.asked.day;
    let why = match (&shown.correction, shown.mark()) {
        (
            Some(Correction {
                who, at, reason, ..
            }),
            _,
        ) => {
            format!("set by {who} {}: {reason}", sources.standing.time(*at))
        }
        (None, mark) => explain_mark(sources, employee, mark, day).to_owned(),
    };
    match shown
        .cell
        .filter(|cell| cell.mark != Mark::Blank || cell.corrected)
    {
        Some(cell) => format!("{cell}: {why}"),
        None => format!("blank: {why}"),
    }
}

fn explain_mark(
    sources: &Sources<'_>,
    employee: &Employee,
    mark: Option<Mark>,
    day: Day,
) -> &'static str {
    match mark {
        Some(Mark::Present) => "a door opened for them that day",
        Some(Mark::Absent) => "a working day that is over, and no door opened for them",
        Some(Mark::AbsentSoFar) if day == sources.today => {
            "no door opened for them yet, and the day is not over"
        }
        Some(Mark::AbsentSoFar) => {
            "not final: nobody at all was seen that day, or a relay may still hold flashes of it"
        }
        Some(Mark::WeeklyOff) => "a weekly off, and no door opened for them",
        Some(Mark::Holiday) => "a holiday, and no door opened for them",
        Some(Mark::Leave) => "leave",
        Some(Mark::HalfDay) => "half a day",
        _ if employee.off_register => "they have no line on the register",
        _ if day < employee.joined => "not employed yet",
        _ if employee.left.is_some_and(|left| left < day) => "not employed any more",
        _ => "still to come",
    }
}

fn facts(
    sources: &Sources<'_>,
    employee: &Employee,
    shown: &Shown,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut facts = vec![("Register", explain(sources, employee, shown))];
    let badges = sources.store.badges(employee.number)?;
    if badges.is_empty() {
        facts.push(("Badge", "none: no door can open for them".to_owned()));
    }
    for badge in badges {
        let mut text = badge.to_string();
        if let Some(revoked) = badge.revoked {
            text += &format!(", lost or taken back {}", sources.standing.time(revoked));
        }
        facts.push(("Badge", text));
    }
    let mut employment = format!("since {}", employee.joined);
    if let Some(left) = employee.left {
        employment += &format!(" until {left}");
    }
    if let Some(department) = &employee.department {
        employment += &format!(", {department}");
    }
    if let Some(since) = employee.suspended {
        employment += &format!(", suspended since {}", sources.standing.time(since));
    }
    facts.push(("Employed", employment));
    facts.push((
        "Doors",
        match employee.doors.as_deref() {
            None => "every door".to_owned(),
            Some([]) => "no door".to_owned(),
            Some(doors) => doors.join(", "),
        },
    ));
    let hours = employee.hours.as_ref().map(ToString::to_string);
    facts.push(("Hours", hours.unwrap_or_else(|| "at any time".to_owned())));
    let off = sources
        .calendar
        .off(employee.department.as_deref(), sources.asked.day);
    facts.push((
        "Calendar",
        match off {
            Some(Off::Holiday(name)) => format!("a holiday: {name}"),
            Some(Off::Weekly) => "a weekly off".to_owned(),
            None => "a working day".to_owned(),
        },
    ));
    Ok(facts)
}

/// The flashes that are meant, and how many others there were that day.
fn flashes(
    sources: &Sources<'_>,
    employee: &Employee,
    door: Option<&Device>,
) -> anyhow::Result<(Vec<EventRow>, usize)> {
    let door = door.map(|door| door.name.parse()).transpose()?;
    let filter = EventFilter {
        employee: Some(employee.number),
        door,
        from: Some(sources.asked.day),
        to: Some(sources.asked.day),
        ..EventFilter::default()
    };
    let mut all = Vec::new();
    sources
        .store
        .events(&filter, None, |event| -> anyhow::Result<()> {
            all.push(event);
            Ok(())
        })?;
    let Some(at) = sources.asked.at else {
        return Ok((all, 0));
    };
    let (near, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|event| (event.at - at).abs() <= NEAR);
    Ok((near, others.len()))
}

fn flash_list(sources: &Sources<'_>, flashes: &[EventRow]) -> Grid {
    let row = |flash: &EventRow| {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            sources
                .standing
                .days
                .local(flash.at)
                .format("%H:%M:%S")
                .to_string(),
            or_dash(&flash.door),
            or_dash(&flash.relay),
            flash
                .twinklet
                .map_or_else(|| "-".to_owned(), |id| id.to_string()),
            flash.in_words(),
            match &flash.what {
                What::Flash(Verdict::Open) if flash.delivered => "it counts".to_owned(),
                What::Flash(Verdict::Open) => {
                    "the answer did not reach the door in time: it counts for nothing".to_owned()
                }
                What::Flash(Verdict::DontOpen(reason)) => reason.meaning().to_owned(),
                What::Door(kind) => kind.meaning().to_owned(),
            },
        ]
    };
    Grid {
        columns: vec![
            Column::code("time"),
            Column::text("door"),
            Column::text("relay"),
            Column::number("twinklet"),
            Column::code("what"),
            Column::text("why"),
        ],
        rows: flashes.iter().map(row).collect(),
    }
}

/// What was changed about the employee after the day or time that is asked about.
fn changes_since(sources: &Sources<'_>, employee: &Employee) -> anyhow::Result<Vec<String>> {
    let days = sources.standing.days;
    let later = |at| match sources.asked.at {
        Some(asked) => at > asked,
        None => days.day_of(at) > sources.asked.day,
    };
    let history = sources.store.history(employee.number)?;
    let changes = history.iter().filter(|change| later(change.at));
    Ok(changes
        .map(|change| {
            let fields = change.values.iter().map(|(field, ..)| field.as_str());
            let what = match change.action.as_str() {
                "edit" => fields.collect::<Vec<_>>().join(", ") + " changed",
                action => action.to_owned(),
            };
            let (time, detail) = (sources.standing.time(change.at), &change.detail);
            let between = if detail.is_empty() { "" } else { " " };
            format!("{time}: {what}{between}{detail}, by {}", change.who)
        })
        .collect())
}

fn what_to_do(
    sources: &Sources<'_>,
    employee: &Employee,
    shown: &Shown,
    flashes: &[EventRow],
    tries: &[Try],
) -> Vec<String> {
    let mut advised: Vec<(Reason, String)> = Vec::new();
    let mut advise = |reason: Reason, twinklet: Option<TwinkletId>, door: &str| {
        if !advised.iter().any(|(known, _)| *known == reason) {
            let refused = Refused {
                employee: Some(employee.number),
                twinklet,
                door,
            };
            advised.push((reason, advice(reason, refused)));
        }
    };
    for tried in tries {
        if let (Verdict::DontOpen(reason), Some(door)) = (tried.verdict, tried.doors.first()) {
            advise(reason, Some(tried.twinklet), door);
        }
    }
    if tries.is_empty() {
        for flash in flashes {
            if let What::Flash(Verdict::DontOpen(reason)) = flash.what {
                advise(
                    reason,
                    flash.twinklet,
                    flash.door.as_deref().unwrap_or("DOOR"),
                );
            }
        }
    }
    let mut all: Vec<_> = advised.into_iter().map(|(_, advice)| advice).collect();
    if employee.twinklets.is_empty() && employee.left.is_none_or(|left| left >= sources.today) {
        all.push(format!(
            "to give them a badge: twinkle employee replace {} --with ID",
            employee.number
        ));
    }
    if sources.is_today() {
        all.extend(sources.trouble());
    }
    for flash in flashes {
        if let (Some((before, after)), Some(twinklet)) = (&flash.hasty, flash.twinklet) {
            all.push(format!(
                "badge {twinklet} was at {} {} s after {before}: if nobody goes so fast, it has a \
                 copy; give them another: twinkle employee replace {} --with ID",
                flash.door.as_deref().unwrap_or("a door"),
                after.num_seconds(),
                employee.number
            ));
            break;
        }
    }
    let absent = matches!(shown.mark(), Some(Mark::Absent | Mark::AbsentSoFar));
    if absent && sources.asked.day < sources.today {
        all.push(format!(
            "if they were there all the same: twinkle employee mark {} {} P --reason TEXT",
            employee.number, sources.asked.day
        ));
    }
    if all.is_empty() {
        all.push("nothing: all is as it should be".to_owned());
    }
    all
}
