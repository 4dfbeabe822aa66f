"""Targets that the programme declared, and what was expected against what was found."""

from collections.abc import Iterable, Mapping

import pandas as pd

from vocwb import stats
from vocwb.schemas import make_findings
from vocwb.understand.answers import gather_answers, is_low_good, list_measures, measure_unit
from vocwb.understand.metrics import SECTIONS, collect_quotes, format_interval, format_value, in_report
from vocwb.understand.registry import describe_metric

COURSES = ("on course", "not on course", "cannot say")
"""The verdicts on a target: its interval lies on the good side, on the bad side, or holds the target."""

_KEPT = ["period", "value", "low", "high", "n", "unit", "feedback_ids"]


def judge_kpis(findings: pd.DataFrame, kpis: Iterable, questions: Mapping, *, month: str) -> pd.DataFrame:
    """Return findings on each target that the programme declares: on course, not on course, or cannot say.

    findings: of metrics.compute_scores, and with topics those of sizes.size_topics. kpis: question (of `questions`,
    which hold indexes too) and measure (its main one if None), or topic and better; target. Section "scores" (of what
    employees were asked "staff"), measure "kpi", segment "kpi", level the measure, with the population where there are
    several. value, low, high and n are the figure's of `month`, compared_value is the target, difference what is above
    it. "cannot say" also where the figure is not there, is hidden or has no interval.

    >>> from types import SimpleNamespace
    >>> question = SimpleNamespace(label="Recommend us?", low=0, high=10, metric="nps")
    >>> kpi = SimpleNamespace(question="nps", topic=None, measure=None, target=40, better=None)
    >>> row = dict(period="2025-01", subject="nps", measure="nps", unit="points", value=20.0, low=12.0, high=28.0,
    ...            n=400, claim="", method="")
    >>> findings = make_findings([row], section="scores", month="2025-01")
    >>> print(judge_kpis(findings, [kpi], {"nps": question}, month="2025-01")["claim"].item())
    Recommend us?, NPS: 20.0 points in 2025-01 (95% interval 12.0 to 28.0), n = 400; target at least 40.0 points: \
not on course.
    """
    rows = []
    for kpi in kpis:
        question = questions[kpi.question] if kpi.question else None
        measure = kpi.measure or (list_measures(question)[0] if question else "share")
        sections = list(SECTIONS.values()) if question else ["topics"]
        of = findings["section"].isin(sections) & findings["subject"].eq(kpi.question or kpi.topic)
        of &= findings["measure"].eq(measure) & findings["period"].eq(month)
        of &= findings["segment"].isna() | findings["segment"].eq("population")
        about = {"subject": kpi.question or kpi.topic, "measure": "kpi", "segment": "kpi", "level": measure}
        unit = measure_unit(measure, question) if question else "%"
        about |= {"period": month, "unit": unit, "compared_value": kpi.target}
        about["method"] = "interval against target"
        what = (
            f"{question.label or kpi.question}, {describe_metric(measure).label}" if question else kpi.topic
        )
        low_good = is_low_good(question) if question else kpi.better == "low"
        found = findings[of].sort_values("finding_id").to_dict("records")
        if not found:
            claim = f"{what}: no figure in {month}, target {format_value(kpi.target, unit)}: {COURSES[2]}."
            rows.append(about | {"section": "scores", "verdict": COURSES[2], "claim": claim})
        for row in found:
            several = isinstance(row["level"], str)
            more = {"section": row["section"].replace("topics", "scores")}
            more |= {"level": f"{measure}, {row['level']}"} if several else {}
            of_whom = f"{what}, population {row['level']}" if several else what
            rows.append(about | more | _judge(row, of_whom, kpi.target, low_good=low_good))
    table = pd.DataFrame(rows, columns=None if rows else ["section"])
    return pd.concat(
        [
            make_findings(table[table["section"] == section], section=section, month=month)
            for section in SECTIONS.values()
        ],
        ignore_index=True,
    )


def _judge(row: dict, what: str, target: float, *, low_good: bool) -> dict:
    """Return a finding's numbers and words on a figure against its target."""
    unit = row["unit"]
    aim = f"target at {'most' if low_good else 'least'} {format_value(target, unit)}"
    kept = {name: row[name] for name in _KEPT}
    if pd.isna(row["low"]):
        why = row["verdict"] if isinstance(row["verdict"], str) else "without an interval"
        return kept | {
            "verdict": COURSES[2],
            "claim": f"{what}: {why} in {row['period']}; {aim}: {COURSES[2]}.",
        }
    above, below = row["low"] >= target, row["high"] <= target
    good, bad = (below, above) if low_good else (above, below)
    verdict = COURSES[0] if good else COURSES[1] if bad else COURSES[2]
    claim = (
        f"{what}: {format_value(row['value'], unit)} in {row['period']}"
        f" ({format_interval(row['low'], row['high'], unit)}), n = {row['n']:,.0f}; {aim}: {verdict}."
    )
    return kept | {"difference": row["value"] - target, "verdict": verdict, "claim": claim}


