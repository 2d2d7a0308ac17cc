#!/usr/bin/env python3
"""Makes the seeded benchmark sets: generate.py OUT [SEED] [NAME ..]

A set is NAME.X (f32, row-major), NAME.y (f32), NAME.meta ("n_rows n_features n_train"), and NAME.json with the
objective, the number of classes and the categorical columns; `weighted` has NAME.w (f32), too.
"""

import json
import sys
from pathlib import Path

import numpy as np


def numbers(rng, n, d):
    """Bell-shaped, uniform, whole and skewed columns in turn, a few of them with values missing."""
    X = rng.standard_normal((n, d))
    for j in range(d):
        if j % 4 == 1:
            X[:, j] = rng.random(n)
        elif j % 4 == 2:
            X[:, j] = rng.poisson(6.0, n)
        elif j % 4 == 3:
            X[:, j] = np.exp(X[:, j])
    return X


def signal(rng, X):
    """Waves, products and steps of the first half of the columns."""
    n, d = X.shape
    Z = (X - X.mean(0)) / X.std(0)
    used = max(3, d // 2)
    s = np.zeros(n)
    for k in range(2 * used):
        i, j = rng.integers(used, size=2)
        weight = rng.standard_normal()
        s += weight * [Z[:, i], np.sin(2 * Z[:, i]), Z[:, i] * Z[:, j], (Z[:, i] > 0.3) * Z[:, j]][k % 4]
    return s / s.std()


def gaps(rng, X, share=0.05):
    X[rng.random(X.shape) < share] = np.nan


def binary(rng, n, d, noise=0.8):
    X = numbers(rng, n, d)
    y = (signal(rng, X) + noise * rng.standard_normal(n) > 0).astype(float)
    gaps(rng, X)
    return X, y


def multi(rng):
    """26 classes of 16 whole numbers from 0 to 15, as in the letter-recognition data."""
    n, d, k = 20_000, 16, 26
    centres = rng.uniform(2, 13, size=(k, 3, d))
    y = rng.integers(k, size=n)
    spread = rng.uniform(1.2, 2.2, size=(k, 3, d))
    part = rng.integers(3, size=n)
    X = np.clip(np.round(centres[y, part] + spread[y, part] * rng.standard_normal((n, d))), 0, 15)
    return X, y, 15_000, {"objective": "softmax", "n_classes": k}


def reg(rng):
    X = numbers(rng, 50_000, 30)
    y = 10 * signal(rng, X) + 3 * rng.standard_normal(len(X))
    gaps(rng, X)
    return X, y, 40_000, {"objective": "squared"}


def cat(rng):
    """12 columns of numbers, 8 of categories with 3 to 200 levels, most of them rare."""
    n = 40_000
    X = numbers(rng, n, 12)
    s = signal(rng, X)
    codes = []
    for levels in [3, 5, 10, 20, 50, 100, 150, 200]:
        share = 1 / (1 + np.arange(levels)) ** 0.7
        code = rng.choice(levels, size=n, p=share / share.sum())
        s += 0.5 * rng.standard_normal(levels)[code]
        codes.append(code)
    y = (s + 0.8 * rng.standard_normal(n) > 0).astype(float)
    gaps(rng, X)
    X = np.column_stack([X] + codes)
    return X, y, 32_000, {"objective": "logistic", "categorical": list(range(12, 20))}


def onehot(rng):
    """10 columns of numbers, and 8 categories with 30 to 60 levels as a column of zeros and ones a level."""
    n = 62_500
    X = numbers(rng, n, 10)
    s = signal(rng, X)
    gaps(rng, X)
    blocks = [X]
    for levels in [30, 34, 38, 42, 47, 51, 56, 60]:
        share = 1 / (1 + np.arange(levels)) ** 0.5
        code = rng.choice(levels, size=n, p=share / share.sum())
        s += 0.5 * rng.standard_normal(levels)[code]
        blocks.append(code[:, None] == np.arange(levels))
    y = (s + 0.8 * rng.standard_normal(n) > 0).astype(float)
    return np.column_stack(blocks), y, 50_000, {"objective": "logistic"}


def weighted(rng):
    X, y = binary(rng, 50_000, 25)
    return X, y, 40_000, {"objective": "logistic", "weights": True}


def million(rng):
    X, y = binary(rng, 1_000_000, 30)
    return X, y, 900_000, {"objective": "logistic"}


def forest(rng):
    X, y = binary(rng, 50_000, 20)
    return X, y, 40_000, {"objective": "logistic"}


SETS = {f.__name__: f for f in [multi, reg, cat, onehot, weighted, million, forest]}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    names = sys.argv[3:] or list(SETS)
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        # Of the name, too: so that a set does not depend on which others are made.
        rng = np.random.default_rng([seed, *name.encode()])
        X, y, n_train, about = SETS[name](rng)
        X.astype("<f4").tofile(out / f"{name}.X")
        np.asarray(y).astype("<f4").tofile(out / f"{name}.y")
        if about.pop("weights", False):
            rng.exponential(size=len(y)).astype("<f4").tofile(out / f"{name}.w")
        (out / f"{name}.meta").write_text(f"{X.shape[0]} {X.shape[1]} {n_train}")
        (out / f"{name}.json").write_text(json.dumps(about))
        print(name, X.shape, n_train, about)


if __name__ == "__main__":
    main()
