"""Turns the records of all sources into `responses` and `feedback`, and accounts for every one of them."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import (
    blank_to_missing,
    is_relative_date,
    parse_dates,
    parse_numbers,
    repair_texts,
)
from vocwb.collect.identity import identify_responses, link_duplicates
from vocwb.collect.language_id import identify_languages, read_language_name
from vocwb.collect.redact import choose_regions, redact_texts
from vocwb.collect.sources import FILE
from vocwb.errors import SourceError
from vocwb.programme import Programme, Question, Source, Turns
from vocwb.schemas import check_table, empty_table, hash_id

_PLACE = ["_file", "_line"]


class Tables(NamedTuple):
    """The four tables that ingest writes, each checked against its schema and sorted by its key."""

    responses: pd.DataFrame
    feedback: pd.DataFrame
    ingested: pd.DataFrame
    quarantine: pd.DataFrame


def make_tables(
    records: Mapping[str, pd.DataFrame],
    quarantine: pd.DataFrame,
    files: pd.DataFrame,
    *,
    programme: Programme,
    key: bytes,
) -> Tables:
    """Return responses, feedback, ingested and quarantine, from what `sources.read_sources` read.

    Needs `records`: source -> raw columns as text, `_file`, `_line`; `quarantine`: source, file, line,
    reason, raw; `files`: source, file, sha256, rows_in. `key` is the secret of the respondent ids.

    In every file rows_in = kept + duplicates + quarantined. A record is quarantined whole where its date
    cannot be read, an answer is not a number on its scale, or its turns are no list. It is a duplicate
    (kept in the table with `duplicate_of`) where its id stands in the source before, or where every
    verbatim repeats those of one other response word for word and its answers are the same. A repeated
    verbatim in any other response is marked in `feedback` only, and the response counts.

    The same files give the same tables, whatever the order of their rows. Raises SourceError where more
    than half of a file's dates or of a question's answers cannot be used, and where an NPS column looks
    like a 0-6 scale.

    >>> from vocwb.programme import parse_programme
    >>> programme = parse_programme('''
    ... title: T
    ... question: Why?
    ... goal: loyalty
    ... sources: [{name: mail, files: m.csv, channel: mail, who_started: customer, mode: direct,
    ...            undated: true, columns: {id: id}, verbatims: {comment: text}}]''', name="t")
    >>> records = pd.DataFrame({"id": "1", "text": ["Late!", "Late!"], "_file": "m.csv", "_line": [2, 3]})
    >>> files = pd.DataFrame({"source": ["mail"], "file": ["m.csv"], "sha256": ["0"], "rows_in": [2]})
    >>> tables = make_tables({"mail": records}, empty_table("quarantine"), files, programme=programme, key=b"secret")
    >>> tables.ingested[["rows_in", "kept", "duplicates", "quarantined"]].values.tolist()
    [[2, 1, 1, 0]]
    """
    regions = choose_regions(programme.languages, programme.regions)
    made = [
        _read_source(records[s.name], s, programme, key) for s in programme.sources if len(records[s.name])
    ]
    empty = pd.DataFrame(columns=["source", "file", "line", "reason", "raw"])
    responses, feedback, faulty = (
        pd.concat([part[at] for part in made], ignore_index=True) if made else empty for at in range(3)
    )
    if len(feedback):
        unnamed = feedback["language"].isna()
        found = identify_languages(feedback.loc[unnamed, "verbatim"], programme.languages)
        feedback["language"] = feedback["language"].fillna(found)
        feedback["verbatim"] = redact_texts(
            feedback["verbatim"], regions=regions, keep=programme.keep_handles
        )
        responses, feedback = link_duplicates(responses, feedback, list(programme.questions))
    faulty = pd.concat([quarantine, faulty], ignore_index=True)[list(empty)]
    faulty["raw"] = redact_texts(faulty["raw"].astype("str"), regions=regions, keep=programme.keep_handles)
    ingested = _count_rows(files, responses, faulty)
    return Tables(
        _finish("responses", responses, extra=programme.extra_columns),
        _finish("feedback", feedback),
        _finish("ingested", ingested),
        _finish("quarantine", faulty),
    )


def _finish(name: str, frame: pd.DataFrame, extra: Mapping[str, str] | None = None) -> pd.DataFrame:
    empty = empty_table(name, extra=extra)
    if frame.empty:
        return empty
    key = {"responses": ["response_id"], "feedback": ["feedback_id"]}.get(name, ["source", "file"])
    by = [*key, "line", "reason"] if name == "quarantine" else key
    return check_table(name, frame[list(empty)].sort_values(by, ignore_index=True), extra=extra)


def _read_source(
    frame: pd.DataFrame, source: Source, programme: Programme, key: bytes
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return a source's responses (with _file), its feedback, and the records that cannot be used."""
    frame = frame.sort_values(_PLACE, ignore_index=True)
    received, faults = _read_received(frame, source, programme)
    answers = {}
    for name, column in source.answers.items():
        answers[name], fault = _read_answers(frame, column, source, name, programme.questions[name])
        faults = _add_faults(faults, fault)
    turns = _read_turns(frame[source.turns.column], source.turns) if source.turns else None
    if turns is not None:
        unread = turns.isna() & blank_to_missing(frame[source.turns.column]).notna()
        faults = _add_faults(
            faults, pd.Series("the turns are no list of speaker and text", frame.index).where(unread)
        )

    bad = faults.notna()
    faulty = frame.loc[bad, _PLACE].rename(columns={"_file": "file", "_line": "line"})
    faulty = faulty.assign(source=source.name, reason=faults[bad], raw=_write_raw(frame[bad]))
    good = frame[~bad]
    responses = _describe(good, source, programme, key).assign(received_at=received)
    local = responses["received_at"].dt.tz_convert(programme.timezone)
    responses["month"] = local.dt.strftime("%Y-%m").fillna("all")
    for name in programme.questions:
        responses[name] = answers.get(name, pd.Series(dtype="float64")).reindex(good.index)
    responses, identities = identify_responses(good.drop(columns=_PLACE), responses)

    feedback = _list_turns(turns[~bad]) if turns is not None else _list_verbatims(good, source.verbatims)
    feedback["response_id"] = feedback["at"].map(responses["response_id"])
    feedback["language"] = (
        feedback["at"].map(_named_languages(good, source, programme.languages)).astype("str")
    )
    feedback["feedback_id"] = [
        hash_id(*identities[at], question)
        for at, question in zip(feedback["at"], feedback["question"], strict=True)
    ]
    return responses, feedback.drop(columns="at"), faulty


