//! How points are proposed: by one of the engine's samplers, or by a grid.

use medalist_search::SamplerSpec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// The name of a sampler of the engine, or `grid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search(&'static str);

impl Search {
    /// All points of a grid, whose levels come from the plan.
    pub const GRID: Search = Search("grid");

    /// What searches several objectives.
    pub const NSGA2: Search = Search("nsga2");

    /// All that can be asked for, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SamplerSpec::NAMES.into_iter().chain([Search::GRID.0])
    }

    /// # Errors
    /// When there is no such search: the nearest is named.
    pub fn parse(name: &str) -> Result<Search> {
        if let Some(known) = Search::names().find(|known| *known == name) {
            return Ok(Search(known));
        }
        let error = Error::usage(format!("there is no search `{name}`"));
        Err(match crate::nearest(name, Search::names()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("one of {}", Search::names().collect::<Vec<_>>().join(", "))),
        })
    }

    /// The search that a stored study was begun with.
    ///
    /// # Errors
    /// When this program has no such search any more.
    pub fn of(sampler: &SamplerSpec) -> Result<Search> {
        Search::parse(sampler.build().name())
    }

    pub fn name(self) -> &'static str {
        self.0
    }

    /// The engine's sampler; none of a grid.
    pub fn sampler(self) -> Option<SamplerSpec> {
        SamplerSpec::from_name(self.0)
    }
}

impl Default for Search {
    fn default() -> Self {
        Search(SamplerSpec::NAMES[0])
    }
}

impl Serialize for Search {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Search {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Search, D::Error> {
        let name = String::deserialize(deserializer)?;
        Search::parse(&name).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_but_the_grid_is_a_sampler_that_answers_to_it() {
        for name in Search::names() {
            let search = Search::parse(name).unwrap();
            match search.sampler() {
                Some(sampler) => assert_eq!(Search::of(&sampler), Ok(search)),
                None => assert_eq!(search, Search::GRID),
            }
        }
        assert_eq!(Search::default().name(), "auto");
        assert_eq!(Search::NSGA2.sampler(), Some(SamplerSpec::Nsga2));
        let error = Search::parse("sobel").unwrap_err().to_string();
        assert_eq!(error, "there is no search `sobel`; did you mean `sobol`?");
    }
}
