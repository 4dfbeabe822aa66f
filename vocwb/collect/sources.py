"""Reads raw exports as they stand: every record, with its line, or a line of quarantine that says why not."""

import difflib
import hashlib
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from vocwb.collect.readers import (
    EmptyFileError,
    Rows,
    decode_text,
    read_delimited,
    read_json,
    read_sheet,
)
from vocwb.errors import SourceError
from vocwb.programme import Programme, Source

FORMS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "tsv", ".tab": "tsv", ".xlsx": "xlsx", ".xlsm": "xlsx",
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip


FILE = "_file"
"""The column of every record that holds its file, for a crosswalk where the file's name says what no column does."""


class Reading(NamedTuple):
    """What the raw files of a programme hold.

    records: source name -> its records: raw columns as text, `_file` and `_line`.
    quarantine: source, file, line, reason, raw of what could not be read.
    files: source, file, sha256, rows_in (records that can and cannot be read).
    """

    records: dict[str, pd.DataFrame]
    quarantine: pd.DataFrame
    files: pd.DataFrame


def find_files(source: Source, raw_folder: Path) -> list[Path]:
    """Return the files of a source in the raw folder, sorted; README, hidden and lock files are never a source.

    Raises SourceError where a pattern fits no file, naming the pattern, the folder and the files there.

    >>> find_files(Source(name="a", files="no.csv", channel="mail", who_started="customer", mode="direct",
    ...                   undated=True, verbatims={"comment": "text"}), Path("."))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    vocwb.errors.SourceError: Source 'a': no file fits 'no.csv' in the folder ...
    """
    found = set()
    for pattern in source.files:
        outside = Path(pattern).is_absolute() or ".." in Path(pattern).parts
        literal = raw_folder / pattern
        fits = [] if outside else [literal] if literal.is_file() else raw_folder.glob(pattern)
        fits = [path for path in fits if path.is_file() and not _is_note(path)]
        if not fits:
            there = list_files(raw_folder)
            near = difflib.get_close_matches(pattern, there, n=1)
            raise SourceError(
                f"Source {source.name!r}: no file fits {pattern!r} in the folder {raw_folder}.",
                f"Files there: {', '.join(there[:20]) or 'none'}{' ...' if len(there) > 20 else ''}.",
                (f"Did you mean {near[0]!r}? " if near else "")
                + "Put the export there, or correct the source's files in programme.yml.",
            )
        found.update(fits)
    return sorted(found)


def list_files(folder: Path) -> list[str]:
    """Return the files below a folder that may be exports, sorted; README, hidden and lock files are none.

    >>> list_files(Path("no such folder"))
    []
    """
    paths = (path for path in folder.rglob("*") if path.is_file() and not _is_note(path))
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def list_unread(programme: Programme, raw_folder: Path) -> list[str]:
    """Return the files of the raw folder that no source of the programme reads.

    >>> list_unread(Programme.model_construct(sources=[]), Path("no such folder"))
    []
    """
    read = {
        path.relative_to(raw_folder).as_posix()
        for s in programme.sources
        for path in find_files(s, raw_folder)
    }
    return [file for file in list_files(raw_folder) if file not in read]


def read_sources(programme: Programme, raw_folder: Path) -> Reading:
    """Return every record of every source, what could not be read, and the files with their hash and count.

    A file without any content is counted with no rows; a source that has no other files raises SourceError,
    as do a missing file, an encoding in doubt, and columns that do not fit the crosswalk.

    >>> list(read_sources(Programme.model_construct(sources=[]), Path(".")).files)
    ['source', 'file', 'sha256', 'rows_in']
    """
    records, unread, files = {}, [], []
    for source in programme.sources:
        frames, empty = [], None
        for path in find_files(source, raw_folder):
            file = path.relative_to(raw_folder).as_posix()
            try:
                frame, bad = read_records(path, source)
            except EmptyFileError as error:
                frame, bad, empty = pd.DataFrame({"_line": []}, dtype="int64"), pd.DataFrame(), error
            else:
                frames.append(frame.assign(_file=file))
                unread.append(bad.assign(source=source.name, file=file))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files.append((source.name, file, digest, len(frame) + len(bad)))
        if not frames:
            raise empty
        records[source.name] = pd.concat(frames, ignore_index=True)
    columns = ["source", "file", "line", "reason", "raw"]
    return Reading(
        records,
        pd.concat(unread, ignore_index=True)[columns] if unread else pd.DataFrame(columns=columns),
        pd.DataFrame(files, columns=["source", "file", "sha256", "rows_in"]),
    )


