//! One line of `bench/compare.py`: `bench DIR NAME [TREES] [MAX_BIN] [OPTION ..]` fits the set NAME in DIR and prints JSON.
//!
//! Times are CPU times of this process; each tree's include the scores of the held-out rows after it. Options:
//! `--mode fit` (the default), `cv` (five folds, out-of-fold loss after every tree), `forest` or `predict` (rows a second, raw and on bins); `--feature-fraction F`;
//! `--linear`: linear leaves; `--leaf-vectors`: one tree for all classes, whose time is then that of a round; `--shared-bins`: held-out rows take part in the choice of bins, so that the table is held once; `--no-bundle`: each column its own byte. RAYON_NUM_THREADS above 1
//! runs on so many threads, LEVEL (base, v2, v3, v4) on that instruction set.

use std::error::Error;
use std::time::Instant;

use medalist_boost::{BinSettings, Bins, Boosting, Level, MultiStrategy, Objective, Params, Trainer, Training};

mod score;
mod set;

use score::{log_loss, scores};
use set::Set;

struct Options {
    folder: String,
    name: String,
    n_trees: usize,
    max_bin: usize,
    mode: String,
    feature_fraction: f64,
    shared_bins: bool,
    no_bundle: bool,
    leaf_vectors: bool,
    linear: bool,
    threads: usize,
    level: Level,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let options = options()?;
    let set = Set::read(&options.folder, &options.name)?;
    match options.mode.as_str() {
        "fit" => fit(&options, &set),
        "cv" => cross_validate(&options, &set),
        "forest" => forest(&options, &set),
        "predict" => predict(&options, &set),
        mode => Err(format!("no mode {mode}").into()),
    }
}

fn options() -> Outcome<Options> {
    let mut options = Options {
        folder: String::new(),
        name: String::new(),
        n_trees: 300,
        max_bin: 255,
        mode: "fit".to_string(),
        feature_fraction: 1.0,
        shared_bins: false,
        no_bundle: false,
        leaf_vectors: false,
        linear: false,
        threads: std::env::var("RAYON_NUM_THREADS").map_or(Ok(1), |threads| threads.parse())?,
        level: match std::env::var("LEVEL").as_deref() {
            Ok("base") => Level::Base,
            Ok("v2") => Level::V2,
            Ok("v3") => Level::V3,
            Ok("v4") => Level::V4,
            _ => Level::detect(),
        },
    };
    let mut args = std::env::args().skip(1);
    let mut places = 0;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--mode" => options.mode = args.next().ok_or("--mode needs a name")?,
            "--feature-fraction" => {
                options.feature_fraction = args.next().ok_or("--feature-fraction needs a number")?.parse()?;
            }
            "--shared-bins" => options.shared_bins = true,
            "--linear" => options.linear = true,
            "--no-bundle" => options.no_bundle = true,
            "--leaf-vectors" => options.leaf_vectors = true,
            _ => {
                match places {
                    0 => options.folder = arg,
                    1 => options.name = arg,
                    2 => options.n_trees = arg.parse()?,
                    3 => options.max_bin = arg.parse()?,
                    _ => return Err(format!("what is {arg}?").into()),
                }
                places += 1;
            }
        }
    }
    if places < 2 {
        return Err("usage: bench DIR NAME [TREES] [MAX_BIN] [OPTION ..]".into());
    }
    Ok(options)
}

impl Options {
    fn bin_settings(&self) -> BinSettings {
        BinSettings {
            max_bin: self.max_bin,
            enable_bundle: !self.no_bundle,
            parallel: self.threads > 1,
            ..BinSettings::default()
        }
    }

    fn params(&self, objective: Objective) -> Params {
        Params::new(objective)
            .n_estimators(self.n_trees)
            .num_leaves(31)
            .learning_rate(0.05)
            .min_child_samples(20)
            .min_sum_hessian(1e-3)
            .feature_fraction(self.feature_fraction)
            .linear_tree(self.linear)
            .multi_strategy(if self.leaf_vectors {
                MultiStrategy::LeafVectors
            } else {
                MultiStrategy::OneTreePerOutput
            })
            .parallel(self.threads > 1)
    }
}

/// Fits the training rows; the others are followed.
fn fit(options: &Options, set: &Set) -> Outcome<()> {
    let start = cpu_seconds()?;
    let bins = if options.shared_bins {
        Bins::new(&set.columns(set.n_rows), &options.bin_settings())?
    } else {
        Bins::new(&set.columns(set.n_train), &options.bin_settings())?
    };
    let binned = cpu_seconds()? - start;
    let all = if options.shared_bins { bins } else { bins.like(&set.columns(set.n_rows))? };
    let (trained, followed) = set.parts();
    let columns = set.columns(set.n_rows);
    let training = Training {
        columns: Some(&columns),
        labels: &set.labels[..set.n_train],
        weights: set.weights.as_ref().map(|weights| &weights[..set.n_train]),
        rows: Some(&trained),
        followed: &followed,
        ..Training::default()
    };
    let params = options.params(set.objective.clone());
    let before = cpu_seconds()?;
    let wall = Instant::now();
    let mut trainer = Trainer::with_level(&params, &all, &training, options.level)?;
    for _ in 0..options.n_trees {
        trainer.step()?;
    }
    let (spent, wall) = (cpu_seconds()? - before, wall.elapsed().as_secs_f64());
    let trees_a_round = if options.leaf_vectors { 1 } else { set.objective.n_scores() };
    let n_trees = (options.n_trees * trees_a_round) as f64;
    println!(
        "{{\"set\": \"{}\", \"engine\": \"medalist-boost\", \"bin_s\": {binned:.4}, \"ms_tree\": {:.4}, \"wall_ms_tree\": {:.4}, {}}}",
        options.name,
        spent * 1e3 / n_trees,
        wall * 1e3 / n_trees,
        scores(set, &followed, &trainer),
    );
    Ok(())
}

