//! A warm start: the results of an earlier study that a new one begins with.

use medalist_search::{StudySpec, Trial};

use crate::error::{Error, Result};

/// What a study knows before its first trial.
#[derive(Clone, Debug, Default)]
pub enum Earlier {
    #[default]
    Nothing,
    /// A stored study and its trials that count.
    Study(Box<StudySpec>, Vec<Trial>),
    /// What a study that is resumed was begun with: the earlier study may have gone on since.
    Same(Vec<Trial>),
}

impl Earlier {
    /// Gives a new study what fits it.
    ///
    /// # Errors
    /// When nothing of a study does.
    pub fn begin(&self, study: &mut StudySpec) -> Result<()> {
        let (earlier, trials) = match self {
            Earlier::Nothing => return Ok(()),
            Earlier::Same(prior) => {
                study.prior.clone_from(prior);
                return Ok(());
            }
            Earlier::Study(earlier, trials) => (earlier, trials),
        };
        if study.set_prior(earlier, trials) > 0 {
            return Ok(());
        }
        let name = &earlier.name;
        Err(if trials.is_empty() {
            Error::usage(format!("study `{name}` has no finished trial to begin with"))
                .help(format!("`medalist trials {name}` lists what it has"))
        } else {
            Error::usage(format!("none of the {} trials of study `{name}` lies in this space", trials.len()))
                .help("a parameter that only one of the two has must have been at its default: search what the earlier study searched, or leave the warm start out")
        })
    }
}
