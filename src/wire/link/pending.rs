//! A flash that waits for its answer, and those who wait for that.

use tokio::time::Instant;

use crate::domain::access::Reason;
use crate::wire::Flash;
use crate::wire::answers::Answers;
use crate::wire::link::aid::Aid;

/// A flash that was sent and not answered yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) flash: Flash,
    /// Whether somebody here decides it: then it does not matter what the upstream decides.
    pub(super) taken_over: bool,
    /// Who waits for the answer: more than one if the flash was sent again, nobody once told that
    /// none came in time.
    pub(super) askers: Vec<Asker>,
    /// When the askers must have an answer.
    pub(super) answer_by: Instant,
    /// When the upstream has missed its deadline.
    pub(super) give_up_at: Instant,
}

/// Who waits for an answer, and under which number.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) seq: u64,
    pub(super) answers: Answers,
}

impl Pending {
    /// Under which time it stands in [`State::due`].
    pub(super) fn due_at(&self) -> Instant {
        if self.askers.is_empty() {
            self.give_up_at
        } else {
            self.answer_by
        }
    }

    /// Has those who wait answered by whoever decides here instead; else tells them that there is
    /// no answer for them.
    pub(super) fn give_up(&mut self, aid: Option<&dyn Aid>, reason: Reason, sent: bool) {
        let askers = self.askers.drain(..);
        self.taken_over |= give_up(aid, &self.flash, askers, reason, sent);
    }
}

/// See [`Pending::give_up`]; returns whether somebody decides here.
pub(super) fn give_up(
    aid: Option<&dyn Aid>,
    flash: &Flash,
    askers: impl IntoIterator<Item = Asker>,
    reason: Reason,
    sent: bool,
) -> bool {
    let mut taken_over = false;
    for Asker { seq, answers } in askers {
        let flash = Flash {
            seq,
            ..flash.clone()
        };
        let left = match aid {
            Some(aid) => aid.take_over(flash, answers, reason, sent).err(),
            None => Some((flash, answers)),
        };
        match left {
            Some((flash, answers)) => answers.refuse(seq, flash.event, reason),
            None => taken_over = true,
        }
    }
    taken_over
}
