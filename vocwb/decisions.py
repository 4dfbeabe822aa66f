"""What people decided: one append-only table that several processes write at once.

It holds ids, never customers' words. The current state is the fold of the log, so history is never lost.
It lives in `data/<programme>/decisions.db` (SQLite, WAL); `decisions.jsonl` beside it is the export that is
tracked in git, and a database is rebuilt from it when there is none.
"""

import datetime
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from vocwb.errors import DecisionError, StoreError
from vocwb.paths import programme_folder
from vocwb.programme import Programme
from vocwb.schemas import empty_table
from vocwb.store import read_table, short_path, table_path, write_whole

KINDS = {
    "codebook_in_use": "subject: codebook id; value: until, seed, reviewed (true or false)",
    "topic_name": "subject: topic; value: name, language (of the name, may be left out), terms (at the time)",
    "topic_define": "subject: topic; value: belongs, excludes, terms",
    "topic_merge": "subject: topic; value: into (a topic), terms",
    "topic_split": "subject: topic; value: parts, a list of {feedback_ids or vector, name}, terms",
    "topic_retire": "subject: topic; value: terms",
    "topic_restore": "subject: topic that was merged, split or retired; value: {}",
    "topic_accept": "subject: id of a proposed topic; value: name, terms",
    "memo": "subject: feedback id, topic or finding; value: text, in the researcher's own words",
    "why": "subject: an id of the why; value: parent, statement, evidence_for, evidence_against, dissent",
    "action": "subject: action id; value: title, owner, effort, status, registered_on, starts_on, target ...",
    "code": "subject: feedback id; value: category (one or a list), polarity, intensity, ask, adjudicated (if so)",
    "segment_label": "subject: column; value: raw value -> label",
    "correction": "subject: what is corrected; value: what it should be",
}
"""Each kind with what its subject and value hold."""

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


