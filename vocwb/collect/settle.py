"""Settles what needs all files at once: ids, languages, boilerplate, copies, flags, and what is left out."""

import json
from collections.abc import Iterable

import pandas as pd
from pandas.api.types import union_categoricals

from vocwb.collect.flags import cut_boilerplate, find_boilerplate, flag_feedback
from vocwb.collect.identity import find_rows, identify_again, link_duplicates, number_repeats
from vocwb.collect.language_id import settle_languages
from vocwb.programme import Programme
from vocwb.schemas import hash_id

_QUARANTINE = ["source", "file", "line", "reason", "raw"]
_ASIDES = ["feedback_id", "response_id", "part", "text"]
_ENOUGH = 20_000  # texts in which boilerplate is looked for
_FEEDBACK = ["feedback_id", "response_id", "question", "language", "verbatim"]


def stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return frames below one another; categories stay categories, whichever each of them has.

    >>> one, other = (pd.DataFrame({"a": [value]}, dtype="category") for value in "xy")
    >>> stack([one, other])["a"].tolist()
    ['x', 'y']
    """
    frames = [frame for frame in frames if len(frame)] or frames[:1]
    columns = {}
    for name in frames[0] if frames else ():
        parts = [frame[name] for frame in frames]
        if any(part.dtype == "category" for part in parts):
            columns[name] = pd.Series(union_categoricals([part.astype("category") for part in parts]))
        else:
            columns[name] = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns, copy=False)


def find_first_month(months: Iterable[pd.Series], retention_months: int | None) -> str:
    """Return the first month that a programme keeps, counted back from the latest of all; "" where it keeps all.

    >>> find_first_month([pd.Series(["2025-01", "all"]), pd.Series(["2025-03"])], 2)
    '2025-02'
    """
    known = {str(month) for some in months for month in some.unique()} - {"all", "nan"}
    if retention_months is None or not known:
        return ""
    return str(pd.Period(max(known), freq="M") - (retention_months - 1))


def settle_responses(
    frames: dict[str, list[pd.DataFrame]], programme: Programme, *, lost=None, first_month: str = ""
) -> dict[str, pd.DataFrame]:
    """Return responses, feedback, asides, tags and quarantine of all files, from the frames of their parts.

    Needs in `frames` responses, feedback, asides and tags as `responses.make_responses` makes them, `at` being
    the place of the response among all, and quarantine: source, file, line, reason, raw, month. `lost` are the
    tables of files that have disappeared since the last ingest: their rows stay, and are linked anew. What is
    older than `first_month` is set aside, and nothing of it is kept. The lists are emptied.

    >>> settle_responses({"quarantine": []}, None)["quarantine"].columns.tolist()
    ['source', 'file', 'line', 'reason', 'raw']
    """
    quarantine = [pd.DataFrame(columns=_QUARANTINE), stack(frames.pop("quarantine", []))]
    if first_month and len(quarantine[1]):
        old = is_old(quarantine[1]["month"], first_month)
        quarantine[1]["raw"] = quarantine[1]["raw"].astype("str").mask(old, "")
    made = {name: stack(frames.pop(name, [])) for name in ("responses", "feedback", "asides", "tags")}
    if len(made["responses"]):
        made = _identify(made)
        made["feedback"], cut = _cut_boilerplate(made["feedback"], made["responses"])
        made["asides"] = pd.concat([made["asides"], cut], ignore_index=True)
        made["feedback"] = _name_languages(made["feedback"], made["responses"], programme)
    if lost is not None:
        made = _add_lost(made, lost)
    if len(made["responses"]):
        # What is too old goes first: what copies it is then linked to the first copy that stays.
        made, left = _leave_old(made, programme, first_month)
        quarantine.append(left)
        before = made["responses"][["response_id", "duplicate_of"]]
        made = _flag(_link(made, programme), before["duplicate_of"])
        made, left = _leave_flagged(made, programme)
        quarantine.append(left)
        if len(left):
            rows = find_rows(made["responses"]["response_id"], before["response_id"])
            repeats = before["duplicate_of"].array.take(rows)
            made["responses"] = _promote_repeats(made["responses"].assign(duplicate_of=repeats))
            made = _link(made, programme)
    return made | {
        "quarantine": pd.concat([part for part in quarantine if len(part)] or quarantine[:1])[_QUARANTINE]
    }


def is_old(months: pd.Series, first_month: str) -> pd.Series:
    """Return which months are before the first one that is kept; "all" is none of them.

    >>> is_old(pd.Series(["2024-12", "2025-01", "all"]), "2025-01").tolist()
    [True, False, False]
    """
    return months.astype("str").between("", first_month, inclusive="left")


def _identify(made: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    responses = made["responses"]
    before = responses["response_id"]
    made["responses"] = responses = number_repeats(responses, made["feedback"])
    changed = responses["response_id"] != before
    for name in ("feedback", "asides", "tags"):
        frame = made[name]
        if changed.any() and name != "tags":
            frame["feedback_id"] = identify_again(frame, responses["response_id"], changed)
        frame["response_id"] = responses["response_id"].array.take(frame["at"].to_numpy())
    made["asides"] = made["asides"][_ASIDES]
    made["tags"] = made["tags"][["response_id", "tag"]]
    return made


def _cut_boilerplate(feedback: pd.DataFrame, responses: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut from the verbatims of each source what its system adds to them, and keep it aside."""
    of = responses[["source", "respondent_id"]].take(feedback["at"]).set_axis(feedback.index)
    kept, aside = [], []
    for _, texts in feedback.groupby([of["source"], "question"], observed=True)["verbatim"]:
        # What a system adds is in many texts, so some of them tell: those whose id, a hash, is small.
        share = min(1.0, _ENOUGH / len(texts))
        some = texts[
            (feedback.loc[texts.index, "feedback_id"] <= f"{round(share * 16**8) - 1:08x}g").to_numpy()
        ]
        found = find_boilerplate(some, of.loc[some.index, "respondent_id"])
        if len(found):
            texts, cut = cut_boilerplate(texts, found)
            kept.append(texts)
            aside.append(cut.dropna())
    if not kept:
        return feedback, pd.DataFrame(columns=_ASIDES)
    verbatim = feedback["verbatim"].copy()
    verbatim.update(pd.concat(kept))
    cut = pd.concat(aside)
    aside = feedback.loc[cut.index, ["feedback_id", "response_id"]].assign(part="boilerplate", text=cut)
    return feedback.assign(verbatim=verbatim), aside


