"""Months against months: limits as published, changes and seasons that are there, alarms seldom false, soon right."""

import numpy as np
import pandas as pd
import pytest
import ruptures
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests

from vocwb import alarms, changes
from vocwb.alarms import warn_early
from vocwb.changes import find_seasons, gather_series, judge_changes, set_limits
from vocwb.errors import SchemaError
from vocwb.schemas import make_findings


def name_months(count: int, first: str = "2023-01") -> list[str]:
    return pd.period_range(first, periods=count, freq="M").astype(str).tolist()


def make_scores(values, *, error=1.0, name: str = "s00") -> pd.DataFrame:
    return pd.DataFrame({"series": name, "month": name_months(len(values)), "value": values, "error": error})


def make_shares(k, n, name: str = "t00") -> pd.DataFrame:
    return pd.DataFrame({"series": name, "month": name_months(len(k)), "k": k, "n": n})


def draw_scores(rng, series: int, months: int, *, between: float = 0.0) -> pd.DataFrame:
    errors = np.exp(rng.normal(0, 0.2, (series, months)))
    values = 50 + rng.normal(size=errors.shape) * np.sqrt(errors**2 + between**2)
    return pd.concat(
        make_scores(value, error=error, name=f"s{row:02}")
        for row, (value, error) in enumerate(zip(values, errors, strict=True))
    )


# Montgomery, Introduction to Statistical Quality Control: cans of orange juice that leak, 30 samples of 50.
CANS = [
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6
]  # fmt: skip


def test_limits_are_the_p_chart_of_the_textbook_times_laneys_factor():
    """Montgomery prints centre 0.2313 and limits 0.0524 and 0.4102; Laney 2002 widens them by the moving range of z."""
    charted = set_limits(make_shares(CANS, 50))
    assert charted["centre"].tolist() == pytest.approx([23.13] * 30, abs=0.005)
    scores = (np.array(CANS) / 50 - 0.23133) / np.sqrt(0.23133 * 0.76867 / 50)
    factor = np.abs(np.diff(scores)).mean() / 1.128
    assert charted["high"].iloc[0] == pytest.approx(23.13 + factor * (41.02 - 23.13), abs=0.05)
    assert charted["low"].iloc[0] == pytest.approx(max(0, 23.13 - factor * (23.13 - 5.24)), abs=0.05)
    assert charted["outside"].sum() == 0


def test_limits_of_scores_are_the_individuals_chart():
    values = np.array([5.1, 4.8, 5.3, 5.0, 4.7, 5.2, 5.1, 4.9, 9.0, 5.0])
    charted = set_limits(make_scores(values, error=0.2))
    half = 3 * np.abs(np.diff(values)).mean() / 1.128
    assert charted["high"].tolist() == pytest.approx([values.mean() + half] * 10)
    assert charted["low"].tolist() == pytest.approx([values.mean() - half] * 10)
    wider = set_limits(make_scores(values, error=[0.2] * 9 + [0.4]))
    assert (wider["high"] - wider["centre"]).iloc[-1] == pytest.approx(
        2 * (wider["high"] - wider["centre"]).iloc[0]
    )


def test_few_months_have_no_limits_and_no_change():
    few = make_scores([1.0, 2, 1, 2, 1, 2, 50], error=0.1)
    assert set_limits(few)[["low", "high"]].isna().all(axis=None)
    found = judge_changes(few, smallest=1).squeeze()
    assert found["verdict"] == changes.TOO_FEW and found["changes"] == []
    assert judge_changes(few.head(0), smallest=1).empty and set_limits(few.head(0)).empty


def test_a_lasting_change_is_found_in_its_month_and_sized():
    rng = np.random.default_rng(0)
    found = judge_changes(
        make_scores(50 + rng.normal(size=24) + 6 * (np.arange(24) >= 14)), smallest=1
    ).squeeze()
    assert found["verdict"] == changes.CHANGE and found["changes"] == ["2024-03"] == [found["month"]]
    assert found["low"] < 6 < found["high"] and found["after"] - found["before"] == pytest.approx(
        found["difference"]
    )
    assert found["p"] < 0.01


