"""Differences that turn round: against statsmodels, a published example, and planted ones."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.contingency_tables import StratifiedTable

from vocwb import stats
from vocwb.explain.paradoxes import find_paradoxes

CSAT = {"csat": SimpleNamespace(label="Satisfied?", low=1, high=5, metric="csat")}
SEGMENTS = {"delivery": "Delivery", "area": "Area"}
_COLUMNS = [
    "feedback_id",
    "response_id",
    "respondent_id",
    "codebook_id",
    "topic",
    "language",
    "name",
    "voice",
]
NONE = pd.DataFrame({name: pd.Series(dtype="str") for name in [*_COLUMNS, *SEGMENTS]})


def test_adjust_difference_is_the_cluster_robust_regression_of_statsmodels():
    rng = np.random.default_rng(0)
    strata, people = rng.integers(0, 6, 400), rng.integers(0, 150, 400)
    inside = rng.random(400) < 0.2 + 0.1 * strata
    values = strata + 0.3 * inside + rng.normal(size=150)[people] + rng.normal(size=400)
    design = np.column_stack([inside, strata[:, None] == np.arange(6)]).astype(float)
    fitted = sm.OLS(values, design).fit(cov_type="cluster", cov_kwds={"groups": people}, use_t=True)
    expected = (fitted.params[0], *fitted.conf_int()[0], fitted.pvalues[0])
    assert stats.adjust_difference(values, inside, strata, people) == pytest.approx(expected, abs=1e-8)


# Charig et al. 1986, BMJ 292: kidney stones removed by open surgery and by puncture, small stones and large ones.
STONES = {"small": ((81, 87), (234, 270)), "large": ((192, 263), (55, 80))}


def lay_out_stones() -> pd.DataFrame:
    rows = []
    for size, ((hits, n), (other_hits, other_n)) in STONES.items():
        rows += [(size, "open", row < hits) for row in range(n)]
        rows += [(size, "puncture", row < other_hits) for row in range(other_n)]
    return pd.DataFrame(rows, columns=["area", "delivery", "removed"])


def test_adjust_difference_is_mantel_and_haenszels_risk_difference():
    stones = lay_out_stones()
    above = below = 0
    for (hits, n), (other_hits, other_n) in STONES.values():
        above += (hits * other_n - other_hits * n) / (n + other_n)
        below += n * other_n / (n + other_n)
    found = stats.adjust_difference(stones["removed"], stones["delivery"] == "open", stones["area"])
    assert found[0] == pytest.approx(above / below, abs=1e-8)
    tables = [np.array([[h, n - h], [k, m - k]]) for (h, n), (k, m) in STONES.values()]
    assert StratifiedTable(tables).oddsratio_pooled > 1 and found[0] > 0
    pooled = stats.adjust_difference(stones["removed"], stones["delivery"] == "open")
    assert pooled[0] == pytest.approx(273 / 350 - 289 / 350, abs=1e-8)


def make_responses(score, delivery, area) -> pd.DataFrame:
    size = len(score)
    return pd.DataFrame(
        {
            "response_id": [f"r{row:05}" for row in range(size)], "month": "2025-01", "voice": "customer",
            "respondent_id": pd.Series([None] * size, dtype="str"), "duplicate_of": None,
            "csat": np.asarray(score, dtype=float),
            "delivery": pd.Series(delivery, dtype="str"), "area": pd.Series(area, dtype="str"),
        }
    )  # fmt: skip


def plant(seed: int, *, size: int = 1200, gain: float = 0.5, loss: float = 1.5) -> pd.DataFrame:
    """Express is chosen in the country, where all are less content, though express is better everywhere."""
    rng = np.random.default_rng(seed)
    rural = rng.random(size) < 0.5
    express = rng.random(size) < np.where(rural, 0.8, 0.2)
    score = np.clip(np.round(4.2 - loss * rural + gain * express + rng.normal(0, 0.9, size)), 1, 5)
    return make_responses(score, np.where(express, "express", "standard"), np.where(rural, "rural", "city"))


def find(responses, opinions=NONE, assignments=NONE, codebook=NONE, questions=CSAT):
    return find_paradoxes(
        responses, opinions, assignments, codebook, questions, SEGMENTS, month="2025-01", minimum=5
    )


def test_a_planted_paradox_is_found_and_told():
    responses = plant(1)
    found = find(responses, responses.assign(feedback_id="f" + responses["response_id"], language="en"))
    row = found[(found["level"] == "express, within area") & (found["measure"] == "paradox")].squeeze()
    assert row["value"] < 0 < row["low"] < row["difference"] and row["measure"] == "paradox"
    scores = responses.groupby("delivery")["csat"].mean()
    assert row["value"] == pytest.approx(scores["express"] - scores["standard"])
    express = responses[responses["delivery"] == "express"]
    assert row["feedback_ids"] == sorted("f" + express["response_id"]) and row["n"] == len(express)
    for level, own in responses.groupby("area"):
        part = own.groupby("delivery")["csat"].mean()
        assert f"{level} {part['express'] - part['standard']:+.2f}" in row["claim"]


def test_what_a_paradox_is_made_of_has_intervals_and_quotes_of_its_own():
    responses = plant(1)
    found = find(responses, responses.assign(feedback_id="f" + responses["response_id"], language="en"))
    express = found[found["level"].str.startswith("express")].set_index(["measure", "level"])
    whole = express.loc[("paradox_over_all", "express, within area")]
    assert whole["difference"] == express.loc[("paradox", "express, within area"), "value"]
    assert whole["low"] < whole["difference"] < whole["high"] < 0
    for level, own in responses.groupby("area"):
        part = express.loc[("paradox_within", f"express, within area: {level}")]
        here = own[own["delivery"] == "express"]
        assert part["feedback_ids"] == sorted("f" + here["response_id"]) and part["n"] == len(here)
        assert part["difference"] == pytest.approx(
            here["csat"].mean() - own.loc[own["delivery"] != "express", "csat"].mean()
        )
        assert 0 < part["low"] < part["difference"] < part["high"]


def test_a_stratum_whose_size_would_tell_of_a_small_one_is_not_shown():
    responses = plant(1)
    few = responses.head(3).assign(response_id=["x1", "x2", "x3"], area="island")
    found = find(pd.concat([responses, few]))
    parts = found[found["measure"] == "paradox_within"]
    both = found[found["measure"] == "paradox"]
    assert len(both) == len(parts) == 2 and not parts["level"].str.endswith("island").any()


def test_the_kidney_stones_are_no_paradox_beyond_chance():
    """The difference over all, 5 points of a hundred, has an interval that holds zero."""
    stones = lay_out_stones()
    assert find(make_responses(1 + 4 * stones["removed"], stones["delivery"], stones["area"])).empty


def test_nothing_is_claimed_where_nothing_turns_round():
    claims = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        score, delivery, area = (
            rng.integers(1, 6, 400),
            rng.choice(["a", "b"], 400),
            rng.choice([*"xyz"], 400),
        )
        claims += len(find(make_responses(score, delivery, area))) > 0
        claims += len(find(plant(seed, gain=0.0))) > 0
    assert claims <= 4
    # The area makes it larger than it is, and turns nothing round.
    assert find(plant(3, gain=-0.6)).empty


def test_a_topic_may_turn_round_too_and_quotes_are_those_that_mention_it():
    rng = np.random.default_rng(4)
    rural = rng.random(3000) < 0.5
    express = rng.random(3000) < np.where(rural, 0.85, 0.15)
    mentions = rng.random(3000) < 0.1 + 0.5 * rural - 0.09 * express
    opinions = make_responses(
        np.full(3000, 3), np.where(express, "express", "standard"), np.where(rural, "rural", "city")
    )
    opinions = opinions.assign(feedback_id="f" + opinions["response_id"], language="en").drop(columns="csat")
    assigned = opinions[["feedback_id"]].assign(codebook_id="c", topic=np.where(mentions, "T0001", "T0000"))
    codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "language": "en", "name": "late"})
    # What was not looked at, and so has no assignment, is no part of it.
    unseen = opinions.head(40).assign(feedback_id=[f"a{row}" for row in range(40)])
    opinions = pd.concat([unseen, opinions], ignore_index=True)
    found = find(opinions, opinions, assigned, codebook, {})
    row = found[(found["level"] == "express, within area") & (found["measure"] == "paradox")].squeeze()
    assert (
        row["subject"] == "T0001"
        and row["unit"] == "pp"
        and row["value"] > 10
        and -15 < row["difference"] < -4
    )
    assert row["feedback_ids"] == opinions["feedback_id"][40:][mentions & express].tolist()
    shuffled = [table.sample(frac=1, random_state=1) for table in (opinions, opinions, assigned)]
    pd.testing.assert_frame_equal(find(*shuffled, codebook, {}), found)


def test_sides_under_thirty_are_not_compared():
    responses = plant(5)
    express = responses["delivery"] == "express"
    assert len(find(responses)) and find(pd.concat([responses[express].head(29), responses[~express]])).empty
    assert find(responses.head(0)).empty
