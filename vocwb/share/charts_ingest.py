"""Charts of what an ingest found: coverage month by month, the funnel of messages, who is silent."""

import altair as alt
import pandas as pd

from vocwb.share.charts import chart_bars, chart_shares, draw_layers, make_tips, write_rows
from vocwb.share.rows import (
    INK,
    LINE,
    MUTED,
    PAPER,
    TEAL,
    format_interval,
    format_number,
    name_language,
    shorten_label,
)


def chart_coverage(
    coverage: pd.DataFrame, *, dimension: str = "channel", voice: str = "customer"
) -> alt.LayerChart:
    """Return a heat map of what `coverage.count_coverage` counted: levels of one dimension, month by month.

    What is declared and never arrived is a row of empty frames; a dot is a count too small to show. Logs are
    left out, since their counts are of another kind. Without any month only the totals stand, as bars.

    >>> coverage = pd.DataFrame({"voice": "customer", "dimension": "channel", "level": ["sms", "web"], "total": [7, 0],
    ...     "counted": "responses", "says": ["", "declared, nothing arrived"], "2025-01": [7, 0]})
    >>> len(chart_coverage(coverage).data)
    2
    """
    rows = coverage[coverage["dimension"].eq(dimension) & coverage["voice"].eq(voice)]
    rows = rows[rows["counted"].isin(["responses", "verbatims"])].reset_index(drop=True)
    months = [name for name in rows if name[:4].isdigit() or name == "undated"]
    named = rows["level"].map(_name_level) if dimension == "language" else rows["level"]
    totals = rows["total"].astype("object").where(rows["total"].notna(), -1)
    numbers = ["too few to show" if total < 0 else f"{total:,}" if total else "nothing" for total in totals]
    rows = rows.assign(
        row=rows.index, label=named, short=[shorten_label(name, 34) for name in named], number=numbers
    )
    kept = ["row", "label", "short", "number"]
    if not months:
        return chart_bars(rows[kept].assign(value=rows["total"].astype(float), finding_id=rows["level"]))
    cells = rows.melt(kept, months, var_name="period", value_name="value")
    cells["count"] = [f"{value:,}" if pd.notna(value) else "too few to show" for value in cells["value"]]
    cells["value"] = cells["value"].astype(float)
    noun = rows["counted"].iloc[0] if len(rows) else "responses"
    dots = "; a dot: too few to show" if cells["value"].isna().any() else ""
    return chart_months(cells, title=f"{noun} in a month{dots}")


def chart_months(cells: pd.DataFrame, *, title: str = "responses in a month") -> alt.LayerChart:
    """Return a heat map of counts: a strip of months below each label, in which nothing is an empty frame.

    Needs row (its place, from 0), label, short, number (what stands at the end of the row), period, and value:
    missing where something arrived and is too little to show (a dot). title names what the colour counts.

    >>> cells = pd.DataFrame({"row": 0, "label": "mail", "short": "mail", "number": "7", "period": ["2025-01"],
    ...                       "value": [7]})
    >>> chart_months(cells).to_dict()["height"]
    {'step': 46}
    """
    cells = cells.sort_values(["row", "period"], ignore_index=True)  # "undated" comes after the digits
    cells = cells.assign(
        latest=cells["row"].where(~cells["row"].duplicated()),
        mark=cells["value"].gt(0).map({True: "some", False: "none"}).mask(cells["value"].isna(), "few"),
    )
    y = alt.Y("row:O", axis=None)
    x = alt.X("period:O", title=None, sort=None, scale=alt.Scale(paddingInner=0.08),
              axis=alt.Axis(labelAngle=0, labelOverlap="greedy", ticks=False, domain=False))  # fmt: skip
    legend = alt.Legend(title=title, titleColor=INK, titleLimit=0, gradientLength=160, tickCount=4)
    scale = alt.Scale(type="sqrt", range=["#d5e8e6", TEAL], domainMin=0)
    shade = alt.Color("value:Q", scale=scale, legend=legend)
    tips = make_tips({"label": "what", "period": "month", "count": "n"})
    box = {"height": {"band": 0.46}, "yOffset": 10}
    mark = {name: alt.FieldEqualPredicate(field="mark", equal=name) for name in ("some", "few")}
    first = alt.FieldValidPredicate(field="latest", valid=True)
    layers = [
        alt.Chart().mark_rect(fill=PAPER, stroke=LINE, **box).encode(x=x, y=y, tooltip=tips),
        alt.Chart().mark_rect(**box).encode(x=x, y=y, color=shade, tooltip=tips).transform_filter(mark["some"]),
        alt.Chart().mark_point(yOffset=10, size=16, filled=True, color=MUTED, opacity=1)
        .encode(x=x, y=y, tooltip=tips).transform_filter(mark["few"]),
        *(words.transform_filter(first) for words in write_rows(y, -12)),
    ]  # fmt: skip
    return draw_layers(cells, *layers, height=alt.Step(46))


