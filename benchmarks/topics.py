"""Are the topics found those that people would draw, as many as they would, and how fast: against BERTopic's defaults.

Measured on any file of labelled texts (CSV, TSV, XLSX, JSONL); rows without a text, a label or a vector are left
out. A row has one label: of a list in JSONL, or of a cell that --split divides, the first.

"ours": the topics of `cluster_vectors`, and the terms of the codebook that `fit_codebook` makes of them. Peer, on
the same vectors in the same run: the topics of BERTopic's default fit (UMAP with 15 neighbours to 5 dimensions
by cosine, unseeded and on all cores; HDBSCAN from 10 texts on; c-TF-IDF). "assigned": ours once more, after
`assign_topics` has given each of the texts to the nearest topic of the codebook, as it does with next month's.
"nmi", "ami" and "ari" against the labels; on each side its outliers count as one class of their own. "n_topics"
against "n_labels". "npmi" and "diversity" of the first ten terms of the topics, computed alike for both.
"seconds" are discovery alone, vectors to topics with terms; before them each side fits once on up to 4,500 texts,
so that compiling counts for neither (a first fit in a new process waits for it on both sides).
"ratios": ours less the peer's ami, and the peer's seconds to ours.

    python benchmarks/topics.py --data questions.csv --text text --label label --encoder minilm-en
"""

import json
import time
import warnings

import numpy as np
import pandas as pd
from labelled import encode_rows, load_rows, make_parser
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score

from vocwb.schemas import OUTLIER
from vocwb.understand.assignment import assign_topics
from vocwb.understand.clusters import cluster_vectors
from vocwb.understand.codebook import fit_codebook
from vocwb.understand.terms import score_terms

WARM_UP = 4_500
"""So many rows are fitted, untimed, before the clock starts: above 4,096 UMAP compiles its search for neighbours."""


def run_ours(rows: pd.DataFrame, vectors: np.ndarray, *, language: str, encoder_id: str, seed: int) -> dict:
    """Return topics (-1 none), terms and seconds of discovery, and the same of the assignment that follows it."""
    way = {"language": language, "encoder_id": encoder_id, "codebook_id": "C1", "seed": seed}
    began = time.perf_counter()
    found = cluster_vectors(vectors, seed=seed)
    book = fit_codebook(rows, vectors, clusters=found, **way)
    fitted = time.perf_counter()
    assigned = assign_topics(rows, book, vectors).set_index("feedback_id")["topic"]
    # A verbatim of several topics counts under the first, the one of all its words.
    topics = assigned[~assigned.index.duplicated()][rows["feedback_id"]]
    return {
        "topics": found.labels, "terms": book["terms"].tolist(), "n_themes": len(set(found.themes.tolist())),
        "seconds": round(fitted - began, 3),
        "assigned": {
            "topics": np.where(topics == OUTLIER, -1, topics.str[1:].astype(int)),
            "seconds": round(time.perf_counter() - fitted, 3),
        },
    }  # fmt: skip


def run_bertopic(texts: list[str], vectors: np.ndarray) -> dict:
    """Return topics, terms and seconds of BERTopic's default fit."""
    from bertopic import BERTopic

    began = time.perf_counter()
    model = BERTopic().fit(texts, vectors)
    seconds = time.perf_counter() - began
    topics = np.array(model.topics_)
    terms = [[word for word, _ in model.get_topic(topic) if word] for topic in range(topics.max() + 1)]
    return {"topics": topics, "terms": terms, "seconds": round(seconds, 3)}


def judge_topics(side: dict, labels: np.ndarray, rows: pd.DataFrame, language: str) -> dict:
    """Return the side's figures, its topics and terms weighed against the labels."""
    side = dict(side)
    topics = side.pop("topics")
    scores = {
        "nmi": normalized_mutual_info_score, "ami": adjusted_mutual_info_score, "ari": adjusted_rand_score,
    }  # fmt: skip
    judged = {name: round(float(score(labels, topics)), 4) for name, score in scores.items()}
    judged |= {
        "n_topics": len(set(topics.tolist()) - {-1}), "n_labels": len(set(labels.tolist())),
        "outlier_share": round(float((topics < 0).mean()), 4),
    }  # fmt: skip
    terms = side.pop("terms", None)
    if terms:
        found = score_terms(terms, rows["verbatim"].tolist(), [language] * len(rows))
        judged |= {"npmi": round(found.npmi, 4), "diversity": round(found.diversity, 4)}
    return judged | side


def main() -> None:
    """Print one JSON line."""
    options = make_parser(__doc__).parse_args()
    warnings.filterwarnings("ignore")
    rows = load_rows(options)
    encoder_id, vectors = encode_rows(rows, options)
    known = vectors.any(axis=1)
    rows, vectors = rows[known].reset_index(drop=True), vectors[known]
    way = {"language": options.language, "encoder_id": encoder_id, "seed": options.seed}

    run_ours(rows[:WARM_UP], vectors[:WARM_UP], **way)
    run_bertopic(rows["verbatim"][:WARM_UP].tolist(), vectors[:WARM_UP])
    ours = run_ours(rows, vectors, **way)
    sides = {
        "ours": ours, "assigned": ours.pop("assigned"),
        "bertopic": run_bertopic(rows["verbatim"].tolist(), vectors),
    }  # fmt: skip
    labels = pd.factorize(rows["label"])[0]
    judged = {name: judge_topics(side, labels, rows, options.language) for name, side in sides.items()}
    ours, peer = judged["ours"], judged["bertopic"]
    print(
        json.dumps(
            {
                "benchmark": "topics", "data": options.data.name, "n": len(rows), "encoder": options.encoder,
                "seed": options.seed, "ours": ours, "assigned": judged["assigned"], "peers": {"bertopic": peer},
                "ratios": {
                    "ami_gain": round(ours["ami"] - peer["ami"], 4),
                    "speed": round(peer["seconds"] / ours["seconds"], 2),
                    "topics_to_labels": round(ours["n_topics"] / ours["n_labels"], 2),
                },
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
