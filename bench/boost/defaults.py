#!/usr/bin/env python3
"""Chooses defaults and ranges for the tree models on data sets of our own.

    cargo build --release
    python bench/boost/defaults.py target/release/medalist [--models gbdt,gbdt_depth] [--trials 60] [--sets 16] [--seed 0] [--points FILE]

Draws seeded data sets (see `draw`), makes each a competition, and sweeps every model over the same random points, the
default first, on three folds. A point's regret on a data set is its score's distance from the best point's, in units of
the distance of the median point; above 2 it counts as 2. Printed per model: the mean regret of the default and of
the best points over all sets, and where the best quarter of each set's points lies in each parameter (10 %, median,
90 %). Points of a file (as of `sweep --enqueue`) are tried too, before the default. No competition's data is used.
Needs numpy.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

MODELS = ["gbdt", "gbdt_depth", "gbdt_symmetric", "random_forest", "extra_trees"]
TASKS = ["binary", "regression", "binary", "regression", "multiclass"]
METRICS = {"binary": "log_loss", "regression": "rmse", "multiclass": "log_loss"}


def draw(number, seed):
    """Columns by name, target and task: smooth and stepped effects, interactions, categories, gaps, noise."""
    rng = np.random.default_rng([seed, number])
    task = TASKS[number % len(TASKS)]
    n = int(rng.choice([400, 800, 1500, 3000, 5000]))
    n_numbers, n_categories = int(rng.integers(4, 25)), int(rng.integers(0, 6))
    numbers = rng.normal(size=(n, n_numbers))
    # Neighbouring columns are correlated, some are skewed, some whole.
    numbers[:, 1::3] = 0.7 * numbers[:, 0::3][:, : numbers[:, 1::3].shape[1]] + 0.7 * numbers[:, 1::3]
    for j in range(2, n_numbers, 5):
        numbers[:, j] = np.exp(numbers[:, j])
    for j in range(4, n_numbers, 5):
        numbers[:, j] = np.round(2 * numbers[:, j])
    codes = [rng.integers(0, int(rng.choice([3, 8, 30, 100])), size=n) for _ in range(n_categories)]

    def effect():
        kind = rng.integers(0, 5)
        j, k = rng.integers(0, n_numbers, size=2)
        x, z = numbers[:, j], numbers[:, k]
        x, z = (x - x.mean()) / x.std(), (z - z.mean()) / z.std()
        if kind == 0:
            return x
        if kind == 1:
            return np.where(x > rng.normal(), 1.0, -1.0)
        if kind == 2:
            return np.sin(rng.uniform(1, 3) * x)
        if kind == 3:
            return x * z
        return np.where((x > 0) == (z > 0.5), 1.0, -0.5)

    signal = sum(rng.exponential() * effect() for _ in range(int(rng.integers(3, 13))))
    for code in codes:
        levels = rng.normal(size=code.max() + 1)
        signal = signal + rng.exponential() * levels[code]
    signal = (signal - signal.mean()) / signal.std()
    noise = rng.choice([0.2, 0.5, 1.0, 2.0])
    if task == "regression":
        y = signal + noise * rng.standard_t(5, size=n)
    elif task == "binary":
        shift = rng.choice([0.0, 1.0])
        y = (rng.uniform(size=n) < 1 / (1 + np.exp(-(2 * signal / noise - shift)))).astype(int)
    else:
        y = np.digitize(signal + noise * rng.normal(size=n), np.quantile(signal, [0.25, 0.5, 0.8]))
        y = np.array(["a", "b", "c", "d"])[y]
    columns = {}
    for j in range(n_numbers):
        values = numbers[:, j].copy()
        if rng.uniform() < 0.3:
            values[rng.uniform(size=n) < rng.uniform(0.02, 0.3)] = np.nan
        columns[f"x{j}"] = ["" if np.isnan(value) else f"{value:.6g}" for value in values]
    for j, code in enumerate(codes):
        columns[f"c{j}"] = [f"l{value}" for value in code]
    return columns, y, task


def competition(workspace, medalist, number, seed):
    columns, y, task = draw(number, seed)
    slug, folder = f"set-{number}", workspace / f"files-{number}"
    folder.mkdir()
    header = ["id", *columns]
    rows = list(zip(range(len(y)), *columns.values()))
    with open(folder / "train.csv", "w") as file:
        file.write(",".join([*header, "y"]) + "\n")
        file.writelines(",".join(map(str, [*row, target])) + "\n" for row, target in zip(rows, y))
    with open(folder / "test.csv", "w") as file:
        file.write(",".join(header) + "\n")
        file.writelines(",".join(map(str, row)) + "\n" for row in rows[:50])
    run(medalist, workspace, "new", "competition", slug, "--train", folder / "train.csv", "--test", folder / "test.csv",
        "--target", "y", "--id", "id", "--metric", METRICS[task])
    return slug


def run(medalist, workspace, *arguments):
    command = [medalist, "--workspace", workspace, *arguments]
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{ran.stderr}")
    return ran.stdout


def scores(medalist, workspace, slug, model, trials, points):
    """Mean score by point, low is good."""
    study = f"{slug}-{model}"
    more = ["--enqueue", points] if points else []
    run(medalist, workspace, "sweep", slug, *more, "--models", model, "--search", "random", "--trials", trials, "--folds", 3,
        "--looks", 1, "--seed", 1, "--study", study, "--no-submission", "--jobs", os.cpu_count() or 1)
    found = {}
    for trial in json.loads(run(medalist, workspace, "trials", study, "--output", "json")):
        params = {name: value for name, value in trial["params"].items() if not name.endswith(".n_estimators")}
        if trial["score"] is not None:
            found[json.dumps(params, sort_keys=True)] = trial["score"]
    return found


def default(medalist, model):
    """The model's default point."""
    listed = json.loads(subprocess.run([medalist, "models", model, "--output", "json"], capture_output=True).stdout)
    own = [row for row in listed if row["parameter"].startswith(model + ".") and not row["staged"]]
    return {"model": model, **{row["parameter"]: row["default"] for row in own}}


