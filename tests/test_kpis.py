"""Targets, and expectation against experience: a verdict only where the data carries one."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL
from scipy import stats as scipy_stats

from vocwb import stats
from vocwb.crosswalk import Kpi
from vocwb.errors import ProgrammeError
from vocwb.programme import parse_programme
from vocwb.schemas import make_findings
from vocwb.share.rows import prepare_rows
from vocwb.share.sections import read_scores
from vocwb.understand.kpis import judge_kpis, measure_gaps

MONTH = "2025-03"
QUESTIONS = {
    "nps": SimpleNamespace(label="Recommend?", low=0, high=10, metric="nps"),
    "csat": SimpleNamespace(label="Satisfied?", low=1, high=5, metric="csat"),
    "ces": SimpleNamespace(label="Much effort?", low=1, high=5, metric="ces", better="low"),
    "hoped": SimpleNamespace(label="Will it?", low=1, high=5, metric="rating", expectation_of="csat"),
}


def figure(subject="nps", measure="nps", section="scores", **more):
    row = {"period": MONTH, "subject": subject, "measure": measure, "unit": "points", "value": 30.0, "low": 25.0,
           "high": 35.0, "n": 400, "claim": "", "method": "", "feedback_ids": ["f1", "f2"]}  # fmt: skip
    return make_findings([row | more], section=section, month=MONTH)


def judge(findings, **kpi):
    return judge_kpis(findings, [Kpi(**kpi)], QUESTIONS, month=MONTH)


@pytest.mark.parametrize(
    ("target", "verdict"),
    [(20, "on course"), (25, "on course"), (26, "cannot say"), (30, "cannot say"), (34, "cannot say"),
     (35, "not on course"), (50, "not on course")],
)  # fmt: skip
def test_a_target_is_met_by_the_whole_interval_or_not_judged(target, verdict):
    row = judge(figure(), question="nps", target=target).squeeze()
    assert (row["verdict"], row["compared_value"], row["difference"]) == (verdict, target, 30 - target)
    assert row[["value", "low", "high", "n"]].tolist() == [30, 25, 35, 400] and row["feedback_ids"] == [
        "f1",
        "f2",
    ]
    assert f"target at least {target:.1f} points: {verdict}" in row["claim"]


def test_where_low_is_good_the_sides_change():
    effort = figure("ces", "ces", unit="1-5", value=2.0, low=1.8, high=2.2)
    verdicts = [judge(effort, question="ces", target=target)["verdict"].item() for target in (1.5, 2.1, 2.5)]
    assert verdicts == ["not on course", "cannot say", "on course"]
    share = figure("T0001", "share", "topics", unit="%", value=9.0, low=7.0, high=11.0)
    assert judge(share, topic="T0001", target=12, better="low")["verdict"].item() == "on course"
    assert judge(share, topic="T0001", target=12, better="high")["verdict"].item() == "not on course"


@pytest.mark.parametrize(
    "findings",
    [
        figure(value=None, low=None, high=None, n=None, verdict=stats.HIDDEN, feedback_ids=[]),
        figure(value=None, low=None, high=None, n=12, verdict=stats.TOO_FEW_TO_SHOW),
        figure(low=None, high=None),
        figure(period="2025-02"),
        figure(segment="plan", level="free"),
        figure(measure="nps_weighted"),
    ],
)
def test_a_figure_that_is_not_there_is_never_judged(findings):
    row = judge(findings, question="nps", target=40).squeeze()
    assert row["verdict"] == "cannot say" and row["claim"].endswith("cannot say.")
    assert pd.isna(row["difference"])


def test_each_population_has_a_verdict_of_its_own_and_staff_stay_apart():
    members = figure(segment="population", level="members")
    others = figure(segment="population", level="others", value=-10.0, low=-20.0, high=0.0)
    found = judge(pd.concat([members, others]), question="nps", target=10)
    assert found.set_index("level")["verdict"].to_dict() == {
        "nps, members": "on course", "nps, others": "not on course",
    }  # fmt: skip
    assert judge(figure(section="staff"), question="nps", target=10)["section"].tolist() == ["staff"]


def test_the_report_shows_a_target_beside_its_number_and_one_of_a_topic_by_itself():
    findings = [
        figure(),
        figure("T0001", "share", "topics", unit="%", value=9.0, low=7.0, high=11.0),
    ]
    kpis = [
        Kpi(question="nps", target=40),
        Kpi(topic="T0001", target=12, better="low"),
        Kpi(question="csat", target=4),
    ]
    found = pd.concat([*findings, judge_kpis(pd.concat(findings), kpis, QUESTIONS, month=MONTH)])
    panels = read_scores(prepare_rows(found, labels={"nps": "Recommend?"}), "scores", MONTH, ["nps"])
    assert [panel["title"] for panel in panels] == ["Recommend?", "T0001", "csat"]
    assert [[note["verdict"] for note in panel["notes"]] for panel in panels] == [
        ["not on course"], ["on course"], ["cannot say"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("kpis: [{question: nsp, target: 40}]", "no question or index 'nsp'; there are: nps"),
        (
            "kpis: [{question: nps, measure: csat_mean, target: 3}]",
            "'nps' has no measure 'csat_mean'; it has: nps",
        ),
        ("kpis: [{question: nps, target: 140}]", "runs from -100 to 100"),
        ("kpis: [{topic: T0001, target: 4}]", "'better: low' or 'better: high'"),
        ("kpis: [{target: 4}]", "one of the two"),
        ("kpis: [{question: nps, target: 4, by: May}]", "'by' is not a key here"),
    ],
)
def test_a_target_of_nothing_is_refused(lines, says):
    with pytest.raises(ProgrammeError) as error:
        parse_programme(SMALL.replace("sources:", f"{lines}\nsources:"), name="small")
    assert says in str(error.value)


def ask(n, *, both=True, seed=0):
    """Responses of n people, who were asked what they expect, and a month later what they found."""
    rng = np.random.default_rng(seed)
    hoped = rng.integers(2, 6, n).astype(float)
    found = np.clip(hoped - rng.integers(0, 3, n), 1, 5)
    people = [f"p{number:03}" for number in range(n)]
    before = pd.DataFrame({"respondent_id": people, "month": "2025-02", "hoped": hoped, "csat": np.nan})
    after = pd.DataFrame({"respondent_id": people if both else [f"q{i}" for i in range(n)], "month": MONTH,
                          "hoped": np.nan, "csat": found})  # fmt: skip
    responses = pd.concat([before, after], ignore_index=True)
    responses = responses.assign(
        response_id=[f"r{i:04}" for i in range(2 * n)], voice="customer", duplicate_of=None
    )
    feedback = pd.DataFrame(
        {
            "feedback_id": "f" + responses["response_id"],
            "response_id": responses["response_id"],
            "duplicate_of": None,
        }
    )
    return responses, feedback, hoped, found


def gaps(responses, feedback, questions=QUESTIONS):
    asked = {name: questions[name] for name in ("csat", "hoped")}
    return measure_gaps(responses, feedback, asked, month=MONTH, minimum=5, smallest={"mean": 0.2})


def test_a_gap_is_the_paired_difference_of_those_who_answered_both():
    responses, feedback, hoped, found = ask(80)
    strangers = responses.tail(40).assign(
        respondent_id=None, response_id=lambda x: "x" + x["response_id"], csat=1.0
    )
    row = gaps(pd.concat([responses, strangers]).sample(frac=1, random_state=1), feedback).squeeze()
    expected = scipy_stats.ttest_rel(found, hoped)
    assert row[["low", "high", "p"]].tolist() == pytest.approx(
        [*expected.confidence_interval(), expected.pvalue]
    )
    assert row[["value", "compared_value", "n"]].tolist() == pytest.approx([found.mean(), hoped.mean(), 80])
    assert (row["subject"], row["level"], row["verdict"]) == ("csat", "hoped", stats.EVIDENCE)
    assert len(row["feedback_ids"]) == 160 and "never" not in row["claim"]


def test_there_is_no_gap_where_nobody_answered_both_or_nothing_was_expected():
    responses, feedback, *_ = ask(80, both=False)
    assert gaps(responses, feedback).empty
    responses, feedback, *_ = ask(80)
    plain = QUESTIONS | {"hoped": SimpleNamespace(label="Will it?", low=1, high=5, metric="rating")}
    assert gaps(responses, feedback, plain).empty


def test_a_gap_of_few_is_not_shown():
    row = gaps(*ask(4)[:2]).squeeze()
    assert row["verdict"] == stats.HIDDEN and row[["value", "difference", "n"]].isna().all()
    assert gaps(*ask(12)[:2])["verdict"].item() == stats.TOO_FEW_TO_SHOW


@pytest.mark.parametrize(
    ("expectation", "says"),
    [
        ("low: 1, high: 7, metric: rating, expectation_of: csat", "asked on different scales"),
        ("low: 1, high: 5, metric: rating, expectation_of: cast", "names no other question: 'cast'"),
    ],
)
def test_an_expectation_of_nothing_comparable_is_refused(expectation, says):
    more = (
        f"  csat: {{label: S, low: 1, high: 5, metric: csat}}\n  hoped: {{label: H, {expectation}}}\nsources:"
    )
    with pytest.raises(ProgrammeError) as error:
        parse_programme(SMALL.replace("sources:", more), name="small")
    assert says in str(error.value)
