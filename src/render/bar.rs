//! Bars of characters.

/// Eighths of a character, from one on.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A bar for a value, beside one that is `width` characters wide for the most. Whatever is more than
/// nothing shows.
pub fn bar(value: f64, most: f64, width: usize) -> String {
    if value <= 0.0 || most <= 0.0 {
        return String::new();
    }
    let shares = (1..=width * 8).map(|eighth| most * eighth as f64 / (width * 8) as f64);
    let eighths = shares.take_while(|share| *share <= value).count().max(1);
    let rest = (eighths % 8).checked_sub(1).and_then(|at| EIGHTHS.get(at));
    std::iter::repeat_n('█', eighths / 8)
        .chain(rest.copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(10.0, 10.0, 4), "████");
        assert_eq!(bar(5.0, 10.0, 4), "██");
        assert_eq!(bar(5.1, 10.0, 4), "██");
        assert_eq!(bar(6.0, 10.0, 4), "██▍");
        assert_eq!(bar(0.001, 10.0, 4), "▏");
        assert_eq!(bar(0.0, 10.0, 4), "");
        assert_eq!(bar(0.0, 0.0, 4), "");
    }
}
