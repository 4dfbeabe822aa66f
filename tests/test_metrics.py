"""Scores: the figure, its n, its interval, month against month, and what is not shown."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from pandas.testing import assert_frame_equal
from scipy import stats as scipy_stats

from vocwb import stats
from vocwb.crosswalk import Index, Question
from vocwb.errors import SchemaError
from vocwb.understand.metrics import ALARM, compute_scores, format_interval, format_value, gather_answers
from vocwb.understand.registry import describe_metric

NPS = SimpleNamespace(label="Recommend us?", low=0, high=10, metric="nps")
CSAT = SimpleNamespace(label="Satisfied?", low=1, high=5, metric="csat")
CES = SimpleNamespace(label="Easy?", low=1, high=7, metric="ces", better="high")
BUY = SimpleNamespace(label="Buy again?", low=0, high=10, metric="loyalty")
OPTIONS = {"minimum": 5, "smallest": {"share": 5, "nps": 5, "mean": 0.2}}


def make_survey(months: dict[str, list[float]], *, column: str = "nps", voice: str = "customer", people=None):
    answers = [(month, answer) for month, given in months.items() for answer in given]
    ids = [f"{voice}{i:05}" for i in range(len(answers))]
    responses = pd.DataFrame(
        {
            "response_id": ids,
            "respondent_id": people or [None] * len(ids),
            "voice": voice,
            "duplicate_of": None,
        }
    )
    responses["month"], responses[column] = zip(*answers, strict=True)
    responses[column] = responses[column].astype(float)
    feedback = pd.DataFrame(
        {"feedback_id": [f"f-{i}" for i in ids], "response_id": ids, "duplicate_of": None}
    )
    return responses, feedback


def take(findings: pd.DataFrame, measure: str, period: str) -> pd.Series:
    return findings[(findings["measure"] == measure) & (findings["period"] == period)].squeeze()


def test_nps_is_promoters_minus_detractors_with_the_known_half_width():
    """NPS +20 of 45% promoters, 30% passives, 25% detractors: 95% half-width 8.0 at n = 400."""
    given = [9, 10] * 90 + [7, 8] * 60 + [0, 6] * 50
    findings = compute_scores(*make_survey({"2025-01": given}), {"nps": NPS}, month="2025-01", **OPTIONS)
    row = take(findings, "nps", "2025-01")
    assert (row["value"], row["n"], row["unit"], row["section"]) == (
        pytest.approx(20),
        400,
        "points",
        "scores",
    )
    assert (row["high"] - row["low"]) / 2 == pytest.approx(8.0, abs=0.1)
    assert "20.0 points (95% interval 11.9 to 27.8), n = 400" in row["claim"]
    assert len(row["feedback_ids"]) == 400


def test_repeated_respondents_widen_the_interval_by_their_design_effect():
    """The design effect is that of statsmodels' cluster-robust variance; the interval is that of so many fewer."""
    rng = np.random.default_rng(1)
    people = [f"p{i // 4}" for i in range(400)]
    given = np.repeat(rng.integers(0, 11, 100), 4)
    tables = make_survey({"2025-01": given.tolist()}, people=people)
    row = take(compute_scores(*tables, {"nps": NPS}, month="2025-01", **OPTIONS), "nps", "2025-01")
    points = np.select([given >= 9, given <= 6], [100, -100], 0)
    fitted = sm.OLS(points, np.ones(400)).fit(
        cov_type="cluster", cov_kwds={"groups": np.repeat(np.arange(100), 4), "use_correction": False}
    )
    size = points.var() / fitted.bse[0] ** 2 * 99 / 100
    assert size == pytest.approx(99)
    shares = [np.mean(points == side) for side in (100, 0, -100)]
    up, down = (size * share + 0.75 for share in shares[::2])
    centre = (up - down) / (size + 3)
    half = 1.96 * np.sqrt(((up + down) / (size + 3) - centre**2) / (size + 3))
    assert row[["low", "high"]].tolist() == pytest.approx(
        [100 * (centre - half), 100 * (centre + half)], abs=0.01
    )


