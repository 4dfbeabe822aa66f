"""Reads workbooks: what a person sees in the cells, row by row, with the number of the row."""

import contextlib
import datetime
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import openpyxl
from openpyxl.utils import range_boundaries
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.functions import fromstring, tostring

from vocwb.collect.forms.archives import check_members
from vocwb.collect.forms.headers import Area, Line, find_header_rows, join_header
from vocwb.collect.forms.rows import EmptyFileError, Rows
from vocwb.errors import SourceError

SHEET = "_sheet"
"""The column that says from which sheet a record comes, where all sheets are read."""
_MOST_BYTES = 2 * 2**30
_LAST_ROW = 1_048_576  # of a worksheet
_MOST_MENDED = 200 * 2**20
_NAMESPACES = (  # of "Strict Open XML" (ISO/IEC 29500-1), and those that the library knows
    (
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    ),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/",
        b"http://schemas.openxmlformats.org/officeDocument/2006/",
    ),
)
_MOST_BLANK = 20_000_000  # cells between others, beyond 20 for each of them
_LOOKED_AT = 60
_CONTROL = re.compile("_x00([01][0-9A-Fa-f])_")  # so XLSX writes control characters
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?\bref=[\"']([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})")
_REMEDY = "Open it in a spreadsheet program and save it as .xlsx without a password, or as CSV UTF-8."


class Table(NamedTuple):
    """A sheet: its name, whether it shows, its rows with any value, merged cells of the header, hidden rows."""

    name: str
    visible: bool
    lines: list[Line]
    merged: list[Area]
    hidden_rows: list[int]


def read_sheets(
    data: bytes, *, file: str, sheet: str | None = None, skip_lines: int = 0, header_rows: int = 1
) -> Rows:
    """Return the rows of a workbook's sheet (the first that shows, if none is named), each with its sheet row.

    sheet="*" reads every sheet that shows and has the same columns as the first, in any order, and adds
    the column `_sheet`; rows of other sheets are set aside. The header is the first row with a value below
    `skip_lines`, and the rows up to `header_rows` in all: an upper cell stands for all columns that it is
    merged over (without merged cells, for those up to the next filled one), and names are joined by " / ".
    A merged cell of the body stands in its first row and column only. Numbers are written with at most 15
    digits, as spreadsheets do, whole ones without a decimal point; a whole number that a spreadsheet has
    rounded, beyond 2^53, stays visibly ruined (5.7E+17). Dates are ISO where the cell's style says so.
    Formulas give their last value (none, if the program that saved them never worked them out); error
    cells such as #N/A are missing. Hidden rows and columns are read. Rows without any value are no records.
    Raises SourceError where the file is no .xlsx or .xlsm, is protected by a password, has no such sheet,
    or unpacks to more than 2 GB; EmptyFileError where the sheet is empty.

    >>> book = openpyxl.Workbook()
    >>> for row in (["id", "on"], [7.0, datetime.datetime(2025, 1, 31)]):
    ...     book.active.append(row)
    >>> book.save(stream := io.BytesIO())
    >>> read_sheets(stream.getvalue(), file="a.xlsx").rows
    [(2, ['7', '2025-01-31'])]
    """
    book = _open_book(data, file)
    header: list[str] | None = None
    rows: list[tuple[int, list]] = []
    bad: list[tuple[int, str, str]] = []
    for table in _read_tables(book, file, sheet):
        lines = [line for line in table.lines if line[0] > skip_lines]
        if not lines:
            continue
        top = sum(number < lines[0][0] + header_rows for number, _ in lines)
        names = join_header(lines[:top], table.merged)
        order = list(range(len(names)))
        if header is None:
            header = names
        elif sorted(names) == sorted(header):
            order = [names.index(name) for name in header]
        if not table.visible and sheet == "*":
            order, fault = [], "a hidden sheet"
        elif len(order) != len(header) or [names[place] for place in order] != header:
            order, fault = [], "other columns than the first sheet"
        for number, values in lines[top:] if order else lines:
            if not order:
                reason = f"sheet {table.name!r}: {fault}"
            elif len(values) > len(names):
                reason = f"{len(values)} cells where the header has {len(names)}"
                reason = f"sheet {table.name!r}: {reason}" if sheet == "*" else reason
            else:
                values = values + [None] * (len(names) - len(values))
                rows.append((number, [values[place] for place in order] + [table.name] * (sheet == "*")))
                continue
            bad.append((number, reason, json.dumps(values, ensure_ascii=False)))
    if header is None:
        raise EmptyFileError(file)
    if sheet == "*":
        header = [f"{name} (raw)" if name == SHEET else name for name in header] + [SHEET]
    return Rows(header, rows, bad)