def _column(frame: pd.DataFrame, column: str | None) -> pd.Series:
    missing = pd.Series(None, index=frame.index, dtype="str")
    return blank_to_missing(frame[column]) if column else missing


def _describe(frame: pd.DataFrame, source: Source, programme: Programme, key: bytes) -> pd.DataFrame:
    """Return the columns of a response that its source or its record says."""
    columns = source.columns
    responses = frame[["_file"]].assign(
        source=source.name,
        source_id=_column(frame, columns.id),
        channel=_column(frame, columns.channel).fillna(source.channel or "unknown"),
        who_started=source.who_started,
        mode=source.mode,
        population=source.population,
        voice=source.voice,
        stage=_column(frame, columns.stage),
        respondent_id=_hide(_column(frame, columns.respondent), key),
    )
    if source.stage:
        responses["stage"] = responses["stage"].fillna(source.stage)
    for segment in programme.segments:
        column = source.segments.get(segment)
        found = _column(frame, column)
        responses[segment] = found.map(lambda file: PurePath(file).stem) if column == FILE else found
    return responses


def _hide(respondents: pd.Series, key: bytes) -> pd.Series:
    hidden = {
        name: hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:32]
        for name in respondents.dropna().unique()
    }
    return respondents.map(hidden).astype("str")


def _add_faults(faults: pd.Series, more: pd.Series) -> pd.Series:
    both = faults.notna() & more.notna()
    return faults.fillna(more).mask(both, faults + "; " + more)


def _read_received(frame: pd.DataFrame, source: Source, programme: Programme) -> tuple[pd.Series, pd.Series]:
    """Return when each record was received (UTC; NaT in an undated source), and what is wrong with its date."""
    faults = pd.Series(None, index=frame.index, dtype="str")
    received = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us, UTC]")
    if source.undated:
        return received, faults
    for file, at in frame.groupby("_file").groups.items():
        values = blank_to_missing(frame.loc[at, source.columns.date])
        timezone = source.timezone or programme.timezone
        dates = parse_dates(
            values, date_format=source.date_format, timezone=timezone, exported_on=source.exported_on
        )
        unread = values[dates.isna()].dropna()
        # Without the day of the export "3 months ago" is no date, and the file has none.
        if source.exported_on is None and is_relative_date(unread).sum() * 2 > values.notna().sum():
            continue
        if len(unread) * 2 > values.notna().sum():
            raise SourceError(
                f"{file}: source {source.name!r}: {len(unread)} of {values.notna().sum()} dates in column"
                f" {source.columns.date!r} cannot be read.",
                f"Like {', '.join(repr(value) for value in sorted(unread.unique())[:3])}.",
                "Write date_format (as %d.%m.%Y) in the source, correct columns.date, or say undated: true.",
            )
        received[at] = dates
        shown = ("the date " + values.map(repr, na_action="ignore") + " cannot be read").fillna("no date")
        faults[at] = shown.where(dates.isna())
    return received, faults