def undo_decision(programme: Programme, decision_id: int | None = None, *, who: str, why: str) -> int:
    """Take back a decision, the last that stands if none is named, and return the id of the taking back.

    The log keeps both, and what stood before stands again. Raises DecisionError where there is nothing to
    take back: no such decision, or one that was replaced or taken back already.

    >>> undo_decision(programme, who="Ada", why="the name misleads")  # doctest: +SKIP
    2
    """
    standing = fold_decisions(read_decisions(programme))
    chosen = standing.tail(1) if decision_id is None else standing[standing["decision_id"] == decision_id]
    if chosen.empty:
        raise DecisionError(
            "There is no decision to take back."
            if decision_id is None
            else f"Decision {decision_id} does not stand, so it cannot be taken back.",
            f"Decisions that stand: {', '.join(map(str, standing['decision_id'])) or 'none'}.",
            "Look at list_history(read_decisions(programme)).",
        )
    row = chosen.iloc[0]
    about = {"kind": row["kind"], "subject": row["subject"], "replaces": int(row["decision_id"])}
    return record_decision(programme, value=None, who=who, why=why, **about)


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

    What is taken back gives way to the decision before it, and stands again if the taking back is taken back.
    Of human codes the last of each person stands, since coders may differ; of names the last in each language;
    every memo stands; of acceptances of one proposal the first.

    >>> log = pd.DataFrame({"decision_id": [1, 2, 3], "kind": ["topic_name"] * 3, "subject": ["T0001"] * 3,
    ...     "value": [{"name": "a"}, {"name": "b"}, None], "who": ["A", "B", "A"], "when": "", "why": "",
    ...     "replaces": pd.array([None, None, 2], dtype="Int64")})
    >>> [value["name"] for value in fold_decisions(log)["value"]], len(fold_decisions(log[:2]))
    (['a'], 1)
    """
    if kind is not None:
        decisions = decisions[decisions["kind"] == kind]
    gone, rows = _find_gone(decisions), decisions.to_dict("records")
    standing = {}
    for row in (row for row in rows if row["decision_id"] not in gone):
        # An accepted topic is named by its decision's number, which a second acceptance must not change.
        if row["kind"] != "topic_accept" or _fold_key(row) not in standing:
            standing[_fold_key(row)] = row["decision_id"]
    last = decisions[decisions["decision_id"].isin(list(standing.values()))]
    return last[last["value"].notna()].sort_values("decision_id", ignore_index=True)


def list_history(decisions: pd.DataFrame, kinds: Iterable[str] = KINDS) -> pd.DataFrame:
    """Return the log, the latest first, with `standing`: whether a decision is neither replaced nor taken back.

    kinds: which decisions are wanted. A row of value None takes back the one that `replaces` names.

    >>> log = pd.DataFrame({"decision_id": [1, 2], "kind": ["memo"] * 2, "subject": ["T0001"] * 2,
    ...     "value": [{"text": "a"}, None], "who": "A", "when": "", "why": "",
    ...     "replaces": pd.array([None, 1], "Int64")})
    >>> list_history(log)[["decision_id", "standing"]].values.tolist()
    [[2, True], [1, False]]
    """
    wanted = decisions[decisions["kind"].isin(list(kinds))]
    void = _find_gone(decisions, undoing=False)
    wanted = wanted.assign(standing=~wanted["decision_id"].isin(void))
    return wanted.sort_values("decision_id", ascending=False, ignore_index=True)


def _find_gone(decisions: pd.DataFrame, *, undoing: bool = True) -> set[int]:
    """Return the ids of what was replaced or taken back, and, if `undoing`, of what only takes back.

    A taking back that was itself taken back does nothing; hence from the last to the first.
    """
    gone, backward = set(), set()
    linked = decisions[decisions["replaces"].notna()].sort_values("decision_id", ascending=False)
    for row in linked.to_dict("records"):
        taking_back = not isinstance(row["value"], dict)
        backward |= {row["decision_id"]} if taking_back else set()
        if not (taking_back and row["decision_id"] in gone):
            gone.add(int(row["replaces"]))
    return gone | backward if undoing else gone


def _fold_key(row: dict) -> tuple:
    """Return what a decision is about; of two about the same the later stands."""
    kind, subject = row["kind"], row["subject"]
    if kind == "code":
        # What people decided together stands beside what each of them had coded alone.
        together = isinstance(row["value"], dict) and bool(row["value"].get("adjudicated"))
        return kind, subject, "" if together else row["who"]
    if kind == "memo":
        return kind, subject, row["decision_id"]
    if kind == "topic_name" and isinstance(row["value"], dict):
        return kind, subject, row["value"].get("language") or ""
    return kind, subject, ""


def find_codebook(decisions: pd.DataFrame) -> str | None:
    """Return the id of the codebook in use: the last that was put in use and not taken back, or None.

    >>> find_codebook(pd.DataFrame({column: [] for column in ["decision_id", "kind", "subject", "value",
    ...                                                       "who", "replaces"]})) is None
    True
    """
    standing = fold_decisions(decisions, "codebook_in_use")
    return None if standing.empty else str(standing["subject"].iloc[-1])


def find_until(decisions: pd.DataFrame) -> str:
    """Return the month up to which the codebook in use was fitted, "" where its decision does not say.

    >>> log = pd.DataFrame({"decision_id": [1], "kind": "codebook_in_use", "subject": "C1",
    ...                     "value": [{"until": "2025-11"}], "who": "A", "replaces": pd.array([None], "Int64")})
    >>> find_until(log)
    '2025-11'
    """
    standing = fold_decisions(decisions, "codebook_in_use")
    return "" if standing.empty else str(standing["value"].iloc[-1].get("until", ""))


def read_codebook(programme: Programme, codebook_id: str | None) -> pd.DataFrame:
    """Return a codebook as it was fitted, and below it the topics that people accepted since; none for no id.

    >>> read_codebook(read_programme("sample"), find_codebook(decisions))  # doctest: +SKIP
    """
    if codebook_id is None:
        return empty_table("codebook")
    fitted = read_table(programme, "codebook", part=codebook_id)
    later = read_table(programme, "accepted", part=codebook_id, empty=True)
    return pd.concat([fitted, later], ignore_index=True) if len(later) else fitted


def find_fit(programme: Programme, codebook_id: str) -> dict:
    """Return until (the last month it was fitted on) and seed of a codebook, as its manifest says.

    Raises StoreError where there is no such manifest, or it does not say so.

    >>> find_fit(read_programme("sample"), "C1")  # doctest: +SKIP
    {'until': '2025-11', 'seed': 0}
    """
    manifest = table_path(programme, "codebook", codebook_id).with_suffix(".manifest.json")
    try:
        made = json.loads(manifest.read_text(encoding="utf-8"))["parameters"]
        return {name: made[name] for name in ("until", "seed")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{short_path(manifest)} does not say what the codebook {codebook_id!r} was fitted on.",
            remedy=f"Fit one: make codebook PROGRAMME={programme.name} WHO=name",
        ) from error


def use_first(programme: Programme, codebook_id: str, *, who: str, why: str, value: dict) -> str:
    """Put a codebook in use where none is yet, and say what is in use, and what to do to use another.

    A refit is looked at before it is used: `make codebook USE=id WHO=name` decides it.

    >>> use_first(read_programme("sample"), "C1", who="Ada", why="fitted", value={})  # doctest: +SKIP
    'C1 is in use.'
    """
    known = find_codebook(read_decisions(programme))
    if known is None:
        given = {"value": value, "who": who, "why": why}
        record_decision(programme, kind="codebook_in_use", subject=codebook_id, **given)
    if known in (None, codebook_id):
        return f"{codebook_id} is in use."
    return (
        f"{known} stays in use. When you have looked at what has changed, put the new one in use, by\n"
        f"    make codebook PROGRAMME={programme.name} USE={codebook_id} WHO=name\n"
        f"and take it back by the same command with USE={known}."
    )


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
