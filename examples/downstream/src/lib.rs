//! A crate that uses Medalist as a library.

pub mod nearest_centroid;
pub mod search;
pub mod within_one;

use medalist::Registry;

pub use nearest_centroid::NearestCentroid;
pub use within_one::WithinOne;

/// What medalist knows, and what this crate adds.
pub fn registry() -> Registry {
    Registry::builtin().with::<NearestCentroid>("nearest_centroid").with_metric::<WithinOne>("within_one")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use medalist::competition::Competition;
    use medalist::testing::{assert_metric, assert_model};

    use super::*;

    fn competition(slug: &str) -> Competition {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../competitions").join(slug);
        Competition::load(&folder, &registry()).unwrap()
    }

    #[test]
    fn the_model_and_the_metric_keep_their_contracts() {
        assert_model::<NearestCentroid>("nearest_centroid");
        assert_metric::<WithinOne>("within_one");
    }

    #[test]
    fn centroids_tell_penguins_apart() {
        let penguins = competition("penguins");
        let found = search::best(&penguins, &registry(), &["baseline", "nearest_centroid"], 6, 1).unwrap();
        assert_eq!(found.params.text("model").unwrap(), "nearest_centroid");
        // The mean log loss over four classes that are nearly separable: guessing has 1.1.
        assert!(found.score < 0.3, "{}", found.score);
        let (labels, probabilities) = search::predict(&penguins, &registry(), &found).unwrap();
        assert_eq!(probabilities.dim(), (penguins.test.as_ref().unwrap().ids.len(), labels.len()));
    }

    #[test]
    fn the_same_seed_finds_the_same_on_any_number_of_threads() {
        let penguins = competition("penguins");
        let best = |jobs| search::best(&penguins, &registry(), &["nearest_centroid"], 5, jobs).unwrap();
        let (one, two) = (best(1), best(2));
        assert_eq!((one.params, one.score.to_bits()), (two.params, two.score.to_bits()));
    }
}
