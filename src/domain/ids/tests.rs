use super::*;

#[test]
fn twinklet_ids_are_whole_numbers_that_a_double_holds() {
    assert_eq!("7".parse(), TwinkletId::new(7));
    assert_eq!("007".parse(), TwinkletId::new(7));
    assert!(TwinkletId::MAX.to_string().parse::<TwinkletId>().is_ok());
    for bad in [
        "",
        "0",
        "-7",
        "+7",
        " 7",
        "7.0",
        "x",
        "9007199254740992",
        "99999999999999999999",
    ] {
        assert_eq!(
            bad.parse::<TwinkletId>(),
            Err(Invalid::TwinkletId),
            "{bad:?}"
        );
    }
}

#[test]
fn names_keep_every_script_and_lose_only_outer_space() {
    for name in [
        "Asha Rao",
        "李",
        "O'Brien, Zoë",
        "ಆಶಾ",
        "نور",
        "=HYPERLINK(1)",
        "R2-D2 🤖",
    ] {
        assert_eq!(
            format!("  {name}\t")
                .parse::<PersonName>()
                .unwrap()
                .as_str(),
            name
        );
    }
    assert!("x".repeat(200).parse::<PersonName>().is_ok());
}

#[test]
fn a_name_is_the_same_however_it_was_typed() {
    let (decomposed, composed) = ("Zoe\u{308} 7", "Zoë 7");
    assert_eq!(decomposed.parse::<PersonName>().unwrap().as_str(), composed);
    assert_eq!(decomposed.parse::<DeviceName>().unwrap().as_str(), composed);
    assert_eq!(
        decomposed.parse(),
        Ok(EmployeeRef::Name(composed.to_owned()))
    );
}

#[test]
fn names_that_would_break_a_row_are_refused_with_the_cause() {
    let cause = |text: &str| text.parse::<PersonName>().unwrap_err();
    assert_eq!(cause("  "), Invalid::NameEmpty);
    assert_eq!(cause("123"), Invalid::NameWithoutLetter);
    assert_eq!(cause("A\nB"), Invalid::NameControl(10));
    assert_eq!(cause("A\u{202E}B"), Invalid::NameControl(0x202E));
    assert_eq!(cause("A\u{200B}B"), Invalid::NameInvisible(0x200B));
    assert_eq!(cause("\u{3164}"), Invalid::NameInvisible(0x3164));
    assert_eq!(cause(&"x".repeat(201)), Invalid::NameTooLong(201));
}

#[test]
fn device_names_leave_the_at_sign_to_addresses() {
    assert!("Broadband Wireless Lab".parse::<DeviceName>().is_ok());
    for bad in [
        "",
        " lab",
        "lab ",
        "lab@10.0.0.1",
        "a,b",
        "la\nb",
        "la\u{200B}b",
        &"x".repeat(65),
    ] {
        assert_eq!(
            bad.parse::<DeviceName>(),
            Err(Invalid::DeviceName),
            "{bad:?}"
        );
    }
}
