"""Weighted scores: the estimate and interval of a stratified sample, and no figure where a part is unknown."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import SMALL

from vocwb import stats
from vocwb.errors import ProgrammeError, SchemaError
from vocwb.programme import parse_programme
from vocwb.understand.weights import weigh_means, weigh_scores, weigh_shares

MONTH = "2025-03"
NPS = SimpleNamespace(label="Recommend?", low=0, high=10, metric="nps")
CSAT = SimpleNamespace(label="Satisfied?", low=1, high=5, metric="csat")
SHARES = {"free": 0.8, "paid": 0.2}


def ask(free=100, paid=100, seed=0):
    rng = np.random.default_rng(seed)
    n = free + paid
    responses = pd.DataFrame({
        "response_id": [f"r{i:04}" for i in range(n)], "respondent_id": None, "month": MONTH, "voice": "customer",
        "duplicate_of": None, "plan": ["free"] * free + ["paid"] * paid,
        "nps": np.concatenate([rng.integers(0, 10, free), rng.integers(6, 11, paid)]).astype(float),
        "csat": np.concatenate([rng.integers(1, 5, free), rng.integers(3, 6, paid)]).astype(float),
    })  # fmt: skip
    feedback = pd.DataFrame(
        {
            "feedback_id": "f" + responses["response_id"],
            "response_id": responses["response_id"],
            "duplicate_of": None,
        }
    )
    return responses, feedback


def weigh(tables, weights=None, questions=None, **more):
    weights = weights or {"plan": SHARES}
    return weigh_scores(*tables, questions or {"nps": NPS}, weights, month=MONTH, minimum=5, **more)


def test_a_weighted_mean_is_that_of_the_levels_by_their_shares():
    """Variance within levels: statsmodels' HC2 of a regression on the levels, which is s²/n of each level exactly."""
    responses, _ = ask(150, 60)
    value, low, high = weigh_means(responses["csat"], responses["plan"], SHARES)
    design = pd.get_dummies(responses["plan"]).astype(float)
    fitted = sm.OLS(responses["csat"], design).fit(cov_type="HC2")
    found = fitted.t_test([0.8, 0.2])
    assert value == pytest.approx(found.effect.item())
    assert (low + high) / 2 == pytest.approx(value)
    assert (high - low) / 2 == pytest.approx(
        1.96 * found.sd.item(), rel=0.03
    )  # t, of some 150 degrees of freedom


def test_the_degrees_of_freedom_are_those_of_welch():
    a, b = [1.0, 2, 3, 4, 9], [2.0, 2, 4, 5, 6, 7, 7]
    value, low, high = weigh_means(a + b, ["a"] * 5 + ["b"] * 7, {"a": 0.5, "b": 0.5})
    # Half of (a - (-b)), so half of Welch's interval of a against -b.
    difference, less, more, _ = stats.compare_means(a, [-x for x in b])
    assert (value, low, high) == pytest.approx((difference / 2, less / 2, more / 2))


def test_repeated_respondents_widen_the_interval():
    responses, _ = ask(60, 60)
    again = pd.concat([responses] * 3)
    people = np.tile(np.arange(120), 3)
    assert weigh_means(again["csat"], again["plan"], SHARES, people) == pytest.approx(
        weigh_means(responses["csat"], responses["plan"], SHARES), rel=1e-9
    )


def test_weighted_shares_with_equal_weights_are_wilsons():
    hits, levels = [True] * 30 + [False] * 70, (["a"] * 50 + ["b"] * 50)
    mixed = [hits[(7 * i) % 100] for i in range(100)]
    share, low, high = weigh_shares(mixed, levels, {"a": 0.5, "b": 0.5})
    expected = stats.share_interval(30, 100)
    assert (share, low, high) == pytest.approx((0.3, expected[0].item(), expected[1].item()), abs=0.002)
    all_hits = weigh_shares([True] * 100, levels, {"a": 0.5, "b": 0.5})
    assert all_hits == pytest.approx((1, stats.share_interval(100, 100)[0].item(), 1))


