"""Actions from decisions, and how far each could reach."""

import pandas as pd
import pytest

from vocwb import stats
from vocwb.act.actions import list_actions, rank_actions
from vocwb.errors import DecisionError
from vocwb.schemas import check_table, empty_table, make_findings

VALUE = {
    "title": "Second desk", "owner": "A. Ivanova", "effort": "small", "status": "planned",
    "registered_on": "2025-01-10", "starts_on": "2025-02-01", "target_kind": "topic", "target": "T0001",
    "expected": "lower",
}  # fmt: skip


def make_decisions(*values: dict) -> pd.DataFrame:
    subjects = [f"A{i}" for i in range(1, len(values) + 1)]
    return pd.DataFrame(
        {
            "decision_id": range(1, len(values) + 1),
            "kind": "action",
            "subject": subjects,
            "value": list(values),
        }
    )


def make_shares(**values: float) -> pd.DataFrame:
    rows = [
        {"period": "2025-03", "subject": topic, "measure": "share", "unit": "%", "value": value, "low": value - 1,
         "high": value + 1, "n": 1234, "claim": "", "method": "", "feedback_ids": [f"f-{topic}"]}
        for topic, value in values.items()
    ]  # fmt: skip
    return make_findings(rows, section="topics", month="2025-03")


def test_actions_are_read_from_decisions():
    decisions = make_decisions(VALUE | {"cost": 1200, "authority": "B. Petrov"}, VALUE)
    name = pd.DataFrame(
        {"decision_id": [9], "kind": "topic_name", "subject": "T0001", "value": [{"name": "x"}]}
    )
    found = list_actions(pd.concat([decisions.iloc[::-1], name]))
    check_table("actions", found)
    assert found["action_id"].tolist() == ["A1", "A2"]
    assert found["cost"].tolist()[0] == 1200 and found["cost"].isna().tolist() == [False, True]
    assert found["authority"].tolist()[0] == "B. Petrov" and found["decision_id"].tolist() == [1, 2]


def test_without_decisions_there_are_no_actions():
    assert list_actions(make_decisions()).empty
    assert rank_actions(empty_table("actions"), make_shares(T0001=5.0)).empty


@pytest.mark.parametrize("field", sorted(VALUE))
def test_a_missing_field_is_named(field):
    for value in ({k: v for k, v in VALUE.items() if k != field}, VALUE | {field: ""}, VALUE | {field: None}):
        with pytest.raises(DecisionError, match=f"'A1' lacks '{field}'"):
            list_actions(make_decisions(value))


@pytest.mark.parametrize(
    "field, wrong",
    [("effort", "huge"), ("status", "open"), ("target_kind", "nps"), ("expected", "better"),
     ("starts_on", "next week"), ("registered_on", 2025), ("cost", "cheap")],
)  # fmt: skip
def test_a_field_that_says_something_else_is_named(field, wrong):
    with pytest.raises(DecisionError, match=f"'A1': '{field}' is {wrong!r}"):
        list_actions(make_decisions(VALUE | {field: wrong}))


def test_reach_is_the_number_of_the_target_with_its_quotes():
    actions = list_actions(make_decisions(VALUE | {"cost": 1200.0}))
    row = rank_actions(actions, make_shares(T0001=12.0, T0002=50.0)).squeeze()
    assert row[["subject", "value", "low", "high", "n", "unit"]].tolist() == [
        "A1",
        12.0,
        11.0,
        13.0,
        1234,
        "%",
    ]
    assert row["feedback_ids"] == ["f-T0001"] and row["section"] == "actions"
    for words in ("Second desk", "small development", "cost 1,200", "12.0%", "n = 1,234", "an association"):
        assert words in row["claim"]


def test_the_widest_reach_comes_first_and_the_unknown_last():
    actions = list_actions(
        make_decisions(
            VALUE | {"target": "T0009"},
            VALUE | {"target_kind": "question", "target": "nps"},
            VALUE | {"target": "T0002"},
            VALUE | {"target": "T0003"},
            VALUE | {"target": "T0003", "effort": "process"},
            VALUE | {"status": "dropped"},
        )
    )
    score = {"period": "2025-03", "subject": "nps", "measure": "nps", "unit": "points", "value": -20.0, "low": -30.0,
             "high": -10.0, "n": 300, "claim": "", "method": ""}  # fmt: skip
    scores = make_findings([score], section="scores", month="2025-03")
    found = rank_actions(actions, pd.concat([make_shares(T0001=90.0, T0002=8.0, T0003=20.0), scores]))
    assert found["subject"].tolist() == ["A5", "A4", "A3", "A2", "A1"]
    assert found["verdict"].tolist()[-1] == stats.TOO_FEW and "T0009" in found["claim"].tolist()[-1]


def test_a_share_that_is_not_shown_or_of_a_segment_is_no_reach():
    shares = make_shares(T0001=12.0).assign(value=float("nan"))
    level = make_shares(T0001=60.0).assign(segment="plan", level="paid", finding_id="x")
    found = rank_actions(list_actions(make_decisions(VALUE)), pd.concat([shares, level]))
    assert found["verdict"].tolist() == [stats.TOO_FEW] and found["value"].isna().all()


def test_without_findings_the_month_can_be_given():
    found = rank_actions(list_actions(make_decisions(VALUE)), empty_table("findings"), month="2025-03")
    assert found[["month", "verdict"]].values.tolist() == [["2025-03", stats.TOO_FEW]]
