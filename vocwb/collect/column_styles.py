"""What only a whole file tells of its columns: the decimal mark of numbers, and whether its ids were rounded."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import _NUMERALS, blank_to_missing, parse_numbers
from vocwb.crosswalk import Source

_COMMA, _POINT = r"[+-]?[\d.]+,(?:\d\d?|\d{4,})", r"[+-]?[\d,]+\.\d+"
_EITHER = r"[+-]?[1-9]\d{0,2},\d{3}"


class Style(NamedTuple):
    """What some records show: of each column of numbers which marks, and how many ids are long and rounded.

    marks: column -> (a decimal comma stands in it, a decimal point, a comma that may be either). ids: how
    many there are, how many of them have 16 digits or more, and how many of these end as rounded ones do.
    """

    marks: dict[str, tuple[bool, bool, bool]] = {}
    ids: tuple[int, int, int] = (0, 0, 0)

    @property
    def is_rounded(self) -> bool:
        """Whether a spreadsheet has rounded the ids: nearly all are too long for it and end in noughts."""
        count, long, rounded = self.ids
        return long * 2 > count and rounded > 0.9 * long

    @property
    def is_doubtful(self) -> bool:
        """Whether other records of the file could tell how some of these numbers and ids are read."""
        # Of ids of 16 digits, every tenth ends in a nought by chance.
        return self.ids[2] * 4 > self.ids[1] or any(either for *_, either in self.marks.values())


def tell_style(records: pd.DataFrame, source: Source) -> Style:
    """Return what some records of a source show of its numbers and ids.

    >>> from vocwb.crosswalk import Columns
    >>> source = Source.model_construct(answers={"stars": "n"}, measures={}, events=None, columns=Columns())
    >>> tell_style(pd.DataFrame({"n": ["4,5", "1,234"]}), source).marks
    {'n': (True, False, True)}
    """
    columns = [*source.answers.values(), *source.measures.values()]
    columns += [source.events.value] if source.events and source.events.value else []
    marks = {}
    for column in columns:
        values = pd.Series(blank_to_missing(records[column]).dropna().unique(), dtype="str")
        values = values[values.str.contains("[.,٫．，]", na=False)].str.translate(_NUMERALS)
        marks[column] = tuple(bool(values.str.fullmatch(form).any()) for form in (_COMMA, _POINT, _EITHER))
    if source.columns.id is None:
        return Style(marks)
    ids = blank_to_missing(records[source.columns.id]).dropna()
    long = int(ids.str.fullmatch(r"\d{16,}").sum())
    return Style(marks, (len(ids), long, int(ids.str.fullmatch(r"\d{15}0+").sum()) if long else 0))


def join_styles(styles: Iterable[Style]) -> Style:
    """Return what several parts of a file show together.

    >>> join_styles([Style({"n": (True, False, False)}, (2, 1, 1)), Style({"n": (False, True, False)}, (1, 1, 0))])
    Style(marks={'n': (True, True, False)}, ids=(3, 2, 1))
    """
    marks: dict[str, tuple[bool, ...]] = {}
    ids = (0, 0, 0)
    for style in styles:
        ids = tuple(map(sum, zip(ids, style.ids, strict=True)))
        for column, seen in style.marks.items():
            known = marks.get(column, (False,) * len(seen))
            marks[column] = tuple(one or other for one, other in zip(known, seen, strict=True))
    return Style(marks, ids)


def read_numbers(values: pd.Series, column: str, style: Style) -> pd.Series:
    """Return the numbers of a column as `clean.parse_numbers`, by the decimal mark that the whole file shows.

    >>> read_numbers(pd.Series(["1,234"]), "n", Style({"n": (True, False, True)})).tolist()
    [1.234]
    """
    comma, point, _ = style.marks.get(column, (False, False, False))
    shown = pd.Series(["0,5"] * comma + ["0.5"] * point, dtype="str")
    return parse_numbers(pd.concat([values.astype("str"), shown])).iloc[: len(values)]


def read_ids(ids: pd.Series, style: Style) -> pd.Series:
    """Return the ids without those that a spreadsheet has rounded, which stand for many records.

    Those are numbers such as 5.70306E+17, and, where nearly all ids of the file are longer than the 15 digits that
    a spreadsheet keeps, those whose further digits are noughts.

    >>> read_ids(pd.Series(["5.70306E+17", "570306133677760513"]), Style()).isna().tolist()
    [True, False]
    """
    if ids.isna().all():
        return ids
    ruined = ids.str.fullmatch(r"\d(?:[.,]\d+)?[eE]\+\d+", na=False)
    if style.is_rounded:
        ruined |= ids.str.fullmatch(r"\d{15}0+", na=False)
    return ids.mask(ruined) if ruined.any() else ids