def test_csat_is_a_mean_and_a_top_two_box_under_two_names():
    tables = make_survey({"2025-01": [5, 4, 3, 2] * 25}, column="csat")
    findings = compute_scores(*tables, {"csat": CSAT}, month="2025-01", **OPTIONS)
    mean, box = take(findings, "csat_mean", "2025-01"), take(findings, "csat_top2", "2025-01")
    assert (mean["value"], mean["unit"]) == (3.5, "1-5")
    expected = stats.share_interval(50, 100)
    assert (box["value"], box["unit"]) == (50, "%")
    assert (box["low"], box["high"]) == (
        pytest.approx(100 * expected[0][0]),
        pytest.approx(100 * expected[1][0]),
    )
    assert "CSAT mean 3.50 on the scale 1-5" in mean["claim"] and "CSAT top-2-box 50.0%" in box["claim"]


def test_month_is_compared_with_the_last_month_that_has_answers():
    rng = np.random.default_rng(2)
    older, now = rng.integers(0, 10, 200), rng.integers(5, 11, 150)
    tables = make_survey({"2025-01": older, "2025-04": now, "2025-05": [0] * 50})
    findings = compute_scores(*tables, {"nps": NPS}, month="2025-04", **OPTIONS)
    row = take(findings, "difference", "2025-04 vs 2025-01")
    points = [np.select([x >= 9, x <= 6], [100, -100], 0) for x in (now, older)]
    expected = stats.compare_on_scale(*points, (-100, 100))
    assert row[["difference", "low", "high", "p"]].tolist() == pytest.approx(list(expected))
    assert row["difference"] == pytest.approx(row["value"] - row["compared_value"])
    assert (row["n"], row["compared_n"], row["verdict"]) == (150, 200, stats.EVIDENCE)
    assert len(row["feedback_ids"]) == 350
    assert not findings["period"].str.contains("2025-05").any()


def test_nothing_is_claimed_of_questions_that_did_not_move():
    rng = np.random.default_rng(3)
    claims = []
    for _ in range(60):
        frames = [
            make_survey({m: rng.integers(1, 8, 60) for m in ("2025-01", "2025-02")}, column=f"q{i}")
            for i in range(4)
        ]
        responses = frames[0][0].assign(**{f"q{i}": frame[0][f"q{i}"] for i, frame in enumerate(frames)})
        questions = {f"q{i}": CES for i in range(4)}
        findings = compute_scores(responses, frames[0][1], questions, month="2025-02", **OPTIONS)
        moved = findings[findings["measure"] == "difference"]
        assert (moved["p_adjusted"] >= moved["p"]).all()
        claims.append(moved["verdict"].eq(stats.EVIDENCE).any())
    assert scipy_stats.binomtest(sum(claims), 60).proportion_ci().low <= 0.05


def test_employees_are_never_mixed_with_customers():
    customers, staff = (
        make_survey({"2025-01": [10] * 20 + [0] * 20}),
        make_survey({"2025-01": [0] * 39 + [10]}, voice="employee"),
    )
    both = [pd.concat(pair) for pair in zip(customers, staff, strict=True)]
    findings = compute_scores(*both, {"nps": NPS}, month="2025-01", **OPTIONS)
    assert findings.set_index("section")["value"].to_dict() == {"scores": 0, "staff": -95}


def test_duplicates_and_row_order_change_nothing():
    rng = np.random.default_rng(4)
    people = [f"p{i}" for i in rng.integers(0, 60, 200)]
    responses, feedback = make_survey(
        {"2025-01": rng.integers(0, 11, 100), "2025-02": rng.integers(0, 11, 100)}, people=people
    )
    expected = compute_scores(responses, feedback, {"nps": NPS}, month="2025-02", **OPTIONS)
    copies = responses.head(30).assign(response_id=lambda x: "copy" + x["response_id"], duplicate_of="x")
    more = pd.concat([responses, copies]).sample(frac=1, random_state=0)
    found = compute_scores(
        more, feedback.sample(frac=1, random_state=1), {"nps": NPS}, month="2025-02", **OPTIONS
    )
    assert_frame_equal(found, expected, check_exact=True)


def test_small_groups_show_counts_and_smaller_ones_nothing():
    tables = make_survey({"2025-01": [0, 9, 10, 10], "2025-02": [0, 9, 10, 10, 7] * 2})
    findings = compute_scores(*tables, {"nps": NPS}, month="2025-02", **OPTIONS)
    hidden, counted = take(findings, "nps", "2025-01"), take(findings, "nps", "2025-02")
    assert hidden["verdict"] == stats.HIDDEN and hidden["feedback_ids"] == []
    assert hidden[["value", "low", "high", "n"]].isna().all() and "4" not in hidden["claim"].split("NPS")[1]
    assert counted["verdict"] == stats.TOO_FEW_TO_SHOW and np.isnan(counted["value"]) and counted["n"] == 10
    assert "10 answers, 6 promoters and 2 detractors" in counted["claim"]
    assert take(findings, "difference", "2025-02 vs 2025-01")["verdict"] == stats.HIDDEN


