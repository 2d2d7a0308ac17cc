"""The real LightGBM's side of tests/it/lightgbm.rs: `check_lightgbm.py FOLDER`.

Reads FOLDER/cases.json, a list of cases; writes FOLDER/results.json, one result a case:
- "text": the model that LightGBM trains on the case's rows, in its text format;
- "stages": raw scores of the training rows after each of the case's numbers of trees, (n_rows * n_scores,);
- "theirs" and "ours": what LightGBM says of the probe rows by its own model and by the text of ours.
"""

import json
import sys
from pathlib import Path

import lightgbm
import numpy as np


def table(columns):
    """(n_rows, n_features); missing values are null in the file."""
    return np.array(columns, dtype=np.float64).T.copy()


def listed(numbers):
    """A flat list; null where a number is not finite."""
    return [number if np.isfinite(number) else None for number in np.asarray(numbers).ravel().tolist()]


def said(booster, rows):
    """Raw scores, predictions and contributions, each flat and row-major."""
    result = {"raw": listed(booster.predict(rows, raw_score=True)), "predicted": listed(booster.predict(rows))}
    try:
        result["contributions"] = listed(booster.predict(rows, pred_contrib=True))
    except lightgbm.basic.LightGBMError as error:
        assert "not implemented for linear trees" in str(error)
    return result


def run(case):
    rows, probe = table(case["columns"]), table(case["probe"])
    # JSON cannot say it.
    if case["infinite"] is not None:
        probe[case["infinite"]] = np.inf
    data = lightgbm.Dataset(
        rows,
        np.array(case["labels"]),
        weight=case["weights"],
        group=case["groups"],
        categorical_feature=case["categorical"],
        params=case["params"],
        free_raw_data=False,
    )
    booster = lightgbm.train(case["params"], data, num_boost_round=case["n_trees"])
    stages = [listed(booster.predict(rows, raw_score=True, num_iteration=n)) for n in case["stages"]]
    result = {"text": booster.model_to_string(), "stages": stages, "theirs": said(booster, probe)}
    if case["ours"] is not None:
        ours = lightgbm.Booster(model_str=case["ours"])
        result["ours"] = said(ours, probe)
        # What LightGBM writes again is what it read.
        again = lightgbm.Booster(model_str=ours.model_to_string())
        assert np.array_equal(again.predict(probe, raw_score=True), ours.predict(probe, raw_score=True))
    return result


folder = Path(sys.argv[1])
cases = json.loads((folder / "cases.json").read_text())
(folder / "results.json").write_text(json.dumps([run(case) for case in cases]))
