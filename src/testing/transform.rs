//! The contract of a transform: above all, that it learns from nothing but the training rows.

use std::sync::Arc;

use medalist_search::{Cancel, Direction, History, Params, Random, Sampler, Seed};

use super::{Problem, caught, is_panic};
use crate::error::{Error, Result};
use crate::registry::{Registry, TransformEntry};
use crate::sparse::SparseMatrix;
use crate::table::{Column, ColumnType, MISSING, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, TransformContext};

/// Fits the transform on a small table with columns of every type, at its default and at random points, and reports what breaks the contract; none when all is well.
///
/// The built-in transforms that come before it have been applied, as they would be in a sweep.
pub fn check_transform(entry: &TransformEntry) -> Vec<Problem> {
    let mut check = Check { entry, problems: Vec::new() };
    check.texts();
    let space = &entry.space;
    if let Err(error) = space.validate().and_then(|()| space.check(&space.default_point())) {
        check.report("default point", format!("the defaults are not a point of the space: {error}"));
        return check.problems;
    }
    let history = History::new(&[], Direction::Minimize);
    let mut points = vec![space.default_point()];
    points.extend((0..8).filter_map(|number| Random.sample(space, &history, &[], number, Seed::new(5)).ok().flatten()));
    for point in points {
        check.point(&point);
        if !check.problems.is_empty() {
            break;
        }
    }
    check.problems
}

