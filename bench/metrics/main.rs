//! The time that each metric takes on a million rows, on one thread: the median of five, in CPU seconds where the system counts them (Linux), else by the clock.
//!
//!     cargo run --release --example bench_metrics [-- NAME]

use std::time::Instant;

use medalist::Registry;
use medalist::decode::Decoded;
use medalist::metric::{Metric, Needs, Settings, Truth};
use medalist::target::{Target, Task};
use ndarray::Array2;

const N_ROWS: usize = 1_000_000;
const N_RUNS: usize = 5;
const N_CLASSES: usize = 3;
/// Rows of a query.
const N_TOGETHER: usize = 10;

fn main() -> medalist::Result<()> {
    let wanted = std::env::args().nth(1);
    println!("{:28} {:>8}", "metric", "seconds");
    for entry in &Registry::builtin().metrics {
        if wanted.as_ref().is_none_or(|wanted| *wanted == entry.name) {
            let metric = entry.build(&Settings::default())?;
            println!("{:28} {:8.3}", entry.name, seconds(metric.as_ref())?);
        }
    }
    Ok(())
}

fn seconds(metric: &dyn Metric) -> medalist::Result<f64> {
    let task = metric.tasks()[0];
    let n_classes = if task == Task::Binary { 2 } else { N_CLASSES };
    let mut noise = Noise(1);
    let codes: Vec<u32> = (0..N_ROWS).map(|_| noise.below(n_classes) as u32).collect();
    let values: Vec<f64> = (0..N_ROWS).map(|_| 1.0 + 9.0 * noise.share()).collect();
    let near: Vec<f64> = values.iter().map(|value| value * (0.5 + noise.share())).collect();
    let mut labels: Vec<String> = (0..n_classes).map(|class| class.to_string()).collect();
    let mut target = match task {
        Task::Regression => Target::Values(values),
        _ => Target::Classes { codes: codes.clone(), n_classes },
    };
    let guessed = || codes.iter().map(|&code| (code + u32::from(code % 2 == 0)) % n_classes as u32);
    let predicted = match metric.needs() {
        Needs::Labels => Decoded::Labels(guessed().collect()),
        Needs::Values => Decoded::Values(near),
        Needs::Scores => Decoded::Scores(codes.iter().map(|&code| 0.2 * f64::from(code) + noise.share()).collect()),
        Needs::Spread => Decoded::Spread { values: near, sigmas: vec![0.5; N_ROWS] },
        Needs::Probabilities => {
            Decoded::Probabilities(Array2::from_shape_simple_fn((N_ROWS, n_classes), || 0.05 + noise.share()))
        }
        Needs::Ranking(_) | Needs::Texts => {
            // Texts of a few words, all different.
            let mut text = || (0..3).map(|_| format!("word{}", noise.below(1000))).collect::<Vec<_>>().join(" ");
            labels = (0..N_ROWS).map(|_| text()).collect();
            target = Target::Classes { codes: (0..N_ROWS as u32).collect(), n_classes: N_ROWS };
            Decoded::Texts((0..N_ROWS).map(|_| text()).collect())
        }
    };
    let queries: Vec<u32> = (0..N_ROWS).map(|row| (row / N_TOGETHER) as u32).collect();
    let truth = Truth {
        target: &target,
        labels: &labels,
        positive: 1,
        n_train_labels: labels.len(),
        weights: None,
        queries: Some(&queries),
    };
    let mut times = Vec::new();
    for _ in 0..N_RUNS {
        let (begun, on_cpu) = (Instant::now(), cpu_seconds());
        std::hint::black_box(metric.score(&truth, &predicted.as_prediction())?);
        let on_cpu = cpu_seconds().zip(on_cpu).map(|(after, before)| after - before);
        times.push(on_cpu.unwrap_or(begun.elapsed().as_secs_f64()));
    }
    times.sort_by(f64::total_cmp);
    Ok(times[N_RUNS / 2])
}

/// What this thread has had of a processor: other programs take nothing of it.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}

/// Numbers that look random: a linear congruential generator's upper bits (Knuth's MMIX).
struct Noise(u64);

impl Noise {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.share() * n as f64) as usize
    }
}
