"""Twins: topics that are likely the same, in two languages or twice in one, for people to merge."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from vocwb.languages import normalise_text
from vocwb.understand.inflection import group_forms
from vocwb.understand.naming import list_standing

TWIN_FLOOR = 0.4
"""Score below which two topics are not offered as twins."""
FEWEST_MEMBERS = 10
"""Topics with fewer verbatims are not compared: their shares say too little."""
DUPLICATE_CEILING = 0.75
"""Separation below which two topics of one language are proposed for merging, in standard deviations."""

_WEIGHTS = {"categories": 1.0, "feeling": 0.2, "asks": 0.2, "months": 0.3, "segments": 0.3, "tokens": 0.2}
_PRIOR = 10  # verbatims of its language that every topic is given, so that few members do not look special
_FAINT = 0.05  # a deviation, or a product of lengths of two rows of them, that is no more than noise
_TOKEN = r"(?<![A-Za-z0-9])(?:[A-Za-z][A-Za-z0-9]+|\d{2,})(?![A-Za-z0-9])"


class Profile(NamedTuple):
    """Of one facet: shares of each topic (row) by value (column), the usual ones of its language, and deviations."""

    shares: pd.DataFrame
    usual: pd.DataFrame
    deviations: pd.DataFrame


def find_twins(
    codebook: pd.DataFrame, assignments: pd.DataFrame, codes: pd.DataFrame, opinions: pd.DataFrame, *,
    segments: Sequence[str] = (), floor: float = TWIN_FLOOR,
) -> pd.DataFrame:  # fmt: skip
    """Return pairs of topics of one voice, of languages with different encoders, that are likely the same.

    codebook: topic, voice, language, encoder_id (merged and retired ones are left out where it says so); assignments:
    feedback_id, topic; codes: feedback_id, category, polarity, ask; opinions: feedback_id, voice, language, verbatim,
    and month, channel, stage and `segments` where they are there. What makes a topic special in its language is how
    its shares of each facet differ from those of all verbatims of that language: log ratios, weighted by the root of
    the shares, after ten verbatims of the usual mix were added. Two topics are alike in a facet by the cosine of
    these; the score, -1 to 1, is the weighted mean of rule categories (1), feeling, asks (0.2 each), months, segments
    with channel and stage (0.3 each), and Latin words and numbers that two languages share (0.2). Offered are pairs
    in which each is the other's best in that language, from `floor` on, if both have something more than is usual;
    topics under 10 verbatims are not compared. It is an offer: people who read both languages decide.
    Columns: topic, twin, language, twin_language, score, one for each facet (nan where it says nothing), and
    reasons, a sentence on the shares that both have in common; best first.

    >>> opinions = pd.DataFrame({"feedback_id": [], "voice": [], "language": [], "verbatim": []}, dtype=str)
    >>> codebook = pd.DataFrame({"topic": [], "voice": [], "language": [], "encoder_id": []}, dtype=str)
    >>> codes = pd.DataFrame({"feedback_id": [], "category": [], "polarity": [], "ask": []}, dtype=str)
    >>> len(find_twins(codebook, pd.DataFrame({"feedback_id": [], "topic": []}, dtype=str), codes, opinions))
    0
    """
    columns = ["topic", "twin", "language", "twin_language", "score", *_WEIGHTS, "reasons"]
    topics = _list_standing(codebook)
    members = assignments.loc[
        assignments["topic"].isin(topics.index), ["feedback_id", "topic"]
    ].drop_duplicates()
    members = members[members["feedback_id"].isin(opinions["feedback_id"])]
    sizes = members["topic"].value_counts()
    topics = topics[topics.index.isin(sizes.index[sizes >= FEWEST_MEMBERS])]
    rows = []
    for voice, group in topics.groupby("voice", sort=True):
        heard = opinions[opinions["voice"] == voice]
        own = members[members["topic"].isin(group.index)]
        facets = _list_facets(heard, codes, segments)
        profiles = {
            name: _profile_topics(table, own, group["language"], heard) for name, table in facets.items()
        }
        alike = {name: _compare_profiles(profile.deviations) for name, profile in profiles.items()}
        weights = pd.Series(_WEIGHTS)[list(alike)]
        score = sum(weights[name] * matrix.fillna(0) for name, matrix in alike.items()) / weights.sum()
        for topic, twin in _match_best(score, group, floor):
            reasons = _give_reasons(profiles, topic, twin)
            if not reasons:  # they are alike only in what both lack
                continue
            likeness = {name: alike[name].at[topic, twin] for name in alike}
            rows.append(
                {
                    "topic": topic, "twin": twin, "language": group.at[topic, "language"],
                    "twin_language": group.at[twin, "language"], "score": round(score.at[topic, twin], 4),
                    **{name: round(value, 4) for name, value in likeness.items()},
                    "reasons": reasons,
                }
            )  # fmt: skip
    found = pd.DataFrame(rows).reindex(columns=columns)
    return found.sort_values(["score", "topic", "twin"], ascending=[False, True, True], ignore_index=True)


def find_duplicates(
    codebook: pd.DataFrame, assignments: pd.DataFrame, *, ceiling: float = DUPLICATE_CEILING
) -> pd.DataFrame:
    """Return pairs of topics of one voice, language and encoder that lie within each other, for people to merge.

    codebook: topic, voice, language, encoder_id, vector, terms (merged and retired ones are left out where it says
    so); assignments: topic, similarity (of each member to its topic's vector). A member is as far from the other
    topic as its similarity times the cosine of the two vectors lets expect; separation is the mean loss of
    similarity in standard deviations of the members' own, the larger of both sides. Offered are pairs with a
    separation under `ceiling`; half as much again where at least half of the smaller list of terms is shared.
    Columns: topic, twin, language, cosine, separation, shared (terms of both, in their forms), reasons; nearest first.

    >>> codebook = pd.DataFrame({"topic": ["T1", "T2"], "voice": "customer", "language": "en", "encoder_id": "e",
    ...     "vector": [[1.0, 0.0], [0.98, 0.199]], "terms": [["late"], ["late"]]})
    >>> assignments = pd.DataFrame({"topic": ["T1", "T1", "T2", "T2"], "similarity": [0.4, 0.8, 0.5, 0.7]})
    >>> find_duplicates(codebook, assignments)[["topic", "twin", "separation"]].values.tolist()
    [['T1', 'T2', 0.0849]]
    """
    columns = ["topic", "twin", "language", "cosine", "separation", "shared", "reasons"]
    topics = _list_standing(codebook)
    spread = assignments.groupby("topic")["similarity"].agg(["mean", "std"])
    rows = []
    for (_, language, _), group in topics.groupby(["voice", "language", "encoder_id"], sort=True):
        group = group[group.index.isin(spread.index[spread["std"] > 0])]
        if len(group) < 2:
            continue
        vectors = np.array(group["vector"].tolist())
        cosines = vectors @ vectors.T
        losses = (spread["mean"] / spread["std"])[group.index].to_numpy()
        terms = [_fold_terms(row, language) for row in group["terms"]]
        for one, other in combinations(range(len(group)), 2):
            separation = (1 - cosines[one, other]) * max(losses[one], losses[other])
            shared = sorted(terms[one].keys() & terms[other].keys())
            much = len(shared) >= 0.5 * max(1, min(len(terms[one]), len(terms[other])))
            if separation < ceiling * (1.5 if much else 1):
                said = [terms[one][key] for key in shared]
                reasons = (
                    f"The typical member is {separation:.2f} standard deviations nearer to its own topic"
                )
                reasons += f"; both have the terms {', '.join(said)}." if said else "; they share no terms."
                row = (
                    group.index[one],
                    group.index[other],
                    language,
                    cosines[one, other],
                    separation,
                    said,
                    reasons,
                )
                rows.append(row)
    found = pd.DataFrame(rows, columns=columns)
    found[["cosine", "separation"]] = found[["cosine", "separation"]].astype(float).round(4)
    return found.sort_values(["separation", "topic", "twin"], ignore_index=True)


def _list_standing(codebook: pd.DataFrame) -> pd.DataFrame:
    """Return the topics that stand for themselves, by their id, in its order."""
    return list_standing(codebook).set_index("topic").sort_index()


def _fold_terms(terms: Sequence[str], language: str) -> dict[str, str]:
    """Return the terms by the key that their forms share."""
    if language == "multi":
        return {term: term for term in terms}
    spelt = {term: normalise_text(term, language) for term in terms}
    keys = group_forms(dict.fromkeys(spelt.values(), 1), language)
    return {keys[word]: term for term, word in spelt.items()}


def _list_facets(
    opinions: pd.DataFrame, codes: pd.DataFrame, segments: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Return for each facet that there is a table: feedback_id, value."""
    codes = codes[codes["feedback_id"].isin(opinions["feedback_id"])]
    facets = {
        name: _melt(codes, [column])
        for name, column in (("categories", "category"), ("feeling", "polarity"), ("asks", "ask"))
    }
    facets["months"] = _melt(opinions, ["month"])
    facets["segments"] = _melt(opinions, list(dict.fromkeys(["channel", "stage", *segments])))
    facets["tokens"] = _list_tokens(opinions)
    return {name: table for name, table in facets.items() if table["value"].nunique() > 1}


def _melt(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    columns = [column for column in columns if column in frame]
    table = frame[["feedback_id", *columns]].melt("feedback_id", var_name="column").dropna()
    several = table["column"].nunique() > 1
    value = table["column"] + " " + table["value"].astype(str) if several else table["value"].astype(str)
    return table[["feedback_id"]].assign(value=value).drop_duplicates()


def _list_tokens(opinions: pd.DataFrame) -> pd.DataFrame:
    """Return the Latin words and numbers of the verbatims that stand in at least two languages."""
    found = (
        opinions.set_index(["feedback_id", "language"])["verbatim"].str.lower().str.findall(_TOKEN).explode()
    )
    table = found.dropna().rename("value").reset_index().drop_duplicates()
    spread = table.groupby("value")["language"].nunique()
    return table.loc[table["value"].isin(spread.index[spread > 1]), ["feedback_id", "value"]]


def _profile_topics(
    table: pd.DataFrame, members: pd.DataFrame, languages: pd.Series, opinions: pd.DataFrame
) -> Profile:
    """Return how often each topic, and each language, has each value of a facet, and how special that is."""
    topics = languages.index
    values = sorted(table["value"].unique())
    heard = table.merge(opinions[["feedback_id", "language"]], on="feedback_id")
    usual = pd.crosstab(heard["language"], heard["value"]).reindex(columns=values, fill_value=0)
    usual = usual.div(opinions["language"].value_counts().reindex(usual.index), axis=0)
    usual = usual.reindex(languages.to_numpy()).fillna(0).set_axis(topics)
    said = table.merge(members, on="feedback_id")
    counts = pd.crosstab(said["topic"], said["value"]).reindex(index=topics, columns=values, fill_value=0)
    sizes = members["topic"].value_counts().reindex(topics)
    shares = counts.div(sizes, axis=0)
    fair = (counts + _PRIOR * usual).div(sizes + _PRIOR, axis=0)
    deviations = np.log((fair + 0.02) / (usual + 0.02)) * np.sqrt(fair + usual)
    return Profile(shares, usual, deviations)


def _compare_profiles(deviations: pd.DataFrame) -> pd.DataFrame:
    """Return the cosine of every two rows, lowered where both are faint, nan where one is nothing."""
    rows = deviations.to_numpy()
    lengths = np.linalg.norm(rows, axis=1)
    products = np.outer(lengths, lengths)
    cosines = np.where(products > 0, rows @ rows.T / np.maximum(products, _FAINT), np.nan)
    return pd.DataFrame(cosines, index=deviations.index, columns=deviations.index)


def _match_best(score: pd.DataFrame, topics: pd.DataFrame, floor: float) -> Iterator[tuple[str, str]]:
    """Yield the pairs of two languages in which each topic is the other's best, from the floor on."""
    groups = {key: list(group.index) for key, group in topics.groupby(["language", "encoder_id"], sort=True)}
    for one, other in combinations(groups, 2):
        if one[0] == other[0] or one[1] == other[1]:
            continue
        block = score.loc[groups[one], groups[other]]
        best, back = block.idxmax(axis=1), block.idxmax(axis=0)
        yield from ((t, twin) for t, twin in best.items() if back[twin] == t and block.at[t, twin] >= floor)


def _give_reasons(profiles: dict[str, Profile], topic: str, twin: str) -> str:
    """Return the values that both topics have more than is usual, the most telling first."""
    found = []
    for facet, profile in profiles.items():
        one, other = profile.deviations.loc[topic], profile.deviations.loc[twin]
        for value in one.index[(one > _FAINT) & (other > _FAINT)]:
            shares = [profile.shares.at[t, value] for t in (topic, twin)]
            usual = [profile.usual.at[t, value] for t in (topic, twin)]
            text = f"{value} {shares[0]:.0%} and {shares[1]:.0%} (usual {usual[0]:.0%} and {usual[1]:.0%})"
            found.append((-_WEIGHTS[facet] * one[value] * other[value], text))
    return "; ".join(text for _, text in sorted(found)[:4])
