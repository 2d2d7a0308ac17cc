"""Writes more_vectors.json: golden values of what metric_vectors.json has no case for. Needs numpy, scipy and scikit-learn."""

import json
import pathlib

import numpy as np
import sklearn
from scipy import stats
from sklearn import metrics as m
from sklearn.preprocessing import MultiLabelBinarizer

rng = np.random.default_rng(11)
n = 30
y = np.round(rng.uniform(1, 9, n), 3)
p = np.round(y + rng.normal(0, 1, n), 3)
w = np.round(rng.uniform(0.1, 3, n), 3)
binary = rng.integers(0, 2, n)
scores = np.round(np.clip(binary * 0.3 + rng.uniform(0, 0.7, n), 0.01, 0.99), 1)
guessed = (scores > 0.5).astype(int)
classes = rng.integers(0, 4, n)
probabilities = rng.dirichlet(np.ones(4), n)
labels = np.where(rng.uniform(size=n) < 0.7, classes, rng.integers(0, 4, n))
sigma = np.round(rng.uniform(0.2, 2, n), 3)
sets = [["a", "b"], ["b"], ["c", "a", "d"], ["d"], ["a", "c"]]
guesses = [["b", "a"], ["a"], ["a", "d", "d", "b"], [], ["a", "c", "b"]]

cases = []


def case(metric, y, p, value, note="", **more):
    plain = lambda x: x.tolist() if isinstance(x, np.ndarray) else x
    more = {key: plain(x) for key, x in more.items()}
    cases.append({"metric": metric, "y": plain(y), "p": plain(p), "value": None if value is None else float(value), "note": note, **more})


def kaggle_gini(actual, predicted):
    order = np.lexsort((np.arange(len(actual)), -predicted))
    cumulated = np.cumsum(actual[order]) / actual.sum()
    return (cumulated.sum() - (len(actual) + 1) / 2) / len(actual)


case("rmspe", y, p, np.sqrt(np.mean(((y - p) / y) ** 2)))
case("rmspe", [0, 2, 4], [1, 1, 4], np.sqrt(0.25 / 2), "the row with y = 0 is left out")
case("rmspe", [0, 0], [1, 1], None, "no row is left")
case("crps", y, p, np.mean(sigma * ((z := (y - p) / sigma) * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))), sigma=sigma)
scale, error = np.maximum(100 * sigma, 70), np.minimum(np.abs(300 * (y - p)), 1000)
case("laplace_log_likelihood", 300 * y, 300 * p, np.mean(-np.sqrt(2) * error / scale - np.log(np.sqrt(2) * scale)), "OSIC's floor and cap", sigma=100 * sigma)
case("laplace_log_likelihood", [1.0], [1.0], None, "a sigma of 0", sigma=[0.0])
binarizer = MultiLabelBinarizer().fit(sets)
true, predicted = binarizer.transform(sets), binarizer.transform(guesses)
case("mean_f1", sets, guesses, m.f1_score(true, predicted, average="samples", zero_division=0))
case("mean_f1", [[], ["a"]], [[], []], 0.5, "both sets empty: 1, unless a setting says otherwise")
case("mean_f1", [[], ["a"]], [[], []], m.f1_score(np.array([[0, 0], [1, 0]]), np.array([[0, 0], [0, 0]]), average="samples", zero_division=0), settings={"empty": 0})
case("jaccard", sets, guesses, m.jaccard_score(true, predicted, average="samples", zero_division=0))
case("hamming_loss", sets, guesses, m.hamming_loss(true, predicted), "sets", settings={"n_labels": 4})
case("levenshtein", ["kitten", "a b", ""], ["sitting", "b a", "ab"], (3 + 2 + 2) / 3)
case("levenshtein", ["the cat sat", "a"], ["the dog sat down", "a"], 1.0, "words", settings={"unit": "word"})
case("normalized_gini", y, p, kaggle_gini(y, p) / kaggle_gini(y, y), "values, by Kaggle's code; no ties")
case("mcc", classes, labels, m.matthews_corrcoef(classes, labels), "several classes")
case("mcc", classes, labels, m.matthews_corrcoef(classes, labels, sample_weight=w), "weighted", w=w)
case("mcc", binary, guessed, m.matthews_corrcoef(binary, guessed, sample_weight=w), "weighted", w=w)
case("cohen_kappa", classes, labels, m.cohen_kappa_score(classes, labels, sample_weight=w), "weighted", w=w)
case("cohen_kappa", [1, 1], [1, 1], None, "0 / 0")
case("quadratic_weighted_kappa", classes, labels, m.cohen_kappa_score(classes, labels, weights="quadratic", sample_weight=w), "weighted", w=w)
for name, of in [("precision", m.precision_score), ("recall", m.recall_score), ("f1", m.f1_score)]:
    case(name, binary, guessed, of(binary, guessed, sample_weight=w), "weighted", w=w)
    for average in ["macro", "micro", "weighted"]:
        case(f"{name}_{average}", classes, labels, of(classes, labels, average=average, sample_weight=w), "weighted", w=w)
    case(name, [0, 1], [0, 0], of([0, 1], [0, 0], zero_division=0), "0 / 0 is 0")
