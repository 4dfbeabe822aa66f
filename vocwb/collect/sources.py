"""Finds the raw exports of a programme and opens each: every record with its line, or why it cannot be read."""

import difflib
import fnmatch
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from vocwb.collect.forms.archives import is_archive, open_archive
from vocwb.collect.forms.delimited import Part, read_delimited
from vocwb.collect.forms.encodings import Encoding, decode_blocks, find_encoding
from vocwb.collect.forms.mail import read_mail
from vocwb.collect.forms.markup import read_xml
from vocwb.collect.forms.records import read_json, read_parquet
from vocwb.collect.forms.rows import PLACE, EmptyFileError, Rows
from vocwb.collect.forms.sheets import read_sheets
from vocwb.collect.forms.transcripts import read_chat, read_srt, read_vtt
from vocwb.crosswalk import Source
from vocwb.errors import SourceError
from vocwb.programme import Programme
from vocwb.store import hash_bytes

FORMS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "tsv", ".tab": "tsv", ".xlsx": "xlsx", ".xlsm": "xlsx",
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".xml": "xml",
    ".eml": "eml", ".mbox": "mbox", ".vtt": "vtt", ".srt": "srt",
}  # fmt: skip
"""The ending of a file's name, and its form where the source gives none; text and chat are always given."""

FILE, FOLDER = "_file", "_folder"
"""Columns of every record that hold its file and the folder that it lies in: a crosswalk may name them."""

_BLOCK = 1 << 22
_ROWS = 50_000
_NOT_TEXT = ("xlsx", "parquet", "eml", "mbox", "xml")


class RawFile(NamedTuple):
    """One file of a source: what it is, how it is read, and `read`, which yields its records part by part.

    file: the path below the raw folder; a member of an archive comes after it ("a.zip/b.csv"). read_as: form,
    encoding and by what evidence, for people. read: yields Part(records, bad), from the first record each time
    it is called; records have the raw columns as text, exactly as they stand in the file, and `_file`,
    `_folder`, `_line`; bad is (line, reason, raw). It raises EmptyFileError, and SourceError where the file is
    not of its form or a column of the crosswalk is missing.
    """

    source: Source
    file: str
    sha256: str
    read_as: str
    read: Callable[[], Iterator[Part]]


def list_files(folder: Path) -> list[str]:
    """Return the files below a folder that may be exports, sorted; README, hidden and lock files are none.

    >>> list_files(Path("no such folder"))
    []
    """
    paths = (path for path in folder.rglob("*") if path.is_file() and not _is_note(path))
    return sorted(path.relative_to(folder).as_posix() for path in paths)


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
        pattern = _split_pattern(pattern)[0]
        outside = Path(pattern).is_absolute() or ".." in Path(pattern).parts
        literal = raw_folder / pattern
        fits = [] if outside or not pattern else [literal] if literal.is_file() else raw_folder.glob(pattern)
        fits = [path for path in fits if path.is_file() and not _is_note(path)]
        if not fits:
            there = list_files(raw_folder)
            near = difflib.get_close_matches(pattern, there, n=1)
            raise SourceError(
                f"Source {source.name!r}: no file fits {pattern!r} in the folder {raw_folder}.",
                f"Files there: {', '.join(there[:20]) or 'none'}{' ...' if len(there) > 20 else ''}.",
                f"Did you mean {near[0]!r}?"
                if near
                else "Correct files: in programme.yml, or name the folder: RAW=...",
            )
        found |= set(fits)
    return sorted(found)


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


def read_sources(programme: Programme, raw_folder: Path) -> list[RawFile]:
    """Return the files of every source, each opened as far as to know its form and its encoding.

    Raises SourceError where a pattern fits no file, a form is not known or an encoding is in doubt.

    >>> read_sources(Programme.model_construct(sources=[]), Path("."))
    []
    """
    opened = []
    for source in programme.sources:
        files = [
            one for path in find_files(source, raw_folder) for one in _list_members(path, source, raw_folder)
        ]
        if not files:
            raise SourceError(
                f"Source {source.name!r}: the archive holds no file that fits {', '.join(source.files)}.",
                remedy="Correct files: in programme.yml, as in exports.zip/*.csv.",
            )
        like = _find_common_encoding(files, source)
        opened += [open_file(path, file, source, member=member, like=like) for path, file, member in files]
    return opened


