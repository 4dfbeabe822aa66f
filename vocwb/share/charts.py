"""Charts of findings that a workshop can read: dots with intervals, bands over time, differences, bars.

Every chart is drawn from the frame that `rows.prepare_rows` makes, whose field names are fixed, so that no word of
a customer or of a colleague ever stands where Vega looks for a field, an expression or a signal.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache

import altair as alt
import pandas as pd
import vl_convert
from markupsafe import Markup

from vocwb.errors import ReportError
from vocwb.share.rows import INK, LINE, MARKS, MUTED, PAPER, TEAL

SANS = (
    "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', Roboto, 'Noto Sans Arabic', 'Noto Naskh Arabic', Tahoma, "
    "'PingFang TC', 'Microsoft JhengHei', 'Noto Sans CJK TC', 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', sans-serif"
)
_VEGA_LITE = "6.4"

_FIELDS = ["finding_id", "label", "short", "period", "value", "low", "high", "number", "interval", "count",
           "verdict", "mark", "row", "latest"]  # fmt: skip


def make_tips(fields: Mapping[str, str]) -> list[alt.Tooltip]:
    """Return what a chart says of a mark that is pointed at; fields: column -> title.

    >>> [tip.to_dict()["title"] for tip in make_tips({"count": "n"})]
    ['n']
    """
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in fields.items()]


TIPS = make_tips(
    {"label": "what", "number": "value", "interval": "95% interval", "count": "n", "verdict": "verdict"}
)
"""What most charts say of a mark."""


def draw_layers(
    rows: pd.DataFrame, *layers: alt.Chart, height: int | alt.Step, fields: Sequence[str] = _FIELDS
) -> alt.LayerChart:
    """Return layers on one frame, of which only these fields are kept, in the look that all charts have.

    >>> draw_layers(pd.DataFrame({"label": ["late"]}), alt.Chart().mark_point(), height=90).height
    90
    """
    data = rows.reindex(columns=list(fields))
    return (
        alt.layer(*layers, data=data)
        .properties(width="container", height=height, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
        .configure(font=SANS, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            gridColor=LINE, domainColor=LINE, tickColor=LINE, labelColor=MUTED, titleColor=MUTED,
            labelFontSize=12, titleFontSize=12, titleFontWeight="normal", titlePadding=8, labelPadding=6,
        )
        .configure_legend(orient="top", title=None, labelFontSize=12.5, labelColor=INK, labelLimit=0, symbolSize=90,
                          columns=2, padding=0, offset=14)
        .configure_axisQuantitative(tickCount=5)
    )  # fmt: skip


def _dots(rows: pd.DataFrame, x: alt.X) -> list[alt.Chart]:
    """Return the layers of a row chart: above each row its label and number, in it the interval and the dot."""
    present = [mark for mark in MARKS if mark in set(rows["mark"])]
    scales = [alt.Scale(domain=present, range=[MARKS[mark][part] for mark in present]) for part in range(3)]
    legend = alt.Legend() if present != ["not compared"] else None
    y = alt.Y("row:O", axis=None)
    return [
        alt.Chart().mark_rule(strokeWidth=2.5, opacity=0.75, yOffset=7).encode(
            x=x, x2="high:Q", y=y, color=alt.Color("mark:N", scale=scales[1], legend=legend)
        ),
        alt.Chart().mark_point(size=95, strokeWidth=2, opacity=1, yOffset=7).encode(
            x="value:Q", y=y, tooltip=TIPS,
            shape=alt.Shape("mark:N", scale=scales[0], legend=legend),
            color=alt.Color("mark:N", scale=scales[1], legend=legend),
            fill=alt.Fill("mark:N", scale=scales[2], legend=legend),
        ),
        *write_rows(y, -8),
    ]  # fmt: skip


def write_rows(y: alt.Y, dy: int) -> list[alt.Chart]:
    """Return the label and the number above each row, on a ground that keeps grid lines out of the letters.

    >>> len(write_rows(alt.Y("row:O"), -12))
    4
    """
    ground = {"fontSize": 13.5, "dy": dy, "baseline": "middle"}
    layers = []
    for align, x, field in (("left", alt.value(0), "short:N"), ("right", alt.value("width"), "number:N")):
        for colour in ({"stroke": PAPER, "strokeWidth": 5, "color": PAPER}, {"color": INK}):
            words = alt.Chart().mark_text(align=align, **ground, **colour)
            layers.append(words.encode(x=x, y=y, text=field, tooltip=TIPS))
    return layers


def chart_shares(
    rows: pd.DataFrame, *, title: str = "% of respondents, with 95% interval", ordered: bool = False
) -> alt.LayerChart:
    """Return a chart of shares with their 95% intervals, the largest first, the verdict in shape and colour.

    Needs the columns that `prepare_rows` adds; a row without a value is left out. title names the axis;
    ordered: the rows stay in their order.

    >>> from vocwb.schemas import make_findings
    >>> from vocwb.share.rows import prepare_rows
    >>> row = {"period": "2025-01", "subject": "T1", "measure": "share", "unit": "%", "value": 12.0,
    ...        "low": 10.0, "high": 14.0, "n": 900, "claim": "", "method": ""}
    >>> chart_shares(prepare_rows(make_findings([row], section="topics", month="2025-01"))).to_dict()["height"]
    {'step': 44}
    """
    rows = _order(rows, ordered)
    x = alt.X("low:Q", title=title, scale=alt.Scale(domainMin=0, nice=True))
    return draw_layers(rows, *_dots(rows, x), height=alt.Step(44))


def chart_differences(
    rows: pd.DataFrame, *, title: str = "difference, with 95% interval", ordered: bool = False
) -> alt.LayerChart:
    """Return a forest plot: differences with their 95% intervals about a line at zero, the highest first.

    Needs the columns that `prepare_rows` adds; a row without a value is left out. title names the axis; ordered:
    the rows stay in their order.

    >>> from vocwb.schemas import make_findings
    >>> from vocwb.share.rows import prepare_rows
    >>> row = {"period": "2025-01", "subject": "T1", "measure": "difference", "unit": "pp", "difference": 6.0,
    ...        "low": 2.0, "high": 10.0, "n": 900, "claim": "", "method": ""}
    >>> chart_differences(prepare_rows(make_findings([row], section="topics", month="2025-01"))).to_dict()["height"]
    {'step': 44}
    """
    rows = _order(rows, ordered)
    zero = alt.Chart().mark_rule(color=INK, strokeWidth=1).encode(x=alt.datum(0))
    ends = [0.0, *rows["low"].dropna(), *rows["high"].dropna(), *rows["value"]]
    room = 0.06 * (max(ends) - min(ends) or 1)
    scale = alt.Scale(domain=[min(ends) - room, max(ends) + room], nice=False)
    x = alt.X("low:Q", title=title, scale=scale)
    return draw_layers(rows, zero, *_dots(rows, x), height=alt.Step(44))


def chart_trend(
    rows: pd.DataFrame,
    *,
    lowest: float | None = None,
    highest: float | None = None,
    mark: str = "not compared",
    height: int = 130,
) -> alt.LayerChart:
    """Return a number over the months as a line in the band of its 95% intervals.

    Needs the columns that `prepare_rows` adds, with period "YYYY-MM"; other periods are left out. A month
    without a value is a gap. lowest, highest: ends of the axis, where charts are to be compared. mark: which
    of rows.MARKS the last month has, so that what changed with evidence catches the eye. Raises ReportError
    where a month stands twice: the rows are of more than one number.

    >>> from vocwb.schemas import make_findings
    >>> from vocwb.share.rows import prepare_rows
    >>> row = {"period": "2025-01", "subject": "nps", "measure": "nps", "unit": "points", "value": 12.0,
    ...        "low": 2.0, "high": 22.0, "n": 900, "claim": "", "method": ""}
    >>> chart_trend(prepare_rows(make_findings([row], section="scores", month="2025-01"))).height
    130
    """
    rows = rows[rows["period"].str.fullmatch(r"\d{4}-\d\d")].sort_values("period")
    if rows["period"].duplicated().any():
        raise ReportError(
            "A trend is of one number, and a month stands twice in these rows.",
            f"Subjects: {', '.join(rows['subject'].unique())}; measures: {', '.join(rows['measure'].unique())}.",
            "Choose one section, subject, measure and level first.",
        )
    if len(rows):
        months = pd.period_range(rows["period"].min(), rows["period"].max(), freq="M").astype(str)
        rows = rows.set_index("period").reindex(months).rename_axis("period").reset_index()
        rows = rows.assign(latest=rows["value"].where(rows["period"].eq(months[-1])))
    limits = {"domainMin": lowest, "domainMax": highest}
    limits = {name: value for name, value in limits.items() if value is not None}
    places = sorted({0, len(rows) // 2, len(rows) - 1}) if len(rows) > 4 else range(len(rows))
    ticks = [alt.DateTime(year=int(m[:4]), month=int(m[5:]), utc=True) for m in rows["period"].iloc[places]]
    x = alt.X(
        "utcyearmonth(period):T",
        scale=alt.Scale(type="utc"),
        title=None,
        axis=alt.Axis(format="%b %y", grid=False, labelFlush=True, values=ticks),
    )
    unit = rows["number"].str.contains("%", regex=False).any()
    # An expression of ours, in which no data stands.
    axis = alt.Axis(tickCount=3, labelExpr="datum.label + '%'") if unit else alt.Axis(tickCount=3)
    y = alt.Y("low:Q", title=None, axis=axis, scale=alt.Scale(zero=False, nice=True, **limits))
    shape, colour, inside = MARKS[mark if mark in ("higher", "lower") else "not compared"]
    shape = "circle" if colour == TEAL else shape
    tips = [alt.Tooltip("period:N", title="month"), *TIPS[1:4]]
    line = alt.Chart().encode(x=x, y=alt.Y("value:Q"), tooltip=tips)
    layers = [
        alt.Chart().mark_area(color=TEAL, opacity=0.16).encode(x=x, y=y, y2="high:Q"),
        line.mark_line(color=TEAL, strokeWidth=2, point=alt.OverlayMarkDef(size=22, filled=True, color=TEAL)),
        line.mark_point(shape=shape, color=colour, fill=inside, size=90, opacity=1).encode(
            y=alt.Y("latest:Q")
        ),
    ]
    return draw_layers(rows, *layers, height=height)


def chart_bars(rows: pd.DataFrame, *, title: str = "responses", ordered: bool = False) -> alt.LayerChart:
    """Return bars of counts, the longest first; what is declared and absent stands as an empty row.

    Needs the columns that `prepare_rows` adds. title names what is counted; ordered: rows stay in their order.

    >>> from vocwb.schemas import make_findings
    >>> from vocwb.share.rows import prepare_rows
    >>> row = {"period": "2025-01", "subject": "email", "measure": "count", "unit": "count", "value": 12.0,
    ...        "claim": "", "method": ""}
    >>> chart_bars(prepare_rows(make_findings([row], section="coverage", month="2025-01"))).to_dict()["height"]
    {'step': 36}
    """
    rows = _order(rows, ordered)
    y = alt.Y("row:O", axis=None)
    end = max(rows["value"].max(), 1) if len(rows) else 1
    x = alt.X("value:Q", title=title, axis=None, scale=alt.Scale(domain=[0, float(end)]))
    layers = [
        alt.Chart().mark_bar(color=TEAL, opacity=0.85, height=9, yOffset=8, cornerRadiusEnd=2).encode(
            x=x, y=y, tooltip=TIPS[:2]
        ),
        *write_rows(y, -6),
    ]  # fmt: skip
    return draw_layers(rows, *layers, height=alt.Step(36))


def _order(rows: pd.DataFrame, ordered: bool) -> pd.DataFrame:
    rows = rows[rows["value"].notna()]
    return rows.assign(row=range(len(rows))) if ordered else _sorted(rows, "value")


def _sorted(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Sort rows, the largest first; those marked `last`, such as what fits no topic, stand below the others."""
    last = rows.get("last", False)
    rows = rows.assign(below=last).sort_values(
        ["below", by, "finding_id"], ascending=[True, False, True], ignore_index=True
    )
    return rows.assign(row=range(len(rows)))


