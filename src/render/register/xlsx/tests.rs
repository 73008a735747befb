use super::*;
use crate::domain::attendance::sheet::Sheet;
use crate::domain::calendar::Days;
use crate::render::register::table::tests::{page, person, seen};

#[test]
fn a_sheet_is_made_whatever_names_and_texts_are() {
    let people = [
        "=HYPERLINK(\"http://x\")",
        "+1a",
        "آشا",
        "Zoë, \"the\"\nfirst",
        "🦀",
    ];
    let people = people
        .iter()
        .zip(1..)
        .map(|(name, number)| person(number, name, seen()));
    let mut page = page(people.collect());
    page.sheet = Sheet {
        form: "Form XVI".to_owned(),
        heads: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
        ..Sheet::default()
    };
    let report = Report {
        pages: vec![page],
        employee: None,
        hours: true,
        days: Days::midnight(chrono_tz::UTC),
    };
    let book = workbook(&report).unwrap();
    assert!(book.starts_with(b"PK"));
}
