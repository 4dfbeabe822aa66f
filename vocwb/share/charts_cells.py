"""Charts of cells: how often each topic is spoken of at each stage, with the number written in each cell."""

import altair as alt
import pandas as pd

from vocwb.share.charts import draw_layers, make_tips
from vocwb.share.rows import INK, LINE, MUTED, PAPER

_FIELDS = [
    "finding_id",
    "row",
    "label",
    "short",
    "level",
    "value",
    "number",
    "interval",
    "count",
    "state",
    "first",
]
_TIPS = make_tips(
    {"label": "what", "level": "where", "number": "value", "interval": "95% interval", "count": "n"}
)
_PALE, _FULL = "#eef5f4", "#62a0a2"
"""The ends of the shading; ink can be read on both (contrast 4.5 and more)."""


def chart_cells(rows: pd.DataFrame, *, levels: list[str], title: str = "% of respondents") -> alt.LayerChart:
    """Return a heat map: for each topic a strip of cells, one a level, with the number written in it.

    Needs row (the topic's place, from 0), label, short, level, value (% from 30 on, else missing), number (what is
    written), state ("share", "count", "hidden" or "empty"), interval, count and finding_id. levels: all of them in
    their order, those without a row too. Only shares are shaded; counts stand on white, what is hidden says so, and
    where nobody was heard is an empty frame. The name stands above its strip, so that it may be long and run either
    way. title names what the colour says.

    >>> rows = pd.DataFrame({"row": 0, "label": "Late", "short": "Late", "level": ["joining"], "value": [12.0],
    ...                      "number": "12.0%", "state": "share"})
    >>> chart_cells(rows, levels=["joining", "leaving"]).to_dict()["height"]
    {'step': 56}
    """
    rows = rows.sort_values(["row", "level"], ignore_index=True)
    top = float(rows["value"].max()) if rows["value"].notna().any() else 1.0
    rows = rows.assign(first=rows["row"].where(~rows["row"].duplicated()))
    y = alt.Y("row:O", axis=None)
    axis = alt.Axis(orient="top", labelAngle=0, labelLimit=110, labelOverlap=False, ticks=False, domain=False,
                    labelColor=INK)  # fmt: skip
    x = alt.X("level:N", title=None, sort=None, scale=alt.Scale(domain=levels, paddingInner=0.06), axis=axis)
    legend = alt.Legend(title=title, titleColor=INK, titleLimit=0, gradientLength=140, tickCount=3)
    shade = alt.Color("value:Q", scale=alt.Scale(domain=[0, top], range=[_PALE, _FULL]), legend=legend)
    box, middle = (
        {"height": {"band": 0.5}, "yOffset": 11},
        {"yOffset": 11, "baseline": "middle", "fontSize": 12},
    )
    shared = alt.FieldEqualPredicate(field="state", equal="share")
    first = alt.FieldValidPredicate(field="first", valid=True)
    base = alt.Chart()
    named = {"align": "left", "fontSize": 13.5, "dy": -14, "baseline": "middle", "color": INK}
    layers = [
        base.mark_rect(fill=PAPER, stroke=LINE, **box).encode(x=x, y=y, tooltip=_TIPS),
        base.mark_rect(**box).encode(x=x, y=y, color=shade, tooltip=_TIPS).transform_filter(shared),
        base.mark_text(color=INK, **middle).encode(x=x, y=y, text="number:N").transform_filter(shared),
        base.mark_text(color=MUTED, **middle).encode(x=x, y=y, text="number:N").transform_filter({"not": shared}),
        base.mark_text(**named).encode(x=alt.value(0), y=y, text="short:N", tooltip=_TIPS[:1]).transform_filter(first),
    ]  # fmt: skip
    return draw_layers(rows, *layers, height=alt.Step(56), fields=_FIELDS)
