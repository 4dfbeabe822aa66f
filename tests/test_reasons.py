"""Why customers leave, by tenure, and what newcomers need: shares with intervals, and nobody is singled out."""

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL

from vocwb import stats
from vocwb.collect.responses import make_responses
from vocwb.errors import ProgrammeError, SchemaError
from vocwb.programme import parse_programme
from vocwb.understand.reasons import compare_tenures, survey_reasons, survey_tenures, table_reasons

GROUPS = {"unhappy": ["bad service", "price"], "no longer needed": ["moved"]}
BANDS = ["up to 1 month", "between 1 and 12 months", "12 months or more"]
REASONS = """
reasons:
  leaving: {label: Why they leave, reason: why, tenure: months, groups: {unhappy: [bad service, price], gone: [moved]}}
  needs: {label: What they need, reason: needed, separator: ";"}
sources:
"""


def leave(*answers: tuple[str, str, int]):
    """Responses of so many leavers for each (reason, months)."""
    rows = [(reason, months) for reason, months, times in answers for _ in range(times)]
    responses = pd.DataFrame(rows, columns=["why", "months"])
    return responses.assign(
        response_id=[f"r{i:04}" for i in range(len(rows))], respondent_id=None, duplicate_of=None
    )


def table(responses, **more):
    return table_reasons(responses, **({"reason": "why", "tenure": "months", "groups": GROUPS} | more))


def take(found, what, level):
    return found[(found["what"] == what) & (found["level"] == level)].squeeze()


LEAVERS = leave(
    ("bad service", "0", 20), ("price", "1", 8), ("moved", "1", 12), ("bad service", "5", 15), ("moved", "7", 25),
    ("price", "12", 10), ("moved", "30", 60),
)  # fmt: skip


def test_reasons_by_tenure_with_wilsons_intervals():
    found = table(LEAVERS)
    assert found["what"].drop_duplicates().tolist() == ["all", *BANDS]
    for what, level, count, n in [
        ("all", "unhappy", 53, 150), ("all", "no longer needed", 97, 150), (BANDS[0], "unhappy", 28, 40),
        (BANDS[0], "bad service", 20, 40), (BANDS[1], "moved", 25, 40), (BANDS[2], "unhappy", 10, 70),
        (BANDS[2], "bad service", 0, 70),
    ]:  # fmt: skip
        row = take(found, what, level)
        low, high = (100 * limit.item() for limit in stats.share_interval(count, n))
        assert (row["count"], row["n"]) == (count, n)
        assert row[["share", "low", "high"]].tolist() == pytest.approx(
            [100 * count / n, low, high], abs=0.051
        )
    assert found.loc[found["kind"] == "reason"].groupby("level")["group"].agg(set).to_dict() == {
        "bad service": {"unhappy"}, "price": {"unhappy"}, "moved": {"no longer needed"},
    }  # fmt: skip


def test_first_month_leavers_are_compared_with_those_of_a_year():
    found = compare_tenures(LEAVERS, reason="why", tenure="months", groups=GROUPS)
    expected = stats.compare_shares(28, 40, 10, 70).iloc[0]
    row = found.set_index("level").loc["unhappy"]
    assert row[["difference", "low", "high"]].tolist() == pytest.approx(
        (100 * expected[["difference", "low", "high"]]).tolist()
    )
    assert (row["value"], row["n"], row["compared_n"], row["verdict"]) == (70, 40, 70, stats.EVIDENCE)
    assert "70.0% who left after up to 1 month (n = 40)" in row["claim"]
    alike = leave(("price", "0", 30), ("moved", "0", 30), ("price", "24", 30), ("moved", "24", 30))
    verdicts = compare_tenures(alike, reason="why", tenure="months", groups=GROUPS)["verdict"]
    assert stats.EVIDENCE not in set(verdicts)


def test_nothing_is_claimed_of_reasons_that_do_not_differ():
    rng, claims = np.random.default_rng(1), 0
    for _ in range(200):
        whys = rng.choice(["bad service", "price", "moved"], 160)
        frame = leave(*((why, str(months), 1) for why, months in zip(whys, [0, 24] * 80, strict=True)))
        found = compare_tenures(frame, reason="why", tenure="months")
        claims += found["verdict"].eq(stats.EVIDENCE).any()
    assert claims / 200 <= 0.08


