//! A badge that is held up is read many times, and is one flash.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::code::Shown;

/// The same badge, with the same code, read again within this time of the last reading is the same
/// flash: however long it is held up, it is one.
const SAME_WITHIN: Duration = Duration::from_secs(1);

/// What the last second's readings came to. No clock: times come as arguments.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    recent: HashMap<Shown, Recent>,
    /// When what is too old was last thrown away.
    tidied: Option<Instant>,
}

#[derive(Debug)]
struct Recent {
    last_read: Instant,
    flash: Earlier,
}

/// The flash that a reading repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Earlier {
    /// It waits for its answer, under that number.
    Waits(u64),
    /// It was answered, and unlocked the door or did not.
    Answered(bool),
}

impl Repeats {
    /// The flash that this reading repeats, if it does.
    pub(super) fn earlier(&mut self, shown: &Shown, now: Instant) -> Option<Earlier> {
        let is_recent = |since| now.saturating_duration_since(since) < SAME_WITHIN;
        if !self.tidied.is_some_and(is_recent) {
            self.recent.retain(|_, recent| is_recent(recent.last_read));
            self.tidied = Some(now);
        }
        let recent = self.recent.get_mut(shown);
        let recent = recent.filter(|recent| is_recent(recent.last_read))?;
        recent.last_read = now;
        Some(recent.flash)
    }

    /// A reading became a flash of that number.
    pub(super) fn asked(&mut self, shown: Shown, seq: u64, now: Instant) {
        let recent = Recent {
            last_read: now,
            flash: Earlier::Waits(seq),
        };
        self.recent.insert(shown, recent);
    }

    /// The flash of that number was answered.
    pub(super) fn answered(&mut self, shown: &Shown, seq: u64, opened: bool) {
        if let Some(recent) = self.recent.get_mut(shown)
            && recent.flash == Earlier::Waits(seq)
        {
            recent.flash = Earlier::Answered(opened);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Shown {
        text.parse().unwrap()
    }

    #[test]
    fn a_badge_that_is_held_up_is_one_flash() {
        let (mut repeats, mut now) = (Repeats::default(), Instant::now());
        let seven = shown("7");
        assert_eq!(repeats.earlier(&seven, now), None);
        repeats.asked(seven.clone(), 1, now);
        for _ in 0..5 {
            now += Duration::from_millis(900);
            assert_eq!(repeats.earlier(&seven, now), Some(Earlier::Waits(1)));
        }
        repeats.answered(&seven, 1, true);
        now += Duration::from_millis(900);
        assert_eq!(repeats.earlier(&seven, now), Some(Earlier::Answered(true)));
        now += SAME_WITHIN;
        assert_eq!(repeats.earlier(&seven, now), None);
        assert!(repeats.recent.is_empty());
    }

    #[test]
    fn another_badge_and_another_code_are_other_flashes() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        repeats.asked(shown("7:012345"), 1, now);
        for other in ["7", "8", "7:12345"] {
            assert_eq!(repeats.earlier(&shown(other), now), None, "{other}");
        }
        // An answer that comes late is not that of the next flash.
        repeats.asked(shown("7:012345"), 2, now);
        repeats.answered(&shown("7:012345"), 1, true);
        assert_eq!(
            repeats.earlier(&shown("7:012345"), now),
            Some(Earlier::Waits(2))
        );
    }
}
