//! Moving in from the replaced system: small databases of its shape.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fmt::Write;

use common::{Client, Ended, Site};
use rusqlite::Connection;

/// An empty site in Kolkata, and old files in a folder of it.
struct Old {
    site: Site,
}

impl Old {
    fn new() -> Self {
        let site = Site::new();
        site.ok(&["central", "init"]);
        std::fs::create_dir(site.folder.path().join("old")).unwrap();
        Self { site }
    }

    fn file(&self, name: &str) -> Connection {
        Connection::open(self.site.folder.path().join("old").join(name)).unwrap()
    }

    fn list(&self, badges: &[f64]) {
        let file = self.file("winkle.db");
        file.execute_batch("CREATE TABLE twinkle(sno REAL,twinkletid REAL)")
            .unwrap();
        for (badge, number) in badges.iter().zip(1..) {
            file.execute("INSERT INTO twinkle VALUES (?1, ?2)", (number, badge))
                .unwrap();
        }
    }

    /// A month's file with so many days, all blank.
    fn month(&self, name: &str, days: u32, people: &[(&str, f64)]) -> Connection {
        let file = self.file(name);
        let mut sql = "CREATE TABLE twinkle(Name VARCHAR(255),twinkletid REAL".to_owned();
        (1..=days).for_each(|day| write!(sql, ",day{day} TEXT DEFAULT ' '").unwrap());
        file.execute_batch(&(sql + ")")).unwrap();
        for person in people {
            file.execute(
                "INSERT INTO twinkle (Name, twinkletid) VALUES (?1, ?2)",
                *person,
            )
            .unwrap();
        }
        file
    }

    /// The log: badge, time, name and remark of each row.
    fn log(&self, rows: &[(i64, Option<&str>, &str, &str)]) {
        let file = self.file("Twinkle_Database.db");
        file.execute_batch(
            "CREATE TABLE TWINKLE_DATA (SRNO INT PRIMARY KEY NOT NULL, TWINKLERID INT,
                 FLASHPOINTID INT, FLASHPOS CHAR(25), DATETIME CHAR(25), DATA_PACK CHAR(50),
                 REMARKS CHAR(15))",
        )
        .unwrap();
        for ((badge, time, name, remark), number) in rows.iter().zip(1..) {
            file.execute(
                "INSERT INTO TWINKLE_DATA VALUES (?1, ?2, 1, 'Old Lab', ?3, ?4, ?5)",
                (number, badge, time, name, remark),
            )
            .unwrap();
        }
    }

    fn import(&self, flags: &[&str]) -> Ended {
        let fixed = ["employee", "import", "--from-original", "old"];
        let mut command = self.site.command(&[&fixed, flags].concat());
        command.env("TWINKLE_TIMEZONE", "Asia/Kolkata");
        common::ended(&mut command)
    }

    fn ok(&self, flags: &[&str]) -> String {
        let ended = self.import(flags);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    }
}

