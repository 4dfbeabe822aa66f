"""Reads records that carry their own names: JSON, JSON Lines and Parquet."""

import contextlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vocwb.collect.forms.rows import BAD, EmptyFileError, Rows, show_bytes
from vocwb.errors import SourceError

_SURROGATES = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[\s,]*")
_NEXT = re.compile(r"\n(?=[{\[])")
_MOST_FAULTS = 100  # in one stream of documents: past them the rest is one bad row
_MOST_ROWS_A_BYTE = 200

Found = tuple[list[str], Any, str | None]


def read_json(text: str, *, file: str, record_path: Sequence[str] = (), lines: bool = False) -> Rows:
    """Return the records of a JSON text, or of JSON Lines, each with its number (of its line, if `lines`).

    The records are a list, or what `record_path` leads to: a key, or "*" for every key there (which becomes
    the column `_key_1`, the next one `_key_2`) or every item of a list. An object of columns, as pandas
    writes it, gives its rows; an object without any list of objects, or several texts one after the
    other, are records too. Numbers stay as they are written, NaN is missing, nested objects become dotted
    names, a list stays JSON; of a key that comes twice the second is "key (2)". A bad line or text, a
    record that is not an object or is nested too deeply, and bytes that do not fit are set aside. Raises
    SourceError where the text is not JSON (with line and column) or the records are not found.

    >>> read_json('{"A": {"5": [{"id": 1, "by": {"name": "B"}}]}}', file="a.json", record_path=["*", "*"]).rows
    [(1, {'_key_1': 'A', '_key_2': '5', 'id': '1', 'by.name': 'B'})]
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise EmptyFileError(file)
    if lines:
        found = _read_lines(text)
        if any(fault for *_, fault in found):
            # It may be a list under the name of JSON Lines, or objects written over several lines.
            with contextlib.suppress(SourceError):
                whole = read_json(text, file=file, record_path=record_path)
                if whole.rows and not whole.bad:
                    return whole
        return _make_rows(found, text)
    documents = _parse_documents(text)
    if isinstance(documents[0][1], Exception):
        raise SourceError(
            f"{file}: not JSON: {_say_fault(documents[0][1], text)}.",
            remedy="Mend that line, or write form: jsonl if each line is a record.",
        )
    found = []
    for raw, document in documents:
        if isinstance(document, Exception):
            found.append(([], raw, f"not JSON: {document}"))
        elif isinstance(document, dict) and not record_path and len(documents) > 1:
            found.append(([], document, None))
        else:
            found += _find_in(document, list(record_path), file)
    return _make_rows([(number, *rest) for number, rest in enumerate(found, 1)], text)


def find_records(text: str) -> list[str]:
    """Return the record_path of a JSON text: the way to most records that hold text, [] for the top.

    Where an object's values are alike (each a list of similar objects, or an object that holds one), the
    step is "*": its keys are data, such as apps or dates. A text that is not JSON gives [].

    >>> find_records('{"A": {"2025": [{"said": "it is late"}]}, "B": {"2024": [{"said": "it is fine"}]}}')
    ['*', '*']
    """
    documents = _parse_documents(text.removeprefix("\ufeff").strip() or "0")
    first = documents[0][1]
    if isinstance(first, Exception) or (
        len(documents) > 1 and isinstance(first, dict) and _holds_text(first)
    ):
        return []  # nothing, or records that stand one after the other
    ways = _find_ways(first, 0)
    # A record that says something outweighs many that only count; of the same, the way with fewest "*".
    return max(ways, key=lambda way: (*way[1], -way[0].count("*"), -len(way[0])))[0] if ways else []


def read_parquet(data: bytes, *, file: str) -> Rows:
    """Return the rows of a Parquet file, numbered from 1; the names of nested columns are dotted.

    Values are text: times in ISO with their zone, decimals as they stand, lists and maps as JSON, NaN as
    missing. Raises SourceError where the file is broken, encrypted, claims more than 200 rows a byte, or
    has a column of binary values that are not text.

    >>> pq.write_table(pa.table({"by": [{"name": "A"}], "n": [1.5]}), stream := io.BytesIO())
    >>> read_parquet(stream.getvalue(), file="a.parquet")
    Rows(header=['by.name', 'n'], rows=[(1, ['A', '1.5'])], bad=[])
    """
    header: list[str] = []
    rows: list[tuple[int, list]] = []
    for batch in iter_parquet(data, file=file):
        header = list(batch)
        values = batch.astype("object").where(batch.notna(), None).to_numpy().tolist()
        rows += enumerate(values, len(rows) + 1)
    if not header:
        raise EmptyFileError(file)
    return Rows(header, rows, [])


def iter_parquet(data: bytes, *, file: str, size: int = 65_536) -> Iterator[pd.DataFrame]:
    """Yield the rows of a Parquet file as frames of text of at most `size` rows; see `read_parquet`.

    >>> pq.write_table(pa.table({"n": [1, 2, 3]}), stream := io.BytesIO())
    >>> [len(frame) for frame in iter_parquet(stream.getvalue(), file="a.parquet", size=2)]
    [2, 1]
    """
    if not data:
        raise EmptyFileError(file)
    try:
        source = pq.ParquetFile(io.BytesIO(data))
        if source.metadata.num_rows > _MOST_ROWS_A_BYTE * len(data):
            raise ValueError(f"{source.metadata.num_rows} rows in {len(data)} bytes")
        if not source.metadata.num_rows:
            yield _table_text(source.schema_arrow.empty_table(), file)
        for batch in source.iter_batches(batch_size=size):
            yield _table_text(pa.Table.from_batches([batch]), file)
    except SourceError:
        raise
    except Exception as error:  # of a broken file the library raises several kinds
        raise SourceError(
            f"{file}: not a Parquet file that can be read ({' '.join(str(error).split())[:200]}).",
            remedy="Export it again, or as CSV UTF-8.",
        ) from error


def _read_lines(text: str) -> list[tuple[int, list[str], Any, str | None]]:
    found: list[tuple[int, list[str], Any, str | None]] = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if not line.strip():
            continue
        try:
            record = _DECODER.decode(line.strip())
        except (ValueError, RecursionError) as error:
            found.append((number, [], line, f"not JSON: {_say_fault(error)}"))
            continue
        fault = None if isinstance(record, dict) and record else "an empty record, or not an object"
        fault = "bytes that cannot be read" if fault is None and BAD.search(line) else fault
        found.append((number, [], line if fault else record, fault))
    return found


def _make_rows(found: Iterable[tuple[int, list[str], Any, str | None]], text: str) -> Rows:
    rows: list[tuple[int, list | dict]] = []
    bad: list[tuple[int, str, str]] = []
    damaged = BAD.search(text) is not None
    for number, keys, record, fault in found:
        if fault is None:
            fault = (
                "an empty record" if record == {} else None if isinstance(record, dict) else "not an object"
            )
        try:
            shown = record if isinstance(record, str) else ""
            if (fault or damaged) and not shown:
                shown = json.dumps(record, ensure_ascii=False)
            if fault is None and damaged and BAD.search(shown):
                fault = "bytes that cannot be read"
            if fault is None:
                flat: dict[str, str | None] = {f"_key_{place}": key for place, key in enumerate(keys, 1)}
                _flatten(record, "", flat)
                rows.append((number, flat))
        except RecursionError:
            fault, shown = "nested too deeply", str(list(record) if isinstance(record, dict) else "")[:1000]
        if fault:
            bad.append((number, fault, _SURROGATES.sub("\ufffd", show_bytes(shown))))
    return Rows(None, rows, bad)


def _parse_documents(text: str) -> list[tuple[str, Any]]:
    """Return the JSON texts that stand one after the other, each as (raw, what it says or the error)."""
    documents: list[tuple[str, Any]] = []
    faults, place = 0, _SPACE.match(text).end()
    while place < len(text):
        try:
            document, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            faults += 1
            start = max(place + 1, getattr(error, "pos", place))
            following = _NEXT.search(text, start) if documents and faults < _MOST_FAULTS else None
            end, document = following.end() if following else len(text), error
        documents.append((text[place:end].rstrip() if isinstance(document, Exception) else "", document))
        place = _SPACE.match(text, end).end()
    return documents or [("", ValueError("nothing but commas"))]


def _keep_all(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs: a second value of the same key gets a name of its own."""
    record = dict(pairs)
    if len(record) == len(pairs):
        return record
    record, times = {}, Counter()
    for key, value in pairs:
        name = key
        while name in record:
            times[key] += 1
            name = f"{key} ({times[key] + 1})"
        record[name] = value
    return record


