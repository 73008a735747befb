//! What a central's writer does, the thread that decides and stores: by the central's figures, and by
//! those that the system has of the thread.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::cost::WRITER;
use crate::server::Server;

/// What it has done so far.
pub struct Done {
    batches: f64,
    entries: f64,
    /// In which it was at batches.
    seconds: f64,
    /// Of processor time.
    worked: f64,
    /// Written.
    bytes: f64,
}

/// One of its batches: the mean of many.
pub struct Batch {
    pub entries: f64,
    /// Which it took.
    pub seconds: f64,
    /// Of processor time.
    pub worked: f64,
    /// Written.
    pub bytes: f64,
}

impl Done {
    /// What the writer of that central, whose figures are there, has done.
    pub fn by(central: &Server, figures: &str) -> Self {
        let mut stream = TcpStream::connect(figures).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let figure = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.rsplit_once(' ').unwrap().1.parse().unwrap()
        };
        let io = central.process.of_thread(WRITER, "io");
        let written = io.lines().find_map(|line| line.strip_prefix("wchar: "));
        Self {
            batches: figure("twinkle_commit_seconds_count"),
            entries: figure("twinkle_batch_entries_sum"),
            seconds: figure("twinkle_commit_seconds_sum"),
            worked: central.process.processor_time_of(WRITER),
            bytes: written.unwrap().parse().unwrap(),
        }
    }

    /// A batch of those that it did since.
    pub fn since(&self, before: &Self) -> Batch {
        let of_each =
            |of: fn(&Self) -> f64| (of(self) - of(before)) / (self.batches - before.batches);
        Batch {
            entries: of_each(|done| done.entries),
            seconds: of_each(|done| done.seconds),
            worked: of_each(|done| done.worked),
            bytes: of_each(|done| done.bytes),
        }
    }
}

impl Batch {
    /// In which it waited, for its flush and under load for a processor.
    pub fn waited(&self) -> f64 {
        self.seconds - self.worked
    }

    /// Written.
    pub fn kib(&self) -> f64 {
        self.bytes / 1024.0
    }
}
