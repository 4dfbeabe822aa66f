"""Does discovery find the same again: across five seeds, and across orders of the rows.

Measured on any file of labelled texts (CSV, TSV, XLSX, JSONL), read as `benchmarks/topics.py` reads it; the labels
only say how good a result is that is stable. "ari_seeds" is the mean adjusted Rand index between the
topics of each two seeds, "ari_seeds_min" the lowest, outliers as one class; "n_topics" a number a seed.
"ari_orders" is the lowest between the first seed's topics and those found when the rows come in other orders and
bear other ids: 1 is asked. Peer, on the same vectors in the same run: BERTopic with its defaults, as many
times; it takes no seed, so its runs differ as its users' do, and its orders differ with them.

    python benchmarks/stability.py --data questions.csv --text text --label label --encoder minilm-en
"""

import itertools
import json
import warnings

import numpy as np
import pandas as pd
from labelled import encode_rows, load_rows, make_parser
from sklearn.metrics import adjusted_rand_score
from topics import run_bertopic, run_ours

from vocwb.schemas import hash_id


def compare_pairs(found: list[np.ndarray]) -> dict[str, float]:
    """Return the mean and the lowest adjusted Rand index of each two of the results."""
    scores = [adjusted_rand_score(one, other) for one, other in itertools.combinations(found, 2)]
    return {"ari_seeds": round(float(np.mean(scores)), 4), "ari_seeds_min": round(float(np.min(scores)), 4)}


def shuffle_rows(rows: pd.DataFrame, order: np.ndarray, name: str) -> pd.DataFrame:
    """Return the rows in another order, with the ids that they would have, had they come in it."""
    return rows.iloc[order].assign(feedback_id=[hash_id(name, row) for row in range(len(rows))])


def main() -> None:
    """Print one JSON line."""
    parser = make_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--orders", type=int, default=3)
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    rows = load_rows(options)
    encoder_id, vectors = encode_rows(rows, options)
    known = vectors.any(axis=1)
    rows, vectors = rows[known].reset_index(drop=True), vectors[known]
    labels = pd.factorize(rows["label"])[0]

    def fit(rows: pd.DataFrame, vectors: np.ndarray, seed: int) -> np.ndarray:
        way = {"language": options.language, "encoder_id": encoder_id, "seed": seed}
        return run_ours(rows, vectors, **way)["topics"]

    found = [fit(rows, vectors, options.seed + step) for step in range(options.seeds)]
    draw = np.random.default_rng(options.seed)
    orders = [draw.permutation(len(rows)) for _ in range(options.orders)]
    again = [
        fit(shuffle_rows(rows, order, options.data.name), vectors[order], options.seed) for order in orders
    ]
    same = [adjusted_rand_score(found[0][order], topics) for order, topics in zip(orders, again, strict=True)]
    ours = compare_pairs(found) | {
        "ari_orders": round(float(min(same)), 4),
        "n_topics": [len(set(topics.tolist()) - {-1}) for topics in found],
        "ari": [round(float(adjusted_rand_score(labels, topics)), 4) for topics in found],
        "outlier_share": [round(float((topics < 0).mean()), 4) for topics in found],
    }
    peers = {}
    if not options.no_peer:
        runs = [run_bertopic(rows["verbatim"].tolist(), vectors)["topics"] for _ in range(options.seeds)]
        peers["bertopic"] = compare_pairs(runs) | {
            "n_topics": [len(set(topics.tolist()) - {-1}) for topics in runs],
            "ari": [round(float(adjusted_rand_score(labels, topics)), 4) for topics in runs],
        }
    ratios = {
        name: round(ours["ari_seeds"] / max(peer["ari_seeds"], 1e-9), 3) for name, peer in peers.items()
    }
    print(
        json.dumps(
            {
                "benchmark": "stability", "data": options.data.name, "n": len(rows), "encoder": options.encoder,
                "seeds": options.seeds, "ours": ours, "peers": peers, "ratios": ratios,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
