//! Linear leaves: written, read and trained as LightGBM does.

use medalist_boost::{Boosting, Objective, Params};
use serde_json::json;

use super::data::{INFINITE_ROW, bins_data};
use super::{case, check};

/// LightGBM's sums of linear leaves are infinite where a value is: so no row of these is.
///
/// A leaf under categories alone keeps its value, penalties included; LightGBM does so only where values are missing, else it fits a constant without penalties.
#[test]
fn linear_leaves_agree() {
    let linear = |objective| Params::new(objective).linear_tree(true).num_leaves(15);
    let squared = || linear(Objective::Squared);
    let by_hessian = |objective| linear(objective).min_child_samples(1).min_sum_hessian(8.0);
    let plain = || bins_data(1, 0.0, 0);
    let forest = || squared().boosting(Boosting::Rf).boost_from_average(false);
    let counts = || plain().with_labels(|value| value.abs().floor());
    let classes = || by_hessian(Objective::Softmax { n_classes: 3 });
    let mut cases = vec![
        case("linear", plain(), squared()),
        case("linear of depth 2", plain(), squared().max_depth(2)).told(json!({ "max_depth": 2 })),
        case("linear at 0", plain(), squared().boost_from_average(false)),
        case("linear lambda", plain(), squared().linear_lambda(50.0)),
        case("linear L1 and L2", plain(), squared().num_leaves(8).lambda_l1(5.0).lambda_l2(5.0)),
        case("linear binary", plain().binary(), by_hessian(Objective::Logistic).linear_lambda(1.0)),
        case("linear weights", plain().weighted(), squared()),
        case("linear missing", bins_data(2, 0.1, 0), squared()),
        case("linear categories", bins_data(3, 0.0, 40), squared().min_data_per_group(20).cat_l2(0.0)),
        case("linear missing categories", bins_data(3, 0.1, 40), squared().min_data_per_group(20)),
        case("linear one-hot", bins_data(4, 0.0, 3), squared()),
        case("linear all", bins_data(5, 0.1, 12), squared().linear_lambda(0.1)),
        case("linear smooth", plain(), squared().path_smooth(10.0)),
        case("linear forest", plain(), forest()).told(json!({ "feature_fraction": 0.99 })).first_stage(),
        case("linear counts", counts(), by_hessian(Objective::Poisson)),
        case("linear huber", plain(), by_hessian(Objective::Huber { alpha: 0.5 })),
        case("linear classes", plain().classes(), classes()),
        case(
            "linear dart",
            plain(),
            squared().boosting(Boosting::Dart).drop_rate(1.0).skip_drop(0.0).boost_from_average(false),
        )
        .told(json!({ "uniform_drop": true })),
    ];
    for case in &mut cases {
        case.data.probe.iter_mut().for_each(|column| column[INFINITE_ROW] = 2.0);
        case.infinite = false;
    }
    check(&cases);
}
