"""The header of a sheet: where it stands, and the names that rows of merged or blank cells give together."""

import re
from statistics import median

from vocwb.collect.forms.rows import name_columns

Line = tuple[int, list[str | None]]
"""The number of a row and its values, up to the last that is filled."""

Area = tuple[int, int, int, int]
"""Cells that are merged: the first column and row, the last column and row, counted from 1."""

_NUMBER = re.compile(r"-?[\d.,]+$|\d{4}-\d\d-\d\d")


def find_header_rows(lines: list[Line], merged: list[Area]) -> tuple[int, int]:
    """Return at which of the lines the header begins, and how many it has; see `sheets.find_header`.

    >>> find_header_rows([(1, ["Answers"]), (2, ["id", "text"]), (3, ["1", "late"]), (4, ["2", "fine"])], [])
    (1, 1)
    """
    typical = median(_count_filled(values) for _, values in lines[len(lines) // 2 :])
    place = 0
    for number, (row, values) in enumerate(lines[:-1]):
        spread = _spread(row, values, merged)
        if len(set(filter(None, spread))) >= min(2, typical) and _count_filled(spread) > typical / 2:
            place = number
            break
    # Upper header rows without merged cells fill few columns, but others than the title lines above them do.
    if place and _stands_above(lines[place - 1], lines[place], merged):
        place -= 1
    rows = 1
    while rows < 4 and place + rows < len(lines) - 1:
        if not _stands_above(lines[place + rows - 1], lines[place + rows], merged):
            break
        rows += 1
    return place, rows


def join_header(lines: list[Line], merged: list[Area]) -> list[str]:
    """Return the names of the columns under a header of one row or several, joined by " / ".

    An upper cell stands for the columns that it is merged over; where no cell of its row is merged over
    columns, for those up to the next filled one that the row below names.

    >>> join_header([(1, ["id", "Scores"]), (2, [None, "price", "speed"])], [(2, 1, 3, 1)])
    ['id', 'Scores / price', 'Scores / speed']
    """
    width = max(len(values) for _, values in lines)
    filled = [values + [None] * (width - len(values)) for _, values in lines]
    for place, (row, values) in enumerate(lines[:-1]):
        below = filled[place + 1]
        if any(_stands_wide(area, row) for area in merged):
            spread = _spread(row, values, merged)[:width]
            filled[place] = spread + [None] * (width - len(spread))
        else:
            last = None
            for column in range(width):
                last = filled[place][column] or last
                if filled[place][column] is None and below[column]:
                    filled[place][column] = last
    return name_columns(
        [" / ".join(dict.fromkeys(filter(None, parts))) for parts in zip(*filled, strict=True)]
    )


def _spread(row: int, values: list[str | None], merged: list[Area]) -> list[str | None]:
    """Write what stands in a cell that is merged over columns of this row in all of them."""
    spread = list(values)
    for left, top, right, _ in merged:
        if row == top and right > left and len(values) >= left:
            spread += [None] * (right - len(spread))
            spread[left - 1 : right] = [values[left - 1]] * (right - left + 1)
    return spread


def _stands_wide(area: Area, row: int) -> bool:
    return area[1] <= row <= area[3] and area[2] > area[0]


def _stands_above(upper: Line, lower: Line, merged: list[Area]) -> bool:
    """Return whether the lower row names what cells of the upper one stand over or leave blank."""
    (row, above), (next_row, below) = upper, lower
    if any(top == row and bottom >= next_row for _, top, _, bottom in merged):
        return True  # a cell of the header reaches down into the next row
    if any(value and _NUMBER.match(value) for value in below) or len(set(filter(None, above))) < 2:
        return False
    wide = [area for area in merged if _stands_wide(area, row)]
    if wide:
        return any(_count_filled(below[left - 1 : right]) > 1 for left, _, right, _ in wide)
    above = above + [None] * (len(below) - len(above))
    below = below + [None] * (len(above) - len(below))
    blank = [bool(under) for over, under in zip(above, below, strict=True) if not over]
    return len(blank) > 1 and all(blank) and not all(below)


def _count_filled(values: list[str | None]) -> int:
    return sum(value is not None for value in values)
