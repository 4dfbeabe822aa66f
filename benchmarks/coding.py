"""How well does the learned coder read, and the rules without any training, against a strong plain classifier?

Measured on any file of labelled texts (CSV, TSV, XLSX, JSONL), read as `benchmarks/topics.py` reads it; labels are
case-folded. `--positive`, `--neutral` and `--negative` map values of the label to a polarity and leave the rest out: a
number for --positive stands for itself and all above, for --negative for itself and all below, for --neutral it is
`between`, all between the two; anything else is a value (`--positive positive 1.0`).

Without --cold: three stratified folds. "ours": `fit_coder`, trained on two and coding the third. Peer, in the same
run and the same folds: tf-idf of characters (char_wb 2-5, Chinese char 1-4) and of words (1-2), at least two texts,
at most 200,000 features each, sublinear, and one-vs-rest logistic regression (C=5, balanced, liblinear). "macro_f1",
"accuracy", "ece" (top label, 15 bins of equal width), "per_second": texts coded a second, raw text to label, in one
process; "seconds": of one fit. With --cold: nothing is trained; of two classes, neutral left out, the sign of the
rules' `score_polarity` decides, and what has none goes to the side that is the commoner among the rest. Peer for
English: VADER, which the development tools bring. With --rules-from-labels: a text gets the first label
whose words, cut to five letters, all stand in it, else the commonest, beside the learned coder.
With --other FILE (--other-text, --other-label): trained on --data, tested on that file, beside the peer: how much is
lost on another domain, against the folds within the first, and whether `measure_novelty` warns, which sees no label.

    python benchmarks/coding.py --data reviews.csv --text text --label stars --language en --positive 4 --negative 2
"""

import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from labelled import load_rows, make_parser, read_rows
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

import vocwb
from vocwb.understand.coding import score_polarity
from vocwb.understand.domains import measure_novelty
from vocwb.understand.learned import fit_coder, predict_codes
from vocwb.understand.rules import parse_rules
from vocwb.understand.validation import calibration_error

BETWEEN = "between"


def map_labels(labels: pd.Series, sides: dict[str, list[str] | None]) -> pd.Series:
    """Return the labels, case-folded, or the polarity that they are mapped to; NaN where they are mapped to none."""
    labels = labels.str.casefold()
    if not any(sides.values()):
        return labels
    number = pd.to_numeric(labels, errors="coerce")
    found = pd.Series(None, labels.index, dtype="object")
    bounds = {}
    for side, values in sides.items():
        for value in values or []:
            bound = pd.to_numeric(value, errors="coerce")
            if pd.isna(bound):
                found[labels == value.casefold()] = side
            else:
                bounds[side] = float(bound)
                found[
                    number >= bound
                    if side == "positive"
                    else number <= bound
                    if side == "negative"
                    else number == bound
                ] = side
    if BETWEEN in (sides.get("neutral") or []):
        found[(number > bounds["negative"]) & (number < bounds["positive"])] = "neutral"
    return found


def make_peer(language: str):
    """Return the plain classifier that ours is set against."""
    shared = {"min_df": 2, "sublinear_tf": True, "max_features": 200_000}
    letters = (
        {"analyzer": "char", "ngram_range": (1, 4)}
        if language == "zh"
        else {"analyzer": "char_wb", "ngram_range": (2, 5)}
    )
    union = make_union(TfidfVectorizer(**letters, **shared), TfidfVectorizer(ngram_range=(1, 2), **shared))
    return make_pipeline(
        union, OneVsRestClassifier(LogisticRegression(C=5, class_weight="balanced", solver="liblinear"))
    )


def read_rules_of(language: str) -> pd.DataFrame:
    """Return the rules that the package brings for a language."""
    text = (Path(vocwb.__file__).parent / "rules" / f"{language}.yml").read_text(encoding="utf-8")
    return parse_rules({language: text})


