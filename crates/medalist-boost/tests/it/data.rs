//! Made-up tables: numbers with repeats and gaps, categories, labels that depend on them.

use medalist_boost::bins::MISSING_CATEGORY;
use medalist_boost::{BinSettings, Bins, Column};

/// A small generator of its own (xorshift), so that tables stay the same whatever the crate draws.
pub struct Draws(u64);

impl Draws {
    pub fn new(seed: u64) -> Draws {
        Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// In 0..1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.share() * n as f64) as usize
    }

    /// Bell-shaped, of variance 1.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }
}

pub struct Table {
    pub numbers: Vec<Vec<f64>>,
    pub codes: Vec<Vec<u32>>,
    /// What the labels are made of.
    pub signal: Vec<f64>,
}

impl Table {
    /// Columns of numbers come first; every third of them takes few values, every second one has gaps.
    pub fn new(n_rows: usize, n_numbers: usize, n_codes: usize, seed: u64) -> Table {
        let mut draws = Draws::new(seed);
        let number = |column: usize, draws: &mut Draws| match column {
            _ if column % 2 == 1 && draws.share() < 0.15 => f64::NAN,
            _ if column % 3 == 2 => draws.below(6) as f64,
            _ => draws.normal(),
        };
        let numbers: Vec<Vec<f64>> =
            (0..n_numbers).map(|column| (0..n_rows).map(|_| number(column, &mut draws)).collect()).collect();
        let codes: Vec<Vec<u32>> = (0..n_codes)
            .map(|column| {
                let levels = [3, 12, 60][column % 3];
                let code = |draws: &mut Draws| match draws.share() < 0.05 {
                    true => MISSING_CATEGORY,
                    false => (draws.share() * draws.share() * levels as f64) as u32 * 7,
                };
                (0..n_rows).map(|_| code(&mut draws)).collect()
            })
            .collect();
        let signal = (0..n_rows)
            .map(|row| {
                let of = |column: &Vec<f64>| if column[row].is_nan() { 0.7 } else { column[row].sin() };
                let by_number: f64 =
                    numbers.iter().enumerate().map(|(at, column)| of(column) / (1.0 + at as f64)).sum();
                let by_code: f64 = codes.iter().map(|column| f64::from(column[row] % 11) * 0.1).sum();
                by_number + by_code + 0.5 * draws.normal()
            })
            .collect();
        Table { numbers, codes, signal }
    }

    pub fn columns(&self) -> Vec<Column<'_>> {
        let numbers = self.numbers.iter().map(|column| Column::F64(column));
        numbers.chain(self.codes.iter().map(|column| Column::Categories(column))).collect()
    }

    pub fn bins(&self) -> Bins {
        Bins::new(&self.columns(), &BinSettings::default()).unwrap()
    }

    pub fn n_rows(&self) -> usize {
        self.signal.len()
    }

    /// Those rows alone.
    pub fn of_rows(&self, rows: &[u32]) -> Table {
        Table {
            numbers: self.numbers.iter().map(|column| pick(column, rows)).collect(),
            codes: self.codes.iter().map(|column| pick(column, rows)).collect(),
            signal: pick(&self.signal, rows),
        }
    }

    /// 0 or 1.
    pub fn classes(&self) -> Vec<f64> {
        let mean = self.signal.iter().sum::<f64>() / self.signal.len() as f64;
        self.signal.iter().map(|signal| f64::from(*signal > mean)).collect()
    }
}

pub fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| values[row as usize]).collect()
}