_DECODER = json.JSONDecoder(
    parse_int=str, parse_float=str, parse_constant=lambda _: None, object_pairs_hook=_keep_all
)


def _say_fault(error: Exception, text: str = "") -> str:
    if not isinstance(error, json.JSONDecodeError):
        return "nested too deeply" if isinstance(error, RecursionError) else str(error)
    where = f"line {error.lineno} column {error.colno}" if text else f"column {error.colno}"
    is_comma = re.search(r",\s*[\]}]?\s*$", text[max(0, error.pos - 200) : error.pos + 1])
    return f"{error.msg}, {where}" + (" (a comma with nothing after it)" if is_comma else "")


def _find_in(document: Any, steps: list[str], file: str) -> list[Found]:
    """Return the records that the steps lead to, each with the keys that "*" went through, or the fault."""
    nodes: list[Found] = [([], document, None)]
    for step in steps:
        reached: list[Found] = []
        for keys, node, fault in nodes:
            if fault:
                reached.append((keys, node, fault))
            elif step == "*" and isinstance(node, dict):
                reached += [([*keys, key], value, None) for key, value in node.items()]
            elif step == "*" and isinstance(node, list):
                reached += [(keys, value, None) for value in node]
            elif isinstance(node, dict) and step in node:
                reached.append((keys, node[step], None))
            else:
                reached.append(
                    (keys, node, f"record_path has no {step!r} below {'.'.join(keys) or 'the top'}")
                )
        if nodes and all(fault for *_, fault in reached):
            node = nodes[0][1]
            there = ", ".join(map(str, node)) if isinstance(node, dict) else f"a {type(node).__name__}"
            raise SourceError(
                f"{file}: record_path has no {step!r}.",
                f"There: {there}.",
                "Correct record_path in the source.",
            )
        nodes = reached
    found: list[Found] = []
    for keys, node, fault in nodes:
        if fault:
            found.append((keys, node, fault))
        elif isinstance(node, list):
            found += [(keys, record, None) for record in node]
        elif isinstance(node, dict) and "*" not in steps and _is_columns(node):
            places = list(next(iter(node.values())))
            found += [(keys, {name: values[at] for name, values in node.items()}, None) for at in places]
        elif "*" in steps or (isinstance(node, dict) and not any(map(_holds_objects, node.values()))):
            found.append((keys, node, None))
        else:
            there = ", ".join(node) if isinstance(node, dict) else "none"
            raise SourceError(
                f"{file}: not a list of records.",
                f"Keys: {there}.",
                "Name the key of the list in record_path, or '*' for all of them.",
            )
    return found