def _read_answers(
    frame: pd.DataFrame, column: str, source: Source, name: str, question: Question
) -> tuple[pd.Series, pd.Series]:
    """Return the answers to a scaled question, and what is wrong with those that are not on the scale."""
    values = blank_to_missing(frame[column])
    numbers = parse_numbers(values)
    scale = f"{question.low:g}-{question.high:g}"
    off = values.notna() & ~numbers.between(question.low, question.high)
    for file, at in frame.groupby("_file").groups.items():
        given, wrong = values[at].notna().sum(), off[at].sum()
        if wrong * 2 > given:
            seen = ", ".join(repr(value) for value in values[at].value_counts().index[:5])
            raise SourceError(
                f"{file}: source {source.name!r}: {wrong} of {given} answers to {name!r} in column {column!r}"
                f" are not on its scale {scale}.",
                f"Most frequent: {seen}.",
                "Declare the scale as it was asked (low, high) in questions, or name the right column in answers.",
            )
        if question.metric == "nps" and given >= 50 and numbers[at].max() <= 6:
            raise SourceError(
                f"{file}: source {source.name!r}: no answer to {name!r} in column {column!r} is above"
                f" {numbers[at].max():g}, so this is not the 0-10 scale of NPS.",
                f"{given} answers; NPS counts 9-10 as promoters and 0-6 as detractors.",
                "Declare the question with its own scale and metric: rating.",
            )
    fault = (
        f"the answer to {name!r} is " + values.map(repr, na_action="ignore") + f", not a number of {scale}"
    )
    return numbers.mask(off), fault.where(off)


def _read_turns(values: pd.Series, turns: Turns) -> pd.Series:
    """Return for each record its customers' turns, number -> text; missing where they are no list of turns."""
    customers = {name.strip().lower() for name in turns.customer}

    def read(value: str) -> dict[int, str] | None:
        try:
            listed = json.loads(value)
            return {
                number: str(turn[turns.text])
                for number, turn in enumerate(listed, 1)
                if str(turn[turns.speaker]).strip().lower() in customers and turn[turns.text] is not None
            }
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    return pd.Series(
        [None if pd.isna(value) else read(value) for value in values], values.index, dtype="object"
    )


def _list_turns(turns: pd.Series) -> pd.DataFrame:
    rows = [(at, f"turn {k}", text) for at, said in turns.dropna().items() for k, text in said.items()]
    return _keep_said(pd.DataFrame(rows, columns=["at", "question", "verbatim"]))


def _list_verbatims(frame: pd.DataFrame, verbatims: Mapping[str, str]) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"at": frame.index, "question": question, "verbatim": frame[column]})
        for question, column in verbatims.items()
    ]
    columns = ["at", "question", "verbatim"]
    return _keep_said(pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns))


def _keep_said(feedback: pd.DataFrame) -> pd.DataFrame:
    feedback["verbatim"] = repair_texts(feedback["verbatim"])
    return feedback[feedback["verbatim"].notna()].reset_index(drop=True)


def _named_languages(frame: pd.DataFrame, source: Source, declared: list[str]) -> pd.Series:
    """Return the languages that the source itself names, missing where it names none that is known."""
    names = _column(frame, source.columns.language)
    if source.language:
        names = names.fillna(source.language)
    return names.map({name: read_language_name(name, declared) for name in names.dropna().unique()})


def _write_raw(frame: pd.DataFrame) -> list[str]:
    rows = frame.drop(columns=_PLACE).to_dict("records")
    return [
        json.dumps({k: v for k, v in row.items() if pd.notna(v) and v}, ensure_ascii=False) for row in rows
    ]


def _count_rows(files: pd.DataFrame, responses: pd.DataFrame, faulty: pd.DataFrame) -> pd.DataFrame:
    """Account for every record of every file; SourceError if one is missing, which would be our own fault."""
    by_file = pd.MultiIndex.from_frame(files[["source", "file"]])
    quarantined = faulty.groupby(["source", "file"]).size().reindex(by_file, fill_value=0)
    kept = duplicates = pd.Series(0, index=by_file)
    if len(responses):
        again = responses["duplicate_of"].notna().groupby([responses["source"], responses["_file"]])
        duplicates = again.sum().reindex(by_file, fill_value=0)
        kept = again.size().reindex(by_file, fill_value=0) - duplicates
    counted = files.assign(
        kept=kept.to_numpy(), duplicates=duplicates.to_numpy(), quarantined=quarantined.to_numpy()
    )
    lost = counted[counted["rows_in"] != counted[["kept", "duplicates", "quarantined"]].sum(axis="columns")]
    if len(lost):
        raise SourceError(
            f"{lost['file'].iloc[0]}: records were lost: {lost.iloc[0].to_dict()}.",
            remedy="Report this with the file: nothing is written.",
        )
    return counted
