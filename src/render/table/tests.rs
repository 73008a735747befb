use super::*;
use crate::render::Column;

#[test]
fn rows_stay_rows_whatever_is_in_them() {
    let text = grid(
        &Grid {
            columns: vec![Column::number("number"), Column::text("name")],
            rows: vec![
                vec!["1".to_owned(), "two\nlines".to_owned()],
                vec!["22".to_owned(), "आशा".to_owned()],
            ],
        },
        None,
    );
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(
        text.contains(" 1  two\u{FFFD}lines") && text.contains("22  आशा"),
        "{text}"
    );
}
