"""Settles what needs all files at once: ids, languages, boilerplate, copies, flags, and what is left out."""

import json

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from vocwb.collect.flags import cut_boilerplate, find_boilerplate, flag_feedback
from vocwb.collect.identity import identify_again, link_duplicates, number_repeats
from vocwb.collect.language_id import settle_languages
from vocwb.programme import Programme
from vocwb.schemas import select_months

_QUARANTINE = ["source", "file", "line", "reason", "raw"]
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


def settle_responses(
    frames: dict[str, list[pd.DataFrame]], programme: Programme, *, lost=None
) -> dict[str, pd.DataFrame]:
    """Return responses, feedback, asides, tags and quarantine of all files, from the frames of their parts.

    Needs in `frames` responses, feedback, asides and tags as `responses.make_responses` makes them, `at` being
    the place of the response among all, and quarantine: source, file, line, reason, raw. `lost` are the tables
    of files that have disappeared since the last ingest: their rows stay as they are. The lists are emptied.

    >>> settle_responses({"quarantine": []}, None)["quarantine"].columns.tolist()
    ['source', 'file', 'line', 'reason', 'raw']
    """
    quarantine = [pd.DataFrame(columns=_QUARANTINE), stack(frames.pop("quarantine", []))]
    made = {name: stack(frames.pop(name, [])) for name in ("responses", "feedback", "asides", "tags")}
    if len(made["responses"]):
        made = _identify(made)
        made["feedback"], cut = _cut_boilerplate(made["feedback"], made["responses"])
        made["asides"] = pd.concat([made["asides"], cut], ignore_index=True)
        made["feedback"] = _name_languages(made["feedback"], made["responses"], programme)
    if lost is not None:
        made = _add_lost(made, lost)
    if len(made["responses"]):
        made = _link(made, programme)
        made, left = _leave_out(made, programme)
        quarantine.append(left)
    return made | {
        "quarantine": pd.concat([part for part in quarantine if len(part)] or quarantine[:1])[_QUARANTINE]
    }


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
    made["asides"] = made["asides"][["feedback_id", "part", "text"]]
    return made


