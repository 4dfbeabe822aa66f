"""Coding by example: a coder trained on what the programme has (ratings, recommendations, human codes), per language.

For each class three views weigh a text: a logistic regression on its weighted word and letter sequences, one on
their naive-Bayes ratios, and how much likelier each word is after those before it than in the other classes. How
probable the classes are, and where the line between them lies, is learned from texts that the views had not seen.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import normalize

from vocwb.errors import ProgrammeError
from vocwb.languages import describe_language
from vocwb.understand.text_features import (
    Grams,
    Places,
    count_grams,
    fit_grams,
    locate_grams,
    share_unseen,
    split_texts,
)

FOLDS = 5
FEWEST = 10
"""A class with fewer texts is not learned, and never given."""

_STRENGTHS = 2.0, 1.0  # of the two regressions, in the middle of what served on five languages
_PRIOR = 1.0
_TINY = 1e-9
_LONGEST_SHIFT = 1.5


class Readings(NamedTuple):
    """Texts as the views read them, a row a text.

    weighted: tf-idf of the grams; present: 1 for each gram that is there; both of unit length for words and for
    letters. places: where the word grams stand.
    """

    weighted: sp.csr_array
    present: sp.csr_array
    places: Places


class View(NamedTuple):
    """What is known of one class: (2, n_grams) weights and 2 intercepts of the regressions; log ratios of words."""

    weights: np.ndarray
    intercepts: np.ndarray
    ratios: list[np.ndarray]


class Coder(NamedTuple):
    """A fitted coder; labels are its classes, left_out those that had too few texts, n the texts it learned from.

    unseen: mean and standard deviation, over texts held out, of the share of words that the others did not have.
    """

    language: str
    labels: tuple[str, ...]
    left_out: tuple[str, ...]
    n: int
    grams: tuple[Grams, ...]
    idf: tuple[np.ndarray, ...]
    views: tuple[View, ...]
    scales: np.ndarray
    calibration: LogisticRegression
    shifts: np.ndarray
    unseen: tuple[float, float]


def fit_coder(texts: Iterable[str], labels: Iterable[str], *, language: str, seed: int = 0) -> Coder:
    """Return a coder that has learned from verbatims of one language, each with its label.

    Equal weight is given to the classes within the views. Probabilities are those of a logistic regression on the
    views' verdicts on texts that they had not seen (stacking, Wolpert 1992; five folds); the label is the class of
    the highest probability after a shift for each class, chosen on the same texts for the highest macro-F1. The
    order of the rows does not matter. Views: tf-idf; naive-Bayes ratios (Wang and Manning 2012, "Baselines and
    bigrams"); ratios of language models (joined with the others after Mesnil et al. 2014, "Ensemble of
    generative and discriminative techniques"). Raises ProgrammeError where under two classes have 10 texts.

    >>> coder = fit_coder(["good tea"] * 10 + ["bad tea"] * 10, ["1"] * 10 + ["0"] * 10, language="en")
    >>> predict_codes(coder, ["good"])["label"].tolist()
    ['1']
    """
    describe_language(language)
    rows = pd.DataFrame({"text": list(texts), "label": list(labels)}, dtype="str")
    rows = rows.dropna().sort_values(["text", "label"], ignore_index=True)
    n_texts = rows["label"].value_counts()
    left_out = tuple(sorted(n_texts.index[n_texts < FEWEST]))
    rows = rows[~rows["label"].isin(left_out)].reset_index(drop=True)
    names, y = np.unique(rows["label"].to_numpy(dtype=object), return_inverse=True)
    if len(names) < 2:
        raise ProgrammeError(
            f"A coder cannot be learned from {len(rows)} texts in {len(names)} classes.",
            f"Classes with under {FEWEST} texts: {', '.join(left_out) or 'none'}.",
            "Code more verbatims by hand, or use the rules.",
        )
    sequences = split_texts(rows["text"], language)
    grams = tuple(fit_grams(part, orders=orders) for part, orders in sequences)
    counts, places = _count(grams, sequences)
    idf = tuple(_weigh_rarity(block) for block in counts)
    readings = _read(counts, places, idf)

    verdicts, folds = np.zeros((len(rows), len(_targets(len(names))), 3)), np.zeros(len(rows), dtype=int)
    splits = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(y, y)
    for fold, (train, test) in enumerate(splits):
        views = _fit_views(grams[0], readings, y, train, len(names), seed)
        verdicts[test], folds[test] = _judge(views, readings, test), fold
    # The views count alike: weights learned from the same verdicts served worse.
    scales = verdicts.std(axis=(0, 1)) + _TINY
    pooled = (verdicts / scales).sum(axis=2)
    calibration = LogisticRegression(max_iter=1000).fit(pooled, y)
    unseen = share_unseen(grams[0], places, len(rows), folds=folds)
    return Coder(
        language=language, labels=tuple(names), left_out=left_out, n=len(rows), grams=grams, idf=idf,
        views=tuple(_fit_views(grams[0], readings, y, np.arange(len(rows)), len(names), seed)),
        scales=scales, calibration=calibration, shifts=_choose_shifts(_log_chances(calibration, pooled)),
        unseen=(float(unseen.mean()), float(unseen.std())),
    )  # fmt: skip


def predict_codes(coder: Coder, texts: Iterable[str]) -> pd.DataFrame:
    """Return for each text the label, its probability (0-1), and the probability of each class as p_<class>.

    >>> coder = fit_coder(["good tea"] * 10 + ["bad tea"] * 10, ["1"] * 10 + ["0"] * 10, language="en")
    >>> list(predict_codes(coder, ["bad"]).columns)
    ['label', 'probability', 'p_0', 'p_1']
    """
    texts = list(texts)
    logs = np.zeros((0, len(coder.labels)))
    if texts:
        counts, places = _count(coder.grams, split_texts(texts, coder.language))
        verdicts = _judge(coder.views, _read(counts, places, coder.idf), np.arange(len(texts)))
        logs = _log_chances(coder.calibration, (verdicts / coder.scales).sum(axis=2))
    chosen = (logs + coder.shifts).argmax(axis=1)
    shares = np.exp(logs)
    codes = pd.DataFrame(shares, columns=[f"p_{label}" for label in coder.labels])
    codes.insert(0, "label", pd.Series([coder.labels[number] for number in chosen], dtype="str"))
    codes.insert(1, "probability", shares[np.arange(len(texts)), chosen])
    return codes


def _count(grams: tuple[Grams, ...], sequences: list) -> tuple[list[sp.csr_array], Places]:
    """Return the counts of words and of letters, and the places of the words."""
    counts, found = [], []
    for known, (part, _) in zip(grams, sequences, strict=True):
        found.append(locate_grams(known, part))
        counts.append(count_grams(known, found[-1], len(part)))
    return counts, found[0]


def _weigh_rarity(counts: sp.csr_array) -> np.ndarray:
    texts = np.bincount(counts.indices, minlength=counts.shape[1])
    return (np.log((1 + counts.shape[0]) / (1 + texts)) + 1).astype(np.float32)


def _read(counts: list[sp.csr_array], places: Places, idf: tuple[np.ndarray, ...]) -> Readings:
    weighted, present = [], []
    for block, rarity in zip(counts, idf, strict=True):
        weights = (1 + np.log(block.data)) * rarity[block.indices]
        for blocks, data in ((weighted, weights), (present, np.ones_like(block.data))):
            block = sp.csr_array((data, block.indices, block.indptr), shape=block.shape)
            blocks.append(normalize(block, copy=False))
    return Readings(sp.hstack(weighted, format="csr"), sp.hstack(present, format="csr"), places)


def _targets(n_classes: int) -> range:
    """Return the classes that have a view: of two, the second says all."""
    return range(1, 2) if n_classes == 2 else range(n_classes)


def _fit_views(
    words: Grams, readings: Readings, y: np.ndarray, train: np.ndarray, n_classes: int, seed: int
) -> list[View]:
    weighted, present = readings.weighted[train], readings.present[train]
    there = present.copy()
    there.data[:] = 1
    views = []
    for target in _targets(n_classes):
        mine = y[train] == target
        ours, theirs = (1 + there[side].sum(axis=0) for side in (mine, ~mine))
        ratios = np.log(ours / ours.sum()) - np.log(theirs / theirs.sum())
        scaled = present.copy()
        scaled.data *= ratios[present.indices].astype(np.float32)
        fits = []
        for matrix, strength in zip((weighted, scaled), _STRENGTHS, strict=True):
            # The dual problem is solved in a fifth of the time.
            model = LogisticRegression(
                C=strength,
                class_weight="balanced",
                solver="liblinear",
                dual=True,
                tol=1e-2,
                random_state=seed,
            )
            fits.append(model.fit(matrix, mine))
        plain, bayes = (fit.coef_[0] for fit in fits)
        weights = np.stack([plain, bayes * ratios]).astype(np.float32)
        intercepts = np.array([fit.intercept_[0] for fit in fits])
        views.append(
            View(weights, intercepts, _fit_ratios(words, readings.places, train[mine], train[~mine]))
        )
    return views


def _fit_ratios(words: Grams, places: Places, ours: np.ndarray, theirs: np.ndarray) -> list[np.ndarray]:
    """Return for the word grams of each order the log ratio of how much likelier their last word is on our side.

    A side's rate is its count of the gram over what it would be if the word followed its history as often as on
    both sides together; both are raised by _PRIOR, at the rate of the gram without its first word (gamma-Poisson
    shrinkage), so that a gram seen a few times says little more than the shorter one.
    """
    sides = np.full(places.owners.max() + 1, -1)
    sides[ours], sides[theirs] = 0, 1
    sides = sides[places.owners]
    ratios, histories, rates = [], None, None
    for order, (found, size) in enumerate(zip(places.grams, words.sizes, strict=True)):
        counts = np.stack(
            [np.bincount(found[(sides == side) & (found >= 0)], minlength=size) for side in (0, 1)]
        )
        both = counts.sum(axis=0)
        if order:
            before = words.keys[order - 1] // words.n_units
            share = both / np.maximum(histories.sum(axis=0)[before], 1)
            expected, shorter = histories[:, before] * share, rates[:, words.shorter[order - 1]]
        else:
            expected, shorter = counts.sum(axis=1, keepdims=True) * both / both.sum(), 1.0
        histories, rates = counts, (counts + _PRIOR * shorter) / (expected + _PRIOR)
        ratios.append(np.log(rates[0] / rates[1]))
    return ratios


def _score_ratios(ratios: list[np.ndarray], places: Places) -> np.ndarray:
    """Return for each text the sum over its words of the ratio of the longest known gram that ends there.

    Over the root of the number of words, as the words of a text repeat one verdict.
    """
    scores = np.zeros(len(places.owners))
    for found, ratio in zip(places.grams, ratios, strict=True):
        known = found >= 0
        scores[known] = ratio[found[known]]
    scores[places.offsets == 0] = 0
    return np.bincount(places.owners, scores) / np.sqrt(np.bincount(places.owners))


def _judge(views: Iterable[View], readings: Readings, test: np.ndarray) -> np.ndarray:
    """Return the three views' verdicts on each text and class: (n_texts, n_views, 3)."""
    weighted, present = readings.weighted[test], readings.present[test]
    verdicts = []
    for view in views:
        verdicts.append(
            np.stack(
                [
                    weighted @ view.weights[0] + view.intercepts[0],
                    present @ view.weights[1] + view.intercepts[1],
                    _score_ratios(view.ratios, readings.places)[test],
                ],
                axis=1,
            )
        )
    return np.stack(verdicts, axis=1)


def _log_chances(calibration: LogisticRegression, pooled: np.ndarray) -> np.ndarray:
    return np.log(calibration.predict_proba(pooled) + _TINY)


def _choose_shifts(logs: np.ndarray) -> np.ndarray:
    """Return what to add to each class's log probability for the highest macro-F1, by coordinate ascent.

    The macro-F1 is what the probabilities lead one to expect: with the labels themselves the peak is partly chance.
    """
    n_classes, chances = logs.shape[1], np.exp(logs)
    shifts, tried = np.zeros(n_classes), np.linspace(-_LONGEST_SHIFT, _LONGEST_SHIFT, 61)
    for _ in range(3 if n_classes > 2 else 1):
        for place in _targets(n_classes):
            others = logs + shifts
            others[:, place] = -np.inf
            best, height = others.argmax(axis=1), others.max(axis=1)
            curve = [
                _expect_f1(chances, np.where(logs[:, place] + shift > height, place, best)) for shift in tried
            ]
            shifts[place] = tried[int(np.argmax(curve))]
    return shifts


def _expect_f1(chances: np.ndarray, chosen: np.ndarray) -> float:
    """Return the macro-F1 to expect of the chosen classes where the probabilities are right."""
    hits = np.bincount(chosen, chances[np.arange(len(chosen)), chosen], minlength=chances.shape[1])
    given = np.bincount(chosen, minlength=chances.shape[1])
    return float(np.mean(2 * hits / np.maximum(_TINY, given + chances.sum(axis=0))))
