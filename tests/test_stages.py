"""Stages of the journey: shares by hand, empty ones told, small ones counted or hidden, praise apart from complaint."""

import pandas as pd
import pytest

from vocwb.explain.stages import measure_stages
from vocwb.stats import HIDDEN, TOO_FEW_TO_SHOW

SIZES = {"joining": 40, "support": 20, "leaving": 60}
CODEBOOK = pd.DataFrame(
    {"codebook_id": "c", "topic": ["T0001", "T0002"], "language": "en", "name": ["late", "kind staff"]}
)


def make_tables(sizes=SIZES):
    stages = [stage for stage, size in sizes.items() for _ in range(size)]
    ids = [f"f{row:03}" for row in range(len(stages))]
    opinions = pd.DataFrame({
        "feedback_id": ids, "response_id": ids, "respondent_id": None, "month": "2025-01", "language": "en",
        "voice": "customer", "stage": pd.Series(stages, dtype="str"),
    })  # fmt: skip
    topic = ["T0001" if row % 4 == 0 else "T0002" if row % 4 == 1 else "T0000" for row in range(len(ids))]
    assigned = opinions[["feedback_id"]].assign(codebook_id="c", topic=topic)
    codes = opinions[["feedback_id"]].assign(
        polarity=[
            "negative" if row % 8 == 0 else "positive" if row % 4 == 1 else "mixed" for row in range(len(ids))
        ]
    )
    return opinions, assigned, codes


def measure(sizes=SIZES, stages=("joining", "buying", "support"), **options):
    opinions, assigned, codes = make_tables(sizes)
    options = {"month": "2025-01", "minimum": 5} | options
    found = measure_stages(opinions, assigned, CODEBOOK, codes, stages, **options)
    return found.set_index(["measure", "subject", "level"])


def test_shares_stand_by_stage_and_empty_stages_too():
    found = measure()
    assert found.loc["heard"].loc["all:en", "value"].to_dict() == {
        "joining": 40,
        "buying": 0,
        "support": 20,
        "leaving": 60,
    }
    row = found.loc[("share", "T0001", "joining")]
    assert (row["value"], row["n"], row["unit"]) == (25.0, 40, "%") and row["low"] < 25 < row["high"]
    assert row["feedback_ids"] == [f"f{row:03}" for row in range(0, 40, 4)]
    few = found.loc[("share", "T0001", "support")]
    assert (few["value"], few["unit"], few["verdict"]) == (5, "count", TOO_FEW_TO_SHOW) and "5 of 20" in few[
        "claim"
    ]
    empty = found.loc[("share", "T0001", "buying")]
    assert pd.isna(empty["value"]) and empty["n"] == 0 and "nobody was heard" in empty["claim"]


def test_praise_helps_and_complaint_hinders():
    found = measure()
    assert found.loc[("hindering", "T0001", "joining"), "value"] == pytest.approx(12.5)
    assert found.loc[("helping", "T0002", "joining"), "value"] == pytest.approx(25.0)
    assert ("helping", "T0001", "joining") not in found.index
    assert set(measure(factors=0).index.get_level_values("measure")) == {"heard", "share"}


def test_a_small_stage_is_hidden_and_cannot_be_worked_out():
    found = measure({"joining": 40, "support": 3, "leaving": 60})
    hidden = found[found["verdict"].eq(HIDDEN)]
    assert set(hidden.index.get_level_values("level")) == {"support", "joining"}
    assert hidden[["value", "n"]].isna().all(axis=None) and not hidden["feedback_ids"].map(len).any()


def test_without_stages_there_is_nothing_and_the_order_of_rows_does_not_matter():
    opinions, assigned, codes = make_tables()
    options = {"month": "2025-01", "minimum": 5}
    assert measure_stages(opinions.assign(stage=None), assigned, CODEBOOK, codes, [], **options).empty
    first = measure_stages(opinions, assigned, CODEBOOK, codes, ["joining"], **options)
    mixed = [table.sample(frac=1, random_state=1) for table in (opinions, assigned)]
    again = measure_stages(*mixed, CODEBOOK, codes.sample(frac=1, random_state=2), ["joining"], **options)
    pd.testing.assert_frame_equal(first, again)
