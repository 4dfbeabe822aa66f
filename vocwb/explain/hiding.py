"""Which groups are hidden: the small ones, and with them those from which a small one could be worked out."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from vocwb.crosswalk import name_pair

_Group = tuple[str, str]


def find_hidden(
    heard: pd.DataFrame, columns: Sequence[str], pairs: Iterable[tuple[str, str]] = (), *, minimum: int
) -> set[tuple[str, str]]:
    """Return the groups, as (column, level), that may not be shown beside each other and the totals.

    heard: unit and the columns; a pair of columns is one of `columns` too, named and filled by `pair_columns`.

    The rule (complementary suppression; Willenborg and de Waal 2001, Elements of Statistical Disclosure Control):
    1. a group of fewer than `minimum` units is hidden, and one whose rest (all other known levels) is so small;
    2. what is hidden of a column is, taken together, no fewer than `minimum` either, since it is the total less
       what is shown; so also what is hidden of a pair's cells within one level of either of its columns;
    3. no hidden small group is a sum or difference of groups and totals that are shown: so a single small level takes
       a second one with it, and a cell of a pair another in its row and its column (by linear algebra, over all
       combinations of levels that occur, which is stricter than lines alone: Gusfield 1988).
    While 2 or 3 fails, the smallest group that is still shown of that column is hidden as well (of equally small ones
    the first by name). It protects the tables of one language and month beside each other; not one month's against
    another's, and not against someone who knows some members.

    >>> heard = pd.DataFrame({"unit": range(27), "plan": ["free"] * 15 + ["paid"] * 9 + ["vip"] * 3})
    >>> sorted(find_hidden(heard, ["plan"], minimum=5))
    [('plan', 'paid'), ('plan', 'vip')]
    """
    members = {
        column: heard.loc[heard[column].notna(), ["unit", column]].drop_duplicates() for column in columns
    }
    totals = {column: len(rows) for column, rows in members.items()}
    sizes = {
        (column, level): int(n)
        for column, rows in members.items()
        for level, n in rows.groupby(column, observed=True).size().items()
    }
    hidden: set[_Group] = set()
    for together in _join_columns(columns, pairs):
        atoms = heard[together].drop_duplicates()
        own = [group for group in sizes if group[0] in together]
        inside = {(c, level): (atoms[c] == level).to_numpy(dtype=bool, na_value=False) for c, level in own}
        wholes = {column: (atoms[column].notna().to_numpy(), totals[column]) for column in together}
        small = {group for group in own if min(sizes[group], totals[group[0]] - sizes[group]) < minimum}
        gone = set(small)
        while telling := (
            _find_remnant(inside, wholes, sizes, gone, minimum) or _find_sum(inside, wholes, gone, small)
        ):
            gone.add(min(telling, key=lambda group: (sizes[group], group)))
        hidden |= gone
    return hidden


def pair_columns(frame: pd.DataFrame, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Return frame with a column more for each pair, "plan x region" with levels "free x north"; empty where one is.

    >>> frame = pd.DataFrame({"plan": ["free", None], "region": ["north", "south"]})
    >>> pair_columns(frame, [("plan", "region")])["plan x region"].tolist()
    ['free x north', nan]
    """
    both = {
        name_pair(first, second): frame[first].astype("str") + " x " + frame[second].astype("str")
        for first, second in pairs
    }
    return frame.assign(**both)


def _join_columns(columns: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the columns in sets that are connected by pairs, the pairs' columns among them."""
    sets = [[column] for column in columns]
    for first, second in pairs:
        linked = {first, second, name_pair(first, second)}
        joined = [own for own in sets if linked & set(own)]
        sets = [own for own in sets if own not in joined] + [[column for own in joined for column in own]]
    return sets


def _find_remnant(inside, wholes, sizes, hidden, minimum) -> list[_Group]:
    """Return the shown groups that leave too few of a whole: of a column, or of a pair's cells within a shown level."""
    for column, whole in wholes.items():
        own = [group for group in inside if group[0] == column]
        shown_levels = [(inside[g], sizes[g]) for g in inside if g[0] != column and g not in hidden]
        for where, size in [whole, *shown_levels]:
            parts = [group for group in own if not (inside[group] & ~where).any()]
            shown = [group for group in parts if group not in hidden]
            left = size - sum(sizes[group] for group in shown)
            if shown and 0 < left < minimum and np.any([inside[g] for g in parts], axis=0)[where].all():
                return shown
    return []


def _find_sum(inside, wholes, hidden, small) -> list[_Group]:
    """Return the shown groups whose sums and differences, with the totals, give a small group."""
    shown = [group for group in inside if group not in hidden]
    published = np.array([where for where, _ in wholes.values()] + [inside[g] for g in shown], dtype=float)
    for group in sorted(small):
        weights = np.linalg.lstsq(published.T, inside[group].astype(float))[0]
        if np.abs(weights @ published - inside[group]).max(initial=0) < 1e-8:
            return [g for g, weight in zip(shown, weights[len(wholes) :], strict=True) if abs(weight) > 1e-8]
    return []