def chart_html(chart: alt.TopLevelMixin, *, title: str, description: str, table: bool = True) -> Markup:
    """Return a chart as a figure for a page: its specification as escaped JSON, and its numbers as a table.

    The page draws it with `bundle_script`; nothing in the chart's data can end the script element, and without
    JavaScript the table remains. title is the visible caption, description what a screen reader says.

    >>> frame = pd.DataFrame({"label": ["</script>"], "value": [1]})
    >>> html = chart_html(alt.Chart(frame).mark_bar().encode(x="value"), title="T", description="D")
    >>> html.count("</script>"), "&lt;/script&gt;" in html
    (1, True)
    """
    specification = escape_json(chart.to_dict())
    numbers = _table_html(chart.data, title) if table else Markup("")
    return Markup(
        '<figure class="chart"><figcaption><bdi>{}</bdi></figcaption><div class="plot" role="img" aria-label="{}">'
        '</div><script type="application/json" class="spec">{}</script>{}</figure>'
    ).format(title, description, specification, numbers)


def _table_html(data: pd.DataFrame, title: str) -> Markup:
    """Return the numbers of a chart as a closed table; a number opens its quotes as everywhere on the page."""
    named = {"label": "what", "period": "month", "number": "value", "interval": "95% interval", "count": "n",
             "verdict": "verdict"}  # fmt: skip
    names = [name for name in named if name in data and data[name].notna().any() and data[name].nunique() > 0]
    names = [
        name
        for name in names
        if name not in ("label", "period") or data[name].nunique() > 1 or len(data) == 1
    ]
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(named[name]) for name in names)
    shown = data[data["number"].fillna("").ne("")] if "number" in data else data
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(_cell(row, name, named[name]) for name in names))
        for row in shown.to_dict("records")
    )
    return Markup(
        '<details class="numbers"><summary>The numbers</summary><table class="cards"><caption>{}</caption>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></details>"
    ).format(title, head, body)


