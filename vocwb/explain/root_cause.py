"""Why a topic is spoken of: what narrows its verbatims, level by level. Leads to check, never causes."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from vocwb import stats
from vocwb.errors import VocwbError
from vocwb.explain.segments import split_by_language
from vocwb.languages import tokenise_text
from vocwb.schemas import check_table, empty_table, hash_id, make_findings
from vocwb.understand.metrics import format_interval, format_value, name_period

FEWEST_TO_DIVIDE = 15
"""Under this many units a group is not divided further."""

_MOST_AGAINST, _FEWEST_POSITIVE, _SAME = 20, 3, 0.8


class _Scope(NamedTuple):
    """What is searched: the verbatims of one language, a row each, and what each may be narrowed by.

    heard: unit, feedback_id, positive, similarity. candidates: label, kind, family (0 for terms, then one a
    segment). counts: sparse, verbatims x candidates. known: verbatims x families, false where a segment is empty.
    """

    heard: pd.DataFrame
    candidates: pd.DataFrame
    counts: sparse.csr_array
    known: np.ndarray


def choose_topic(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codes: pd.DataFrame, codebook: pd.DataFrame
) -> str:
    """Return the topic of which most customers speak negatively (on a tie the smaller id), or "".

    Needs the columns of explain.segments.split_by_language; codes: feedback_id, polarity. Counted in units
    (schemas.unit_of) with a verbatim of the topic that is coded negative. Where nothing is, the topic that
    most speak of; "" where no verbatim has a topic. Outliers, merged and retired topics do not count.

    >>> opinions = pd.DataFrame({"feedback_id": ["a", "b", "c"], "response_id": ["r", "s", "t"],
    ...                          "respondent_id": None, "language": "en", "voice": "customer"})
    >>> codebook = pd.DataFrame({"codebook_id": "c", "topic": ["T0001", "T0002"], "language": "en", "name": "x"})
    >>> assigned = pd.DataFrame({"feedback_id": ["a", "b", "c"], "codebook_id": "c",
    ...                          "topic": ["T0001", "T0001", "T0002"]})
    >>> codes = pd.DataFrame({"feedback_id": ["c"], "polarity": ["negative"]})
    >>> choose_topic(opinions, assigned, codes, codebook)
    'T0002'
    """
    negative = codes.loc[codes["polarity"] == "negative", "feedback_id"]
    tables = [
        talk[["feedback_id", "unit"]].assign(topic=talk["topic"].astype("str"))
        for _, talk, _ in split_by_language(opinions, assignments, codebook)
    ]
    talk = pd.concat(tables) if tables else pd.DataFrame({"feedback_id": [], "unit": [], "topic": []})
    bad = talk[talk["feedback_id"].isin(negative)]
    counts = (bad if len(bad) else talk).groupby("topic")["unit"].nunique()
    return str(counts.sort_index().idxmax()) if len(counts) else ""


def drill_down(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codes: pd.DataFrame, codebook: pd.DataFrame, *,
    topic: str, month: str, segments: Mapping[str, str], minimum: int = 5, max_depth: int = 5, branches: int = 3,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Return the tables causes and findings (section "root_cause") of what narrows a topic, level by level.

    Needs the columns of explain.segments.split_by_language, opinions also month, verbatim and the segments'
    columns (column -> label), assignments similarity, codebook terms; codes: feedback_id, polarity.

    A level asks of each term (languages.tokenise_text) and each level of a segment that at least `minimum`
    units (schemas.unit_of) have whether it is commoner among the units of the group than among the others:
    for the topic, the other customers of its language; for a group within it, the rest of the group above.
    Evidence needs Newcombe's interval above zero and p adjusted over all candidates of the level; p is the
    larger of two exact ones, of units and of words, because longer verbatims have more of every word. Best
    first by the z of the log-odds with an informative Dirichlet prior, here the words of both sides together
    (Monroe, Colaresi and Quinn 2008, Political Analysis 16). The topic's own terms define it, so they are no
    cause at depth 1. Left out is what picks nearly the verbatims (Jaccard over 0.8) of a sibling or, for a
    term below depth 1, of the group itself; what lies over 0.8 within a sibling and is commoner there is
    left to the level below.

    A group is not divided if it has fewer than 15 units, if no candidate has evidence, or at max_depth
    (1..5). At most `branches` children at depth 1, and one fewer at each depth after it, but at least one.

    Findings: subject topic, segment "cause", level the path; value in % of the group's n units (for a
    segment, of those whose level is known), low and high its Wilson interval, compared_value the others';
    counts alone where a side is under 30. evidence_for: the group's verbatims that have it. evidence_against:
    at most 20 without it, most central first, that are coded positive and not negative, or, where fewer
    than 3 are, any. Topic "" gives empty tables; a topic that is not there raises VocwbError.

    >>> verbatims = ["queue long lunch"] * 40 + ["queue polite"] * 40 + ["price fair"] * 80
    >>> ids = [f"f{i:03}" for i in range(160)]
    >>> opinions = pd.DataFrame({"feedback_id": ids, "response_id": ids, "respondent_id": None, "month": "2025-01",
    ...                          "language": "en", "voice": "customer", "verbatim": verbatims})
    >>> codebook = pd.DataFrame({"codebook_id": "c", "topic": ["T0001"], "language": "en", "name": "queue",
    ...                          "terms": [["queue", "long", "polite"]]})
    >>> assignments = opinions[["feedback_id"]].assign(codebook_id="c", similarity=0.5,
    ...                                                topic=["T0001"] * 80 + ["T0000"] * 80)
    >>> codes = pd.DataFrame({"feedback_id": [], "polarity": []})
    >>> causes, findings = drill_down(opinions, assignments, codes, codebook, topic="T0001", month="2025-01",
    ...                               segments={})
    >>> causes["label"].tolist(), findings[["value", "compared_value", "n"]].values.tolist()
    (['lunch'], [[50.0, 0.0, 80]])
    """
    names, place = {}, None
    for heard, mentions, topics in split_by_language(opinions, assignments, codebook):
        names |= topics.to_dict()
        if topic in topics.index:
            inside = heard.index.isin(mentions.index[mentions["topic"] == topic])
            place = heard, np.flatnonzero(inside), np.flatnonzero(~inside)
    if topic and names and topic not in names:
        raise VocwbError(
            f"There is no topic {topic!r} of customers to find causes of.",
            f"Topics: {', '.join(sorted(names))}.",
            'Name one of these, or "" for none; a merged topic goes by the topic it was merged into.',
        )
    if place is None:
        return empty_table("causes"), empty_table("findings")
    heard, inside, outside = place
    scope = _make_scope(_mark_evidence(heard, assignments, codes, topic), segments)
    own = set().union(*codebook.loc[codebook["topic"] == topic, "terms"])
    limits = {"minimum": minimum, "max_depth": max_depth, "branches": branches}
    rows = list(_narrow(scope, inside, outside, own, (), **limits))
    if not rows:
        return empty_table("causes"), empty_table("findings")
    cells = pd.DataFrame(rows)
    cells["period"], cells["topic"], cells["month"] = name_period(opinions["month"].unique()), topic, month
    cells["claim"] = [_describe_cause(row, names[topic]) for row in rows]
    cells["cause_id"] = [hash_id(month, topic, *path) for path in cells["path"]]
    cells["parent_id"] = [hash_id(month, topic, *path[:-1]) if path[1:] else None for path in cells["path"]]
    cells["depth"], cells["level"] = cells["path"].map(len), cells["path"].map(" › ".join)
    findings = cells.assign(
        subject=topic, segment="cause", measure="share", unit="%", feedback_ids=cells["evidence_for"],
        method="Wilson interval; against the others Newcombe interval, Fisher mid-p, Benjamini-Hochberg",
    )  # fmt: skip
    shown = findings.columns.intersection(list(empty_table("findings")))
    findings = make_findings(findings[shown], section="root_cause", month=month)
    causes = cells.assign(finding_id=findings["finding_id"].to_numpy(), author=None)
    return check_table("causes", causes[list(empty_table("causes"))]), findings


