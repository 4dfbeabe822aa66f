"""Naming: what people decided about topics, applied to a codebook and to the assignments made with it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from vocwb.errors import DecisionError
from vocwb.schemas import OUTLIER, check_table, empty_table, hash_id
from vocwb.understand.assignment import find_nearest
from vocwb.understand.proposals import accept_proposals

TOPIC_KINDS = ("topic_name", "topic_define", "topic_merge", "topic_split", "topic_retire", "topic_restore")
"""The kinds of decision that change a codebook, whose subject is a topic."""

_STATES = TOPIC_KINDS[2:]  # the last of these says how a topic stands
_PROBLEM = ["decision_id", "kind", "subject", "who", "what", "exists", "remedy"]


class Review(NamedTuple):
    """A codebook with the decisions that fit it, and those that do not: decision_id, kind, subject, who, what is
    wrong, what there is instead, and what to do."""

    named: pd.DataFrame
    problems: pd.DataFrame


def apply_decisions(codebook: pd.DataFrame, decisions: pd.DataFrame, *, language: str = "") -> pd.DataFrame:
    """Return the codebook as people named, defined, merged, split and retired its topics.

    codebook: topic, name; terms, and voice and language, where there are such. decisions: folded
    (decisions.fold_decisions: kind, subject, value, and decision_id where there is one); other kinds are left
    out. language: in which a topic's name is wanted, where it has several. Of merge, split, retire and restore
    the last says how a topic stands; chains of merges end in their last topic. Columns:
    name; names (dict: language -> name, "" for a name of any); definition ("" for none); merged_into (empty
    where a topic stands for itself); retired; split_into (list of the topics that it was split into, else
    empty); split_from. Each part of a split is a row of its own below its topic, with the id of
    `name_part`, its example ids and, where the decision holds one, its vector.
    Raises DecisionError for the first decision that `review_decisions` finds wrong.

    >>> codebook = pd.DataFrame({"topic": ["T0001", "T0002"], "name": ["late", "delay"]})
    >>> decisions = pd.DataFrame({"kind": ["topic_name", "topic_merge"], "subject": ["T0001", "T0002"],
    ...                           "value": [{"name": "Late parcels"}, {"into": "T0001"}]})
    >>> apply_decisions(codebook, decisions)[["name", "merged_into"]].values.tolist()
    [['Late parcels', nan], ['delay', 'T0001']]
    """
    named, problems = review_decisions(codebook, decisions, language=language)
    if len(problems):
        raise DecisionError(*problems.loc[0, ["what", "exists", "remedy"]])
    return named


def review_decisions(codebook: pd.DataFrame, decisions: pd.DataFrame, *, language: str = "") -> Review:
    """Return the codebook with the decisions that fit it applied, and the decisions that do not fit, with why.

    As `apply_decisions`, for people who are to mend them. Wrong is a decision about a topic that the codebook
    does not have; one that holds other terms than the topic has now, in whatever order, since its meaning has
    changed; a merge that closes a circle, or joins customers' with employees' topics; a split into fewer than
    two parts. A decision about a part whose split does not stand rests with it, and is not wrong.

    >>> codebook = pd.DataFrame({"topic": ["T0001"], "name": ["late"], "terms": [["late", "parcel"]]})
    >>> value = {"name": "Late parcels", "terms": ["price", "fee"]}
    >>> decisions = pd.DataFrame({"decision_id": [7], "kind": ["topic_name"], "subject": ["T0001"], "value": [value]})
    >>> print(review_decisions(codebook, decisions).problems["what"].item())
    Decision 7 (topic name) is about topic T0001 (“Late parcels”), whose terms have changed since.
    """
    rows = decisions[decisions["kind"].isin(TOPIC_KINDS)]
    rows = rows.sort_values("decision_id") if "decision_id" in rows else rows
    rows, book = rows.to_dict("records"), {row["topic"]: row for row in codebook.to_dict("records")}
    problems = [_check_subject(row, book) for row in rows]
    rows = [row for row, problem in zip(rows, problems, strict=True) if problem is None]
    state = {row["subject"]: row for row in rows if row["kind"] in _STATES}
    parts = _list_parts(book, state, problems)
    book |= {part["topic"]: part for found in parts.values() for part in found}
    into = _follow_merges(book, state, parts, problems)
    names, definitions = {}, {}
    for row in rows:
        if row["kind"] == "topic_name":
            names.setdefault(row["subject"], {})[row["value"].get("language") or ""] = row["value"]["name"]
        if row["kind"] == "topic_define":
            definitions[row["subject"]] = _say_definition(row["value"])
    order = [topic for root in codebook["topic"] for topic in _unfold(root, parts)]
    named = pd.DataFrame([book[topic] for topic in order], columns=list(codebook))
    named = named.assign(
        name=[_choose_name(book[topic], names.get(topic, {}), language) for topic in order],
        names=[names.get(topic, {}) for topic in order],
        definition=[definitions.get(topic, "") for topic in order],
        merged_into=pd.Series([into.get(topic) for topic in order], dtype="str"),
        retired=[state.get(topic, {}).get("kind") == "topic_retire" for topic in order],
        split_into=[[part["topic"] for part in parts.get(topic, [])] for topic in order],
        split_from=pd.Series([book[topic].get("split_from") for topic in order], dtype="str"),
        part_ids=[book[topic].get("part_ids", []) for topic in order],
        part_vector=[book[topic].get("part_vector") for topic in order],
    )
    found = [problem for problem in problems if problem]
    return Review(named, pd.DataFrame(found, columns=_PROBLEM))


def apply_to_assignments(
    assignments: pd.DataFrame,
    named: pd.DataFrame,
    vectors: Mapping[str, np.ndarray] | None = None,
    *,
    waiting: bool = False,
) -> pd.DataFrame:
    """Return assignments in which a verbatim has the topic that people merged or split its own into.

    named: from `apply_decisions`. A retired topic becomes schemas.OUTLIER. Of a split topic a verbatim that a
    part names goes to that part, any other to the part whose vector is nearest to its own: vectors holds, by
    feedback_id, rows of the topic's encoder, for the part's examples too where the decision holds no vector.
    A part that no longer stands becomes its topic again. Of two topics of a verbatim that become one, the
    more similar row is kept. waiting: what cannot be split for want of a vector keeps its topic, for a form
    that shows it; else DecisionError says so.

    >>> named = pd.DataFrame({"topic": ["T0001", "T0002"], "merged_into": [None, "T0001"], "retired": False})
    >>> rows = pd.DataFrame({"feedback_id": ["f"], "codebook_id": ["c"], "topic": ["T0002"], "similarity": [0.5]})
    >>> apply_to_assignments(rows, named)["topic"].tolist()
    ['T0001']
    """
    book = named.set_index("topic", drop=False)
    target = dict(zip(named["topic"], named["merged_into"].fillna(named["topic"]), strict=True))
    parts = zip(named["topic"], named.get("split_into", [[]] * len(named)), strict=True)
    split = [topic for topic, into in parts if len(into)]
    topics = assignments["topic"].map(lambda topic: _find_root(topic, target))
    open_rows = pd.Series(True, index=assignments.index)
    while True:
        topics = topics.map(lambda topic: target.get(topic, topic))
        at = topics.isin(split) & open_rows
        if not at.any():
            break
        for topic in sorted(topics[at].unique()):
            members = assignments.loc[at & (topics == topic), "feedback_id"]
            chosen = _choose_parts(members, book.loc[book.at[topic, "split_into"]], vectors or {})
            if chosen.isna().any() and not waiting:
                raise DecisionError(
                    f"Topic {topic} was split, and {chosen.isna().sum():,} of its verbatims have no vector.",
                    f"Vectors of {len(vectors or {}):,} verbatims were given.",
                    "Give apply_to_assignments the vectors of the topic's encoder, or restore the topic.",
                )
            topics[members.index] = chosen.fillna(topic)
            open_rows[members.index[chosen.isna()]] = False
    topics = topics.mask(topics.isin(set(named.loc[named["retired"].astype(bool), "topic"])), OUTLIER)
    key = ["feedback_id", "codebook_id", "topic"]
    ascending = [True] * 3 + [False]
    merged = assignments.assign(topic=topics).sort_values([*key, "similarity"], ascending=ascending)
    return merged.drop_duplicates(key).reset_index(drop=True)


def list_standing(codebook: pd.DataFrame) -> pd.DataFrame:
    """Return the topics that stand for themselves: not merged into others, not split, not retired.

    codebook: as stored, or from `apply_decisions`.

    >>> book = pd.DataFrame({"topic": ["T0001", "T0002"], "merged_into": [None, "T0001"], "retired": False})
    >>> list_standing(book)["topic"].tolist()
    ['T0001']
    """
    stands = codebook["topic"] != OUTLIER
    if "merged_into" in codebook:
        stands &= codebook["merged_into"].isna() & ~codebook["retired"].astype("bool")
    if "split_into" in codebook:
        stands &= codebook["split_into"].map(len) == 0
    return codebook[stands]


def accept_topics(
    codebook: pd.DataFrame, accepted: pd.DataFrame, proposals: pd.DataFrame, decisions: pd.DataFrame
) -> pd.DataFrame:
    """Return the topics that people accepted for a codebook (table accepted), each with the id of its decision.

    codebook: as fitted; accepted: the table as it was last written, whose rows stay what they were; proposals: of
    all codebooks and months; decisions: folded, of which "topic_accept" about a proposal of this codebook
    counts. Topic A0012 is the one of decision 12; it serves from the month on in which it was proposed. Raises
    DecisionError for one about a proposal that there is not.

    >>> columns = {"kind": [], "subject": [], "value": [], "decision_id": []}
    >>> len(accept_topics(empty_table("codebook"), empty_table("accepted"), empty_table("proposals"),
    ...                   pd.DataFrame(columns)))
    0
    """
    found = [empty_table("accepted")]
    for row in decisions[decisions["kind"] == "topic_accept"].to_dict("records"):
        topic = f"A{row['decision_id']:04d}"
        if (codebook["topic"] == topic).any():
            continue  # a refit has taken it over
        if (accepted["topic"] == topic).any():
            found.append(accepted[accepted["topic"] == topic])
            continue
        proposed = proposals[proposals["proposal"] == row["subject"]]
        if proposed.empty:
            raise DecisionError(
                f"{_say_decision(row)} accepts {row['subject']!r}, which is not proposed.",
                f"Proposed: {', '.join(proposals['proposal']) or 'nothing'}.",
                "Its month was read anew, and its verbatims have changed: take the decision back.",
            )
        proposed = proposed[proposed["codebook_id"].isin(codebook["codebook_id"])].tail(1)
        if len(proposed):
            names = [row["value"].get("name") or ""]
            proposed = _find_fitted(proposed, codebook)
            found.append(accept_proposals(codebook, proposed, topics=[topic], names=names).tail(1))
    return check_table("accepted", pd.concat([some for some in found if len(some)] or found))


def _find_fitted(proposed: pd.DataFrame, codebook: pd.DataFrame) -> pd.DataFrame:
    """Return a proposal beside the nearest topic that was fitted, where its nearest one was accepted."""
    if proposed["nearest_topic"].isin(codebook["topic"]).all():
        return proposed
    voice, language = proposed.iloc[0][["voice", "language"]]
    own = codebook[(codebook["voice"] == voice) & (codebook["language"] == language)]
    sides = (np.array(frame["vector"].tolist()) for frame in (proposed, own))
    nearest, _ = find_nearest(*sides, np.full(len(own), -1.0))
    return proposed.assign(nearest_topic=own["topic"].to_numpy()[nearest])


def name_part(topic: str, part: Mapping) -> str:
    """Return the id of a part of a split topic: it is made of what the part holds, so it never means another.

    part: feedback_ids (examples), or vector.

    >>> name_part("T0007", {"feedback_ids": ["b", "a"]}) == name_part("T0007", {"feedback_ids": ["a", "b"]})
    True
    """
    holds = sorted(part.get("feedback_ids") or []) or [round(float(x), 4) for x in part["vector"]]
    return f"{topic}.{hash_id(*holds)[:4]}"


def _check_subject(row: dict, book: Mapping) -> dict | None:
    """Return what is wrong with the topic that a decision is about, or None."""
    topic, value = row["subject"], row["value"]
    about = f"{_say_decision(row)} is about topic"
    if topic not in book:
        if "." in topic and topic.split(".")[0] in book:
            return None
        return _tell(
            row,
            f"{about} {topic!r}, which the codebook in use does not have.",
            f"Topics: {', '.join(sorted(book)) or 'none'}.",
            "Decide again about one of these, or go back to the codebook that the decision was about.",
        )
    now, then = list(book[topic].get("terms", [])), value.get("terms")
    if then and set(then) != set(now):
        name = value.get("name") or book[topic]["name"]
        return _tell(
            row,
            f"{about} {topic} (“{name}”), whose terms have changed since.",
            f"Terms then: {', '.join(then)}. Terms now: {', '.join(now)}.",
            "Read the topic in workshop/codebook; decide the same again if it still holds, or take it back.",
        )
    return None


def _list_parts(book: Mapping, state: Mapping, problems: list) -> dict[str, list[dict]]:
    """Return the parts of each split topic, as rows of a codebook; a part may itself be split."""
    found, pending = {}, list(book.items())
    for topic, row in pending:
        decision = state.get(topic)
        if decision is None or decision["kind"] != "topic_split":
            continue
        parts = [
            part
            for part in decision["value"].get("parts", [])
            if part.get("feedback_ids") or part.get("vector")
        ]
        if len(parts) < 2:
            what = f"{_say_decision(decision)} splits topic {topic} into {len(parts)} parts."
            problems.append(_tell(decision, what, None, "Split it into two at least, or take this back."))
            continue
        found[topic] = [
            row
            | {"topic": name_part(topic, part), "name": part.get("name") or f"{row['name']} · {number}",
               "size": len(part.get("feedback_ids") or []), "examples": list(part.get("feedback_ids") or [])[:5],
               "split_from": topic, "part_ids": list(part.get("feedback_ids") or []),
               "part_vector": part.get("vector")}
            for number, part in enumerate(parts, start=1)
        ]  # fmt: skip
        pending += [(part["topic"], part) for part in found[topic]]
    return found


def _follow_merges(book: Mapping, state: Mapping, parts: Mapping, problems: list) -> dict[str, str]:
    """Return for each merged topic the last topic of its chain, leaving out merges that cannot be followed."""
    merges = [row for topic, row in state.items() if row["kind"] == "topic_merge" and topic in book]
    into = {}
    for row in sorted(merges, key=lambda row: row.get("decision_id", 0)):
        topic, goal = row["subject"], row["value"]["into"]
        if goal not in book:
            what = f"{_say_decision(row)} is about topic {goal!r}, which the codebook in use does not have."
            problems.append(
                _tell(row, what, f"Topics: {', '.join(sorted(book))}.", "Merge it into one of these.")
            )
        elif book[goal].get("voice") != book[topic].get("voice"):
            what = f"{_say_decision(row)} merges {topic} into {goal}: one is of customers, one of employees."
            problems.append(_tell(row, what, None, "Take this back: their results are kept apart."))
        elif path := _find_path(goal, topic, into, parts):
            what = f"Topics are merged in a circle: {' into '.join([topic, *path])}."
            problems.append(_tell(row, what, f"{_say_decision(row)} closes it.", "Take one of them back."))
        else:
            into[topic] = goal
    final = {}
    for topic in into:
        last = topic
        while last in into:
            last = into[last]
        final[topic] = last
    return final


def _find_path(start: str, goal: str, into: Mapping, parts: Mapping) -> list[str]:
    """Return the topics on the way from one to another, by merges and splits, or nothing."""
    if start == goal:
        return [start]
    ways = [into[start]] if start in into else [part["topic"] for part in parts.get(start, [])]
    for way in ways:
        if found := _find_path(way, goal, into, parts):
            return [start, *found]
    return []


def _choose_parts(members: pd.Series, parts: pd.DataFrame, vectors: Mapping) -> pd.Series:
    """Return for each feedback_id its part: the one that names it, else the nearest, else nothing."""
    by_id = {one: part for part, ids in zip(parts["topic"], parts["part_ids"], strict=True) for one in ids}
    centres = []
    for ids, vector in zip(parts["part_ids"], parts["part_vector"], strict=True):
        near = [vectors[one] for one in ids if one in vectors] if vector is None else [vector]
        centre = np.sum(np.asarray(near, dtype=float), axis=0) if near else None
        centres.append(centre if centre is None else centre / (np.linalg.norm(centre) or 1))
    known = [place for place, centre in enumerate(centres) if centre is not None]
    names = parts["topic"].tolist()

    def choose(one: str) -> str | None:
        if one in by_id or one not in vectors or not known:
            return by_id.get(one)
        likeness = np.round(
            np.array([centres[place] for place in known]) @ np.asarray(vectors[one], float), 4
        )
        return names[known[int(likeness.argmax())]]

    return members.map(choose)


def _find_root(topic: str, known: Mapping) -> str:
    """Return the topic itself, or the one that a part that no longer stands was a part of."""
    while topic not in known and "." in topic:
        topic = topic.rpartition(".")[0]
    return topic


def _unfold(topic: str, parts: Mapping) -> list[str]:
    return [topic, *(below for part in parts.get(topic, []) for below in _unfold(part["topic"], parts))]


def _choose_name(row: Mapping, names: Mapping, language: str) -> str:
    ways = (language, "", row.get("language"), *reversed(names))
    return next((names[way] for way in ways if way in names), row["name"])


def _say_definition(value: Mapping) -> str:
    excludes = str(value.get("excludes") or "").strip()
    return f"{value.get('belongs') or ''}".strip() + (f" Not: {excludes}" if excludes else "")


def _say_decision(row: Mapping) -> str:
    number = f" {row['decision_id']}" if "decision_id" in row else ""
    return f"Decision{number} ({row['kind'].replace('_', ' ')})"


def _tell(row: Mapping, what: str, exists: str | None, remedy: str) -> dict:
    told = {name: row.get(name) for name in _PROBLEM[:4]}
    return told | {"what": what, "exists": exists, "remedy": remedy}
