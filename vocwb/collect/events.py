"""Turns logs and behaviour into tables of their own: what happened, and what was measured of a respondent."""

from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import blank_to_missing, parse_numbers
from vocwb.collect.dates import DateReading, parse_dates
from vocwb.collect.identity import hash_texts, write_identities
from vocwb.collect.redact import choose_regions, redact_texts
from vocwb.collect.responses import hide_names, name_months, read_received, take_column, write_raw
from vocwb.collect.sources import FILE, FOLDER
from vocwb.crosswalk import Source
from vocwb.programme import Programme

NOT_HAPPENED = ("0", "0.0", "no", "n", "false", "f", "не", "нет", "خیر", "لا", "否")
"""What says in a column of a funnel that this did not happen, beside an empty cell (in any case)."""


class Happened(NamedTuple):
    """What records of a log become: rows of `events` or of `behaviour`, and what is wrong."""

    rows: pd.DataFrame
    faulty: pd.DataFrame


def list_events(
    records: pd.DataFrame,
    source: Source,
    programme: Programme,
    *,
    key: bytes,
    reading: DateReading | None,
    forgotten: frozenset[str] = frozenset(),
) -> Happened:
    """Return the events of a log, none to several a record, and the records that cannot be read.

    With `events.kind` a record is one event; with `events.kinds` (a message funnel) it is one for each column
    that says yes or holds a date, which is then the event's own. What people searched for is redacted as what
    they say. Records of the same content are numbered, as two clicks may be.

    >>> source = Source.model_validate({"name": "log", "files": "l.csv", "channel": "help", "who_started": "nobody",
    ...     "mode": "behaviour", "undated": True, "events": {"kind": "what", "subject": "page"}})
    >>> records = pd.DataFrame({"what": ["search"], "page": ["p1"], "_file": "l.csv", "_folder": "", "_line": 2})
    >>> programme = Programme.model_construct(timezone="UTC", languages=["en"])
    >>> found = list_events(records, source, programme, key=b"secret", reading=None)
    >>> found.rows[["kind", "subject"]].values.tolist()
    [['search', 'p1']]
    """
    events = source.events
    records = records.reset_index(drop=True)
    received, faults = read_received(records, source, reading)
    columns = source.columns
    base = pd.DataFrame({
        "source": source.name, "file": records[FILE], "line": records["_line"], "received_at": received,
        "channel": take_column(records, columns.channel).fillna(source.channel or "unknown"),
        "respondent_id": hide_names(take_column(records, columns.respondent), key, source),
        "session_id": hide_names(take_column(records, columns.session), key, source),
        "identity": write_identities(
            source.name, take_column(records, columns.id), records.drop(columns=[FILE, FOLDER, "_line"])
        ),
    })  # fmt: skip
    base["subject"] = pd.Series(None, index=records.index, dtype="str")
    for column in events.subject:
        base["subject"] = base["subject"].fillna(take_column(records, column))
    base["subject"] = redact_texts(
        base["subject"],
        regions=choose_regions(programme.languages, programme.regions),
        keep=programme.keep_handles,
    )
    values = take_column(records, events.value)
    base["value"] = parse_numbers(values)
    faults = _add(faults, "the value is no number", values.notna() & base["value"].isna())
    if events.kind:
        base["kind"] = take_column(records, events.kind).str.lower()
        faults = _add(faults, "no kind of event", base["kind"].isna())
        rows = base
    else:
        rows = pd.concat(
            [_read_kind(records, base, kind, name, reading) for kind, name in events.kinds.items()]
        )
    gone = base["respondent_id"].isin(forgotten)
    faults = faults.mask(gone, "forgotten, as the respondent asked")
    rows = rows[faults.reindex(rows.index).isna()].reset_index(drop=True)
    return Happened(_finish(rows, programme), _list_faulty(records, faults, gone))