def measure_gaps(
    responses: pd.DataFrame, feedback: pd.DataFrame, questions: Mapping, *, month: str, minimum: int,
    smallest: Mapping[str, float], minimum_staff: int | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on experience less expectation, where the programme says that both were asked.

    Needs the columns of metrics.compute_scores. questions: expectation_of names the question of the experience. Of
    respondents (where they are not known, responses) who answered both, up to `month`: each one's mean experience less
    mean expectation, with the paired t interval. Section and minimum as of compute_scores; subject is the experience,
    measure "expectation_gap", segment "expectation" and level the question that asks it; value is the experience,
    compared_value the expectation, n respondents. p is adjusted over all gaps together. It is never inferred from
    what people write (Parasuraman, Zeithaml and Berry 1988, Journal of Retailing 64).

    >>> from types import SimpleNamespace
    >>> asked = {"got": SimpleNamespace(label="Came in time?", low=1, high=5, metric="csat", expectation_of=None),
    ...          "hoped": SimpleNamespace(label="Will it?", low=1, high=5, metric="rating", expectation_of="got")}
    >>> responses = pd.DataFrame({"response_id": [f"r{i:02}" for i in range(40)], "respondent_id": None,
    ...     "month": "2025-01", "voice": "customer", "duplicate_of": None, "got": [3.0, 2.0] * 20, "hoped": 4.0})
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "response_id": ["r01"], "duplicate_of": [None]})
    >>> found = measure_gaps(responses, feedback, asked, month="2025-01", minimum=5, smallest={"mean": 0.2})
    >>> found[["value", "compared_value", "difference", "verdict"]].values.tolist()
    [[2.5, 4.0, -1.5, 'evidence of a difference']]
    """
    kept = responses[responses["duplicate_of"].isna() & in_report(responses["month"], month)]
    said = feedback[feedback["duplicate_of"].isna()].groupby("response_id")["feedback_id"].agg(list)
    rows = []
    for voice, section in SECTIONS.items():
        heard = kept[kept["voice"] == voice]
        fewest = minimum_staff or minimum if voice == "employee" else minimum
        for name, question in questions.items():
            aim = getattr(question, "expectation_of", None)
            if not aim:
                continue
            sides = [gather_answers(heard, one, questions[one]) for one in (aim, name)]
            both = set(sides[0]["unit"]) & set(sides[1]["unit"])
            sides = [side[side["unit"].isin(both)] for side in sides]
            if not both:
                continue
            means = [side.groupby("unit")["answer"].mean() for side in sides]
            difference, low, high, p = stats.compare_means(*means, *(mean.index for mean in means))
            rows.append({
                "section": section, "period": month, "subject": aim, "measure": "expectation_gap", "level": name,
                "segment": "expectation", "unit": f"{question.low:g}-{question.high:g}",
                "value": means[0].mean(), "compared_value": means[1].mean(), "n": len(both), "difference": difference,
                "low": low, "high": high, "p": p, "show": stats.show_level(len(both), fewest), "method": "paired t",
                "feedback_ids": collect_quotes(said, pd.concat(sides).drop_duplicates("response_id")),
            })  # fmt: skip
    if not rows:
        return make_findings([], section="scores", month=month)
    cells = stats.judge_family(pd.DataFrame(rows), smallest=smallest["mean"])
    cells["claim"] = [_describe_gap(row, questions) for row in cells.to_dict("records")]
    return pd.concat(
        [
            make_findings(own, section=section, month=month)
            for section, own in cells.groupby("section", sort=False)
        ],
        ignore_index=True,
    )


def _describe_gap(row: dict, questions: Mapping) -> str:
    what = f"{questions[row['subject']].label or row['subject']}, experience less expectation"
    if row["verdict"] == stats.HIDDEN:
        return f"{what} is hidden, because too few answered both."
    if row["verdict"] == stats.TOO_FEW_TO_SHOW:
        return f"{what} is not shown of so few: {row['n']:,.0f} respondents answered both."
    unit = row["unit"]
    return (
        f"{what}: {format_value(row['difference'], unit, signed=True)} on the scale {unit}"
        f" ({format_interval(row['low'], row['high'], unit)}): {format_value(row['value'], unit)} found against"
        f" {format_value(row['compared_value'], unit)} expected, n = {row['n']:,.0f} respondents who answered both,"
        f" {row['verdict']}."
    )