def _cell(row: dict, name: str, heading: str) -> Markup:
    text = "" if pd.isna(row[name]) else str(row[name])
    if name == "number" and row.get("finding_id"):
        text = number_html(row)
    return Markup('<td data-head="{}"><bdi>{}</bdi></td>').format(heading, text)


def number_html(row: Mapping) -> Markup:
    """Return the number of a prepared row as a button that opens its quotes; too few and hidden say so.

    >>> number_html({"finding_id": "f1", "number": "12.0%", "verdict": None})
    Markup('<button type="button" class="number" data-finding="f1">12.0%</button>')
    """
    if row["verdict"] == "hidden":
        return Markup('<span class="few">hidden: too small a group</span>')
    text = row["number"] or row["verdict"] or "no number"
    return Markup('<button type="button" class="number" data-finding="{}">{}</button>').format(
        row["finding_id"], text
    )


def interval_html(row: Mapping) -> Markup:
    """Return a small picture of a difference: its interval and dot about a line at zero; "" without an interval.

    >>> "<svg" in interval_html({"value": 2.0, "low": 1.0, "high": 3.0, "mark": "higher"})
    True
    """
    if any(row[name] is None or pd.isna(row[name]) for name in ("value", "low", "high")):
        return Markup("")
    reach = max(abs(row["low"]), abs(row["high"])) or 1
    low, dot, high = (round(80 + 74 * row[name] / reach, 1) for name in ("low", "value", "high"))
    colour = MARKS[row["mark"]][1]
    return Markup(
        '<svg class="interval" viewBox="0 0 160 22" aria-hidden="true"><path d="M3 11H157" stroke="{line}"/>'
        '<path d="M80 1V21" stroke="{ink}"/><path d="M{low} 11H{high}" stroke="{colour}" stroke-width="4"/>'
        '<circle cx="{dot}" cy="11" r="6" fill="{colour}"/></svg>'
    ).format(line=LINE, ink=INK, low=low, high=high, dot=dot, colour=colour)


