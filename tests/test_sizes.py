"""How many speak of a topic: nothing is claimed where nothing changed, and what changed is found."""

import numpy as np
import pandas as pd
import pytest

from vocwb.schemas import OUTLIER
from vocwb.understand.sizes import size_topics

MONTHS = [f"2025-{month:02d}" for month in range(1, 13)]
CODEBOOK = pd.DataFrame({"topic": ["T0001"], "voice": "customer", "language": "en", "name": "late parcels"})


def speak(rates, *, people=100, seed=0, heard=60):
    """Each month `heard` of the people speak, and a share of them (rates) of T0001."""
    draw, rows = np.random.default_rng(seed), []
    for month, rate in zip(MONTHS, rates, strict=True):
        for person in draw.choice(people, heard, replace=False):
            rows.append((month, f"p{person}", draw.random() < rate))
    opinions = pd.DataFrame(rows, columns=["month", "respondent_id", "hit"])
    opinions = opinions.assign(
        feedback_id=[f"f{number:05d}" for number in range(len(opinions))],
        response_id=[f"r{number:05d}" for number in range(len(opinions))],
        language="en",
        voice="customer",
    )
    topics = np.where(opinions["hit"], "T0001", OUTLIER)
    return opinions, opinions[["feedback_id"]].assign(topic=topics)


def change_of(opinions, assignments, **options):
    found = size_topics(
        opinions, assignments, CODEBOOK, month="2025-12", minimum=5, smallest={"share": 5}, **options
    )
    return found[(found["measure"] == "difference") & (found["subject"] == "T0001")].iloc[0]


@pytest.mark.parametrize("rate", [0.03, 0.2, 0.5])
def test_people_who_speak_every_month_are_no_change(rate):
    claimed = [
        change_of(*speak([rate] * 12, seed=seed))["verdict"] == "evidence of a difference"
        for seed in range(40)
    ]
    assert sum(claimed) <= 6, "95% intervals may miss in 2 of 40; 7 has odds of 1 in 300"


def test_no_mention_in_a_small_month_is_no_evidence_that_a_rare_topic_went_away():
    opinions, assignments = speak([0.03] * 12)
    december = opinions["month"] == "2025-12"
    assignments.loc[december, "topic"] = OUTLIER
    found = change_of(opinions, assignments)
    assert found["value"] == 0 and found["high"] > 0
    assert found["verdict"] != "evidence of a difference"


def test_what_doubled_is_found_with_the_feedback_behind_it():
    opinions, assignments = speak([0.2] * 11 + [0.6], seed=3)
    found = change_of(opinions, assignments)
    assert found["verdict"] == "evidence of a difference" and found["low"] > 0
    said = assignments.merge(opinions[opinions["month"] == "2025-12"], on="feedback_id")
    assert found["feedback_ids"] == sorted(said.loc[said["topic"] == "T0001", "feedback_id"])
    assert "late parcels" in found["claim"]


def test_the_order_of_rows_changes_nothing():
    opinions, assignments = speak([0.2] * 12)
    shuffled = opinions.sample(frac=1, random_state=1), assignments.sample(frac=1, random_state=2)
    sizes = [
        size_topics(*frames, CODEBOOK, month="2025-12", minimum=5, smallest={"share": 5})
        for frames in ((opinions, assignments), shuffled)
    ]
    pd.testing.assert_frame_equal(*sizes)


def test_small_months_are_counts_and_smaller_ones_hidden():
    opinions, assignments = speak([0.3] * 12, heard=20)
    december = opinions["month"] == "2025-12"
    few = pd.concat([opinions[~december], opinions[december].head(4)])
    said = (assignments["topic"] == "T0001") & december
    for heard, verdict, value in ((opinions, "too few to show", said.sum()), (few, "hidden", None)):
        found = size_topics(heard, assignments, CODEBOOK, month="2025-12", minimum=5, smallest={"share": 5})
        shares = found[(found["measure"] == "share") & (found["subject"] == "T0001")].set_index("period")
        assert shares.loc["2025-12", "verdict"] == verdict
        assert shares.loc["2025-12", "unit"] == ("count" if value else "%")
        assert shares.loc["2025-12", "value"] == value or value is None
        assert pd.isna(shares.loc["2025-12", "value"]) == (value is None)


def test_staff_are_hidden_in_groups_that_customers_are_shown_in():
    opinions, assignments = speak([0.5] * 12, heard=8)
    shown = {}
    for voice in ("customer", "employee"):
        found = size_topics(
            opinions.assign(voice=voice), assignments, CODEBOOK.assign(voice=voice), month="2025-12", minimum=5,
            minimum_staff=10, smallest={"share": 5},
        )  # fmt: skip
        shown[voice] = set(found.loc[found["measure"] == "share", "verdict"])
    assert shown == {"customer": {"too few to show"}, "employee": {"hidden"}}