def _mark_evidence(
    heard: pd.DataFrame, assignments: pd.DataFrame, codes: pd.DataFrame, topic: str
) -> pd.DataFrame:
    """Add positive (coded so, and never negative) and similarity (to the topic; 0 if it is not of the topic)."""
    ids = heard["feedback_id"]
    coded = dict(tuple(codes.groupby("polarity")["feedback_id"]))
    good, bad = (ids.isin(coded.get(side, [])) for side in ("positive", "negative"))
    central = assignments[assignments["topic"] == topic].groupby("feedback_id")["similarity"].max()
    marked = heard.assign(positive=good & ~bad, similarity=ids.map(central).fillna(0.0))
    return marked.reset_index(drop=True)


def _make_scope(heard: pd.DataFrame, segments: Mapping[str, str]) -> _Scope:
    pairs = list(zip(heard["verbatim"], heard["language"], strict=True))
    counter = CountVectorizer(analyzer=lambda pair: tokenise_text(*pair))
    try:
        blocks = [counter.fit_transform(pairs)]
        names = [(word, "term", 0) for word in counter.get_feature_names_out()]
    except ValueError:  # scikit-learn's way to say that no verbatim holds a word
        blocks, names = [sparse.csr_array((len(heard), 0), dtype=np.int64)], []
    for family, (column, label) in enumerate(segments.items(), start=1):
        levels = pd.get_dummies(heard[column].astype("str"), dtype=np.int64)
        blocks.append(sparse.csr_array(levels.to_numpy()))
        names += [(f"{label}: {level}", "segment", family) for level in levels]
    known = np.column_stack([heard["unit"].notna(), *(heard[column].notna() for column in segments)])
    candidates = pd.DataFrame(names, columns=["label", "kind", "family"]).astype({"family": int})
    return _Scope(heard, candidates, sparse.csr_array(sparse.hstack(blocks)), known)