def test_a_respondent_counts_once_a_row_and_copies_do_not_count():
    again = LEAVERS.assign(respondent_id=[f"p{i:03}" for i in range(len(LEAVERS))])
    copies = again.assign(response_id=lambda x: "c" + x["response_id"], duplicate_of="x", why="price")
    twice = again.assign(response_id=lambda x: "d" + x["response_id"])
    both = pd.concat([again, twice, copies]).sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(table(both), table(LEAVERS))


def test_a_small_tenure_is_hidden_and_cannot_be_had_by_subtraction():
    few = leave(
        ("price", "0", 3), ("moved", "6", 20), ("price", "6", 20), ("moved", "24", 50), ("price", "24", 30)
    )
    found = table(few)
    shown = found[found["n"].notna()]
    assert set(shown["what"]) == {"all", BANDS[2]}
    assert found.set_index("what").loc[BANDS[:2], "says"].str.startswith("hidden").all()
    two_small = pd.concat([few, leave(("price", "not said", 4))])
    assert set(table(two_small).dropna(subset="n")["what"]) == {"all", *BANDS[1:]}, (
        "seven together tell of nobody"
    )


def test_rare_words_that_no_group_names_stand_together_without_them():
    found = table(pd.concat([LEAVERS, leave(("my husband died", "3", 1), ("Mr Smith was rude", "3", 4))]))
    assert not found["level"].str.contains("husband|Smith").any()
    row = take(found, "all", "other answers")
    assert (row["count"], row["group"]) == (5, "in no group")
    assert take(found, "all", "in no group")["count"] == 5


@pytest.mark.parametrize("zero", ["0", "0.0", "۰", "٠"])
def test_months_are_read_in_the_digits_of_every_language(zero):
    found = table(leave(("price", zero, 40), ("moved", "36", 40)))
    assert take(found, BANDS[0], "price")["count"] == 40


def test_a_tenure_in_words_keeps_its_words():
    frame = leave(("price", "under a year", 40), ("moved", "longer", 40))
    assert table(frame)["what"].drop_duplicates().tolist() == ["all", "longer", "under a year"]
    assert compare_tenures(frame, reason="why", tenure="months", groups=GROUPS).empty


def test_needs_may_be_several_in_a_cell():
    needs = leave(("fast delivery; gift wrap", "0", 20), ("gift wrap;gift wrap", "0", 15), (";", "0", 5))
    found = table(needs, tenure=None, groups=None, separator=";")
    assert found[["level", "count", "n"]].values.tolist() == [
        ["gift wrap", 35, 35],
        ["fast delivery", 20, 35],
    ]


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(SchemaError, match=r"'reason' is no column(.|\n)*segments of the source"):
        table(LEAVERS, reason="reason")
    assert table(LEAVERS.head(0))["says"].tolist() == ["Nobody gave a reason."]


def test_declared_reasons_reach_the_tables_and_are_no_segments():
    text = SMALL.replace("sources:", REASONS.strip()).replace(
        "{plan: plan}\n", "{plan: plan, why: Why, months: M}\n"
    )
    text = text.replace("    answers: {nps: nps}", "    answers: {nps: nps}\n    undated: true")
    programme = parse_programme(text, name="small")
    assert list(programme.segments) == ["plan"]
    records = pd.DataFrame({
        "id": [str(i) for i in range(60)], "date": None, "customer": None, "reason": "x", "plan": "free", "nps": "9",
        "Why": ["price"] * 40 + ["moved"] * 20, "M": ["1"] * 60, "_file": "a.csv", "_folder": "", "_line": range(60),
    })  # fmt: skip
    made = make_responses(records, programme.sources[0], programme, key=b"k", reading=None)
    responses = made.responses.assign(duplicate_of=None)
    leaving = {"leaving": programme.reasons["leaving"]}
    found = survey_reasons(responses, leaving)
    assert take(found, BANDS[0], "unhappy")["count"] == 40 and set(found["about"]) == {"Why they leave"}
    assert survey_reasons(responses, programme.reasons)["says"].tolist()[-1] == "Nobody gave a reason."
    assert survey_tenures(responses, programme.reasons).empty


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("gone: [moved]", "gone: [moved, price]", "['price'] stand in two groups"),
        ("reason: why", "reason: month", "named ['month']: these names are taken"),
        ("reason: why", "reason: nps", "named ['nps']: these names are taken"),
        ("tenure: months", "tenur: months", "'tenur' is not a key here"),
    ],
)
def test_reasons_that_cannot_be_are_refused(old, new, says):
    text = SMALL.replace("sources:", REASONS.strip()).replace(old, new)
    with pytest.raises(ProgrammeError) as error:
        parse_programme(text, name="small")
    assert says in str(error.value)
