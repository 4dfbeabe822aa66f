"""Before against after: what moved, what did not, and what cannot be said."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats as scipy_stats

from vocwb import stats
from vocwb.act.outcomes import judge_outcomes

CSAT = SimpleNamespace(label="Satisfied?", low=1, high=5, metric="csat")
QUESTIONS = {"csat": CSAT}
SMALLEST = {"share": 5, "nps": 5, "mean": 0.2}
MONTHS = [f"2025-{month:02}" for month in range(1, 13)]


def make_actions(**changes) -> pd.DataFrame:
    action = {
        "action_id": "A1", "title": "Second desk", "status": "running", "registered_on": "2025-06-01",
        "starts_on": "2025-07-01", "target_kind": "question", "target": "csat", "expected": "higher",
    }  # fmt: skip
    return pd.DataFrame([action | changes])


def make_tables(answers, mentions, months, *, people=None):
    size = len(months)
    ids = [f"r{i:05}" for i in range(size)]
    responses = pd.DataFrame(
        {
            "response_id": ids, "respondent_id": pd.Series([None] * size if people is None else people, dtype="str"),
            "month": months, "voice": "customer", "duplicate_of": None, "csat": np.array(answers, dtype=float),
        }
    )  # fmt: skip
    feedback = pd.DataFrame(
        {"feedback_id": [f"f{i}" for i in ids], "response_id": ids, "language": "en", "duplicate_of": None}
    )
    topics = np.where(np.array(mentions, dtype=bool), "T0001", "T0000")
    return (
        responses,
        feedback,
        pd.DataFrame({"feedback_id": feedback["feedback_id"], "codebook_id": "c", "topic": topics}),
    )


def judge(actions, tables, month="2025-12", **options):
    return judge_outcomes(actions, *tables, QUESTIONS, month=month, smallest=SMALLEST, **options)


def simulate(seed: int, *, shift: float = 0.0, share: tuple = (0.2, 0.2), size: int = 60):
    rng = np.random.default_rng(seed)
    months = np.repeat(MONTHS, size)
    late = months >= "2025-07"
    answers = np.clip(np.round(rng.normal(3 + shift * late, 1)), 1, 5)
    return make_tables(answers, rng.random(len(months)) < np.where(late, share[1], share[0]), months)


def test_a_score_after_is_compared_with_the_score_before():
    tables = simulate(0, shift=0.8)
    row = judge(make_actions(), tables).squeeze()
    scores = tables[0].groupby(tables[0]["month"] >= "2025-07")["csat"].apply(list)
    expected = stats.compare_on_scale(scores[True], scores[False], (1, 5))
    assert row[["difference", "low", "high", "p"]].tolist() == pytest.approx(list(expected))
    assert row["period"] == "2025-07..2025-12 vs 2025-01..2025-06"
    assert (row["n"], row["compared_n"], len(row["feedback_ids"])) == (360, 360, 720)
    assert row["verdict"] == stats.EVIDENCE and "moved in the expected direction (higher)" in row["claim"]
    assert "an association, no control group" in row["claim"]


def test_a_move_against_what_was_expected_is_said():
    row = judge(make_actions(expected="lower", registered_on="2025-09-01"), simulate(0, shift=0.8)).squeeze()
    assert "against the expected direction (higher)" in row["claim"]
    assert "registered only afterwards" in row["claim"]


def test_a_topics_share_after_is_compared_with_the_share_before():
    tables = simulate(1, share=(0.4, 0.1))
    row = judge(make_actions(target_kind="topic", target="T0001", expected="lower"), tables).squeeze()
    carried = tables[2]["topic"].eq("T0001").to_numpy()
    late = tables[0]["month"].ge("2025-07").to_numpy()
    expected = stats.compare_shares((carried & late).sum(), 360, (carried & ~late).sum(), 360).iloc[0]
    assert row[["difference", "low", "high"]].tolist() == pytest.approx(
        (100 * expected[["difference", "low", "high"]]).tolist()
    )
    assert row["unit"] == "pp" and row["verdict"] == stats.EVIDENCE and "T0001: " in row["claim"]
    assert len(row["feedback_ids"]) == carried.sum() and "expected direction (lower)" in row["claim"]


def test_nothing_is_claimed_when_nothing_changed():
    actions = pd.concat(
        [make_actions(), make_actions(action_id="A2", target_kind="topic", target="T0001")], ignore_index=True
    )
    claims = [judge(actions, simulate(seed))["verdict"].eq(stats.EVIDENCE).any() for seed in range(60)]
    assert scipy_stats.binomtest(sum(claims), 60).proportion_ci().low <= 0.05


def test_a_longer_side_gives_no_one_more_chances_to_mention():
    """The same people each month with the same habits: six months after against two before must not differ."""
    claims = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        people = np.tile(np.arange(100), 8)
        tables = make_tables(
            np.full(800, 3),
            rng.random(800) < 0.2,
            np.repeat(MONTHS[:8], 100),
            people=[f"p{i}" for i in people],
        )
        action = make_actions(target_kind="topic", target="T0001", starts_on="2025-03-01")
        row = judge(action, tables, month="2025-08").squeeze()
        assert (row["n"], row["compared_n"]) == (600, 200)
        claims.append(row["verdict"] == stats.EVIDENCE)
    assert scipy_stats.binomtest(sum(claims), 40).proportion_ci().low <= 0.05


def test_months_outside_the_window_and_after_the_report_do_not_count():
    tables = simulate(2)
    row = judge(make_actions(), tables, month="2025-09", window=2).squeeze()
    assert row["period"] == "2025-07..2025-08 vs 2025-05..2025-06" and row["n"] == 120
    row = judge(make_actions(), tables, month="2025-09").squeeze()
    assert row["period"] == "2025-07..2025-09 vs 2025-01..2025-06"


def test_one_month_after_is_too_few_to_say():
    row = judge(make_actions(), simulate(3, shift=2), month="2025-07").squeeze()
    assert row["verdict"] == stats.TOO_FEW and pd.isna(row["value"])
    assert "6 months before and 1 after" in row["claim"]


def test_months_that_were_not_assigned_are_not_taken_for_months_without_the_topic():
    responses, feedback, assignments = simulate(4)
    late = feedback.loc[responses["month"] >= "2025-07", "feedback_id"]
    tables = responses, feedback, assignments[assignments["feedback_id"].isin(late)]
    row = judge(make_actions(target_kind="topic", target="T0001"), tables).squeeze()
    assert row["verdict"] == stats.TOO_FEW and "0 months before and 6 after" in row["claim"]


def test_a_target_without_a_series_is_too_few_to_say():
    for changes in ({"target_kind": "category", "target": "price"}, {"target": "gone"},
                    {"target_kind": "topic", "target": "T0404"}):  # fmt: skip
        found = judge(make_actions(**changes), simulate(5))
        assert found["verdict"].tolist() == [stats.TOO_FEW]


def test_dropped_future_and_undated_actions_have_no_rows():
    tables = simulate(6)
    assert judge(make_actions(status="dropped"), tables).empty
    assert judge(make_actions(starts_on="2026-01-01"), tables).empty
    assert judge(make_actions(), tables, month="all").empty
    assert judge(make_actions().head(0), tables).empty


def test_duplicates_staff_and_row_order_change_nothing():
    responses, feedback, assignments = simulate(7)
    actions = pd.concat(
        [make_actions(), make_actions(action_id="A2", target_kind="topic", target="T0001")], ignore_index=True
    )
    expected = judge(actions, (responses, feedback, assignments))
    copies = responses.head(50).assign(
        response_id=lambda x: "copy" + x["response_id"], duplicate_of="x", csat=1.0
    )
    staff = responses.head(50).assign(
        response_id=lambda x: "staff" + x["response_id"], voice="employee", csat=1.0
    )
    more = pd.concat([responses, copies, staff]).sample(frac=1, random_state=0)
    shuffled = [frame.sample(frac=1, random_state=1) for frame in (feedback, assignments)]
    assert_frame_equal(judge(actions.iloc[::-1], (more, *shuffled)), expected, check_exact=True)


def test_small_groups_are_not_shown():
    tables = simulate(8, size=2)
    row = judge(make_actions(), tables).squeeze()
    assert row["verdict"] == stats.TOO_FEW_TO_SHOW and np.isnan(row["difference"]) and row["n"] == 12
    one_person = make_tables([3] * 120, [1] * 120, np.repeat(MONTHS, 10), people=["p"] * 120)
    row = judge(make_actions(), one_person).squeeze()
    assert row["verdict"] == stats.HIDDEN and pd.isna(row["n"]) and row["feedback_ids"] == []