def open_file(
    path: Path, file: str, source: Source, *, member: str | None = None, like: str | None = None
) -> RawFile:
    """Return one file as a source reads it; `file` is what it is called, `like` the encoding of its siblings.

    Raises SourceError where its form is not known or its encoding is in doubt.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text('id,text\\n007,"two\\nlines"\\n8\\n')
    >>> source = Source(name="a", files="a.csv", channel="mail", who_started="customer", mode="direct",
    ...                 undated=True, verbatims={"comment": "text"})
    >>> parts = list(open_file(path, "a.csv", source).read())
    >>> [row for part in parts for row in part.records.values.tolist()], parts[-1].bad
    ([['007', 'two\\nlines', 'a.csv', '', 2]], [(4, '1 fields where the header has 2', '8')])
    """
    form = find_form(Path(member or path), source.form)
    encoding = None
    blocks = partial(_read_blocks, path, member)
    if form not in _NOT_TEXT:
        encoding = find_encoding(blocks(), file=file, declared=source.encoding, like=like)
    return RawFile(
        source,
        file,
        hash_bytes(blocks()),
        f"{form}; {encoding.evidence}" if encoding else form,
        partial(_read_parts, blocks, form, file, source, encoding),
    )


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
            "Write form: csv (or tsv, xlsx, json, jsonl, text, chat ...) in the source.",
        )
    return form


def _is_note(path: Path) -> bool:
    return re.fullmatch(r"readme(\.\w+)*", path.name, re.I) is not None or path.name.startswith((".", "~$"))


def _split_pattern(pattern: str) -> tuple[str, str | None]:
    """Split "a.zip/*.csv" into the archive and the pattern of its members."""
    found = re.fullmatch(r"(.+?\.(?:zip|gz))/(.+)", pattern, re.I)
    return (found[1], found[2]) if found else (pattern, None)


def _list_members(path: Path, source: Source, raw_folder: Path) -> list[tuple[Path, str, str | None]]:
    """Return path, name and member of a file: of an archive, those that a pattern or their form chooses."""
    file = path.relative_to(raw_folder).as_posix()
    if not is_archive(path.name):
        return [(path, file, None)]
    split = [_split_pattern(pattern) for pattern in source.files]
    inner = [member for archive, member in split if member and fnmatch.fnmatch(file, archive)]
    names = [name for name, _ in open_archive(path.read_bytes(), file=file)]
    if inner:
        names = [name for name in names if any(fnmatch.fnmatch(name, one) for one in inner)]
    elif source.form is None:
        names = [name for name in names if Path(name).suffix.lower() in FORMS]
    return [(path, f"{file}/{name}", name) for name in sorted(names)]


def _read_blocks(path: Path, member: str | None) -> Iterator[bytes]:
    if member is not None:
        yield next(data for _, data in open_archive(path.read_bytes(), file=path.name, only=member))
        return
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _find_common_encoding(files: list[tuple[Path, str, str | None]], source: Source) -> str | None:
    """Return the encoding of many small files together: one text alone is too short to tell it."""
    files = [one for one in files if find_form(Path(one[2] or one[0]), source.form) not in _NOT_TEXT]
    if source.encoding or len(files) < 2:
        return None
    step = len(files) // 200 + 1
    heads = [next(_read_blocks(path, member), b"")[:20_000] for path, _, member in files[::step]]
    try:
        return find_encoding(b"\n".join(heads), file=files[0][1]).name
    except SourceError:
        return None


def _read_parts(
    blocks: Callable[[], Iterator[bytes]], form: str, file: str, source: Source, encoding: Encoding | None
) -> Iterator[Part]:
    """Yield the records of a file with their place; the first part tells whether the crosswalk fits."""
    checked = False
    for part in _read_form(blocks, form, file, source, encoding):
        records = part.records
        if not checked and (len(records) or len(records.columns) > 1):
            _check_columns(records, source, file)
            checked = True
        line = records.pop("_line")
        folder = Path(file).parent.name
        yield part._replace(records=records.assign(_file=file, _folder=folder, _line=line))


