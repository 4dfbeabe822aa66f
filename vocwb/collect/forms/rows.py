"""What every reader of a form returns, and what they share."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from vocwb.errors import SourceError

BAD = re.compile("[\udc00-\udcff]")
"""The marks of bytes that do not fit the encoding: a lone surrogate each (see forms.encodings)."""


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


PLACE = ("_file", "_folder", "_line")
"""Columns that say where a record stands; raw columns of these names are called "_file (raw)" and so on."""


def name_columns(cells: Iterable[Any]) -> list[str]:
    """Return the names of a header's cells: blank ones are numbered, repeated ones get their number.

    >>> name_columns(["id", None, "id", "_line"])
    ['id', 'column 2', 'id (3)', '_line (raw)']
    """
    names: dict[str, int] = {}
    for number, cell in enumerate(cells, 1):
        name = BAD.sub("\ufffd", "" if cell is None else str(cell)).strip() or f"column {number}"
        name = f"{name} (raw)" if name in PLACE else name
        while name in names:
            name = f"{name} ({number})"
        names[name] = number
    return list(names)


def show_bytes(raw: str) -> str:
    r"""Write the marks of unfit bytes as \xNN, so that the text can be stored.

    >>> show_bytes("caf\udce9")
    'caf\\xe9'
    """
    return BAD.sub(lambda mark: f"\\x{ord(mark[0]) - 0xDC00:02x}", raw)
