//! The answer about a badge that was never anybody's.

use crate::db::Device;
use crate::domain::access::Reason;
use crate::domain::advice::{Refused, advice};
use crate::domain::event_filter::EventFilter;
use crate::domain::ids::TwinkletId;
use crate::render::page::Page;

use super::Sources;

/// The page of such a badge.
pub(super) fn page(
    sources: &Sources<'_>,
    twinklet: TwinkletId,
    door: Option<&Device>,
) -> anyhow::Result<Page> {
    let filter = EventFilter {
        twinklet: Some(twinklet),
        from: Some(sources.asked.day),
        to: Some(sources.asked.day),
        door: door.map(|door| door.name.parse()).transpose()?,
        ..EventFilter::default()
    };
    let mut flashes = Vec::new();
    sources
        .store
        .events(&filter, None, |event| -> anyhow::Result<()> {
            let time = sources.standing.days.local(event.at).format("%H:%M:%S");
            flashes.push(format!(
                "{time} at {}",
                event.door.as_deref().unwrap_or("an unknown door")
            ));
            Ok(())
        })?;
    if flashes.is_empty() {
        flashes.push("none that day".to_owned());
    }
    let mut page = Page::new(&format!("Twinklet {twinklet} {}", sources.when()));
    page.facts(&[(
        "Badge",
        format!("nobody's: {}", Reason::UnknownTwinklet.meaning()),
    )]);
    page.say("Flashes", &flashes);
    let refused = Refused {
        employee: None,
        twinklet: Some(twinklet),
        door: door.map_or("DOOR", |door| &door.name),
    };
    page.say("What to do", &[advice(Reason::UnknownTwinklet, refused)]);
    Ok(page)
}
