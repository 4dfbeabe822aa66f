"""Forgetting: erases a person, a file that is gone, or what is too old, from the store and from the reports.

Who is forgotten stands in `data/<programme>/forgotten.jsonl`, which is tracked in git as decisions are: it holds
keyed hashes, never names, and without it the next ingest would bring the person back. Raw files are never changed.
"""

import datetime
import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import EMPTY_WORDS
from vocwb.collect.responses import hide_names, take_column
from vocwb.collect.sources import list_files, read_sources
from vocwb.crosswalk import Source
from vocwb.erase import (
    count_again,
    erase_reports,
    erase_results,
    erase_words,
    forget_lines,
    promote_copies,
    remove_leftovers,
    rewrite_table,
)
from vocwb.errors import DecisionError, RunError, StoreError, VocwbError
from vocwb.paths import programme_folder, raw_folder, report_folder, store_folder, vector_folder
from vocwb.programme import Programme, read_key
from vocwb.schemas import hash_id
from vocwb.store import list_months, list_tables, read_table, short_path
from vocwb.understand.topics import list_texts
from vocwb.understand.vectors import keep_vectors

REASON = "forgotten, as the respondent asked"
"""Why a record of a forgotten respondent is in quarantine, as `collect` says it too."""

_BY_HAND = (
    "Names and words of theirs that stand in what other people wrote (a name typed freely, a quoted mail, a copy"
    " of their text) are not found.",
    "Backups, files that people exported, and notebooks that somebody ran in JupyterLab are not looked through.",
)
_INGESTED = (
    "asides", "tags", "feedback", "quarantine", "events", "behaviour", "responses", "ingested",
)  # fmt: skip
"""The tables of an ingest in the order of erasing: those that say what is whose come after the rest."""

_Frames = dict[str, pd.DataFrame]


class Forgotten(NamedTuple):
    """What was erased (table -> rows, or ids taken out of lists), reports to rebuild, and what is left to people."""

    erased: dict[str, int]
    rebuild: list[str]
    by_hand: list[str]

    def __str__(self) -> str:
        counts = ", ".join(f"{table} {count:,}" for table, count in self.erased.items() if count)
        lines = [f"Erased: {counts or 'nothing, there was nothing left'}."]
        if self.rebuild:
            lines += [
                "These reports still count what was erased, and may name topics by it. Rebuild them, oldest first:"
            ]
            lines += [f"  {line}" for line in self.rebuild]
        lines += [f"By hand: {line}" for line in self.by_hand]
        return "\n".join(lines)


class _Seen(NamedTuple):
    """Where raw files name a person: records (source, file, line, sha256), unreadable lines, and what was not seen."""

    records: pd.DataFrame
    bad: list[str]
    notes: list[str]


def forget_respondent(programme: Programme, name: str, *, who: str, why: str, raw: str = "") -> Forgotten:
    """Erase all that a respondent said, did and is counted by, and keep later ingests from bringing it back.

    name: as it stands in the respondent column of the exports. raw: the folder that source paths start from;
    its files are looked through, never changed. The hash is recorded first and the rows that say what is whose
    go last, so that after a crash the same call finishes the work; done twice it changes nothing more. Numbers
    stand until their month is rebuilt. Staff are erased from every staff source that holds the name.

    Raises DecisionError without who or why or where why names the person, RunError while a month is running,
    and StoreError where neither the store nor a raw file holds the name; nothing is recorded then.

    >>> forget_respondent(read_programme("sample"), "c-017", who="Ada", why="asked by mail")  # doctest: +SKIP
    """
    name = name.strip()
    _check_call(programme, who, why, name)
    if name.lower() in EMPTY_WORDS:
        raise StoreError(f"{name!r} is how files say that nobody is named.", remedy="Give RESPONDENT=name")
    tables = _read_ingested(programme)
    hashes = _hash_name(programme, name, tables["responses"])
    seen = _look_through(programme, name, raw)
    stored = {one for table in ("responses", "events", "behaviour") for one in tables[table]["respondent_id"]}
    match = _make_match(programme, name, set(hashes))
    lines = tables["quarantine"][["source", "raw"]].itertuples(index=False, name=None)
    sources = {*seen.records["source"], *(source for source, raw in lines if match(source, raw) == "record")}
    named = {source if source in hashes.values() else "" for source in sources}
    known = read_forgotten(programme)
    found = {one for one, whose in hashes.items() if one in stored | known or whose in named}
    if not found and not seen.bad:
        raise StoreError(
            f"No respondent of {programme.name!r} is called {name!r}: nothing was erased or recorded.",
            f"Looked through: responses, events and behaviour in the store, and the respondent column of the raw"
            f" files in {short_path(raw_folder(programme.name, raw))}. {' '.join(seen.notes)}".strip(),
            "Write it exactly as the exports do, capitals too; where the exports lie elsewhere, add RAW=folder.",
        )
    _record(programme, [{"respondent": one} for one in sorted(found - known)], who, why)

    def is_theirs(frame: pd.DataFrame) -> pd.Series:
        return frame["respondent_id"].isin(found)

    def forget(frames: _Frames) -> None:
        theirs = {
            table: tables[table][is_theirs(tables[table])] for table in ("responses", "events", "behaviour")
        }
        frames["quarantine"] = forget_lines(
            tables, theirs, records=seen.records, match=_make_match(programme, name, found), reason=REASON
        )

    by_hand = [*_say_files(programme, seen, raw), *seen.notes, *_BY_HAND]
    return _erase(programme, tables, is_theirs, forget, others=found, by_hand=by_hand)