def test_staff_are_hidden_in_groups_that_customers_are_shown_in():
    tables = [
        make_survey({"2025-01": [0, 9, 10, 10, 7, 8]}, voice=voice) for voice in ("customer", "employee")
    ]
    both = [pd.concat(pair) for pair in zip(*tables, strict=True)]
    findings = compute_scores(*both, {"nps": NPS}, month="2025-01", minimum_staff=10, **OPTIONS)
    verdicts = findings.set_index("section")["verdict"].to_dict()
    assert verdicts == {"scores": stats.TOO_FEW_TO_SHOW, "staff": stats.HIDDEN}


def test_one_talkative_person_is_no_group():
    tables = make_survey({"2025-01": [10] * 40}, people=["p"] * 40)
    findings = compute_scores(*tables, {"nps": NPS}, month="2025-01", **OPTIONS)
    assert findings["verdict"].tolist() == [stats.HIDDEN]


def test_an_undated_programme_has_one_period():
    tables = make_survey({"all": [9] * 30 + [1] * 10})
    findings = compute_scores(*tables, {"nps": NPS}, month="all", **OPTIONS)
    assert findings[["period", "value"]].values.tolist() == [["all", 50]]


def test_no_answers_no_findings():
    responses, feedback = make_survey({"2025-01": [np.nan] * 5})
    assert compute_scores(responses, feedback, {"nps": NPS}, month="2025-01", **OPTIONS).empty


def test_an_answer_outside_the_scale_is_refused_by_name():
    responses, _ = make_survey({"2025-01": [5, 11]})
    with pytest.raises(SchemaError, match=r"'nps'.*11(.|\n)*0 to 10"):
        gather_answers(responses, "nps", NPS)
    with pytest.raises(SchemaError, match="'csat' has no column"):
        gather_answers(responses, "csat", CSAT)


def test_numbers_never_read_as_minus_zero():
    assert format_value(-0.04, "pp", signed=True) == "+0.0 percentage points"
    assert format_interval(-0.001, 0.2, "1-5") == "95% interval 0.00 to 0.20"


def test_a_0_to_6_scale_that_is_declared_as_nps_is_refused_by_name():
    """One article asks NPS on 0-6 with 6 the best answer: that is another figure, and would be -100 here."""
    tables = make_survey({"2025-01": [0, 3, 6] * 9, "2025-02": [6] * 3})
    with pytest.raises(
        SchemaError, match=r"'nps': no answer above 6 in 30 answers: a 0-6 scale(.|\n)*metric: rating"
    ):
        compute_scores(*tables, {"nps": NPS}, month="2025-02", **OPTIONS)
    compute_scores(*tables, {"nps": NPS}, month="2025-01", **OPTIONS)  # 27 answers tell too little
    one_above = make_survey({"2025-01": [0, 3, 6] * 100 + [7]})
    assert (
        compute_scores(*one_above, {"nps": NPS}, month="2025-01", **OPTIONS)["value"].item()
        == -100 * 300 / 301
    )


def test_answers_on_1_to_10_never_pass_for_nps():
    question = Question(label="Recommend us?", low=1, high=10, metric="nps_1_10")
    assert "non-standard base" in question.label
    tables = make_survey({"2025-01": [1, 9] * 40, "2025-02": [10, 10, 2, 7] * 20})
    findings = compute_scores(*tables, {"nps": question}, month="2025-02", **OPTIONS)
    assert set(findings["measure"]) == {"nps_1_10", "difference"}
    assert findings["claim"].str.contains("non-standard base").all()
    assert take(findings, "nps_1_10", "2025-02")["value"] == pytest.approx(25)


def test_effort_needs_its_direction_and_says_it():
    tables = make_survey({"2025-01": [1, 2, 3] * 20}, column="ces")
    with pytest.raises(SchemaError, match=r"“Easy\?” is of metric ces(.|\n)*better: low"):
        undeclared = SimpleNamespace(label="Easy?", low=1, high=7, metric="ces")
        compute_scores(*tables, {"ces": undeclared}, month="2025-01", **OPTIONS)
    low = SimpleNamespace(**vars(CES) | {"better": "low"})
    findings = compute_scores(*tables, {"ces": low}, month="2025-01", **OPTIONS)
    assert "CES mean 2.00 on the scale 1-7, where low is good" in take(findings, "ces", "2025-01")["claim"]


