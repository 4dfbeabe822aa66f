"""What people decided: one append-only table that several processes write at once.

It holds ids, never customers' words. The current state is the fold of the log, so history is never lost.
It lives in `data/<programme>/decisions.db` (SQLite, WAL); `decisions.jsonl` beside it is the export that is
tracked in git, and a database is rebuilt from it when there is none.
"""

import datetime
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from vocwb.errors import DecisionError
from vocwb.paths import programme_folder
from vocwb.programme import Programme
from vocwb.store import short_path, write_whole

KINDS = {
    "codebook_in_use": "subject: codebook id; value: reviewed (true or false)",
    "topic_name": "subject: topic; value: name",
    "topic_merge": "subject: topic; value: into (a topic)",
    "topic_retire": "subject: topic; value: {}",
    "why": "subject: an id of the why; value: parent, statement, evidence_for, evidence_against, dissent",
    "action": "subject: action id; value: title, owner, effort, status, registered_on, starts_on, target ...",
    "code": "subject: feedback id; value: category, polarity, intensity, ask",
    "segment_label": "subject: column; value: raw value -> label",
    "correction": "subject: what is corrected; value: what it should be",
}
"""Each kind with what its subject and value hold."""

_SINGLE = ("kind", "subject")
_PER_PERSON = ("kind", "subject", "who")

_COLUMNS = ["decision_id", "kind", "subject", "value", "who", "when", "why", "replaces"]
_CREATE = (
    """create table decisions (
  decision_id integer primary key autoincrement, kind text not null, subject text not null, value text not null,
  who text not null, "when" text not null, why text not null, replaces integer references decisions(decision_id)
)""",
    """create trigger decisions_stay before update on decisions
  begin select raise(abort, 'decisions are append-only'); end""",
    """create trigger decisions_never_go before delete on decisions
  begin select raise(abort, 'decisions are append-only'); end""",
)


def record_decision(
    programme: Programme,
    *,
    kind: str,
    subject: str,
    value: dict | None,
    who: str,
    why: str,
    replaces: int | None = None,
) -> int:
    """Add one decision and return its id; a value of None takes back what it replaces.

    Safe from several processes at once. Raises DecisionError for an unknown kind, an empty subject, who or
    why, a value that is not JSON, and a decision to be replaced that there is not.

    >>> record_decision(programme, kind="topic_name", subject="T0001", value={"name": "Late parcels"},
    ...                 who="Ada", why="reads better")  # doctest: +SKIP
    1
    """
    row = _check_row({"kind": kind, "subject": subject, "value": value, "who": who, "why": why})
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with _open(programme) as connection:
        if replaces is not None:
            known = connection.execute(
                "select kind from decisions where decision_id = ?", [replaces]
            ).fetchone()
            if known is None or known[0] != kind:
                raise DecisionError(
                    f"Decision {replaces} is to be replaced, but there is no such decision of kind {kind!r}.",
                    remedy="Look at read_decisions(programme) for its id.",
                )
        return _insert(connection, row | {"when": now, "replaces": replaces})


def read_decisions(programme: Programme) -> pd.DataFrame:
    """Return the whole log: decision_id, kind, subject, value (dict or None), who, when, why, replaces.

    >>> read_decisions(programme)  # doctest: +SKIP
    """
    if not any(path.exists() for path in _files(programme)):
        return pd.DataFrame({column: [] for column in _COLUMNS}).astype({"decision_id": "int64"})
    with _open(programme) as connection:
        frame = pd.read_sql("select * from decisions order by decision_id", connection)
    return frame.assign(
        value=[json.loads(text) for text in frame["value"]], replaces=frame["replaces"].astype("Int64")
    )


