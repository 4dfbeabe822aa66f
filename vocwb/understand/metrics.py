"""The scores of scaled questions, by month and month against month; and how numbers are put into words."""

from collections.abc import Iterable, Mapping
from itertools import chain

import pandas as pd

from vocwb import stats
from vocwb.schemas import make_findings
from vocwb.understand.answers import (
    NPS,
    check_nps,
    gather_scores,
    is_low_good,
    list_measures,
    measure_unit,
    score_scale,
    score_unit,
    smallest_score,
    split_populations,
)
from vocwb.understand.answers import gather_answers as gather_answers  # for those who look for it here
from vocwb.understand.registry import describe_metric

SECTIONS = {"customer": "scores", "employee": "staff"}
"""The section of findings for each voice: they are never mixed."""

ALARM = "alarm"
"""The verdict of a CSAT mean that lies below the middle of its scale, interval and all."""

_UNITS = {"%": "%", "pp": " percentage points", "points": " points"}


def _digits(unit: str) -> str:
    return ".1f" if unit in _UNITS else ".2f"


def format_value(value: float, unit: str, *, signed: bool = False) -> str:
    """Return a number as a claim says it: one decimal for shares and points, two for means.

    >>> format_value(12.34, "%"), format_value(-3.0, "pp", signed=True), format_value(4.25, "1-5")
    ('12.3%', '-3.0 percentage points', '4.25')
    """
    sign = "+" if signed else "-"
    return f"{value:{sign}z{_digits(unit)}}{_UNITS.get(unit, '')}"


def format_interval(low: float, high: float, unit: str) -> str:
    """Return an interval as a claim says it, or why there is none.

    >>> format_interval(10, 14.6, "%")
    '95% interval 10.0 to 14.6'
    """
    if pd.isna(low):
        return "no interval: all answers are the same"
    return f"95% interval {low:z{_digits(unit)}} to {high:z{_digits(unit)}}"


def name_period(months: Iterable[str]) -> str:
    """Return the period that the months span.

    >>> name_period(["2025-02", "2025-01"]), name_period(["2025-01"])
    ('2025-01..2025-02', '2025-01')
    """
    months = sorted(set(months))
    return months[0] if len(months) == 1 else f"{months[0]}..{months[-1]}"


def in_report(months: pd.Series, month: str) -> pd.Series:
    """Return which months the report of `month` looks at: those up to it, or only "all" for "all".

    >>> in_report(pd.Series(["2025-01", "2025-03", "all"]), "2025-02").tolist()
    [True, False, False]
    """
    return months.eq("all") if month == "all" else months.ne("all") & months.le(month)


def compare_answers(a: pd.DataFrame, b: pd.DataFrame, question, *, minimum: int) -> dict:
    """Return what a finding says of score in `a` against `b` (both from gather_answers), yet without verdict.

    Gives value, compared_value, n and compared_n (answers), difference, low, high, p, unit and show (by the
    respondents on the smaller side), as stats.judge_family takes them. Interval clustered by respondent
    (stats.compare_on_scale). Where several populations answered, the difference is that within each of them
    (stats.adjust_difference), and `within` says so: else a shift between them would look like one of the score.

    >>> from types import SimpleNamespace
    >>> a = pd.DataFrame({"score": [1.0, 2, 3], "unit": ["p", "q", "r"], "population": "all"})
    >>> question = SimpleNamespace(label="", low=1, high=5, metric="csat")
    >>> compare_answers(a, a.assign(score=[2.0, 3, 4]), question, minimum=5)["difference"]
    -1.0
    """
    both = pd.concat([a, b], ignore_index=True)
    unlike = both["population"].nunique() > 1
    if unlike:
        numbers = stats.adjust_difference(
            both["score"], both.index < len(a), both["population"], both["unit"]
        )
    else:
        numbers = stats.compare_on_scale(a["score"], b["score"], score_scale(question), a["unit"], b["unit"])
    difference, low, high, p = numbers
    method = (
        "difference within each population, Mantel-Haenszel weights"
        if unlike
        else "difference of means, MOVER"
    )
    return {
        "measure": "difference", "unit": score_unit(question), "value": a["score"].mean(),
        "compared_value": b["score"].mean(), "n": len(a), "compared_n": len(b), "difference": difference,
        "low": low, "high": high, "p": p,
        "show": stats.show_level(min(a["unit"].nunique(), b["unit"].nunique()), minimum),
        "method": f"{method}, cluster-robust, Benjamini-Hochberg", "within": unlike,
    }  # fmt: skip


