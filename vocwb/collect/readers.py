"""Reads the forms in which exports are written: bytes to text, text to rows, each row with its line."""

import codecs
import csv
import datetime
import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

import chardet
import openpyxl

from vocwb.errors import SourceError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
# Code pages that spreadsheets really write under the narrower name.
_WIDER = {"big5": "cp950", "gb2312": "gb18030", "gbk": "gb18030"}
# chardet is right on Cyrillic and Arabic code pages at 0.3 and more, and guesses below (measured).
_LEAST_CONFIDENCE = 0.3
_BAD = re.compile("[\udc00-\udcff]")


def _mark_unfit(error: UnicodeDecodeError) -> tuple[str, int]:
    unfit = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in unfit), error.end


codecs.register_error("vocwb-mark", _mark_unfit)
csv.field_size_limit(2**31 - 1)  # a whole mail thread in one field is no error


class EmptyFileError(SourceError):
    """A raw file without any content."""

    def __init__(self, file: str):
        super().__init__(
            f"{file}: the file is empty.",
            remedy="Export it again, or take it out of the source's files in programme.yml.",
        )


class Rows(NamedTuple):
    """What a file holds: column names, whole rows with their line, and what cannot be read (line, reason, raw).

    A row is a list in the order of `header`, or a dictionary where the form has no header (JSON).
    """

    header: list[str] | None
    rows: list[tuple[int, list | dict]]
    bad: list[tuple[int, str, str]]


def decode_text(data: bytes, *, file: str, declared: str | None = None) -> tuple[str, str]:
    """Return the text of a file and its encoding: the declared one, else by BOM, else UTF-8, else as guessed.

    Bytes that do not fit stand in the text as lone surrogates, so that only their records are lost. Raises
    SourceError where a guess is not sure enough, or more than half of the lines with letters beyond ASCII
    do not fit (and, if it was declared, a tenth of all lines), naming what was tried: a wrong guess is
    worse than a question.

    >>> decode_text("добре".encode("cp1251"), file="a.csv", declared="cp1251")
    ('добре', 'cp1251')
    """
    tried = []
    by_bom = next((name for bom, name in _BOMS if data.startswith(bom)), None)
    # UTF-16 without BOM passes as UTF-8 otherwise: every other byte of its ASCII letters is nought.
    noughts = sorted((data[:4096:2].count(0), data[1:4096:2].count(0)))
    is_wide = noughts[1] * 100 > len(data[:4096]) and noughts[0] * 10 <= noughts[1]
    for name in [declared] if declared else [by_bom] if by_bom else [] if is_wide else ["utf-8"]:
        if by_bom == "utf-8-sig" and name.lower().replace("_", "-") in ("utf-8", "utf8"):
            name = by_bom
        try:
            text = data.decode(name, "vocwb-mark")
        except LookupError as error:
            raise SourceError(
                f"{file}: there is no encoding {name!r}.",
                remedy="Write one like utf-8, windows-1251 or gb18030.",
            ) from error
        unfit, beyond = _count_unfit(text)
        # Who declares an encoding is believed, as long as few lines speak against it.
        if unfit * 2 <= beyond or (declared and unfit * 10 <= text.count("\n")):
            return text, name
        tried.append(f"{name} ({unfit} of {beyond} lines with letters beyond ASCII do not fit)")
    if not declared and not by_bom:
        guess = chardet.detect(data[:1_000_000] if data.isascii() else _sample_beyond_ascii(data))
        name, confidence = guess["encoding"], guess["confidence"] or 0.0
        tried.append(f"{name} (a guess, confidence {confidence:.2f})")
        if name and confidence >= _LEAST_CONFIDENCE:
            name = _WIDER.get(name.lower(), name)
            text = data.decode(name, "vocwb-mark")
            unfit, beyond = _count_unfit(text)
            if unfit * 2 <= beyond or not beyond:
                return text, name
    raise SourceError(
        f"{file}: its encoding is in doubt.",
        f"Tried: {', '.join(tried)}.",
        "Write encoding: windows-1252 (or what the exporting system says) in the source, or export as UTF-8.",
    )


def sniff_delimiter(lines: Iterable[str]) -> str:
    """Return the delimiter among , ; tab and | by which most of the first records have as many fields as the header.

    >>> sniff_delimiter(["id;text\\n", "1;yes, well\\n", "2;a, b, c\\n"])
    ';'
    """
    sample = list(islice(lines, 200))
    best, best_score = "\t", (0.5, 0)
    for delimiter in ",;\t|":
        widths = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
        if widths and widths[0] > 1:
            score = (Counter(widths)[widths[0]] / len(widths), widths[0])
            if score > best_score:
                best, best_score = delimiter, score
    return best


