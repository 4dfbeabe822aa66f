"""Who says it: shares against the rest, counted once, and nothing claimed where nothing is."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats as scipy_stats

from vocwb import stats
from vocwb.explain.segments import compare_segments, measure_cells, split_by_language

OPTIONS = {"month": "2025-02", "minimum": 5, "smallest": {"share": 5, "nps": 5, "mean": 0.2}}


def make_opinions(levels, *, people=None, language="en", month="2025-02"):
    size = len(levels)
    return pd.DataFrame(
        {
            "feedback_id": [f"f{i:06}" for i in range(size)], "response_id": [f"r{i:06}" for i in range(size)],
            "respondent_id": pd.Series(people if people is not None else [None] * size, dtype="str"),
            "language": language, "voice": "customer", "month": month, "plan": pd.Series(levels, dtype="str"),
        }
    )  # fmt: skip


def make_codebook(topics: int, language="en"):
    return pd.DataFrame(
        {"codebook_id": "c", "topic": [f"T{i:04}" for i in range(1, topics + 1)], "language": language,
         "name": [f"topic {i}" for i in range(1, topics + 1)]}
    )  # fmt: skip


def assign(opinions, mentions):
    """mentions: boolean array, a row an opinion and a column a topic; what has none is an outlier."""
    mentions = np.asarray(mentions, dtype=bool).reshape(len(opinions), -1)
    mentions = np.column_stack([~mentions.any(axis=1), mentions])
    rows, topics = np.nonzero(mentions)
    return pd.DataFrame(
        {"feedback_id": opinions["feedback_id"].to_numpy()[rows], "codebook_id": "c",
         "topic": [f"T{i:04}" for i in topics]}
    )  # fmt: skip


def test_a_cell_is_its_share_against_the_rest():
    opinions = make_opinions(["free"] * 100 + ["paid"] * 200 + [None] * 50)
    mentions = np.r_[np.arange(100) < 30, np.arange(200) < 20, np.ones(50)]
    found = compare_segments(
        opinions, assign(opinions, mentions), make_codebook(1), {"plan": "Plan"}, **OPTIONS
    )
    row = found[found["level"] == "free"].squeeze()
    expected = stats.compare_shares(30, 100, 20, 200).iloc[0]
    assert row[["value", "compared_value", "n", "compared_n"]].tolist() == [30, 10, 100, 200]
    assert row[["difference", "low", "high"]].tolist() == pytest.approx(
        (100 * expected[["difference", "low", "high"]]).tolist()
    )
    assert row["verdict"] == stats.EVIDENCE and row["feedback_ids"] == opinions["feedback_id"][:30].tolist()
    assert row[["subject", "segment", "unit", "period"]].tolist() == ["T0001", "plan", "pp", "2025-02"]
    assert row["claim"].startswith("“topic 1”: 30.0% where Plan is free (n = 100) against 10.0% in the rest")


def test_a_person_counts_once_in_a_level():
    opinions = make_opinions(["free"] * 80 + ["paid"] * 40, people=[f"p{i // 2}" for i in range(120)])
    found = compare_segments(
        opinions, assign(opinions, np.arange(120) < 20), make_codebook(1), {"plan": "Plan"}, **OPTIONS
    )
    free = found[found["level"] == "free"]
    assert free["n"].item() == 40 and free["compared_n"].item() == 20
    assert found["verdict"].eq(stats.TOO_FEW_TO_SHOW).all() and found["value"].isna().all()
    assert "10 of 40 where Plan is free and 0 of 20 of the rest" in free["claim"].item()


def test_small_levels_are_not_there_and_add_nothing_to_the_family():
    # Four of "vip" are hidden, and "old" with them: else the total less all other levels would tell the four.
    opinions = make_opinions(["free"] * 100 + ["paid"] * 100 + ["vip"] * 4 + ["old"] * 20 + ["new"] * 25)
    mentions = np.random.default_rng(0).random((249, 3)) < 0.2
    found = compare_segments(
        opinions, assign(opinions, mentions), make_codebook(3), {"plan": "Plan"}, **OPTIONS
    )
    assert set(found["level"]) == {"free", "paid", "new"}
    assert found[found["level"] == "new"][["value", "low", "p", "p_adjusted"]].isna().all(axis=None)
    shown = found[found["level"] != "new"]
    assert shown["p_adjusted"].tolist() == pytest.approx(
        scipy_stats.false_discovery_control(shown["p"]).tolist()
    )


def test_a_level_whose_rest_is_too_small_is_hidden_as_well():
    opinions = make_opinions(["free"] * 100 + ["vip"] * 3)
    found = compare_segments(
        opinions, assign(opinions, np.ones(103)), make_codebook(1), {"plan": "Plan"}, **OPTIONS
    )
    assert found.empty


def test_cells_have_the_effect_size_and_the_share_in_the_light_of_the_others():
    opinions = make_opinions(["free"] * 200 + ["paid"] * 300 + ["old"] * 10)
    mentions = np.r_[np.arange(200) < 60, np.arange(300) < 60, np.arange(10) < 6]
    cells = measure_cells(
        opinions, assign(opinions, mentions), make_codebook(1), ["plan"], minimum=5, smallest={"share": 5}
    ).set_index("level")
    expected = 2 * np.arcsin(np.sqrt(0.3)) - 2 * np.arcsin(np.sqrt(66 / 310))
    assert cells.loc["free", "effect_size"] == pytest.approx(expected, abs=1e-8)
    assert cells.loc["old", ["value", "effect_size"]].isna().all() and cells.loc["old", "k"] == 6
    assert 22 < cells.loc["old", "shrunk"] < 60 and cells.loc["old", "shrunk_low"] < 30
    assert cells.loc["free", "shrunk"] == pytest.approx(30, abs=1)
    found = compare_segments(
        opinions, assign(opinions, mentions), make_codebook(1), {"plan": "Plan"}, **OPTIONS
    ).set_index("level")
    assert found.loc["free", "claim"].endswith(f"effect size h = {expected:+.2f}.")
    assert f"{cells.loc['old', 'shrunk']:.1f}%" in found.loc["old", "claim"]


def test_what_is_shown_tells_no_small_level_by_subtraction():
    """The total stands beside every level: it, less the levels that are shown, must not be the four."""
    opinions = make_opinions(["free"] * 100 + ["paid"] * 100 + ["vip"] * 4 + ["old"] * 20)
    found = compare_segments(
        opinions, assign(opinions, np.ones(224)), make_codebook(1), {"plan": "Plan"}, **OPTIONS
    )
    [total] = set(found["n"] + found["compared_n"])
    assert total - found["n"].sum() >= 5 and not {"vip", "old"} & set(found["level"])


def test_a_level_that_stands_out_does_not_make_the_others_lower_than_the_rest():
    """North is high, and south, east and west alike: against a rest with north in it all three would be lower."""
    rng = np.random.default_rng(5)
    levels = np.repeat(["north", "south", "east", "west"], 1000)
    opinions = make_opinions(levels)
    found = compare_segments(
        opinions, assign(opinions, rng.random(4000) < np.where(levels == "north", 0.3, 0.1)), make_codebook(1),
        {"plan": "Region"}, **OPTIONS,
    ).set_index("level")  # fmt: skip
    assert found["verdict"].eq(stats.EVIDENCE).to_dict() == {
        "north": True,
        "south": False,
        "east": False,
        "west": False,
    }
    assert found.loc["north", "compared_n"] == 3000 and (found["compared_n"].drop("north") == 2000).all()
    assert "in the rest without north (n = 2,000)" in found.loc["south", "claim"]


def test_a_pair_of_columns_is_a_segment():
    rng = np.random.default_rng(3)
    opinions = make_opinions(rng.choice(["free", "paid"], 800)).assign(
        region=pd.Series(rng.choice(["north", "south"], 800), dtype="str")
    )
    opinions.loc[:9, "region"] = None
    both = (opinions["plan"] == "free") & (opinions["region"] == "north")
    mentions = rng.random(800) < np.where(both, 0.5, 0.1)
    found = compare_segments(
        opinions, assign(opinions, mentions), make_codebook(1), {"plan": "Plan", "region": "Region"},
        pairs=[("plan", "region")], **OPTIONS,
    )  # fmt: skip
    assert len(found) == 8
    cell = found[found["level"] == "free x north"].squeeze()
    assert (
        cell["segment"] == "plan x region"
        and cell["n"] == both.sum()
        and cell["compared_n"] == 790 - cell["n"]
    )
    assert cell["verdict"] == stats.EVIDENCE and "where Plan x Region is free x north" in cell["claim"]
    assert found["p_adjusted"].tolist() == pytest.approx(
        scipy_stats.false_discovery_control(found["p"]).tolist()
    )


def test_nothing_is_claimed_of_levels_alike_though_people_stand_in_several():
    """A person with many opinions is in many levels and mentions many topics: no reason for a difference."""
    claims = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        people = rng.integers(0, 400, 1500)
        taste = rng.gamma(0.5, 0.1, (400, 20)).clip(0, 1)
        opinions = make_opinions(
            [f"l{i}" for i in rng.integers(0, 5, 1500)], people=[f"p{i}" for i in people]
        )
        mentions = rng.random((1500, 20)) < taste[people]
        found = compare_segments(
            opinions, assign(opinions, mentions), make_codebook(20), {"plan": "Plan"}, **OPTIONS
        )
        assert len(found) == 100
        claims.append(found["verdict"].eq(stats.EVIDENCE).any())
    assert scipy_stats.binomtest(sum(claims), 40).proportion_ci().low <= 0.05


def test_planted_cells_are_found():
    rng = np.random.default_rng(1)
    levels = np.repeat(np.arange(10), 700)
    rates = np.full((10, 60), 0.05)
    planted = rng.choice(600, 20, replace=False)
    rates.flat[planted] = 0.10
    opinions = make_opinions([f"l{i}" for i in levels])
    found = compare_segments(
        opinions,
        assign(opinions, rng.random((7000, 60)) < rates[levels]),
        make_codebook(60),
        {"plan": ""},
        **OPTIONS,
    )
    evidence = found["verdict"].eq(stats.EVIDENCE).to_numpy()
    assert evidence[planted].sum() >= 16
    assert evidence.sum() - evidence[planted].sum() <= 4


def test_languages_are_compared_among_themselves():
    english, persian = make_opinions(["free", "paid"] * 50), make_opinions(["free"] * 90, language="fa")
    persian[["feedback_id", "response_id"]] = "x" + persian[["feedback_id", "response_id"]]
    opinions = pd.concat([english, persian])
    assignments = assign(opinions, np.r_[np.arange(100) % 2 == 0, np.zeros(90)])
    found = compare_segments(opinions, assignments, make_codebook(1), {"plan": "Plan"}, **OPTIONS)
    assert found.set_index("level")["n"].to_dict() == {"free": 50, "paid": 50}
    multi = compare_segments(opinions, assignments, make_codebook(1, "multi"), {"plan": "Plan"}, **OPTIONS)
    assert multi.set_index("level")["n"].to_dict() == {"free": 140, "paid": 50}


def test_staff_unassigned_feedback_and_other_codebooks_stay_out():
    opinions = make_opinions(["free", "paid"] * 60)
    opinions.loc[:19, "voice"] = "employee"
    assignments = assign(opinions, np.ones(120)).iloc[:-20]
    other = assignments.assign(codebook_id="other", topic="T0001")
    [(heard, mentions, topics)] = split_by_language(
        opinions, pd.concat([assignments, other]), make_codebook(2)
    )
    assert len(heard) == len(mentions) == 80 and topics.index.tolist() == ["T0001", "T0002"]


def test_topics_merged_retired_or_of_staff_are_not_compared():
    opinions = make_opinions(["free", "paid"] * 50)
    codebook = make_codebook(4).assign(
        merged_into=pd.Series(["T0004", None, None, None], dtype="str"), retired=[False, True, False, False],
        voice=["customer", "customer", "employee", "customer"],
    )  # fmt: skip
    found = compare_segments(
        opinions, assign(opinions, np.ones((100, 4))), codebook, {"plan": "Plan"}, **OPTIONS
    )
    assert set(found["subject"]) == {"T0004"}


def test_row_order_changes_nothing_and_inputs_stay_as_they_were():
    rng = np.random.default_rng(2)
    opinions = make_opinions(
        rng.choice(["a", "b", "c"], 400), people=[f"p{i}" for i in rng.integers(0, 300, 400)]
    )
    assignments, codebook = assign(opinions, rng.random((400, 5)) < 0.2), make_codebook(5)
    before = opinions.copy()
    expected = compare_segments(opinions, assignments, codebook, {"plan": "Plan"}, **OPTIONS)
    assert_frame_equal(opinions, before)
    shuffled = [frame.sample(frac=1, random_state=3) for frame in (opinions, assignments, codebook)]
    assert_frame_equal(compare_segments(*shuffled, {"plan": "Plan"}, **OPTIONS), expected, check_exact=True)


def test_without_opinions_topics_or_levels_there_are_no_findings():
    opinions, codebook = make_opinions(["free"] * 60), make_codebook(1)
    assignments = assign(opinions, np.ones(60))
    none = opinions.assign(plan=pd.Series([None] * 60, dtype="str"))
    for tables in [
        (opinions.head(0), assignments, codebook), (opinions, assignments.head(0), codebook),
        (opinions, assignments, codebook.head(0)), (none, assignments, codebook),
    ]:  # fmt: skip
        assert compare_segments(*tables, {"plan": "Plan"}, **OPTIONS).empty
    assert compare_segments(opinions, assignments, codebook, {}, **OPTIONS).empty


def test_the_period_is_the_span_of_the_months_given():
    opinions = make_opinions(["free", "paid"] * 50, month=["2024-11", "2025-02"] * 50)
    found = compare_segments(
        opinions, assign(opinions, np.ones(100)), make_codebook(1), {"plan": "Plan"}, **OPTIONS
    )
    assert set(found["period"]) == {"2024-11..2025-02"}
