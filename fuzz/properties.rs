//! What must hold for any bytes that a stranger may send or a file may contain. The fuzz targets
//! look for bytes for which it does not; `tests/properties.rs` holds it on the seeds, on what was
//! found before, and on random bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use rusqlite::{Connection, params_from_iter};
use tokio::io::{AsyncRead, ReadBuf};
use twinkle::config::Settings;
use twinkle::domain::calendar::{DayChoice, MonthChoice};
use twinkle::domain::code::Shown;
use twinkle::domain::hours::Hours;
use twinkle::domain::ids::{DeviceName, EmployeeRef, PersonName, TwinkletId};
use twinkle::domain::packet::{self, Scan};
use twinkle::hw::flashes::{Flashes, Found};
use twinkle::ics;
use twinkle::roles::employee::{import::file, original::files};
use twinkle::wire::codec::{self, FrameReader};
use twinkle::wire::{Error, MAX_FRAME, Message, identity};

/// Panics if the property does not hold.
pub(crate) type Property = fn(&[u8]);

/// Every property, by the name of its target.
pub(crate) const ALL: &[(&str, Property)] = &[
    ("frames", frames),
    ("messages", messages),
    ("plain", plain),
    ("lines", lines),
    ("hours", hours),
    ("choices", choices),
    ("config", config),
    ("identity", identity),
    ("csv", csv),
    ("ics", ics),
    ("original", original),
];

/// A stream of frames reads the same in whatever pieces it comes: the same messages, and the same
/// end. The first byte says how long the pieces are.
pub(crate) fn frames(bytes: &[u8]) {
    let Some((&piece, stream)) = bytes.split_first() else {
        return;
    };
    let whole = read_frames(stream, usize::MAX);
    let pieces = read_frames(stream, usize::from(piece).max(1));
    assert_eq!(whole, pieces);
}

/// The messages of a stream that comes in such pieces, and how it ended.
fn read_frames(stream: &[u8], piece: usize) -> (Vec<Message>, String) {
    let from = Pieces { stream, piece };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut reader = FrameReader::new(from);
        let mut messages = Vec::new();
        loop {
            match reader.next().await {
                Ok(message) => messages.push(message),
                Err(end) => return (messages, end.to_string()),
            }
            // As after a greeting.
            reader.greeting_is_over();
        }
    })
}

struct Pieces<'a> {
    stream: &'a [u8],
    piece: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let count = self.piece.min(into.remaining()).min(self.stream.len());
        let (now, later) = self.stream.split_at(count);
        into.put_slice(now);
        self.stream = later;
        Poll::Ready(Ok(()))
    }
}

/// A message that can be read can be sent on, and is the same then; but for one that only a newer
/// program knows, which nobody sends on.
pub(crate) fn messages(bytes: &[u8]) {
    let message = match codec::decode(bytes) {
        Ok(Message::Unknown(_)) | Err(_) => return,
        Ok(message) => message,
    };
    let mut out = BytesMut::new();
    match codec::encode(&message, &mut out) {
        Ok(()) => assert_eq!(codec::decode(&out[4..]).unwrap(), message),
        // Names of fields and numbers may have been written shorter than we write them.
        Err(Error::TooLong(_)) => assert!(bytes.len() * 2 > MAX_FRAME),
        Err(other) => panic!("{other}"),
    }
}

/// The old packets' grammar always comes further, never beyond what is there, waits for nothing
/// once nothing more comes, and does not take back what it has said of a beginning.
pub(crate) fn plain(bytes: &[u8]) {
    let mut rest = bytes;
    loop {
        let scan = packet::scan(rest, true);
        match scan {
            Scan::Nothing => return,
            Scan::Packet { used, .. } | Scan::Malformed { used } => {
                assert!(used > 0 && used <= rest.len(), "{scan:?}");
                rest = &rest[used..];
            }
            Scan::Partial | Scan::CompleteUnlessMoreFollows => panic!("{scan:?} at the end"),
        }
        for cut in 0..=rest.len().min(64) {
            let begun = packet::scan(&rest[..cut], false);
            if matches!(begun, Scan::Packet { .. }) {
                assert_eq!(packet::scan(rest, false), begun, "cut at {cut}");
            }
        }
    }
}

/// What receivers send shows the same badges in whatever pieces it comes. The first byte says how
/// long the pieces are.
pub(crate) fn lines(bytes: &[u8]) {
    let Some((&piece, text)) = bytes.split_first() else {
        return;
    };
    let whole = badges(text, usize::MAX);
    let pieces = badges(text, usize::from(piece).max(1));
    assert_eq!(whole, pieces);
}

/// The badges in a text that comes in such pieces.
fn badges(text: &[u8], piece: usize) -> Vec<TwinkletId> {
    let mut flashes = Flashes::default();
    let mut badges = Vec::new();
    let mut found = |found: Found| badges.extend(found.ok().map(|shown| shown.twinklet));
    for piece in text.chunks(piece.min(text.len()).max(1)) {
        flashes.feed(piece, &mut found);
        let _patience = flashes.patience();
    }
    flashes.end_line(&mut found);
    badges
}

