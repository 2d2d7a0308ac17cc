//! Intermediate scores that a program prints while it runs: lines with `step=N score=X`.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use medalist_search::{FoldContext, Verdict};

use super::score::value_of;

/// Of a line without an end so many bytes are kept.
const MAX_LINE: usize = 1 << 16;

/// Reads a file that still grows, and reports the steps in it, each once and in their order: what comes of them does not depend on when it is read.
pub struct Steps {
    file: File,
    /// The beginning of a line whose end is not yet written.
    open_line: Vec<u8>,
}

impl Steps {
    /// # Errors
    /// When the file cannot be opened.
    pub fn new(file: &Path) -> io::Result<Steps> {
        Ok(Steps { file: File::open(file)?, open_line: Vec::new() })
    }

    /// Reports the steps of all whole lines that were added; breaks where the trial should stop.
    pub fn report(&mut self, ctx: &FoldContext) -> ControlFlow<()> {
        let mut buffer = [0; 1 << 13];
        // What cannot be read now is read the next time, or is no step.
        while let Ok(n_read @ 1..) = self.file.read(&mut buffer) {
            for byte in &buffer[..n_read] {
                match byte {
                    b'\n' => self.report_line(ctx)?,
                    _ if self.open_line.len() == MAX_LINE => {}
                    byte => self.open_line.push(*byte),
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// As [`Steps::report`], when nothing more will be added: the last line needs no end.
    pub fn report_rest(&mut self, ctx: &FoldContext) -> ControlFlow<()> {
        self.report(ctx)?;
        self.report_line(ctx)
    }

    fn report_line(&mut self, ctx: &FoldContext) -> ControlFlow<()> {
        let line = std::mem::take(&mut self.open_line);
        match parse_step(&String::from_utf8_lossy(&line)) {
            Some((step, score)) if ctx.report(step, score) == Verdict::Prune => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// The step and the score of a line that has both.
fn parse_step(line: &str) -> Option<(u64, f64)> {
    let step = value_of(line.trim_end(), "step")?;
    let is_count = step.fract() == 0.0 && (0.0..2f64.powi(53)).contains(&step);
    Some((step as u64, value_of(line.trim_end(), "score")?)).filter(|_| is_count)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use medalist_search::Cancel;

    use super::*;

    #[test]
    fn a_line_with_a_step_and_a_score_is_one() {
        assert_eq!(parse_step("step=3 score=0.5"), Some((3, 0.5)));
        assert_eq!(parse_step("epoch 3: loss=7, score=-1e-3, step=12\r"), Some((12, -1e-3)));
        for other in ["", "score=0.5", "step=3", "step=3.5 score=1", "step=-1 score=1", "step=x score=1"] {
            assert_eq!(parse_step(other), None, "{other}");
        }
    }

    #[test]
    fn a_growing_file_is_read_line_by_line() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut steps = Steps::new(file.path()).unwrap();
        let cancel = Cancel::new();
        let ctx = FoldContext::new(&cancel);
        for part in ["step=1 score=0.1\nstep=2", " score=0.2", "5\n", "step=3 score=0.3"] {
            file.write_all(part.as_bytes()).unwrap();
            assert!(steps.report(&ctx).is_continue());
        }
        assert!(steps.report_rest(&ctx).is_continue());
        // Steps must rise: so the third one was reported, once.
        assert_eq!(ctx.report(3, 0.0), Verdict::Prune);
        let ctx = FoldContext::new(&cancel);
        assert!(Steps::new(file.path()).unwrap().report_rest(&ctx).is_continue());
        assert_eq!(ctx.report(4, 0.0), Verdict::Continue);
    }
}