case("fbeta_0.5", binary, guessed, m.fbeta_score(binary, guessed, beta=0.5, sample_weight=w), "weighted", w=w)
case("balanced_accuracy", classes, labels, m.balanced_accuracy_score(classes, labels, sample_weight=w), "weighted", w=w)
case("hamming_loss", classes, labels, m.hamming_loss(classes, labels, sample_weight=w), "weighted", w=w)
case("roc_auc", binary, scores, m.roc_auc_score(binary, scores, sample_weight=w), "weighted, with ties", w=w)
case("average_precision", binary, scores, m.average_precision_score(binary, scores, sample_weight=w), "weighted, with ties", w=w)
case("average_precision", [0, 0], [0.1, 0.2], None, "no positive row")
case("roc_auc_ovr", classes, probabilities, m.roc_auc_score(classes, probabilities, multi_class="ovr"))
case("roc_auc_ovr_weighted", classes, probabilities, m.roc_auc_score(classes, probabilities, multi_class="ovr", average="weighted"))
case("log_loss", classes, probabilities, m.log_loss(classes, probabilities, sample_weight=w), "weighted", w=w)
case("brier", binary, scores, m.brier_score_loss(binary, scores, sample_weight=w), "weighted", w=w)
per_class = [np.average(-np.log(np.where(binary == c, scores, 1 - scores) if c else 1 - scores)[binary == c], weights=w[binary == c]) for c in (0, 1)]
case("balanced_log_loss", binary, scores, np.mean(per_class), "weighted", w=w)
for name, of in [
    ("mse", m.mean_squared_error),
    ("mae", m.mean_absolute_error),
    ("r2", m.r2_score),
    ("mape", m.mean_absolute_percentage_error),
    ("poisson_deviance", m.mean_poisson_deviance),
    ("rmsle", m.root_mean_squared_log_error),
]:
    positive = np.abs(p) + 0.01
    case(name, y, positive, of(y, positive, sample_weight=w), "weighted", w=w)
case("pinball_0.2", y, p, m.mean_pinball_loss(y, p, alpha=0.2, sample_weight=w), "weighted", w=w)
case("median_absolute_error", y[:5], p[:5], m.median_absolute_error(y[:5], p[:5]), "an odd number of rows")
whole = rng.integers(1, 4, n)
case("median_absolute_error", y, p, m.median_absolute_error(np.repeat(y, whole), np.repeat(p, whole)), "weights are repetitions", w=whole)
covariance = np.cov(y, p, aweights=w)
case("pearson", y, p, covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]), "weighted", w=w)
case("pearson", [1, 2, 3], [5, 5, 5], None, "a constant has no correlation")
case("spearman", np.round(y), np.round(p), stats.spearmanr(np.repeat(np.round(y), whole), np.repeat(np.round(p), whole)).statistic, "weights are repetitions", w=whole)
case("spearman", [1, 1, 1], [1, 2, 3], None, "a constant has no correlation")
relevance, ranked = [[3, 2, 0, 1, 0], [0, 0, 1, 0, 2]], [[0.1, 0.9, 0.9, 0.7, 0.2], [0.5, 0.5, 0.5, 0.5, 0.5]]
case("ndcg@3", relevance, ranked, m.ndcg_score(relevance, ranked, k=3), "two queries, with ties")
case("ndcg", relevance, ranked, m.ndcg_score(relevance, ranked), "all places")
case("ndcg@2", relevance + [[0, 0]], ranked + [[1, 2]], 2 / 3 * m.ndcg_score(relevance, ranked, k=2), "a query without a relevant row scores 0")
case("ndcg@2", relevance + [[0, 0]], ranked + [[1, 2]], m.ndcg_score(relevance, ranked, k=2), settings={"empty": "skip"})
case("ndcg@2", relevance + [[0, 0]], ranked + [[1, 2]], 2 / 3 * m.ndcg_score(relevance, ranked, k=2) + 1 / 3, settings={"empty": "one"})
case("map@3", [[1], [2], [3]], [[1, 2, 3], [1, 3, 2], [1, 2, 4, 3]], (1 + 1 / 3 + 0) / 3, "one right label a row; the fourth guess does not count")

document = {"made_with": f"scikit-learn {sklearn.__version__}", "cases": cases}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(document, indent=0) + "\n")
