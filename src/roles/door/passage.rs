//! One door at work: readings in, questions out, verdicts back, the lock driven.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::clock::Clock;
use crate::console::Console;
use crate::domain::access::{Reason, Verdict};
use crate::domain::code::Shown;
use crate::domain::ids::{DeviceName, EventId, TwinkletId};
use crate::exit::Exit;
use crate::hw::{Change, Reading};
use crate::render::one_line;
use crate::roles::door::bolt::Stuck;
use crate::roles::door::doorkeeper::Doorkeeper;
use crate::roles::door::lamps::Outcome;
use crate::roles::door::repeats::{Earlier, Repeats};
use crate::wire::answers::{Answers, Owed, OwedReceiver};
use crate::wire::link::{Link, Phase, Status};
use crate::wire::{Answer, Flash};

/// How many flashes may wait for their answer; beyond that the source waits.
const IN_FLIGHT: usize = 1_024;

/// See the module.
pub(super) struct Passage {
    door: DeviceName,
    link: Link,
    clock: Arc<dyn Clock>,
    /// How long an answer is of use.
    deadline: Duration,
    keeper: Doorkeeper,
    console: Console,
    answers: Answers,
    owed: OwedReceiver,
    last_seq: u64,
    waiting: HashMap<u64, Waiting>,
    repeats: Repeats,
}

/// A flash that waits for its answer.
struct Waiting {
    shown: Shown,
    since: Instant,
    /// Who wants to know whether the door was unlocked.
    replies: Vec<oneshot::Sender<bool>>,
}

impl Passage {
    pub(super) fn new(
        door: DeviceName,
        link: Link,
        clock: Arc<dyn Clock>,
        deadline: Duration,
        keeper: Doorkeeper,
        console: Console,
    ) -> Self {
        let (answers, owed) = Answers::channel();
        let waiting = HashMap::new();
        Self {
            door,
            link,
            clock,
            deadline,
            keeper,
            console,
            answers,
            owed,
            last_seq: 0,
            waiting,
            repeats: Repeats::default(),
        }
    }

    /// Serves readings and sensors until there are no more of either and the door is locked again,
    /// or until told to stop. Returns how the last flash went: open, not open, or not decided.
    pub(super) async fn run(
        mut self,
        mut readings: mpsc::Receiver<Reading>,
        mut changes: mpsc::Receiver<Change>,
        stop: &CancellationToken,
    ) -> Option<Exit> {
        let mut relay = self.link.watch();
        let is_there = |status: &Status| status.phase != Phase::Down;
        self.keeper
            .relay(is_there(&relay.borrow_and_update()), Instant::now());
        let (mut more, mut watched) = (true, true);
        let mut last = None;
        loop {
            let now = Instant::now();
            self.keeper.pass_time(now);
            if !more && !watched && self.waiting.is_empty() && self.keeper.is_at_rest() {
                break;
            }
            let due = self.keeper.due(now);
            let time = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            // While nobody reads what we print, answers wait; the lock's time does not.
            let next_answer = async {
                self.console.room().await;
                self.owed.next().await
            };
            tokio::select! {
                reading = readings.recv(), if more && self.waiting.len() < IN_FLIGHT => {
                    match reading {
                        Some(reading) => self.ask(reading),
                        None => {
                            more = false;
                            if watched {
                                info!("no more flashes; the sensors are watched until the end");
                            }
                        }
                    }
                }
                change = changes.recv(), if watched => {
                    match change {
                        Some(change) => self.keeper.sense(change, Instant::now()),
                        None => watched = false,
                    }
                }
                Some(owed) = next_answer => {
                    if let Owed::Verdict(answer, event) = owed {
                        last = self.answered(&answer, event).or(last);
                    }
                }
                Ok(()) = relay.changed() => {
                    let is_there = is_there(&relay.borrow_and_update());
                    self.keeper.relay(is_there, Instant::now());
                }
                () = time => (),
                () = stop.cancelled() => break,
            }
        }
        self.keeper.close(Instant::now());
        // These opened nothing, and will not.
        for event in self.owed.close() {
            self.link.undelivered(event, None);
        }
        last
    }

    fn ask(&mut self, reading: Reading) {
        let Reading { shown, reply } = reading;
        let now = Instant::now();
        match self.repeats.earlier(&shown, now) {
            Some(Earlier::Waits(seq)) => {
                if let Some(waiting) = self.waiting.get_mut(&seq) {
                    waiting.replies.extend(reply);
                }
                return;
            }
            Some(Earlier::Answered(opened)) => return tell(reply, opened),
            None => (),
        }
        self.last_seq += 1;
        self.repeats.asked(shown.clone(), self.last_seq, now);
        let flash = Flash {
            seq: self.last_seq,
            event: EventId::generate(),
            door: self.door.clone(),
            twinklet: shown.twinklet,
            code: shown.code.clone(),
            at: self.clock.now().timestamp_millis(),
            budget_ms: u32::try_from(self.deadline.as_millis()).unwrap_or(u32::MAX),
        };
        let waiting = Waiting {
            shown,
            since: now,
            replies: reply.into_iter().collect(),
        };
        self.waiting.insert(self.last_seq, waiting);
        self.link.ask(flash, &self.answers);
    }

    /// Acts on an answer, and says so; returns how that flash went.
    fn answered(&mut self, answer: &Answer, event: EventId) -> Option<Exit> {
        let asked = self.waiting.remove(&answer.seq)?;
        let now = Instant::now();
        let in_time = now - asked.since <= self.deadline;
        let verdict = match answer.verdict {
            Verdict::Open if !in_time => Verdict::DontOpen(Reason::TooLate),
            verdict => verdict,
        };
        self.console.say(&describe(
            asked.shown.twinklet,
            verdict,
            answer.name.as_deref(),
        ));
        let went = match verdict {
            Verdict::Open => match self.keeper.let_in(event, now) {
                Ok(()) => Exit::Done,
                Err(Stuck) => Exit::Unusable,
            },
            Verdict::DontOpen(reason) => {
                // Too late says as little of the badge as that nobody could be asked.
                let undecided = reason.is_undecided() || reason == Reason::TooLate;
                let outcome = if undecided {
                    Outcome::Undecided
                } else {
                    Outcome::Refused
                };
                self.keeper.tell(outcome, now);
                if undecided {
                    Exit::Unusable
                } else {
                    Exit::Failed
                }
            }
        };
        let opened = went == Exit::Done;
        self.repeats.answered(&asked.shown, answer.seq, opened);
        tell(asked.replies, opened);
        if answer.verdict == Verdict::Open && went != Exit::Done {
            self.link.undelivered(event, None);
        }
        Some(went)
    }
}

/// Tells the sources that want to know; one that has gone does not.
fn tell(replies: impl IntoIterator<Item = oneshot::Sender<bool>>, opened: bool) {
    for reply in replies {
        let _told = reply.send(opened);
    }
}

fn describe(twinklet: TwinkletId, verdict: Verdict, name: Option<&str>) -> String {
    match (verdict, name) {
        (Verdict::Open, Some(name)) => format!("twinklet {twinklet}: open, {}", one_line(name)),
        (Verdict::Open, None) => format!("twinklet {twinklet}: open"),
        (Verdict::DontOpen(reason), _) => {
            format!(
                "twinklet {twinklet}: don't open, {reason} ({})",
                reason.meaning()
            )
        }
    }
}