def compare_mentions(after: pd.DataFrame, before: pd.DataFrame, *, minimum: int) -> dict:
    """Return what a finding says of a share in `after` against `before`, yet without verdict: see compare_answers.

    Needs in both: unit, and score, 100 where the unit mentions the topic in a month and 0 where it does not.
    Newcombe's interval and Fisher's mid-p at the effective counts, so that a unit that stands in several
    months does not count as several; unlike a cluster-robust t they hold where one side has no mention.

    >>> a = pd.DataFrame({"unit": list("abcdefgh"), "score": [100.0] * 6 + [0.0] * 2})
    >>> b = pd.DataFrame({"unit": list("ijklmnop"), "score": [100.0] * 2 + [0.0] * 6})
    >>> float(compare_mentions(a, b, minimum=5)["value"])
    75.0
    """
    counts = [stats.effective_counts(side["score"] > 0, side["unit"]) for side in (after, before)]
    compared = stats.compare_shares(*counts[0], *counts[1]).iloc[0]
    return {
        "difference": 100 * compared["difference"], "low": 100 * compared["low"], "high": 100 * compared["high"],
        "p": compared["p"], "value": after["score"].mean(), "compared_value": before["score"].mean(),
        "n": len(after), "compared_n": len(before), "unit": "pp",
        "method": "Newcombe interval and Fisher mid-p at the effective n of respondents, Benjamini-Hochberg",
        "show": stats.show_level(min(after["unit"].nunique(), before["unit"].nunique()), minimum),
    }  # fmt: skip


def describe_difference(row: Mapping, *, what: str, here: str, there: str) -> str:
    """Return the sentence of a judged comparison: what was measured, here against there, and the verdict.

    row: value, compared_value, n, compared_n, difference, low, high, unit and verdict; within: whether the difference
    is that within each population.

    >>> row = dict(value=20.0, compared_value=10.0, n=1200, compared_n=900, difference=10.0, low=4.0,
    ...            high=16.0, unit="points", verdict="evidence of a difference")
    >>> print(describe_difference(row, what="NPS", here="in May", there="in April"))
    NPS: 20.0 points in May (n = 1,200) against 10.0 points in April (n = 900): \
+10.0 points (95% interval 4.0 to 16.0), evidence of a difference.
    """
    if row["verdict"] == stats.HIDDEN:
        return f"{what}: {here} against {there} is hidden, because one side is too small a group."
    if row["verdict"] == stats.TOO_FEW_TO_SHOW:
        return (
            f"{what}: {row['n']:,.0f} {here} against {row['compared_n']:,.0f} {there};"
            f" fewer than {stats.FEWEST_FOR_PERCENTAGES} on a side are too few to compare."
        )
    unit = row["unit"]
    side = "%" if unit == "pp" else unit
    return (
        f"{what}: {format_value(row['value'], side)} {here} (n = {row['n']:,.0f}) against"
        f" {format_value(row['compared_value'], side)} {there} (n = {row['compared_n']:,.0f})"
        f"{'; within each population, like compared with like:' if row.get('within') is True else ':'}"
        f" {format_value(row['difference'], unit, signed=True)}"
        f" ({format_interval(row['low'], row['high'], unit)}), {row['verdict']}."
    )


