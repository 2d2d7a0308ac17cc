//! What expressions come to, and what is refused.

use super::*;
use crate::space::Parameter;

fn space() -> SearchSpace {
    SearchSpace::new()
        .with(Parameter::int("max_depth", 1, 12))
        .with(Parameter::int("num_leaves", 2, 4096).log().default(2))
        .with(Parameter::float("learning-rate", 0.0, 1.0))
        .with(Parameter::choice("kernel", ["rbf", "poly"]))
        .with(Parameter::bool("fast"))
        .with(Parameter::int("degree", 2, 5).when("kernel", ["poly"]))
        .with(Parameter::choice("odd", [crate::space::Value::from(1), "x".into()]))
}

fn point() -> Params {
    let mut params = Params::new();
    params.insert("max_depth", 3);
    params.insert("num_leaves", 8);
    params.insert("learning-rate", 0.25);
    params.insert("kernel", "rbf");
    params.insert("fast", true);
    params
}

#[track_caller]
fn check(text: &str, expected: bool) {
    let constraint: Constraint = text.parse().unwrap();
    constraint.check(&space()).unwrap();
    assert_eq!(constraint.holds(&point()), expected, "{text}");
    let again: Constraint = constraint.expression.to_string().parse().unwrap();
    assert_eq!(again.expression, constraint.expression, "{text} as {again}");
}

#[test]
fn expressions_come_to_what_arithmetic_says() {
    check("num_leaves <= 2 ^ max_depth", true);
    check("num_leaves < 2 ^ max_depth", false);
    check("2 ^ 3 ^ 2 == 512 and -2 ^ 2 == -4 and 8 / 4 / 2 == 1 and 7 - 2 - 1 == 4", true);
    check("1 + 2 * 3 == 7 and (1 + 2) * 3 == 9", true);
    check("`learning-rate` * 4 >= 1 and `learning-rate` < 1e-1 + .2", true);
    check("kernel == 'rbf' and kernel != \"poly\"", true);
    check("not fast or max_depth > 3", false);
    check("not max_depth > 3", true);
    check("fast == true", true);
    check("log(exp(2)) > 1.99 and sqrt(abs(-4)) == 2 and min(3, max_depth, 9) == max(1, 3)", true);
    check("0 / 0 == 0 / 0 or 0 / 0 <= 1", false);
}

#[test]
fn what_has_no_effect_is_not_constrained() {
    check("degree == 17", true);
    check("fast and degree > 5", true);
    check("not fast and degree > 5", false);
    check("degree > 5 and not fast", false);
    check("fast or degree > 5", true);
    check("not (not fast or degree > 5)", true);
}

#[track_caller]
fn check_refused(text: &str, words: &str) {
    let refused = text.parse::<Constraint>().and_then(|constraint| constraint.check(&space()));
    let message = refused.unwrap_err().to_string();
    assert!(message.contains(words), "{text}: {message}");
}

#[test]
fn faults_are_named_with_their_place() {
    check_refused("max_depth <=", "ends where a parameter, a number or a text is expected");
    check_refused("max_depth ~ 3", "has `~ 3` at character 11 where an operator is expected");
    check_refused("(max_depth < 3", "ends where `)` is expected");
    check_refused("1 < max_depth < 3", "join comparisons by `and`");
    check_refused("max_depht < 3", "did you mean `max_depth`?");
    check_refused("max_depth + 1", "is a number: compare it with something");
    check_refused("kernel < 3", "has a text where a number is wanted: `kernel`");
    check_refused("kernel == 3", "has a number where a text is wanted: 3");
    check_refused("fast and 1", "has a number where true or false is wanted: 1");
    check_refused("odd == 1", "whose choices are of several types");
    check_refused("kernel == 'rbf", "that is never closed");
    check_refused("log(1, 2) > 0", "gives `log` 2 values, not 1");
    check_refused("min(1) > 0", "gives `min` one value");
    check_refused("max_depth < srqt(9)", "did you mean `sqrt`?");
    check_refused("exp() > 0", "gives `exp` 0 values, not 1");
    check_refused(&format!("1 < max({}1)", "1, ".repeat(5000)), "more than 100 values");
    check_refused("1.2.3 > 0", "a number is expected");
    check_refused(&"(".repeat(5000), "nested more than 100 deep");
    check_refused(&format!("1 < {}1", "-".repeat(5000)), "nested more than 100 deep");
    check_refused(&format!("1 < {}1", "1+".repeat(5000)), "more than 100 operators");
    let nested = (0..90).fold("1".to_string(), |inner, _| format!("({inner}){}", "+1".repeat(90)));
    check_refused(&format!("1 < {nested}"), "more than 500 parts");
}

#[test]
fn branches_keep_their_constraints_under_their_own_names() {
    let own = SearchSpace::new()
        .with(Parameter::int("a", 0, 9))
        .with(Parameter::int("b", 0, 9))
        .constrain("a + 2 * b <= 10 and not a == 7".parse().unwrap());
    let space = SearchSpace::branches("model", vec![("m".to_string(), own), ("n".to_string(), SearchSpace::new())]);
    space.validate().unwrap();
    let point = |model: &str, numbers: &[(&str, i64)]| {
        let mut params = Params::new();
        params.insert("model", model);
        numbers.iter().for_each(|(name, value)| drop(params.insert(*name, *value)));
        space.check(&params)
    };
    point("m", &[("m.a", 4), ("m.b", 3)]).unwrap();
    point("n", &[]).unwrap();
    let refused = point("m", &[("m.a", 5), ("m.b", 3)]).unwrap_err().to_string();
    assert!(refused.contains("`m.a`"), "{refused}");
}

#[test]
fn a_stored_constraint_reads_back() {
    let space = space().constrain("num_leaves <= 2 ^ max_depth".parse().unwrap());
    let text = serde_json::to_string(&space).unwrap();
    assert!(text.contains("\"constraints\":[\"num_leaves <= 2 ^ max_depth\"]"), "{text}");
    assert_eq!(serde_json::from_str::<SearchSpace>(&text).unwrap(), space);
    assert!(serde_json::from_str::<SearchSpace>(&text.replace("<=", "<=<")).is_err());
}
