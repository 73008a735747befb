//! `MessagePack` by hand, for what is written or read with every flash: `serde` needs many times as
//! many instructions. Numbers that are not negative and texts of up to 255 bytes, in the shortest
//! form, as `serde` writes them; whoever has another value leaves it to `serde`.
//!
//! The formats: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use bytes::BufMut;

/// The first byte of a text of up to [`SHORT`] bytes, less their number.
const SHORT_TEXT: u8 = 0xA0;
const SHORT: u8 = 31;
/// The first byte of a longer one, whose length follows in one more.
const TEXT: u8 = 0xD9;
/// The largest number that is its own first byte.
const SMALL: u8 = 0x7F;
/// The first bytes of larger ones, which follow in 1, 2, 4 or 8 more.
const NUMBER_1: u8 = 0xCC;
const NUMBER_2: u8 = 0xCD;
const NUMBER_4: u8 = 0xCE;
const NUMBER_8: u8 = 0xCF;
/// The first byte of a list of up to [`FEW`] values, less their number.
const FEW_VALUES: u8 = 0x90;
const FEW: u8 = 15;
/// The first bytes of longer ones, whose number of values follows in 2 or 4 more.
const VALUES_2: u8 = 0xDC;
const VALUES_4: u8 = 0xDD;

/// Appends a number.
pub fn put_number(number: u64, out: &mut impl BufMut) {
    let bytes @ [_, _, _, _, c, d, e, f] = number.to_be_bytes();
    match number {
        0..=0x7F => out.put_slice(&[f]),
        0x80..=0xFF => out.put_slice(&[NUMBER_1, f]),
        0x100..=0xFFFF => out.put_slice(&[NUMBER_2, e, f]),
        0x1_0000..=0xFFFF_FFFF => out.put_slice(&[NUMBER_4, c, d, e, f]),
        _ => {
            out.put_u8(NUMBER_8);
            out.put_slice(&bytes);
        }
    }
}

/// Appends a text; `None`, and nothing is appended, if it is too long.
pub fn put_text(text: &str, out: &mut impl BufMut) -> Option<()> {
    match u8::try_from(text.len()).ok()? {
        short @ ..=SHORT => out.put_slice(&[SHORT_TEXT + short]),
        long => out.put_slice(&[TEXT, long]),
    }
    out.put_slice(text.as_bytes());
    Some(())
}

/// Appends how many values a list has, which are to follow; `None`, and nothing is appended, if there
/// are 2³² or more.
pub fn put_count(count: usize, out: &mut impl BufMut) -> Option<()> {
    match u32::try_from(count).ok()?.to_be_bytes() {
        [0, 0, 0, few @ ..=FEW] => out.put_slice(&[FEW_VALUES + few]),
        [0, 0, e, f] => out.put_slice(&[VALUES_2, e, f]),
        [c, d, e, f] => out.put_slice(&[VALUES_4, c, d, e, f]),
    }
    Some(())
}

/// Values that are still to be read. Each reading is `None` if something else comes next; what is left
/// is then of no use.
#[derive(Debug)]
pub struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// All of these bytes.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// Passes exactly these bytes; if others come next, they stay.
    pub fn pass(&mut self, these: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(these)?;
        Some(())
    }

    /// So many bytes as they are.
    pub fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// A number that is not negative.
    pub fn number(&mut self) -> Option<u64> {
        let [first] = self.bytes()?;
        match first {
            ..=SMALL => Some(first.into()),
            NUMBER_1 => self.bytes().map(|[byte]| byte.into()),
            NUMBER_2 => self.bytes().map(|bytes| u16::from_be_bytes(bytes).into()),
            NUMBER_4 => self.bytes().map(|bytes| u32::from_be_bytes(bytes).into()),
            NUMBER_8 => self.bytes().map(u64::from_be_bytes),
            _ => None,
        }
    }

    /// How many values of a list follow.
    pub fn count(&mut self) -> Option<u32> {
        const MOST_FEW: u8 = FEW_VALUES + FEW;
        match self.bytes()? {
            [first @ FEW_VALUES..=MOST_FEW] => Some((first - FEW_VALUES).into()),
            [VALUES_2] => self.bytes().map(|bytes| u16::from_be_bytes(bytes).into()),
            [VALUES_4] => self.bytes().map(u32::from_be_bytes),
            _ => None,
        }
    }

    /// A text of up to 255 bytes.
    pub fn text(&mut self) -> Option<&'a str> {
        const LONGEST_SHORT: u8 = SHORT_TEXT + SHORT;
        let length = match self.bytes()? {
            [first @ SHORT_TEXT..=LONGEST_SHORT] => first - SHORT_TEXT,
            [TEXT] => {
                let [length] = self.bytes()?;
                length
            }
            _ => return None,
        };
        let (text, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is appended, by us and by `serde`.
    fn both(put: impl FnOnce(&mut Vec<u8>) -> Option<()>, value: impl serde::Serialize) {
        let mut out = Vec::new();
        put(&mut out).unwrap();
        assert_eq!(out, rmp_serde::to_vec(&value).unwrap());
    }

    #[test]
    fn at_each_edge_a_value_has_the_shortest_form_and_is_read_again() {
        for edge in [0, 1 << 7, 1 << 8, 1 << 16, 1 << 32, u64::MAX] {
            for number in [edge.saturating_sub(1), edge] {
                let put = |out: &mut Vec<u8>| {
                    put_number(number, out);
                    assert_eq!(Rest::of(out).number(), Some(number));
                    Some(())
                };
                both(put, number);
            }
        }
        for length in [0, 31, 32, 255] {
            let text = "n".repeat(length);
            let put = |out: &mut Vec<u8>| {
                put_text(&text, out)?;
                assert_eq!(Rest::of(out).text(), Some(&*text));
                Some(())
            };
            both(put, &text);
        }
        for count in [0, 15, 16, 65_535, 65_536] {
            let put = |out: &mut Vec<u8>| {
                put_count(count, out)?;
                assert_eq!(Rest::of(out).count(), u32::try_from(count).ok());
                out.resize(out.len() + count, 0);
                Some(())
            };
            both(put, vec![0; count]);
        }
    }

    #[test]
    fn what_has_no_such_form_leaves_nothing() {
        let mut out = Vec::new();
        assert_eq!(put_text(&"n".repeat(256), &mut out), None);
        assert!(out.is_empty());
        // A negative number, nothing, half a number, a text that ends early or is not UTF-8.
        assert_eq!(Rest::of(&[0xE0]).number(), None);
        assert_eq!(Rest::of(&[]).number(), None);
        assert_eq!(Rest::of(&[0xCD, 1]).number(), None);
        assert_eq!(Rest::of(b"\xa3ab").text(), None);
        assert_eq!(Rest::of(b"\xa2a\xff").text(), None);
        assert_eq!(Rest::of(b"\xdc\x01").count(), None);
        assert_eq!(Rest::of(b"\x81").count(), None);
    }
}
