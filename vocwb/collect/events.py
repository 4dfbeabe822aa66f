"""Turns logs and behaviour into tables of their own: what happened, and what was measured of a respondent."""

from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import blank_to_missing, parse_numbers
from vocwb.collect.column_styles import Style, read_ids, read_numbers
from vocwb.collect.dates import DateReading, parse_dates
from vocwb.collect.identity import hash_texts, prefix_length, write_identities
from vocwb.collect.redact import redact_as_told
from vocwb.collect.responses import (
    add_fault,
    begin_records,
    hide_names,
    list_faulty,
    name_months,
    take_column,
)
from vocwb.collect.settle import is_old
from vocwb.collect.sources import FILE, FOLDER
from vocwb.crosswalk import Source
from vocwb.programme import Programme

NOT_HAPPENED = ("no", "n", "false", "f", "none", "never", "not", "не", "нет", "خیر", "لا", "否", "未")
"""What says in a column of a funnel that this did not happen, beside an empty cell and noughts (in any case)."""

_RECORD = ["source", "file", "record"]


class Happened(NamedTuple):
    """What records of a log become: rows of `events` or of `behaviour`, what is wrong, and how many say nothing.

    rows: as the table, without its id, and `record` (its place among the records), `identity`, `line`. faulty: line,
    reason, raw, month. silent: records that can be read and by which nothing happened, or was measured.
    """

    rows: pd.DataFrame
    faulty: pd.DataFrame
    silent: int


def list_events(
    records: pd.DataFrame,
    source: Source,
    programme: Programme,
    *,
    key: bytes,
    reading: DateReading | None,
    style: Style | None = None,
    forgotten: frozenset[str] = frozenset(),
) -> Happened:
    """Return the events of a log, none to several a record, and the records that cannot be read.

    With `events.kind` a record is one event; with `events.kinds` (a message funnel) it is one for each column
    that says yes or holds a date, which is then the event's own. What people searched for is redacted as what
    they say. `style` is what the whole file tells of its numbers (None: these records are the whole).

    >>> source = Source.model_validate({"name": "log", "files": "l.csv", "channel": "help", "who_started": "nobody",
    ...     "mode": "behaviour", "undated": True, "events": {"kind": "what", "subject": "page"}})
    >>> records = pd.DataFrame({"what": ["search"], "page": ["p1"], "_file": "l.csv", "_folder": "", "_line": 2})
    >>> programme = Programme.model_construct(timezone="UTC", languages=["en"])
    >>> found = list_events(records, source, programme, key=b"secret", reading=None)
    >>> found.rows[["kind", "subject"]].values.tolist()
    [['search', 'p1']]
    """
    events = source.events
    records, style, received, faults = begin_records(records, source, reading, style)
    columns = source.columns
    base = pd.DataFrame({
        "source": source.name, "file": records[FILE], "line": records["_line"], "record": records.index,
        "received_at": received,
        "channel": take_column(records, columns.channel).fillna(source.channel or "unknown"),
        "respondent_id": hide_names(take_column(records, columns.respondent), key, source),
        "session_id": hide_names(take_column(records, columns.session), key, source),
        "identity": _identify(records, source, style),
    })  # fmt: skip
    base["subject"] = pd.Series(None, index=records.index, dtype="str")
    for column in events.subject:
        base["subject"] = base["subject"].fillna(take_column(records, column))
    base["subject"] = redact_as_told(base["subject"], programme)
    values = take_column(records, events.value)
    base["value"] = read_numbers(values, events.value or "", style)
    faults = add_fault(faults, "the value is no number", values.notna() & base["value"].isna())
    if events.kind:
        base["kind"] = take_column(records, events.kind).str.lower()
        faults = add_fault(faults, "no kind of event", base["kind"].isna())
        parts, silent = [base], pd.Series(False, records.index)
    else:
        happened = {kind: _has_happened(take_column(records, name)) for kind, name in events.kinds.items()}
        parts = [
            _read_kind(records, base[happened[kind]], kind, name, reading)
            for kind, name in events.kinds.items()
        ]
        silent = ~pd.DataFrame(happened).any(axis="columns")
    gone = base["respondent_id"].isin(forgotten)
    return _finish(pd.concat(parts), silent, received, faults, gone, records, source, programme, key)


def list_measures(
    records: pd.DataFrame,
    source: Source,
    programme: Programme,
    *,
    key: bytes,
    reading: DateReading | None,
    style: Style | None = None,
    forgotten: frozenset[str] = frozenset(),
) -> Happened:
    """Return what was measured of respondents, one row a measure, and the records that cannot be read.

    A cell without a number is no row; one with something else makes the record faulty, and so does a record
    without a respondent.

    >>> source = Source.model_validate({"name": "use", "files": "u.csv", "channel": "shop", "who_started": "nobody",
    ...     "mode": "behaviour", "undated": True, "columns": {"respondent": "who"}, "measures": {"orders": "n"}})
    >>> records = pd.DataFrame({"who": ["ann"], "n": ["3"], "_file": "u.csv", "_folder": "", "_line": 2})
    >>> programme = Programme.model_construct(timezone="UTC")
    >>> found = list_measures(records, source, programme, key=b"secret", reading=None)
    >>> found.rows[["month", "measure", "value"]].values.tolist()
    [['all', 'orders', 3.0]]
    """
    records, style, received, faults = begin_records(records, source, reading, style)
    respondents = hide_names(take_column(records, source.columns.respondent), key, source)
    identity = _identify(records, source, style)
    faults = add_fault(faults, "no respondent", respondents.isna())
    parts, silent = [], pd.Series(True, records.index)
    for measure, column in source.measures.items():
        given = blank_to_missing(records[column])
        numbers = read_numbers(given, column, style)
        faults = add_fault(faults, f"{column!r} is no number", given.notna() & numbers.isna())
        silent &= given.isna()
        rows = pd.DataFrame({
            "source": source.name, "file": records[FILE], "line": records["_line"], "record": records.index,
            "respondent_id": respondents, "received_at": received, "measure": measure, "value": numbers,
            "identity": identity,
        })  # fmt: skip
        parts.append(rows[numbers.notna()])
    gone = respondents.isin(forgotten)
    return _finish(pd.concat(parts), silent, received, faults, gone, records, source, programme, key)


