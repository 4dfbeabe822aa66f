import pytest
from exports import EXPORTS, make

from vocwb.collect.guess import guess_roles


@pytest.mark.parametrize("system", EXPORTS)
def test_the_columns_of_an_export_are_told(system):
    columns, right = EXPORTS[system]
    guesses = guess_roles(make(columns))
    found = {}
    for guess in guesses:
        found.setdefault(guess.role, []).append(guess.column)
    assert sorted(found.get("verbatim", [])) == sorted(right["verbatim"])
    assert found.get("verbatim", [None])[0] == right["verbatim"][0]
    date = right["date"] if isinstance(right["date"], tuple) else (right["date"],)
    assert found.get("date", [None])[0] in date
    assert found.get("answer", [None])[0] == right["answer"]
    for role in set(right) - {"verbatim", "date", "answer"}:
        assert right[role] in found.get(role, []), role