def test_several_changes_stand_where_ruptures_puts_them():
    rng = np.random.default_rng(1)
    values = np.repeat([50, 60, 45], 12) + rng.normal(size=36)
    found = judge_changes(make_scores(values), smallest=1).squeeze()
    places = ruptures.Dynp(model="l2", min_size=2, jump=1).fit(values).predict(n_bkps=2)[:-1]
    assert found["changes"] == [name_months(36)[place] for place in places] == ["2024-01", "2025-01"]
    assert found["month"] == "2025-01" and found["difference"] == pytest.approx(-15, abs=1.5)


def test_nothing_is_claimed_of_steady_series_nor_of_single_outliers():
    rng = np.random.default_rng(2)
    table = pd.concat(
        [
            draw_scores(rng, 60, 24),
            draw_scores(rng, 60, 24, between=1.5).replace({"series": r"^s"}, "v", regex=True),
        ]
    )
    found = judge_changes(table, smallest=4)
    assert (found["p"] <= 0.05).mean() < 0.09 and found["verdict"].ne(changes.CHANGE).all()
    spike = np.where(np.arange(24) == 10, 58.0, 50 + rng.normal(size=24))
    assert judge_changes(make_scores(spike), smallest=4).squeeze()["verdict"] != changes.CHANGE


def test_without_evidence_the_verdict_depends_on_what_could_have_been_seen():
    rng = np.random.default_rng(3)
    series = make_scores(50 + rng.normal(size=16))
    assert judge_changes(series, smallest=5)["verdict"].item() == changes.NO_CHANGE
    assert judge_changes(series, smallest=0.5)["verdict"].item() == changes.TOO_FEW
    both = pd.concat([series, series.assign(series="s01")])
    verdicts = judge_changes(both, smallest={"s00": 5, "s01": 0.5}).set_index("series")["verdict"]
    assert verdicts.to_dict() == {"s00": changes.NO_CHANGE, "s01": changes.TOO_FEW}
    quiet = judge_changes(make_shares([0] * 12, 40), smallest=1).squeeze()
    assert quiet["verdict"] == changes.NO_CHANGE and quiet["low"] < quiet["difference"] == 0 < quiet["high"]
    assert judge_changes(make_shares([0] * 12, 40), smallest=0.1)["verdict"].item() == changes.TOO_FEW


def test_a_season_is_found_and_is_no_change():
    rng = np.random.default_rng(4)
    season = 8 * (np.arange(36) % 12 >= 10)
    table = pd.concat(
        [make_scores(50 + rng.normal(size=36) + season), make_scores(rng.normal(size=36), name="s01")]
    )
    found = find_seasons(table).set_index("series")
    assert found["seasonal"].to_dict() == {"s00": True, "s01": False} and found.loc["s00", "peak"] in (11, 12)
    assert find_seasons(table[table["month"] < "2024-12"])["p"].isna().all()
    assert judge_changes(table, smallest=4)["verdict"].ne(changes.CHANGE).all()
    charted = set_limits(table).set_index(["series", "month"])
    assert charted.loc[("s00", "2025-12"), "centre"] - charted.loc[("s00", "2025-06"), "centre"] > 5
    assert not charted.loc["s00", "outside"].any()
    shifted = table.assign(value=table["value"] + 6 * (table["month"] >= "2024-06"))
    found = judge_changes(shifted, smallest=4).set_index("series")
    assert found["verdict"].eq(changes.CHANGE).all()
    assert found.loc["s00", "difference"] == pytest.approx(6, abs=2)


def test_rows_may_come_in_any_order_and_the_same_seed_gives_the_same():
    table = draw_scores(np.random.default_rng(5), 4, 26)
    mixed = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(judge_changes(mixed, smallest=1), judge_changes(table, smallest=1))
    pd.testing.assert_frame_equal(warn_early(mixed, month="2025-02"), warn_early(table, month="2025-02"))