struct Check<'a> {
    entry: &'a TransformEntry,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn report(&mut self, check: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::new(check, message));
    }

    fn texts(&mut self) {
        if self.entry.about.trim().is_empty() {
            self.report("help", "ABOUT is empty: say in one line what the transform does");
        }
        if self.entry.inputs.is_empty() {
            self.report("inputs", "INPUTS is empty: the transform would never run");
        }
        for parameter in self.entry.space.parameters() {
            if parameter.help.trim().is_empty() {
                let name = parameter.name.clone();
                self.report("help", format!("parameter `{name}` has no help: write a doc comment above its field"));
            }
        }
    }

    fn fit(&self, params: &Params, train: &Table, y: &Target) -> Result<Box<dyn FittedTransform>> {
        let ctx = TransformContext { weights: None, seed: Seed::new(11), cancel: &Cancel::new() };
        caught(|| self.entry.build(params)?.fit(train, y, &ctx))
    }

    fn point(&mut self, params: &Params) {
        let (train, y, scored) = self.prepared(data(ROWS, 0));
        let fitted = match self.fit(params, &train, &y) {
            Ok(fitted) => fitted,
            Err(error) => return self.report("fit", format!("at {params}: {error}")),
        };
        let out = caught(|| fitted.transform_train(&train))
            .and_then(|train| Ok((train, caught(|| fitted.transform(&scored))?)));
        let (train_out, scored_out) = match out {
            Ok(out) => out,
            Err(error) => return self.report("transform", format!("at {params}: {error}")),
        };
        if train_out.n_rows() != train.n_rows() || scored_out.n_rows() != scored.n_rows() {
            return self.report("rows", format!("at {params}: other rows come out than went in"));
        }
        if shape(&train_out) != shape(&scored_out) {
            let message = format!(
                "at {params}: the training rows come out with other columns than other rows; learn the columns in `fit` and keep to them"
            );
            return self.report("columns", message);
        }
        let again = self
            .fit(params, &train, &y)
            .and_then(|fitted| Ok((fitted.transform_train(&train)?, fitted.transform(&scored)?)));
        if !again.is_ok_and(|(train, scored)| same(&train, &train_out) && same(&scored, &scored_out)) {
            self.report("seed", format!("at {params}: two fits with the same seed differ: take all random numbers from `ctx.seed`, and iterate over no hash map"));
        }
        self.saved(params, fitted.as_ref(), &scored, &scored_out);
        self.independent_rows(params, fitted.as_ref(), &scored, &scored_out);
        self.unused_levels(params, &train_out);
        self.own_target(params, &train, &y, &train_out);
        self.own_class(params, &train);
        self.switched_off(params, [(&train, &train_out), (&scored, &scored_out)]);
        self.awkward_rows(params, fitted.as_ref(), &scored, &train, &y);
    }

    /// What is saved and loaded again, by way of a text, gives the same; only where it can be saved.
    fn saved(&mut self, params: &Params, fitted: &dyn FittedTransform, scored: &Table, out: &Table) {
        let Some(state) = fitted.save() else { return };
        let state = serde_json::from_str(&state.to_string()).map_err(|error| Error::unexpected(error.to_string()));
        let again = state.and_then(|state| caught(|| self.entry.load(&state)?.transform(scored)));
        match again {
            Ok(again) if same(&again, out) => {}
            Ok(_) => self.report(
                "save",
                format!(
                    "at {params}: saved and loaded it gives other columns: `save` must hold all that `transform` reads"
                ),
            ),
            Err(error) => self.report("save", format!("at {params}: what `save` gave cannot be loaded: {error}")),
        }
    }

    /// What the earlier transforms make of the raw table.
    fn prepared(&self, (train, y, scored): (Table, Target, Table)) -> (Table, Target, Table) {
        let (mut train, mut scored) = (train, scored);
        let Some(input) = self.entry.inputs.first() else { return (train, y, scored) };
        for earlier in
            Registry::builtin().transforms.iter().filter(|it| it.order < self.entry.order && it.inputs.contains(input))
        {
            let ctx = TransformContext { weights: None, seed: Seed::new(3), cancel: &Cancel::new() };
            let fitted = earlier.build(&Params::default()).and_then(|transform| transform.fit(&train, &y, &ctx));
            let out = fitted.and_then(|fitted| Ok((fitted.transform_train(&train)?, fitted.transform(&scored)?)));
            if let Ok(out) = out {
                (train, scored) = out;
            }
        }
        (train, y, scored)
    }

    /// Rows in another company: each alone, and in reverse.
    fn independent_rows(&mut self, params: &Params, fitted: &dyn FittedTransform, scored: &Table, out: &Table) {
        let n_rows = scored.n_rows() as u32;
        let companies: [Vec<u32>; 3] = [vec![0], vec![n_rows - 1], (0..n_rows).rev().collect()];
        for rows in companies {
            let alone = caught(|| fitted.transform(&scored.take(&rows)));
            if !alone.is_ok_and(|alone| same(&alone, &out.take(&rows))) {
                let message = format!(
                    "at {params}: what a row becomes depends on the rows that are transformed with it: learn in `fit`, from the training rows alone"
                );
                return self.report("leak", message);
            }
        }
    }

    /// Levels that only other rows hold may exist, but not be known of.
    fn unused_levels(&mut self, params: &Params, train_out: &Table) {
        let (train, y, _) = self.prepared(data(ROWS, 5));
        let out = self.fit(params, &train, &y).and_then(|fitted| caught(|| fitted.transform_train(&train)));
        if !out.is_ok_and(|out| same(&out, train_out)) {
            let message = format!(
                "at {params}: levels that no training row holds change the training rows: learn from the codes that occur, not from the list of levels"
            );
            self.report("leak", message);
        }
    }

    /// A training row must not see its own target.
    fn own_target(&mut self, params: &Params, train: &Table, y: &Target, train_out: &Table) {
        let Target::Values(values) = y else { return };
        for row in [0, train.n_rows() / 2] {
            let mut changed = values.clone();
            changed[row] += 1000.0;
            let out = self
                .fit(params, train, &Target::Values(changed))
                .and_then(|fitted| caught(|| fitted.transform_train(train)));
            let row = [row as u32];
            if !out.is_ok_and(|out| same(&out.take(&row), &train_out.take(&row))) {
                let message = format!(
                    "at {params}: a training row's own target changes what it becomes: in `transform_train`, learn its value from other rows (out of fold)"
                );
                return self.report("leak", message);
            }
        }
    }

    /// The same of a class.
    fn own_class(&mut self, params: &Params, train: &Table) {
        let codes: Vec<u32> = (0..train.n_rows() as u32).map(|row| row * row % 7 % 3).collect();
        let out = |codes: &[u32]| {
            let y = Target::Classes { codes: codes.to_vec(), n_classes: 3 };
            self.fit(params, train, &y).and_then(|fitted| caught(|| fitted.transform_train(train)))
        };
        let plain = match out(&codes) {
            Ok(plain) => plain,
            Err(error) => return self.report("fit", format!("at {params}, on classes: {error}")),
        };
        let mut changed = codes.clone();
        changed[1] = (changed[1] + 1) % 3;
        if !out(&changed).is_ok_and(|out| same(&out.take(&[1]), &plain.take(&[1]))) {
            let message = format!(
                "at {params}: a training row's own class changes what it becomes: in `transform_train`, learn its value from other rows (out of fold)"
            );
            self.report("leak", message);
        }
    }

    /// The harness passes a transform over that says it is off.
    fn switched_off(&mut self, params: &Params, tables: [(&Table, &Table); 2]) {
        let is_off = self.entry.build(params).is_ok_and(|transform| transform.is_off());
        if is_off && tables.iter().any(|(before, after)| !same(before, after)) {
            let message = format!("at {params}: `is_off` says that it does nothing, but what comes out is changed");
            self.report("off", message);
        }
    }

    fn awkward_rows(
        &mut self,
        params: &Params,
        fitted: &dyn FittedTransform,
        scored: &Table,
        train: &Table,
        y: &Target,
    ) {
        match caught(|| fitted.transform(&scored.take(&[]))) {
            Ok(none) if none.n_rows() == 0 => {}
            Ok(_) => self.report("no rows", format!("at {params}: rows come out of none")),
            Err(error) => self.report("no rows", format!("at {params}: {error}")),
        }
        let gaps =
            Table::new(scored.n_rows(), scored.columns().iter().map(|column| Arc::new(all_missing(column))).collect());
        match caught(|| fitted.transform(&gaps)) {
            Ok(_) => {}
            Err(error) => self.report("gaps", format!("at {params}: rows with nothing but gaps: {error}")),
        }
        let other = Table::new(scored.n_rows(), scored.columns().iter().skip(1).cloned().collect());
        if let Err(error) = caught(|| fitted.transform(&other))
            && is_panic(&error)
        {
            self.report(
                "columns",
                format!("at {params}: a missing column should be an error that names it, but it {}", error.message),
            );
        }
        let rows = |rows: &[u32]| (train.take(rows), y.take(rows));
        let gaps =
            Table::new(train.n_rows(), train.columns().iter().map(|column| Arc::new(all_missing(column))).collect());
        let cases = [("one row", rows(&[0])), ("equal rows", rows(&[2; 9])), ("gaps", (gaps, y.clone()))];
        for (check, (train, y)) in cases {
            let out = self.fit(params, &train, &y).and_then(|fitted| {
                caught(|| {
                    fitted.transform_train(&train)?;
                    fitted.transform(scored)
                })
            });
            if let Err(error) = out {
                self.report(check, format!("at {params}: fitted on {check}: {error}"));
            }
        }
    }
}

