//! Points to try first: a JSON file, or a list in the plan itself.

use std::path::{Path, PathBuf};

use medalist_search::{Params, SearchSpace};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::error::{Error, Result};

/// Whole or partial points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Enqueued {
    /// Holds a list of objects, one a point.
    File(PathBuf),
    Points(Vec<Params>),
}

impl Enqueued {
    /// A file named in a plan lies beside the plan.
    pub fn beside(self, plan: &Path) -> Enqueued {
        match self {
            Enqueued::File(file) => Enqueued::File(plan.parent().unwrap_or(Path::new("")).join(file)),
            points => points,
        }
    }

    /// The points in their order, each completed with the space's defaults.
    ///
    /// # Errors
    /// When the file cannot be read, or one of its entries is no point of the space: names the entry, counted from 1, and the parameter.
    pub fn points(&self, space: &SearchSpace) -> Result<Vec<Params>> {
        let (points, file) = match self {
            Enqueued::Points(points) => (points.clone(), None),
            Enqueued::File(file) => (read(file)?, Some(file)),
        };
        let complete = |(i, point): (usize, &Params)| {
            space.complete(point).map_err(|error| {
                let error = Error::config(format!("entry {}: {error}", i + 1));
                match file {
                    Some(file) => error.file(file),
                    None => error,
                }
            })
        };
        points.iter().enumerate().map(complete).collect()
    }
}

fn read(file: &Path) -> Result<Vec<Params>> {
    let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, &error))?;
    let fault = |message: String| Error::config(message).file(file);
    let json: Json = serde_json::from_str(&text).map_err(|error| fault(format!("not JSON: {error}")))?;
    let shape = "write a list of points: [{\"NAME\": VALUE, ...}, ...]";
    let entries = json.as_array().ok_or_else(|| fault("not a list".to_string()).help(shape))?;
    let point = |(i, entry): (usize, &Json)| {
        let fields = entry.as_object();
        let fields = fields.ok_or_else(|| fault(format!("entry {} is not an object", i + 1)).help(shape))?;
        Params::from_json(fields).map_err(|error| fault(format!("entry {}: {error}", i + 1)))
    };
    entries.iter().enumerate().map(point).collect()
}

#[cfg(test)]
mod tests {
    use medalist_search::Parameter;

    use super::*;

    fn space() -> SearchSpace {
        let kernel = Parameter::choice("kernel", ["rbf", "poly"]);
        let space = SearchSpace::new().with(Parameter::float("c", 0.1, 10.0).log()).with(kernel);
        space.with(Parameter::int("degree", 2, 5).when("kernel", ["poly"]))
    }

    #[track_caller]
    fn check(text: &str, expected: Result<&[&str], &str>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let points = Enqueued::File(file.path().to_path_buf()).points(&space());
        let points = points.map(|points| points.iter().map(Params::to_string).collect::<Vec<_>>());
        let place = format!("{}: ", file.path().display());
        let points = points.map_err(|error| error.to_string().strip_prefix(&place).unwrap().to_string());
        match (points, expected) {
            (Ok(points), Ok(expected)) => assert_eq!(points, expected),
            (Err(error), Err(expected)) => assert_eq!(error, expected),
            (points, expected) => panic!("{points:?} where {expected:?} was expected"),
        }
    }

    #[test]
    fn partial_points_take_defaults_and_the_branch_that_they_name() {
        let text = r#"[{}, {"c": 2}, {"degree": 4}, {"kernel": "poly", "c": 0.5, "degree": 2.0}]"#;
        let expected = ["c=1 kernel=rbf", "c=2 kernel=rbf", "c=1 degree=4 kernel=poly", "c=0.5 degree=2 kernel=poly"];
        check(text, Ok(&expected));
    }

    #[test]
    fn faults_name_the_entry_the_parameter_and_what_was_meant() {
        check(r#"[{}, {"kernal": "rbf"}]"#, Err("entry 2: unknown parameter `kernal`; did you mean `kernel`?"));
        check(r#"[{"c": 20}]"#, Err("entry 1: parameter `c`: 20 is outside its range 0.1..10 (log)"));
        check(r#"[{"c": "big"}]"#, Err("entry 1: parameter `c`: `big` is not a number"));
        check(
            r#"[{"kernel": "rbf", "degree": 3}]"#,
            Err("entry 1: parameter `degree` has no effect here: it needs kernel = poly; leave it out"),
        );
        check(r#"[{"c": null}]"#, Err("entry 1: parameter `c`: `null` is not a number, a text, or true or false"));
        check("[3]", Err("entry 1 is not an object; write a list of points: [{\"NAME\": VALUE, ...}, ...]"));
        check("{}", Err("not a list; write a list of points: [{\"NAME\": VALUE, ...}, ...]"));
        check("[{]", Err("not JSON: key must be a string at line 1 column 3"));
    }
}