def fold_decisions(decisions: pd.DataFrame, kind: str | None = None) -> pd.DataFrame:
    """Return the decisions that stand: the last of each subject, without what was replaced or taken back.

    Of human codes the last of each subject and person stands, since coders may differ.

    >>> log = pd.DataFrame({"decision_id": [1, 2], "kind": ["topic_name"] * 2, "subject": ["T0001"] * 2,
    ...     "value": [{"name": "a"}, {"name": "b"}], "who": ["A", "B"], "when": [""] * 2, "why": [""] * 2,
    ...     "replaces": pd.array([None, 1], dtype="Int64")})
    >>> [value["name"] for value in fold_decisions(log)["value"]]
    ['b']
    """
    if kind is not None:
        decisions = decisions[decisions["kind"] == kind]
    standing = decisions[~decisions["decision_id"].isin(decisions["replaces"].dropna())]
    personal = standing["kind"] == "code"
    last = pd.concat(
        [
            standing[personal].drop_duplicates(list(_PER_PERSON), keep="last"),
            standing[~personal].drop_duplicates(list(_SINGLE), keep="last"),
        ]
    )
    return last[last["value"].notna()].sort_values("decision_id", ignore_index=True)


def find_codebook(decisions: pd.DataFrame) -> str | None:
    """Return the id of the codebook in use: the last that was put in use and not taken back, or None.

    >>> find_codebook(pd.DataFrame({column: [] for column in ["decision_id", "kind", "subject", "value",
    ...                                                       "who", "replaces"]})) is None
    True
    """
    standing = fold_decisions(decisions, "codebook_in_use")
    return None if standing.empty else str(standing["subject"].iloc[-1])


def export_decisions(programme: Programme) -> Path:
    """Write the log as `decisions.jsonl`, one decision a line, and return its path.

    >>> export_decisions(programme)  # doctest: +SKIP
    """
    path = _files(programme)[1]
    rows = read_decisions(programme).to_dict("records")
    lines = [
        json.dumps(
            row | {"replaces": None if pd.isna(row["replaces"]) else int(row["replaces"])}, ensure_ascii=False
        )
        for row in rows
    ]
    write_whole(path, lambda file: file.write_text("".join(line + "\n" for line in lines), encoding="utf-8"))
    return path


def _files(programme: Programme) -> tuple[Path, Path]:
    folder = programme_folder(programme.name)
    return folder / "decisions.db", folder / "decisions.jsonl"


@contextmanager
def _open(programme: Programme) -> Iterator[sqlite3.Connection]:
    """Open the database for one short write: BEGIN IMMEDIATE waits for other writers instead of failing."""
    database, export = _files(programme)
    database.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(database, timeout=30, isolation_level=None)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("begin immediate")
        made = connection.execute("select 1 from sqlite_master where name = 'decisions'").fetchone()
        if not made:
            for statement in _CREATE:
                connection.execute(statement)
            if export.is_file():
                _rebuild(connection, export)
        yield connection
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    finally:
        connection.close()


def _rebuild(connection: sqlite3.Connection, export: Path) -> None:
    for number, line in enumerate(export.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            _insert(connection, _check_row(row) | {"when": row["when"], "replaces": row.get("replaces")})
        except (ValueError, KeyError, TypeError, DecisionError) as error:
            raise DecisionError(
                f"{short_path(export)} line {number} is not a decision: {error}",
                remedy="Mend or remove that line; no database was made.",
            ) from error


def _check_row(row: dict) -> dict:
    if row["kind"] not in KINDS:
        kinds = "; ".join(f"{kind} ({holds})" for kind, holds in KINDS.items())
        raise DecisionError(f"There is no kind of decision {row['kind']!r}.", f"Kinds: {kinds}.")
    for name in ("subject", "who", "why"):
        if not str(row[name] or "").strip():
            raise DecisionError(f"A decision of kind {row['kind']!r} lacks {name!r}.", remedy=f"Say {name}.")
    if row["value"] is not None and not isinstance(row["value"], dict):
        raise DecisionError(f"The value of a decision is a dict or None, not {row['value']!r}.")
    return {name: row[name] for name in ("kind", "subject", "who", "why")} | {
        "value": json.dumps(row["value"], ensure_ascii=False, sort_keys=True)
    }


def _insert(connection: sqlite3.Connection, row: dict) -> int:
    return connection.execute(
        'insert into decisions (kind, subject, value, who, "when", why, replaces)'
        " values (:kind, :subject, :value, :who, :when, :why, :replaces)",
        row,
    ).lastrowid
