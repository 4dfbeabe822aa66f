"""Opens a file of which nothing is known: how it is to be read, and its first records."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from vocwb.collect.forms import markup, records
from vocwb.collect.forms.archives import is_archive, open_archive
from vocwb.collect.forms.delimited import read_delimited
from vocwb.collect.forms.encodings import decode_blocks, decode_text, find_encoding
from vocwb.collect.forms.rows import EmptyFileError
from vocwb.collect.forms.sheets import find_header, list_sheets
from vocwb.collect.looks import find_turns
from vocwb.collect.sources import FORMS, find_form, open_file
from vocwb.crosswalk import Source
from vocwb.errors import SourceError

_MOST = 20_000
_HEAD = 200_000
_MOST_PREFACE = 10


class Opened(NamedTuple):
    """How a file is read (keys of a source), its records as text, and what is to be said about it."""

    how: dict[str, str | int | list]
    records: pd.DataFrame
    notes: list[str]


def list_members(raw_folder: Path, files: Iterable[str]) -> list[str]:
    """Return the files, an archive as those of its members whose form is known from their names.

    >>> list_members(Path("."), ["a.csv", "b.doc"])
    ['a.csv', 'b.doc']
    """
    listed = []
    for file in files:
        members = []
        if is_archive(file):
            with suppress(SourceError):  # it is said when the file is opened
                members = [name for name, _ in open_archive((raw_folder / file).read_bytes(), file=file)]
        fit = sorted(name for name in members if Path(name).suffix.lower() in FORMS)
        listed += [f"{file}/{name}" for name in fit] or [file]
    return listed


def open_export(raw_folder: Path, file: str) -> Iterator[Opened]:
    """Yield what a file holds: one table, or one for each sheet with columns of its own.

    Raises SourceError where it cannot be read.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.csv").write_text("May 2025\\n\\nid;text\\n1;late\\n2;fine\\n")
    >>> [(found.how, len(found.records)) for found in open_export(folder, "a.csv")]
    [({'form': 'csv', 'skip_lines': 1}, 2)]
    """
    path, member = _find_member(raw_folder, file)
    form = find_form(Path(member or path), None)
    if form not in ("csv", "tsv", "xlsx", "json", "xml"):
        yield _read(path, file, member, {"form": form}, [])
        return
    data = path.read_bytes()
    if member:
        data = next(inside for _, inside in open_archive(data, file=file, only=member))
    if not data.strip():
        raise EmptyFileError(file)
    if form == "xlsx":
        yield from _open_sheets(path, file, member, data)
        return
    how: dict[str, str | int | list] = {"form": form}
    notes: list[str] = []
    if form == "xml":
        how["record_path"] = markup.find_records(data, file=file)
        yield _read(path, file, member, how, notes)
        return
    encoding = find_encoding(data, file=file)
    if encoding.name not in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        how["encoding"] = encoding.name
    if form == "json":
        steps = records.find_records("".join(decode_blocks([data], encoding)))
        for end in range(len(steps)):  # a call is the record, not each of its turns
            if _are_turns(path, file, member, how | {"record_path": steps[:end]}):
                steps = steps[:end]
                break
        how |= {"record_path": steps} if steps else {}
    else:
        text = next(iter(decode_blocks([data[:_HEAD]], encoding)), "")
        if file.lower().endswith(".txt") and not _is_table(text):
            raise SourceError("a text, not a table: tables have a header and more than one column.")
        skipped = _count_preface(text, form, notes)
        how |= {"skip_lines": skipped} if skipped else {}
    yield _read(path, file, member, how, notes)


def _are_turns(path: Path, file: str, member: str | None, how: dict) -> bool:
    with suppress(SourceError):
        found = _read(path, file, member, how, []).records.head(50)
        return any(
            find_turns(found[name].dropna()) for name in found if found[name].str.match(r"\[\s*\{").any()
        )
    return False


def open_with(raw_folder: Path, file: str, how: dict) -> Opened:
    """Return the records of a file, read as another file of its kind; raises SourceError where they are none.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.json").write_text('{"calls": [{"id": 1}]}')
    >>> open_with(folder, "a.json", {"form": "json", "record_path": ["calls"]}).records["id"].tolist()
    ['1']
    """
    path, member = _find_member(raw_folder, file)
    return _read(path, file, member, how, [])


def _find_member(raw_folder: Path, file: str) -> tuple[Path, str | None]:
    path = raw_folder / file
    found = None if path.is_file() else re.fullmatch(r"(.+?\.(?:zip|gz))/(.+)", file, re.I)
    return (raw_folder / found[1], found[2]) if found else (path, None)


def _read(path: Path, file: str, member: str | None, how: dict, notes: list[str]) -> Opened:
    """Read the first records, and every twentieth after them: what comes later may be unlike it."""
    source = Source.model_construct(name="draft", files=[file], **how)
    frames, found = [], 0
    for part in open_file(path, file, source, member=member).read():
        frames.append(part.records if found < _MOST else part.records.iloc[::20])
        found += len(part.records)
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return Opened(how, frame.drop(columns=["_line", "_folder"], errors="ignore"), notes)


def _open_sheets(path: Path, file: str, member: str | None, data: bytes) -> Iterator[Opened]:
    """Yield the sheets of a workbook: together where all that show have the same columns, else each alone."""
    opened = []
    names = list_sheets(data, file=file)
    for name in names:
        try:
            skipped, rows, _ = find_header(data, file=file, sheet=name)
        except EmptyFileError:
            continue
        how: dict[str, str | int | list] = {"form": "xlsx"}
        how |= {"sheet": name} if len(names) > 1 else {}
        how |= {"skip_lines": skipped} if skipped else {}
        how |= {"header_rows": rows} if rows > 1 else {}
        opened.append(_read(path, file, member, how, []))
    if not opened:
        raise EmptyFileError(file)
    columns = {frozenset(found.records) for found in opened}
    ways = {
        tuple(sorted((key, str(value)) for key, value in found.how.items() if key != "sheet"))
        for found in opened
    }
    if len(opened) > 1 and len(columns) == len(ways) == 1:
        how = opened[0].how | {"sheet": "*"}
        yield _read(path, file, member, how, [f"sheets with the same columns: {', '.join(names)}"])
        return
    yield from (found for found in opened if len(found.records))


def open_texts(raw_folder: Path, files: list[str]) -> tuple[list[Opened], list[str]]:
    """Return the .txt files that are texts, and no tables, as one export of one-text files, and the other files.

    >>> open_texts(Path("."), ["a.csv"])
    ([], ['a.csv'])
    """
    data = {
        file: (raw_folder / file).read_bytes()
        for file in files
        if file.lower().endswith(".txt") and (raw_folder / file).is_file()
    }
    if len(data) < 3:
        return [], files
    try:  # one text is too short to tell its encoding; all of them together are not
        encoding = find_encoding(
            b"\n".join(part[:_HEAD] for part in list(data.values())[:500]), file="texts"
        ).name
        texts = {file: decode_text(part, file=file, declared=encoding)[0] for file, part in data.items()}
    except SourceError:  # they are not written alike: each is looked at alone
        return [], files
    texts = {file: text for file, text in texts.items() if not _is_table(text[:_HEAD])}
    if len(texts) < 3:
        return [], files
    frame = pd.DataFrame({"text": list(texts.values()), "_file": list(texts)}, dtype="str")
    how: dict[str, str | int | list] = {"form": "text"}
    how |= {} if encoding in ("utf-8", "utf-8-sig") else {"encoding": encoding}
    return [Opened(how, frame, [])], [file for file in files if file not in texts]


def _is_table(text: str) -> bool:
    """Tell a table from a text: most of its records have as many fields as its first, and more than one."""
    lines = [line for line in text.splitlines()[:300] if line.strip()]
    for delimiter in "\t;|,":
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        if len(widths) > 2 and widths[0] > 1 and Counter(widths)[widths[0]] > 0.7 * len(widths):
            return True
    return False


def _count_preface(text: str, form: str, notes: list[str]) -> int:
    """Return how many lines stand above the header: some systems write a title, or a short name and the question."""
    whole = text[: text.rfind("\n") + 1] or text
    data, delimiter = whole.encode("utf-8", "replace"), "\t" if form == "tsv" else None
    for skipped in range(_MOST_PREFACE):
        try:
            parts = list(read_delimited([data], file="", delimiter=delimiter, skip_lines=skipped))
        except EmptyFileError:
            break
        rows = sum(len(part.records) for part in parts)
        bad = sum(len(part.bad) for part in parts)
        if len(parts[0].records.columns) > 2 and rows > bad:
            frame = pd.concat([part.records for part in parts], ignore_index=True)
            return skipped + _count_upper_rows(frame.drop(columns="_line"), whole, skipped, notes)
    return 0


def _count_upper_rows(frame: pd.DataFrame, text: str, skipped: int, notes: list[str]) -> int:
    """Return how many lines of a header of several rows stand above the one that words the questions.

    Qualtrics writes a short name, the wording and an import id; SurveyMonkey the wording and the kind of answer.
    """
    head = frame.head(2).fillna("")
    for number, row in head.iterrows():
        if row.str.contains('"ImportId"', regex=False).mean() > 0.5:
            notes.append(
                "the first record holds no answers but import ids of the survey system: expect one odd record"
            )
            return len(list(csv.reader(io.StringIO(text.split("\n", skipped)[-1])))[:1]) if number == 1 else 0
    if (
        len(head)
        and head.iloc[0].isin(["Response", "Open-Ended Response", "Other (please specify)"]).sum() > 0
    ):
        notes.append(
            "the first record holds no answers but a second row of the header: expect one odd record"
        )
    return 0
