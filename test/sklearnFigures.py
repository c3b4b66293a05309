"""Writes test/sklearnFigures.json: what scikit-learn says of small data. Needs scikit-learn.

python test/sklearnFigures.py, then npx prettier --write test/sklearnFigures.json
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn import metrics as m

rng = np.random.default_rng(7)
out = {"classification": [], "binary": [], "regression": [], "reports": []}


def plain(values):
    return np.asarray(values, dtype=float).tolist()


def case(name, y, p, weights, values):
    weights = None if weights is None else plain(weights)
    return {"name": name, "yTrue": y.tolist(), "yPred": p.tolist(), "weights": weights, "values": values}


def scores(y, chosen, average, zero, labels, weights):
    args = {"average": average, "labels": labels, "zero_division": zero, "sample_weight": weights}
    return {
        "precision": plain(m.precision_score(y, chosen, **args)),
        "recall": plain(m.recall_score(y, chosen, **args)),
        "f1": plain(m.f1_score(y, chosen, **args)),
        "fBeta": plain(m.fbeta_score(y, chosen, beta=2, **args)),
    }


def classification(name, y, p, weights=None):
    chosen, classes = p.argmax(1), p.shape[1]
    labels, w = list(range(classes)), {"sample_weight": weights}
    kappa = lambda by: m.cohen_kappa_score(y, chosen, weights=by, **w)
    loss = m.log_loss(y, p, labels=labels, **w)
    values = {
        "accuracy": m.accuracy_score(y, chosen, **w),
        "balancedAccuracy": m.balanced_accuracy_score(y, chosen, **w),
        "kappa": {"none": kappa(None), "linear": kappa("linear"), "quadratic": kappa("quadratic")},
        "matthewsCorrelation": m.matthews_corrcoef(y, chosen, **w),
        "logLoss": loss,
        "perplexity": float(np.exp(loss)),
        "confusion": plain(m.confusion_matrix(y, chosen, labels=labels, **w)),
        "scores": [],
        "areas": [],
    }
    for average in ["micro", "macro", "weighted", None]:
        for zero in [0, 1]:
            found = scores(y, chosen, average, zero, None if average else labels, weights)
            values["scores"].append({"average": average or "none", "zeroDivision": zero, **found})
    if classes > 2:
        values["top2"] = m.top_k_accuracy_score(y, p, k=2, labels=labels, **w)
    if classes > 2 and len(set(y)) == classes:
        rows = np.eye(classes)[y]
        for average in ["macro", "weighted", None]:
            roc = plain(m.roc_auc_score(rows, p, average=average, **w))
            pr = plain(m.average_precision_score(rows, p, average=average, **w))
            values["areas"].append({"average": average or "none", "rocAuc": roc, "prAuc": pr})
    out["classification"].append(case(name, y, p, weights, values))


def binary(name, y, p, weights=None):
    w, chosen = {"sample_weight": weights}, (p >= 0.5).astype(int)
    fpr, tpr, roc = m.roc_curve(y, p, drop_intermediate=False, **w)
    precision, recall, pr = m.precision_recall_curve(y, p, **w)
    values = {
        "accuracy": m.accuracy_score(y, chosen, **w),
        "precision": m.precision_score(y, chosen, zero_division=0, **w),
        "recall": m.recall_score(y, chosen, **w),
        "f1": m.f1_score(y, chosen, **w),
        "rocAuc": m.roc_auc_score(y, p, **w),
        "prAuc": m.average_precision_score(y, p, **w),
        "logLoss": m.log_loss(y, p, **w),
        "matthewsCorrelation": m.matthews_corrcoef(y, chosen, **w),
        "roc": {"fpr": plain(fpr), "tpr": plain(tpr), "thresholds": plain(roc[1:])},
        "pr": {"precision": plain(precision), "recall": plain(recall), "thresholds": plain(pr)},
    }
    out["binary"].append(case(name, y, p, weights, values))


def regression(name, y, p, weights=None):
    w = {"sample_weight": weights}
    squared = m.mean_squared_error(y, p, **w)
    values = {
        "meanSquaredError": squared,
        "meanAbsoluteError": m.mean_absolute_error(y, p, **w),
        "rootMeanSquaredError": float(np.sqrt(squared)),
        "meanAbsolutePercentageError": m.mean_absolute_percentage_error(y, p, **w),
        "r2": m.r2_score(y, p, **w),
    }
    out["regression"].append(case(name, y, p, weights, values))


def softmax(rows, classes, scale=1.0):
    e = np.exp(rng.normal(size=(rows, classes)) * scale)
    p = np.round(e / e.sum(1, keepdims=True), 3)
    p[:, 0] += 1 - p.sum(1)
    return np.round(p, 3)


p = softmax(48, 4, 1.5)
y = np.where(rng.random(48) < 0.6, p.argmax(1), rng.integers(0, 4, 48))
classification("four classes", y, p)
classification("four classes, weighted", y, p, np.round(rng.random(48) * 3, 2))
p = softmax(24, 5, 2)
p[:, 0] += p[:, 4]
p[:, 4] = 0
classification("classes that never occur", rng.integers(0, 3, 24), p)
classification("two classes", rng.integers(0, 2, 30), softmax(30, 2))

p = np.clip(np.round(rng.random(40), 1), 0.05, 0.95)
y = (rng.random(40) < p).astype(int)
binary("ties", y, p)
binary("ties, weighted", y, p, np.round(rng.random(40) * 2 + 0.1, 2))
p = np.round(rng.random(30), 4)
binary("few positives", (rng.random(30) < 0.15).astype(int), p)

y = np.round(rng.normal(size=20) * 10 + 1000, 3)
regression("far from zero", y, np.round(y + rng.normal(size=20) * 3, 3))
y = np.round(rng.normal(size=(12, 3)), 3)
p = np.round(y + rng.normal(size=(12, 3)) * 0.5, 3)
regression("three outputs", y, p)
regression("three outputs, weighted", y, p, np.round(rng.random(12), 2))
y = np.full(5, 2.0)
regression("a truth that never varies", y, y + np.array([0, 0.1, 0, 0, -0.1]))
regression("a truth that never varies, met", y, y)

for index, names in [(0, ["cat", "dog", "a very long name of a class", "d"]), (2, None)]:
    found = out["classification"][index]
    truth, chosen = found["yTrue"], np.array(found["yPred"]).argmax(1)
    for digits in [2, 4]:
        args = {"target_names": names, "digits": digits, "zero_division": 0}
        text = m.classification_report(truth, chosen, **args)
        report = {"yTrue": truth, "yPred": chosen.tolist(), "names": names, "digits": digits, "text": text}
        out["reports"].append(report)

out["version"] = sklearn.__version__
target = pathlib.Path(__file__).with_suffix(".json")
target.write_text(json.dumps(out) + "\n")
