"""What the form of the codebook reads: what people filled in as a decision, and what was said as they look for it."""

from collections.abc import Iterable, Mapping

import pandas as pd

from vocwb.decisions import fold_decisions
from vocwb.errors import DecisionError
from vocwb.languages import LANGUAGES, normalise_text
from vocwb.share.codebook_views import tell_state
from vocwb.understand.naming import TOPIC_KINDS, review_decisions

MOST_IDS = 200
"""How many verbatims a decision names of a part of a split; any other goes to the nearest part."""

_COPIED = 20  # characters: a memo that repeats a verbatim of this length would carry it out of the store


def read_value(
    kind: str,
    row: Mapping,
    given: Mapping,
    *,
    feedback: pd.DataFrame,
    parts: Iterable[pd.DataFrame] = (),
    proposals: pd.DataFrame | None = None,
) -> dict | str:
    """Return the value of a decision about a topic from what was filled in, or in words what is still missing.

    row: the topic, of naming.review_decisions; given: the form's fields; parts: the verbatims of each part of a
    split. The terms of now go with the decision, so that it cannot outlive its meaning unseen.

    >>> row = {"topic": "T0001", "terms": ["late"], "split_from": None}
    >>> read_value("topic_name", row, {"name": " Late "}, feedback=pd.DataFrame())
    {'name': 'Late', 'terms': ['late']}
    """
    terms = {} if isinstance(row["split_from"], str) else {"terms": list(row.get("terms", []))}
    text = {key: value.strip() for key, value in given.items() if isinstance(value, str)}
    if kind == "topic_name":
        if not text["name"]:
            return "Write a name first."
        return (
            {"name": text["name"]} | ({"language": text["language"]} if text.get("language") else {}) | terms
        )
    if kind == "topic_define":
        if not text["belongs"]:
            return "Write what belongs here first."
        return {"belongs": text["belongs"], "excludes": text["excludes"]} | terms
    if kind == "topic_merge":
        return {"into": given["into"]} | terms if given["into"] else "There is no topic to merge it into."
    if kind == "topic_split":
        parts = list(parts)
        if len(parts) < 2:
            return "Look for parts first; there must be two at least."
        named = zip(parts, given["names"], strict=True)
        ids = [(part["feedback_id"].tolist()[:MOST_IDS], name.strip()) for part, name in named]
        return {
            "parts": [{"feedback_ids": one} | ({"name": name} if name else {}) for one, name in ids]
        } | terms
    if kind == "topic_restore":
        return {} if tell_state(row) else "This topic stands already."
    if kind == "topic_accept":
        if given["proposed"] is None or not text["accepted"]:
            return "Choose a proposed topic and write its name first."
        chosen = proposals[proposals["proposal"] == given["proposed"]].iloc[0]
        return {"name": text["accepted"], "terms": list(chosen.get("terms", []))}
    if kind == "memo":
        said = feedback.loc[feedback["feedback_id"] == given["memo_on"], "verbatim"].str.strip()
        if not text["memo"]:
            return "Write the memo first."
        if len(said) and len(said.iloc[0]) >= _COPIED and said.iloc[0] in text["memo"]:
            return "A memo holds your own words; the verbatim stays where it is, and the memo points to it."
        return {"text": text["memo"]}
    return terms


def check_fit(codebook: pd.DataFrame, log: pd.DataFrame, decision: Mapping) -> None:
    """Raise DecisionError where a decision that is about to be made would not fit the codebook.

    >>> log = pd.DataFrame({name: [] for name in ("decision_id", "kind", "subject", "value", "who", "replaces")})
    >>> codebook = pd.DataFrame({"topic": ["T0001"], "name": ["late"]})
    >>> check_fit(codebook, log, {"kind": "topic_merge", "subject": "T0001", "value": {"into": "T0001"}, "who": "A"})
    Traceback (most recent call last):
    ...
    vocwb.errors.DecisionError: Topics are merged in a circle: T0001 into T0001.
    Decision 1 (topic merge) closes it.
    Take one of them back.
    """
    if decision["kind"] not in TOPIC_KINDS:
        return
    before, after = (
        review_decisions(codebook, fold_decisions(rows)).problems for rows in (log, add_row(log, decision))
    )
    new = after[~after["decision_id"].isin(before["decision_id"])]
    if len(new):
        raise DecisionError(*new.iloc[0][["what", "exists", "remedy"]])


def add_row(log: pd.DataFrame, decision: Mapping, number: int | None = None) -> pd.DataFrame:
    """Return the log with one more decision, under the next number if none is given.

    >>> log = pd.DataFrame({"decision_id": [4], "kind": ["memo"], "replaces": [None]})
    >>> add_row(log, {"kind": "memo"})["decision_id"].tolist()
    [4, 5]
    """
    number = number or (int(log["decision_id"].max()) + 1 if len(log) else 1)
    row = {"decision_id": number, "when": "just now", "replaces": None} | dict(decision)
    return pd.DataFrame([*log.to_dict("records"), row], columns=list(log))