def forget_file(programme: Programme, file: str, *, who: str, why: str, raw: str = "") -> Forgotten:
    """Erase the rows of a raw file that has disappeared on purpose; those of any other lost file are kept.

    file: as the table `ingested` names it, with its source before it where two sources have one of that name.
    Raises StoreError where the store knows no such file, or two, and where it still lies in the raw folder.

    >>> forget_file(read_programme("sample"), "survey/2024.csv", who="Ada", why="was a test")  # doctest: +SKIP
    """
    _check_call(programme, who, why)
    tables = _read_ingested(programme)
    known = tables["ingested"][["source", "file"]]
    whole = known["source"] + "/" + known["file"]
    chosen = known[(whole == file) | (known["file"] == file)]
    recorded = [one["file"] for one in _read_list(programme) if "file" in one]
    if (chosen.empty and file not in recorded) or len(chosen) > 1:
        raise StoreError(
            f"{len(chosen) or 'No'} files of {programme.name!r} are called {file!r}: nothing was erased.",
            f"Files: {', '.join((whole if chosen.empty else whole[chosen.index]).head(20)) or 'none'}.",
            "Give FILE= as it stands here.",
        )
    source, path = (
        chosen.iloc[0] if len(chosen) else next(one for one in recorded if one == file).split("/", 1)
    )
    if any(path == one or path.startswith(f"{one}/") for one in list_files(raw_folder(programme.name, raw))):
        raise StoreError(
            f"{path} still lies in {short_path(raw_folder(programme.name, raw))}: the next ingest would read it again.",
            remedy="Move it away first, then forget it.",
        )
    _record(programme, [{"file": f"{source}/{path}"}] if f"{source}/{path}" not in recorded else [], who, why)

    def is_of_file(frame: pd.DataFrame) -> pd.Series:
        return (frame["source"] == source) & (frame["file"] == path)

    def drop_file(frames: _Frames) -> None:
        for name in ("quarantine", "ingested"):
            frames[name] = frames[name][~is_of_file(frames[name])]

    return _erase(programme, tables, is_of_file, drop_file, others=set(), by_hand=list(_BY_HAND))


def erase_orphans(programme: Programme) -> Forgotten:
    """Erase what later steps keep of feedback that the last ingest no longer holds, because it is too old or left out.

    After an ingest is written. Quotes in reports go with `retention_months` only: sources get new names.

    >>> erase_orphans(read_programme("sample"))  # doctest: +SKIP
    """
    feedback = read_table(programme, "feedback", empty=True)
    kept = set(feedback["feedback_id"])

    def find_gone(ids: Iterable[str]) -> set[str]:
        return set(ids) - kept

    erased, months = erase_results(programme, find_gone)
    erased["vectors"] = keep_vectors(list_texts(feedback), vector_folder(programme.name))
    by_hand = []
    if programme.retention_months is not None:
        months, by_hand = erase_reports(programme, find_gone, months)
    return Forgotten(erased, _say_reports(programme, months), by_hand)


def read_forgotten(programme: Programme) -> frozenset[str]:
    """Return the keyed hashes of the respondents who are forgotten, for `collect.ingest.make_tables`.

    >>> read_forgotten(Programme.model_construct(name="no such programme"))
    frozenset()
    """
    return frozenset(one["respondent"] for one in _read_list(programme) if "respondent" in one)


