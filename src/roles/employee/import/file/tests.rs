use super::*;

fn today() -> Day {
    "2024-02-28".parse().unwrap()
}

fn rows(text: &str) -> Vec<Row> {
    let (rows, bad) = read(text.as_bytes(), today()).unwrap();
    assert_eq!(bad, []);
    rows
}

/// The reasons, each with its line.
fn bad(bytes: &[u8]) -> Vec<String> {
    let bad = match read(bytes, today()) {
        Ok((_, bad)) => bad,
        Err(whole) => vec![whole],
    };
    assert!(!bad.is_empty());
    bad.iter()
        .map(|bad| format!("{}: {}", bad.line, bad.reason))
        .collect()
}

#[test]
fn a_file_may_have_a_mark_semicolons_and_columns_in_any_order() {
    let plain = rows("name,twinklet,number\nAsha Rao,7,1\n");
    assert_eq!(
        plain,
        rows("\u{FEFF}name,twinklet,number\r\nAsha Rao,7,1\r\n")
    );
    assert_eq!(
        plain,
        rows("Name ; Twinklet;NUMBER\r\n Asha Rao ;7;1\r\n;;\r\n")
    );
    let [row] = plain.as_slice() else {
        panic!("{plain:?}")
    };
    assert_eq!((row.line, row.number), (2, Numbered::As(EmployeeNumber(1))));
    assert_eq!(row.name.as_ref().unwrap().as_str(), "Asha Rao");
    assert_eq!(
        (&row.left, &row.doors),
        (&None, &None),
        "what is not said stays as it is"
    );
}

#[test]
fn cells_lose_their_guards_and_line_breaks() {
    let names: Vec<_> = rows(
        "name\r\n\"'=HYPERLINK(\"\"http://x\"\")\"\r\n'+1a\r\n\"Rao,\r\n Asha\"\r\n't Hooft\r\n",
    )
    .into_iter()
    .map(|row| (row.line, row.name.unwrap().to_string()))
    .collect();
    let expected = [
        (2, "=HYPERLINK(\"http://x\")"),
        (3, "+1a"),
        (4, "Rao, Asha"),
        (6, "'t Hooft"),
    ];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
}

#[test]
fn every_kind_of_cell_is_read() {
    let text = "number,name,twinklet,joined,left,department,hours,doors,suspended,off-register\n\
        new,Zoë,7 90:2024-03-01..2024-03-05 91:2024-03-01..,today,,Optics,mon 8:00-9:00,\
        \"lab, front door\",yes,no\n\
        ,Ravi,,,2024-02-29,,,every,,yes\n\
        3,,,,,,,none,,\n";
    let [zoe, ravi, third] = <[Row; 3]>::try_from(rows(text)).unwrap();
    let day = |text: &str| text.parse::<Day>().unwrap();
    let days: Vec<_> = zoe
        .twinklets
        .unwrap()
        .iter()
        .map(|given| given.days)
        .collect();
    let from = day("2024-03-01");
    assert_eq!(
        days,
        [
            None,
            Some((from, Some(day("2024-03-05")))),
            Some((from, None))
        ]
    );
    assert_eq!(
        (zoe.number, zoe.joined, zoe.left),
        (Numbered::New, Some(today()), Some(None))
    );
    assert_eq!(zoe.department.unwrap().unwrap().as_str(), "Optics");
    assert_eq!(zoe.hours.unwrap().unwrap().to_string(), "mon 08:00-09:00");
    assert_eq!(
        zoe.doors,
        Some(Some(vec!["lab".to_owned(), "front door".to_owned()]))
    );
    assert_eq!((zoe.suspended, zoe.off_register), (Some(true), Some(false)));
    assert_eq!((ravi.number, ravi.joined), (Numbered::No, None));
    assert_eq!(
        (ravi.left, ravi.doors),
        (Some(Some(day("2024-02-29"))), Some(None))
    );
    assert_eq!((third.name, third.doors), (None, Some(Some(Vec::new()))));
}

#[test]
fn every_bad_line_is_named_with_its_reason() {
    let text = "number,name,twinklet,joined,hours,suspended\n\
        0,Asha,7,,,\n\
        x,Asha,7,,,\n\
        ,123,7,,,\n\
        ,Asha,0,,,\n\
        ,Asha,7 7,,,\n\
        ,Asha,7:2024-03-02..2024-03-01,,,\n\
        ,Asha,7:2024-03-02,,,\n\
        ,Asha,7,28/02/2024,,\n\
        ,Asha,7,,mon,\n\
        ,Asha,7,,,perhaps\n\
        ,Good,8,,,\n\
        ,Asha,7\n\
        ,Rao, Asha,7,,,\n";
    assert_eq!(
        bad(text.as_bytes()),
        [
            "2: '0' is no employee number: a whole number from 1 to 999999999, 'new' or nothing",
            "3: 'x' is no employee number: a whole number from 1 to 999999999, 'new' or nothing",
            "4: the name has no letter in it",
            "5: '0': a twinklet id is a whole number from 1 to 9007199254740991",
            "6: twinklet 7 is there twice",
            "7: '2024-03-02..2024-03-01': the last day is before the first",
            "8: '2024-03-02' are no days: write 2026-11-25..2026-11-27, or 2026-11-25..",
            "9: '28/02/2024' is no day: write a day as 2026-11-22, today or yesterday",
            "10: the last days have no hours; write hours as 'mon-fri 08:00-20:00, sat 09:00-13:00'",
            "11: 'perhaps' is neither 'yes' nor 'no'",
            "13: there are 3 cells for 6 columns",
            "14: 'Asha': a twinklet id is a whole number from 1 to 9007199254740991",
        ]
    );
}

#[test]
fn a_file_that_is_no_such_file_says_so() {
    for (bytes, says) in [
        (&b""[..], "neither a column 'number' nor 'name'"),
        (
            b"nmae\nAsha\n",
            "no column is called 'nmae'; did you mean 'name'?",
        ),
        (
            b"salary\n1\n",
            "no column is called 'salary'; there is number, name",
        ),
        (b"name,Name\n", "the column 'name' is there twice"),
        (b"twinklet\n7\n", "neither a column 'number' nor 'name'"),
        (
            b"\xFF\xFEn\0a\0",
            "the file is UTF-16; save it as 'CSV UTF-8'",
        ),
    ] {
        let bad = bad(bytes);
        assert!(bad.len() == 1 && bad[0].starts_with("1: "), "{bad:?}");
        assert!(bad[0].contains(says), "{bad:?}");
    }
    let latin1 = bad(b"name\nZo\xEB\nAsha\n\"Rao\nM\xFCller\"\n");
    let says = "this is no UTF-8; save the file as 'CSV UTF-8'";
    assert_eq!(latin1, [format!("2: {says}"), format!("4: {says}")]);
    let beyond = bad(b"number,name\n1,Rao, Asha\n");
    assert_eq!(
        beyond,
        ["2: 'Asha' stands beyond the last column; is a quote missing?"]
    );
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["name", "Asha", "", "Ravi"].join(end);
        let lines: Vec<_> = rows(&text).iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 4], "{end:?}");
    }
}
