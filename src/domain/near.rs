//! What somebody may have meant who named something that is not there.

/// How like a name must be to be offered instead, from 0 to 1 (Jaro-Winkler).
const NEAR: f64 = 0.8;
/// How many are offered.
const MOST: usize = 3;

/// The names that are like the one that was wanted, in any case, nearest first. Of a name of
/// several words, one word may be the likeness.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        let whole = strsim::jaro_winkler(&name, &wanted);
        name.split_whitespace()
            .map(|word| strsim::jaro_winkler(word, &wanted))
            .fold(whole, f64::max)
    };
    let mut near: Vec<_> = names
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.into_iter().take(MOST).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let names = ["Asha Rao", "Asha Menon", "Ravi Kumar"];
        let near = |wanted| nearest(wanted, names.into_iter());
        assert_eq!(near("asha"), ["Asha Rao", "Asha Menon"]);
        assert_eq!(near("Asha Roa")[0], "Asha Rao");
        assert_eq!(near("Zebedee"), Vec::<&str>::new());
    }
}