def find_header(data: bytes, *, file: str, sheet: str | None = None) -> tuple[int, int, str]:
    """Return `skip_lines` and `header_rows` of a workbook's sheet as they seem to be, and the evidence.

    The header is the first row that names more than half as many columns as a row of the body fills (a cell
    merged over several columns names them all, but a single cell over the whole width is a title); it has
    further rows where cells merged over columns, or blank ones, are named in the row below and that row
    holds no number. The evidence tells hidden rows and other sheets too. Raises what `read_sheets` raises.

    >>> book = openpyxl.Workbook()
    >>> for row in (["Answers of May"], ["id", "on", "text"], [7, None, "fine"], [8, None, "late"]):
    ...     book.active.append(row)
    >>> book.save(stream := io.BytesIO())
    >>> find_header(stream.getvalue(), file="a.xlsx")
    (1, 1, 'the header is row 2: 3 columns named')
    """
    book = _open_book(data, file)
    table = next((table for table in _read_tables(book, file, sheet, most=_LOOKED_AT) if table.lines), None)
    if table is None:
        raise EmptyFileError(file)
    lines = table.lines
    place, rows = find_header_rows(lines, table.merged)
    first, last = lines[place][0], lines[place + rows - 1][0]
    names = join_header(lines[place : place + rows], table.merged)
    where = f"row {first}" if rows == 1 else f"rows {first} to {last}"
    evidence = [f"the header is {where}: {len(names)} column{'s' * (len(names) > 1)} named"]
    evidence += [f"{len(table.hidden_rows)} of the first rows are hidden"] if table.hidden_rows else []
    for kind, shows in (("further", True), ("hidden", False)):
        titles = [sheet.title for sheet in book.worksheets if (sheet.sheet_state == "visible") == shows]
        titles = [title for title in titles if title != table.name]
        evidence += [f"{kind} sheets: {', '.join(titles)}"] if titles else []
    return first - 1, last - first + 1, "; ".join(evidence)


def list_sheets(data: bytes, *, file: str) -> list[str]:
    """Return the names of the sheets of a workbook that show; raises SourceError where it is no workbook.

    >>> openpyxl.Workbook().save(stream := io.BytesIO())
    >>> list_sheets(stream.getvalue(), file="a.xlsx")
    ['Sheet']
    """
    return [found.title for found in _open_book(data, file).worksheets if found.sheet_state == "visible"]


def _open_book(data: bytes, file: str) -> openpyxl.Workbook:
    if not data:
        raise EmptyFileError(file)
    if not data.startswith(b"PK"):
        raise SourceError(f"{file}: not a workbook that can be read: {_name_form(data)}.", None, _REMEDY)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            members = packed.infolist()
        check_members(members, file=file, most=_MOST_BYTES)
        others = {
            "xl/workbook.bin": "a binary workbook (.xlsb)",
            "content.xml": "an OpenDocument file (.ods)",
        }
        kind = next((others[member.filename] for member in members if member.filename in others), None)
        if kind:
            raise SourceError(f"{file}: not a workbook that can be read: {kind}.", None, _REMEDY)
        try:
            return _load_book(data)
        except Exception:
            if sum(member.file_size for member in members) > _MOST_MENDED:
                raise
            return _load_book(_mend_book(data))
    except SourceError:
        raise
    except Exception as error:  # of a broken book the library raises a dozen kinds
        raise _say_broken(file, error) from error


def _load_book(data: bytes) -> openpyxl.Workbook:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parts that hold no cells
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    if not book.worksheets:
        raise ValueError("it has no sheet")
    return book


def _mend_book(data: bytes) -> bytes:
    """Write a workbook again in the usual namespaces, and without fonts, fills and notes that the library refuses."""
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(mended := io.BytesIO(), "w") as new:
        for name in dict.fromkeys(old.namelist()):
            part = old.read(name)
            for strict, usual in _NAMESPACES:
                part = part.replace(strict, usual)
            if name == "xl/styles.xml":
                styles = fromstring(part)
                for child in list(styles):
                    if child.tag.rpartition("}")[2] not in ("numFmts", "cellXfs"):
                        styles.remove(child)
                part = tostring(styles)
            if not name.startswith("docProps/"):
                new.writestr(name, part)
    return mended.getvalue()


