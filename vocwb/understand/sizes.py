"""How many speak of each topic, month by month and month against before."""

import pandas as pd

from vocwb import stats
from vocwb.schemas import OUTLIER, describe_table, make_findings, unit_of
from vocwb.understand.assignment import find_space
from vocwb.understand.metrics import (
    compare_mentions,
    describe_difference,
    format_interval,
    format_value,
    in_report,
    name_period,
)  # fmt: skip
from vocwb.understand.naming import list_standing

_SECTIONS = {"customer": "topics", "employee": "staff"}


def size_topics(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame, *, month: str, minimum: int, smallest,
    minimum_staff: int | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on how many speak of each topic, in each month up to `month` and month against before.

    opinions: feedback_id, response_id, respondent_id, voice, language, month; assignments: feedback_id, topic;
    codebook: topic, voice, language, name, and merged_into and retired where people have decided (such topics
    are left out; `naming.apply_to_assignments` moves their verbatims). smallest: mapping with "share" in
    percentage points.
    Customers' topics go to section "topics", employees' to "staff".
    Measure "share": % of units (respondents where known) with feedback in the topic's language and that month
    who speak of it, with Wilson's interval; "difference": `month` against all months before it together, p
    adjusted over the topics; who speaks in both counts in both. Subject "T0000:<language>" is what fits no
    topic. Months of fewer than `minimum` units are hidden (of employees: `minimum_staff`, where it is given),
    under 30 the claim gives the count alone.

    >>> opinions = pd.DataFrame({"feedback_id": [f"f{i:02}" for i in range(40)], "respondent_id": None,
    ...     "response_id": [f"r{i:02}" for i in range(40)], "language": "en", "month": "all", "voice": "customer"})
    >>> codebook = pd.DataFrame({"topic": ["T0001"], "voice": "customer", "language": "en", "name": "late"})
    >>> assignments = opinions[["feedback_id"]].assign(topic=["T0001"] * 10 + ["T0000"] * 30)
    >>> found = size_topics(opinions, assignments, codebook, month="all", minimum=5, smallest={"share": 5})
    >>> found[["subject", "value", "n"]].values.tolist()
    [['T0000:en', 75.0, 40], ['T0001', 25.0, 40]]
    """
    opinions, codebook = opinions[in_report(opinions["month"], month)], codebook
    found = []
    for voice, section in _SECTIONS.items():
        topics = codebook[codebook["voice"] == voice]
        heard = opinions[opinions["voice"] == voice]
        heard = heard.assign(unit=unit_of(heard), space=find_space(heard, topics))
        talk = heard.merge(assignments[["feedback_id", "topic"]].drop_duplicates(), on="feedback_id")
        heard = heard[heard["feedback_id"].isin(talk["feedback_id"])]
        talk["subject"] = talk["topic"].where(talk["topic"] != OUTLIER, OUTLIER + ":" + talk["space"])
        fewest = minimum_staff or minimum if voice == "employee" else minimum
        rows = size_subjects(
            heard, talk, _list_subjects(topics, talk), month=month, minimum=fewest, smallest=smallest["share"]
        )
        found.append(make_findings(rows, section=section, month=month))
    return pd.concat(found, ignore_index=True)


def size_subjects(
    heard: pd.DataFrame,
    talk: pd.DataFrame,
    subjects: pd.DataFrame,
    *,
    month: str,
    minimum: int,
    smallest: float,
) -> list[dict]:
    """Return rows of findings on how many of those heard in a space speak of each subject, as `size_topics` does.

    heard: feedback_id, unit, space, month, of those who could; talk: feedback_id, unit, space, month, subject.
    subjects: subject (of one space each), space, name. smallest: percentage points.

    >>> heard = pd.DataFrame({"feedback_id": ["f"], "unit": ["p"], "space": ["en"], "month": ["all"]})
    >>> subjects = pd.DataFrame({"subject": ["negative:en"], "space": ["en"], "name": ["negative"]})
    >>> talk = heard.assign(subject="negative:en")
    >>> size_subjects(heard, talk, subjects, month="all", minimum=1, smallest=5)[0]["value"]
    1
    """
    if heard.empty:
        return []
    months = sorted(heard["month"].unique())
    cells = _count_cells(heard, talk, subjects, months)
    rows = [_describe_share(row, minimum=minimum) for row in cells.to_dict("records")]
    before = [earlier for earlier in months if earlier < month]
    if month in months and before:
        now = cells[cells["month"] == month]
        rows += _compare_months(heard, talk, now, month, name_period(before), minimum, smallest)
    return rows


def _list_subjects(codebook: pd.DataFrame, talk: pd.DataFrame) -> pd.DataFrame:
    """Return subject, space and name of what is counted: standing topics and each space's outliers."""
    standing = list_standing(codebook)
    spaces = sorted(talk["space"].unique())
    outliers = pd.DataFrame(
        {"subject": [f"{OUTLIER}:{space}" for space in spaces], "space": spaces, "name": "fits no topic"}
    )
    topics = standing.rename(columns={"topic": "subject", "language": "space"})[["subject", "space", "name"]]
    return pd.concat([topics[topics["space"].isin(spaces)], outliers], ignore_index=True)


def _count_cells(heard, talk, subjects, months) -> pd.DataFrame:
    """Return, for each subject and month, k of n units and the feedback_ids; months without feedback left out."""
    cells = subjects.merge(pd.DataFrame({"month": months}), how="cross")
    n = heard.groupby(["space", "month"])["unit"].nunique().rename("n").reset_index()
    cells = cells.merge(n, on=["space", "month"])
    spoken = talk.sort_values("feedback_id").groupby(["subject", "month"])
    counts = spoken.agg(k=("unit", "nunique"), feedback_ids=("feedback_id", list)).reset_index()
    cells = cells.merge(counts, on=["subject", "month"], how="left")
    cells["feedback_ids"] = [ids if isinstance(ids, list) else [] for ids in cells["feedback_ids"]]
    return cells.fillna({"k": 0}).sort_values(["subject", "month"], ignore_index=True)


def _describe_share(row: dict, *, minimum: int) -> dict:
    k, n, what = int(row["k"]), int(row["n"]), f"“{row['name']}”, {row['month']}:"
    finding = {"period": row["month"], "subject": row["subject"], "measure": "share", "unit": "%",
               "method": "share of respondents, Wilson interval"}  # fmt: skip
    show = stats.show_level(n, minimum)
    if show == "hidden":
        claim = f"{what} hidden, because fewer than {minimum} gave feedback."
        return finding | {"verdict": stats.HIDDEN, "claim": claim}
    finding |= {"n": n, "feedback_ids": row["feedback_ids"]}
    if show == "counts":
        claim = f"{what} {k:,} of {n:,}; too few for percentages."
        return finding | {"value": k, "unit": "count", "verdict": stats.TOO_FEW_TO_SHOW, "claim": claim}
    low, high = (100 * float(limit[0]) for limit in stats.share_interval(k, n))
    claim = f"{what} {format_value(100 * k / n, '%')} of {n:,} ({format_interval(low, high, '%')})."
    return finding | {"value": 100 * k / n, "low": low, "high": high, "claim": claim}


def _compare_months(heard, talk, now, month: str, before: str, minimum: int, smallest: float) -> list[dict]:
    """Compare shares of units a month: who speaks in several earlier months is counted in each of them."""
    people = heard[["space", "month", "unit"]].drop_duplicates()
    rows = []
    for row in now.to_dict("records"):
        here = people[people["space"] == row["space"]]
        said = (
            talk.loc[talk["subject"] == row["subject"], ["month", "unit"]]
            .drop_duplicates()
            .assign(score=100.0)
        )
        here = here.merge(said, on=["month", "unit"], how="left").fillna({"score": 0.0})
        after, earlier = here[here["month"] == month], here[here["month"] < month]
        if len(earlier):
            rows.append(row | compare_mentions(after, earlier, minimum=minimum))
    if not rows:
        return []
    judged = stats.judge_family(pd.DataFrame(rows), smallest=smallest).to_dict("records")
    kept = set(describe_table("findings").columns) - {"month"}
    return [
        {name: value for name, value in row.items() if name in kept}
        | {"period": f"{month} vs before", "measure": "difference"}
        | {
            "claim": describe_difference(
                row, what=f"“{row['name']}”", here=f"in {month}", there=f"in {before}"
            )
        }
        for row in judged
    ]