def _narrow(
    scope: _Scope, inside: np.ndarray, outside: np.ndarray, left_out: set[str], path: tuple[str, ...], *,
    minimum: int, max_depth: int, branches: int,
) -> Iterator[dict]:  # fmt: skip
    """Yield what narrows the verbatims `inside` (rows of scope), each followed by what narrows it in turn."""
    if len(path) == max_depth or scope.heard["unit"].iloc[inside].nunique() < FEWEST_TO_DIVIDE:
        return
    cells = _find_evidence(scope, inside, outside, left_out, minimum)
    most = max(branches - len(path), 1)
    for cell, has in _choose_children(scope, cells, inside, deep=len(path) > 0, most=most):
        without = inside[scope.known[inside, cell["family"]] & ~has]
        here = (*path, cell["label"])
        yield cell | {
            "path": here,
            "evidence_for": scope.heard["feedback_id"].iloc[inside[has]].tolist(),
            "evidence_against": _list_against(scope.heard.iloc[without]),
        }
        yield from _narrow(
            scope, inside[has], without, set(here), here,
            minimum=minimum, max_depth=max_depth, branches=branches,
        )  # fmt: skip


def _list_against(without: pd.DataFrame) -> list[str]:
    shown = without.sort_values(["similarity", "feedback_id"], ascending=[False, True])
    if shown["positive"].sum() >= _FEWEST_POSITIVE:
        shown = shown[shown["positive"]]
    return shown["feedback_id"].head(_MOST_AGAINST).tolist()