def run_ours(
    texts: np.ndarray, labels: np.ndarray, held: np.ndarray, language: str
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Return codes, probabilities, and seconds of training and of coding."""
    began = time.perf_counter()
    coder = fit_coder(texts, labels, language=language, rules=read_rules_of(language))
    trained = time.perf_counter()
    said = predict_codes(coder, held)
    ended = time.perf_counter()
    return (
        said["label"].to_numpy(dtype=object),
        said["probability"].to_numpy(),
        trained - began,
        ended - trained,
    )


def run_peer(
    texts: np.ndarray, labels: np.ndarray, held: np.ndarray, language: str
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Return the same of the plain classifier."""
    began = time.perf_counter()
    peer = make_peer(language).fit(texts, labels)
    trained = time.perf_counter()
    chances = peer.predict_proba(held)
    ended = time.perf_counter()
    return peer.classes_[chances.argmax(axis=1)], chances.max(axis=1), trained - began, ended - trained


def judge(
    truth: np.ndarray, codes: np.ndarray, chances: np.ndarray | None, trained: float, coded: float
) -> dict:
    """Return the figures of one side; macro-F1 over the labels of the truth."""
    figures = {
        "accuracy": round(float(np.mean(truth == codes)), 4),
        "macro_f1": round(float(f1_score(truth, codes, labels=np.unique(truth), average="macro", zero_division=0)), 4),
        "per_second": round(len(truth) / coded), "seconds": round(trained, 2),
    }  # fmt: skip
    return figures | ({} if chances is None else {"ece": calibration_error(chances, truth == codes)})


def cross_validate(rows: pd.DataFrame, language: str, seed: int, run) -> dict:
    """Return the figures over three stratified folds."""
    texts, labels = rows["verbatim"].to_numpy(dtype=object), rows["label"].to_numpy(dtype=object)
    codes, chances, trained, coded = np.empty(len(rows), dtype=object), np.zeros(len(rows)), 0.0, 0.0
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    for train, test in folds.split(texts, labels):
        codes[test], chances[test], fit, took = run(texts[train], labels[train], texts[test], language)
        trained, coded = trained + fit / 3, coded + took
    return judge(labels, codes, chances, trained, coded)


def code_cold(rows: pd.DataFrame, language: str) -> dict:
    """Return the figures of the rules alone, on two classes."""
    rules = read_rules_of(language)
    began = time.perf_counter()
    scores = score_polarity(rows["verbatim"], rules, language=language)
    took = time.perf_counter() - began
    return judge(rows["label"].to_numpy(dtype=object), _take_sides(scores), None, 0.0, took) | {
        "undecided": round(float(np.mean(scores == 0)), 4)
    }


def code_vader(rows: pd.DataFrame) -> dict:
    """Return the figures of VADER on the same texts."""
    began, analyser = time.perf_counter(), SentimentIntensityAnalyzer()
    scores = np.array([analyser.polarity_scores(text)["compound"] for text in rows["verbatim"]])
    return judge(
        rows["label"].to_numpy(dtype=object), _take_sides(scores), None, 0.0, time.perf_counter() - began
    )


def code_by_names(rows: pd.DataFrame) -> dict:
    """Return the figures of rules that are written from the names of the labels alone."""
    stems = {label: [word[:5] for word in label.split() if len(word) > 2] for label in rows["label"].unique()}
    common, began = rows["label"].mode().iloc[0], time.perf_counter()
    said = rows["verbatim"].str.casefold()
    codes = [
        next((one for one, parts in sorted(stems.items()) if parts and all(p in text for p in parts)), common)
        for text in said
    ]
    return judge(
        rows["label"].to_numpy(dtype=object),
        np.array(codes, dtype=object),
        None,
        0.0,
        time.perf_counter() - began,
    )


def _take_sides(scores: np.ndarray) -> np.ndarray:
    commoner = "positive" if (scores > 0).sum() >= (scores < 0).sum() else "negative"
    return np.where(scores > 0, "positive", np.where(scores < 0, "negative", commoner)).astype(object)


def main() -> None:
    """Print one JSON line."""
    parser = make_parser(__doc__)
    for side in ("positive", "neutral", "negative"):
        parser.add_argument(f"--{side}", nargs="+")
    parser.add_argument("--cold", action="store_true", help="the rules, without training")
    parser.add_argument("--rules-from-labels", action="store_true")
    parser.add_argument("--other", type=Path, help="a file of another domain to test on")
    parser.add_argument("--other-text")
    parser.add_argument("--other-label")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    sides = {side: getattr(options, side) for side in ("positive", "neutral", "negative")}
    rows = load_rows(options)
    rows = rows.assign(label=map_labels(rows["label"], sides)).dropna(subset="label")
    rows = rows[rows.groupby("label")["label"].transform("size") >= 3].reset_index(drop=True)
    peers: dict[str, object] = {}
    if options.cold:
        rows = rows[rows["label"].isin(["positive", "negative"])].reset_index(drop=True)
        ours = code_cold(rows, options.language)
        if options.language == "en":
            peers["vader"] = code_vader(rows)
    else:
        ours = cross_validate(rows, options.language, options.seed, run_ours)
        peers["tfidf_logistic"] = cross_validate(rows, options.language, options.seed, run_peer)
    if options.rules_from_labels:
        peers["rules_from_labels"] = code_by_names(rows)
    if options.other:
        other = read_rows(
            options.other, options.other_text or options.text, options.other_label or options.label
        )
        other = other.assign(label=map_labels(other["label"], sides)).dropna(subset="label")
        if other.empty:
            raise SystemExit(f"{options.other} holds no label that --positive, --neutral or --negative name.")
        known = rows["verbatim"].to_numpy(dtype=object), rows["label"].to_numpy(dtype=object)
        truth, held = other["label"].to_numpy(dtype=object), other["verbatim"].to_numpy(dtype=object)
        ours["other"] = judge(truth, *run_ours(*known, held, options.language))
        coder = fit_coder(*known, language=options.language)
        ours["other"]["novelty"] = measure_novelty(coder, held)._asdict()
        peers["tfidf_logistic"]["other"] = judge(truth, *run_peer(*known, held, options.language))
    found = {"benchmark": "coding", "data": options.data.name, "n": len(rows), "language": options.language}
    found |= {"cold": options.cold, "n_labels": rows["label"].nunique(), "ours": ours, "peers": peers}
    found["ratios"] = {
        f"macro_f1_above_{name}": round(ours["macro_f1"] - peer["macro_f1"], 4)
        for name, peer in peers.items()
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