def test_a_table_that_is_none_is_refused():
    with pytest.raises(SchemaError, match="k with n or value with error"):
        judge_changes(make_scores([1.0] * 12).drop(columns="error"), smallest=1)
    with pytest.raises(SchemaError, match=r"'s00' has month '2023-01' twice"):
        warn_early(pd.concat([make_scores([1.0]), make_scores([2.0])]), month="2023-01")
    with pytest.raises(SchemaError, match="rise, fall, either"):
        warn_early(make_scores([1.0] * 26), month="2025-02", direction="up")


def test_series_are_read_from_findings():
    share = {"subject": "T0001", "measure": "share", "unit": "%"}
    score = {"subject": "nps", "measure": "nps", "unit": "points", "value": 20.0, "n": 90}
    rows = [
        share | {"period": "2025-01", "value": 12.5, "low": 9.0, "high": 16.0, "n": 400},
        share | {"period": "2025-02", "value": 3.0, "n": 20, "unit": "count"},
        share | {"period": "2025-03", "n": 2, "verdict": "hidden"},
        share | {"period": "2025-02 vs before", "measure": "difference", "unit": "pp", "value": 3.0},
        score | {"period": "2025-01", "low": 10.2, "high": 29.8},
        score | {"period": "2025-02"},
    ]
    findings = make_findings(
        [row | {"claim": "", "method": ""} for row in rows], section="topics", month="2025-03"
    )
    found = gather_series(findings)
    shares = found[found["measure"] == "share"]
    assert shares[["month", "k", "n"]].values.tolist() == [["2025-01", 50, 400], ["2025-02", 3, 20]]
    score = found[found["measure"] == "nps"].squeeze()
    assert score["value"] == 20 and score["error"] == pytest.approx(5) and np.isnan(score["k"])
    assert found["series"].nunique() == 2


def test_a_rise_and_a_fall_raise_the_alarm_and_direction_says_which_is_looked_at():
    rng = np.random.default_rng(6)
    values = 50 + rng.normal(size=25)
    table = pd.concat(
        [make_scores([*values[:-1], 57], name="s00"), make_scores([*values[:-1], 43], name="s01")]
    )
    table = pd.concat([table, make_shares([*rng.binomial(400, 0.1, 24), 80], 400)])
    found = warn_early(table, month="2025-01").set_index("series")
    assert (
        found["verdict"].to_dict() == {"s00": "rises", "s01": "falls", "t00": "rises"}
        and found["alarm"].all()
    )
    assert found.loc["t00", "value"] == 20 and found.loc["t00", "expected"] == pytest.approx(10, abs=0.7)
    assert (found["months"] == 24).all() and (found.loc["s00", "low"] < 50 < found.loc["s00", "high"])
    rises = warn_early(table, month="2025-01", direction="rise").set_index("series")
    assert rises["alarm"].to_dict() == {"s00": True, "s01": False, "t00": True}
    falls = warn_early(table, month="2025-01", direction={"s00": "fall", "s01": "fall", "t00": "either"})
    assert falls["alarm"].tolist() == [False, True, True]
    assert not warn_early(table, month="2024-12")["alarm"].any()


def test_p_is_adjusted_over_all_series_by_holm():
    table = draw_scores(np.random.default_rng(7), 12, 25)
    found = warn_early(table, month="2025-01")
    assert found["p_adjusted"].tolist() == pytest.approx(
        multipletests(found["p"], method="holm")[1].tolist(), abs=1e-8
    )


def test_where_months_vary_by_sampling_alone_p_is_near_that_of_the_known_test():
    """Many series that vary no more than they should: what is known of them all makes it Fisher's mid-p, at 25%."""
    rng = np.random.default_rng(8)
    behind = rng.binomial(400, 0.1, (60, 24))
    table = pd.concat(make_shares([*k, 40], 400, f"t{row:02}") for row, k in enumerate(behind))
    table.loc[(table["series"] == "t00") & (table["month"] == "2025-01"), "k"] = 64
    p = warn_early(table, month="2025-01", direction="rise").set_index("series").loc["t00", "p"]
    base = behind[0, :-1].sum()
    exact = scipy_stats.hypergeom(400 * 24, base + 64, 400)
    known = (exact.sf(64) + exact.pmf(64) / 2) / 0.25
    assert known / 3 < p < known * 5


