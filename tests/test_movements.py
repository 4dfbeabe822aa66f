"""Movements in words: what stands out, since when, and silence where there is too little to say."""

import numpy as np
import pandas as pd
import pytest

from vocwb.changes import CHANGE, NO_CHANGE
from vocwb.schemas import make_findings
from vocwb.share.rows import prepare_rows
from vocwb.share.sections_time import lay_limits, read_movements
from vocwb.stats import TOO_FEW
from vocwb.understand.movements import list_series, tally_movements, tell_movements

SMALLEST = {"share": 5, "nps": 5, "mean": 0.2}
NAMES = {"T0001": "Late parcels", "T0002": "<b>Rude</b>", "csat": "Satisfied?"}


def name_months(count: int, first: str = "2024-01") -> list[str]:
    return pd.period_range(first, periods=count, freq="M").astype(str).tolist()


def make_shares(subject, shares, n=400, first="2024-01"):
    return [
        {"period": month, "subject": subject, "measure": "share", "unit": "%", "n": n, "value": float(share),
         "low": share - 3.0, "high": share + 3.0, "claim": "", "method": "", "feedback_ids": [f"{subject}-{month}"]}
        for month, share in zip(name_months(len(shares), first), shares, strict=True)
    ]  # fmt: skip


def steady(seed: int, count: int, level: float = 12.0) -> np.ndarray:
    return np.round(level + np.random.default_rng(seed).normal(0, 1.5, count), 1)


def tell(rows, month="2025-12", section="topics", **options):
    findings = make_findings(rows, section=section, month=month)
    return tell_movements(findings, month=month, smallest=SMALLEST, names=NAMES, **options), findings


def pick(found, measure, subject):
    return found[found["measure"].eq(measure) & found["subject"].eq(subject)].squeeze()


def test_a_rise_of_this_month_alarms_and_opens_what_was_said_in_it():
    shares = steady(0, 24)
    shares[-1] = 31.0
    found, _ = tell(make_shares("T0001", shares) + make_shares("T0002", steady(1, 24)))
    row = pick(found, "early_warning", "T0001")
    assert (
        row["verdict"] == CHANGE
        and row["value"] == 31.0
        and (row["low"], row["high"], row["n"]) == (28, 34, 400)
    )
    assert row["compared_value"] == pytest.approx(12, abs=1.5) and row["feedback_ids"] == ["T0001-2025-12"]
    assert "“Late parcels”, 2025-12: rises: 31.0%" in row["claim"] and "n = 400" in row["claim"]
    calm = pick(found, "early_warning", "T0002")
    assert calm["verdict"] == NO_CHANGE and "“<b>Rude</b>”" in calm["claim"] and "rises" not in calm["claim"]


def test_a_lasting_change_is_dated_sized_and_rests_on_what_was_said_since():
    shares = steady(2, 24) + np.where(np.arange(24) >= 14, 9.0, 0.0)
    found, _ = tell(make_shares("T0001", shares))
    row = pick(found, "change_point", "T0001")
    assert row["verdict"] == CHANGE and row["period"] == "2025-03..2025-12" and row["unit"] == "pp"
    assert row["low"] < 9 < row["high"] and row["value"] - row["compared_value"] == pytest.approx(
        row["difference"]
    )
    assert (row["n"], row["compared_n"]) == (10 * 400, 14 * 400)
    assert row["feedback_ids"] == [f"T0001-{month}" for month in name_months(24)[14:]]
    assert "since 2025-03" in row["claim"] and "percentage points" in row["claim"]


def test_no_change_is_told_in_percentages_of_under_thirty():
    shares = np.repeat([50.0, 10.0], 5)
    found, _ = tell(make_shares("T0001", shares, n=5), month="2024-10")
    row = pick(found, "change_point", "T0001")
    assert row["verdict"] == TOO_FEW and "25 on one side of 2024-06" in row["claim"]
    assert row[["value", "difference", "n"]].isna().all() and "%" not in row["claim"]
    found, _ = tell(make_shares("T0001", shares, n=400), month="2024-10")
    assert pick(found, "change_point", "T0001")["verdict"] == CHANGE


