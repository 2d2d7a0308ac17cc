//! The derives, used as a model's author would use them.

use medalist_derive::{ParamChoice, Tunable};
use medalist_search::{Params, SearchSpace, Tunable, Value};

#[derive(Clone, Copy, PartialEq, Debug, ParamChoice)]
#[tunable(crate = medalist_search)]
enum Kernel {
    Linear,
    Rbf,
    LaplaceL1,
}

#[derive(PartialEq, Debug, Tunable)]
#[tunable(crate = medalist_search)]
struct Model {
    /// L2 penalty,
    /// on all coefficients.
    #[param(1e-4..=1e4, log, default = 1.0, levels = [0.1, 1, 10.0])]
    alpha: f64,
    #[param(1..=50, log)]
    n_neighbors: usize,
    #[param(-5..=5, step = 5)]
    shift: i32,
    #[param(default = "rbf")]
    kernel: Kernel,
    #[param(1e-3..=1e3, log, when = "kernel in [rbf, laplace_l1]")]
    gamma: f64,
    #[param(choices = ["uniform", "distance"], when = "kernel == rbf", when = "n_neighbors == 7")]
    weights: String,
    #[param(default = true)]
    fit_intercept: bool,
    #[param(10..=300, levels = [10, 100, 300], staged, default = 100)]
    n_estimators: u64,
}

#[derive(Tunable)]
#[tunable(crate = medalist_search)]
struct Nothing;

#[test]
fn the_space_says_what_the_attributes_say() {
    let space = Model::space();
    space.validate().unwrap();
    assert_eq!(
        space.default_point().to_string(),
        "alpha=1 fit_intercept=true gamma=1 kernel=rbf n_estimators=100 n_neighbors=7 shift=0 weights=uniform"
    );
    let alpha = space.get("alpha").unwrap();
    assert_eq!(alpha.help, "L2 penalty, on all coefficients.");
    assert_eq!(alpha.domain.to_string(), "0.0001..10000 (log)");
    assert_eq!(alpha.levels, [Value::Float(0.1), Value::Float(1.0), Value::Float(10.0)]);
    assert_eq!(space.get("kernel").unwrap().domain.to_string(), "linear, rbf, laplace_l1");
    assert!(space.get("n_estimators").unwrap().staged);
    assert_eq!(Nothing::space(), SearchSpace::new());
}

#[test]
fn a_point_becomes_a_model() {
    let mut params = Model::space().default_point();
    params.insert("kernel", "laplace_l1");
    params.insert("alpha", 3);
    params.remove("weights");
    let model = Model::from_params(&params).unwrap();
    let expected = Model {
        alpha: 3.0,
        n_neighbors: 7,
        shift: 0,
        kernel: Kernel::LaplaceL1,
        gamma: 1.0,
        weights: "uniform".to_string(),
        fit_intercept: true,
        n_estimators: 100,
    };
    assert_eq!(model, expected);
}

#[track_caller]
fn check(params: Params, message: &str) {
    assert_eq!(Model::from_params(&params).unwrap_err().to_string(), message);
}

#[test]
fn a_wrong_point_is_refused_by_name() {
    check(Params::from([("alhpa", 1.0)]), "unknown parameter `alhpa`; did you mean `alpha`?");
    check(Params::from([("alpha", "x")]), "parameter `alpha`: `x` is not a number");
    check(Params::from([("kernel", "poly")]), "parameter `kernel`: `poly` is not one of linear, rbf, laplace_l1");
    check(
        Params::from([("n_neighbors", -1)]),
        "parameter `n_neighbors`: -1 is outside its range 0..18446744073709551615",
    );
}
