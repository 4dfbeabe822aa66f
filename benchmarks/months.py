"""Does a topic mean the same next month: pairs of texts from different months, and labels that begin late.

Measured on any file of labelled texts (CSV, TSV, XLSX, JSONL). A seeded lot deals the rows to months. Some labels,
chosen by lot, begin only in month three: all their rows lie in the third month and after it. Ours fits a
codebook on month one and then goes month by month, as a programme does: assign, propose, accept, assign that
month again; no earlier assignment changes. A person who accepts every proposal stands for the people.

Of two texts from different months, do they have the same topic where they have the same label: "precision",
"recall" and "f1" of such pairs, counted from contingency tables; a text without a topic pairs with nothing.
"new_found" labels of those that begin late are the majority of some proposal in month three; "new_purity" is the
mean share of that majority over month three's proposals; "new_false" is the greatest number of proposals
in one month whose majority is no new label (one already accepted counts as false too). "kept" is the share
of earlier verbatims whose stored topic a fresh assignment of their text under the codebook of their month repeats.

Peers, with the same vectors in the same run: BERTopic with its defaults (seeded), a model a month, put together by
`merge_models`; the first month's model with `transform`; "one_fit": our fit over all months at once, which no
schedule can have, and whose seconds against those of assigning the same rows are the ratio "refit_to_assign".

    python benchmarks/months.py --data questions.csv --text text --label label --encoder minilm-en
"""

import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from labelled import encode_rows, load_rows, make_parser

from vocwb.schemas import OUTLIER
from vocwb.understand.assignment import assign_topics
from vocwb.understand.codebook import fit_codebook
from vocwb.understand.proposals import accept_proposals, propose_topics
from vocwb.understand.topics import next_number

BEGINS = 3
"""The month in which the late labels begin."""


def deal_months(labels: pd.Series, *, months: int, late: int, seed: int) -> tuple[np.ndarray, list[str]]:
    """Return each row's month, 1 to `months`, and the labels that begin in month BEGINS."""
    draw = np.random.default_rng(seed)
    begins = sorted(draw.choice(sorted(set(labels)), late, replace=False).tolist())
    dealt = draw.integers(1, months + 1, len(labels))
    is_late = labels.isin(begins).to_numpy()
    dealt[is_late] = draw.integers(BEGINS, months + 1, is_late.sum())
    return dealt, begins


def score_pairs(topics: np.ndarray, labels: np.ndarray, months: np.ndarray) -> dict[str, float]:
    """Return precision, recall and F1 of pairs of different months; topic -1 pairs with nothing.

    >>> score_pairs(np.array([0, 0, 1]), np.array([5, 5, 5]), np.array([1, 2, 2]))
    {'precision': 1.0, 'recall': 0.5, 'f1': 0.6667}
    """

    def count(*keys: np.ndarray) -> float:
        cells = pd.Series(1, range(len(months))).groupby(list(keys)).sum()
        within = pd.Series(1, range(len(months))).groupby([*keys, months]).sum()
        return float((cells**2).sum() - (within**2).sum()) / 2

    alone = np.where(topics < 0, -1 - np.arange(len(topics)), topics)
    both = count(alone, labels)
    precision, recall = both / max(count(alone), 1), both / max(count(labels), 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-12)
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def run_ours(rows: pd.DataFrame, vectors: np.ndarray, *, language: str, encoder_id: str, seed: int) -> dict:
    """Return topics (a number a row, -1 none), the proposals, and what was stored again unchanged."""
    began = time.perf_counter()
    by_month = {month: np.flatnonzero(rows["month"] == month) for month in sorted(set(rows["month"]))}
    first, *later = by_month
    place = pd.Series(range(len(rows)), rows["feedback_id"])
    book = fit_codebook(
        rows.iloc[by_month[first]], vectors[by_month[first]], language=language, encoder_id=encoder_id,
        codebook_id="C1", seed=seed,
    )  # fmt: skip
    fitted = time.perf_counter() - began
    stored, books, proposals = (
        [assign_topics(rows.iloc[by_month[first]], book, vectors[by_month[first]])],
        [book],
        [],
    )
    for month in later:
        opinions, own = rows.iloc[by_month[month]], vectors[by_month[month]]
        assigned = assign_topics(opinions, book, own)
        earlier = pd.concat(stored, ignore_index=True).merge(rows[["feedback_id", "month"]], on="feedback_id")
        proposed = propose_topics(
            opinions, own, assigned, book, earlier, vectors[place[earlier["feedback_id"]].to_numpy()]
        )
        first_number = next_number(book)
        ids = [f"T{number:04d}" for number in range(first_number, first_number + len(proposed))]
        book = accept_proposals(book, proposed, topics=ids)
        stored.append(assign_topics(opinions, book, own))
        books.append(book)
        proposals.append(proposed)
    again = [
        assign_topics(rows.iloc[by_month[month]], book, vectors[by_month[month]])
        for month, book in zip(by_month, books, strict=True)
    ]
    kept = [(one["topic"] == other["topic"]).mean() for one, other in zip(stored, again, strict=True)]
    topics = pd.concat(stored).set_index("feedback_id")["topic"][rows["feedback_id"]]
    return {
        "topics": np.where(topics == OUTLIER, -1, topics.str[1:].astype(int)),
        "proposals": pd.concat(proposals, ignore_index=True),
        "first": len(books[0]), "n_topics": len(book), "kept": float(min(kept)), "fit_seconds": round(fitted, 3),
        "seconds": round(time.perf_counter() - began, 3),
    }  # fmt: skip


