"""Reads CSV and TSV in blocks, so that a million rows need no more memory than some of them.

Arrow reads a block at once; what a spreadsheet or a person has broken (a wrong number of fields, a quote
never closed, bytes that do not fit) is left to Python's csv, which tells line by line what is wrong.
"""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from vocwb.collect.forms.headers import join_header
from vocwb.collect.forms.rows import BAD, EmptyFileError, name_columns, show_bytes

BLOCK = 1 << 24
"""How many bytes are read at once."""
# A quote that is open for this long is looked at as if the file had ended there.
_LONGEST_RECORD = 1 << 22

csv.field_size_limit(2**31 - 1)  # a whole mail thread in one field is no error


class Part(NamedTuple):
    """Some records of a file (raw columns as text, `_line`), and what cannot be read (line, reason, raw)."""

    records: pd.DataFrame
    bad: list[tuple[int, str, str]]


class _Form(NamedTuple):
    """How the records of one file are written; `errors` says how its bytes become text."""

    header: list[str]
    delimiter: str
    errors: str
    encoding: str


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
    blocks: Iterable[bytes],
    *,
    file: str,
    delimiter: str | None = None,
    skip_lines: int = 0,
    header_rows: int = 1,
    encoding: str = "utf-8",
    errors: str = "vocwb-mark",
    size: int = BLOCK,
) -> Iterator[Part]:
    """Yield the records of a CSV or TSV text in parts, quoted as in RFC 4180; the first ones are the header.

    Of a header of several rows (survey tools write them) the names are joined by " / " (forms.headers).
    blocks: the text in UTF-8, cut anywhere; `size` bytes are read at once. encoding: what it was written in, for
    reasons; errors: how bytes that do not fit become marks (forms.encodings). A row with more or fewer fields
    than the header, or with bytes that do not fit, is set aside with its raw text; so is the line whose quote is
    never closed, and what it would have swallowed is read. Blank lines are no records. Raises EmptyFileError.

    >>> *_, part = read_delimited([b'a,b\\n1,"x\\ny"\\n2\\n'], file="a.csv")
    >>> part.records.values.tolist(), part.bad
    ([['1', 'x\\ny', 2]], [(4, '1 fields where the header has 2', '2')])
    """
    stream = _rechunk(blocks, size)
    data, ended = next(stream, (b"", True))
    while not ended and data.count(b"\n") <= skip_lines + 200:
        more, ended = next(stream)
        data += more
    data = data.removeprefix(codecs.BOM_UTF8)
    text = data.decode("utf-8", errors)
    lines = list(io.StringIO(text, newline=""))
    first = next((at for at in range(skip_lines, len(lines)) if lines[at].strip()), None)
    if first is None:
        raise EmptyFileError(file)
    delimiter = delimiter or sniff_delimiter(lines[first : first + 200])
    reader = csv.reader(lines[first:], delimiter=delimiter)
    form = _Form(_read_header(reader, header_rows), delimiter, errors, encoding)
    line = first + reader.line_num
    del text
    yield Part(_make_frame([], [], form), [])
    yield from _read_blocks(data, ended, stream, _count_bytes("".join(lines[:line]), form), line, form)


def _read_header(reader: Iterator[list[str]], rows: int) -> list[str]:
    """Return the names under the first records, of which the next ones are not taken from the reader."""
    if rows == 1:
        return name_columns(next(reader))
    cells = [[cell.strip() or None for cell in row] for row in islice(filter(None, reader), rows)]
    return join_header(list(enumerate(cells, 1)), [])


def _count_bytes(text: str, form: _Form) -> int:
    size = len(text.encode("utf-8", "surrogatepass"))
    return size if form.errors == "surrogatepass" else size - 2 * len(BAD.findall(text))