/// A configuration is taken or refused, with a reason.
pub(crate) fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(cause) = toml::from_str::<Settings>(&text) {
        assert!(!cause.message().is_empty());
    }
}

/// Hours that can be read can be written, and are the same then.
pub(crate) fn hours(bytes: &[u8]) {
    if let Some(hours) = parsed::<Hours>(bytes) {
        let written = hours.to_string();
        assert_eq!(written.parse::<Hours>().unwrap(), hours, "{written:?}");
    }
}

/// What people type for days, months, names and numbers is taken or refused; a day and a month that
/// are taken exist.
pub(crate) fn choices(bytes: &[u8]) {
    let today = "2024-02-29".parse().unwrap();
    if let Some(choice) = parsed::<MonthChoice>(bytes) {
        let month = choice.resolve(today);
        assert!(month.first() <= month.last());
    }
    if let Some(choice) = parsed::<DayChoice>(bytes) {
        choice.resolve(today);
    }
    if let Some(name) = parsed::<PersonName>(bytes) {
        assert_eq!(name.as_str().parse(), Ok(name.clone()), "{name:?}");
    }
    if let Some(name) = parsed::<DeviceName>(bytes) {
        assert!(name.as_str().chars().count() <= DeviceName::MAX_CHARS);
    }
    if let Some(id) = parsed::<TwinkletId>(bytes) {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    let _whom = parsed::<EmployeeRef>(bytes);
    let _shown = parsed::<Shown>(bytes);
}

fn parsed<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// An identity's file is taken or refused.
pub(crate) fn identity(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(content) = toml::from_str::<identity::Content>(&text) {
        let _papers = identity::papers(&content.certificate, &content.authority, &content.key);
    }
}

/// A file of employees is taken or refused, with a reason for each bad line; lines come in the order
/// of the file.
pub(crate) fn csv(bytes: &[u8]) {
    let today = "2024-02-29".parse().unwrap();
    match file::read(bytes, today) {
        Ok((rows, bad)) => {
            assert!(rows.iter().is_sorted_by(|a, b| a.line < b.line), "{rows:?}");
            assert!(bad.iter().all(|bad| !bad.reason.is_empty()), "{bad:?}");
        }
        Err(whole) => assert!(!whole.reason.is_empty()),
    }
}

/// A file of holidays is taken or refused, with a reason, within a time that nobody minds.
pub(crate) fn ics(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match ics::read(&text) {
        Ok(found) => assert!(
            found
                .holidays
                .iter()
                .all(|holiday| !holiday.name.is_empty())
        ),
        Err(cause) => assert!(!cause.to_string().is_empty()),
    }
}

/// The replaced system's files are understood, or noted as what they are not. The text is a file's
/// name, a table's columns, and its rows, a line each, with `|` between the cells; or it is a file's
/// bytes.
pub(crate) fn original(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let name = lines.next().unwrap_or_default();
    let is_name = |c: char| c.is_alphanumeric() || " .-_".contains(c);
    let named = name.ends_with(".db") && name.len() < 64 && name.chars().all(is_name);
    let folder = OldFolder::new();
    let path = folder.0.join(if named { name } else { "JAN2021.db" });
    if !named {
        fs::write(&path, bytes).unwrap();
    } else if old_table(&path, lines).is_err() {
        return;
    }
    match files::read(&[path], None) {
        Ok(found) => assert!(found.flashes.is_sorted_by_key(|flash| flash.wall)),
        Err(cause) => assert!(!cause.to_string().is_empty()),
    }
}

/// A folder that goes with it.
struct OldFolder(PathBuf);

impl OldFolder {
    fn new() -> Self {
        let thread = std::thread::current().id();
        let name = format!("twinkle-old-{}-{thread:?}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for OldFolder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// Makes a file with one table. Not every line can name columns.
fn old_table<'a>(path: &Path, mut lines: impl Iterator<Item = &'a str>) -> rusqlite::Result<()> {
    let file = Connection::open(path)?;
    file.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN")?;
    let columns = lines.next().unwrap_or_default();
    let columns: Vec<_> = columns.split('|').take(50).collect();
    let quoted: Vec<_> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.replace('"', "\"\"")))
        .collect();
    file.execute_batch(&format!("CREATE TABLE twinkle ({})", quoted.join(", ")))?;
    let places = vec!["?"; columns.len()].join(", ");
    let mut insert = file.prepare(&format!("INSERT INTO twinkle VALUES ({places})"))?;
    for line in lines.take(20) {
        let cells = line.split('|').chain(std::iter::repeat(""));
        insert.execute(params_from_iter(cells.take(columns.len())))?;
    }
    drop(insert);
    file.execute_batch("COMMIT")
}