def _cut_boilerplate(feedback: pd.DataFrame, responses: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut from the verbatims of each source what its system adds to them, and keep it aside."""
    of = responses[["source", "respondent_id"]].take(feedback["at"]).set_axis(feedback.index)
    kept, aside = [], []
    for _, texts in feedback.groupby([of["source"], "question"], observed=True)["verbatim"]:
        # What a system adds is in many texts, so some of them tell: those whose id, a hash, is small.
        share = min(1.0, _ENOUGH / len(texts))
        some = texts[(feedback.loc[texts.index, "feedback_id"] <= f"{round(share * 16**8) - 1:08x}g").to_numpy()]
        found = find_boilerplate(some, of.loc[some.index, "respondent_id"])
        if len(found):
            texts, cut = cut_boilerplate(texts, found)
            kept.append(texts)
            aside.append(cut.dropna())
    if not kept:
        return feedback, pd.DataFrame(columns=["feedback_id", "part", "text"])
    verbatim = feedback["verbatim"].copy()
    verbatim.update(pd.concat(kept))
    cut = pd.concat(aside)
    ids = feedback.loc[cut.index, "feedback_id"]
    return feedback.assign(verbatim=verbatim), pd.DataFrame(
        {"feedback_id": ids, "part": "boilerplate", "text": cut}
    )


def _name_languages(feedback: pd.DataFrame, responses: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    sources = responses["source"].take(feedback["at"]).set_axis(feedback.index)
    found = settle_languages(feedback, programme.languages, sources)
    return feedback.assign(language=feedback["language"].astype("str").fillna(found))[_FEEDBACK]


def _add_lost(made: dict[str, pd.DataFrame], lost) -> dict[str, pd.DataFrame]:
    """Add the rows of files that have disappeared; those that stand in another file now are that file's."""
    fresh = made["responses"]
    own = lost.responses[~lost.responses["response_id"].isin(fresh.get("response_id", ()))]
    said = lost.feedback[lost.feedback["response_id"].isin(own["response_id"])]
    parts = {
        "responses": own.assign(line=0, lost=True),
        "feedback": said,
        "asides": lost.asides[lost.asides["feedback_id"].isin(said["feedback_id"])],
        "tags": lost.tags[lost.tags["response_id"].isin(own["response_id"])],
    }
    return {name: stack([made[name], part]) if len(made[name]) else part for name, part in parts.items()}


def _link(made: dict[str, pd.DataFrame], programme: Programme) -> dict[str, pd.DataFrame]:
    """Link copies to their originals, and flag what looks like a test or like spam."""
    responses = made["responses"]
    again = responses.loc[responses["duplicate_of"].notna(), "response_id"]
    questions = list(programme.questions)
    needed = ["response_id", "received_at", "respondent_id", "duplicate_of", *questions]
    linked, feedback = link_duplicates(responses[needed], made["feedback"], questions)
    # Several rows of one ticket are no flood of its writer, and staff do not write spam to their own firm.
    of = responses.set_index("response_id")[["respondent_id", "voice"]].reindex(feedback["response_id"])
    said = feedback.assign(respondent_id=of["respondent_id"].to_numpy())
    said = said[~feedback["response_id"].isin(again) & (of["voice"] == "customer").to_numpy()]
    feedback["flag"] = flag_feedback(said).reindex(feedback.index)
    made["feedback"] = feedback.drop(columns="received_at")
    made["responses"] = responses.assign(duplicate_of=linked["duplicate_of"])
    return made


def _leave_out(
    made: dict[str, pd.DataFrame], programme: Programme
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Set aside what the programme does not keep: what is too old, and what has a flag of `leave_out`."""
    responses, feedback = made["responses"], made["feedback"]
    reason = pd.Series(None, index=responses.index, dtype="str")
    flagged = feedback["flag"].isin(programme.leave_out)
    if flagged.any():
        all_flagged = flagged.groupby(feedback["response_id"]).all()
        gone = responses["response_id"].isin(all_flagged.index[all_flagged])
        reason = reason.mask(gone, "left out: looks like a test or spam (leave_out)")
    dated = responses["month"].astype("str")
    latest = dated[dated != "all"].max()
    if programme.retention_months is not None and pd.notna(latest):
        kept = select_months(responses.assign(month=dated), latest, back=programme.retention_months)
        old = (dated != "all") & ~responses.index.isin(kept.index)
        reason = reason.mask(old, f"older than retention_months: {programme.retention_months}")
    if reason.isna().all():
        return made, pd.DataFrame(columns=_QUARANTINE)
    left = responses[reason.notna()]
    said = feedback[feedback["response_id"].isin(left["response_id"])]
    flags = said[said["flag"].isin(programme.leave_out)].groupby("response_id")
    words = flags[["question", "verbatim"]].agg(list).reindex(left["response_id"])
    raw = [
        json.dumps(dict(zip(*row, strict=True)), ensure_ascii=False) if isinstance(row[0], list) else ""
        for row in words.itertuples(index=False, name=None)
    ]
    old = reason[left.index].str.startswith("older")
    left = left.assign(reason=reason[left.index], raw=np.where(old, "", raw))
    return _drop_responses(made, left["response_id"]), left


def _drop_responses(made: dict[str, pd.DataFrame], ids: pd.Series) -> dict[str, pd.DataFrame]:
    """Return the tables without some responses; what copied one of them is an original again."""
    kept = {name: made[name] for name in ("responses", "feedback", "asides", "tags")}
    said = kept["feedback"].loc[kept["feedback"]["response_id"].isin(ids), "feedback_id"]
    for name, frame in kept.items():
        column, gone = ("feedback_id", said) if name == "asides" else ("response_id", ids)
        kept[name] = frame[~frame[column].isin(gone)].reset_index(drop=True)
    for name, gone in (("responses", ids), ("feedback", said)):
        of = kept[name]["duplicate_of"]
        kept[name]["duplicate_of"] = of.mask(of.isin(gone))
    return kept
