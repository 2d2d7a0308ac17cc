//! Spaces that a sampler must manage.

use crate::space::{Constraint, Parameter, SearchSpace};

/// By name.
pub(super) fn spaces() -> Vec<(&'static str, SearchSpace)> {
    let kernel = SearchSpace::new()
        .with(Parameter::choice("kernel", ["linear", "rbf"]))
        .with(Parameter::float("gamma", 1e-3, 1e3).log().levels([0.1, 1.0]).when("kernel", ["rbf"]));
    let boost = SearchSpace::new()
        .with(Parameter::float("learning_rate", 0.01, 0.3).log().levels([0.03, 0.1]))
        .with(Parameter::int("n_estimators", 10, 300).levels([10, 100, 300]).default(100).staged());
    let many = (0..300).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), 0.0, 1.0)));
    vec![
        ("one point", SearchSpace::new().with(Parameter::int("k", 5, 5)).with(Parameter::float("x", 1.0, 1.0))),
        ("no parameters", SearchSpace::new()),
        (
            "huge and tiny ranges",
            SearchSpace::new()
                .with(Parameter::float("huge", -1e308, 1e308))
                .with(Parameter::float("log", 1e-300, 1e300).log())
                .with(Parameter::float("tiny", 1.0, 1.0 + f64::EPSILON))
                .with(Parameter::int("int", i64::MIN, i64::MAX))
                .with(Parameter::int("log_int", 1, i64::MAX).log()),
        ),
        (
            "steps and choices",
            SearchSpace::new()
                .with(Parameter::float("step", 0.0, 1.0).step(0.1).levels([0.0, 0.5]))
                .with(Parameter::int("even", 0, 100).step(2.0).levels([0, 50]))
                .with(Parameter::int("log", 1, 1000).log().levels([1, 10, 100]))
                .with(Parameter::choice("size", ["s", "m", "l"]).ordered().levels(["s", "l"])),
        ),
        ("branches", SearchSpace::branches("model", vec![("svm".to_string(), kernel), ("boost".to_string(), boost)])),
        (
            "conditions on conditions",
            SearchSpace::new()
                .with(Parameter::float("shared", 0.0, 1.0))
                .with(Parameter::int("layers", 0, 3))
                .with(Parameter::choice("optimizer", ["sgd", "adam"]).when("layers", [1, 2, 3]))
                .with(Parameter::float("width", 1.0, 9.0).when("layers", [2, 3]))
                .with(Parameter::bool("nesterov").when("optimizer", ["sgd"]))
                .with(Parameter::float("momentum", 0.0, 0.99).when("nesterov", [true]))
                .with(Parameter::int("only", 4, 4).when("optimizer", ["adam"]))
                .with(Parameter::choice("deepest", ["a", "b", "c"]).when("only", [4]).when("layers", [3])),
        ),
        (
            "constraints",
            SearchSpace::new()
                .with(Parameter::int("depth", 1, 8).levels([2, 8]).default(3))
                .with(Parameter::int("leaves", 2, 256).log().levels([4, 64]).default(6))
                .with(Parameter::float("rate", 0.0, 1.0).levels([0.1, 0.9]).default(0.2))
                .with(Parameter::choice("kind", ["plain", "wide"]))
                .with(Parameter::int("width", 1, 9).when("kind", ["wide"]))
                .constrain(constraint("leaves <= 2 ^ depth and leaves > 2 ^ (depth - 2)"))
                .constrain(constraint("rate * depth <= 1 or kind == 'wide'"))
                .constrain(constraint("width >= depth")),
        ),
        ("300 parameters", many),
    ]
}

fn constraint(text: &str) -> Constraint {
    text.parse().expect("written by hand")
}
