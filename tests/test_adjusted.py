"""Confounders held equal: what they explain goes, what they do not stays, and nothing is adjusted for itself."""

import numpy as np
import pandas as pd
import statsmodels.api as sm

from vocwb.explain.adjusted import adjust_segments
from vocwb.explain.segments import compare_segments
from vocwb.stats import EVIDENCE

LABELS = {"plan": "Plan", "area": "Area"}
LIMITS = {"month": "2025-01", "smallest": {"share": 5}}


def make_tables(seed=0, *, effect=0.0, size=3000):
    rng = np.random.default_rng(seed)
    rural = rng.random(size) < 0.5
    free = rng.random(size) < np.where(rural, 0.8, 0.2)
    hit = rng.random(size) < 0.1 + 0.3 * rural + effect * free
    opinions = pd.DataFrame({
        "feedback_id": [f"f{i:05}" for i in range(size)], "response_id": [f"r{i:05}" for i in range(size)],
        "respondent_id": None, "language": "en", "voice": "customer", "month": "2025-01",
        "plan": np.where(free, "free", "paid"), "area": np.where(rural, "rural", "city"),
    })  # fmt: skip
    assigned = opinions[["feedback_id"]].assign(codebook_id="c", topic=np.where(hit, "T0001", "T0000"))
    codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "language": "en", "name": "queue"})
    return opinions, assigned, codebook


def adjust(tables, confounders, **groups):
    segments = compare_segments(*tables, LABELS, minimum=5, **LIMITS, **groups)
    return segments, adjust_segments(segments, *tables, confounders, LABELS, **LIMITS, **groups)


def test_a_difference_that_a_confounder_makes_goes_and_another_stays():
    segments, found = adjust(make_tables(), ["area"])
    raw = segments[segments["level"] == "free"].squeeze()
    row = found.set_index("level").loc["free"]
    assert (
        raw["verdict"] == EVIDENCE
        and row["verdict"] != EVIDENCE
        and row["value"] > 10 > abs(row["difference"])
    )
    assert set(found["segment"]) == {"plan"} and "within each level of Area" in row["claim"]
    _, found = adjust(make_tables(1, effect=0.15), ["area"])
    row = found.set_index("level").loc["free"]
    assert row["verdict"] == EVIDENCE and row["low"] < 15 < row["high"] < row["value"] + 5


def test_it_is_the_coefficient_of_a_regression_with_both():
    opinions, assigned, codebook = make_tables(2, effect=0.1)
    _, found = adjust((opinions, assigned, codebook), ["area"])
    hit = 100 * (assigned["topic"] == "T0001")
    design = pd.DataFrame({"free": opinions["plan"] == "free", "rural": opinions["area"] == "rural"}).astype(
        float
    )
    fitted = sm.OLS(hit, sm.add_constant(design)).fit()
    assert np.isclose(found.set_index("level").loc["free", "difference"], fitted.params["free"])


def test_nothing_is_held_equal_that_a_group_is_made_of_and_nothing_without_names():
    tables = make_tables(3)
    groups = {"pairs": [["plan", "area"]], "personas": {"Farmer": {"area": ["rural"]}}}
    _, found = adjust(tables, ["area"], **groups)
    assert set(found["segment"]) == {"plan"}
    _, found = adjust(tables, ["area", "plan"], **groups)
    assert set(zip(found["segment"], found["level"], strict=True)) >= {
        ("persona", "Farmer"),
        ("area", "city"),
    }
    assert "plan x area" not in set(found["segment"])
    assert adjust(tables, [])[1].empty
