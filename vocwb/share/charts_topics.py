"""Charts of topics: the map of what was said, on which a region is selected and read, and topics over time."""

from itertools import accumulate

import altair as alt
import pandas as pd
from markupsafe import Markup

from vocwb.schemas import OUTLIER
from vocwb.share.charts import SANS, bundle_script, escape_json, hash_script
from vocwb.share.quotes import direction_of
from vocwb.share.rows import INK, LINE, MUTED, PAPER, TEAL, name_language, prepare_rows, shorten_label

MOST_POINTS = 3000
"""More points than this are not told apart on a map; each topic then keeps its share of them."""

LISTED = 12
"""How many of the selected verbatims are listed below a map."""

_SHADES = (
    "#0f5c63",
    "#c2571a",
    "#5b4b9a",
    "#2f7d32",
    "#b03060",
    "#8a6d00",
    "#1a5aa6",
    "#7a4a2b",
    "#00838f",
    "#9c27b0",
)
_NONE = "#b9bec4"
_WIDTH, _HEIGHT, _LINE = 680, 440, 40
_QUOTE = 68  # characters of a line below the map, half as many where they are wide; two lines a verbatim


def map_topics(points: pd.DataFrame, named: pd.DataFrame, *, most: int = MOST_POINTS) -> alt.VConcatChart:
    """Return a map of verbatims coloured by theme, with topics' names, and a list of those in a selected region.

    points: feedback_id, x, y, topic, language, verbatim; named: topic, name, and theme where there is one (else
    each topic has a colour of its own, in turn). Drag over the map to select; the first 12 of what is selected
    stand below it, as long as nothing is selected the first 12 of all. A name stands at the median of its topic's
    points, the largest topics first; one that would cover another is left to the tooltip. More than `most` points
    are thinned, each topic keeping its share, by feedback_id, which is a hash and as good as a lot.

    >>> points = pd.DataFrame({"feedback_id": ["a", "b"], "x": [0.0, 1.0], "y": [0.0, 1.0], "topic": "T0001",
    ...                        "language": "en", "verbatim": ["Late.", "Slow."]})
    >>> chart = map_topics(points, pd.DataFrame({"topic": ["T0001"], "name": ["Late"]}))
    >>> len(chart.vconcat)
    2
    """
    points = _scale_points(points)
    rows, labels = _place_points(points, named, most), _place_labels(points, named)
    brush = alt.selection_interval(name="region", encodings=["x", "y"], value=None)
    axis = {"axis": None, "scale": alt.Scale(domain=[0, 1], nice=False)}
    shades = alt.Scale(domain=list(range(len(_SHADES) + 1)), range=[*_SHADES, _NONE])
    x, y = alt.X("x:Q", **axis), alt.Y("y:Q", **axis)
    tips = [alt.Tooltip("quote:N", title="said"), alt.Tooltip("label:N", title="topic")]
    dots = (
        alt.Chart(rows)
        .mark_circle(size=22)
        .encode(
            x=x, y=y, tooltip=tips, color=alt.Color("shade:O", scale=shades, legend=None),
            opacity=alt.condition(brush, alt.value(0.7), alt.value(0.12)),
        )
        .add_params(brush)
    )  # fmt: skip
    written = {"fontSize": 12.5, "fontWeight": 600, "baseline": "middle"}
    grounds = ({"stroke": PAPER, "strokeWidth": 4, "color": PAPER, "opacity": 0.85}, {"color": INK})
    names = [
        alt.Chart(labels)
        .mark_text(**written, **ground, tooltip=None)
        .encode(x="x:Q", y="y:Q", text="short:N")
        for ground in grounds
    ]
    area = alt.layer(dots, *names).properties(width=_WIDTH, height=_HEIGHT)
    return (
        alt.vconcat(area, _list_selected(rows, brush), spacing=14)
        .configure(font=SANS, background="transparent")
        .configure_view(stroke=LINE)
    )