@pytest.mark.parametrize(
    ("given", "low", "high", "rings"),
    [
        ([2, 3] * 50, 1, 5, True),  # 2.5, upper limit 2.6
        ([1, 5] * 15, 1, 5, False),  # 3.0
        ([2, 3, 4, 2] * 10, 1, 5, False),  # 2.75, upper limit 3.02
        ([2, 3, 4, 2] * 20, 1, 5, True),  # upper limit 2.93
        ([2, 3, 4] * 10, 1, 5, False),
        ([1] * 40, 1, 5, True),
        ([4, 5] * 50, 0, 10, True),  # 3 on 1-5 is 5 on 0-10
        ([5, 6] * 50, 0, 10, False),
    ],
)
def test_an_alarm_rings_where_all_of_the_interval_lies_below_the_middle(given, low, high, rings):
    question = SimpleNamespace(label="Satisfied?", low=low, high=high, metric="csat")
    findings = compute_scores(
        *make_survey({"2025-01": given}, column="c"), {"c": question}, month="2025-01", **OPTIONS
    )
    row = take(findings, "csat_mean", "2025-01")
    assert rings == (row["high"] < (low + high) / 2) == (row["verdict"] == ALARM) == ("Alarm" in row["claim"])
    assert take(findings, "csat_top2", "2025-01")["verdict"] != ALARM


def test_unlike_populations_are_not_pooled():
    responses, feedback = make_survey({"2025-01": [10] * 40 + [0] * 40, "2025-02": [10] * 80})
    responses["population"] = ["all"] * 40 + ["members"] * 40 + ["all", "members"] * 40
    findings = compute_scores(responses, feedback, {"nps": NPS}, month="2025-02", **OPTIONS)
    values = findings[findings["measure"] == "nps"].set_index(["period", "level"])["value"].to_dict()
    assert values == {(m, p): -100 if (m, p) == ("2025-01", "members") else 100
                      for m in ("2025-01", "2025-02") for p in ("all", "members")}  # fmt: skip
    assert findings["segment"].eq("population").all()
    moved = findings[findings["measure"] == "difference"]
    assert moved.set_index("level")["difference"].to_dict() == {"all": 0, "members": 200}
    assert all(f"population {row.level}" in row.claim for row in findings.itertuples())
    alone = compute_scores(
        responses.assign(population="all"), feedback, {"nps": NPS}, month="2025-02", **OPTIONS
    )
    assert alone["segment"].isna().all()


def test_an_index_is_the_mean_of_rescaled_items_of_those_who_answered_all():
    rng = np.random.default_rng(5)
    responses, feedback = make_survey({"2025-01": rng.integers(0, 11, 60)})
    responses["ces"], responses["buy"] = rng.integers(1, 8, 60).astype(float), 10.0
    responses.loc[:9, "buy"] = np.nan
    questions = {"nps": NPS, "ces": SimpleNamespace(**vars(CES) | {"better": "low"}), "buy": BUY}
    index = Index(label="Loyalty", questions=["nps", "ces", "buy"])
    findings = compute_scores(
        responses, feedback, questions, indexes={"cli": index}, month="2025-01", **OPTIONS
    )
    row = findings[findings["subject"] == "cli"].squeeze()
    full = responses[10:]
    items = [10 * full["nps"], 100 * (7 - full["ces"]) / 6, pd.Series(100.0, full.index)]
    expected = stats.scale_interval(sum(items) / 3, (0, 100))
    assert expected[0] == pytest.approx(np.mean([item.mean() for item in items]))
    assert (row["measure"], row["unit"], row["n"]) == ("cli_rescaled", "0-100", 50)
    assert row[["value", "low", "high"]].tolist() == pytest.approx(expected)
    assert len(row["feedback_ids"]) == 50


def test_every_measure_stands_in_the_registry_with_its_formula_in_the_finding():
    tables = make_survey({"2025-01": [2, 5] * 40}, column="csat")
    findings = compute_scores(*tables, {"csat": CSAT}, month="2025-01", **OPTIONS)
    for row in findings.itertuples():
        metric = describe_metric(row.measure)
        assert row.method == f"{metric.formula}; {metric.interval}" and metric.label in row.claim