def read_delimited(
    text: str, *, file: str, delimiter: str | None = None, skip_lines: int = 0, encoding: str = "utf-8"
) -> Rows:
    """Return the rows of a CSV or TSV text, quoted as in RFC 4180; the first record is the header.

    A row with more or fewer fields than the header, or with bytes that do not fit, is set aside with its
    raw text; so is the line whose quote is never closed, and what it would have swallowed is read. Blank
    lines are no records. Raises EmptyFileError.

    >>> read_delimited('a,b\\n1,"x\\ny"\\n2\\n', file="a.csv").rows
    [(2, ['1', 'x\\ny'])]
    """
    lines = list(io.StringIO(text, newline=""))[skip_lines:]
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise EmptyFileError(file)
    delimiter = delimiter or sniff_delimiter(lines[first:])
    damaged = any(_BAD.search(line) for line in lines)
    reader = csv.reader(islice(lines, first, None), delimiter=delimiter)
    header = _name_columns(next(reader))
    width, rows, bad, base = len(header), [], [], first + reader.line_num

    def set_aside(start: int, end: int, reason: str) -> None:
        bad.append((skip_lines + start + 1, reason, _show_bytes("".join(lines[start:end]).rstrip("\r\n"))))

    while base < len(lines):
        reader, end, resume = csv.reader(islice(lines, base, None), delimiter=delimiter), base, None
        for row in reader:
            start, end = end, base + reader.line_num
            if not row:
                continue
            if len(row) > width and not any(row[width:]):
                row = row[:width]
            if len(row) != width or end - start > 1 or end == len(lines):
                fault = _find_fault(lines[start:end], len(row), width, delimiter)
                if fault == "swallowed":
                    resume = start + _find_record(lines[start:end], width, delimiter)
                    set_aside(start, resume, "a quote is opened and not closed")
                    break
                if fault:
                    set_aside(start, end, fault)
                    continue
            if not any(row):
                set_aside(start, end, "an empty record")
            elif damaged and _BAD.search("".join(row)):
                set_aside(start, end, f"bytes that are not {encoding}")
            else:
                rows.append((skip_lines + start + 1, row))
        base = resume or len(lines)
    return Rows(header, rows, bad)


def read_sheet(data: bytes, *, file: str, sheet: str | None = None, skip_lines: int = 0) -> Rows:
    """Return the rows of a workbook's sheet (the first, if none is named), each with its sheet row.

    Whole numbers come without a decimal point, dates as ISO; rows without any value are no records. Raises
    SourceError where the file is no workbook or has no such sheet, EmptyFileError where the sheet is empty.

    >>> book = openpyxl.Workbook()
    >>> for row in (["id", "on"], [7.0, datetime.datetime(2025, 1, 31)]):
    ...     book.active.append(row)
    >>> book.save(stream := io.BytesIO())
    >>> read_sheet(stream.getvalue(), file="a.xlsx").rows
    [(2, ['7', '2025-01-31'])]
    """
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        names = [table.title for table in book.worksheets]
        lines = []
        if not names or sheet in (None, *names):
            table = book[sheet or names[0]]
            table.reset_dimensions()  # some writers note a wrong extent
            lines = list(table.iter_rows(values_only=True))
    except Exception as error:  # of a broken book the library raises a dozen kinds
        raise SourceError(
            f"{file}: not a workbook that can be read ({error}).",
            remedy="Save it again as .xlsx, or as CSV UTF-8.",
        ) from error
    if sheet not in (None, *names):
        raise SourceError(
            f"{file}: no sheet {sheet!r}.", f"Sheets: {', '.join(names)}.", "Correct sheet: in the source."
        )
    header, rows, bad = None, [], []
    for number, cells in enumerate(lines, 1):
        values = [_cell_text(cell) for cell in cells]
        while values and not values[-1]:
            values.pop()
        if not values or number <= skip_lines:
            continue
        if header is None:
            header = _name_columns(values)
        elif len(values) > len(header):
            reason = f"{len(values)} cells where the header has {len(header)}"
            bad.append((number, reason, json.dumps(values, ensure_ascii=False)))
        else:
            rows.append((number, values + [None] * (len(header) - len(values))))
    if header is None:
        raise EmptyFileError(file)
    return Rows(header, rows, bad)