def _list_selected(rows: pd.DataFrame, brush: alt.Parameter) -> alt.LayerChart:
    """Return the first of the selected verbatims as lines of text, each from the side that it is read from."""
    base = (
        alt.Chart(rows)
        .transform_filter(brush)
        .transform_window(place="row_number()", sort=[alt.SortField("order")])
        .transform_filter(alt.FieldLTEPredicate(field="place", lte=LISTED))
    )
    y = alt.Y("place:O", axis=None, scale=alt.Scale(domain=list(range(1, LISTED + 1))))
    layers = []
    for direction, side, at in (("ltr", "left", 4), ("rtl", "right", _WIDTH - 4)):
        own = base.transform_filter(alt.FieldEqualPredicate(field="direction", equal=direction))
        words = {
            "align": side,
            "dir": direction,
            "lineBreak": "\n",
            "lineHeight": 17,
            "fontSize": 13,
            "color": INK,
        }
        layers.append(own.mark_text(**words, baseline="middle").encode(x=alt.value(at), y=y, text="lines:N"))
        far, other = (_WIDTH - 4, "right") if side == "left" else (4, "left")
        facts = own.mark_text(align=other, baseline="middle", limit=158, fontSize=11.5, color=MUTED)
        layers.append(facts.encode(x=alt.value(far), y=y, text="label:N"))
    return alt.layer(*layers).properties(width=_WIDTH, height=_LINE * LISTED)


