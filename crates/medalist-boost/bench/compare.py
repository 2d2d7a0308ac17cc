#!/usr/bin/env python3
"""Compares the bench example with LightGBM and scikit-learn: compare.py DIR PROGRAM [--mode MODE] [--sets a,b] [--reps 5]

Engines alternate within one run, on one thread, with the same settings; one JSON line a set holds the medians of CPU
times, their ratio (the median of each repetition's), and the scores of both.

Modes: fit; cv (five folds against lightgbm.cv); forest (against scikit-learn's RandomForestClassifier); threads (wall
time on one and two threads); memory (peak resident memory).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SETTINGS = {
    "num_leaves": 31,
    "learning_rate": 0.05,
    "max_bin": 255,
    "min_data_in_leaf": 20,
    "min_sum_hessian_in_leaf": 1e-3,
    "num_threads": 1,
    "verbosity": -1,
    "metric": "None",
}
OBJECTIVES = {"logistic": "binary", "softmax": "multiclass", "squared": "regression"}


class Set:
    def __init__(self, folder, name):
        path = lambda end: Path(folder) / f"{name}.{end}"
        self.n, d, self.n_train = map(int, path("meta").read_text().split())
        self.X = np.fromfile(path("X"), "<f4").reshape(self.n, d)
        self.y = np.fromfile(path("y"), "<f4")
        self.w = np.fromfile(path("w"), "<f4") if path("w").exists() else None
        self.about = json.loads(path("json").read_text()) if path("json").exists() else {"objective": "logistic"}
        self.trees = 50 if self.about["objective"] == "softmax" else 300

    def params(self, **more):
        params = dict(SETTINGS, objective=OBJECTIVES[self.about["objective"]], **more)
        if "n_classes" in self.about:
            params["num_class"] = self.about["n_classes"]
        return params

    def dataset(self, rows, params, reference=None):
        import lightgbm as lgb

        weight = None if self.w is None else self.w[rows]
        categorical = self.about.get("categorical", "auto")
        return lgb.Dataset(
            self.X[rows], self.y[rows], weight=weight, params=params, categorical_feature=categorical,
            reference=reference,
        )


def auc(scores, y):
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(y, scores)


def log_loss(scores, y):
    return float(np.mean(np.logaddexp(0, -scores * (2 * y - 1))))


def lightgbm_fit(s, trees, more):
    import lightgbm as lgb

    params = s.params(**more)
    train, valid = slice(0, s.n_train), slice(s.n_train, s.n)
    data = s.dataset(train, params)
    start = time.process_time()
    data.construct()
    bin_s = time.process_time() - start
    held_out = s.dataset(valid, params, data).construct()
    start = time.process_time()
    # The held-out rows' scores are kept up to date, as ours are.
    model = lgb.train(params, data, trees, valid_sets=[held_out])
    spent = time.process_time() - start
    scores, y = model.predict(s.X[valid], raw_score=True), s.y[valid].astype(float)
    out = {"bin_s": bin_s, "ms_tree": spent * 1e3 / trees / s.about.get("n_classes", 1)}
    if s.about["objective"] == "softmax":
        p = np.exp(scores - scores.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        out["log_loss"] = float(-np.mean(np.log(p[np.arange(len(y)), y.astype(int)])))
        out["accuracy"] = float(np.mean(p.argmax(1) == y))
    elif s.about["objective"] == "squared":
        out["rmse"] = float(np.sqrt(np.mean((scores - y) ** 2)))
    else:
        out |= {"auc": auc(scores, y), "log_loss": log_loss(scores, y)}
    return out


def lightgbm_cv(s, trees):
    import lightgbm as lgb

    params = dict(s.params(), metric="binary_logloss")
    number = np.arange(s.n)
    folds = [(number[number % 5 != k], number[number % 5 == k]) for k in range(5)]
    data = s.dataset(slice(0, s.n), params)
    start = time.process_time()
    result = lgb.cv(params, data, trees, folds=folds)
    return {"cpu_s": time.process_time() - start, "log_loss": result["valid binary_logloss-mean"][-1]}


def sklearn_forest(s, trees):
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(n_estimators=trees, n_jobs=1, random_state=0)
    start = time.process_time()
    model.fit(s.X[: s.n_train], s.y[: s.n_train])
    spent = time.process_time() - start
    return {"cpu_s": spent, "auc": auc(model.predict_proba(s.X[s.n_train :])[:, 1], s.y[s.n_train :])}


def ours(args, name, trees, *options, threads=1):
    command = [args.program, args.folder, name, str(trees), "255", *options]
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


def peak_mb(command):
    """Peak resident memory of a program."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        sys.exit(f"{' '.join(command)} failed")
    return usage.ru_maxrss / 1024


