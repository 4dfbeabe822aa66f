"""Proposals: what a month says that hardly anyone said before, put to people as new topics."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from vocwb import stats
from vocwb.schemas import OUTLIER, check_table, hash_id
from vocwb.understand.assignment import find_nearest, learn_centres

ACCEPTED = "accepted in "
"""How the lineage of a topic begins that people accepted: it serves from that month on."""

FEWEST_MEMBERS = 8
"""Fewer verbatims than this are no proposal."""

_NEIGHBOURS = 10
_SPARSE = 0.5
_DENSEST = 1.2
_Q = 0.01
_Q_WITHIN = 0.1
_MOST = 5000
_BLOCK = 2048
_COLUMNS = [
    "proposal", "codebook_id", "month", "voice", "language", "encoder_id", "n", "cohesion", "earlier_share",
    "p_adjusted", "unassigned", "nearest_topic", "nearest_similarity", "examples", "feedback_ids", "vector", "floor",
]  # fmt: skip


def propose_topics(
    opinions: pd.DataFrame, vectors: np.ndarray, assignments: pd.DataFrame, codebook: pd.DataFrame,
    earlier: pd.DataFrame, earlier_vectors: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """Return proposals, a row each: groups of a month's verbatims where hardly any lay in the months before.

    opinions: feedback_id, month, voice, language, the month's, of one voice and one encoder, with `vectors`.
    assignments: feedback_id, topic, of these. codebook: its topics of that voice and language. earlier:
    feedback_id, topic, month, a row a verbatim of earlier months (its first topic), with `earlier_vectors`.
    Verbatims that had no topic earlier explain nothing, and so count as if they had not been.

    A new topic often lies beside an old one, within its floor, so that similarity alone misses it. Here each
    verbatim's neighbourhood (as far as its 10th neighbour of the same month) is compared with how many
    earlier verbatims lie within it, against what equal density would give, smoothed over those neighbours: of
    all earlier months together and of the last one, whichever is denser, so that what began last month is not
    proposed again. Those with under half of it are grouped by average linkage, down to the cohesion that half of the
    codebook's topics have. Only one half of the earlier verbatims serves to find the groups. The other half
    tests them: of the verbatims of a group and of the earlier ones whose nearest verbatim of the month is in
    it, the shares must differ by `stats.compare_shares`, adjusted over the groups, at 1%, and earlier_share (1:
    as dense as this month) be under 0.5. A topic that grows as a whole is not a new one: the group's share of
    the topic that most of it was given must have risen too (5%, one side).

    Columns: proposal (an id of what it holds), codebook_id, month, voice, language, encoder_id, n, cohesion (mean
    cosine to the centre), earlier_share (0..), p_adjusted, unassigned (share that fits no topic), nearest_topic
    and nearest_similarity (cosine of centres), examples (5 ids), feedback_ids, vector, floor; largest first.
    Nothing is added to the codebook: `accept_proposals` does that when people say so. No order of rows matters.

    Sources: nearest-neighbour density ratios (Loftsgaarden and Quesenberry 1965; the two-sample test of Henze
    1988 counts neighbours likewise); sample splitting (Cox 1975).

    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "month": "2025-01", "voice": "customer", "language": "en"})
    >>> rows = pd.DataFrame({"feedback_id": ["f"], "topic": ["T0001"], "month": "2024-12"})
    >>> codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "encoder_id": ["e"], "vector": [[1.0]],
    ...                          "floor": [0.5]})
    >>> len(propose_topics(opinions, np.ones((1, 1)), rows, codebook, rows, np.ones((1, 1))))
    0
    """
    opinions, vectors = _sort_rows(opinions, vectors)
    earlier, earlier_vectors = _sort_rows(earlier, earlier_vectors)
    known = (earlier["topic"] != OUTLIER).to_numpy() & earlier_vectors.any(axis=1)
    earlier, earlier_vectors = earlier[known], earlier_vectors[known]
    opinions, vectors = opinions[vectors.any(axis=1)], vectors[vectors.any(axis=1)]
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in _COLUMNS})
    if len(opinions) < 2 * FEWEST_MEMBERS or len(earlier) < 2 * FEWEST_MEMBERS:
        return empty
    own = opinions["feedback_id"].map(_first_topic(assignments)).to_numpy(dtype=object)
    last = (earlier["month"] == earlier["month"].max()).to_numpy()
    sides = [
        (earlier_vectors[part], earlier["topic"].to_numpy(dtype=object)[part]) for part in (last | True, last)
    ]
    nearest = _find_neighbours(vectors, vectors, _NEIGHBOURS, alone=True)
    sparse = np.max([_compare_density(vectors, side[::2], nearest) for side, _ in sides], axis=0)
    rows = np.sort(np.argsort(sparse, kind="stable")[: min(_MOST, np.count_nonzero(sparse < _SPARSE))])
    cohesion = _typical_cohesion(earlier_vectors, earlier["topic"])
    groups = [rows[group] for group in _group(vectors[rows], cohesion)]
    if not groups:
        return empty
    tested = [_test_groups(groups, vectors, own, nearest, side[1::2], topics[1::2]) for side, topics in sides]
    # The last month alone is small: it has a say in the density, and all months together are the test.
    (_, p, p_within), share = tested[0], np.max([shares for shares, _, _ in tested], axis=0)
    described = [
        _describe(opinions.iloc[group], vectors[group], own[group], codebook)
        | {"earlier_share": round(float(ratio), 4), "p_adjusted": float(chance)}
        for group, ratio, chance, within in zip(groups, share, p, p_within, strict=True)
        if ratio < 0.5 and chance <= _Q and within <= _Q_WITHIN
    ]
    described.sort(key=lambda row: (-row["n"], row["proposal"]))
    return pd.DataFrame(described, columns=_COLUMNS)


def accept_proposals(
    codebook: pd.DataFrame, proposals: pd.DataFrame, *, topics: Sequence[str], names: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the codebook with these proposals appended as topics of these ids, in their order.

    No row that was there changes, and neither does an assignment that was made: the new topics serve from the
    proposals' month on (`first_seen`, and lineage "accepted in ..."). A new topic joins the theme of its nearest
    one. topics: ids that were never given. names: where there are such; else its terms are its name.

    >>> len(accept_proposals(pd.DataFrame({"topic": ["T0001"]}), pd.DataFrame({"proposal": []}), topics=[]))
    1
    """
    if proposals.empty:
        return codebook
    terms = proposals["terms"] if "terms" in proposals else [[]] * len(proposals)
    called = [
        name or " · ".join(own[:3]) or f"like {nearest}"
        for name, own, nearest in zip(
            names or [""] * len(proposals), terms, proposals["nearest_topic"], strict=True
        )
    ]
    nearest = codebook.set_index("topic").loc[proposals["nearest_topic"], ["theme", "theme_name"]]
    new = proposals[["codebook_id", "voice", "language", "encoder_id", "vector", "floor", "examples"]].assign(
        topic=list(topics), terms=list(terms), name=called, size=proposals["n"].astype("int64"),
        first_seen=proposals["month"], lineage=ACCEPTED + proposals["month"],
        theme=nearest["theme"].to_numpy(), theme_name=nearest["theme_name"].to_numpy(),
    )  # fmt: skip
    return check_table("codebook", pd.concat([codebook, new], ignore_index=True))


