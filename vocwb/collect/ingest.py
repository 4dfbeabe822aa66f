"""Turns the files of all sources into the tables of an ingest, and accounts for every record of them."""

import ctypes
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from vocwb.collect.clean import blank_to_missing
from vocwb.collect.column_styles import join_styles, read_ids, tell_style
from vocwb.collect.dates import DateReading, decide_dates, is_relative_date
from vocwb.collect.events import drop_old, drop_repeats, list_events, list_measures
from vocwb.collect.faults import FEWEST, check_faults, check_nps, tally_faults
from vocwb.collect.forms.delimited import Part
from vocwb.collect.forms.rows import EmptyFileError
from vocwb.collect.language_id import unload_models
from vocwb.collect.redact import redact_as_told
from vocwb.collect.responses import make_responses, take_column
from vocwb.collect.settle import find_first_month, is_old, settle_responses, stack
from vocwb.collect.sources import RawFile
from vocwb.crosswalk import Source
from vocwb.errors import SourceError
from vocwb.programme import Programme
from vocwb.schemas import check_table, describe_table, empty_table

_MANY = 100_000  # records from which on the memory of a language model is better used otherwise
_DATED = ("responses", "events", "behaviour")
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
    read, empty, tallies = [], {}, defaultdict(list)
    for raw in raw_files:
        rows_in, read_as = 0, "empty"
        try:
            rows_in, read_as, tally = _read_file(raw, frames, programme, key, forgotten)
            tallies[raw.source.name].append(tally)
            empty[raw.source.name] = None
        except EmptyFileError as error:
            empty.setdefault(raw.source.name, error)
        read.append((raw.source.name, raw.file, raw.sha256, rows_in, "read", read_as))
    for error in filter(None, empty.values()):
        raise error
    _check_sources(tallies, read, programme)
    is_large = sum(rows for *_, rows, _, _ in read) > _MANY
    if is_large:
        _give_back_memory()
    files = pd.DataFrame(read, columns=["source", "file", "sha256", "rows_in", "status", "read_as"])
    silent, repeats = stack(frames.pop("silent", [])), []
    months = [frame["month"] for name in _DATED for frame in frames[name]]
    months += [getattr(lost, name)["month"] for name in _DATED] if lost is not None else []
    first_month = find_first_month(months, programme.retention_months)
    logs = {name: stack(frames.pop(name, [])) for name in ("events", "behaviour")}
    made = settle_responses(frames, programme, lost=lost, first_month=first_month)
    reason = f"older than retention_months: {programme.retention_months}"
    for name, rows in logs.items():
        rows, old = drop_old(rows, first_month, reason)
        made[name], again = drop_repeats(rows, name)
        made["quarantine"] = pd.concat([made["quarantine"], old], ignore_index=True)
        repeats.append(again)
    for column in ("raw", "reason"):
        made["quarantine"][column] = redact_as_told(made["quarantine"][column].astype("str"), programme)
    made["ingested"] = _count_rows(files, made, silent, pd.concat(repeats))
    if lost is not None:
        _add_lost(made, lost, first_month)
    tables = {}
    for name in Tables._fields:
        if is_large:
            _give_back_memory()
        tables[name] = _finish(name, made.pop(name), programme)
    return Tables(**tables)


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
    # Two files may be the same to the byte: one that was there before stands for itself alone.
    before = set(zip(last.ingested["source"], last.ingested["file"], strict=True))
    renamed = {raw.sha256 for raw in raw_files if (raw.source.name, raw.file) not in before}
    files = last.ingested[last.ingested["source"].isin({raw.source.name for raw in raw_files})]
    is_there = [any(file == one or file.startswith(one + "/") for one in there) for file in files["file"]]
    files = files[~np.array(is_there, dtype=bool) & ~files["sha256"].isin(renamed)]
    known = pd.MultiIndex.from_frame(files[["source", "file"]])
    parts = {
        name: frame[pd.MultiIndex.from_frame(frame[["source", "file"]]).isin(known)]
        for name, frame in last._asdict().items()
        if "file" in frame
    }
    said = last.feedback[last.feedback["response_id"].isin(parts["responses"]["response_id"])]
    return Tables(
        feedback=said,
        asides=last.asides[last.asides["response_id"].isin(parts["responses"]["response_id"])],
        tags=last.tags[last.tags["response_id"].isin(parts["responses"]["response_id"])],
        **parts | {"ingested": files.assign(status="disappeared")},
    )