def report(model, by_set, default):
    points = [point for point in by_set[0] if all(point in found for found in by_set)]
    own = [json.loads(point) == default for point in points].index(True)
    table = np.array([[found[point] for point in points] for found in by_set])
    best, median = table.min(axis=1, keepdims=True), np.median(table, axis=1, keepdims=True)
    regret = np.minimum((table - best) / (median - best + 1e-12), 2.0)
    mean = regret.mean(axis=0)
    order = np.argsort(mean)
    print(f"\n{model}: {len(points)} points on {len(by_set)} sets; mean regret of the default {mean[own]:.3f}"
          f" (rank {int(np.sum(mean < mean[own])) + 1}), of the median point {np.median(mean):.3f}")
    for at in order[:5]:
        print(f"  {mean[at]:.3f} +- {regret[:, at].std() / len(by_set) ** 0.5:.3f}  {points[at]}")
    parsed = [json.loads(point) for point in points]
    good = [at for row in regret for at in np.argsort(row)[: max(len(points) // 4, 1)]]
    for name in sorted(parsed[0]):
        values = [parsed[at].get(name) for at in good]
        if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
            low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
            print(f"  {name}: good from {low:.4g} to {high:.4g}, median {middle:.4g}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("medalist")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--sets", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--points", type=Path)
    arguments = parser.parse_args()
    medalist = Path(arguments.medalist).resolve()
    points = arguments.points and arguments.points.resolve()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        (workspace / "competitions").mkdir()
        (workspace / "submissions").mkdir()
        slugs = [competition(workspace, medalist, number, arguments.seed) for number in range(arguments.sets)]
        for model in arguments.models.split(","):
            by_set = [scores(medalist, workspace, slug, model, arguments.trials, points) for slug in slugs]
            report(model, by_set, default(medalist, model))


if __name__ == "__main__":
    main()