def chart_funnel(
    funnel: pd.DataFrame, *, message: str = "all messages", channel: str | None = None
) -> alt.LayerChart:
    """Return bars of a message's funnel as `panels.count_funnel` counted it, each step as a share of the sent.

    channel: which one, where a message of this name was sent in several; the first of the panel if not given.

    >>> funnel = pd.DataFrame({"what": "messages", "channel": "mail", "message": "all messages", "says": "",
    ...     "level": ["sent", "opened"], "count": [50, 20], "n": 50, "share": [100.0, 40.0], "low": None, "high": None})
    >>> chart_funnel(funnel).data["number"].tolist()
    ['50', '20 · 40.0%']
    """
    rows = funnel[funnel["message"].eq(message)] if "message" in funnel else funnel[:0]
    rows = rows[rows["channel"].eq(channel or rows["channel"].iloc[0])] if len(rows) else rows
    numbers = [
        says
        if pd.isna(count)
        else f"{count:,}"
        if at == 0 or pd.isna(share)
        else f"{count:,} · {format_number(share, '%')}"
        for at, (count, share, says) in enumerate(
            zip(rows["count"], rows["share"], rows["says"], strict=True)
        )
    ]
    values = rows["count"].astype(float).fillna(0)
    rows = _prepare(rows.assign(value=values, number=numbers), rows["level"])
    return chart_bars(rows, title="customers", ordered=True)


def chart_panel(
    panel: pd.DataFrame, *, about: str = "", title: str = "% of customers, with 95% interval"
) -> alt.LayerChart:
    """Return the shares of a panel with their 95% intervals, in its order: who is silent, who unsubscribes.

    about: only the rows whose `what` begins so. Rows without a share are left out.

    >>> panel = pd.DataFrame({"what": "silent, by orders", "level": ["lowest", "highest"], "count": [9, 3], "n": 30,
    ...                       "share": [30.0, 10.0], "low": [16.7, 3.5], "high": [47.9, 25.6], "says": ""})
    >>> chart_panel(panel, about="silent").data["number"].tolist()
    ['30.0%', '10.0%']
    """
    rows = panel[panel["what"].str.startswith(about) & panel["low"].notna()]
    topics = rows["what"].str.removeprefix("silent, by ")
    numbers = [format_number(share, "%") if pd.notna(share) else "" for share in rows["share"]]
    rows = rows.assign(value=rows["share"].astype(float), number=numbers)
    rows = _prepare(rows, rows["level"], topics)
    return chart_shares(rows, title=title, ordered=True)


def _prepare(rows: pd.DataFrame, levels: pd.Series, topics: pd.Series | None = None) -> pd.DataFrame:
    """Return rows of a panel, which have value and number, with the other fields that charts draw."""
    parts = [levels.tolist()] if topics is None else [topics.tolist(), levels.tolist()]
    labels = [[part for part in both if part] for both in zip(*parts, strict=True)]
    ends = zip(rows["low"], rows["high"], strict=True)
    return rows.assign(
        label=[" · ".join(both) for both in labels],
        short=[" · ".join(shorten_label(part, 24) for part in both) for both in labels],
        interval=[format_interval(low, high, "%") for low, high in ends],
        count=[f"{n:,}" if pd.notna(n) else "" for n in rows["n"]],
        finding_id="",
        mark="not compared",
    ).reset_index(drop=True)


def _name_level(code: str) -> str:
    return "language not given" if code == "not given" else name_language(code)
