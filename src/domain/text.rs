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
    // With that, all is said of most names, of which one comes with each flash.
    !c.is_ascii()
        && matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}'
            | '\u{17B5}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E00FF}'
            | '\u{E01F0}'..='\u{E0FFF}')
}

/// The text in Unicode's composed form (NFC, UAX #15): the same name typed on two systems may else
/// differ.
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() || is_nfc(text) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

/// The text with other words in the place of some, whatever their capitals; `None` if they are not in
/// it. A part of a longer word is left alone.
pub(crate) fn replace_words(text: &str, old: &str, new: &str) -> Option<String> {
    let (mut out, mut done) = (String::new(), 0);
    let mut before = None;
    for (at, c) in text.char_indices() {
        let starts = at >= done && !before.is_some_and(char::is_alphanumeric);
        before = Some(c);
        let rest = text.get(at..).unwrap_or_default();
        if starts && let Some(after) = without(rest, old) {
            out.push_str(text.get(done..at).unwrap_or_default());
            out.push_str(new);
            done = text.len() - after.len();
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    (done > 0).then_some(out)
}

/// What comes after the words, if the text begins with them and they end there.
fn without<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let mut chars = text.chars();
    for wanted in words.chars() {
        let c = chars.next()?;
        if c != wanted && !c.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    let after = chars.as_str();
    let ends = !words.is_empty() && !after.chars().next().is_some_and(char::is_alphanumeric);
    ends.then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_whatever_their_capitals_and_parts_of_words_are_not() {
        let replaced = |text| replace_words(text, "Zoë Al", "erased 1");
        let both = "zoë al asked; ask ZOË AL's boss";
        assert_eq!(
            replaced(both).as_deref(),
            Some("erased 1 asked; ask erased 1's boss")
        );
        assert_eq!(replaced("Zoë Al").as_deref(), Some("erased 1"));
        for other in ["", "Zoë Also", "McZoë Al", "Zoë  Al", "Zoë"] {
            assert_eq!(replaced(other), None, "{other}");
        }
        assert_eq!(replace_words("anything", "", "x"), None);
    }

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
