"""Validation: how well a coder does on people and on months that it was not trained on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from vocwb.understand.learned import fit_coder, predict_codes

FEWEST_TEXTS, FEWEST_OF_A_LABEL = 100, 20
"""Under so many texts, or so many of each of two labels, nothing is learned."""
BINS = 15
"""Bins of equal width of the calibration error."""

_PARTS, _RESAMPLES, _FEWEST_TESTED = 3, 400, 30
_COLUMNS = ["way", "n", "classes", "accuracy", "macro_f1", "low", "high", "ece"]


def enough_labels(labels: Sequence[str]) -> bool:
    """Return whether there is enough to learn from: 100 texts, and 20 of each of two labels.

    >>> enough_labels(["positive"] * 80 + ["negative"] * 20), enough_labels(["positive"] * 500)
    (True, False)
    """
    counts = pd.Series(list(labels), dtype="str").value_counts()
    return bool(len(labels) >= FEWEST_TEXTS and (counts >= FEWEST_OF_A_LABEL).sum() >= 2)


def validate_coder(
    texts: Sequence[str], labels: Sequence[str], *, language: str, rules: pd.DataFrame | None = None,
    groups: Sequence | None = None, times: Sequence[str] | None = None, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Return how well `learned.fit_coder` does on texts that it was not trained on, a row a way, in any order of rows.

    rules: as `fit_coder` takes them. groups: who said it; all that one person said is held out together ("by
    respondent", three parts; without groups "by text"). times: when, as words that sort; where the earlier two thirds
    are enough to learn from and 30 texts are later, what these teach is tested on the later ones ("later months").
    Labels of under 20 texts are left out.
    Columns: way, n (texts tested), classes, and those of `judge_codes`. Empty where there is not enough to learn from.

    >>> texts = [f"{word} {number}" for number in range(90) for word in ("good", "bad")]
    >>> times = ["1"] * 120 + ["2"] * 60
    >>> found = validate_coder(texts, ["positive", "negative"] * 90, language="en", times=times)
    >>> found[["way", "n", "macro_f1"]].values.tolist()
    [['by text', 180, 1.0], ['later months', 60, 1.0]]
    """
    rows = pd.DataFrame({"text": list(texts), "label": list(labels)}, dtype="str")
    rows["group"] = range(len(rows)) if groups is None else pd.Series(list(groups), dtype="str")
    rows["time"] = "" if times is None else pd.Series(list(times), dtype="str")
    order = ["text", "label", "time"] if groups is None else ["text", "label", "time", "group"]
    rows = rows[rows.groupby("label")["label"].transform("size") >= FEWEST_OF_A_LABEL]
    rows = rows.sort_values(order, ignore_index=True)
    if not enough_labels(rows["label"]):
        return pd.DataFrame(columns=_COLUMNS)
    folds = StratifiedGroupKFold(_PARTS, shuffle=True, random_state=seed)
    ways = {
        "by text" if groups is None else "by respondent": list(
            folds.split(rows, rows["label"], rows["group"])
        )
    }
    if later := _split_time(rows):
        ways["later months"] = [later]
    found = []
    for way, parts in ways.items():
        said = pd.concat(
            [_test_part(rows, *part, language, rules, seed) for part in parts], ignore_index=True
        )
        judged = judge_codes(
            said["truth"], said["label"], probability=said["probability"], groups=said["group"]
        )
        found.append({"way": way, "n": len(said), "classes": said["truth"].nunique()} | judged)
    return pd.DataFrame(found)


def judge_codes(
    truth: Sequence[str], codes: Sequence[str], *, probability=None, groups=None, seed: int = 0
) -> dict:
    """Return accuracy, macro_f1 with low and high (95%), and ece of codes against the truth, all 0-1.

    macro_f1 is over the labels of the truth; a code that is none of them is wrong. Its interval is the percentile
    bootstrap over groups (who said it; each text alone without them). ece, of the probability that the code is right:
    the mean distance of probability and accuracy in 15 bins of equal width (Guo et al. 2017, "On calibration of modern
    neural networks"); None without one.

    >>> found = judge_codes(["a", "a", "b", "b"], ["a", "a", "b", "c"], probability=[0.75] * 4)
    >>> found["accuracy"], found["macro_f1"], found["ece"]
    (0.75, 0.8333, 0.0)
    """
    kinds = sorted(set(truth))
    known = pd.Index([*kinds, *sorted(set(codes) - set(kinds))])
    truth, codes = known.get_indexer(list(truth)), known.get_indexer(list(codes))
    own = np.arange(len(truth)) if groups is None else pd.factorize(pd.Series(list(groups)), sort=True)[0]
    draw, size = np.random.default_rng(seed), own.max() + 1
    weights = [np.bincount(draw.integers(size, size=size), minlength=size)[own] for _ in range(_RESAMPLES)]
    scores = [
        _macro_f1(truth * len(known) + codes, len(known), len(kinds), one)
        for one in [np.ones(len(truth)), *weights]
    ]
    low, high = np.quantile(scores[1:], [0.025, 0.975])
    figures = {"accuracy": np.mean(truth == codes), "macro_f1": scores[0], "low": low, "high": high}
    error = None if probability is None else calibration_error(probability, truth == codes)
    return {name: round(float(value), 4) for name, value in figures.items()} | {"ece": error}


def calibration_error(probability, right) -> float:
    """Return the expected calibration error (0-1): over 15 bins, the mean gap between probability and accuracy.

    >>> calibration_error([0.8] * 10, [True] * 8 + [False] * 2)
    0.0
    """
    probability, right = np.asarray(probability, dtype=float), np.asarray(right, dtype=float)
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    return round(float(np.abs(np.bincount(bins, right - probability, BINS)).sum() / len(bins)), 4)


def _macro_f1(pairs: np.ndarray, count: int, kinds: int, weights: np.ndarray) -> float:
    """Return the mean F1 of the first kinds; pairs: truth times count plus code."""
    table = np.bincount(pairs, weights, count * count).reshape(count, count)
    return float(
        np.mean((2 * np.diag(table) / np.maximum(table.sum(axis=0) + table.sum(axis=1), 1e-12))[:kinds])
    )


def _split_time(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the rows of the earlier two thirds and of the rest, cut between two times; None where too few."""
    share = rows["time"].value_counts(normalize=True).sort_index().cumsum()[:-1]
    if share.empty:
        return None
    early = (rows["time"] <= (share - 2 / 3).abs().idxmin()).to_numpy()
    enough = enough_labels(rows["label"][early]) and (~early).sum() >= _FEWEST_TESTED
    return (np.flatnonzero(early), np.flatnonzero(~early)) if enough else None


def _test_part(
    rows: pd.DataFrame,
    train: np.ndarray,
    test: np.ndarray,
    language: str,
    rules: pd.DataFrame | None,
    seed: int,
) -> pd.DataFrame:
    learnt = rows.iloc[train]
    coder = fit_coder(learnt["text"], learnt["label"], language=language, rules=rules, seed=seed)
    held = rows.iloc[test].reset_index(drop=True)
    said = predict_codes(coder, held["text"])[["label", "probability"]]
    return said.assign(truth=held["label"], group=held["group"])
