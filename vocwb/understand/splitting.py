"""Splitting: into what a topic could be split, for people to decide."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from vocwb.understand.encoders import Encoder
from vocwb.understand.topics import Encode

MOST_PARTS = 6
_FEWEST = 4
_JUDGED = 2_000


def split_topic(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame, encoders: Mapping[str, Encoder],
    encode: Encode, topic: str,
) -> pd.DataFrame:  # fmt: skip
    """Return feedback_id and part (0, 1, ..., the largest first) of the members of one topic.

    opinions: feedback_id, verbatim; assignments: feedback_id, topic; codebook: topic, encoder_id. Spherical
    k-means of the members' vectors into 2 to 6 parts, as many as have the best silhouette by cosine. A topic of
    fewer than 4 members, or of equal ones, is one part, and one that the codebook does not have is none.

    Sources: Dhillon and Modha 2001 (spherical k-means), Rousseeuw 1987 (silhouette).

    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "verbatim": ["late"]})
    >>> rows = pd.DataFrame({"feedback_id": ["f"], "topic": ["T0001"]})
    >>> book = pd.DataFrame({"topic": ["T0001"], "encoder_id": ["e"]})
    >>> split_topic(opinions, rows, book, {"e": None}, lambda encoder, texts: np.ones((1, 1)), "T0001").values.tolist()
    [['f', 0]]
    """
    ids = assignments.loc[assignments["topic"] == topic, "feedback_id"]
    members = opinions[opinions["feedback_id"].isin(ids)].sort_values("feedback_id")
    own = codebook.loc[codebook["topic"] == topic, "encoder_id"]
    if own.empty or members.empty:
        return pd.DataFrame({"feedback_id": pd.Series(dtype="str"), "part": pd.Series(dtype="int64")})
    vectors = np.asarray(encode(encoders[own.iloc[0]], members["verbatim"].tolist()), dtype=float)
    best, best_score = np.zeros(len(members), dtype=int), -1.0
    distinct = len(np.unique(vectors.round(5), axis=0))
    for count in range(
        2, min(MOST_PARTS, distinct - 1, len(members) // 2) + 1 if len(members) >= _FEWEST else 2
    ):
        parts = KMeans(count, n_init=5, random_state=0).fit_predict(vectors)
        if len(np.unique(parts)) < 2:
            continue
        score = silhouette_score(
            vectors, parts, metric="cosine", sample_size=min(_JUDGED, len(parts)), random_state=0
        )
        if score > best_score:
            best, best_score = parts, score
    order = np.argsort(-np.bincount(best), kind="stable")
    return members[["feedback_id"]].assign(part=np.argsort(order)[best]).reset_index(drop=True)