def find_said(placed: pd.DataFrame, feedback: pd.DataFrame, topic: str, query: str = "") -> pd.DataFrame:
    """Return all that was said about a topic and has the words that are looked for, the most typical first.

    placed: feedback_id, topic, similarity; feedback: feedback_id, language, verbatim, and translation where
    there is one, which is searched too. Words are matched in the one spelling of languages.normalise_text.

    >>> placed = pd.DataFrame({"feedback_id": ["a", "b"], "topic": "T1", "similarity": [0.5, 0.9]})
    >>> feedback = pd.DataFrame({"feedback_id": ["a", "b"], "language": "en", "verbatim": ["Late.", "Slow."]})
    >>> find_said(placed, feedback, "T1")["feedback_id"].tolist(), len(find_said(placed, feedback, "T1", "LATE"))
    (['b', 'a'], 1)
    """
    rows = placed[placed["topic"] == topic].merge(feedback, on="feedback_id")
    rows = rows.sort_values(["similarity", "feedback_id"], ascending=[False, True], ignore_index=True)
    if not query.strip() or rows.empty:
        return rows
    beside = rows["translation"].fillna("") if "translation" in rows else [""] * len(rows)
    texts = zip(rows["verbatim"], beside, rows["language"], strict=True)
    return rows[[_holds(f"{text}\n{other}", query, language) for text, other, language in texts]]


def has_words(row: Mapping, query: str) -> bool:
    """Return whether a topic's id, names or terms have the words that are looked for.

    >>> has_words({"topic": "T1", "name": "Late", "names": {}, "terms": ["parcel"], "language": "en"}, "PARC")
    True
    """
    words = [row["topic"], row["name"], *row["names"].values(), *row.get("terms", [])]
    return _holds("\n".join(words), query, row["language"])


def find_twins(twins: pd.DataFrame | None, topic: str, known: Iterable[str]) -> list[tuple[str, str]]:
    """Return the topics that look like one, in the order given, each with the reasons.

    twins: topic, twin, reasons, and score where there is one, of twins.find_twins and find_duplicates; a pair
    holds both ways.

    >>> twins = pd.DataFrame({"topic": ["T1"], "twin": ["T2"], "score": [0.9], "reasons": ["same terms"]})
    >>> find_twins(twins, "T2", ["T1", "T2"])
    [('T1', 'same terms (0.90)')]
    """
    known, found = set(known), {}
    for row in [] if twins is None else twins.to_dict("records"):
        other = {row["topic"]: row["twin"], row["twin"]: row["topic"]}.get(topic)
        if other in known and other != topic:
            score = f" ({row['score']:.2f})" if pd.notna(row.get("score")) else ""
            found.setdefault(other, f"{row['reasons']}{score}")
    return list(found.items())


def list_goals(
    known: Mapping[str, Mapping], topic: str | None, twins: pd.DataFrame | None = None
) -> list[tuple[str, str]]:
    """Return (label, topic) of what a topic may be merged into: what looks like it, then its language, then others.

    known: topic -> row of naming.review_decisions. Topics that do not stand, and those of the other voice, are
    left out.

    >>> row = {"language": "en", "merged_into": None, "split_into": [], "retired": False}
    >>> known = {one: row | {"topic": one, "name": one.lower()} for one in ("T1", "T2", "T3")}
    >>> twins = pd.DataFrame({"topic": ["T3"], "twin": ["T1"], "reasons": ["same terms"]})
    >>> [goal for _, goal in list_goals(known, "T1", twins)]
    ['T3', 'T2']
    """
    if topic not in known:
        return []
    near, row = dict(find_twins(twins, topic, known)), known[topic]
    places = {one: place for place, one in enumerate(near)}
    goals = [
        (places.get(one["topic"], len(places)), one["language"] != row["language"], one["topic"])
        for one in known.values()
        if one["topic"] != topic and not tell_state(one) and one.get("voice") == row.get("voice")
    ]
    like = {one: f" – like it: {why}" for one, why in near.items()}
    return [
        (f"{one} \u2068{known[one]['name']}\u2069{like.get(one, '')}", one) for _, _, one in sorted(goals)
    ]


def list_proposals(proposals: pd.DataFrame | None, accepted: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Return (label, proposal) of the proposed topics that are not accepted yet, in their order.

    proposals: of proposals.propose_topics (proposal, n, nearest_topic).

    >>> list_proposals(pd.DataFrame({"proposal": ["P1"], "n": [12], "nearest_topic": ["T0003"]}))
    [('P1: 12 verbatims, nearest to T0003', 'P1')]
    """
    rows = [] if proposals is None else proposals.to_dict("records")
    return [
        (f"{row['proposal'][:8]}: {row['n']:,} verbatims, nearest to {row['nearest_topic']}", row["proposal"])
        for row in rows
        if row["proposal"] not in set(accepted)
    ]


def _holds(text: str, query: str, language: str) -> bool:
    language = language if language in LANGUAGES else "en"
    return normalise_text(query.strip(), language) in normalise_text(text, language)