def list_measures(
    records: pd.DataFrame,
    source: Source,
    programme: Programme,
    *,
    key: bytes,
    reading: DateReading | None,
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
    records = records.reset_index(drop=True)
    received, faults = read_received(records, source, reading)
    respondents = hide_names(take_column(records, source.columns.respondent), key, source)
    content = records.drop(columns=[FILE, FOLDER, "_line"])
    identity = write_identities(source.name, take_column(records, source.columns.id), content)
    faults = _add(faults, "no respondent", respondents.isna())
    parts = []
    for measure, column in source.measures.items():
        given = blank_to_missing(records[column])
        numbers = parse_numbers(given)
        faults = _add(faults, f"{column!r} is no number", given.notna() & numbers.isna())
        parts.append(pd.DataFrame({
            "source": source.name, "file": records[FILE], "line": records["_line"], "respondent_id": respondents,
            "received_at": received, "measure": measure, "value": numbers, "identity": identity,
        }))  # fmt: skip
    gone = respondents.isin(forgotten)
    faults = faults.mask(gone, "forgotten, as the respondent asked")
    rows = pd.concat(parts)
    rows = rows[faults.reindex(rows.index).isna() & rows["value"].notna()]
    return Happened(_finish(rows.reset_index(drop=True), programme), _list_faulty(records, faults, gone))


def drop_repeats(rows: pd.DataFrame, table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of `events` or `behaviour` with their id, and source and file of each record that is a repeat.

    Needs identity (of the record), file, line, month, and kind or measure. Within a file the same content twice
    happened twice, as two clicks may; a record that another file of the source holds too, with its date, was
    exported twice. The first file by name keeps it.

    >>> rows = pd.DataFrame({"identity": "1:a", "kind": "click", "source": "log", "file": ["a", "b"], "line": 2,
    ...                      "month": "2025-01"})
    >>> kept, repeats = drop_repeats(rows, "events")
    >>> kept["file"].tolist(), repeats["file"].tolist()
    (['a'], ['b'])
    """
    if rows.empty:
        return rows, pd.DataFrame({"source": [], "file": []}, dtype="str")
    rows = rows.sort_values(["file", "line"], kind="stable", ignore_index=True)
    known = rows["identity"] + rows["kind" if table == "events" else "measure"].astype("str")
    undated = rows["file"].where(rows["month"] == "all", "").astype("str")
    number = rows.groupby([known, rows["file"]], observed=True).cumcount() + 1
    rows["event_id" if table == "events" else "behaviour_id"] = hash_texts(
        known + ":" + undated + ":" + number.astype("str")
    )
    again = rows.iloc[:, -1].duplicated()
    record = ["source", "file", "line"]
    whole = again.groupby([rows[name] for name in record], observed=True).all()
    repeats = whole[whole].reset_index()[["source", "file"]].astype("str")
    return rows[~again].rename(columns={"received_at": "at"}), repeats


def _read_kind(
    records: pd.DataFrame, base: pd.DataFrame, kind: str, column: str, reading: DateReading | None
) -> pd.DataFrame:
    """Return the records in which one thing of a funnel happened, at its own time where the cell holds one."""
    cells = take_column(records, column)
    happened = cells.notna() & ~cells.str.lower().isin(NOT_HAPPENED)
    rows = base[happened].assign(kind=kind)
    if reading is not None and happened.any():
        own = parse_dates(cells[happened].where(cells[happened].str.len() > 5), reading)
        rows["received_at"] = own.fillna(rows["received_at"])
    return rows


def _finish(rows: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    return rows.assign(month=name_months(rows["received_at"], programme.timezone))


def _add(faults: pd.Series, reason: str, where: pd.Series) -> pd.Series:
    return faults.mask(where & faults.isna(), reason)


def _list_faulty(records: pd.DataFrame, faults: pd.Series, gone: pd.Series) -> pd.DataFrame:
    bad = faults.notna()
    faulty = pd.DataFrame({"line": records.loc[bad, "_line"], "reason": faults[bad]})
    return faulty.assign(raw=write_raw(records[bad], gone[bad]))