def escape_json(value: object) -> Markup:
    """Return JSON that is safe inside a script element: < > & and the two line separators are escaped.

    >>> print(escape_json(["</script>"]))
    ["\\u003c/script\\u003e"]
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


@cache
def bundle_script() -> str:
    """Return the one script that draws every chart of a page: Vega-Embed, Vega-Lite and Vega, without network.

    >>> "window.vegaEmbed" in bundle_script()
    True
    """
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", _VEGA_LITE)


def hash_script(script: str) -> str:
    """Return how a Content-Security-Policy names an inline script (CSP level 2, hash sources).

    >>> hash_script("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def enable_renderer() -> None:
    """Make notebooks show charts as still SVG pictures, which Lab, papermill and nbconvert all keep.

    Needs no network and runs no script: Lab and nbconvert put an SVG in an img element.

    >>> enable_renderer()
    >>> alt.renderers.active
    'vocwb'
    """
    alt.renderers.register("vocwb", render_svg)
    alt.renderers.enable("vocwb")


def render_svg(specification: dict, **_) -> dict[str, str]:
    """Return the MIME bundle of a still picture of a Vega-Lite specification; nothing is fetched.

    >>> chart = alt.Chart(pd.DataFrame({"x": ["<b>"]})).mark_bar().encode(x="x:N")
    >>> "<b>" in render_svg(chart.to_dict())["image/svg+xml"]
    False
    """
    wide = specification | ({"width": 680} if specification.get("width") == "container" else {})
    svg = vl_convert.vegalite_to_svg(wide, vl_version=_VEGA_LITE, allowed_base_urls=[])
    return {"image/svg+xml": svg, "text/plain": specification.get("description") or "a chart"}