def test_each_of_two_changes_begins_a_level():
    shares = np.repeat([10.0, 25.0, 4.0], 8) + steady(3, 24, 0.0)
    found, findings = tell(make_shares("T0001", shares))
    largest = pick(found, "change_point", "T0001")
    other = pick(found, "change_also", "T0001")
    assert largest["period"] == "2025-05..2025-12" and largest["compared_n"] == 8 * 400
    assert other["period"] == "2024-09..2025-04" and "2024-09" in other["claim"]
    laid = lay_limits(prepare_rows(pd.concat([findings, found])))
    assert laid[0].loc[laid[0]["changed"], "period"].tolist() == ["2024-09", "2025-05"]


def test_few_months_are_told_to_be_few_and_claim_nothing():
    found, findings = tell(make_shares("T0001", [*steady(4, 6), 60.0]), month="2024-07")
    assert set(found["verdict"]) == {TOO_FEW} and found["claim"].str.contains("12|8").all()
    assert "1 have too few months behind them (12 are needed)" in tally_movements(found)
    told = read_movements(prepare_rows(pd.concat([findings, found])), None)
    assert (
        not told["alarms"]
        and not told["changes"]
        and not told["charts"]
        and "12 are needed" in told["summary"]
    )


def test_without_months_there_is_nothing_to_follow():
    row = make_shares("T0001", [12.0])[0] | {"period": "all"}
    found, _ = tell([row], month="all")
    assert found.empty and "no months" in tally_movements(found)


def test_hidden_months_stand_in_no_series_and_small_ones_are_counts():
    rows = make_shares("T0001", steady(5, 24))
    rows[3] = {key: rows[3][key] for key in ("period", "subject", "measure", "unit", "claim", "method")}
    rows[-1] |= {"value": 15, "n": 20, "unit": "count", "low": None, "high": None}
    found, findings = tell(rows)
    row = pick(found, "early_warning", "T0001")
    assert (
        row["verdict"] == CHANGE
        and row["value"] == 15
        and row["unit"] == "count"
        and "15 of 20" in row["claim"]
    )
    assert "75" not in row["claim"]
    limits = found[found["measure"].eq("control_limits")]
    assert rows[3]["period"] not in set(limits["period"]) and limits.iloc[-1].isna()["compared_value"]
    drawn = lay_limits(prepare_rows(pd.concat([findings, found])))[0]
    assert pd.isna(drawn["value"].iloc[-1])


def test_what_fits_no_topic_staff_and_other_figures_are_not_followed():
    rows = make_shares("T0000:en", steady(6, 24)) + make_shares("T0001", steady(7, 24))
    topics = make_findings(rows, section="topics", month="2025-12")
    scores = [row | {"subject": "csat", "measure": measure, "unit": "1-5"} for measure in ("csat_mean", "csat_top2")
              for row in make_shares("csat", steady(8, 24, 4))]  # fmt: skip
    scores = make_findings(scores, section="scores", month="2025-12")
    staff = make_findings(make_shares("T0009", steady(9, 24)), section="staff", month="2025-12")
    series = list_series(pd.concat([topics, scores, staff]), month="2025-12")
    assert set(series["series"]) == {"topics T0001 share", "scores csat csat_mean"}
    assert list_series(topics, month="2025-03")["month"].max() == "2025-03"


def test_the_order_of_rows_does_not_matter():
    rows = make_shares("T0001", steady(10, 26)) + make_shares(
        "T0002", steady(11, 26) + np.arange(26) // 13 * 8
    )
    first, findings = tell(rows, month="2026-02")
    mixed = tell_movements(
        findings.sample(frac=1, random_state=2), month="2026-02", smallest=SMALLEST, names=NAMES
    )
    pd.testing.assert_frame_equal(first, mixed)