def _first_topic(assignments: pd.DataFrame) -> pd.Series:
    """Return the most similar topic of each verbatim, by feedback_id."""
    order = [column for column in ("similarity", "topic") if column in assignments]
    best = assignments.sort_values(order, ascending=[column == "topic" for column in order])
    return best.drop_duplicates("feedback_id").set_index("feedback_id")["topic"]


def _sort_rows(frame: pd.DataFrame, vectors: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    frame = frame.reset_index(drop=True).sort_values("feedback_id")
    return frame, np.asarray(vectors, dtype="f4")[frame.index]


def _find_neighbours(rows, others, count: int, *, alone: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices and similarities of each row's nearest others, nearest first; alone: not itself."""
    count = min(count, len(others) - alone)
    indices, similarities = np.empty((len(rows), count), int), np.empty((len(rows), count), "f4")
    for start in range(0, len(rows), _BLOCK):
        near = rows[start : start + _BLOCK] @ others.T
        if alone:
            near[np.arange(len(near)), np.arange(start, start + len(near))] = -2
        found = np.argpartition(-near, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(near, found, axis=1)
        order = np.lexsort((found, -values), axis=1)
        indices[start : start + _BLOCK] = np.take_along_axis(found, order, axis=1)
        similarities[start : start + _BLOCK] = np.take_along_axis(values, order, axis=1)
    return indices, similarities


def _compare_density(vectors, earlier, nearest) -> np.ndarray:
    """Return each row's earlier density over this month's, at most 1.2, averaged with its neighbours'."""
    indices, similarities = nearest
    reach = similarities[:, -1:]
    within = np.concatenate(
        [
            (vectors[start : start + _BLOCK] @ earlier.T >= reach[start : start + _BLOCK]).sum(axis=1)
            for start in range(0, len(vectors), _BLOCK)
        ]
    )
    ratio = np.minimum(within / indices.shape[1] * len(vectors) / len(earlier), _DENSEST)
    return np.column_stack([ratio, ratio[indices]]).mean(axis=1)


def _test_groups(groups, vectors, own, nearest, earlier, topics) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each group's earlier density over this month's, the adjusted p of their being alike, and the p within.

    Within: of the group's share of the topic that most of it was given, so that a topic that grows as a whole is
    not taken for a new one; 0 where most of the group has no topic.
    """
    now, before = nearest[0][:, 0], _find_neighbours(earlier, vectors, 1)[0][:, 0]
    counts = []
    for group in groups:
        k_now, k_before = np.isin(now, group), np.isin(before, group)
        names, sizes = np.unique(own[group].astype(str), return_counts=True)
        there, then = own == names[sizes.argmax()], topics == names[sizes.argmax()]
        everywhere = k_now.sum(), len(own), k_before.sum(), len(topics)
        counts.append([*everywhere, (k_now & there).sum(), there.sum(), (k_before & then).sum(), then.sum()])
    now, n_now, before, n_before, *within = np.array(counts).T
    p = stats.adjust_p(stats.compare_shares(now, n_now, before, n_before)["p"])
    # Without earlier verbatims of that topic there is no p: nothing there can have grown.
    p_within = np.nan_to_num(stats.compare_shares(*within)["p"], nan=0.0)
    p_within[within[0] * within[3] < within[2] * within[1]] = 1
    return before / n_before / (np.maximum(now, 1) / n_now), np.nan_to_num(p, nan=1.0), p_within


def _typical_cohesion(vectors: np.ndarray, topics: pd.Series) -> float:
    """Return the median over topics of the mean cosine of two of its members."""
    codes, _ = pd.factorize(topics, sort=True)
    counts = np.bincount(codes)
    sums = np.zeros((len(counts), vectors.shape[1]))
    np.add.at(sums, codes, vectors)
    pairs = ((sums**2).sum(axis=1) - counts) / np.maximum(counts * (counts - 1), 1)
    return float(np.median(pairs[counts > 1])) if (counts > 1).any() else 0.5


def _group(vectors: np.ndarray, cohesion: float) -> list[np.ndarray]:
    """Return groups of FEWEST_MEMBERS rows or more whose mean pair reaches the cohesion, by average linkage."""
    if len(vectors) < FEWEST_MEMBERS:
        return []
    distances = np.clip(1 - vectors.astype(float) @ vectors.T.astype(float), 0, None)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), "average")
    labels = fcluster(tree, 1 - cohesion, "distance")
    return [
        np.flatnonzero(labels == label)
        for label in np.unique(labels)
        if (labels == label).sum() >= FEWEST_MEMBERS
    ]


def _describe(members, vectors, own, codebook) -> dict:
    (centre,), (floor,) = learn_centres(vectors, np.zeros(len(vectors), int))
    similarity = vectors @ centre
    topics = codebook.sort_values("topic")
    (nearest,), (near,) = find_nearest(
        centre[None], np.array(topics["vector"].tolist()), np.full(len(topics), -1.0)
    )
    topic = topics["topic"].iloc[nearest]
    order = np.lexsort((members["feedback_id"], -similarity.round(4)))
    ids = members["feedback_id"].tolist()
    first = members.iloc[0]
    return {
        "proposal": "P" + hash_id(*ids)[:12], "codebook_id": topics["codebook_id"].iloc[0], "month": first["month"],
        "voice": first["voice"], "language": first["language"], "encoder_id": topics["encoder_id"].iloc[0],
        "n": len(ids), "cohesion": round(float(similarity.mean()), 4),
        "unassigned": round(float((own == OUTLIER).mean()), 4),
        "nearest_topic": topic, "nearest_similarity": float(near), "examples": [ids[row] for row in order[:5]],
        "feedback_ids": ids, "vector": centre.tolist(),
        # A group is the core of what is new, so its own floor would turn the rest away.
        "floor": min(float(floor), float(topics["floor"].iloc[nearest])),
    }  # fmt: skip
