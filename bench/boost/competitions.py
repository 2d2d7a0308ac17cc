#!/usr/bin/env python3
"""medalist-boost beside LightGBM on real competitions, fold by fold.

    cargo build --release -p medalist-boost --examples
    python bench/boost/competitions.py [KAGGLE] [--only a,b] [--growths] [--trees 200] [--fit PROGRAM]

The six competitions of `competitions/` are always compared; KAGGLE is a folder with the training and test files of seven
Kaggle competitions, each in a folder named as on Kaggle (see KAGGLE_SETS). Needs numpy, scipy, scikit-learn and lightgbm.

Both engines get the same matrix: the columns that the test file has too, numbers as they are, dates as year, month,
weekday and hour, categories as whole numbers that both are told are categories, missing values as NaN. Ids and texts
(columns with a level on every third row or so) are left out. Both have the same parameters (PARAMS) and the
same rows: five folds, drawn anew for each of three seeds, stratified for classes, by groups where the competition is.

A line a set and metric: both means, the mean of the 15 paired differences (above 0: ours is better), its standard error
and p-value by the corrected resampled t test of Nadeau and Bengio (2003): folds share training rows, so that the
variance of a mean of J differences is taken for 1 / J + n_test / n_train of theirs, not 1 / J. A difference that is
significant at 5 % is marked: + where ours is better, - where it is worse. --growths adds our depth-wise and symmetric
trees (as many leaves; means alone).
"""

import argparse
import csv
import datetime
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

ROOT = Path(__file__).resolve().parents[2]

# Names that both engines know.
PARAMS = {"num_leaves": 31, "learning_rate": 0.05, "min_sum_hessian": 1e-3, "seed": 0}
MIN_ROWS = 20
GROWTHS = {"depth": {"growth": "depth"}, "symmetric": {"growth": "symmetric", "max_depth": 5}}
N_FOLDS, SEEDS = 5, (0, 1, 2)

# Target, task, and whether the metric is about logarithms.
KAGGLE_SETS = {
    "titanic": ("Survived", "binary", False),
    "house-prices-advanced-regression-techniques": ("SalePrice", "regression", True),
    "bike-sharing-demand": ("count", "regression", True),
    "spaceship-titanic": ("Transported", "binary", False),
    "playground-series-s3e26": ("Status", "multiclass", False),
    "playground-series-s3e5": ("quality", "regression", False),
    "nlp-getting-started": ("target", "binary", False),
}
KAGGLE_IDS = {"PassengerId", "Id", "id"}
MISSING = {"", "NA", "NaN", "nan"}


def numbers(cells):
    """A column as numbers; None where a cell is none."""
    try:
        return np.array([np.nan if cell in MISSING else float(cell) for cell in cells])
    except ValueError:
        return None


def dates(cells):
    """A column of dates as year, month, weekday and hour; None where a cell is none."""
    try:
        parsed = [datetime.datetime.fromisoformat(cell) for cell in cells]
    except ValueError:
        return None
    columns = np.array([[date.year, date.month, date.weekday(), date.hour] for date in parsed], dtype=float)
    return [column for column in columns.T if len(np.unique(column)) > 1]


def codes(cells):
    """A column of categories as whole numbers; None where it is a text."""
    filled = [cell for cell in cells if cell not in MISSING]
    levels = {level: code for code, level in enumerate(sorted(set(filled)))}
    if len(levels) > 0.3 * len(cells):
        return None
    return np.array([levels.get(cell, np.nan) for cell in cells])


def read(path):
    """A CSV file's columns by name, as texts."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        names = next(rows)
        return dict(zip(names, zip(*rows)))


class Set:
    """A competition's matrix, and who scores it how."""

    def __init__(self, name, folder, target, task, log=False, ids=(), group=None):
        self.name, self.task = name, task
        train, test = read(folder / "train.csv"), read(folder / "test.csv")
        columns, self.categorical, self.left_out = [], [], []
        for column, cells in train.items():
            if column in (target, group) or column in ids or column not in test:
                continue
            if (values := numbers(cells)) is not None:
                columns.append(values)
            elif (values := dates(cells)) is not None:
                columns.extend(values)
            elif (values := codes(cells)) is not None:
                self.categorical.append(len(columns))
                columns.append(values)
            else:
                self.left_out.append(column)
        self.X = np.column_stack(columns).astype(np.float32)
        self.groups = None if group is None else np.array(train[group])
        if task == "regression":
            y = np.array(train[target], dtype=float)
            self.y = (np.log1p(y) if log else y).astype(np.float32)
            self.n_classes = None
        else:
            levels, self.y = np.unique(train[target], return_inverse=True)
            self.n_classes = len(levels)

    def folds(self, seed):
        if self.groups is not None:
            return GroupKFold(N_FOLDS, shuffle=True, random_state=seed).split(self.X, self.y, self.groups)
        kind = KFold if self.task == "regression" else StratifiedKFold
        return kind(N_FOLDS, shuffle=True, random_state=seed).split(self.X, self.y)

    def scores(self, rows, predicted):
        """By metric; low is good for all but AUC."""
        y = self.y[rows]
        if self.task == "regression":
            return {"rmse": float(np.sqrt(np.mean((predicted - y) ** 2)))}
        scores = {"log_loss": log_loss(y, predicted, labels=range(self.n_classes))}
        if self.task == "binary":
            scores["auc"] = roc_auc_score(y, predicted)
        return scores


