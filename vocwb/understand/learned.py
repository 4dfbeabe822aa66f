"""Coding by example: a coder trained on what the programme has (ratings, recommendations, human codes), per language.

For each class three views weigh a text: a logistic regression on its weighted word and letter sequences, one on
their naive-Bayes ratios, and how much likelier each word and letter is, after those before it, than in the other
classes. How probable the classes are, and where the line between them lies, is learned from texts that the views had
not seen; there the rules, where they are given, tell what the examples are too few to teach: the words that they lack.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import normalize

from vocwb.errors import ProgrammeError
from vocwb.languages import describe_language
from vocwb.understand.coding import score_polarity
from vocwb.understand.text_features import (
    Grams,
    Places,
    count_grams,
    count_longest,
    fit_grams,
    locate_grams,
    share_unseen,
    split_texts,
)

FOLDS = 5
FEWEST = 10
"""A class with fewer texts is not learned, and never given."""

_STRENGTHS = 2.0, 1.0  # of the two regressions, in the middle of what served on five languages
_PRIORS = 1.0, 3.0  # of words and of letters, which repeat one another more
_TINY = 1e-9
_LONGEST_SHIFT = 1.5
_BRIEF = 5  # characters, so that one word alone is no sea of feeling


class Readings(NamedTuple):
    """Texts as the views read them, a row a text.

    weighted: tf-idf of the grams; present: 1 for each gram that is there; both of unit length for words and for
    letters. counts and longest: as `text_features` counts them, for words and for letters.
    """

    weighted: sp.csr_array
    present: sp.csr_array
    counts: list[sp.csr_array]
    longest: list[sp.csr_array]


class View(NamedTuple):
    """What is known of one class: (2, n_grams) weights and 2 intercepts of the regressions; ratios of grams."""

    weights: np.ndarray
    intercepts: np.ndarray
    ratios: list[np.ndarray]


class Coder(NamedTuple):
    """A fitted coder; labels are its classes, left_out those that had too few texts, n the texts it learned from.

    unseen: mean and standard deviation, over texts held out, of the share of words that the others did not have.
    rules: those that it was given, else None.
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
    rules: pd.DataFrame | None


