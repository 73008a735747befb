//! Where a report goes: standard output, or a file that is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
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
    // Beside it, so that it takes its place in one step.
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let written = File::create(&beside).and_then(|to| {
        let mut to = BufWriter::new(to);
        write(report, format, &mut to, false)?;
        to.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        fs::rename(&beside, file)
    });
    written.map_err(|cause| {
        // There may be nothing to remove.
        let _gone = fs::remove_file(&beside);
        Unusable(format!("cannot write {}: {cause}", file.display())).into()
    })
}