def drop_repeats(rows: pd.DataFrame, table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of `events` or `behaviour` with their id, and source and file of each record that is a repeat.

    Needs identity (of the record), file, line, record (unique in its file), month, and kind or measure. Within a
    file the same content twice happened twice, as two clicks may; a record that another file of the source holds
    too, with its date, was exported twice. The first file by name keeps it.

    >>> rows = pd.DataFrame({"identity": "1:a", "kind": "click", "source": "log", "file": ["a", "b"], "line": 2,
    ...                      "record": 0, "month": "2025-01"})
    >>> kept, repeats = drop_repeats(rows, "events")
    >>> kept["file"].tolist(), repeats["file"].tolist()
    (['a'], ['b'])
    """
    if rows.empty:
        return rows, pd.DataFrame({"source": [], "file": []}, dtype="str")
    rows = rows.sort_values(["source", "file", "line", "record"], ignore_index=True)
    what = "kind" if table == "events" else "measure"
    known = rows["identity"].astype("str") + prefix_length(rows[what].astype("str"))
    undated = rows["file"].astype("str").where(rows["month"] == "all", "")
    number = rows.groupby([known, rows["source"], rows["file"]], observed=True).cumcount() + 1
    ids = hash_texts(known + prefix_length(undated) + ":" + number.astype("str"))
    again = ids.duplicated()
    whole = again.groupby([rows[name] for name in _RECORD], observed=True).all()
    repeats = whole[whole].reset_index()[["source", "file"]].astype("str")
    name = "event_id" if table == "events" else "behaviour_id"
    return rows.assign(**{name: ids})[~again].rename(columns={"received_at": "at"}), repeats


def drop_old(rows: pd.DataFrame, first_month: str, reason: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that are not before the first month, and for quarantine each record of which no row is left.

    Needs source, file, line, record (unique in its file), month.

    >>> rows = pd.DataFrame({"source": "log", "file": "a", "line": [2, 3], "record": [0, 1]})
    >>> rows["month"] = ["2024-12", "all"]
    >>> kept, old = drop_old(rows, "2025-01", "too old")
    >>> kept["line"].tolist(), old["line"].tolist(), old["raw"].tolist()
    ([3], [2], [''])
    """
    old = is_old(rows["month"], first_month) if len(rows) else pd.Series(dtype="bool")
    if not old.any():
        return rows, pd.DataFrame(columns=["source", "file", "line", "reason", "raw"])
    whole = old.groupby([rows[name] for name in _RECORD], observed=True).transform("all")
    left = rows[whole].drop_duplicates(_RECORD)[["source", "file", "line"]]
    return rows[~old], left.assign(reason=reason, raw="")


def _identify(records: pd.DataFrame, source: Source, style: Style) -> pd.Series:
    ids = read_ids(take_column(records, source.columns.id), style)
    return write_identities(source.name, ids, records.drop(columns=[FILE, FOLDER, "_line"]))


def _has_happened(cells: pd.Series) -> pd.Series:
    """Return which cells say that something happened; a date of noughts is how a database writes none."""
    nothing = cells.isna() | cells.str.lower().isin(NOT_HAPPENED) | (parse_numbers(cells) == 0)
    return ~(nothing | cells.str.fullmatch(r"[0:./ T-]+Z?", na=True))


def _read_kind(
    records: pd.DataFrame, happened: pd.DataFrame, kind: str, column: str, reading: DateReading | None
) -> pd.DataFrame:
    """Return the rows of one thing of a funnel, each at its own time where its cell holds one."""
    rows = happened.assign(kind=kind)
    if reading is not None and len(rows):
        cells = take_column(records, column)[rows.index]
        own = parse_dates(cells.where(cells.str.len() > 5), reading)
        rows["received_at"] = own.fillna(rows["received_at"])
    return rows


def _finish(
    rows: pd.DataFrame,
    silent: pd.Series,
    received: pd.Series,
    faults: pd.Series,
    gone: pd.Series,
    records: pd.DataFrame,
    source: Source,
    programme: Programme,
    key: bytes,
) -> Happened:
    bad = faults.notna() | gone
    rows = rows[~bad.reindex(rows.index)].reset_index(drop=True)
    rows = rows.assign(month=name_months(rows["received_at"], programme.timezone))
    faulty = list_faulty(records, received, faults, gone, source, key=key, timezone=programme.timezone)
    return Happened(rows, faulty, int((silent & ~bad).sum()))
