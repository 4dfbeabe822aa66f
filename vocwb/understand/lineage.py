"""Lineage: a refit keeps the ids of the topics that went on, and says what became of the others."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from vocwb import stats
from vocwb.errors import SchemaError
from vocwb.schemas import OUTLIER, unit_of
from vocwb.understand.assignment import find_space

RELATIONS = ("same", "renamed", "split", "merged", "new", "retired")

KEPT = 0.95
"""The share of the documents of all topics called "same" that keep their topic."""

_MATCH = 0.5
_PART = 0.5


class Lineage(NamedTuple):
    """A refitted codebook under its lasting ids, its assignments likewise, and the table of what became of what."""

    codebook: pd.DataFrame
    assignments: pd.DataFrame
    lineage: pd.DataFrame


def trace_lineage(
    codebook: pd.DataFrame, assignments: pd.DataFrame, new_codebook: pd.DataFrame, new_assignments: pd.DataFrame, *,
    first_number: int,
) -> Lineage:  # fmt: skip
    """Return the new codebook and assignments under ids that keep their meaning, and the lineage table.

    codebook, assignments: those in use (topic, name, terms, voice, language; feedback_id, topic).
    new_codebook, new_assignments: the refit's, on documents of which both have seen many; only these shared
    documents count, each by its most similar topic where it has several. first_number: above every number
    ever given (`next_number`): no id that was ever given comes back with another meaning.

    Pairs of one voice and language are matched one to one so that the sum of their Jaccard shares (shared
    documents over all documents of either) is largest (Hungarian method, Kuhn 1955). A pair with a share of
    0.5 at least keeps the earlier id. Relations:
    "same": such a pair, those that keep most of their documents first, as long as 95% of the documents of all
    of them together keep their topic.
    "renamed": the other such pairs, and those whose terms have changed (fewer than half of the first five of
    either stand among the other's): the id is kept, and people look at the name again.
    "split": at least half of a new topic's documents come from one earlier topic and it has an id of its own.
    "merged": at least half of an earlier topic's documents went into a topic that has another id.
    "new": no earlier topic gives half of its documents. "retired": an earlier topic that is in none of these.

    lineage: topic (the new id; "" for retired), earlier_topic ("" for new), relation (RELATIONS), score (0..1:
    Jaccard of same and renamed; the share of the new topic's documents for split, of the earlier topic's for
    merged; for new and retired the greatest Jaccard share there was), shared (documents). The codebook's column
    lineage holds the topic's first relation and where it comes from ("split from T0004").
    A topic that is the same keeps its terms and its name too, so that names that people gave it still hold.
    Of a first codebook, without an earlier one, every topic is new. Raises SchemaError when no document was seen
    by both.

    >>> old = pd.DataFrame({"topic": ["T0001"], "terms": [["late"]], "voice": "customer", "language": "en"})
    >>> seen = pd.DataFrame({"feedback_id": ["a", "b"], "topic": "T0001", "similarity": 1.0})
    >>> new = old.assign(topic="T0002", lineage="new")
    >>> traced = trace_lineage(old, seen, new, seen.assign(topic="T0002"), first_number=2)
    >>> traced.lineage.values.tolist()
    [['T0001', 'T0001', 'same', 1.0, 2]]
    """
    before, after = _first_topics(assignments), _first_topics(new_assignments)
    shared = before.index.intersection(after.index)
    if not len(shared) and len(codebook):
        raise SchemaError(
            "The two codebooks have no document in common.",
            f"{len(before)} verbatims are assigned under the one in use, {len(after)} under the new one.",
            "Refit on feedback that reaches back to months that the codebook in use has assigned.",
        )
    earlier, later = codebook["topic"].tolist(), new_codebook["topic"].tolist()
    table = pd.crosstab(before[shared], after[shared]).reindex(index=earlier, columns=later, fill_value=0)
    both = table.to_numpy(dtype=float, copy=True)
    # Documents that one side left without a topic count in the other's size.
    old_sizes = before[shared].value_counts().reindex(earlier, fill_value=0).to_numpy(dtype=float)
    new_sizes = after[shared].value_counts().reindex(later, fill_value=0).to_numpy(dtype=float)
    places = [list(zip(book["voice"], book["language"], strict=True)) for book in (codebook, new_codebook)]
    apart = np.array([[old != new for new in places[1]] for old in places[0]], dtype=bool).reshape(both.shape)
    both[apart] = 0
    jaccard = both / np.maximum(old_sizes[:, None] + new_sizes - both, 1)
    kept = {
        new: old
        for old, new in zip(*linear_sum_assignment(-jaccard), strict=True)
        if jaccard[old, new] >= _MATCH
    }
    ids, number = {}, first_number
    for new, topic in enumerate(later):
        ids[topic] = earlier[kept[new]] if new in kept else f"T{number:04d}"
        number += new not in kept
    terms = [book["terms"].tolist() for book in (codebook, new_codebook)]
    alike = [(old, new) for new, old in kept.items() if _alike(terms[0][old], terms[1][new])]
    alike.sort(key=lambda pair: (-both[pair] / old_sizes[pair[0]], -both[pair], pair))
    same = set()
    if alike:
        keeping = np.cumsum([both[pair] for pair in alike]) / np.cumsum([old_sizes[old] for old, _ in alike])
        same = {new for (_, new), share in zip(alike, keeping, strict=True) if share >= KEPT}
    rows = []
    for new, topic in enumerate(later):
        if new in kept:
            old = kept[new]
            relation = "same" if new in same else "renamed"
            rows.append((ids[topic], earlier[old], relation, jaccard[old, new], both[old, new]))
            continue
        share = both[:, new] / max(new_sizes[new], 1)
        source = int(share.argmax()) if len(earlier) else 0
        if len(earlier) and share[source] >= _PART:
            rows.append((ids[topic], earlier[source], "split", share[source], both[source, new]))
        else:
            rows.append((ids[topic], "", "new", jaccard[:, new].max(initial=0), 0))
    for old, topic in enumerate(earlier):
        share = both[old] / max(old_sizes[old], 1)
        target = int(share.argmax()) if len(later) else 0
        if old in kept.values() or topic in {row[1] for row in rows if row[2] == "split"}:
            continue
        if len(later) and share[target] >= _PART:
            rows.append((ids[later[target]], topic, "merged", share[target], both[old, target]))
        else:
            rows.append(("", topic, "retired", jaccard[old].max(initial=0), 0))
    lineage = pd.DataFrame(rows, columns=["topic", "earlier_topic", "relation", "score", "shared"])
    lineage = lineage.assign(
        score=lineage["score"].astype(float).round(4), shared=lineage["shared"].astype(int)
    )
    lineage = lineage.sort_values(["topic", "earlier_topic"], ignore_index=True)
    return Lineage(
        _relabel_codebook(new_codebook, ids, lineage, codebook),
        new_assignments.assign(topic=new_assignments["topic"].map(ids | {OUTLIER: OUTLIER})),
        lineage,
    )


def restate_shares(
    assignments: pd.DataFrame, new_assignments: pd.DataFrame, units: pd.Series, lineage: pd.DataFrame
) -> pd.DataFrame:
    """Return a month's share of each topic as it was printed, beside the share under the new codebook.

    assignments: the month's under the codebook that the report was printed with; new_assignments: the same
    verbatims under the new one, with lasting ids; units: who speaks (respondent or response) by feedback_id, of
    every verbatim of the month (of one voice and language). A row a topic of either side: topic, relation
    ("same" for one without a lineage row), printed, printed_low, printed_high, restated, restated_low,
    restated_high (% of units, Wilson's 95% interval; empty where the topic was or is not there), difference
    (percentage points), n (units). Both columns are of the same units: the difference is the codebook's doing alone.

    >>> seen = pd.DataFrame({"feedback_id": ["a", "b"], "topic": ["T0001", "T0002"]})
    >>> units = pd.Series(["p", "q"], index=["a", "b"])
    >>> lineage = pd.DataFrame({"topic": ["T0001"], "earlier_topic": ["T0002"], "relation": ["merged"]})
    >>> restated = restate_shares(seen, seen.assign(topic="T0001"), units, lineage)
    >>> restated[["topic", "relation", "printed", "restated"]].values.tolist()
    [['T0001', 'same', 50.0, 100.0], ['T0002', 'merged', 50.0, nan]]
    """
    n = units.nunique()
    sides = {}
    for side, rows in (("printed", assignments), ("restated", new_assignments)):
        rows = rows[rows["feedback_id"].isin(units.index)]
        k = units[rows["feedback_id"]].groupby(rows["topic"].to_numpy()).nunique()
        low, high = stats.share_interval(k, n)
        sides |= {side: 100 * k / n, f"{side}_low": 100 * pd.Series(low, k.index)}
        sides |= {f"{side}_high": 100 * pd.Series(high, k.index)}
    table = pd.DataFrame(sides).sort_index().rename_axis("topic").reset_index()
    gone = lineage[lineage["relation"].isin(["merged", "retired"])].set_index("earlier_topic")["relation"]
    come = lineage[~lineage["relation"].isin(["merged", "retired"])].set_index("topic")["relation"]
    relation = table["topic"].map(gone.to_dict() | come.to_dict()).astype("str").fillna("same")
    # A topic that was split is not in the new codebook under its own id.
    split = lineage.loc[lineage["relation"] == "split", "earlier_topic"]
    relation = relation.mask(table["restated"].isna() & table["topic"].isin(split), "split")
    table.insert(1, "relation", relation)
    return table.assign(difference=table["restated"] - table["printed"], n=n)


def restate_month(opinions: pd.DataFrame, before: pd.DataFrame, refit: Lineage) -> pd.DataFrame:
    """Return a month's shares as they were printed and under a refit, of each voice and language apart.

    opinions: of the month, feedback_id, response_id, respondent_id, voice, language; before: the assignments that
    were printed. Columns as of `restate_shares`, with voice and language before them; the greatest
    difference first. Without earlier assignments of that month, or without its opinions, no rows.

    >>> opinions = pd.DataFrame({"feedback_id": ["a"], "voice": "customer", "language": "en"})
    >>> nothing = pd.DataFrame({"feedback_id": [], "topic": [], "voice": [], "language": []})
    >>> len(restate_month(opinions, nothing, Lineage(nothing, nothing, nothing)))
    0
    """
    found = []
    opinions = opinions[opinions["feedback_id"].isin(before["feedback_id"])]
    for voice, own in opinions.groupby("voice", sort=True):
        space = find_space(own, refit.codebook[refit.codebook["voice"] == voice])
        for language, heard in own.groupby(space, sort=True):
            units = unit_of(heard).set_axis(heard["feedback_id"])
            shares = restate_shares(before, refit.assignments, units, refit.lineage)
            shares.insert(0, "voice", voice)
            shares.insert(1, "language", language)
            found.append(shares)
    if not found:
        return pd.DataFrame(
            columns=["voice", "language", "topic", "relation", "printed", "restated", "difference"]
        )
    table = pd.concat(found, ignore_index=True)
    order = table["difference"].abs().sort_values(ascending=False, na_position="first", kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _first_topics(assignments: pd.DataFrame) -> pd.Series:
    """Return each document's most similar topic, by feedback_id, in order."""
    order = assignments.sort_values(["feedback_id", "similarity", "topic"], ascending=[True, False, True])
    return order.drop_duplicates("feedback_id").set_index("feedback_id")["topic"]


def _alike(old: list[str], new: list[str]) -> bool:
    """Return whether half of the first five terms of either stand among all terms of the other."""
    if not len(old) or not len(new):
        return True
    sides = (list(old)[:5], new), (list(new)[:5], old)
    return max(sum(term in set(others) for term in terms) / len(terms) for terms, others in sides) >= 0.5


def _relabel_codebook(
    codebook: pd.DataFrame, ids: dict[str, str], lineage: pd.DataFrame, earlier: pd.DataFrame
) -> pd.DataFrame:
    order = {relation: place for place, relation in enumerate(RELATIONS)}
    first = lineage.sort_values("relation", key=lambda column: column.map(order), kind="stable")
    first = first[first["topic"] != ""].drop_duplicates("topic").set_index("topic")
    said = {
        topic: f"split from {row.earlier_topic}" if row.relation == "split" else row.relation
        for topic, row in first.iterrows()
    }
    topics = codebook["topic"].map(ids)
    relabelled = codebook.assign(topic=topics, lineage=topics.map(said))
    old = {row["topic"]: row for row in earlier.to_dict("records")}
    for column, relations in (("terms", ["same"]), ("name", ["same"]), ("first_seen", ["same", "renamed"])):
        if column in relabelled and column in earlier:
            rows = zip(relabelled["topic"], relabelled["lineage"], relabelled[column], strict=True)
            kept = [old[topic][column] if lineage in relations else new for topic, lineage, new in rows]
            relabelled[column] = pd.Series(kept, relabelled.index, dtype=relabelled[column].dtype)
    return relabelled.sort_values("topic", ignore_index=True)
