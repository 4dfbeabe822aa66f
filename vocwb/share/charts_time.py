"""Charts over time with limits: what is inside, what stands out, and since when a number is where it is."""

import altair as alt
import pandas as pd

from vocwb.share.charts import draw_layers, make_tips
from vocwb.share.rows import INK, MARKS, MUTED, PAPER, TEAL

WHERE = {"inside": ("circle", TEAL, TEAL), "above": MARKS["higher"], "below": MARKS["lower"]}
"""What a month looks like by where it lies: shape, colour of the outline, colour of the inside."""

_FIELDS = ["finding_id", "label", "period", "value", "centre", "limit_low", "limit_high", "number", "interval", "count",
           "where", "limits", "since_left", "since_right", "since"]  # fmt: skip
_TIPS = make_tips({
    "period": "month", "number": "value", "interval": "95% interval", "count": "n", "limits": "control limits",
    "where": "where it lies",
})  # fmt: skip


def chart_limits(rows: pd.DataFrame, *, height: int = 200) -> alt.LayerChart:
    """Return a control chart: a number over the months, its centre and its control limits, and where it changed.

    Needs period ("YYYY-MM"), value (missing: a gap), centre, limit_low, limit_high, where ("above", "below" or
    "inside"), changed (true in the first month of a new level), number, interval, count, limits and finding_id, as
    sections_time.lay_limits gives them. A month outside the limits has another shape and another colour; a change is
    a dashed rule with its month.

    >>> rows = pd.DataFrame({"period": ["2025-01", "2025-02"], "value": [9.0, 30.0], "centre": 10.0, "limit_low": 4.0,
    ...                      "limit_high": 16.0, "where": ["inside", "above"], "changed": [False, True]})
    >>> chart_limits(rows).height
    200
    """
    rows = _lay_out(rows)
    ticks = _choose_ticks(rows["period"].tolist())
    x = alt.X(
        "utcyearmonth(period):T",
        scale=alt.Scale(type="utc"),
        title=None,
        axis=alt.Axis(format="%b %y", grid=False, labelFlush=True, values=ticks),
    )
    unit = rows["number"].astype("str").str.contains("%", regex=False).any()
    # An expression of ours, in which no data stands.
    axis = alt.Axis(tickCount=4, labelExpr="datum.label + '%'") if unit else alt.Axis(tickCount=4)
    y = alt.Y("limit_low:Q", title=None, axis=axis, scale=alt.Scale(zero=False, nice=True))
    base, step = alt.Chart(), {"interpolate": "step"}
    present = [where for where in WHERE if where in set(rows["where"])] or ["inside"]
    looks = [alt.Scale(domain=present, range=[WHERE[where][part] for where in present]) for part in range(3)]
    legend = alt.Legend(columns=3) if present != ["inside"] else None
    rule = {"color": INK, "strokeDash": [3, 3], "strokeWidth": 1.25}
    layers = [
        base.mark_area(color=TEAL, opacity=0.1, **step).encode(x=x, y=y, y2="limit_high:Q"),
        *(
            base.mark_line(color=MUTED, strokeWidth=1, strokeDash=[5, 3], **step).encode(x=x, y=alt.Y(f"{end}:Q"))
            for end in ("limit_low", "limit_high")
        ),
        base.mark_line(color=MUTED, strokeWidth=1.25, **step).encode(x=x, y=alt.Y("centre:Q")),
        *(
            base.mark_rule(**rule)
            .encode(x=alt.X("utcyearmonth(period):T"))
            .transform_filter(alt.FieldValidPredicate(field=side, valid=True))
            for side in ("since_left", "since_right")
        ),
        base.mark_line(color=TEAL, strokeWidth=2).encode(x=x, y=alt.Y("value:Q")),
        base.mark_point(size=70, strokeWidth=1.5, opacity=1).encode(
            x=x, y=alt.Y("value:Q"), tooltip=_TIPS,
            shape=alt.Shape("where:N", scale=looks[0], legend=legend),
            color=alt.Color("where:N", scale=looks[1], legend=legend),
            fill=alt.Fill("where:N", scale=looks[2], legend=legend),
        ),
        *_tell_since(x, "since_left", "left", 5),
        *_tell_since(x, "since_right", "right", -5),
    ]  # fmt: skip
    return draw_layers(rows, *layers, height=height, fields=_FIELDS)


def _lay_out(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with every month from the first to the last, and beside each change what stands there."""
    rows = rows.reindex(columns=list(dict.fromkeys([*rows, *_FIELDS, "changed"]))).sort_values("period")
    if len(rows):
        months = pd.period_range(rows["period"].min(), rows["period"].max(), freq="M").astype(str)
        rows = rows.set_index("period").reindex(months).rename_axis("period").reset_index()
    changed = rows["changed"].eq(True)
    late = pd.Series(range(len(rows)), index=rows.index) > 0.6 * len(rows)
    named = pd.to_datetime(rows["period"], format="%Y-%m").dt.strftime("since %b %Y")
    # A month without a value has no place among the shapes.
    return rows.assign(
        since=named.where(changed),
        since_left=(changed & ~late).map(
            {True: 1.0, False: None}
        ),  # a predicate of validity takes numbers alone
        since_right=(changed & late).map({True: 1.0, False: None}),
        where=rows["where"].where(rows["value"].notna()),
    )


def _choose_ticks(months: list[str]) -> list[alt.DateTime]:
    places = sorted({0, len(months) // 2, len(months) - 1}) if len(months) > 4 else range(len(months))
    return [
        alt.DateTime(year=int(months[place][:4]), month=int(months[place][5:]), utc=True) for place in places
    ]


def _tell_since(x: alt.X, side: str, align: str, dx: int) -> list[alt.Chart]:
    """Return the month beside a rule, on a ground that keeps lines out of the letters."""
    kept = alt.FieldValidPredicate(field=side, valid=True)
    written = {"align": align, "dx": dx, "baseline": "top", "fontSize": 12}
    return [
        alt.Chart()
        .mark_text(**written, **colour)
        .encode(x=x, y=alt.value(2), text="since:N")
        .transform_filter(kept)
        for colour in ({"stroke": PAPER, "strokeWidth": 4, "color": PAPER}, {"color": INK})
    ]