def _place_points(points: pd.DataFrame, named: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return what the map draws of each point, in the order of feedback_id: fields of ours, words only as data."""
    if len(points) > most:
        turn = points.groupby("topic").cumcount() / points.groupby("topic")["topic"].transform("size")
        points = points.loc[turn.sort_values(kind="stable").index[:most]].sort_values("feedback_id")
    names = dict(zip(named["topic"], named["name"], strict=True)) | {OUTLIER: "fits no topic"}
    shades = _choose_shades(named)
    said = list(zip(points["verbatim"], points["language"], strict=True))
    return pd.DataFrame(
        {
            "feedback_id": points["feedback_id"].tolist(), "x": points["x"].tolist(), "y": points["y"].tolist(),
            "order": range(len(points)),
            "quote": [shorten_label(text, 3 * _QUOTE) for text, _ in said],
            "lines": [_break_lines(text) for text, _ in said],
            "direction": [direction_of(text, language) for text, language in said],
            "label": [shorten_label(str(names.get(topic, topic)), 26) for topic in points["topic"]],
            "shade": [shades.get(topic, len(_SHADES)) for topic in points["topic"]],
        }
    )  # fmt: skip


def _break_lines(text: str) -> str:
    """Return the beginning of a text as two lines at most, cut here since Vega cuts right-to-left text in front."""
    rest, lines = " ".join(text.split()), []
    while rest and len(lines) < 2:
        wide = accumulate(2 if "\u2e80" <= letter <= "\uffdc" and letter < "\ufb00" else 1 for letter in rest)
        room = sum(units <= _QUOTE for units in wide)
        space = rest.rfind(" ", room // 2, room + 1)
        room = room if room == len(rest) or space < 0 else space
        lines.append(rest[:room].rstrip())
        rest = rest[room:].lstrip()
    return "\n".join(lines) + ("…" if rest else "")


def _scale_points(points: pd.DataFrame) -> pd.DataFrame:
    """Return points a verbatim, between 0 and 1; a few far out, which would press all others together, on the edge."""
    points = points.dropna(subset=["x", "y"]).sort_values("feedback_id").drop_duplicates("feedback_id")
    for axis in ("x", "y"):
        low, high = points[axis].quantile(0.01), points[axis].quantile(0.99)
        width = 1.24 * (high - low)
        place = (points[axis] - (low + high) / 2) / width + 0.5 if width > 0 else 0.5
        points = points.assign(**{axis: place}).assign(
            **{axis: lambda rows, axis=axis: rows[axis].clip(0, 1).round(4)}
        )
    return points.reset_index(drop=True)


def _place_labels(points: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    """Return each topic's name at the median of its points, without those that would cover a larger topic's."""
    points = points[points["topic"].isin(named["topic"])]
    middles = points.groupby("topic").agg(x=("x", "median"), y=("y", "median"), size=("x", "size"))
    middles = middles.join(named.set_index("topic")["name"]).reset_index()
    middles = middles.sort_values(["size", "topic"], ascending=[False, True])
    kept, boxes = [], []
    for row in middles.to_dict("records"):
        short = shorten_label(row["name"], 24)
        across, up = _WIDTH * row["x"], _HEIGHT * row["y"]
        half = 4.0 * sum(2 if letter >= "\u2e80" else 1 for letter in short)
        if all(abs(across - a) > half + b or abs(up - c) > 17 for a, b, c in boxes):
            boxes.append((across, half, up))
            kept.append({"x": round(row["x"], 4), "y": round(row["y"], 4), "short": short})
    return pd.DataFrame(kept, columns=["x", "y", "short"])


def _choose_shades(named: pd.DataFrame) -> dict[str, int]:
    themes = named["theme"].fillna(named["topic"]) if "theme" in named else named["topic"]
    places = {theme: place % len(_SHADES) for place, theme in enumerate(sorted(themes.unique()))}
    return {topic: places[theme] for topic, theme in zip(named["topic"], themes, strict=True)}


def chart_topic_trends(
    sizes: pd.DataFrame, named: pd.DataFrame, *, most: int = 24, columns: int = 4
) -> alt.FacetChart:
    """Return the share of each topic over the months as small pictures on one scale, with its 95% intervals.

    sizes: findings of sizes.size_topics; named: topic, name. The `most` topics that are largest in their last
    month stand in the order of their size; what fits no topic, and months that show counts only, are left out.

    >>> from vocwb.schemas import make_findings
    >>> row = {"period": "2025-01", "subject": "T1", "measure": "share", "unit": "%", "value": 12.0, "low": 10.0,
    ...        "high": 14.0, "n": 900, "claim": "", "method": ""}
    >>> sizes = make_findings([row], section="topics", month="2025-01")
    >>> chart_topic_trends(sizes, pd.DataFrame({"topic": ["T1"], "name": ["Late"]})).columns
    4
    """
    known = sizes["subject"].isin(named["topic"]) & sizes["period"].str.fullmatch(r"\d{4}-\d\d")
    rows = sizes[known & sizes["measure"].eq("share") & sizes["unit"].eq("%") & sizes["value"].notna()]
    rows = prepare_rows(rows, labels=dict(zip(named["topic"], named["name"], strict=True)))
    last = rows.sort_values("period").groupby("subject")["value"].last()
    order = last.sort_values(ascending=False, kind="stable").index[:most].tolist()
    rows = rows[rows["subject"].isin(order)]
    rows = rows.assign(
        place=[order.index(topic) for topic in rows["subject"]],
        short=[shorten_label(label, 22) for label in rows["label"]],
    )
    alike = rows.groupby("short")["subject"].transform("nunique").gt(1)
    named_twice = rows["short"].astype("str") + " " + rows["subject"].astype("str")
    rows["short"] = rows["short"].astype("str").mask(alike, named_twice)
    fields = ["place", "short", "label", "period", "value", "low", "high", "number", "interval", "count"]
    rows = rows.reindex(columns=fields).sort_values(["place", "period"], ignore_index=True)
    axis = alt.Axis(format="%b %y", grid=False, tickCount=2, labelFlush=True)
    x = alt.X("utcyearmonth(period):T", title=None, axis=axis, scale=alt.Scale(type="utc"))
    # An expression of ours, in which no data stands.
    percent = alt.Axis(tickCount=3, labelExpr="datum.label + '%'")
    y = alt.Y("low:Q", title=None, axis=percent, scale=alt.Scale(domainMin=0))
    told = {"label": "topic", "period": "month", "number": "value", "interval": "95% interval", "count": "n"}
    tips = [alt.Tooltip(f"{name}:N", title=title) for name, title in told.items()]
    band = alt.Chart().mark_area(color=TEAL, opacity=0.16).encode(x=x, y=y, y2="high:Q")
    dot = alt.OverlayMarkDef(size=14, filled=True, color=TEAL)
    line = (
        alt.Chart().mark_line(color=TEAL, strokeWidth=1.8, point=dot).encode(x=x, y="value:Q", tooltip=tips)
    )
    heads = alt.Header(title=None, labelFontSize=12.5, labelColor=INK, labelAnchor="start", labelLimit=170)
    return (
        alt.layer(band, line, data=rows)
        .properties(width=150, height=80)
        .facet(
            facet=alt.Facet("short:N", header=heads, sort=alt.EncodingSortField("place", op="min")),
            columns=columns,
        )
        .configure(font=SANS, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(gridColor=LINE, domainColor=LINE, tickColor=LINE, labelColor=MUTED, labelFontSize=11)
    )


def chart_granularities(granularities: pd.DataFrame) -> alt.FacetChart:
    """Return how good each granularity of each voice and language was, with the chosen one filled.

    granularities: voice, language, n_topics, smallest, silhouette, quality, chosen (table granularities).

    >>> row = {"voice": "customer", "language": "en", "n_topics": 8, "smallest": 5, "silhouette": 0.4,
    ...        "quality": 0.4, "chosen": True}
    >>> chart_granularities(pd.DataFrame([row])).columns
    2
    """
    fields = ["language", "voice", "n_topics", "smallest", "silhouette", "quality", "chosen"]
    rows = granularities.reindex(columns=fields).sort_values(["voice", "language", "n_topics"])
    staff = rows["voice"].map({"employee": ", employees"}).fillna("")
    rows = rows.assign(space=rows["language"].map(name_language) + staff)
    told = {"n_topics": "topics", "smallest": "verbatims in the smallest", "silhouette": "silhouette"}
    tips = [alt.Tooltip(f"{name}:Q", title=title) for name, title in told.items()]
    x = alt.X(
        "n_topics:Q", title="topics", scale=alt.Scale(type="log", nice=False), axis=alt.Axis(grid=False)
    )
    y = alt.Y("quality:Q", title="quality of the cut", scale=alt.Scale(zero=False))
    line = alt.Chart().mark_line(color=LINE, strokeWidth=1.5).encode(x=x, y=y)
    filled = alt.condition("datum.chosen", alt.value(TEAL), alt.value("white"))
    dot = alt.Chart().mark_point(color=TEAL, size=42, opacity=1).encode(x=x, y=y, fill=filled, tooltip=tips)
    said = alt.Chart().mark_text(dy=-12, color=INK, fontSize=12).encode(x=x, y=y, text="n_topics:Q")
    heads = alt.Header(title=None, labelFontSize=12.5, labelColor=INK, labelAnchor="start")
    return (
        alt.layer(line, dot, said.transform_filter("datum.chosen"), data=rows)
        .properties(width=330, height=130)
        .facet(facet=alt.Facet("space:N", header=heads), columns=2)
        .resolve_scale(x="independent", y="independent")
        .configure(font=SANS, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(gridColor=LINE, domainColor=LINE, tickColor=LINE, labelColor=MUTED, labelFontSize=11)
    )


def frame_chart(chart: alt.TopLevelMixin, *, title: str, height: int) -> Markup:
    """Return a chart that can be used, for a notebook: a frame with all that it needs, closed off from the page.

    The renderer of charts.enable_renderer shows still pictures, which cannot be selected on. The frame may run
    our own script alone and ask the network for nothing. title: what a screen reader says; height: in pixels.

    >>> chart = alt.Chart(pd.DataFrame({"x": ["</script>"]})).mark_bar().encode(x="x:N")
    >>> frame = frame_chart(chart, title="T", height=90)
    >>> frame.startswith('<div><iframe sandbox="allow-scripts"'), frame.count("</script>")
    (True, 0)
    """
    draw = (
        "const off = {load: () => Promise.reject(new Error('nothing is fetched')),"
        " sanitize: () => Promise.reject(new Error('nothing is fetched'))};"
        "window.vegaEmbed('#plot', JSON.parse(document.getElementById('spec').textContent),"
        " {mode: 'vega-lite', actions: false, ast: true, renderer: 'svg', logLevel: 1, loader: off})"
        ".then(found => { window.view = found.view; document.body.dataset.drawn = 1; });"
    )
    scripts = [bundle_script(), draw]
    allowed = " ".join(hash_script(script) for script in scripts)
    page = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
        f' script-src {allowed}">'
        "<style>body{margin:0} #vg-tooltip-element{max-width:34rem} #vg-tooltip-element td.value"
        "{max-width:none;unicode-bidi:plaintext;text-align:start}</style></head>"
        f"<body><div id='plot'></div><script type='application/json' id='spec'>{escape_json(chart.to_dict())}</script>"
        + "".join(f"<script>{script}</script>" for script in scripts)
        + "</body></html>"
    )
    # A notebook warns of HTML that begins with a frame.
    return Markup(
        '<div><iframe sandbox="allow-scripts" title="{}" style="width:100%;height:{}px;border:0" srcdoc="{}">'
        "</iframe></div>"
    ).format(title, height, page)