/// Five folds on bins made once.
fn cross_validate(options: &Options, set: &Set) -> Outcome<()> {
    let start = cpu_seconds()?;
    let bins = Bins::new(&set.columns(set.n_rows), &options.bin_settings())?;
    let binned = cpu_seconds()? - start;
    let params = options.params(set.objective.clone());
    let mut losses = vec![0.0; options.n_trees];
    for fold in 0..5 {
        let (followed, trained): (Vec<u32>, Vec<u32>) = (0..set.n_rows as u32).partition(|row| row % 5 == fold);
        let labels: Vec<f64> = trained.iter().map(|&row| set.labels[row as usize]).collect();
        let outside: Vec<f64> = followed.iter().map(|&row| set.labels[row as usize]).collect();
        let training = Training { labels: &labels, rows: Some(&trained), followed: &followed, ..Training::default() };
        let mut trainer = Trainer::with_level(&params, &bins, &training, options.level)?;
        let mut scores = vec![0.0; followed.len()];
        for loss in &mut losses {
            trainer.step()?;
            scores.iter_mut().zip(&followed).for_each(|(score, &row)| *score = trainer.score(row, 0));
            *loss += log_loss(&scores, &outside) / 5.0;
        }
    }
    println!(
        "{{\"set\": \"{}\", \"engine\": \"medalist-boost\", \"bin_s\": {binned:.4}, \"cpu_s\": {:.4}, \"log_loss\": {:.5}}}",
        options.name,
        cpu_seconds()? - start,
        losses.last().copied().unwrap_or_default(),
    );
    Ok(())
}

/// A random forest as scikit-learn's is by default: whole trees on bootstraps, the root of the features a node.
fn forest(options: &Options, set: &Set) -> Outcome<()> {
    let start = cpu_seconds()?;
    let bins = Bins::new(&set.columns(set.n_rows), &options.bin_settings())?;
    let binned = cpu_seconds()? - start;
    let (trained, followed) = set.parts();
    let training = Training {
        labels: &set.labels[..set.n_train],
        rows: Some(&trained),
        followed: &followed,
        ..Training::default()
    };
    let n_features = set.n_features as f64;
    let params = Params::new(Objective::Squared)
        .boosting(Boosting::Rf)
        .bootstrap(true)
        .n_estimators(options.n_trees)
        .num_leaves(1 << 20)
        .min_child_samples(1)
        .feature_fraction_bynode(n_features.sqrt().floor() / n_features)
        .parallel(options.threads > 1);
    let mut trainer = Trainer::with_level(&params, &bins, &training, options.level)?;
    for _ in 0..options.n_trees {
        trainer.step()?;
    }
    let spent = cpu_seconds()? - start;
    let scores: Vec<f64> = followed.iter().map(|&row| trainer.score(row, 0)).collect();
    println!(
        "{{\"set\": \"{}\", \"engine\": \"medalist-boost\", \"bin_s\": {binned:.4}, \"cpu_s\": {spent:.4}, \"auc\": {:.5}}}",
        options.name,
        score::auc(&scores, &set.labels[set.n_train..]),
    );
    Ok(())
}

/// Predictions of the whole set, raw and on bins.
fn predict(options: &Options, set: &Set) -> Outcome<()> {
    let columns = set.columns(set.n_rows);
    let bins = Bins::new(&columns, &options.bin_settings())?;
    let training = Training { labels: &set.labels, ..Training::default() };
    let mut trainer = Trainer::with_level(&options.params(set.objective.clone()), &bins, &training, options.level)?;
    for _ in 0..options.n_trees {
        trainer.step()?;
    }
    let model = trainer.into_model();
    let start = cpu_seconds()?;
    let raw = model.predict(&columns, None)?;
    let raw_s = cpu_seconds()? - start;
    let rows: Vec<u32> = (0..set.n_rows as u32).collect();
    let start = cpu_seconds()?;
    let on_bins = model.predict_staged_on_bins(&bins, &rows, &[options.n_trees])?;
    let bins_s = cpu_seconds()? - start;
    if on_bins[0] != raw {
        return Err("predictions on bins are others than raw ones".into());
    }
    println!(
        "{{\"set\": \"{}\", \"engine\": \"medalist-boost\", \"raw_s\": {raw_s:.4}, \"bins_s\": {bins_s:.4}, \"raw_rows_s\": {:.0}, \"bins_rows_s\": {:.0}}}",
        options.name,
        set.n_rows as f64 / raw_s,
        set.n_rows as f64 / bins_s,
    );
    Ok(())
}

/// User and system time of all threads so far.
fn cpu_seconds() -> Outcome<f64> {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}
