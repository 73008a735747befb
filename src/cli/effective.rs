//! `--print-config`: every key with its effective value and where that came from, written so that it
//! can be used as a configuration itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory};
use toml::de::{DeTable, DeValue};

use crate::cli::Cli;

/// The configuration with every key and its default.
const EXAMPLE: &str = include_str!("../../examples/config/twinkle.toml");
/// Tables whose keys are the user's: only a file names them.
const FREE: [&str; 2] = ["calendar.holidays", "calendar.departments."];

/// A key, and the table that it stands in; empty for those before the first.
type Place = (String, String);

/// A value as it is written in TOML, and whence it is.
struct Value {
    text: String,
    from: String,
}

/// The effective configuration of a command, with this file's text.
///
/// # Errors
/// What is wrong with the file, which its reader has seen already.
pub fn text(
    matches: &ArgMatches,
    file: Option<(&Path, &str)>,
) -> Result<String, Box<toml::de::Error>> {
    let known = known();
    let mut said: BTreeMap<Place, Value> = BTreeMap::new();
    if let Some((path, text)) = file {
        let table = DeTable::parse(text).map_err(Box::new)?;
        read(text, path, "", table.get_ref(), &mut said);
    }
    for (place, value) in flags(matches, &known) {
        said.insert(place, value);
    }
    let mut lines = Vec::new();
    let mut tables = Vec::new();
    for ((table, _), _) in &known {
        if tables.last() != Some(table) {
            tables.push(table.clone());
        }
    }
    let free: BTreeSet<_> = said
        .keys()
        .map(|(table, _)| table.clone())
        .filter(|table| !tables.contains(table))
        .collect();
    tables.extend(free);
    for table in tables {
        if !table.is_empty() {
            lines.push((format!("\n[{table}]"), String::new()));
        }
        let own = known.iter().filter(|((of, _), _)| *of == table);
        for (place, default) in own {
            lines.push(match (said.remove(place), &default.fixed) {
                (Some(Value { text, from }), _) => (format!("{} = {text}", place.1), from),
                (None, Some(fixed)) => (format!("{} = {fixed}", place.1), "default".to_owned()),
                (None, None) => (format!("#{} =", place.1), "not set".to_owned()),
            });
        }
        let rest: Vec<_> = said
            .keys()
            .filter(|(of, _)| *of == table)
            .cloned()
            .collect();
        for place in rest {
            if let Some(Value { text, from }) = said.remove(&place) {
                lines.push((format!("{} = {text}", place.1), from));
            }
        }
    }
    Ok(aligned(&lines))
}

fn aligned(lines: &[(String, String)]) -> String {
    let lengths = lines.iter().map(|(line, _)| line.chars().count());
    let width = lengths.filter(|&length| length <= 50).max().unwrap_or(0);
    let line = |(line, from): &(String, String)| match from.is_empty() {
        true => format!("{line}\n"),
        false => format!("{line:width$}  # {from}\n"),
    };
    lines.iter().map(line).collect()
}

/// What the example says of a key.
struct Default {
    /// Its default, if it has a fixed one.
    fixed: Option<String>,
    /// A value of its kind.
    example: String,
}

/// Every key of the example, in its order.
fn known() -> Vec<(Place, Default)> {
    let mut known: Vec<(Place, Default)> = Vec::new();
    let mut table = String::new();
    for line in EXAMPLE.lines() {
        let bare = line.strip_prefix('#').unwrap_or(line);
        if let Some(name) = bare.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name.clone_into(&mut table);
        } else if let Some((key, value)) = bare.split_once(" = ")
            && !key.is_empty()
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !FREE.iter().any(|free| table.starts_with(free))
        {
            let place = (table.clone(), key.to_owned());
            let fixed = (bare == line).then(|| value.to_owned());
            match known.iter_mut().find(|(of, _)| *of == place) {
                // An example beside the default.
                Some((_, default)) => value.clone_into(&mut default.example),
                None => known.push((
                    place,
                    Default {
                        fixed,
                        example: value.to_owned(),
                    },
                )),
            }
        }
    }
    known
}

/// All that a file says, table by table.
fn read(
    text: &str,
    path: &Path,
    name: &str,
    table: &DeTable<'_>,
    said: &mut BTreeMap<Place, Value>,
) {
    for (key, value) in table {
        let span = value.span();
        let key = key.get_ref();
        if let DeValue::Table(inner) = value.get_ref()
            && !text.get(span.clone()).is_some_and(|t| t.starts_with('{'))
        {
            let inner_name = match name {
                "" => quoted(key),
                _ => format!("{name}.{}", quoted(key)),
            };
            read(text, path, &inner_name, inner, said);
            continue;
        }
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let value = Value {
            text: text.get(span).unwrap_or_default().to_owned(),
            from: format!("{}, line {line}", path.display()),
        };
        said.insert((name.to_owned(), quoted(key)), value);
    }
}

/// A key as it is written.
fn quoted(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !key.is_empty() && key.chars().all(bare) {
        true => key.to_owned(),
        false => toml::Value::from(key).to_string(),
    }
}

/// What flags and variables say.
fn flags(matches: &ArgMatches, known: &[(Place, Default)]) -> Vec<(Place, Value)> {
    let Some((role, matches)) = matches.subcommand() else {
        return Vec::new();
    };
    let command = Cli::command();
    let Some(command) = command.find_subcommand(role) else {
        return Vec::new();
    };
    let tables = [
        role.to_owned(),
        format!("{role}.inputs"),
        format!("{role}.outputs"),
        String::new(),
        "calendar".to_owned(),
    ];
    let mut found = Vec::new();
    for (place, default) in known.iter().filter(|((of, _), _)| tables.contains(of)) {
        if let Some(value) = flag(command, matches, &place.1, default) {
            found.push((place.clone(), value));
        }
    }
    found
}

fn flag(command: &Command, matches: &ArgMatches, key: &str, default: &Default) -> Option<Value> {
    let argument = command.get_arguments().find(|arg| arg.get_id() == key)?;
    let from = match matches.value_source(key)? {
        ValueSource::CommandLine => match argument.get_long() {
            Some(long) => format!("--{long}"),
            None => "the command line".to_owned(),
        },
        ValueSource::EnvVariable => argument.get_env()?.to_string_lossy().into_owned(),
        _ => return None,
    };
    let words: Vec<_> = matches
        .get_raw(key)?
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let string = |word: &str| toml::Value::from(word).to_string();
    let joined = words.join(",");
    let text = match default.example.chars().next() {
        Some('[') => {
            let words = joined.split(',').filter(|word| *word != "none");
            let words: Vec<_> = words.map(|word| string(word.trim())).collect();
            format!("[{}]", words.join(", "))
        }
        Some('"') => string(&joined),
        _ => joined,
    };
    Some(Value { text, from })
}