def _name_languages(feedback: pd.DataFrame, responses: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    sources = responses["source"].take(feedback["at"]).set_axis(feedback.index)
    found = settle_languages(feedback, programme.languages, sources)
    return feedback.assign(language=feedback["language"].astype("str").fillna(found))[_FEEDBACK]


def _add_lost(made: dict[str, pd.DataFrame], lost) -> dict[str, pd.DataFrame]:
    """Add the rows of files that have disappeared; those that stand in another file now are that file's."""
    fresh = made["responses"]
    own = lost.responses[~lost.responses["response_id"].isin(fresh.get("response_id", ()))]
    said = lost.feedback[lost.feedback["response_id"].isin(own["response_id"])]
    # A repeated id stays a repeat; what was a copy of a text may be one of another now, or none.
    by_id = [
        hash_id(source, one) if isinstance(one, str) else None
        for source, one in zip(own["source"], own["source_id"], strict=True)
    ]
    own = own.assign(duplicate_of=own["duplicate_of"].where(own["duplicate_of"] == by_id))
    parts = {
        "responses": own.assign(line=0),
        "feedback": said,
        "asides": lost.asides[lost.asides["response_id"].isin(own["response_id"])],
        "tags": lost.tags[lost.tags["response_id"].isin(own["response_id"])],
    }
    return {name: stack([made[name], part]) if len(made[name]) else part for name, part in parts.items()}


def _promote_repeats(responses: pd.DataFrame) -> pd.DataFrame:
    """Return responses in which the first repeat of an id whose original is gone is the original of the others."""
    of = responses["duplicate_of"]
    lost = of.notna() & ~of.isin(responses["response_id"])
    if not lost.any():
        return responses
    order = responses[lost].sort_values(["received_at", "response_id"])
    heirs = of[lost].map(order.groupby("duplicate_of")["response_id"].first())
    heirs = heirs.mask(heirs == responses.loc[lost, "response_id"])
    return responses.assign(duplicate_of=of.mask(lost, heirs.reindex(of.index)))


def _link(made: dict[str, pd.DataFrame], programme: Programme) -> dict[str, pd.DataFrame]:
    """Link copies to their originals."""
    questions = list(programme.questions)
    needed = ["response_id", "received_at", "respondent_id", "duplicate_of", *questions]
    linked, feedback = link_duplicates(made["responses"][needed], made["feedback"], questions)
    responses = made["responses"].assign(duplicate_of=linked["duplicate_of"])
    return made | {"responses": responses, "feedback": feedback.drop(columns="received_at")}


def _flag(made: dict[str, pd.DataFrame], repeats: pd.Series) -> dict[str, pd.DataFrame]:
    """Flag what looks like a test or like spam; `repeats` says which responses repeat the id of another."""
    feedback = made["feedback"]
    # Several rows of one ticket are no flood of its writer, and staff do not write spam to their own firm.
    of = made["responses"][["respondent_id", "received_at", "voice"]].assign(again=repeats.notna().array)
    rows = find_rows(feedback["response_id"], made["responses"]["response_id"])
    of = of.take(rows).set_axis(feedback.index)
    said = feedback.assign(respondent_id=of["respondent_id"], received_at=of["received_at"])
    said = said[(of["voice"] == "customer") & ~of["again"].astype("bool")]
    return made | {"feedback": feedback.assign(flag=flag_feedback(said).reindex(feedback.index))}


def _leave_old(
    made: dict[str, pd.DataFrame], programme: Programme, first_month: str
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Set aside what is older than the programme keeps: nothing of it stays, not even in quarantine."""
    old = is_old(made["responses"]["month"], first_month)
    if old.any():
        reason = f"older than retention_months: {programme.retention_months}"
        left = made["responses"][old].assign(reason=reason, raw="")
        made = _drop_responses(made, left["response_id"])
    else:
        left = pd.DataFrame(columns=_QUARANTINE)
    return made | {"responses": _promote_repeats(made["responses"])}, left


def _leave_flagged(
    made: dict[str, pd.DataFrame], programme: Programme
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Set aside the responses of which all that they say has a flag of `leave_out`."""
    responses, feedback = made["responses"], made["feedback"]
    flagged = feedback["flag"].isin(programme.leave_out)
    whole = flagged.groupby(feedback["response_id"]).all()
    left = responses[responses["response_id"].isin(whole.index[whole])]
    if left.empty:
        return made, pd.DataFrame(columns=_QUARANTINE)
    said = feedback[feedback["response_id"].isin(left["response_id"])].sort_values("feedback_id")
    words = said.groupby("response_id")[["question", "verbatim"]].agg(list).reindex(left["response_id"])
    raw = [
        json.dumps(dict(zip(*row, strict=True)), ensure_ascii=False)
        for row in words.itertuples(index=False, name=None)
    ]
    left = left.assign(reason="left out: looks like a test or spam (leave_out)", raw=raw)
    return _drop_responses(made, left["response_id"]), left


def _drop_responses(made: dict[str, pd.DataFrame], ids: pd.Series) -> dict[str, pd.DataFrame]:
    """Return the tables without some responses."""
    return {
        name: frame[~frame["response_id"].isin(ids)].reset_index(drop=True) for name, frame in made.items()
    }