def read_records(path: Path, source: Source) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the records of one file, and what in it cannot be read (line, reason, raw).

    Records have the raw columns as text, exactly as they stand in the file (nothing is taken for a number
    or a date), and `_line`: the line on which the record starts (sheet row of a workbook, number of the
    record in JSON). Raises SourceError where the file has no content, its encoding is in doubt, it is not
    of its form, or a column of the crosswalk is missing.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text('id,text\\n007,"two\\nlines"\\n8\\n')
    >>> source = Source(name="a", files="a.csv", channel="mail", who_started="customer", mode="direct",
    ...                 undated=True, verbatims={"comment": "text"})
    >>> records, quarantine = read_records(path, source)
    >>> records.values.tolist(), quarantine["line"].tolist()
    ([['007', 'two\\nlines', 2]], [4])
    """
    found = read_rows(path, source)
    records = pd.DataFrame([row for _, row in found.rows], columns=found.header, dtype="str")
    records = records.rename(columns={name: f"{name} (raw)" for name in ("_file", "_line")})
    if len(records) or found.header:
        _check_columns(records, source, path.name)
    lines = pd.Series([line for line, _ in found.rows], dtype="int64")
    return records.assign(_line=lines), pd.DataFrame(found.bad, columns=["line", "reason", "raw"])


def find_form(path: Path, declared: str | None) -> str:
    """Return the form of a file: the declared one, else the one that its name ends in, else SourceError.

    >>> find_form(Path("answers.XLSX"), None)
    'xlsx'
    """
    form = declared or FORMS.get(path.suffix.lower())
    if form is None:
        raise SourceError(
            f"{path.name}: the form of the file is not known from its name.",
            f"Known endings: {', '.join(FORMS)}.",
            "Write form: csv (or tsv, xlsx, json, jsonl) in the source.",
        )
    return form


def read_rows(path: Path, source: Source) -> Rows:
    """Return the rows of one file, read in its form; raises what `find_form` and the reader of that form raise.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.jsonl"
    >>> _ = path.write_text('{"id": 7}')
    >>> read_rows(path, Source.model_construct(record_path=[])).rows
    [(1, {'id': '7'})]
    """
    form = find_form(path, source.form)
    data = path.read_bytes()
    if not data.strip():
        raise EmptyFileError(path.name)
    if form == "xlsx":
        return read_sheet(data, file=path.name, sheet=source.sheet, skip_lines=source.skip_lines)
    text, encoding = decode_text(data, file=path.name, declared=source.encoding)
    if form in ("json", "jsonl"):
        return read_json(text, file=path.name, record_path=source.record_path, lines=form == "jsonl")
    delimiter = source.delimiter or ("\t" if form == "tsv" else None)
    return read_delimited(
        text, file=path.name, delimiter=delimiter, skip_lines=source.skip_lines, encoding=encoding
    )


def _is_note(path: Path) -> bool:
    return path.name.upper().startswith("README") or path.name.startswith((".", "~$"))


def _check_columns(records: pd.DataFrame, source: Source, file: str) -> None:
    crosswalk: list[str | None] = [*source.columns.model_dump().values(), *source.verbatims.values()]
    crosswalk += [*source.segments.values(), *source.answers.values(), source.turns and source.turns.column]
    missing = [column for column in dict.fromkeys(crosswalk) if column and column not in (FILE, *records)]
    if missing:
        near = {name: difflib.get_close_matches(name, list(records), n=1, cutoff=0.5) for name in missing}
        hints = "; ".join(f"for {name!r} perhaps {found[0]!r}" for name, found in near.items() if found)
        raise SourceError(
            f"{file}: source {source.name!r} names columns that are not there: {', '.join(map(repr, missing))}.",
            f"Columns: {', '.join(map(repr, records))}.",
            "Correct the crosswalk in programme.yml"
            + (f": {hints}." if hints else ", skip_lines or delimiter."),
        )