def _read_list(programme: Programme) -> list[dict]:
    path = _list_path(programme)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            if not isinstance(row.get("respondent", row.get("file")), str):
                raise ValueError("neither respondent nor file")
        except (ValueError, AttributeError) as error:
            raise StoreError(
                f"{short_path(path)} line {number} does not say who is forgotten: {error}",
                remedy="Mend that line, from git if need be: what it says must not be lost.",
            ) from error
        rows.append(row)
    return rows


def _list_path(programme: Programme) -> Path:
    return programme_folder(programme.name) / "forgotten.jsonl"


def _record(programme: Programme, rows: list[dict], who: str, why: str) -> None:
    """Add lines to the list, on the disk before anything is erased."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    lines = [json.dumps(row | {"who": who, "why": why, "when": now}, ensure_ascii=False) for row in rows]
    if lines:
        with _list_path(programme).open("a", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())


def _check_call(programme: Programme, who: str, why: str, name: str = "") -> None:
    for word, given in (("WHO", who), ("WHY", why)):
        if not given.strip():
            raise DecisionError(
                f"Forgetting lacks {word}.", remedy="Say who does it and why: WHO=you WHY=..."
            )
    if name and _word(name).search(why):
        raise DecisionError(
            "WHY names the person, and it is kept.", remedy="Say why without the name, as in: asked by mail"
        )
    status = report_folder(programme.name, "") / "run.json"
    if status.is_file() and json.loads(status.read_text(encoding="utf-8")).get("state") == "running":
        raise RunError(
            f"A month of {programme.name!r} is running, and could write back what is erased.",
            remedy=f"Wait for its end. If none is running, remove {short_path(status)}.",
        )


def _word(name: str) -> re.Pattern:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _read_ingested(programme: Programme) -> dict[str, pd.DataFrame]:
    return {name: read_table(programme, name, empty=True) for name in _INGESTED}


def _hash_name(programme: Programme, name: str, responses: pd.DataFrame) -> dict[str, str]:
    """Return each hash that the name has: of a customer ("") or of staff (the name of their source)."""
    stored = responses.loc[responses["voice"] == "employee", "source"]
    staff = {source.name for source in programme.sources if source.voice == "employee"} | set(stored)
    key, names = read_key(programme), pd.Series([name], dtype="str")
    sources = [Source.model_construct(name="", voice="customer")]
    sources += [Source.model_construct(name=one, voice="employee") for one in sorted(staff)]
    return {hide_names(names, key, source).item(): source.name for source in sources}


def _look_through(programme: Programme, name: str, raw: str) -> _Seen:
    """Look for a name in the respondent column of every raw file, and in the lines that cannot be read."""
    found, bad, notes = [], [], []
    for source in programme.sources:
        column = source.columns.respondent
        if column is None or source.unit == "group":
            notes.append(f"Source {source.name!r} says of no record whose it is: nobody is found in it.")
            continue
        try:
            for file in read_sources(
                programme.model_copy(update={"sources": [source]}), raw_folder(programme.name, raw)
            ):
                for part in file.read():
                    bad += [
                        f"{file.file} line {line}" for line, _, text in part.bad if _word(name).search(text)
                    ]
                    if len(part.records):
                        theirs = part.records[take_column(part.records, column) == name]
                        place = {"source": source.name, "file": file.file, "sha256": file.sha256}
                        found.append(theirs[["_line"]].rename(columns={"_line": "line"}).assign(**place))
        except VocwbError as error:
            notes.append(f"Source {source.name!r} was not looked through to the end: {error.what}")
    records = pd.concat(found, ignore_index=True) if found else pd.DataFrame({"line": []}, dtype="int64")
    return _Seen(records.reindex(columns=["source", "file", "line", "sha256"]), bad, notes)


def _say_files(programme: Programme, seen: _Seen, raw: str) -> list[str]:
    folder = short_path(raw_folder(programme.name, raw))
    said = []
    for file, lines in seen.records.groupby("file", sort=True)["line"]:
        some = ", ".join(map(str, lines.head(10))) + (" ..." if len(lines) > 10 else "")
        said.append(
            f"{folder}/{file} still holds the person (line {some}): delete it there, or where it comes from."
        )
    said += [
        f"{folder}/{place} cannot be read and names the person: quarantine will show it again until it is deleted."
        for place in seen.bad
    ]
    return said


def _make_match(programme: Programme, name: str, hashes: set[str]) -> Callable[[str, str], str]:
    """Return match(source, raw) for `erase.forget_lines`."""
    columns = {source.name: source.columns.respondent for source in programme.sources}
    written, word, known = json.dumps(name, ensure_ascii=False)[1:-1], _word(name), {name, *hashes}

    def match(source: str, raw: str) -> str:
        if written not in raw and not any(one in raw for one in hashes):
            return ""
        try:
            cells = json.loads(raw)
        except ValueError:
            cells = None
        if not isinstance(cells, dict):
            return "line" if word.search(raw) else ""
        cells = {cells.get(columns.get(source)), cells.get("respondent_id")} & {
            str(one) for one in cells.values()
        }
        return "record" if {one.strip() for one in cells if one} & known else ""

    return match


def _erase(
    programme: Programme,
    tables: _Frames,
    is_gone: Callable[[pd.DataFrame], pd.Series],
    settle: Callable[[_Frames], None],
    *,
    others: set[str],
    by_hand: list[str],
) -> Forgotten:
    """Erase the rows of an ingest that `is_gone` chooses, and all that rests on them; `settle` accounts for them.

    What was made of the rows goes first and the rows last, so that after a crash the same call finds all again.
    """
    responses, feedback = tables["responses"], tables["feedback"]
    response_ids = set(responses.loc[is_gone(responses), "response_id"])
    said = feedback[feedback["response_id"].isin(response_ids)]
    ids = set(said["feedback_id"])
    # A mail of which all is quoted stands aside alone: no row of feedback has its id.
    questions = {source.name: source.verbatims for source in programme.sources}
    known = responses.loc[is_gone(responses), ["source", "source_id"]].dropna().itertuples(index=False)
    ids |= {hash_id(*one, question) for one in known for question in questions.get(one[0], ())}
    alone = ~said["verbatim"].isin(feedback.loc[~feedback["feedback_id"].isin(ids), "verbatim"])
    for folder in (store_folder(programme.name), report_folder(programme.name, "")):
        remove_leftovers(folder)
    erased, months = erase_results(programme, ids.intersection)
    months, left = erase_reports(
        programme,
        ids.intersection,
        months,
        texts=said.loc[alone, "verbatim"],
        others=response_ids | ids | others,
    )
    left_said = feedback[~feedback["feedback_id"].isin(ids)]
    erased["words"] = erase_words(programme, said, left_said)
    erased["vectors"] = keep_vectors(list_texts(left_said), vector_folder(programme.name))
    frames = {name: tables[name] for name in ("quarantine", "ingested")}
    frames |= {name: tables[name][~is_gone(tables[name])] for name in ("events", "behaviour")}
    for name in ("responses", "feedback", "tags", "asides"):
        by = "response_id" if "response_id" in tables[name] else "feedback_id"
        frames[name] = tables[name][~tables[name][by].isin(response_ids | ids)]
    frames["responses"] = promote_copies(frames["responses"], "response_id", frames["responses"])
    frames["feedback"] = promote_copies(frames["feedback"], "feedback_id", frames["responses"])
    settle(frames)
    logs = {source.name for source in programme.sources if source.events or source.measures}
    logs |= {*tables["events"]["source"], *tables["behaviour"]["source"]}
    frames["ingested"] = count_again(frames["ingested"], frames["responses"], frames["quarantine"], logs)
    for name in _INGESTED:
        old, new = (frame.reset_index(drop=True) for frame in (tables[name], frames[name]))
        rewrite_table(programme, name, new, changed=not old.equals(new))
        if name not in ("quarantine", "ingested"):
            erased[name] = len(old) - len(new)
    held = [int((one["quarantine"]["raw"] != "").sum()) for one in (tables, frames)]
    erased["quarantine"] = held[0] - held[1]
    return Forgotten(erased, _say_reports(programme, months), [*left, *by_hand])


def _say_reports(programme: Programme, months: Iterable[str]) -> list[str]:
    """Return for each month what to do with its report, oldest first."""
    known = list_months(programme) if {"responses", "feedback"} <= set(list_tables(programme)) else []
    folder = short_path(report_folder(programme.name, ""))
    return [
        f"make month PROGRAMME={programme.name} MONTH={month} FROM=03"
        if month in known
        else f"{folder}/{month} cannot be rebuilt, no feedback of that month is left: keep it as it is, or delete it"
        for month in sorted(months)
    ]