def _add_lost(made: dict[str, pd.DataFrame], lost: Tables, first_month: str) -> None:
    """Add the logs and the accounts of files that have disappeared, but for events that other files hold too.

    What such a file said is counted again: rows that another file holds now are that file's.
    """
    for name in ("events", "behaviour", "quarantine"):
        rows = getattr(lost, name)
        if name in _DATED:
            [key] = describe_table(name).key
            rows = rows[~is_old(rows["month"], first_month) & ~rows[key].isin(made[name].get(key, ()))]
        made[name] = pd.concat([made[name], rows], ignore_index=True)
    by = ["source", "file"]
    spoke = pd.MultiIndex.from_frame(lost.responses[by]).unique()
    files = lost.ingested.set_index(by)
    again = made["responses"]["duplicate_of"].notna() if len(made["responses"]) else ()
    parts = {
        "kept": made["responses"][~np.asarray(again, dtype=bool)],
        "duplicates": made["responses"][np.asarray(again, dtype=bool)],
        "quarantined": made["quarantine"],
    }
    for name, rows in parts.items():
        counts = rows[by].astype("str").value_counts().reindex(files.index, fill_value=0)
        files[name] = files[name].mask(files.index.isin(spoke), counts)
    files["rows_in"] = files[list(parts)].sum(axis="columns")
    made["ingested"] = pd.concat([made["ingested"], files.reset_index()], ignore_index=True)


def _give_back_memory() -> None:
    """Return to the system what the reading of many records leaves unused: a third of the peak at a million."""
    unload_models()
    pa.default_memory_pool().release_unused()
    with suppress(AttributeError, OSError, TypeError):  # glibc's; other systems need no reminder
        ctypes.CDLL(None).malloc_trim(0)


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
) -> tuple[int, str, Counter]:
    """Add what one file becomes to `frames`; return how many records it holds, how it was read, and its faults."""
    source, parts, head = raw.source, raw.read(), []
    for part in parts:  # two parts with records tell whether there is more than one
        head.append(part)
        if sum(len(one.records) > 0 for one in head) == 2:
            break
    reading, said = _decide_dates(raw, head, programme)
    several = sum(len(part.records) > 0 for part in head) > 1
    whole = not several
    rows_in, tally, style = 0, Counter(), None
    make = list_events if source.events else list_measures if source.measures else make_responses
    place = {"source": source.name, "file": raw.file}
    for number, part in enumerate(chain(head, parts)):
        # What the first parts leave open, and what a later one holds besides, is decided by the whole file.
        later = reading is not None and number >= len(head) and decide_dates(_list_dates([part], source))
        if reading is not None and not whole and not (reading.settled and (not later or later.settled)):
            reading, said = _decide_dates(raw, raw.read(), programme)
            whole = True
        bad = pd.DataFrame(part.bad, columns=["line", "reason", "raw"])
        frames["quarantine"].append(bad.assign(month="all", **place))
        start, rows_in = rows_in, rows_in + len(part.records) + len(part.bad)
        if part.records.empty:
            continue
        own = tell_style(part.records, source)
        if own.is_doubtful and several:
            style = style or join_styles(
                tell_style(one.records, source) for one in raw.read() if len(one.records)
            )
            own = style
        made = make(part.records, source, programme, key=key, reading=reading, style=own, forgotten=forgotten)
        frames["quarantine"].append(made.faulty.assign(**place))
        dated = len(part.records) - len(made.faulty) if reading is not None else 0
        tally += tally_faults(made.faulty, dated, getattr(made, "responses", None), source)
        if source.columns.id:
            ids = take_column(part.records, source.columns.id)
            tally["id", "ruined"] += int(ids.notna().sum() - read_ids(ids, own).notna().sum())
        for column in source.verbatims.values():
            tally["text", "formula"] += int(part.records[column].str.startswith("=").sum())
        if make is not make_responses:
            rows = made.rows.assign(record=made.rows["record"] + start)
            frames["events" if source.events else "behaviour"].append(rows)
            frames["silent"].append(pd.DataFrame([place | {"records": made.silent}]))
            continue
        base = sum(map(len, frames["responses"]))
        for name in ("feedback", "asides", "tags"):
            frame = getattr(made, name)
            frames[name].append(frame.assign(at=frame["at"] + base))
        frames["responses"].append(made.responses)
    if said and not whole:
        said += " (of its first part)"
    if rows_in >= FEWEST:
        check_faults(tally, raw.file, source, programme)
    notes = [raw.read_as, said]
    if ruined := tally["id", "ruined"]:
        notes.append(f"{ruined:,} ids were rounded by a spreadsheet and are not used as ids")
    if formulas := tally["text", "formula"]:
        notes.append(
            f"{formulas:,} texts begin with '=', as a spreadsheet writes formulas; it may have changed them"
        )
    return rows_in, "; ".join(filter(None, notes)), tally