def _is_columns(node: dict) -> bool:
    """Return whether an object holds columns, each an object of the same row numbers (pandas' to_json)."""
    first = next(iter(node.values()), None)
    if not isinstance(first, dict) or not first or not all(key.isdecimal() for key in first):
        return False
    return all(isinstance(column, dict) and column.keys() == first.keys() for column in node.values())


def _holds_objects(value: Any) -> bool:
    if isinstance(value, dict):
        return any(isinstance(inner, dict | list) for inner in value.values())
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _find_ways(node: Any, depth: int) -> list[tuple[list[str], tuple[int, int], frozenset[str]]]:
    """Return each way to records below a node: (steps, (about how many records hold text, records), their columns)."""
    if depth > 6:
        return []
    if isinstance(node, list):
        objects = [item for item in node[:50] if isinstance(item, dict)]
        if not objects:
            return []
        said = sum(map(_holds_text, objects))
        ways = [([], (round(said / len(objects) * len(node)), len(node)), frozenset().union(*objects))]
        if not said:  # pages of records, which say nothing themselves
            ways += _join_ways([_find_ways(item, depth + 1) for item in objects[:20]])
        return ways
    if not isinstance(node, dict) or (depth == 0 and _is_columns(node)):
        return []
    ways, inner = [], []
    for key, value in node.items():
        below = _find_ways(value, depth + 1)
        inner.append(below)
        if len(node) <= 50:
            ways += [([key, *steps], count, columns) for steps, count, columns in below]
    ways += _join_ways(inner)
    shapes = [frozenset(value) for value in node.values() if isinstance(value, dict)]
    if len(shapes) == len(node) > 1 and _are_alike(shapes):  # records by their id
        said = sum(_holds_text(value) for value in node.values())
        if said:
            ways.append((["*"], (said, len(node)), shapes[0]))
    return ways


