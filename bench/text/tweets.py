#!/usr/bin/env python3
"""TF-IDF and logistic regression of the disaster tweets, beside scikit-learn on the same folds.

usage: tweets.py MEDALIST TRAIN.csv [REPEATS]

MEDALIST is the program, TRAIN.csv Kaggle's file of `nlp-getting-started`. Prints the F1 over five folds and the CPU time of each: for Medalist that of the whole process (reading the file, folds, the study's store), for scikit-learn that of reading the file and of the cross-validation, without its imports.
"""

import csv
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

SETTINGS = "--search grid --folds 5 --jobs 1 --models sparse_logistic --set sparse_logistic.c=1 --set prep.text_stats=false"
# The settings of both.
CASES = {
    "defaults of scikit-learn": ({}, "--set prep.sublinear=false --set prep.min_df=1 --set prep.bigrams=false"),
    "sublinear, min_df 2": (
        {"sublinear_tf": True, "min_df": 2},
        "--set prep.sublinear=true --set prep.min_df=2 --set prep.bigrams=false",
    ),
    "bigrams": ({"ngram_range": (1, 2)}, "--set prep.sublinear=false --set prep.min_df=1 --set prep.bigrams=true"),
}


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def medalist(program, workspace, *arguments):
    before = children()
    ran = subprocess.run([program, *arguments], cwd=workspace, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(ran.stderr)
    return ran.stdout, children() - before


def scikit_learn(train, folds, settings):
    before = time.process_time()
    data = pd.read_csv(train)
    scores = []
    for fold in range(folds.max() + 1):
        inside, outside = folds != fold, folds == fold
        model = make_pipeline(TfidfVectorizer(**settings), LogisticRegression(max_iter=1000))
        model.fit(data.text[inside], data.target[inside])
        scores.append(f1_score(data.target[outside], model.predict(data.text[outside])))
    return statistics.mean(scores), time.process_time() - before


def main():
    program, train = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    workspace = tempfile.mkdtemp()
    os.makedirs(os.path.join(workspace, "competitions"))
    columns = ("--id", "id", "--target", "target", "--drop", "keyword,location", "--type", "text=text", "--metric", "f1")
    medalist(program, workspace, "new", "competition", "tweets", "--train", train, *columns)
    listing, _ = medalist(program, workspace, "folds", "tweets", "--output", "csv")
    folds = np.array([int(row["fold"]) for row in csv.DictReader(listing.splitlines())])
    # Numbers from 0 on.
    folds -= folds.min()
    for case, (settings, flags) in CASES.items():
        ours, theirs, ratios = [], [], []
        for repeat in range(repeats):
            name = f"{case.split()[0].strip(',')}-{repeat}"
            flags_of_run = (SETTINGS + " " + flags).split() + ["--study", name]
            _, our_time = medalist(program, workspace, "sweep", "tweets", *flags_of_run)
            their_score, their_time = scikit_learn(train, folds, settings)
            ours.append(our_time)
            theirs.append(their_time)
            ratios.append(our_time / their_time)
        trials, _ = medalist(program, workspace, "trials", name, "--output", "csv")
        our_score = float(next(csv.DictReader(trials.splitlines()))["score"])
        print(f"{case:26} F1 {our_score:.4f} | {their_score:.4f}   CPU s {statistics.median(ours):.2f} | "
              f"{statistics.median(theirs):.2f}   ratio {statistics.median(ratios):.2f}")
    shutil.rmtree(workspace)


if __name__ == "__main__":
    main()
