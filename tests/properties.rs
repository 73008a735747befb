//! What must hold for any bytes: on the fuzz targets' seeds, among which is whatever they have
//! found, on seeds with mistakes in them, and on random bytes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

#[path = "../fuzz/properties.rs"]
mod properties;

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// The seeds of a property, one a file.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(name);
    let files =
        fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    let seeds: Vec<_> = files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(!seeds.is_empty(), "no seeds for {name}");
    seeds
}

#[test]
fn every_property_holds_on_its_seeds_and_has_a_target() {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml")).unwrap();
    for (name, holds) in properties::ALL {
        seeds(name).iter().for_each(|seed| holds(seed));
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), properties::ALL.len());
}

proptest! {
    // The fuzz targets look longer.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_property_holds_on_random_bytes(bytes in vec(any::<u8>(), 0..2_000)) {
        for (_, holds) in properties::ALL {
            holds(&bytes);
        }
    }

    #[test]
    fn every_property_holds_on_seeds_with_mistakes(
        chosen in any::<Index>(),
        mistakes in vec((any::<Index>(), any::<u8>()), 0..4),
        cut in any::<Index>(),
        twice in any::<bool>(),
    ) {
        for (name, holds) in properties::ALL {
            let seeds = seeds(name);
            let mut bytes = seeds[chosen.index(seeds.len())].clone();
            if twice {
                bytes.extend(bytes.clone());
            }
            for (at, byte) in &mistakes {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
            }
            if twice {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            holds(&bytes);
        }
    }
}