def test_weights_bring_an_uneven_sample_back_to_its_population():
    """One in ten of the population pays, every second answer is theirs: the interval holds the truth in 95 of 100."""
    rng, hits = np.random.default_rng(9), 0
    for _ in range(400):
        answers = np.concatenate([rng.random(60) < 0.3, rng.random(60) < 0.8])
        _, low, high = weigh_shares(answers, ["free"] * 60 + ["paid"] * 60, {"free": 0.9, "paid": 0.1})
        hits += low <= 0.9 * 0.3 + 0.1 * 0.8 <= high
    assert 0.92 <= hits / 400 <= 0.98


def test_the_weighted_figure_stands_beside_the_unweighted():
    tables = ask()
    found = weigh(tables, questions={"nps": NPS, "csat": CSAT})
    assert found["measure"].tolist() == ["nps_weighted", "csat_mean_weighted", "csat_top2_weighted"]
    means = tables[0].groupby("plan")["csat"].mean()
    row = found.iloc[1]
    assert row["value"] == pytest.approx(0.8 * means["free"] + 0.2 * means["paid"])
    assert row["compared_value"] == pytest.approx(tables[0]["csat"].mean()) and row["n"] == 200
    assert f"Unweighted: {row['compared_value']:.2f}" in row["claim"] and len(row["feedback_ids"]) == 200
    assert (row["segment"], row["section"]) == ("plan", "scores")


def test_row_order_and_duplicates_change_nothing():
    responses, feedback = ask()
    copies = responses.head(50).assign(
        response_id=lambda x: "c" + x["response_id"], duplicate_of="x", nps=10.0
    )
    more = pd.concat([responses, copies]).sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(weigh((more, feedback)), weigh((responses, feedback)), check_exact=True)


@pytest.mark.parametrize(
    ("paid", "plan", "says"),
    [
        (0, "paid", "fewer than 5 respondents are of plan paid"),
        (4, "paid", "fewer than 5 respondents are of plan paid"),
        (50, "gold", "the population's share of plan gold is not declared"),
    ],
)
def test_a_part_that_is_not_known_is_not_guessed(paid, plan, says):
    responses, feedback = ask(100, paid)
    others = responses.head(20).assign(
        response_id=lambda x: "x" + x["response_id"], plan=plan, month="2025-01"
    )
    if plan == "gold":
        others = others.assign(month=MONTH)
    row = weigh((pd.concat([responses, others]), feedback)).squeeze()
    assert (
        row["verdict"] == stats.TOO_FEW
        and pd.isna(row["value"])
        and f"not weighted, because {says}" in row["claim"]
    )


def test_a_level_that_no_response_has_is_a_mistake_in_the_programme():
    with pytest.raises(SchemaError, match=r"no response has plan 'payed'(.|\n)*free, paid"):
        weigh(ask(), {"plan": {"free": 0.8, "payed": 0.2}})
    with pytest.raises(SchemaError, match="'age' is no column"):
        weigh(ask(), {"age": {"old": 1.0}})


def test_answers_without_a_level_are_left_out_and_counted():
    responses, feedback = ask()
    responses.loc[:9, "plan"] = None
    row = weigh((responses, feedback)).squeeze()
    assert row["n"] == 190 and "10 answers without a known plan are left out" in row["claim"]


def test_populations_are_pooled_only_by_their_weights():
    responses, feedback = ask()
    responses["population"] = np.where(responses["plan"] == "paid", "members", "all")
    responses["plan"] = ["free", "paid"] * 100
    apart = weigh((responses, feedback))
    assert apart["level"].tolist() == ["all", "members"]
    pooled = weigh((responses, feedback), {"population": {"all": 0.7, "members": 0.3}}).squeeze()
    points = pd.Series(np.select([responses["nps"] >= 9, responses["nps"] <= 6], [100, -100], 0))
    means = points.groupby(responses["population"]).mean()
    assert pooled["value"] == pytest.approx(0.7 * means["all"] + 0.3 * means["members"])


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("weights: {plan: {free: 0.8, paid: 0.1}}", "shares of 'plan' sum to 0.9, not to 1"),
        ("weights: {age: {old: 1}}", "'age' is no segment; there are: plan, population"),
        ("weights: {plan: {free: 1.2, paid: -0.2}}", "greater than 0"),
    ],
)
def test_weights_that_are_none_are_refused(lines, says):
    with pytest.raises(ProgrammeError) as error:
        parse_programme(SMALL.replace("sources:", f"{lines}\nsources:"), name="small")
    assert says in str(error.value)
