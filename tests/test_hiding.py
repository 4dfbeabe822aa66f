"""What is hidden stays hidden from someone who adds and subtracts what is shown."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from vocwb.explain.hiding import find_hidden, pair_columns

PAIR = ("plan", "region")
COLUMNS = ["plan", "region", "plan x region"]


def make_heard(seed: int, *, size: int, empty: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "unit": range(size),
            "plan": rng.choice([*"abcdef"], size, p=[0.4, 0.3, 0.2, 0.05, 0.03, 0.02]),
            "region": rng.choice([*"wxyz"], size, p=[0.6, 0.3, 0.07, 0.03]),
        }
    ).astype({"plan": "str", "region": "str"})
    frame.loc[rng.random(size) < empty, "region"] = None
    return pair_columns(frame, [PAIR])


def attack(heard: pd.DataFrame, columns: list[str], hidden: set) -> pd.DataFrame:
    """Return for each group its n, and the least and most that it can be for one who sees what is shown and all totals.

    A linear programme over how many there are of each combination of levels: none is below zero.
    """
    atoms = heard.groupby(columns, dropna=False).size().reset_index(name="size")
    known = [atoms[column].notna().to_numpy() for column in columns]
    groups = [(column, level) for column in columns for level in atoms[column].dropna().unique()]
    inside = {(c, level): (atoms[c] == level).to_numpy(dtype=float, na_value=0) for c, level in groups}
    rows = np.array([*known, *(inside[group] for group in groups if group not in hidden)], dtype=float)
    seen = rows @ atoms["size"].to_numpy()
    found = []
    for group in groups:
        least, most = (sign * linprog(sign * inside[group], A_eq=rows, b_eq=seen).fun for sign in (1, -1))
        found.append((*group, inside[group] @ atoms["size"].to_numpy(), least, most))
    return pd.DataFrame(found, columns=["column", "level", "n", "least", "most"])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size, empty", [(70, 0.0), (500, 0.0), (500, 0.1)])
def test_no_small_group_can_be_worked_out(seed, size, empty):
    heard = make_heard(seed, size=size, empty=empty)
    hidden = find_hidden(heard, COLUMNS, [PAIR], minimum=5)
    found = attack(heard, COLUMNS, hidden)
    small = found[(found["n"] > 0) & (found["n"] < 5)]
    assert len(small) and {(row.column, row.level) for row in small.itertuples()} <= hidden
    assert (small["most"] - small["least"] >= 1).all()


def test_hiding_small_groups_alone_would_not_do():
    """The check above bites: without the second group, some small ones are given away."""
    heard = make_heard(0, size=500)
    sizes = {(c, level): n for c in COLUMNS for level, n in heard.groupby(c).size().items()}
    found = attack(heard, COLUMNS, {group for group, n in sizes.items() if n < 5})
    small = found[(found["n"] > 0) & (found["n"] < 5)]
    assert (small["most"] - small["least"] < 1).any()


def test_what_is_hidden_together_is_no_small_group_either():
    heard = pd.DataFrame({"unit": range(124), "plan": [*"a" * 60, *"b" * 40, *"c" * 20, *"d" * 2, *"e" * 2]})
    assert find_hidden(heard, ["plan"], minimum=5) == {("plan", "c"), ("plan", "d"), ("plan", "e")}
    assert find_hidden(heard, ["plan"], minimum=4) == {("plan", "d"), ("plan", "e")}
    assert find_hidden(heard, ["plan"], minimum=2) == set()


def test_a_level_whose_rest_is_small_is_hidden():
    heard = pd.DataFrame({"unit": range(103), "plan": ["a"] * 100 + ["b"] * 3})
    assert find_hidden(heard, ["plan"], minimum=5) == {("plan", "a"), ("plan", "b")}


def test_people_count_once_and_the_order_of_rows_does_not_matter():
    heard = pd.DataFrame({"unit": [0, 0, 0, 0, 0, *range(1, 60)], "plan": [*"a" * 5, *"b" * 29, *"c" * 30]})
    hidden = find_hidden(heard, ["plan"], minimum=5)
    assert hidden == {("plan", "a"), ("plan", "b")}
    assert find_hidden(heard.sample(frac=1, random_state=1), ["plan"], minimum=5) == hidden


def test_nothing_is_hidden_where_nothing_is_small_or_nothing_is_there():
    frame = pd.DataFrame({"unit": range(80), "plan": ["a", "b"] * 40, "region": ["x"] * 40 + ["y"] * 40})
    heard = pair_columns(frame, [PAIR])
    assert find_hidden(heard, COLUMNS, [PAIR], minimum=5) == set()
    assert find_hidden(heard.head(0), COLUMNS, [PAIR], minimum=5) == set()
