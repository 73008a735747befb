//! What a relay does beside passing on: it may decide what its upstream does not, and keeps what
//! its upstream must not lose.

use std::fmt::Debug;

use crate::domain::access::{Reason, Verdict};
use crate::domain::ids::{EventId, InstallationId};
use crate::wire::answers::Answers;
use crate::wire::{Flash, Message};

/// One connection to the upstream that was welcomed: each has a higher number than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session(pub u64);

/// Who is told of all that a link does. Its methods must neither wait nor call the link: they are
/// called while it is in the middle of its work, in the order in which things happen.
pub trait Aid: Debug + Send + Sync {
    /// Takes over a flash that the upstream has not decided, and answers it; `sent` says whether
    /// the upstream may still come to decide it, for nothing.
    ///
    /// # Errors
    /// Gives both back if nobody here decides.
    fn take_over(
        &self,
        flash: Flash,
        asker: Answers,
        reason: Reason,
        sent: bool,
    ) -> Result<(), (Flash, Answers)>;

    /// Whether flashes that the upstream has not decided may be decided here.
    fn decides(&self) -> bool;

    /// The upstream has decided a flash, and its asker was told.
    fn answered(&self, flash: &Flash, verdict: Verdict);

    /// An `Open` for this event reached no door.
    fn undelivered(&self, event: EventId);

    /// A connection was welcomed, by an upstream of that installation, whose clock shows that time.
    fn connected(&self, session: Session, installation: Option<InstallationId>, time: i64);

    /// The connection is lost, or none can be made.
    fn lost(&self);

    /// The upstream says something that is not about a flash.
    fn told(&self, session: Session, message: Message);
}