def middle(runs):
    keys = [key for key, value in runs[0].items() if isinstance(value, (int, float))]
    return {key: round(statistics.median(run[key] for run in runs), 5) for key in keys}


def compare(args, name, key, our, their):
    mine, others = [], []
    for _ in range(args.reps):
        mine.append(our())
        others.append(their())
    ratios = lambda key: [m[key] / o[key] for m, o in zip(mine, others)]
    line = {"set": name, "mode": args.mode, "ratio": round(statistics.median(ratios(key)), 4)}
    line["ratios"] = [round(ratio, 3) for ratio in ratios(key)]
    if "bin_s" in mine[0] and "bin_s" in others[0]:
        line["bin_ratio"] = round(statistics.median(ratios("bin_s")), 4)
    print(json.dumps(line | {"ours": middle(mine), "other": middle(others)}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("program", help="the bench example, or `lightgbm` to run that once and leave")
    parser.add_argument("--mode", default="fit", choices=["fit", "cv", "forest", "threads", "memory"])
    parser.add_argument("--sets", help="separated by commas")
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--trees", type=int)
    parser.add_argument("--feature-fraction", type=float, default=1.0)
    parser.add_argument("--linear", action="store_true", help="linear leaves, in mode fit")
    args = parser.parse_args()
    usual = {"fit": "a,b,w,big,multi,reg,cat,onehot,weighted,million", "cv": "a", "forest": "forest"}
    for name in (args.sets or usual.get(args.mode, "big")).split(","):
        s = Set(args.folder, name) if args.mode in ("fit", "cv", "forest") else None
        trees = args.trees or (s.trees if s else 300)
        share = args.feature_fraction
        if args.program == "lightgbm":
            return lightgbm_fit(s, trees, {})
        if args.mode == "fit":
            options = ["--feature-fraction", str(share)] if share < 1 else []
            more = {"feature_fraction": share} if share < 1 else {}
            if args.linear:
                options, more = [*options, "--linear"], more | {"linear_tree": True}
            our, their = lambda: ours(args, name, trees, *options), lambda: lightgbm_fit(s, trees, more)
            compare(args, name, "ms_tree", our, their)
        elif args.mode == "cv":
            compare(args, name, "cpu_s", lambda: ours(args, name, trees, "--mode", "cv"), lambda: lightgbm_cv(s, trees))
        elif args.mode == "forest":
            trees = args.trees or 200
            our, their = lambda: ours(args, name, trees, "--mode", "forest"), lambda: sklearn_forest(s, trees)
            compare(args, name, "cpu_s", our, their)
        elif args.mode == "threads":
            # Two threads against one: a ratio of .59 is 1.7 times as fast.
            two, one = (lambda: ours(args, name, trees, threads=2)), (lambda: ours(args, name, trees))
            compare(args, name, "wall_ms_tree", two, one)
        else:
            our = [args.program, args.folder, name, "20", "255", "--shared-bins"]
            other = [sys.executable, __file__, args.folder, "lightgbm", "--sets", name, "--trees", "20"]
            run = lambda command: lambda: {"peak_mb": peak_mb(command)}
            compare(args, name, "peak_mb", run(our), run(other))


if __name__ == "__main__":
    main()