const ROWS: usize = 60;

fn shape(table: &Table) -> Vec<(&str, ColumnType)> {
    table.columns().iter().map(|column| (column.name.as_str(), column.kind)).collect()
}

/// Bit for bit, a gap being equal to a gap; the levels of categories are not looked at.
fn same(a: &Table, b: &Table) -> bool {
    let values = |a: &Values, b: &Values| match (a, b) {
        (Values::Numeric(a), Values::Numeric(b)) | (Values::Date(a), Values::Date(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
        }
        (Values::Categorical { codes: a, .. }, Values::Categorical { codes: b, .. }) => a == b,
        (Values::Text(a), Values::Text(b)) => a == b,
        (Values::Sparse { matrix: a, names }, Values::Sparse { matrix: b, names: others }) => a == b && names == others,
        _ => false,
    };
    shape(a) == shape(b) && a.columns().iter().zip(b.columns()).all(|(a, b)| values(&a.values, &b.values))
}

fn all_missing(column: &Column) -> Column {
    let n_rows = column.values.len();
    let values = match &column.values {
        Values::Numeric(_) => Values::Numeric(vec![f64::NAN; n_rows]),
        Values::Date(_) => Values::Date(vec![f64::NAN; n_rows]),
        Values::Categorical { levels, .. } => {
            Values::Categorical { codes: vec![MISSING; n_rows], levels: levels.clone() }
        }
        Values::Text(_) => Values::Text(vec![None; n_rows]),
        Values::Sparse { matrix, names } => {
            let mut zeros = SparseMatrix::new(matrix.n_columns());
            (0..n_rows).for_each(|_| zeros.push_row([]));
            Values::Sparse { matrix: Arc::new(zeros), names: names.clone() }
        }
    };
    Column { values, ..column.clone() }
}

/// A few words, of which some are rare; in rows to be scored also one that no training row has.
fn text(row: usize, scored: bool) -> Arc<str> {
    let words = ["one", "two", "three", "four", "five", "six", "seven"];
    let mut text: Vec<&str> = (0..row % 4).map(|place| words[(row * row + 3 * place) % words.len()]).collect();
    text.extend(scored.then_some("unseen"));
    Arc::from(text.join(" "))
}

/// Columns of every type, with gaps in some of the training rows, and in another column only in the rows to be scored, which also hold levels that no training row does. `unused`: how many levels follow that no row holds.
fn data(n_train: usize, unused: usize) -> (Table, Target, Table) {
    let n_rows = n_train + 20;
    let number = |row: usize, factor: usize| ((row * factor + 11) % 97) as f64 / 10.0;
    let scored_only =
        |row: usize, seen: u32, unseen: u32| if row >= n_train && row.is_multiple_of(4) { unseen } else { seen };
    let column =
        |name: &str, kind: ColumnType, values: Values| Arc::new(Column { name: name.to_string(), kind, values });
    let levels: Vec<String> = (0..6 + unused).map(|level| format!("level {level}")).collect();
    let levels = Arc::new(levels);
    let rows = 0..n_rows;
    let columns = vec![
        column("number", ColumnType::Numeric, Values::Numeric(rows.clone().map(|row| number(row, 31)).collect())),
        column(
            "gaps",
            ColumnType::Numeric,
            Values::Numeric(rows.clone().map(|row| if row % 5 == 1 { f64::NAN } else { number(row, 17) }).collect()),
        ),
        column(
            "gaps later",
            ColumnType::Numeric,
            Values::Numeric(
                rows.clone()
                    .map(|row| if row >= n_train && row % 3 == 0 { f64::NAN } else { number(row, 13) })
                    .collect(),
            ),
        ),
        column("constant", ColumnType::Numeric, Values::Numeric(rows.clone().map(|_| 4.0).collect())),
        column(
            "truth",
            ColumnType::Boolean,
            Values::Numeric(rows.clone().map(|row| f64::from(row % 3 == 0)).collect()),
        ),
        column(
            "category",
            ColumnType::Categorical,
            Values::Categorical {
                codes: rows
                    .clone()
                    .map(|row| scored_only(row, if row % 7 == 2 { MISSING } else { (row * row % 5) as u32 }, 5))
                    .collect(),
                levels: levels.clone(),
            },
        ),
        column(
            "category later",
            ColumnType::Categorical,
            Values::Categorical {
                codes: rows.clone().map(|row| scored_only(row, (row % 2) as u32, MISSING)).collect(),
                levels,
            },
        ),
        column(
            "many levels",
            ColumnType::Categorical,
            Values::Categorical {
                codes: rows.clone().map(|row| scored_only(row, (row * 7 % 13) as u32, 13)).collect(),
                levels: Arc::new((0..14 + unused).map(|level| format!("level {level}")).collect()),
            },
        ),
        column(
            "long tail",
            ColumnType::Numeric,
            Values::Numeric(rows.clone().map(|row| number(row, 29).powi(4)).collect()),
        ),
        column(
            "date",
            ColumnType::Date,
            Values::Date(
                rows.clone().map(|row| if row % 9 == 4 { f64::NAN } else { 1.5e9 + row as f64 * 1e6 }).collect(),
            ),
        ),
        column(
            "text",
            ColumnType::Text,
            Values::Text(rows.clone().map(|row| (row % 8 != 3).then(|| text(row, row >= n_train))).collect()),
        ),
    ];
    let table = Table::new(n_rows, columns);
    let all: Vec<u32> = rows.map(|row| row as u32).collect();
    let (train, scored) = all.split_at(n_train);
    let y = Target::Values(train.iter().map(|&row| number(row as usize, 31) + f64::from(row % 3)).collect());
    (table.take(train), y, table.take(scored))
}
