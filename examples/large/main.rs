//! Makes the database of a large site, to see how twinkle does on it: ten thousand employees with a
//! year of attendance and ten million events, unless told otherwise. The same numbers make the same
//! site.
//!
//! ```sh
//! cargo run --release --example large -- /tmp/large.db
//! twinkle report --month 2025-12 --format csv --db /tmp/large.db
//! ```

#![allow(
    clippy::print_stdout,
    reason = "a program for people who watch it in a terminal"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use chrono::NaiveDate;
use clap::Parser;

mod fill;

/// Make the database of a large site.
#[derive(Debug, Parser)]
struct Args {
    /// The database to make
    file: PathBuf,
    /// How many employees
    #[arg(long, value_name = "N", default_value = "10000")]
    employees: u32,
    /// How many doors
    #[arg(long, value_name = "N", default_value = "40")]
    doors: u32,
    /// How many days of attendance
    #[arg(long, value_name = "N", default_value = "365")]
    days: u32,
    /// The last of these days
    #[arg(long, value_name = "DAY", default_value = "2025-12-31")]
    until: NaiveDate,
    /// How many events: of the newest days if there are too few for all
    #[arg(long, value_name = "N", default_value = "10000000")]
    events: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let began = Instant::now();
    let site = fill::Site {
        employees: args.employees,
        doors: args.doors,
        days: args.days,
        until: args.until,
        events: args.events,
    };
    match fill::fill(&args.file, &site) {
        Ok(filled) => {
            println!(
                "{}: {} employees, {} days with {} presences, {} events, in {:.0} s",
                args.file.display(),
                args.employees,
                args.days,
                filled.presences,
                filled.events,
                began.elapsed().as_secs_f64()
            );
            ExitCode::SUCCESS
        }
        Err(cause) => {
            println!("error: {cause}");
            ExitCode::FAILURE
        }
    }
}