#[test]
fn people_badges_and_flashes_move_in_once() {
    let old = Old::new();
    old.list(&[1.0, 3.0, 9.0]);
    old.log(&[
        (7, Some("Tue Jan  5 15:21:47 2021"), "Asha", "Correct"),
        (7, Some("Tue Jan  5 23:59:59 2021"), "asha", "Correct7"),
        (3, Some("Wed Jan  6 08:00:00 2021"), "Ravi N", "Correct"),
        (3, Some("Thu Jan  7 08:00:00 2021"), "ASHA", "Correct6"),
        (3, None, "Asha", "Correct"),
        (3, Some("Tue Feb 30 08:00:00 2021"), "Asha", "Correct"),
        (0, Some("Thu Jan  7 08:00:00 2021"), "Asha", "Correct"),
        (3, Some("Thu Jan  7 08:00:00 2021"), "", "Correct"),
        (3, Some("Thu Jan  7 08:00:00 2021"), "Asha", "Wrong"),
    ]);
    drop(old.file("MAR.db"));
    let said = old.ok(&["--dry-run"]);
    let expected = "\
added 1: Asha, joined 2021-01-05
  twinklet 3 from 2021-01-07
  twinklet 7 from 2021-01-05, revoked: it is on no list of valid badges
added 2: Ravi N, joined 2021-01-06
  twinklet 3 from 2021-01-06 until 2021-01-06
MAR.db: empty
Twinkle_Database.db, row 5: no date
Twinkle_Database.db, row 6: 'Tue Feb 30 08:00:00 2021' is no date
Twinkle_Database.db, row 7: badge '0': a twinklet id is a whole number from 1 to 9007199254740991
Twinkle_Database.db, row 8: name '': the name is empty
Twinkle_Database.db, row 9: its remark is 'Wrong', not 'Correct'
badge 1 is on the list, and was nobody's
badge 9 is on the list, and was nobody's
2 employees added, 0 there already; 4 flashes added, 0 there already
";
    assert_eq!(
        said,
        expected.to_owned() + "Nothing was changed: this was a dry run.\n"
    );
    assert_eq!(old.site.count("SELECT count(*) FROM employee"), 0);

    assert_eq!(old.ok(&[]), expected);
    let again = old.ok(&[]);
    assert!(
        again.ends_with("\n0 employees added, 2 there already; 0 flashes added, 4 there already\n"),
        "{again}"
    );
    let sql = old.site.sql();
    let attendance: String = sql
        .query_row(
            "SELECT group_concat(day || ' ' || employee || ' ' || flashes, ', ')
             FROM (SELECT * FROM attendance ORDER BY day)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(attendance, "2021-01-05 1 2, 2021-01-06 2 1, 2021-01-07 1 1");
    // 15:21:47 in Kolkata.
    let first: i64 = old.site.count("SELECT min(at) FROM event");
    assert_eq!(first, 1_609_840_307_000);
    let odd = "SELECT count(*) FROM event WHERE kind <> 'imported' OR relay IS NOT NULL OR id >= 0";
    assert_eq!(old.site.count(odd), 0);

    // The valid badge opens, the other not, and what happens now comes last in the log.
    let central = old.site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    assert_eq!(door.flash(3).name.as_deref(), Some("Asha"));
    assert_eq!(door.flash(7).verdict, "twinklet-revoked");
    let last = old
        .site
        .ok(&["report", "events", "--last", "3", "--format", "csv"]);
    let verdicts: Vec<_> = last
        .lines()
        .skip(1)
        .map(|line| line.contains("Old Lab"))
        .collect();
    assert_eq!(verdicts, [true, false, false], "{last}");
}

#[test]
fn months_need_a_year_and_their_real_days() {
    let old = Old::new();
    old.list(&[1.0]);
    let month = old.month("FEB.db", 30, &[("asha", 1.0), ("ravi", 2.0), ("?", 3.0)]);
    month
        .execute_batch("UPDATE twinkle SET day2 = 'p', day3 = 'a', day4 = 'x', day30 = 'p' WHERE Name = 'asha'")
        .unwrap();
    let without = old.import(&[]);
    assert_eq!(without.code, Some(2), "{without:?}");
    assert!(
        without
            .stderr
            .contains("FEB.db does not say its year; say --year 2021"),
        "{without:?}"
    );
    let said = old.ok(&["--year", "2021", "--map", "asha=Asha Rao"]);
    assert!(
        said.starts_with(
            "\
added 1: Asha Rao, joined 2021-02-02
  twinklet 1 from 2021-02-02
added 2: ravi, joined 2021-02-01
  twinklet 2 from 2021-02-01, revoked: it is on no list of valid badges
FEB.db, row 1: 'x' on 2021-02-04 is neither p nor a
FEB.db, row 1: February 2021 has no day 30
FEB.db, row 3: name '?': the name has no letter in it
"
        ),
        "{said}"
    );
    let ends = "present by the sheets alone: 1 days set, 0 there already\n";
    assert!(said.ends_with(ends), "{said}");
    let why = old.site.ok(&["report", "why", "1", "--on", "2021-02-02"]);
    let reason = "marked p in FEB.db, and no log has a flash";
    assert!(why.contains(reason), "{why}");
    let row = old
        .site
        .ok(&["report", "--month", "2021-02", "--format", "csv"]);
    assert!(row.contains("\n1,Asha Rao,"), "{row}");
    let again = old.ok(&["--year", "2021", "--map", "asha=Asha Rao"]);
    let ends = "present by the sheets alone: 0 days set, 1 there already\n";
    assert!(again.ends_with(ends), "{again}");
    assert_eq!(old.site.count("SELECT count(*) FROM correction"), 1);
}

#[test]
fn whoever_is_here_already_is_the_same_person() {
    let old = Old::new();
    for (name, badge) in [("Asha Rao", "3"), ("Ravi", "70"), ("Ravi", "71")] {
        old.site.ok(&["employee", "add", name, "--twinklet", badge]);
    }
    old.list(&[1.0, 3.0]);
    old.log(&[
        (1, Some("Tue Jan  5 15:21:47 2021"), "ASHA RAO", "Correct"),
        (3, Some("Tue Jan  5 15:21:48 2021"), "Ravi", "Correct"),
    ]);
    let two = old.import(&[]);
    assert_eq!(two.code, Some(3), "{two:?}");
    assert!(
        two.stderr
            .contains("'Ravi' may be 2 or 3; say which with --map 'Ravi=2'"),
        "{two:?}"
    );
    assert_eq!(
        old.ok(&["--map", "ravi=2"]),
        "\
1: Asha Rao is there already
  twinklet 1 from 2021-01-05
2: Ravi is there already
  twinklet 3 is Asha Rao's (1), and not given
0 employees added, 2 there already; 2 flashes added, 0 there already
"
    );
    let none = old.import(&["--map", "ravi"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    let missing = old
        .site
        .run(&["employee", "import", "--from-original", "no-such"]);
    assert_eq!(missing.code, Some(4), "{missing:?}");
}
