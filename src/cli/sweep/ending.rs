//! What a sweep does once its trials are in: it mixes them, hands the best in, and says what that is worth.

use std::path::PathBuf;

use medalist_search::{Cancel, SqliteStore, StudySpec, Trial};
use rayon::ThreadPool;

use super::N_DRAWS;
use crate::cli::ensemble::{Asked, Mixture};
use crate::cli::reserve::Reserve;
use crate::cli::{Session, submit};
use crate::competition::Competition;
use crate::error::{Kind, Result};
use crate::estimate::Estimate;
use crate::evaluate::Evaluation;
use crate::results;
use crate::split::Fold;
use crate::workspace::Workspace;

pub struct Ending<'a> {
    pub session: &'a Session,
    pub workspace: &'a Workspace,
    pub store: &'a SqliteStore,
    pub competition: &'a Competition,
    pub folds: &'a [Fold],
    pub spec: &'a StudySpec,
    pub pool: &'a ThreadPool,
    /// None where there is no hurry.
    pub reserve: Option<&'a Reserve>,
}

impl Ending<'_> {
    /// None where there is nothing to mix, or no time.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn mix(&self, name: &str) -> Result<Option<Mixture>> {
        if self.reserve.is_some_and(|reserve| !reserve.has_time_to_mix()) {
            let slug = &self.competition.slug;
            self.session.say(format!("no time is left to mix the trials: `medalist ensemble {slug}` does"));
            return Ok(None);
        }
        let metric = self.competition.metric(&self.session.registry)?;
        let asked = Asked {
            store: self.store,
            competition: self.competition,
            metric: metric.as_ref(),
            folds: self.folds,
            studies: std::slice::from_ref(self.spec),
            name,
            kind: None,
            keep: false,
            seed: self.spec.seed,
        };
        self.pool.install(|| asked.mix_if_possible(self.session))
    }

    /// Writes the submission of the ensemble where one is kept and there is time for its fits, else of the study's choice.
    ///
    /// # Errors
    /// When a fit fails, or a file cannot be written.
    pub fn hand_in(&self, evaluation: Evaluation, best: &Trial, mixture: Option<&Mixture>) -> Result<PathBuf> {
        let write = |evaluation: &Evaluation, spec: &StudySpec, trial: &Trial| {
            let (session, workspace, store, competition) = (self.session, self.workspace, self.store, self.competition);
            let how = submit::How::Refit;
            self.pool.install(|| submit::write(session, workspace, store, competition, evaluation, spec, trial, how))
        };
        let mut evaluation = evaluation;
        if let Some(mixture) = mixture
            && let Some((spec, trial)) = &mixture.kept
        {
            let seconds = mixture.fit_seconds(self.store)? / self.pool.current_num_threads() as f64;
            if self.reserve.is_none_or(|reserve| reserve.has(seconds)) {
                let end = |reserve: &Reserve| Cancel::new().with_deadline(reserve.end());
                evaluation = evaluation.until(self.reserve.map_or_else(Cancel::new, end));
                match write(&evaluation, spec, trial) {
                    Err(error) if error.kind == Kind::Interrupted => {}
                    written => return written,
                }
            }
            let (slug, name) = (&self.competition.slug, &spec.name);
            self.session.say(format!(
                "no time is left for the fits of the ensemble: the best trial is handed in, and `medalist submit {slug} --ensemble {name}` does that one"
            ));
        }
        // A submission late is better than none: the last fit is not cut off.
        write(&evaluation.until(Cancel::new()), self.spec, best)
    }

    /// What that which is handed in is worth; None where there is no telling, or no time.
    pub fn estimate(&self, mixture: Option<&Mixture>) -> Option<Estimate> {
        let kept = mixture.and_then(|mixture| mixture.kept.as_ref());
        let spec = kept.map_or(self.spec, |(spec, _)| spec);
        if self.reserve.is_some_and(|reserve| !reserve.has_time_to_judge()) {
            self.session
                .say(format!("no time is left to tell what that is worth: `medalist estimate {}` does", spec.name));
            return None;
        }
        let metric = self.competition.metric(&self.session.registry).ok()?;
        self.pool.install(|| {
            results::estimate(self.store, spec, self.competition, metric.as_ref(), N_DRAWS, self.spec.seed).ok()
        })
    }
}
