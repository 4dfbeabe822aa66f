"""Sections on drivers: what goes with a score, a topic at a time and all mentions together."""

from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup

from vocwb.share.charts import chart_differences, chart_html, chart_shares
from vocwb.share.rows import list_records, name_language, shorten_label
from vocwb.stats import VERDICTS

_IMPORTANCE = {
    "part": "importance",
    "coefficient": "coefficient",
    "left_out": "impact_left_out",
    "gap": "impact_gap",
}


def draw_differences(rows: list[dict], *, title: str, axis: str) -> Markup:
    """Return a forest plot of rows as a figure, without a table; "" if there are none.

    >>> draw_differences([], title="", axis="")
    Markup('')
    """
    if not rows:
        return Markup("")
    spoken = f"{title}: each difference with its 95% interval about zero; the table below holds the numbers."
    chart = chart_differences(pd.DataFrame(rows), title=axis)
    return chart_html(chart, title=title, description=spoken, table=False)


def read_drivers(rows: pd.DataFrame) -> list[dict]:
    """Return the drivers by question, the strongest first: topics whose mention goes with a score.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> read_drivers(prepare_rows(empty_table("findings")))
    []
    """
    found = []
    for _, group in rows[rows["section"].eq("drivers")].groupby("subject", sort=False):
        question = group["label"].iloc[0]
        topic = group["level"].fillna(group["label"])
        group = group.assign(label=topic, short=[shorten_label(name) for name in topic], level=None)
        place = group["verdict"].map({verdict: i for i, verdict in enumerate(VERDICTS)}).fillna(len(VERDICTS))
        group = group.assign(place=place, size=group["value"].abs())
        group = group.sort_values(["place", "size", "finding_id"], ascending=[True, False, True])
        judged = group[group["verdict"].isin(VERDICTS)]
        if judged.empty:
            continue
        drawn = list_records(judged[judged["mark"].ne("too few to say")].head(12))
        unit = "points of NPS" if group["unit"].iloc[0] == "points" else "points of the scale"
        chart = draw_differences(drawn, title=question, axis=f"difference in {unit}, with 95% interval")
        found.append({"question": question, "rows": list_records(judged), "chart": chart})
    return found


def label_importance(findings: pd.DataFrame, labels: Mapping[str, str]) -> dict[str, str]:
    """Return what people read for the subjects (question:language) and levels (topic:side) of importance.

    >>> findings = pd.DataFrame({"section": ["importance"], "subject": ["nps:fa"], "level": ["T0001:negative"]})
    >>> label_importance(findings, {"nps": "Recommend us?", "T0001": "Late"})
    {'nps:fa': 'Recommend us? · Persian', 'T0001:negative': 'Late · negative'}
    """
    of = findings[findings["section"].eq("importance")]
    named = {}
    for text in dict.fromkeys([*of["subject"], *of["level"]]):
        one, _, other = text.partition(":")
        other = other if other in ("negative", "positive") else name_language(other)
        named[text] = f"{labels.get(one, one)} · {other}"
    return named


def read_importance(rows: pd.DataFrame) -> list[dict]:
    """Return for each question what its score goes with, all mentions together: chart, and a row a mention.

    A row has part, coefficient, left_out and gap: the findings on the mention, None where there is none.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> read_importance(prepare_rows(empty_table("findings")))
    []
    """
    found = []
    for _, group in rows[rows["section"].eq("importance")].groupby("subject", sort=True):
        group = group.assign(question=group["label"], label=group["level"])
        group["short"] = [shorten_label(name) for name in group["label"]]
        parts = group[group["measure"].eq("importance")].sort_values(
            ["value", "row"], ascending=[False, True]
        )
        by = {(row["level"], row["measure"]): row | {"level": None} for row in list_records(group)}
        mentions = [
            {name: by.get((level, measure)) for name, measure in _IMPORTANCE.items()}
            for level in parts["level"]
        ]
        question = group["question"].iloc[0]
        spoken = f"{question}: the part of each mention, largest first, with its 95% interval, as in the table below."
        axis = "% of what all mentions together explain, with 95% interval"
        chart = chart_shares(parts.assign(level=None), title=axis)
        chart = chart_html(chart, title=f"{question}: what it goes with", description=spoken, table=False)
        found.append({"question": question, "rows": mentions, "chart": chart})
    return found