def bundled():
    for path in sorted((ROOT / "competitions").glob("*/competition.toml")):
        about = tomllib.loads(path.read_text())
        # Ordered classes are compared as values.
        task = "regression" if about["task"] == "ordinal" else about["task"]
        ids = {about["id"]} if about["folds"].get("time") != about["id"] else set()
        yield Set(path.parent.name, path.parent, about["target"], task, ids=ids, group=about["folds"].get("group"))


def kaggle(folder):
    for name, (target, task, log) in KAGGLE_SETS.items():
        if (Path(folder) / name / "train.csv").exists():
            yield Set(name, Path(folder) / name, target, task, log, KAGGLE_IDS)
        else:
            print(f"{name} is not in {folder}", file=sys.stderr)


def lightgbm(s, train, test, trees):
    import lightgbm as lgb

    objective = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}[s.task]
    params = dict(PARAMS, objective=objective, min_data_in_leaf=MIN_ROWS, num_threads=1, verbosity=-1)
    if s.task == "multiclass":
        params["num_class"] = s.n_classes
    data = lgb.Dataset(s.X[train], s.y[train], params=params, categorical_feature=s.categorical)
    return lgb.train(params, data, trees).predict(s.X[test])


def ours(s, train, test, trees, program, more):
    objective = {"binary": "logistic", "multiclass": "softmax", "regression": "squared"}[s.task]
    params = dict(PARAMS, n_estimators=trees, min_child_samples=MIN_ROWS, **more)
    about = {"objective": objective, "categorical": s.categorical, "params": params}
    if s.task == "multiclass":
        about["n_classes"] = s.n_classes
    order = np.concatenate([train, test])
    with tempfile.TemporaryDirectory() as folder:
        path = lambda end: Path(folder) / f"set.{end}"
        s.X[order].astype("<f4").tofile(path("X"))
        s.y[order].astype("<f4").tofile(path("y"))
        path("meta").write_text(f"{len(order)} {s.X.shape[1]} {len(train)}")
        path("json").write_text(json.dumps(about))
        subprocess.run([program, folder, "set"], check=True)
        predicted = np.fromfile(path("p"), "<f8").reshape(len(test), -1)
    return predicted if s.task == "multiclass" else predicted[:, 0]


def corrected_t(differences, share):
    """Mean, standard error and two-sided p-value; `share` is n_test / n_train."""
    mean, n = np.mean(differences), len(differences)
    error = np.sqrt((1 / n + share) * np.var(differences, ddof=1))
    if error == 0:
        return mean, error, float(mean == 0)
    return mean, error, 2 * stats.t.sf(abs(mean) / error, n - 1)


def compare(s, args):
    """Scores by engine and metric, one a fold and seed; prints the set's lines."""
    engines = {"lightgbm": lambda train, test: lightgbm(s, train, test, args.trees)}
    for name, more in ({"ours": {}} | (GROWTHS if args.growths else {})).items():
        engines[name] = lambda train, test, more=more: ours(s, train, test, args.trees, args.fit, more)
    scores, shares = {name: [] for name in engines}, []
    for seed in SEEDS:
        for train, test in s.folds(seed):
            shares.append(len(test) / len(train))
            for name, engine in engines.items():
                scores[name].append(s.scores(test, engine(train, test)))
    verdicts = []
    for metric in scores["ours"][0]:
        by = {name: np.array([score[metric] for score in all]) for name, all in scores.items()}
        sign = 1 if metric == "auc" else -1
        mean, error, p = corrected_t(sign * (by["ours"] - by["lightgbm"]), np.mean(shares))
        mark = ("+" if mean > 0 else "-") if p < 0.05 else " "
        cells = [s.name[:28], metric, *(f"{by[name].mean():.5f}" for name in ("ours", "lightgbm"))]
        cells += [f"{mean:+.5f}", f"{error:.5f}", f"{p:.3f}", mark]
        cells += [f"{by[name].mean():.5f}" for name in engines if name in GROWTHS]
        print("| " + " | ".join(cells) + " |", flush=True)
        verdicts.append(mark)
    return verdicts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kaggle", nargs="?", help="a folder with Kaggle's files")
    parser.add_argument("--only", help="names of sets, separated by commas")
    parser.add_argument("--growths", action="store_true", help="our depth-wise and symmetric trees, too")
    parser.add_argument("--trees", type=int, default=200)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--fit", default=target / "release" / "examples" / "fit", help="the example `fit`")
    args = parser.parse_args()
    if not Path(args.fit).exists():
        sys.exit(f"{args.fit} is not there: cargo build --release -p medalist-boost --examples")
    sets = list(bundled()) + (list(kaggle(args.kaggle)) if args.kaggle else [])
    if args.only:
        sets = [s for s in sets if s.name in args.only.split(",")]
    for s in sets:
        rows, columns = s.X.shape
        out = f"; left out: {', '.join(s.left_out)}" if s.left_out else ""
        print(f"{s.name}: {rows} rows, {columns} columns, {len(s.categorical)} of categories{out}", file=sys.stderr)
    heads = ["set", "metric", "ours", "LightGBM", "difference", "error", "p", ""] + list(GROWTHS if args.growths else [])
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    verdicts = [verdict for s in sets for verdict in compare(s, args)]
    print(f"\n{len(verdicts)} comparisons: ours significantly better in {verdicts.count('+')}, worse in {verdicts.count('-')}")


if __name__ == "__main__":
    main()