def judge_proposals(proposals: pd.DataFrame, rows: pd.DataFrame, late: list[str]) -> dict:
    """Return how many late labels month three's proposals hold, their purity, and the false ones of each month."""
    labels = rows.set_index("feedback_id")["label"]
    counts = [labels[ids].value_counts() for ids in proposals["feedback_ids"]]
    judged = pd.DataFrame(
        {
            "month": proposals["month"].astype(int), "label": [count.index[0] for count in counts],
            "purity": [count.iloc[0] / count.sum() for count in counts],
        }
    )  # fmt: skip
    then = judged[judged["month"] == BEGINS]
    false = judged[~judged["label"].isin(late) | (judged["month"] != BEGINS)]["month"].value_counts()
    return {
        "new_found": int(then.loc[then["label"].isin(late), "label"].nunique()),
        "new_purity": round(float(then["purity"].mean()), 4) if len(then) else None,
        "new_false": int(false.max()) if len(false) else 0,
        "proposed": {
            str(month): int(count) for month, count in judged["month"].value_counts().sort_index().items()
        },
        "false": {str(month): int(count) for month, count in false.sort_index().items()},
    }


def run_bertopic(rows: pd.DataFrame, vectors: np.ndarray, seed: int) -> dict[str, dict]:
    """Return topics and seconds of merge_models and of transform; BERTopic's defaults, UMAP seeded."""
    from bertopic import BERTopic
    from umap import UMAP

    def fit(part: np.ndarray) -> BERTopic:
        # BERTopic's own UMAP settings, with a seed.
        reducer = UMAP(
            n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", low_memory=False, random_state=seed
        )
        return BERTopic(umap_model=reducer).fit(rows["verbatim"].iloc[part].tolist(), vectors[part])

    parts = [np.flatnonzero(rows["month"] == month) for month in sorted(set(rows["month"]))]
    began = time.perf_counter()
    models = [fit(parts[0])]
    first = time.perf_counter() - began
    models += [fit(part) for part in parts[1:]]
    merged = BERTopic.merge_models(models)
    merging = time.perf_counter() - began
    pooled = np.empty(len(rows), int)
    pooled[np.concatenate(parts)] = merged.topics_
    began = time.perf_counter()
    moved = np.empty(len(rows), int)
    moved[parts[0]] = models[0].topics_
    for part in parts[1:]:
        moved[part] = models[0].transform(rows["verbatim"].iloc[part].tolist(), vectors[part])[0]
    transforming = first + time.perf_counter() - began
    return {
        "merge_models": {"topics": pooled, "seconds": round(merging, 3)},
        "transform": {"topics": moved, "seconds": round(transforming, 3)},
    }


def run_one_fit(
    rows: pd.DataFrame, vectors: np.ndarray, *, language: str, encoder_id: str, seed: int
) -> dict:
    """Return topics of one fit over all months, its seconds, and those of assigning the same rows."""
    began = time.perf_counter()
    book = fit_codebook(rows, vectors, language=language, encoder_id=encoder_id, codebook_id="C1", seed=seed)
    fitted = time.perf_counter()
    topics = assign_topics(rows, book, vectors).set_index("feedback_id")["topic"][rows["feedback_id"]]
    return {
        "topics": np.where(topics == OUTLIER, -1, topics.str[1:].astype(int)),
        "seconds": round(fitted - began, 3),
        "assign_seconds": round(time.perf_counter() - fitted, 4),
    }


def main() -> None:
    """Print one JSON line."""
    parser = make_parser(__doc__, seed=1)
    parser.add_argument("--months", type=int, default=4)
    parser.add_argument("--new-labels", type=int, default=10)
    parser.add_argument(
        "--vectors", type=Path, help="a .npy file of the rows' vectors, instead of the encoder"
    )
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    rows = load_rows(options)
    months, late = deal_months(
        rows["label"], months=options.months, late=options.new_labels, seed=options.seed
    )
    rows = rows.assign(month=months.astype(str))
    encoder_id = options.encoder
    if options.vectors:
        vectors = np.load(options.vectors)
    else:
        encoder_id, vectors = encode_rows(rows, options)
    way = {"language": options.language, "encoder_id": encoder_id, "seed": options.seed}
    ours = run_ours(rows, vectors, **way)
    peers = run_bertopic(rows, vectors, options.seed) | {"one_fit": run_one_fit(rows, vectors, **way)}
    labels = pd.factorize(rows["label"])[0]
    ours |= judge_proposals(ours.pop("proposals"), rows, late)
    for side in [ours, *peers.values()]:
        topics = side.pop("topics")
        side |= score_pairs(topics, labels, months)
        side["outlier_share"] = round(float((topics < 0).mean()), 4)
        side.setdefault("n_topics", len(set(topics.tolist()) - {-1}))
    ratios = {f"f1_to_{name}": round(ours["f1"] / max(peer["f1"], 1e-9), 3) for name, peer in peers.items()}
    ratios["refit_to_assign"] = round(peers["one_fit"]["seconds"] / peers["one_fit"]["assign_seconds"], 1)
    result = {
        "benchmark": "months", "data": options.data.name, "n": len(rows), "n_labels": int(labels.max() + 1),
        "seed": options.seed, "ours": ours, "peers": peers, "ratios": ratios,
    }  # fmt: skip
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