def _read_form(
    blocks: Callable[[], Iterator[bytes]], form: str, file: str, source: Source, encoding: Encoding | None
) -> Iterator[Part]:
    if form in ("csv", "tsv"):
        is_utf8 = encoding.name in ("utf-8", "utf-8-sig")
        recoded = (text.encode("utf-8", "surrogatepass") for text in decode_blocks(blocks(), encoding))
        parts = read_delimited(
            blocks() if is_utf8 else recoded,
            file=file,
            delimiter=source.delimiter or ("\t" if form == "tsv" else None),
            skip_lines=source.skip_lines,
            header_rows=source.header_rows,
            encoding=encoding.name,
            errors="vocwb-mark" if is_utf8 else "surrogatepass",
        )
        yield from _read_ahead(parts)
        return
    data = b"".join(blocks())
    if not data.strip():
        raise EmptyFileError(file)
    if form == "xlsx":
        found = read_sheets(
            data, file=file, sheet=source.sheet, skip_lines=source.skip_lines, header_rows=source.header_rows
        )
    elif form == "parquet":
        found = read_parquet(data, file=file)
    elif form == "xml":
        found = read_xml(data, file=file, record_path=source.record_path, encoding=source.encoding)
    elif form in ("eml", "mbox"):
        found = read_mail(data, file=file, box=form == "mbox")
    else:
        found = _read_text("".join(decode_blocks([data], encoding)), form, file, source)
    yield from _cut_rows(found)


def _read_ahead(parts: Iterator[Part]) -> Iterator[Part]:
    """Yield parts, and read the next one while the caller is busy with this one."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, parts, None)
        while (part := following.result()) is not None:
            following = reader.submit(next, parts, None)
            yield part


def _read_text(text: str, form: str, file: str, source: Source) -> Rows:
    if form in ("json", "jsonl"):
        return read_json(text, file=file, record_path=source.record_path, lines=form == "jsonl")
    if form == "text":
        return Rows(None, [(1, {"text": text})], [])
    return {"vtt": read_vtt, "srt": read_srt, "chat": read_chat}[form](text, file=file)


def _cut_rows(found: Rows) -> Iterator[Part]:
    """Yield rows as frames of the same columns, the bad ones with the first of them."""
    rows, bad, header = iter(found.rows), found.bad, found.header
    if header is None:
        header = list(dict.fromkeys(name for _, row in found.rows for name in row))
    while (some := list(islice(rows, _ROWS))) or bad is not None:
        records = pd.DataFrame([row for _, row in some], columns=header, dtype="str")
        records = records.rename(columns={name: f"{name} (raw)" for name in PLACE})
        lines = pd.Series([line for line, _ in some], dtype="int64")
        yield Part(records.assign(_line=lines), bad or [])
        bad = None


def _check_columns(records: pd.DataFrame, source: Source, file: str) -> None:
    crosswalk: list[str | None] = [*source.columns.model_dump().values(), *source.verbatims.values()]
    crosswalk += [
        *source.translations.values(),
        *source.segments.values(),
        *source.answers.values(),
        *source.measures.values(),
        *source.names,
    ]
    crosswalk += [*source.keep, source.turns and source.turns.column, source.tags and source.tags.column]
    if source.events:
        crosswalk += [
            source.events.kind,
            source.events.value,
            *source.events.subject,
            *source.events.kinds.values(),
        ]
    known = [name for name in records if name != "_line"]
    missing = [
        column for column in dict.fromkeys(crosswalk) if column and column not in (FILE, FOLDER, *known)
    ]
    if missing:
        near = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.5) for name in missing}
        hints = "; ".join(f"for {name!r} perhaps {found[0]!r}" for name, found in near.items() if found)
        raise SourceError(
            f"{file}: source {source.name!r} names columns that are not there: {', '.join(map(repr, missing))}.",
            f"Columns: {', '.join(map(repr, known))}.",
            "Correct the crosswalk in programme.yml"
            + (f": {hints}." if hints else ", skip_lines or delimiter."),
        )
