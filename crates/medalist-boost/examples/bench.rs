//! One line of `bench/boost`: `bench DIR NAME [TREES] [MAX_BIN]` fits NAME.X, NAME.y, NAME.meta in DIR and prints JSON.
//!
//! Times are CPU times of this process; each tree's include the scores of the held-out rows after it.

use std::error::Error;
use std::fs;

use medalist_boost::{BinSettings, Bins, Column, Level, Objective, Params, Trainer, Training};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, name, rest @ ..] = &args[..] else { return Err("usage: bench DIR NAME [TREES] [MAX_BIN]".into()) };
    let n_trees: usize = rest.first().map_or(Ok(300), |trees| trees.parse())?;
    let max_bin: usize = rest.get(1).map_or(Ok(255), |bins| bins.parse())?;
    let meta = fs::read_to_string(format!("{folder}/{name}.meta"))?;
    let meta: Vec<usize> = meta.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [n_rows, n_features, n_train] = meta[..] else { return Err("the meta file holds three numbers".into()) };
    let (x, y) = (floats(&format!("{folder}/{name}.X"))?, floats(&format!("{folder}/{name}.y"))?);
    assert_eq!((x.len(), y.len()), (n_rows * n_features, n_rows));
    let threads: usize = std::env::var("RAYON_NUM_THREADS").map_or(Ok(1), |threads| threads.parse())?;

    let start = cpu_seconds()?;
    let columns = Column::of_rows(&x[..n_train * n_features], n_features);
    let parallel = threads > 1;
    let bins = Bins::new(&columns, &BinSettings { max_bin, parallel, ..BinSettings::default() })?;
    let binned = cpu_seconds()?;
    let all = bins.like(&Column::of_rows(&x, n_features))?;
    let followed: Vec<u32> = (n_train as u32..n_rows as u32).collect();
    let trained: Vec<u32> = (0..n_train as u32).collect();
    let labels: Vec<f64> = y.iter().map(|&label| f64::from(label)).collect();
    let params = Params::new(Objective::Logistic)
        .n_estimators(n_trees)
        .num_leaves(31)
        .learning_rate(0.05)
        .min_child_samples(20)
        .min_sum_hessian(1e-3)
        .parallel(parallel);
    let level = match std::env::var("LEVEL").as_deref() {
        Ok("base") => Level::Base,
        Ok("v2") => Level::V2,
        Ok("v3") => Level::V3,
        Ok("v4") => Level::V4,
        _ => Level::detect(),
    };
    let training =
        Training { labels: &labels[..n_train], rows: Some(&trained), followed: &followed, ..Training::default() };
    let before = cpu_seconds()?;
    let wall = std::time::Instant::now();
    let mut trainer = Trainer::with_level(&params, &all, &training, level)?;
    for _ in 0..n_trees {
        trainer.step()?;
    }
    let after = cpu_seconds()?;
    let wall = wall.elapsed().as_secs_f64();
    let scores: Vec<f64> = followed.iter().map(|&row| trainer.score(row, 0)).collect();
    let (auc, log_loss) = (auc(&scores, &labels[n_train..]), log_loss(&scores, &labels[n_train..]));
    println!(
        "{{\"set\": \"{name}\", \"engine\": \"medalist-boost\", \"bin_s\": {:.4}, \"ms_tree\": {:.4}, \"wall_ms_tree\": {:.4}, \"auc\": {auc:.5}, \"log_loss\": {log_loss:.5}}}",
        binned - start,
        (after - before) * 1e3 / n_trees as f64,
        wall * 1e3 / n_trees as f64,
    );
    Ok(())
}

fn floats(path: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let (chunks, rest) = bytes.as_chunks::<4>();
    assert!(rest.is_empty(), "{path} is not made of 4-byte numbers");
    Ok(chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
}

/// User and system time of all threads so far.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}

/// The chance that a positive row scores above a negative one, ties counted half.
fn auc(scores: &[f64], labels: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut below, mut sum) = (0.0, 0.0);
    for ties in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let positive: f64 = ties.iter().map(|&row| labels[row]).sum();
        let negative = ties.len() as f64 - positive;
        sum += positive * (below + negative / 2.0);
        below += negative;
    }
    let positive: f64 = labels.iter().sum();
    sum / (positive * (labels.len() as f64 - positive))
}

fn log_loss(scores: &[f64], labels: &[f64]) -> f64 {
    let loss = scores.iter().zip(labels).map(|(score, label)| (1.0 + (-score * (2.0 * label - 1.0)).exp()).ln());
    loss.sum::<f64>() / scores.len() as f64
}