def _join_ways(inner: list[list]) -> list[tuple[list[str], tuple[int, int], frozenset[str]]]:
    """Return the ways that most of the values share, with "*" in the place of their keys."""
    by_steps: dict[tuple, list] = {}
    for below in inner:
        for steps, count, columns in below:
            by_steps.setdefault(tuple(steps), []).append((count, columns))
    return [
        (["*", *steps], (sum(c[0] for c, _ in same), sum(c[1] for c, _ in same)), same[0][1])
        for steps, same in by_steps.items()
        if len(same) > len(inner) / 2 and _are_alike([s for _, s in same])
    ]


def _are_alike(shapes: list[frozenset[str]]) -> bool:
    common, every = frozenset.intersection(*shapes), frozenset.union(*shapes)
    return bool(common) and len(common) * 2 >= len(every)


def _holds_text(record: dict) -> bool:
    return any(
        isinstance(value, str) and (" " in value.strip() or len(value) > 20) for value in record.values()
    )


def _flatten(record: dict, prefix: str, flat: dict[str, str | None]) -> None:
    """Bring nested objects to one level with dotted names; a list stays as JSON."""
    for key, value in record.items():
        name = _SURROGATES.sub("\ufffd", prefix + key)
        if isinstance(value, dict) and value:
            _flatten(value, f"{name}.", flat)
            continue
        number, start = 1, name
        while name in flat:  # "a.b" beside an "a" that holds a "b"
            number += 1
            name = f"{start} ({number})"
        if value is not None and not isinstance(value, str):
            value = json.dumps(value, ensure_ascii=False)
        flat[name] = value if value is None else _SURROGATES.sub("\ufffd", value)


def _table_text(table: pa.Table, file: str) -> pd.DataFrame:
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
    names, columns = [], {}
    for place, name in enumerate(table.column_names):
        names.append(name if name not in names else f"{name} ({place + 1})")
        columns[names[-1]] = _column_text(table.column(place).combine_chunks(), name, file)
    return pd.DataFrame({name: pd.Series(column, dtype="str") for name, column in columns.items()})


def _column_text(column: pa.Array, name: str, file: str) -> Any:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column, kind = column.storage, kind.storage_type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_nested(kind):
        return [
            None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in column.to_pylist()
        ]
    try:
        text = column.cast(pa.string())
        text.validate(full=True)
    except pa.ArrowInvalid as error:
        raise SourceError(
            f"{file}: column {name!r} ({kind}) holds values that are not text in UTF-8.",
            remedy="Export the table without that column.",
        ) from error
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        text = pc.replace_substring_regex(text, r"\.0+(\D|$)", r"\1")
    if pa.types.is_floating(kind):
        # Beyond 2^53 a double does not hold every whole number: it must not look like an id that it is not.
        wide = pc.greater_equal(pc.abs(column.cast(pa.float64())), float(2**53))
        if pc.any(wide).as_py():
            shown = [f"{v:.15g}".upper() if v is not None else None for v in column.to_pylist()]
            text = pc.if_else(wide, pa.array(shown, pa.string()), text)
        text = pc.if_else(pc.is_nan(column), None, text)
    return text.to_pandas()
