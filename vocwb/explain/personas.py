"""Personas: saved combinations of segments, each compared with everybody who is not in it."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

REST = "everyone else"
"""The level of those who are known not to be in a persona."""


def name_persona(name: str) -> str:
    """Return the name of the column that says who is in a persona.

    >>> name_persona("Newcomer")
    'persona: Newcomer'
    """
    return f"persona: {name}"


def mark_personas(frame: pd.DataFrame, personas: Mapping[str, Mapping[str, Sequence[str]]]) -> pd.DataFrame:
    """Return frame with a column more for each persona: its name, "everyone else", or empty where it is not known.

    personas: name -> segment -> values; in it is who has one of the values in every segment named. Somebody with
    another value in any of them is not in it, whatever else is unknown.

    >>> frame = pd.DataFrame({"plan": ["free", "free", "paid", None], "age": ["18", None, None, "18"]})
    >>> mark_personas(frame, {"Young": {"plan": ["free"], "age": ["18"]}})["persona: Young"].tolist()
    ['Young', nan, 'everyone else', nan]
    """
    columns = {}
    for name, rule in personas.items():
        inside, known = pd.Series(True, frame.index), pd.Series(True, frame.index)
        outside = pd.Series(False, frame.index)
        for column, values in rule.items():
            has = frame[column].astype("str").isin([str(value) for value in values])
            inside &= has
            known &= frame[column].notna()
            outside |= frame[column].notna() & ~has
        marked = pd.Series(None, frame.index, dtype="str").mask(outside, REST)
        columns[name_persona(name)] = marked.mask(inside & known, name)
    return frame.assign(**columns)


def hide_personas(
    heard: pd.DataFrame, names: Iterable[str], columns: Iterable[str], hidden: set[tuple[str, str]], *, minimum: int
) -> set[tuple[str, str]]:  # fmt: skip
    """Return the personas, as (column, level), whose size beside that of another group would tell of a small one.

    heard: unit, and the columns of personas (mark_personas) and of the other segments; hidden: what
    hiding.find_hidden hides already. A persona within another group that is shown, or around it, with fewer than
    `minimum` units between them: their difference is that small group. So for its rest. Of two personas the smaller
    one is hidden. It looks at two groups at a time, not at sums of three.

    >>> heard = pd.DataFrame({"unit": range(30), "plan": ["free"] * 15 + ["paid"] * 15,
    ...                       "age": ["18"] * 13 + ["40"] * 17})
    >>> heard = mark_personas(heard, {"Young": {"plan": ["free"], "age": ["18"]}})
    >>> sorted(hide_personas(heard, ["Young"], ["plan"], set(), minimum=5))
    [('persona: Young', 'Young'), ('persona: Young', 'everyone else')]
    """
    groups = _list_members(heard, columns)
    shown = [members for group, members in groups.items() if group not in hidden]
    mine = _list_members(heard, map(name_persona, names))
    found = set()
    for column in sorted(
        {column for column, _ in mine}, key=lambda one: (-len(mine.get(_own(one), ())), one)
    ):
        sides = [members for group, members in mine.items() if group[0] == column]
        if any(_tells(side, other, minimum) for side in sides for other in shown):
            found |= {group for group in mine if group[0] == column}
        else:
            shown += sides
    return found


def _own(column: str) -> tuple[str, str]:
    return column, column.removeprefix(name_persona(""))


def _list_members(heard: pd.DataFrame, columns: Iterable[str]) -> dict[tuple[str, str], set]:
    """Return the units of each level of each column."""
    return {
        (column, level): set(own)
        for column in columns
        for level, own in heard[heard[column].notna()].groupby(column, observed=True)["unit"]
    }


def _tells(one: set, other: set, minimum: int) -> bool:
    inner, outer = sorted((one, other), key=len)
    return 0 < len(outer) - len(inner) < minimum and inner <= outer