def _count_units(scope: _Scope, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each candidate the units of rows that have it, those of which it is known, and its uses."""
    units, codes = np.unique(scope.heard["unit"].to_numpy()[rows], return_inverse=True)
    ones = np.ones(len(rows), dtype=np.int64)
    said = sparse.csr_array((ones, (codes, np.arange(len(rows)))), shape=(len(units), len(rows)))
    has = sparse.csc_array(said @ scope.counts[rows])
    known = ((said @ scope.known[rows].astype(np.int64)) > 0).sum(axis=0)
    return np.diff(has.indptr), known[scope.candidates["family"].to_numpy()], has.sum(axis=0)


def _find_evidence(
    scope: _Scope, inside: np.ndarray, outside: np.ndarray, left_out: set[str], minimum: int
) -> pd.DataFrame:
    """Return the candidates commoner inside than outside, with evidence and best first; index: their place."""
    unit = scope.heard["unit"].to_numpy()
    outside = outside[~np.isin(unit[outside], unit[inside])]
    cells = scope.candidates.copy()
    cells["k"], cells["n"], cells["uses"] = _count_units(scope, inside)
    cells["rest_k"], cells["rest_n"], cells["rest_uses"] = _count_units(scope, outside)
    of = cells.groupby("family")[["uses", "rest_uses"]].transform("sum")
    cells["z"], cells[["words", "rest_words"]] = _weigh_odds(cells, of), of
    # The family of comparisons is picked by both sides together: picked by the inside alone, chance would
    # already lean to it, and the adjusted p would be too small.
    heard = (cells["k"] + cells["rest_k"] >= minimum) & (cells[["n", "rest_n"]].min(axis=1) >= minimum)
    cells = cells[heard & ~cells["label"].isin(left_out)]
    if cells.empty:
        return cells
    units, words = (
        stats.compare_shares(*(cells[column] for column in columns)).set_index(cells.index)
        for columns in (("k", "n", "rest_k", "rest_n"), ("uses", "words", "rest_uses", "rest_words"))
    )
    cells["difference"], cells["p"] = units["difference"], np.maximum(units["p"], words["p"])
    cells["p_adjusted"] = stats.adjust_p(cells["p"])
    limits = zip(units["low"], units["high"], cells["p_adjusted"], strict=True)
    cells["verdict"] = [stats.give_verdict(low, high, smallest=0, p_adjusted=p) for low, high, p in limits]
    evident = cells["verdict"].eq(stats.EVIDENCE) & units["low"].gt(0) & words["low"].gt(0)
    cells = cells[evident & cells["k"].ge(minimum)]
    cells = cells.sort_values(["z", "label"], ascending=[False, True]).drop_duplicates("label")
    low, high = stats.share_interval(cells["k"], cells["n"])
    cells = cells.assign(
        value=100 * cells["k"] / cells["n"], low=100 * low, high=100 * high, compared_n=cells["rest_n"],
        compared_value=100 * cells["rest_k"] / cells["rest_n"], difference=100 * cells["difference"],
    )  # fmt: skip
    sides = cells[["n", "rest_n"]].min(axis=1)
    few = sides.map(lambda n: stats.show_level(n, minimum)).ne("percentages")
    numbers = ["value", "low", "high", "compared_value", "difference", "p", "p_adjusted"]
    cells[numbers] = cells[numbers].mask(few, axis=0)
    return cells.assign(verdict=cells["verdict"].mask(few, stats.TOO_FEW_TO_SHOW))


def _weigh_odds(cells: pd.DataFrame, of: pd.DataFrame) -> pd.Series:
    """Return the z of the log-odds of each candidate among the uses of its family, inside against outside."""
    prior, all_prior = cells["uses"] + cells["rest_uses"], of["uses"] + of["rest_uses"]
    counts = [cells[side] + prior for side in ("uses", "rest_uses")]
    others = [of[side] + all_prior - count for side, count in zip(of, counts, strict=True)]
    with np.errstate(divide="ignore", invalid="ignore"):  # a family of one has no odds
        odds = [np.log(count / other) for count, other in zip(counts, others, strict=True)]
        return (odds[0] - odds[1]) / np.sqrt(1 / counts[0] + 1 / counts[1])


def _choose_children(
    scope: _Scope, cells: pd.DataFrame, inside: np.ndarray, *, deep: bool, most: int
) -> Iterator[tuple[dict, np.ndarray]]:
    """Yield the best candidates that pick verbatims of their own, each with which of `inside` have it."""
    columns = scope.counts[inside][:, cells.index.to_numpy()].toarray().astype(bool)
    chosen = []
    for cell, has in zip(cells.to_dict("records"), columns.T, strict=True):
        if len(chosen) == most:
            return
        group = [np.ones_like(has)] if deep and cell["kind"] == "term" else []
        alike = any((has & other).sum() > _SAME * (has | other).sum() for other in group + chosen)
        if not alike and not any(_lies_within(has, other) for other in chosen):
            chosen.append(has)
            yield cell, has


def _lies_within(has: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether `has` lies mostly within `other`, and not only because `other` is most of the group."""
    both = (has & other).sum()
    compared = stats.compare_shares(both, other.sum(), has.sum() - both, (~other).sum())
    return bool(both > _SAME * has.sum() and compared["low"].iloc[0] > 0)


def _describe_cause(row: dict, topic: str) -> str:
    *above, last = (f"“{label}”" for label in row["path"])
    where = f"speak of “{topic}”" + (f" with {' and '.join(above)}" if above else "")
    rest = f"speak of “{topic}”" + (f" with {' and '.join(above[:-1])}" if above[1:] else "")
    others = f"who {rest} without {above[-1]}" if above else "other customers"
    end = "An association: a lead to check, not a cause."
    if row["verdict"] == stats.TOO_FEW_TO_SHOW:
        there = f"{row['rest_k']:,} of the {row['rest_n']:,} {others}"
        return f"Of {row['n']:,} who {where}, {row['k']:,} have {last}, and {there}; too few for percentages. {end}"
    here = f"{format_value(row['value'], '%')} have {last} ({format_interval(row['low'], row['high'], '%')})"
    there = f"{format_value(row['compared_value'], '%')} of the {row['rest_n']:,} {others}"
    return f"Of {row['n']:,} who {where}, {here}, against {there}. {end}"
