//! Texts that people write and read: which characters would spoil what is printed after them, which
//! cannot be seen at all, and the one form in which equal texts are equal bytes.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Control characters, the two Unicode line separators, and the characters that embed or override
/// a text direction (UAX #9, section 2): each would spoil what is printed after it. The joiners
/// that Indic and Persian names need are none of these.
pub(crate) fn breaks_a_row(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Characters that show nothing, so that two names with and without them look the same: Unicode's
/// default ignorable ones, but for the joiners that Indic and Persian names need and the variation
/// selectors that emoji and some scripts do.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}')
}

/// The text in Unicode's composed form (NFC, UAX #15): the same name typed on two systems may else
/// differ.
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() || is_nfc(text) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_become_equal_bytes() {
        assert_eq!(composed("Zoe\u{308}"), "Zoë");
        assert_eq!(composed("Zoë"), "Zoë");
        assert_eq!(composed("ASCII"), "ASCII");
    }

    #[test]
    fn what_shows_nothing_is_invisible_and_what_scripts_need_is_not() {
        assert!(
            "\u{200B}\u{FEFF}\u{3164}\u{AD}\u{E0041}"
                .chars()
                .all(is_invisible)
        );
        // The joiners of ಆಶಾ and نور, the selector of ❤️, a combining mark, an ordinary letter.
        assert!(!"\u{200C}\u{200D}\u{FE0F}\u{308}x".chars().any(is_invisible));
    }
}