def fit_coder(
    texts: Iterable[str], labels: Iterable[str], *, language: str, rules: pd.DataFrame | None = None, seed: int = 0
) -> Coder:  # fmt: skip
    """Return a coder that has learned from verbatims of one language, each with its label.

    Probabilities (0-1) are those of a logistic regression on the views' verdicts, which count alike, on texts that
    they had not seen (stacking, Wolpert 1992; five folds); the label is the class of the highest probability after a
    shift for each class, chosen for the highest macro-F1 to expect. Neither the order of the rows nor anything but
    `seed` matters. Labels of under 10 texts are left out. Views: tf-idf; naive-Bayes ratios (Wang and Manning 2012,
    "Baselines and bigrams"); ratios of language models, joined with these after Mesnil et al. 2014, "Ensemble of
    generative and discriminative techniques". rules: from `rules.parse_rules`; how positive their words find a text
    (`coding.score_polarity`) then counts beside the views. Raises ProgrammeError where fewer than two labels are left.

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
    places = [locate_grams(known, part) for known, (part, _) in zip(grams, sequences, strict=True)]
    readings, idf = _read(grams, places, len(rows))
    everything = np.arange(len(rows))

    verdicts = np.zeros((len(rows), len(_targets(len(names))), 2 + len(grams)))
    folds = np.zeros(len(rows), dtype=int)
    splits = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(y, y)
    for fold, (train, test) in enumerate(splits):
        views = _fit_views(grams, readings, y, train, len(names), seed)
        verdicts[test], folds[test] = _judge(views, readings, test), fold
    # The views count alike: weights learned from the same verdicts served worse.
    scales = (verdicts.std(axis=(0, 1)) + _TINY) * [1, 1, *[len(grams)] * len(grams)]
    pooled = _pool(verdicts, scales, rows["text"], rules, language)
    calibration = LogisticRegression(max_iter=1000).fit(pooled, y)
    unseen = share_unseen(grams[0], places[0], len(rows), folds=folds)
    return Coder(
        language=language, labels=tuple(names), left_out=left_out, n=len(rows), grams=grams, idf=idf,
        views=tuple(_fit_views(grams, readings, y, everything, len(names), seed)),
        scales=scales, calibration=calibration, shifts=_choose_shifts(_log_chances(calibration, pooled)),
        unseen=(float(unseen.mean()), float(unseen.std())), rules=rules,
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
        sequences = split_texts(texts, coder.language)
        places = [locate_grams(known, part) for known, (part, _) in zip(coder.grams, sequences, strict=True)]
        readings, _ = _read(coder.grams, places, len(texts), coder.idf)
        verdicts = _judge(coder.views, readings, np.arange(len(texts)))
        pooled = _pool(verdicts, coder.scales, texts, coder.rules, coder.language)
        logs = _log_chances(coder.calibration, pooled)
    chosen = (logs + coder.shifts).argmax(axis=1)
    shares = np.exp(logs)
    codes = pd.DataFrame(shares, columns=[f"p_{label}" for label in coder.labels])
    codes.insert(0, "label", pd.Series([coder.labels[number] for number in chosen], dtype="str"))
    codes.insert(1, "probability", shares[np.arange(len(texts)), chosen])
    return codes


def _read(
    grams: tuple[Grams, ...], places: list[Places], n_texts: int, idf: tuple[np.ndarray, ...] | None = None
) -> tuple[Readings, tuple[np.ndarray, ...]]:
    """Return the readings of texts, and the rarity of each gram among them where it is not given."""
    found = list(zip(grams, places, strict=True))
    counts = [count_grams(known, where, n_texts) for known, where in found]
    idf = idf or tuple(_weigh_rarity(block) for block in counts)
    weighted, present = [], []
    for block, rarity in zip(counts, idf, strict=True):
        weights = (1 + np.log(block.data)) * rarity[block.indices]
        for blocks, data in ((weighted, weights), (present, np.ones_like(block.data))):
            blocks.append(
                normalize(sp.csr_array((data, block.indices, block.indptr), shape=block.shape), copy=False)
            )
    longest = [count_longest(known, where, n_texts) for known, where in found]
    whole = (sp.hstack(blocks, format="csr") for blocks in (weighted, present))
    return Readings(*whole, counts, longest), idf


def _weigh_rarity(counts: sp.csr_array) -> np.ndarray:
    texts = np.bincount(counts.indices, minlength=counts.shape[1])
    return (np.log((1 + counts.shape[0]) / (1 + texts)) + 1).astype(np.float32)


def _targets(n_classes: int) -> range:
    """Return the classes that have a view: of two, the second says all."""
    return range(1, 2) if n_classes == 2 else range(n_classes)


def _fit_views(
    grams: tuple[Grams, ...], readings: Readings, y: np.ndarray, train: np.ndarray, n_classes: int, seed: int
) -> list[View]:
    weighted, present = readings.weighted[train], readings.present[train]
    there = present.copy()
    there.data[:] = 1
    views = []
    for target in _targets(n_classes):
        mine = y[train] == target
        ours, theirs = (1 + there[side].sum(axis=0) for side in (mine, ~mine))
        bayes = np.log(ours / ours.sum()) - np.log(theirs / theirs.sum())
        scaled = present.copy()
        scaled.data *= bayes[present.indices].astype(np.float32)
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
        weights = np.stack([fits[0].coef_[0], fits[1].coef_[0] * bayes]).astype(np.float32)
        intercepts = np.array([fit.intercept_[0] for fit in fits])
        sides = [[block[train[side]].sum(axis=0) for side in (mine, ~mine)] for block in readings.counts]
        ratios = [_fit_ratios(*block) for block in zip(grams, sides, _PRIORS, strict=False)]
        views.append(View(weights, intercepts, ratios))
    return views


def _fit_ratios(grams: Grams, sides: list[np.ndarray], prior: float) -> np.ndarray:
    """Return for each gram the log ratio of how much likelier its last unit is on the first side than on the second.

    sides: how often each gram stands there. A side's rate is that over what it would be if the unit followed its
    history as often as on both sides together; both are raised by `prior`, at the rate of the gram without its first
    unit (gamma-Poisson shrinkage), so that a gram seen a few times says little more than the shorter one.
    """
    ratios, starts = [], np.cumsum([0, *grams.sizes])
    histories, rates = np.empty((2, 0)), np.empty((2, 0))
    for order, (start, end) in enumerate(pairwise(starts)):
        counts = np.stack([side[start:end] for side in sides]).astype(float)
        both = counts.sum(axis=0)
        if order:
            before = grams.keys[order - 1] // grams.n_units
            share = both / np.maximum(histories.sum(axis=0)[before], 1)
            expected, shorter = histories[:, before] * share, rates[:, grams.shorter[order - 1]]
        else:
            expected, shorter = counts.sum(axis=1, keepdims=True) * both / both.sum(), 1.0
        histories, rates = counts, (counts + prior * shorter) / (expected + prior)
        ratios.append(np.log(rates[0] / rates[1]))
    return np.concatenate(ratios).astype(np.float32)


def _judge(views: Iterable[View], readings: Readings, test: np.ndarray) -> np.ndarray:
    """Return the verdicts on each text and class: (n_texts, n_views, 2 regressions and the ratios of each block)."""
    weighted, present = readings.weighted[test], readings.present[test]
    longest = [block[test] for block in readings.longest]
    verdicts = [
        np.stack(
            [
                weighted @ view.weights[0] + view.intercepts[0],
                present @ view.weights[1] + view.intercepts[1],
                *(block @ ratios for block, ratios in zip(longest, view.ratios, strict=True)),
            ],
            axis=1,
        )
        for view in views
    ]
    return np.stack(verdicts, axis=1)


def _pool(
    verdicts: np.ndarray, scales: np.ndarray, texts: Iterable[str], rules: pd.DataFrame | None, language: str
) -> np.ndarray:
    """Return for each text what all views say of each class, and of the rules the side, its weight and its density."""
    pooled = (verdicts / scales).sum(axis=2)
    if rules is None:
        return pooled
    score = score_polarity(texts, rules, language=language)
    sizes = np.array([len(text) for text in texts])
    told = np.sign(score), np.sign(score) * np.log1p(np.abs(score)), score / np.sqrt(sizes + _BRIEF)
    return np.column_stack([pooled, *told])


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
