//! Search spaces: conditions, checks, the unit interval.

use medalist_search::*;
use proptest::prelude::*;

use crate::support::domains;

fn svm() -> SearchSpace {
    SearchSpace::new()
        .with(Parameter::choice("kernel", ["linear", "rbf", "poly"]))
        .with(Parameter::float("gamma", 1e-3, 1e3).log().when("kernel", ["rbf", "poly"]))
        .with(Parameter::int("degree", 2, 5).when("kernel", ["poly"]))
        .with(Parameter::float("coef", 0.0, 1.0).when("degree", [3, 4]))
}

fn space() -> SearchSpace {
    SearchSpace::branches("model", vec![("mean".into(), SearchSpace::new()), ("svm".into(), svm())])
}

#[test]
fn conditions_hold_to_any_depth() {
    let space = space();
    space.validate().unwrap();
    assert_eq!(space.default_point().to_string(), "model=mean");
    let complete = |pairs: &[(&str, Value)]| {
        space.complete(&pairs.iter().map(|(name, value)| (*name, value.clone())).collect()).unwrap().to_string()
    };
    assert_eq!(complete(&[("model", "svm".into())]), "model=svm svm.kernel=linear");
    let poly = [("model", "svm".into()), ("svm.kernel", "poly".into()), ("svm.degree", Value::Float(3.0))];
    assert_eq!(complete(&poly), "model=svm svm.coef=0.5 svm.degree=3 svm.gamma=1 svm.kernel=poly");
    let coef = space.get("svm.coef").unwrap();
    let mut params =
        Params::from([("model", "svm".into()), ("svm.kernel", "linear".into()), ("svm.degree", Value::Int(3))]);
    assert!(!space.is_active(coef, &params), "its parent is not active");
    params.insert("svm.kernel", "poly");
    assert!(space.is_active(coef, &params));
}

#[track_caller]
fn check_fault(pairs: &[(&str, Value)], message: &str) {
    let params: Params = pairs.iter().map(|(name, value)| (*name, value.clone())).collect();
    assert_eq!(svm().check(&params).unwrap_err().to_string(), message);
}

#[test]
fn a_wrong_point_is_refused_by_name() {
    let kernel = |name: &str| ("kernel", Value::from(name));
    check_fault(&[], "parameter `kernel` is missing: add `kernel=...`");
    check_fault(&[kernel("rfb")], "parameter `kernel`: rfb is outside its range linear, rbf, poly");
    check_fault(&[kernel("rbf")], "parameter `gamma` is missing: add `gamma=...`");
    check_fault(&[kernel("rbf"), ("gamma", "x".into())], "parameter `gamma`: `x` is not a number");
    check_fault(&[kernel("rbf"), ("gamma", 0.0.into())], "parameter `gamma`: 0 is outside its range 0.001..1000 (log)");
    check_fault(
        &[kernel("rbf"), ("gamma", f64::NAN.into())],
        "parameter `gamma`: NaN is outside its range 0.001..1000 (log)",
    );
    check_fault(
        &[kernel("linear"), ("gamma", 1.0.into())],
        "parameter `gamma` has no effect here: it needs kernel = rbf or poly; leave it out",
    );
    check_fault(&[kernel("linear"), ("gama", 1.0.into())], "unknown parameter `gama`; did you mean `gamma`?");
}

#[track_caller]
fn check_unsound(parameter: Parameter, message: &str) {
    let error = SearchSpace::new().with(Parameter::bool("b")).with(parameter).validate().unwrap_err();
    assert_eq!(error.to_string(), format!("search space: parameter {message}"));
}

#[test]
fn an_unsound_space_says_what_is_wrong() {
    check_unsound(Parameter::bool("b"), "`b` is declared twice");
    check_unsound(Parameter::float("x", 2.0, 1.0), "`x` has an empty range 2..1");
    check_unsound(Parameter::float("x", 0.0, 1.0).log(), "`x` is logarithmic from 0: begin above 0");
    check_unsound(Parameter::float("x", 0.0, f64::INFINITY), "`x` ranges over 0..inf, which is not finite");
    check_unsound(Parameter::int("k", 1, 2).default(5), "`k` has a default or level 5 outside its range 1..2");
    check_unsound(Parameter::int("k", 1, 2).when("c", [1]), "`k` depends on `c`, which is not an earlier parameter");
    check_unsound(Parameter::int("k", 1, 2).staged(), "`k` is staged without levels: list its stages");
    check_unsound(Parameter::choice("c", ["a", "a"]), "`c` has the choice `a` twice");
}

#[test]
fn plans_survive_json_and_name_their_differences() {
    let study = StudySpec { space: space(), ..StudySpec::new("s", Direction::Minimize) };
    let text = serde_json::to_string(&study).unwrap();
    let read: StudySpec = serde_json::from_str(&text).unwrap();
    assert_eq!((read.identity(), &read), (study.identity(), &study));
    let mut other = StudySpec { seed: 3, ..study.clone() };
    let range = Restriction::Range { low: 1.0, high: 10.0 };
    other.space.restrict("svm.gamma", range).unwrap();
    assert_ne!(other.identity(), study.identity());
    assert_eq!(
        study.difference(&other),
        [
            "seed: 0 against 3",
            "space.parameters.svm.gamma.domain.high: 1000.0 against 10.0",
            "space.parameters.svm.gamma.domain.low: 0.001 against 1.0"
        ]
    );
}

proptest! {
    #[test]
    fn a_value_comes_back_from_the_unit_interval(domain in domains(), unit in 0.0..=1.0f64) {
        let value = domain.from_unit(unit);
        prop_assert!(domain.contains(&value), "{value} in {domain}");
        let back = domain.from_unit(domain.to_unit(&value).unwrap());
        match domain {
            Domain::Float { step: None, .. } => {
                let (value, back) = (value.as_f64().unwrap(), back.as_f64().unwrap());
                prop_assert!((value - back).abs() <= 1e-9 * (1.0 + value.abs()));
            }
            _ => prop_assert_eq!(value, back),
        }
    }

    #[test]
    fn a_spread_lies_inside_and_ascends(domain in domains(), n in 1..30usize) {
        let values = domain.spread(n);
        prop_assert!(!values.is_empty());
        for value in &values {
            prop_assert!(domain.contains(value), "{value} in {domain}");
        }
        prop_assert!(values.windows(2).all(|pair| pair[0].as_f64() < pair[1].as_f64()));
    }

    #[test]
    fn what_a_value_prints_reads_back_the_same(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
        let text = Value::Float(value).to_string();
        prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
    }

    #[test]
    fn any_text_is_a_restriction_or_an_error(text in "\\PC{0,12}", numbers in "[-0-9.,e=]{0,12}") {
        for parameter in [Parameter::float("x", -9.0, 9.0), Parameter::int("k", 1, 9).log(), Parameter::bool("b"), Parameter::int("s", 0, 9).step(3.0)] {
            for text in [&text, &numbers] {
                if let Ok(restriction) = Restriction::parse(&parameter, text) {
                    let mut space = SearchSpace::new().with(parameter.clone());
                    if space.restrict(&parameter.name, restriction).is_ok() {
                        prop_assert_eq!(space.validate(), Ok(()));
                    }
                }
            }
        }
    }
}