def _check_sources(tallies: dict[str, list[Counter]], read: list[tuple], programme: Programme) -> None:
    """Raise SourceError where a column of all files of a source together is not what the crosswalk says."""
    for source in programme.sources:
        files = [file for name, file, *_ in read if name == source.name]
        where = files[0] if len(files) == 1 else f"{len(files)} files"
        tally = sum(tallies.get(source.name, []), Counter())
        check_faults(tally, where, source, programme)
        check_nps(tally, where, source, programme)


def _list_dates(parts: Iterable[Part], source: Source) -> pd.Series:
    """Return the different values of the date column."""
    columns = [part.records[source.columns.date] for part in parts if len(part.records)]
    columns = [blank_to_missing(column.drop_duplicates()) for column in columns]
    return pd.concat(columns or [pd.Series(dtype="str")], ignore_index=True).dropna().drop_duplicates()


def _decide_dates(
    raw: RawFile, parts: Iterable[Part], programme: Programme
) -> tuple[DateReading | None, str]:
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


def _count_rows(
    files: pd.DataFrame, made: dict[str, pd.DataFrame], silent: pd.DataFrame, repeats: pd.DataFrame
) -> pd.DataFrame:
    """Account for every record of every file; SourceError if one is missing, which would be our own fault.

    Kept are the records that stand in the tables, and those of a log by which nothing happened (`silent`).
    """
    by = ["source", "file"]
    by_file = pd.MultiIndex.from_frame(files[by])

    def count(frame: pd.DataFrame) -> np.ndarray:
        counts = frame[by].astype("str").value_counts() if len(frame) else pd.Series(dtype="int64")
        return counts.reindex(by_file, fill_value=0).to_numpy()

    quiet = silent.groupby(by)["records"].sum() if len(silent) else pd.Series(dtype="int64")
    kept = quiet.reindex(by_file, fill_value=0).to_numpy()
    for name in ("events", "behaviour"):
        if len(made[name]):
            kept = kept + count(made[name][[*by, "record"]].drop_duplicates())
    responses = made["responses"]
    again = responses["duplicate_of"].notna() if len(responses) else []
    counted = files.assign(
        kept=kept + (count(responses[~again]) if len(responses) else 0),
        duplicates=count(repeats) + (count(responses[again]) if len(responses) else 0),
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