def test_a_topic_that_was_never_there_and_rare_ones_are_judged_by_counts():
    rng = np.random.default_rng(9)
    table = pd.concat(
        [make_shares([0] * 24 + [9], 300, "new"), make_shares([0] * 24 + [1], 300, "once"),
         make_shares([*rng.binomial(300, 0.01, 24), 0], 300, "gone")]
    )  # fmt: skip
    found = warn_early(table, month="2025-01").set_index("series")["alarm"]
    assert found.to_dict() == {"gone": False, "new": True, "once": False}


def test_months_that_vary_beyond_sampling_raise_the_threshold():
    rng = np.random.default_rng(10)
    assert not warn_early(make_scores([*[45, 56, 49, 42, 58, 50] * 4, 57]), month="2025-01")["alarm"].any()
    assert warn_early(make_scores([*(50 + rng.normal(size=24)), 57]), month="2025-01")["alarm"].all()


def test_what_was_so_in_the_same_month_of_earlier_years_is_no_alarm():
    rng = np.random.default_rng(11)
    season = 7 * (np.arange(36) % 12 == 11)
    table = pd.concat(
        make_scores(50 + rng.normal(size=36) + (season if row < 3 else 0), name=f"s{row:02}")
        for row in range(12)
    )
    assert not warn_early(table, month="2025-12")["alarm"].any()
    early = table.assign(
        value=table["value"] + 7 * ((table["month"] == "2025-10") & (table["series"] == "s05"))
    )
    assert warn_early(early, month="2025-10").query("alarm")["series"].tolist() == ["s05"]


def test_too_few_months_a_gap_and_a_missing_month():
    rng = np.random.default_rng(12)
    table = make_scores(50 + rng.normal(size=25))
    short = warn_early(table.tail(11), month="2025-01").squeeze()
    assert short["verdict"] == changes.TOO_FEW and np.isnan(short["p"]) and short["months"] == 10
    gaps = table[~table["month"].isin(["2024-12", "2023-07", "2024-03"])].copy()
    gaps.loc[gaps["month"] == "2025-01", "value"] = 58
    found = warn_early(gaps, month="2025-01").squeeze()
    assert found["verdict"] == "rises" and found["months"] == 21
    assert warn_early(table, month="2025-02")["verdict"].tolist() == [changes.TOO_FEW]
    assert warn_early(table.head(0), month="2025-01").empty


def test_false_alarms_are_rare_and_shifts_of_four_standard_errors_soon_found():
    rng = np.random.default_rng(13)
    false, found = [], []
    for between in (0.0, 1.0):
        for _ in range(8):
            table = draw_scores(rng, 30, 26, between=between)
            shift = 4 * np.sqrt(1 + between**2) * ((table["month"] >= "2025-01") & (table["series"] == "s00"))
            for month in ("2025-01", "2025-02"):
                false.append(warn_early(table, month=month)["alarm"].any())
            moved = table.assign(value=table["value"] + shift)
            looks = [
                warn_early(moved, month=month).set_index("series")["alarm"]
                for month in ("2025-01", "2025-02")
            ]
            found.append(looks[0]["s00"] or looks[1]["s00"])
    assert scipy_stats.binomtest(int(np.sum(false)), len(false)).proportion_ci().low <= 0.05
    assert (
        scipy_stats.binomtest(int(np.sum(found)), len(found)).proportion_ci().high >= 0.9
        and np.mean(found) >= 0.75
    )


@pytest.mark.parametrize("mean, variance", [(4.0, 9.0), (40.0, 40.5), (5.0, 4.0)])
def test_tails_are_those_of_the_negative_binomial_and_the_binomial(mean, variance):
    if variance > mean:
        chance = mean / variance
        exact = scipy_stats.nbinom(mean * chance / (1 - chance), chance)
    else:
        exact = scipy_stats.binom(round(mean / (1 - variance / mean)), 1 - variance / mean)
    k = np.arange(0, 15)
    expected = exact.sf(k) + exact.pmf(k) / 2
    assert alarms._tail(k, mean, variance) == pytest.approx(expected, abs=1e-8)
