//! Where a report goes: standard output, or a file that is there whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::domain::calendar::Month;
use crate::exit::{Unusable, Usage};
use crate::render::RegisterFormat;
use crate::render::register::{Report, write};

/// The format that is asked for, or that the file's name says.
pub(super) fn format(named: Option<RegisterFormat>, file: Option<&Path>) -> RegisterFormat {
    let extension = file
        .and_then(Path::extension)
        .and_then(|name| name.to_str());
    let by_name = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => RegisterFormat::Csv,
        Some("json" | "jsonl") => RegisterFormat::Json,
        Some("xlsx") => RegisterFormat::Xlsx,
        _ => RegisterFormat::Table,
    };
    named.unwrap_or(by_name)
}

/// The file that is meant: in a folder, one named by the month, as `register-2026-10.xlsx`.
///
/// # Errors
/// [`Usage`] for a folder and a register of less than everybody: the next one would take its place.
pub(super) fn place(
    named: PathBuf,
    month: Option<Month>,
    format: RegisterFormat,
) -> Result<PathBuf, Usage> {
    if !named.is_dir() {
        return Ok(named);
    }
    let Some(month) = month else {
        let folder = named.display();
        return Err(Usage(format!(
            "{folder} is a folder, which takes the register of a month and everybody: name a file \
             in it"
        )));
    };
    let extension = match format {
        RegisterFormat::Table => "txt",
        RegisterFormat::Csv => "csv",
        RegisterFormat::Json => "json",
        RegisterFormat::Xlsx => "xlsx",
    };
    let month = month.first().format("%Y-%m");
    Ok(named.join(format!("register-{month}.{extension}")))
}

/// Writes a report.
pub(super) fn put(
    report: &Report,
    format: RegisterFormat,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    let Some(file) = file else {
        let out = io::stdout().lock();
        let terminal = out.is_terminal();
        if terminal && format == RegisterFormat::Xlsx {
            let name = "xlsx is not for a terminal: name a file, as in -o register.xlsx";
            return Err(Usage(name.to_owned()).into());
        }
        let mut out = BufWriter::new(out);
        write(report, format, &mut out, terminal)?;
        return Ok(out.flush()?);
    };
    to_file(file, |mut to| write(report, format, &mut to, false))
}

/// Has `write` write a file, which takes the place of what is there in one step and keeps its
/// permissions; where a link leads, if it is one. What is no plain file, a pipe or a device, is
/// written to.
///
/// # Errors
/// [`Usage`] if a database is there, [`Unusable`] if the file cannot be written: then all is as it was.
pub(super) fn to_file(
    file: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    // Else a link would give way to the file.
    let place = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let there = fs::metadata(&place).ok();
    let written = match &there {
        Some(there) if !there.is_file() => File::options()
            .write(true)
            .open(&place)
            .and_then(|to| buffered(&to, write)),
        _ if is_database(&place) => {
            let place = place.display();
            return Err(Usage(format!("{place} is a database: name another file")).into());
        }
        _ => take_place(&place, there.map(|there| there.permissions()), write),
    };
    Ok(written.map_err(|cause| Unusable(format!("cannot write {}: {cause}", file.display())))?)
}

fn take_place(
    place: &Path,
    permissions: Option<Permissions>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Under a name that nobody else has or can foresee; it vanishes if anything fails.
    let beside = tempfile::Builder::new()
        .suffix(".part")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    if let Some(permissions) = permissions {
        beside.as_file().set_permissions(permissions)?;
    }
    buffered(beside.as_file(), write)?;
    beside.as_file().sync_all()?;
    beside.persist(place)?;
    Ok(())
}

fn buffered(to: &File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut to = BufWriter::new(to);
    write(&mut to)?;
    to.flush()
}

/// Whether a file is a SQLite database, ours or another: nobody means to write a report over it.
/// How such a file begins is told by <https://sqlite.org/fileformat2.html#the_database_header>.
fn is_database(file: &Path) -> bool {
    let mut begin = [0; 16];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == *b"SQLite format 3\0"
}