def read_json(text: str, *, file: str, record_path: Iterable[str] = (), lines: bool = False) -> Rows:
    """Return the records of a JSON text (a list, or one found by `record_path`) or of JSON Lines.

    Numbers stay as they are written, nested objects become dotted names, a list stays JSON. Raises
    SourceError where the text is not JSON or the records are not found; a bad line of JSON Lines, or a
    record that is not an object, is set aside.

    >>> read_json('{"id": 1, "by": {"name": "A"}}\\n{"id": ', file="a.jsonl", lines=True).rows
    [(1, {'id': '1', 'by.name': 'A'})]
    """
    if not text.strip():
        raise EmptyFileError(file)
    if lines:
        found = []
        for number, line in enumerate(io.StringIO(text), 1):
            if line.strip():
                line = line.rstrip("\r\n")
                found.append((number, line, _parse_json(line)))
    else:
        document = _parse_json(text)
        if isinstance(document, Exception):
            raise SourceError(
                f"{file}: not JSON: {document}.",
                remedy="Mend that line, or write form: jsonl if each line is a record.",
            )
        for step in record_path:
            if not isinstance(document, dict) or step not in document:
                keys = ", ".join(document) if isinstance(document, dict) else f"a {type(document).__name__}"
                raise SourceError(
                    f"{file}: record_path has no {step!r}.",
                    f"There: {keys}.",
                    "Correct record_path in the source.",
                )
            document = document[step]
        if not isinstance(document, list):
            keys = ", ".join(document) if isinstance(document, dict) else "none"
            raise SourceError(
                f"{file}: not a list of records.",
                f"Keys: {keys}.",
                "Name the key of the list in record_path.",
            )
        found = [(number, record, record) for number, record in enumerate(document, 1)]
    rows, bad, damaged = [], [], _BAD.search(text) is not None
    for number, raw, record in found:
        fault = "an empty record" if record == {} else None if isinstance(record, dict) else "not an object"
        if isinstance(record, Exception):
            fault = f"not JSON: {record}"
        shown = raw if isinstance(raw, str) or not (fault or damaged) else json.dumps(raw, ensure_ascii=False)
        if damaged and _BAD.search(shown):
            fault = fault or "bytes that cannot be read"
        if fault:
            bad.append((number, fault, _show_bytes(shown)))
        else:
            rows.append((number, _flatten(record)))
    return Rows(None, rows, bad)


def _count_unfit(text: str) -> tuple[int, int]:
    """Return how many lines hold a mark of unfit bytes, and how many hold anything beyond ASCII."""
    if text.isascii():
        return 0, 0
    beyond = [line for line in text.split("\n") if not line.isascii()]
    return sum(_BAD.search(line) is not None for line in beyond), len(beyond)


def _sample_beyond_ascii(data: bytes) -> bytes:
    if 0 in data[:4096]:
        return data[:1_000_000]
    return b"\n".join(islice((line for line in data.split(b"\n") if not line.isascii()), 5000))[:1_000_000]


def _show_bytes(raw: str) -> str:
    """Write the marks of unfit bytes as \\xNN, so that the text can be stored."""
    return _BAD.sub(lambda mark: f"\\x{ord(mark[0]) - 0xDC00:02x}", raw)


def _name_columns(cells: Iterable[Any]) -> list[str]:
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = _BAD.sub("\ufffd", "" if cell is None else str(cell)).strip() or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def _find_fault(lines: list[str], found: int, width: int, delimiter: str) -> str | None:
    """Say what is wrong with a record, or None: an open quote swallows the records after it."""
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
        open_quote = sloppy = False
    except csv.Error as error:
        open_quote, sloppy = "unexpected end" in str(error), True
    if (sloppy or found != width) and len(lines) > 1 and _find_record(lines, width, delimiter):
        return "swallowed"
    if open_quote:
        return "a quote is opened and not closed"
    return f"{found} fields where the header has {width}" if found != width else None


def _find_record(lines: list[str], width: int, delimiter: str) -> int | None:
    """Return which line after the first is a whole record by itself, if one is."""
    for number, line in enumerate(lines[1:], 1):
        if (
            line.count('"') % 2 == 0
            and width > 1
            and len(next(csv.reader([line], delimiter=delimiter), ())) == width
        ):
            return number
    return None


def _cell_text(cell: Any) -> str | None:
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return None if cell is None else str(cell)


def _parse_json(text: str) -> Any:
    """Return what a JSON text says, numbers as they are written, or the error."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        return error


def _flatten(record: dict, prefix: str = "") -> dict[str, str | None]:
    """Bring nested objects to one level with dotted names; a list stays as JSON."""
    flat: dict[str, str | None] = {}
    for key, value in record.items():
        name = prefix + key
        if isinstance(value, dict) and value:
            flat |= _flatten(value, f"{name}.")
        elif isinstance(value, str):
            flat[name] = re.sub("[\ud800-\udfff]", "\ufffd", value)
        else:
            flat[name] = None if value is None else json.dumps(value, ensure_ascii=False)
    return flat
