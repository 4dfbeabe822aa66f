"""What a file becomes does not depend on where it is cut into parts, nor on the order of its records."""

import hypothesis
import hypothesis.strategies as st
import pandas as pd
import pytest
from raw import count_rows, ingest, programme_of

PROGRAMME = programme_of(
    "s: columns: {id: id, date: d, respondent: w, session: v, stage: g}, verbatims: {c: t, more: m},"
    " answers: {a: a}, segments: {plan: p, branch: _file}, tags: {column: k}, names: [w], cut_replies: true,"
    " keep: {p: ['1', '', gold]}",
    "log: columns: {date: d, respondent: w}, events: {kinds: {sent: d, opened: o}, subject: [g], value: n}",
    "use: columns: {date: d, respondent: w}, measures: {n: n}",
    head="segments: {plan: P, branch: B}\nleave_out: [test]\nretention_months: 30\n"
    "questions: {a: {label: A, low: 0, high: 2000, metric: rating}}\n",
)
LONG = "Do not buy the kettle of this shop, it caught fire in our kitchen!"
QUOTE = "Still broken.\n\nOn 3 May 2025, Bo <bo@x.org> wrote:\n> Is it well?\n> We hope so.\n> Bo"
ROWS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", *"123456", "5.7E+17", "570306133677760513", "570306133677760000"]),
        "d": st.sampled_from(["03/04/2025", "14/04/2025", "01/02/2020", "2025-04-05", "", "soon"]),
        "w": st.sampled_from(["", "Ann Blake", "Bo Li", "ann"]),
        "v": st.sampled_from(["", "s1"]),
        "g": st.sampled_from(["", "use", "ann@example.com"]),
        "t": st.sampled_from(["", LONG, LONG.upper(), "test", "Ann Blake was rude", QUOTE, "خوب بود"]),
        "m": st.sampled_from(["", "test", "asdf asdf", LONG]),
        "a": st.sampled_from(["", "1,234", "1,5", "1.5", "7", "good"]),
        "p": st.sampled_from(["", "gold", "1", "lead"]),
        "k": st.sampled_from(["", "x;y", "x; x", '["y"]']),
        "o": st.sampled_from(["", "0", "no", "15/04/2025", "0000-00-00"]),
        "n": st.sampled_from(["", "1,234", "0,5", "12"]),
    }
)


def make(rows, logs, *, cut=None, turn=False):
    """Return the tables of two files of each source, the other sources' rows being those of `logs`."""
    step = -1 if turn else 1
    half = len(rows) // 2
    files = [
        (rows[:half][::step], {"file": "a.csv", "cut": cut}),
        (rows[half:][::step], {"file": "b.csv", "cut": cut}),
        (logs[::step], {"file": "l1.csv", "cut": cut, "of": 1}),
        (logs[: half + 1][::step], {"file": "l2.csv", "cut": cut, "of": 1}),
        (logs[::step], {"file": "u.csv", "cut": cut, "of": 2}),
    ]
    return ingest(PROGRAMME, *[file for file in files if file[0]])


FILLED = dict.fromkeys(["id", *"dwvgtmapkon"], "") | {"d": "14/04/2025", "w": "Cy", "a": "7", "n": "12"}


def unplaced(name, table):
    """Return a table without what only tells places in a file."""
    if name == "quarantine":
        columns = ["source", "file", "reason", "raw"]
        return table[columns].sort_values(columns, ignore_index=True)
    # How the dates are told by what was read first is said of that.
    return table.drop(columns=["sha256", "read_as"]) if name == "ingested" else table


# Without shrinking: each example is ten files, and a failing one is told by its table.
@hypothesis.settings(max_examples=5, phases=[hypothesis.Phase.generate])
@hypothesis.given(rows=st.lists(ROWS, min_size=6, max_size=14), logs=st.lists(ROWS, min_size=3, max_size=8))
def test_cuts_and_order_change_nothing(rows, logs):
    # Enough records that can be read, so that no column as a whole is refused.
    rows, logs = ([{name: row[name] for name in FILLED} for row in some] for some in (rows, logs))
    rows, logs = [FILLED] * 20 + rows + [FILLED] * 20, [FILLED] * 20 + logs
    whole = make(rows, logs)
    for other in (make(rows, logs, cut=3), make(rows, logs, cut=7), make(rows, logs, turn=True)):
        for name, table in whole._asdict().items():
            found = unplaced(name, getattr(other, name))
            pd.testing.assert_frame_equal(found, unplaced(name, table), obj=name)
    counts = pd.DataFrame(count_rows(whole))
    assert (counts[0] == counts[[1, 2, 3]].sum(axis="columns")).all()


@pytest.mark.parametrize("cut", [1, 2, 9])
def test_a_decimal_comma_anywhere_in_the_file_tells_how_all_numbers_are_read(cut):
    programme = programme_of(
        "s: undated: true, columns: {id: id}, answers: {a: a}",
        head="questions: {a: {label: A, low: 0, high: 2000, metric: rating}}\n",
    )
    rows = [{"id": str(n), "a": value} for n, value in enumerate(["1,234", "3", "1,5", "7"])]
    answers = ingest(programme, (rows, {"cut": cut})).responses.set_index("source_id")["a"]
    assert answers.to_dict() == {"0": 1.234, "1": 3.0, "2": 1.5, "3": 7.0}


@pytest.mark.parametrize("cut", [1, 2, 9])
def test_a_long_id_that_happens_to_end_in_noughts_is_no_rounded_one(cut):
    programme = programme_of("s: undated: true, columns: {id: id}, verbatims: {c: t}")
    ids = ["570306133677760513", "570306133677760000", "570306133677760514"]
    tables = ingest(programme, ([{"id": one, "t": f"text {one}"} for one in ids], {"cut": cut}))
    assert sorted(tables.responses["source_id"]) == sorted(ids)


def test_ids_stay_when_another_file_is_added():
    programme = programme_of("s: columns: {id: id, date: d}, verbatims: {c: t}")
    rows = [{"id": str(n), "t": f"text {n}", "d": "2025-04-05"} for n in range(5)]
    rows += [{"id": "", "t": "as it was", "d": "2025-04-05"}] * 2
    more = [{"id": str(n), "t": f"text {n}", "d": "2025-04-06"} for n in range(3, 9)]
    before = ingest(programme, (rows, {"file": "b.csv"}))
    after = ingest(programme, (rows, {"file": "b.csv"}), (more, {"file": "a.csv"}), (more, {"file": "c.csv"}))
    key = ["response_id", "source_id"]
    assert set(before.responses[key].fillna("").itertuples(index=False)) <= set(
        after.responses[key].fillna("").itertuples(index=False)
    )
