//! The full-screen view: keys in, the model and the register out.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, SystemClock};
use crate::db::Store;
use crate::domain::attendance::sheet::Sheet;
use crate::domain::calendar::{Days, Month};
use crate::roles::report::register::text as register_text;

use super::draw::{Page, draw};
use super::model::Model;
use super::screen::{Screen, Wish};
use super::{BEFORE, LOOK_EVERY};

/// How often keys are looked for.
const KEYS_EVERY: Duration = Duration::from_millis(50);
/// How often the clock and "min ago" are drawn, if nothing else changes.
const CLOCK_EVERY: Duration = Duration::from_secs(1);
/// How often the register is made anew while it is shown: it is the work of a moment where many
/// people are on it.
const REGISTER_EVERY: Duration = Duration::from_secs(2);

/// Shows the view until told to stop, or until somebody has seen enough.
pub(super) async fn run(
    store: &mut Store,
    days: Days,
    sheet: &Sheet,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let clock = SystemClock;
    let mut model = Model::new(store, days, clock.now(), BEFORE)?;
    let mut screen = Screen::open()?;
    let mut page = Page::Arrivals;
    let mut scroll: u16 = 0;
    let mut register = Vec::new();
    let (mut looked, mut drawn, mut registered) = (Instant::now(), None, None);
    loop {
        let mut changed = false;
        if looked.elapsed() >= LOOK_EVERY {
            looked = Instant::now();
            changed = !model.refresh(store, clock.now())?.is_empty();
        }
        for wish in screen.wishes()? {
            changed = true;
            match wish {
                Wish::Quit => return Ok(()),
                Wish::OtherPage => (page, scroll) = (page.other(), 0),
                Wish::Scroll(lines) => scroll = scrolled(scroll, lines),
                Wish::Redraw => registered = None,
            }
        }
        let due = |last: Option<Instant>, every| last.is_none_or(|last| last.elapsed() >= every);
        if page == Page::Register && due(registered, REGISTER_EVERY) {
            registered = Some(Instant::now());
            let text = register_text(store, Month::of(model.today), days, sheet)?;
            register = text.lines().map(String::from).collect();
            changed = true;
        }
        if changed || due(drawn, CLOCK_EVERY) {
            drawn = Some(Instant::now());
            screen.draw(|frame| scroll = draw(frame, &model, page, &register, scroll))?;
        }
        tokio::select! {
            () = sleep(KEYS_EVERY) => (),
            () = stop.cancelled() => return Ok(()),
        }
    }
}

fn scrolled(scroll: u16, lines: i32) -> u16 {
    let scroll = i32::from(scroll).saturating_add(lines);
    u16::try_from(scroll.max(0)).unwrap_or(u16::MAX)
}
