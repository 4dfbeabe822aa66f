"""News: proposals and drift in words, with the feedback behind them and nothing of groups too small to show."""

import pandas as pd
import pytest

from vocwb.schemas import empty_table
from vocwb.stats import EVIDENCE, NO_EVIDENCE
from vocwb.understand.news import tell_news

IDS = [f"f{number:02}" for number in range(40)]
OPINIONS = pd.DataFrame({
    "feedback_id": IDS, "response_id": IDS, "respondent_id": [f"p{number // 2}" for number in range(40)],
    "voice": ["customer"] * 30 + ["employee"] * 10, "month": "2025-02",
})  # fmt: skip
CODEBOOK = pd.DataFrame(
    {"topic": ["T0001", "T0002"], "name": ["Late parcels", "Kind staff"], "voice": "customer"}
)


def propose(ids, **changes):
    row = {"proposal": "N1", "terms": ["locker", "code", "door"], "feedback_ids": ids, "voice": "customer",
           "nearest_topic": "T0001", "earlier_share": 0.1, "p_adjusted": 0.001}  # fmt: skip
    return pd.DataFrame([row | changes])


def tell(proposals=None, drift=None, mentions=None, **limits):
    nothing = {name: empty_table(name) for name in ("proposals", "drift", "mentions")}
    given = {"proposals": proposals, "drift": drift, "mentions": mentions}
    tables = {name: nothing[name] if table is None else table for name, table in given.items()}
    return tell_news(*tables.values(), OPINIONS, CODEBOOK, month="2025-02", **({"minimum": 5} | limits))


def test_a_proposal_is_told_by_its_people_and_opens_its_quotes():
    found = tell(propose(IDS[:12])).iloc[0]
    assert (
        found["n"] == 6 and found["feedback_ids"] == IDS[:12] and found["subject"] == "locker · code · door"
    )
    assert (
        "6 gave feedback" in found["claim"] and "“Late parcels”" in found["claim"] and "10%" in found["claim"]
    )


def test_two_proposals_of_the_same_words_are_two():
    found = tell(pd.concat([propose(IDS[:12]), propose(IDS[12:24], proposal="N2")]))
    assert found["finding_id"].nunique() == 2 and found["subject"].nunique() == 2


@pytest.mark.parametrize(
    ("voice", "ids", "shown"),
    [("customer", IDS[:8], 0), ("customer", IDS[:10], 1), ("employee", IDS[30:], 0)],
)
def test_what_few_people_say_is_not_told(voice, ids, shown):
    assert len(tell(propose(ids, voice=voice), minimum=5, minimum_staff=8)) == shown


def test_drift_is_told_where_members_move_away_with_evidence():
    drift = pd.DataFrame({
        "topic": ["T0001", "T0002", "T0009"], "difference": [-0.1, 0.1, -0.2], "low": [-0.12, 0.08, -0.3],
        "high": [-0.08, 0.12, -0.1], "similarity": 0.4, "fitted_similarity": 0.5, "p": 0.001, "p_adjusted": 0.002,
        "verdict": EVIDENCE,
    })  # fmt: skip
    mentions = pd.DataFrame({"feedback_id": [*IDS[:20], "of another month"], "topic": "T0001"})
    found = tell(drift=drift, mentions=mentions)
    assert found["subject"].tolist() == ["T0001"] and found["feedback_ids"].iloc[0] == IDS[:20]
    assert found["n"].iloc[0] == 10 and found["value"].iloc[0] == -0.1
    assert tell(drift=drift.assign(verdict=NO_EVIDENCE), mentions=mentions).empty
