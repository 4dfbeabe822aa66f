"""Turns the files of all sources into the tables of an ingest, and accounts for every record of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

import numpy as np
import pandas as pd

from vocwb.collect.clean import blank_to_missing
from vocwb.collect.dates import DateReading, decide_dates, is_relative_date
from vocwb.collect.events import drop_repeats, list_events, list_measures
from vocwb.collect.forms.delimited import Part
from vocwb.collect.forms.rows import EmptyFileError
from vocwb.collect.language_id import unload_models
from vocwb.collect.redact import choose_regions, redact_texts
from vocwb.collect.responses import Made, make_responses, read_ids, take_column
from vocwb.collect.settle import settle_responses, stack
from vocwb.collect.sources import RawFile
from vocwb.crosswalk import Source
from vocwb.errors import SourceError
from vocwb.programme import Programme
from vocwb.schemas import check_table, describe_table, empty_table

_MANY = 100_000  # records from which on the memory of a language model is better used otherwise
_Frames = dict[str, list[pd.DataFrame]]


class Tables(NamedTuple):
    """The tables that ingest writes, each checked against its schema and sorted by its key."""

    responses: pd.DataFrame
    feedback: pd.DataFrame
    asides: pd.DataFrame
    tags: pd.DataFrame
    events: pd.DataFrame
    behaviour: pd.DataFrame
    ingested: pd.DataFrame
    quarantine: pd.DataFrame


def make_tables(
    raw_files: Iterable[RawFile],
    *,
    programme: Programme,
    key: bytes,
    forgotten: frozenset[str] = frozenset(),
    lost: Tables | None = None,
) -> Tables:
    """Return the tables of an ingest, from the files that `sources.read_sources` opened.

    `key` is the secret of the respondent ids; `forgotten` are respondent ids whose records are not kept;
    `lost` are the rows of files that have disappeared since the last ingest (`find_lost`): they stay.

    In every file rows_in = kept + duplicates + quarantined. A record is quarantined whole where its date
    cannot be read, an answer is not a number on its scale, its turns are no list, it is older than the
    programme keeps (`retention_months`), or all that it says has a flag of `leave_out`. It is a duplicate (kept
    in the table with `duplicate_of`) where its id stands in the source before, or where every verbatim copies
    those of one other response and its answers are the same. A copied verbatim in any other response is marked
    in `feedback` only, and the response counts.

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
    >>> records = pd.DataFrame({"id": "1", "text": ["Late!"] * 2, "_file": "m.csv", "_folder": "", "_line": [2, 3]})
    >>> file = RawFile(programme.sources[0], "m.csv", "0", "csv", lambda: iter([Part(records, [])]))
    >>> tables = make_tables([file], programme=programme, key=b"secret")
    >>> tables.ingested[["rows_in", "kept", "duplicates", "quarantined"]].values.tolist()
    [[2, 1, 1, 0]]
    """
    frames: _Frames = defaultdict(list)
    read, empty = [], {}
    for raw in raw_files:
        rows_in, read_as = 0, "empty"
        try:
            rows_in, read_as = _read_file(raw, frames, programme, key, forgotten)
            empty[raw.source.name] = None
        except EmptyFileError as error:
            empty.setdefault(raw.source.name, error)
        read.append((raw.source.name, raw.file, raw.sha256, rows_in, "read", read_as))
    for error in filter(None, empty.values()):
        raise error
    if sum(rows for *_, rows, _, _ in read) > _MANY:
        unload_models()
    files = pd.DataFrame(read, columns=["source", "file", "sha256", "rows_in", "status", "read_as"])
    logged, repeats = stack(frames.pop("logged", [])), {}
    logs = {name: stack(frames.pop(name, [])) for name in ("events", "behaviour")}
    made = settle_responses(frames, programme, lost=lost)
    for name, rows in logs.items():
        made[name], repeats[name] = drop_repeats(rows, name)
    regions = choose_regions(programme.languages, programme.regions)
    raw_lines = made["quarantine"]["raw"].astype("str")
    made["quarantine"]["raw"] = redact_texts(raw_lines, regions=regions, keep=programme.keep_handles)
    made["ingested"] = _count_rows(files, made, logged, pd.concat(repeats.values()))
    if lost is not None:
        for name in ("events", "behaviour", "ingested", "quarantine"):
            made[name] = pd.concat([made[name], getattr(lost, name)], ignore_index=True)
    return Tables(**{name: _finish(name, made.pop(name), programme) for name in Tables._fields})


def find_lost(last: Tables, raw_files: Iterable[RawFile], there: Iterable[str]) -> Tables:
    """Return the rows of the last ingest that came from files which have disappeared since.

    `there` are the files that lie in the raw folder. A file that a source only no longer names has not
    disappeared, and neither has one whose bytes lie there under another name. To drop the rows of a file for
    good, forget it: `make forget FILE=`.

    >>> find_lost(Tables(*map(empty_table, Tables._fields)), [], []).ingested.empty
    True
    """
    raw_files = list(raw_files)
    there = {*there, *(raw.file for raw in raw_files)}
    bytes_now = {raw.sha256 for raw in raw_files}
    files = last.ingested[last.ingested["source"].isin({raw.source.name for raw in raw_files})]
    is_there = [any(file == one or file.startswith(one + "/") for one in there) for file in files["file"]]
    files = files[~np.array(is_there, dtype=bool) & ~files["sha256"].isin(bytes_now)]
    known = pd.MultiIndex.from_frame(files[["source", "file"]])
    parts = {
        name: frame[pd.MultiIndex.from_frame(frame[["source", "file"]]).isin(known)]
        for name, frame in last._asdict().items()
        if "file" in frame
    }
    said = last.feedback[last.feedback["response_id"].isin(parts["responses"]["response_id"])]
    return Tables(
        feedback=said,
        asides=last.asides[last.asides["feedback_id"].isin(said["feedback_id"])],
        tags=last.tags[last.tags["response_id"].isin(parts["responses"]["response_id"])],
        **parts | {"ingested": files.assign(status="disappeared")},
    )


def _finish(name: str, frame: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    """Return a table in its order and form; the frame is emptied column by column, to hold it once only."""
    extra = programme.extra_columns if name == "responses" else None
    empty = empty_table(name, extra=extra)
    if frame.empty:
        return empty
    order = (
        frame[list(describe_table(name).key)]
        .reset_index(drop=True)
        .sort_values(list(describe_table(name).key))
        .index
    )
    columns = {}
    for column in empty:
        values = frame.pop(column).array.take(order)
        columns[column] = pd.Series(values, dtype="str" if values.dtype == "category" else values.dtype)
    return check_table(name, pd.DataFrame(columns, copy=False), extra=extra)


def _read_file(
    raw: RawFile, frames: _Frames, programme: Programme, key: bytes, forgotten: frozenset[str]
) -> tuple[int, str]:
    """Add what one file becomes to `frames`; return how many records it holds and how it was read."""
    source, parts, head = raw.source, raw.read(), []
    for part in parts:  # two parts with records tell whether there is more than one
        head.append(part)
        if sum(len(one.records) > 0 for one in head) == 2:
            break
    reading, said = _decide_dates(raw, head, programme)
    whole = sum(len(part.records) > 0 for part in head) < 2
    rows_in, tally = 0, Counter()
    make = list_events if source.events else list_measures if source.measures else make_responses
    place = {"source": source.name, "file": raw.file}
    for number, part in enumerate(chain(head, parts)):
        # What the first parts leave open, and what a later one holds besides, is decided by the whole file.
        later = reading is not None and number >= len(head) and decide_dates(_list_dates([part], source))
        if reading is not None and not whole and not (reading.settled and (not later or later.settled)):
            reading, said = _decide_dates(raw, raw.read(), programme)
            whole = True
        bad = pd.DataFrame(part.bad, columns=["line", "reason", "raw"])
        frames["quarantine"].append(bad.assign(**place))
        rows_in += len(part.records) + len(part.bad)
        if part.records.empty:
            continue
        made = make(part.records, source, programme, key=key, reading=reading, forgotten=forgotten)
        frames["quarantine"].append(made.faulty.assign(**place))
        if make is not make_responses:
            frames["events" if source.events else "behaviour"].append(made.rows)
            frames["logged"].append(pd.DataFrame([place | {"records": len(part.records) - len(made.faulty)}]))
            continue
        _tally_faults(tally, made, source)
        if source.columns.id:
            ids = take_column(part.records, source.columns.id)
            tally["id", "ruined"] += (
                ids.notna().sum() - read_ids(part.records, source.columns.id).notna().sum()
            )
        base = sum(map(len, frames["responses"]))
        for name in ("feedback", "asides", "tags"):
            frame = getattr(made, name)
            frames[name].append(frame.assign(at=frame["at"] + base))
        frames["responses"].append(made.responses)
    _check_faults(tally, raw, programme)
    ruined = tally["id", "ruined"]
    lost = f"{ruined:,} ids were rounded by a spreadsheet and are not used as ids" if ruined else ""
    return rows_in, "; ".join(filter(None, [raw.read_as, said, lost]))


def _list_dates(parts: Iterable[Part], source: Source) -> pd.Series:
    """Return the different values of the date column."""
    columns = [part.records[source.columns.date] for part in parts if len(part.records)]
    columns = [blank_to_missing(column.drop_duplicates()) for column in columns]
    return pd.concat(columns or [pd.Series(dtype="str")], ignore_index=True).dropna().drop_duplicates()


def _decide_dates(raw: RawFile, parts: Iterable[Part], programme: Programme) -> tuple[DateReading | None, str]:
    """Return how the dates of some parts are read, None where they are none, with the evidence in words."""
    source = raw.source
    if source.undated:
        return None, ""
    values = _list_dates(parts, source)
    worded = values[values.str.contains(r"[^\W\d_]{2}")]
    # Without the day of the export "3 months ago" is no date, and the file has none.
    if source.exported_on is None and is_relative_date(worded).sum() * 2 > len(values):
        return None, "dates are told by their distance from the export, and exported_on is not given: undated"
    reading = decide_dates(
        values,
        date_format=source.date_format,
        timezone=source.timezone or programme.timezone,
        exported_on=source.exported_on,
    )
    return reading, f"dates {reading.evidence}" if reading.evidence else ""


def _tally_faults(tally: Counter, made: Made, source: Source) -> None:
    """Count what can and cannot be used of dates and answers, with examples."""
    reasons = made.faulty["reason"].astype("str")
    tally["date", "read"] += made.responses["received_at"].notna().sum()
    tally["date", "unread"] += reasons.str.contains(" cannot be read", regex=False).sum()
    for value in reasons.str.extract(r"the date (.+?) cannot be read")[0].dropna().unique()[:3]:
        tally["date", "like", value] += 1
    for name in source.answers:
        values = made.responses[name].value_counts()
        tally[name, "read"] += values.sum()
        tally[name, "highest"] = max(tally[name, "highest"], values.index.max() if len(values) else 0)
        wrong = reasons.str.extract(rf"the answer to {name!r} is (.+?), not a number of")[0].value_counts()
        tally[name, "unread"] += wrong.sum()
        for value, count in [
            *wrong.items(),
            *((repr(f"{value:g}"), count) for value, count in values.items()),
        ]:
            tally[name, "like", value] += count


def _check_faults(tally: Counter, raw: RawFile, programme: Programme) -> None:
    """Raise SourceError where a whole column is not what the crosswalk says."""
    source = raw.source
    read, unread = tally["date", "read"], tally["date", "unread"]
    if unread > read:
        like = sorted(key[2] for key in tally if key[:2] == ("date", "like"))
        raise SourceError(
            f"{raw.file}: source {source.name!r}: {unread} of {read + unread} dates in column"
            f" {source.columns.date!r} cannot be read.",
            f"Like {', '.join(like[:3])}.",
            "Write date_format (as %d.%m.%Y) in the source, correct columns.date, or say undated: true.",
        )
    for name, column in source.answers.items():
        question, given = programme.questions[name], tally[name, "read"] + tally[name, "unread"]
        seen = Counter({key[2]: count for key, count in tally.items() if key[:2] == (name, "like")})
        frequent = ", ".join(
            value for value, _ in sorted(seen.items(), key=lambda one: (-one[1], one[0]))[:5]
        )
        if tally[name, "unread"] * 2 > given:
            raise SourceError(
                f"{raw.file}: source {source.name!r}: {tally[name, 'unread']} of {given} answers to {name!r} in column"
                f" {column!r} are not on its scale {question.low:g}-{question.high:g}.",
                f"Most frequent: {frequent}.",
                "Declare the scale as it was asked (low, high) in questions, or name the right column in answers.",
            )
        highest = tally[name, "highest"]
        if question.metric == "nps" and given >= 50 and highest <= 6:
            raise SourceError(
                f"{raw.file}: source {source.name!r}: no answer to {name!r} in column {column!r} is above"
                f" {highest:g}, so this is not the 0-10 scale of NPS.",
                f"{given} answers; NPS counts 9-10 as promoters and 0-6 as detractors.",
                "Declare the question with its own scale and metric: rating.",
            )


def _count_rows(
    files: pd.DataFrame, made: dict[str, pd.DataFrame], logged: pd.DataFrame, repeats: pd.DataFrame
) -> pd.DataFrame:
    """Account for every record of every file; SourceError if one is missing, which would be our own fault."""
    by = ["source", "file"]
    by_file = pd.MultiIndex.from_frame(files[by])

    def count(frame: pd.DataFrame) -> np.ndarray:
        counts = frame[by].astype("str").value_counts() if len(frame) else pd.Series(dtype="int64")
        return counts.reindex(by_file, fill_value=0).to_numpy()

    records = logged.groupby(by)["records"].sum() if len(logged) else pd.Series(dtype="int64")
    responses = made["responses"]
    again = responses[responses["duplicate_of"].notna()] if len(responses) else responses
    duplicates = count(again) + count(repeats)
    counted = files.assign(
        kept=count(responses) + records.reindex(by_file, fill_value=0).to_numpy() - duplicates,
        duplicates=duplicates,
        quarantined=count(made["quarantine"]),
    )
    missing = counted[
        counted["rows_in"] != counted[["kept", "duplicates", "quarantined"]].sum(axis="columns")
    ]
    if len(missing):
        raise SourceError(
            f"{missing['file'].iloc[0]}: records were lost: {missing.iloc[0].to_dict()}.",
            remedy="Report this with the file: nothing is written.",
        )
    return counted