def _rechunk(blocks: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks of a good size, each with whether it is the last."""
    held: list[bytes] = []
    for block in blocks:
        if sum(map(len, held)) >= size:
            yield b"".join(held), False
            held = []
        held.append(block)
    if held:
        yield b"".join(held), True


def _read_blocks(
    data: bytes, ended: bool, stream: Iterator[tuple[bytes, bool]], at: int, line: int, form: _Form
) -> Iterator[Part]:
    """Yield what stands in `data` from `at` on and in the blocks after it; `line` lines stand before."""
    data = data[at:]
    while True:
        end = len(data) if ended else data.rfind(b"\n") + 1
        (part, lines), used = _read_fast(data[:end], line, form), end
        if part is None:
            part, lines, used = _read_carefully(data[:end], line, form, ended)
        yield part
        line += lines
        if ended:
            return
        more, ended = next(stream)
        data = data[used:] + more


def _find_ends(data: bytes) -> np.ndarray | None:
    """Return where the lines end that end as Unix or Windows writes them; None where a lone return ends one."""
    letters = np.frombuffer(data, dtype="uint8")
    returns = np.flatnonzero(letters == 13)
    if len(returns) and (returns[-1] + 1 == len(data) or (letters[returns + 1] != 10).any()):
        return None
    return np.flatnonzero(letters == 10)


def _read_fast(data: bytes, line: int, form: _Form) -> tuple[Part | None, int]:
    """Read whole records with Arrow and count their lines; no part where anything is not as it should be."""
    ends = _find_ends(data)
    if ends is None or not data.strip() or len(form.delimiter.encode()) != 1:
        return None, 0
    names = [str(number) for number in range(len(form.header))]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=True, block_size=len(data) + 1, column_names=names
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=form.delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string())),
        ).combine_chunks()
    except pa.ArrowInvalid:
        return None, 0
    lines = _number_lines(data, ends, table, form) if len(table) else None
    if lines is None or _has_empty_record(table):
        return None, 0
    frame = table.to_pandas()
    frame.columns = form.header
    return Part(frame.assign(_line=line + lines), []), len(ends)


def _number_lines(data: bytes, ends: np.ndarray, table: pa.Table, form: _Form) -> np.ndarray | None:
    """Return the line of each record, counted from 1; None where a record may have swallowed others."""
    count = len(ends) + (not data.endswith(b"\n"))
    # Arrow takes the end of the data for the end of a quote.
    last = table.column(table.num_columns - 1)[-1].as_py()
    if last.endswith("\n") or (count > len(ends) and b'"' in data[data.rfind(b"\n") + 1 :]):
        return None
    if count == len(table):
        return np.arange(1, count + 1)
    places = np.concatenate([[0], ends + 1, [len(data)]])

    def has_fault(start: int, end: int) -> bool:
        lines = list(io.StringIO(data[places[start - 1] : places[end - 1]].decode("utf-8"), newline=""))
        return _find_fault(lines, table.num_columns, table.num_columns, form.delimiter) is not None

    inner = np.zeros(len(table), dtype="int64")
    doubtful = np.zeros(len(table), dtype=bool)
    for column in table.itercolumns():
        if not (np.frombuffer(column.chunk(0).buffers()[2], dtype="uint8") == 10).any():
            continue
        breaks = pc.count_substring(column, "\n").to_numpy()
        inner += breaks
        broken = np.flatnonzero(breaks)
        cells = column.take(broken)
        many = pc.greater_equal(pc.count_substring(cells, form.delimiter), table.num_columns - 1)
        doubtful[broken] |= pc.or_(many, pc.match_substring(cells, '"')).to_numpy()
    if count != len(table) + inner.sum():
        return None  # blank lines, which are no records
    starts = np.concatenate([[1], 1 + np.cumsum(1 + inner)])
    if any(has_fault(starts[row], starts[row + 1]) for row in np.flatnonzero(doubtful)):
        return None
    return starts[:-1]


def _has_empty_record(table: pa.Table) -> bool:
    empty = None
    for column in table.itercolumns():
        here = pc.equal(column, "")
        empty = here if empty is None else pc.and_(empty, here)
        if not pc.any(empty).as_py():
            return False
    return bool(len(table))


def _read_carefully(data: bytes, line: int, form: _Form, ended: bool) -> tuple[Part, int, int]:
    """Read records one by one, and return them with how many lines and bytes they took."""
    lines = list(io.StringIO(data.decode("utf-8", form.errors), newline=""))
    width, base = len(form.header), 0
    rows: list[list[str]] = []
    places: list[int] = []
    bad: list[tuple[int, str, str]] = []

    def set_aside(start: int, end: int, reason: str) -> None:
        bad.append((line + start + 1, reason, show_bytes("".join(lines[start:end]).rstrip("\r\n"))))

    while base < len(lines):
        reader, end, resume = csv.reader(islice(lines, base, None), delimiter=form.delimiter), base, None
        for row in reader:
            start, end = end, base + reader.line_num
            if not row:
                continue
            if len(row) > width and not any(row[width:]):
                row = row[:width]
            if end == len(lines) and not ended:
                # The record may go on in the next block, unless it is longer than any.
                rest = "".join(lines[start:])
                if len(rest) < _LONGEST_RECORD:
                    used = len(data) - _count_bytes(rest, form)
                    return Part(_make_frame(rows, places, form), bad), start, used
            if len(row) != width or end - start > 1 or end == len(lines):
                fault = _find_fault(lines[start:end], len(row), width, form.delimiter)
                if fault == "swallowed":
                    resume = start + _find_record(lines[start:end], width, form.delimiter)
                    set_aside(start, resume, "a quote is opened and not closed")
                    break
                if fault:
                    set_aside(start, end, fault)
                    continue
            if not any(row):
                set_aside(start, end, "an empty record")
            elif BAD.search("".join(row)):
                set_aside(start, end, f"bytes that are not {form.encoding}")
            else:
                rows.append(row)
                places.append(line + start + 1)
        base = resume or len(lines)
    return Part(_make_frame(rows, places, form), bad), len(lines), len(data)


def _make_frame(rows: list[list[str]], places: list[int], form: _Form) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=form.header, dtype="str")
    return frame.assign(_line=np.array(places, dtype="int64"))


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