def compute_scores(
    responses: pd.DataFrame, feedback: pd.DataFrame, questions: Mapping, *, month: str, minimum: int,
    smallest: Mapping[str, float], minimum_staff: int | None = None, indexes: Mapping | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on every scaled question and index, in each month up to `month` and month against month.

    responses: response_id, respondent_id, month, voice, duplicate_of, a column a question, and population where
    there are several; feedback: feedback_id, response_id, duplicate_of. questions: name -> label, low, high, metric,
    for ces also better; indexes: name -> label, questions. Customers' scores go to section "scores", employees' to
    "staff". Measures are those of understand.registry (for csat two, csat_top2 of scales of at most 11 points), and
    difference: of the main measure, the month against the last month before it with answers, adjusted over the
    questions. Populations are not pooled: where several answered a question, each has rows of its own, with segment
    "population". n counts answers; intervals are clustered by respondent. smallest: see smallest_score. Groups of
    fewer than `minimum` are hidden (of employees: `minimum_staff`, where it is given). A csat_mean that lies below the
    middle of its scale with its whole interval has the verdict "alarm". Raises SchemaError where 30 or more answers to
    a question of NPS are all 6 or less, and for a question of effort without its direction.

    >>> from types import SimpleNamespace
    >>> question = SimpleNamespace(label="Recommend us?", low=0, high=10, metric="nps")
    >>> responses = pd.DataFrame({"response_id": [f"r{i}" for i in range(40)], "respondent_id": None,
    ...     "month": "2025-01", "voice": "customer", "duplicate_of": None, "nps": [10.0] * 30 + [3.0] * 10})
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "response_id": ["r1"], "duplicate_of": [None]})
    >>> compute_scores(responses, feedback, {"nps": question}, month="2025-01", minimum=5,
    ...                smallest={"nps": 5, "mean": 0.2})["value"].tolist()
    [50.0]
    """
    kept = responses[responses["duplicate_of"].isna() & in_report(responses["month"], month)]
    said = feedback[feedback["duplicate_of"].isna()].groupby("response_id")["feedback_id"].agg(list)
    scored = dict(questions) | dict(indexes or {})
    tables = []
    for voice, section in SECTIONS.items():
        heard = kept[kept["voice"] == voice]
        fewest = minimum_staff or minimum if voice == "employee" else minimum
        rows, changes = [], []
        for name, question in scored.items():
            answers = gather_scores(heard, name, question, questions)
            check_nps(answers, name, question)
            for place, own in split_populations(answers, heard):
                place = place | {"subject": name}
                periods = dict(tuple(own.groupby("month")))
                for period, group in periods.items():
                    quotes = collect_quotes(said, group)
                    rows += [
                        place
                        | {"period": period}
                        | _measure_group(group, question, measure, minimum=fewest, quotes=quotes)
                        for measure in list_measures(question)
                    ]
                earlier = max((period for period in periods if period < month), default=None)
                if earlier and month in periods:
                    pair = (periods[month], periods[earlier])
                    changes.append(
                        compare_answers(*pair, question, minimum=fewest)
                        | place
                        | {"period": f"{month} vs {earlier}", "earlier": earlier}
                        | {"feedback_ids": collect_quotes(said, pd.concat(pair))}
                    )
        if changes:
            limits = [smallest_score(scored[row["subject"]], smallest) for row in changes]
            for row in stats.judge_family(pd.DataFrame(changes), smallest=limits).to_dict("records"):
                here, there = f"in {month}", f"in {row.pop('earlier')}"
                row.pop("within")
                what = _title(row["subject"], scored[row["subject"]]) + _say_population(row.get("level"))
                rows.append(row | {"claim": describe_difference(row, what=what, here=here, there=there)})
        tables.append(make_findings(rows, section=section, month=month))
    return pd.concat(tables, ignore_index=True)


def collect_quotes(said: pd.Series, answers: pd.DataFrame) -> list[str]:
    """Return the sorted feedback ids of responses; said: list of feedback ids by response_id.

    >>> collect_quotes(pd.Series({"r1": ["f2", "f1"]}), pd.DataFrame({"response_id": ["r1", "r2"]}))
    ['f1', 'f2']
    """
    return sorted(chain.from_iterable(said.reindex(answers["response_id"]).dropna()))


def _say_population(level: str | None) -> str:
    return f", population {level}" if isinstance(level, str) else ""


def _title(name: str, question) -> str:
    label = describe_metric(list_measures(question)[0]).label
    return f"{question.label or name}, {label}" + (
        "" if question.metric in NPS else f" {score_unit(question)}"
    )


def _measure_group(group: pd.DataFrame, question, measure: str, *, minimum: int, quotes: list[str]) -> dict:
    """Return a finding's numbers and words on one question in one month."""
    unit = measure_unit(measure, question)
    about = describe_metric(measure)
    place = _say_population(group["population"].iloc[0]) if "population" in group else ""
    what = f"{question.label or question.metric}{place}, {group['month'].iloc[0]}: {about.label}"
    row = {
        "measure": measure,
        "unit": unit,
        "feedback_ids": [],
        "method": f"{about.formula}; {about.interval}",
    }
    count = f"{len(group):,} answers"
    if measure == "csat_top2":
        hits = group["answer"] >= question.high - 1
        found = [100 * x for x in stats.cluster_share_interval(hits, group["unit"])]
        count = f"{hits.sum():,} of {len(group):,} answers are {question.high - 1:g} or {question.high:g}"
    elif measure in NPS:
        sides = [int((group["score"] == points).sum()) for points in (100, 0, -100)]
        size = stats.effective_size(group["score"], group["unit"])
        found = stats.nps_interval(*(side * size / len(group) for side in sides))
        count += f", {sides[0]:,} promoters and {sides[2]:,} detractors"
    else:
        found = stats.scale_interval(group["answer"], (question.low, question.high), group["unit"])
    show = stats.show_level(group["unit"].nunique(), minimum)
    if show == "hidden":
        return row | {
            "verdict": stats.HIDDEN,
            "claim": f"{what} is hidden: fewer than {minimum} respondents.",
        }
    row |= {"n": len(group), "feedback_ids": quotes}
    if show == "counts":
        return row | {"verdict": stats.TOO_FEW_TO_SHOW, "claim": f"{what} is not shown of so few: {count}."}
    value, low, high = found
    number = format_value(value, unit)
    if "-" in unit:
        number += f" on the scale {unit}" + (", where low is good" if is_low_good(question) else "")
    claim = f"{what} {number} ({format_interval(low, high, unit)}), n = {len(group):,}."
    row |= {"value": value, "low": low, "high": high}
    middle = (question.low + question.high) / 2
    if measure == "csat_mean" and high < middle:
        claim += f" Alarm: all of the interval lies below {middle:g}, the middle of the scale."
        return row | {"verdict": ALARM, "claim": claim}
    return row | {"claim": claim}
