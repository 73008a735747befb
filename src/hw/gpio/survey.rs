//! What can be said of a line without moving it: for whoever checks the wiring.

use std::time::Duration;

use gpio_cdev::{EventRequestFlags, LineDirection, LineRequestFlags};
use tokio::time::sleep;

use crate::hw::gpio::find::find;
use crate::hw::gpio::input::{count_edges, unblock};
use crate::hw::gpio::{Consumer, Error, LineSpec};

/// How long a line is watched.
const WATCHED: Duration = Duration::from_millis(500);

/// What is found of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// As in `gpiochip0:17 (GPIO17)`.
    pub shown: String,
    /// How its pin is pulled when the machine starts, high or low, where that is known.
    pub reset_pull: Option<bool>,
    /// How it is used.
    pub state: State,
}

/// How a line is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is held, with this label.
    Held {
        /// The label.
        label: String,
        /// Whether as an output.
        is_output: bool,
    },
    /// Nobody holds it, and its last owner left it an output: to read it would move it.
    LeftAsOutput,
    /// Nobody holds it, and it was read.
    Free {
        /// Whether it is high.
        high: bool,
        /// How often it changed while it was watched.
        changes: usize,
    },
}

/// Looks at a line for half a second, within a runtime.
///
/// # Errors
/// [`Error`].
pub async fn survey(spec: &LineSpec, consumer: &Consumer) -> Result<Survey, Error> {
    let found = find(spec)?;
    let info = found.info()?;
    let state = if let Some(label) = info.consumer() {
        State::Held {
            label: label.to_owned(),
            is_output: info.direction() == LineDirection::Out,
        }
    } else if info.direction() == LineDirection::Out {
        State::LeftAsOutput
    } else {
        // It is an input already: to request it as one moves nothing.
        let requested = found.line.events(
            LineRequestFlags::INPUT,
            EventRequestFlags::BOTH_EDGES,
            &consumer.0,
        );
        let handle = requested.map_err(|error| found.refused(&error, consumer))?;
        let failed = |cause| Error::Failed {
            what: found.shown.clone(),
            cause,
        };
        unblock(&handle).map_err(failed)?;
        let mut changes = 0;
        for _ in 0..10 {
            sleep(WATCHED / 10).await;
            changes += count_edges(&handle).map_err(failed)?;
        }
        let high = handle.get_value().map_err(|error| found.failed(&error))? != 0;
        State::Free { high, changes }
    };
    Ok(Survey {
        reset_pull: reset_pull(found.line.chip().label(), found.line.offset()),
        shown: found.shown,
        state,
    })
}

/// How a Raspberry Pi's pins are pulled when it starts, as the makers of its chips write.
fn reset_pull(chip: &str, offset: u32) -> Option<bool> {
    match (chip, offset) {
        ("pinctrl-bcm2835" | "pinctrl-bcm2711" | "pinctrl-rp1", 0..=27) => Some(offset <= 8),
        _ => None,
    }
}