def _read_tables(
    book: openpyxl.Workbook, file: str, sheet: str | None, most: int | None = None
) -> Iterator[Table]:
    """Yield the named sheet, or the first that shows and holds anything, or all: those that show come first."""
    found = sorted(book.worksheets, key=lambda table: table.sheet_state != "visible")
    if sheet not in (None, "*", *(table.title for table in found)):
        names = ", ".join(table.title for table in book.worksheets)
        raise SourceError(
            f"{file}: no sheet {sheet!r}.",
            f"Sheets: {names}.",
            "Correct sheet: in the source, or '*' for all.",
        )
    for table in found:
        if sheet not in (None, "*", table.title):
            continue
        try:
            read = _read_table(book, table, most)
        except Exception as error:
            raise _say_broken(f"{file}, sheet {table.title!r}", error) from error
        yield read
        if sheet is None and read.lines:
            return


def _read_table(book: openpyxl.Workbook, table: Any, most: int | None) -> Table:
    # The library's own rows drop which cells are errors or merged and which rows are hidden, lose dates
    # out of range, and fill the gaps of a sheet, so that one far cell takes minutes.
    lines: list[Line] = []
    spare = _MOST_BLANK
    with table._get_source() as source:
        parser = WorkSheetParser(source, table._shared_strings, data_only=True, epoch=book.epoch)
        for number, cells in islice(parser.parse(), most):
            if not 0 < number <= _LAST_ROW:
                raise ValueError(f"row {number} lies outside of any sheet")
            values: list[str | None] = []
            for cell in cells:
                value = _cell_text(cell, book)
                if value is not None:
                    column = cell["column"]
                    if column > len(values):
                        spare += 20 - (column - len(values))
                        values += [None] * (column - len(values))
                    values[column - 1] = value
            if spare < 0:
                raise ValueError("most of its cells are blank ones between a few that lie far apart")
            if values:
                lines.append((number, values))
        if most:
            merged = _find_merged(book, table)
        else:
            merged = [area.bounds for area in parser.merged_cells.mergeCell] if parser.merged_cells else []
        hidden = [
            int(row) for row, marks in parser.row_dimensions.items() if marks.get("hidden") in ("1", "true")
        ]
    return Table(table.title, table.sheet_state == "visible", lines, merged, hidden)


def _find_merged(book: openpyxl.Workbook, table: Any) -> list[Area]:
    """Return the merged cells of a sheet, which stand after all its rows, without reading the rows."""
    found, rest = [], b""
    with table._get_source() as source:
        while chunk := source.read(2**20):
            text = rest + chunk
            end = text.rfind(b"<")
            found += _MERGED.findall(text[:end] if end > 0 else text)
            rest = text[end:] if end > 0 else b""
    return [range_boundaries(area.decode()) for area in found + _MERGED.findall(rest)]


def _cell_text(cell: dict[str, Any], book: openpyxl.Workbook) -> str | None:
    value, kind, style = cell["value"], cell["data_type"], cell["style_id"]
    if kind == "e" or value is None:
        return None
    if isinstance(value, str):
        if "_x00" in value:
            value = _CONTROL.sub(lambda code: chr(int(code[1], 16)), value)
        return value.replace("\r\n", "\n") or None
    if kind == "n" and value >= 0 and style in book._date_formats:
        with contextlib.suppress(OverflowError, ValueError):  # where no date has this number, it stays
            value = from_excel(value, book.epoch, timedelta=style in book._timedelta_formats)
    if isinstance(value, datetime.datetime):
        if value.time() == datetime.time():
            return value.date().isoformat()
        return value.isoformat(sep=" ", timespec="milliseconds" if value.microsecond else "seconds")
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        sign = "-" if seconds < 0 else ""
        hours, seconds = divmod(abs(seconds), 3600)
        return f"{sign}{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_text(value)
    return str(value)


def _number_text(number: int | float) -> str:
    if abs(number) < 2**53 and number == int(number):
        return str(int(number))
    # A spreadsheet keeps 15 digits: a longer number that ends in noughts is one that it has rounded.
    if isinstance(number, int) and str(number)[15 + (number < 0) :].strip("0"):
        return str(number)
    return f"{number:.15g}".upper() if isinstance(number, float) else f"{float(number):.15g}".upper()


def _name_form(data: bytes) -> str:
    """Say what a file that is no .xlsx really is, as far as its first bytes tell."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            return "it is protected by a password"
        return "an old workbook (.xls)"
    start = data[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").replace(b"\0", b"").lower()
    if start.startswith(b"<"):
        is_old = b"urn:schemas-microsoft-com:office:spreadsheet" in start
        return (
            "an old XML workbook" if is_old else "a web page (HTML) or other markup under a workbook's name"
        )
    is_text = b"\0" not in data[:4096] or data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if is_text and re.search(rb"[,;\t|].*\n", start):
        return "a text with delimiters (form: csv or tsv reads it) under a workbook's name"
    return "not of a form that is known"


def _say_broken(file: str, error: Exception) -> SourceError:
    return SourceError(f"{file}: not a workbook that can be read ({error}).", None, _REMEDY)
