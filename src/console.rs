//! Printing that never holds up the program: whoever reads our output may stop, or go away, and a
//! lock must still lock in time and a server still serve.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

/// How many lines may wait to be printed.
const LIMIT: usize = 256;

/// Prints a line on standard output at once. That nobody may be reading it is no failure: a server
/// goes on.
pub fn announce(line: &str) {
    let _read = io::stdout()
        .lock()
        .write_all(format!("{line}\n").as_bytes());
}

/// A stream that is printed to by a thread of its own. Clones print to the same.
#[derive(Debug, Clone)]
pub struct Console {
    lines: mpsc::UnboundedSender<Vec<u8>>,
    backlog: Arc<Backlog>,
}

#[derive(Debug, Default)]
struct Backlog {
    /// Lines that wait to be printed.
    waiting: Mutex<usize>,
    /// There are fewer of them, for those who wait with and without a runtime.
    fewer: Notify,
    fewer_here: Condvar,
    /// Lines that were dropped since the last that was printed.
    dropped: AtomicUsize,
}

impl Console {
    /// A console for a stream: standard output or standard error.
    ///
    /// # Errors
    /// If the system has no thread for us.
    pub fn new(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, queue) = mpsc::unbounded_channel();
        let backlog = Arc::new(Backlog::default());
        let shared = Arc::clone(&backlog);
        let name = "console".to_owned();
        thread::Builder::new()
            .name(name)
            .spawn(move || print(to, queue, &shared))?;
        Ok(Self { lines, backlog })
    }

    /// Prints a line, however many wait already: for a caller that heeds [`Self::room`].
    pub fn say(&self, line: &str) {
        self.queue(format!("{line}\n").into_bytes());
    }

    /// Waits until few lines wait to be printed.
    pub async fn room(&self) {
        while *self.backlog.waiting() >= LIMIT {
            self.backlog.fewer.notified().await;
        }
    }

    /// Waits until everything is printed.
    pub async fn printed(&self) {
        while *self.backlog.waiting() > 0 {
            self.backlog.fewer.notified().await;
        }
    }

    /// Waits until everything is printed, outside a runtime, and not for longer than this; returns
    /// whether it is.
    pub fn printed_within(&self, time: Duration) -> bool {
        let waiting = self.backlog.waiting();
        let some = |waiting: &mut usize| *waiting > 0;
        let waited = self
            .backlog
            .fewer_here
            .wait_timeout_while(waiting, time, some);
        let (waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *waiting == 0
    }

    fn queue(&self, text: Vec<u8>) {
        *self.backlog.waiting() += 1;
        // The thread goes only after the last console.
        let _gone = self.lines.send(text);
    }
}

/// Prints what is written, a line each time; drops it, and says so later, while too many wait.
impl Write for Console {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if *self.backlog.waiting() < LIMIT {
            self.queue(text.to_owned());
        } else {
            self.backlog.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Backlog {
    fn waiting(&self) -> MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn print(mut to: impl Write, mut queue: mpsc::UnboundedReceiver<Vec<u8>>, backlog: &Backlog) {
    while let Some(text) = queue.blocking_recv() {
        // Where nobody reads any more, there is nobody to tell.
        let _read = to.write_all(&text).and_then(|()| to.flush());
        let dropped = backlog.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let left_out = format!("({dropped} lines were left out: nobody read on)\n");
            let _read = to.write_all(left_out.as_bytes());
        }
        *backlog.waiting() -= 1;
        backlog.fewer.notify_one();
        backlog.fewer_here.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A reader that takes a line each time it is told to.
    struct Slow {
        next: Receiver<()>,
        taken: Arc<Mutex<String>>,
    }

    impl Write for Slow {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.next.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.taken
                .lock()
                .unwrap()
                .push_str(std::str::from_utf8(text).unwrap());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Console, Sender<()>, Arc<Mutex<String>>) {
        let (tell, next) = channel();
        let taken = Arc::new(Mutex::new(String::new()));
        let reader = Slow {
            next,
            taken: Arc::clone(&taken),
        };
        (Console::new(reader).unwrap(), tell, taken)
    }

    #[test]
    fn a_reader_that_stops_holds_up_nobody_and_is_told_what_it_missed() {
        let (mut console, tell, taken) = slow();
        for number in 0..LIMIT + 100 {
            console
                .write_all(format!("line {number}\n").as_bytes())
                .unwrap();
        }
        assert!(!console.printed_within(Duration::from_millis(1)));
        (0..2 * LIMIT).for_each(|_| tell.send(()).unwrap());
        assert!(console.printed_within(Duration::from_secs(20)));
        let taken = taken.lock().unwrap();
        let lines: Vec<_> = taken.lines().collect();
        assert_eq!((lines.len(), lines[0]), (LIMIT + 1, "line 0"));
        assert_eq!(lines[1], "(100 lines were left out: nobody read on)");
    }

    #[tokio::test]
    async fn who_waits_for_room_loses_nothing() {
        let (console, tell, taken) = slow();
        (0..3 * LIMIT).for_each(|_| tell.send(()).unwrap());
        for number in 0..3 * LIMIT {
            console.room().await;
            console.say(&format!("line {number}"));
        }
        console.printed().await;
        let expected: String = (0..3 * LIMIT)
            .map(|number| format!("line {number}\n"))
            .collect();
        assert_eq!(*taken.lock().unwrap(), expected);
    }

    #[tokio::test]
    async fn a_reader_that_has_gone_ends_nothing() {
        let (console, tell, _taken) = slow();
        drop(tell);
        (0..10).for_each(|_| console.say("unheard"));
        console.printed().await;
    }
}
