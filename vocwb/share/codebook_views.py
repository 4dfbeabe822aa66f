"""What the form of the codebook shows: lists, verbatims, sparklines and history as text and HTML that cannot run."""

from collections.abc import Iterable, Mapping

import pandas as pd
from markupsafe import Markup

from vocwb.languages import text_direction
from vocwb.share.quotes import direction_of, tag_language
from vocwb.share.rows import LINE, TEAL, name_language

BAR = 8
"""The width of a bar in a list of topics, in characters."""

CODEBOOK_STYLE = """<style>
.vocwb-form input, .vocwb-form textarea, .vocwb-form select {unicode-bidi: plaintext; text-align: start}
.vocwb-form .widget-html-content {line-height: 1.45; height: auto; overflow-wrap: anywhere}
.vocwb-book {display: grid !important; gap: 1.5rem; align-items: start;
  grid-template-columns: minmax(17rem, 23rem) minmax(0, 1fr) minmax(16rem, 20rem)}
.vocwb-form, .vocwb-book {overflow: visible}
@media (min-width: 1101px) {.vocwb-book > .vocwb-acts {position: sticky; top: .5rem}}
@media (max-width: 1100px) {
  .vocwb-book {grid-template: "list said" auto "acts said" 1fr / minmax(15rem, 19rem) minmax(0, 1fr)}
  .vocwb-book > :nth-child(1) {grid-area: list} .vocwb-book > :nth-child(2) {grid-area: said}
  .vocwb-book > .vocwb-acts {grid-area: acts} .vocwb-book .vocwb-topics select {height: 18rem}}
@media (max-width: 700px) {.vocwb-book {grid-template: "list" auto "said" auto "acts" auto / minmax(0, 1fr)}}
.vocwb-book > .widget-vbox {overflow: visible; min-width: 0}
.vocwb-book .widget-inline-hbox {flex-direction: column; align-items: stretch; height: auto; max-width: none;
  width: calc(100% - 4px) !important; margin-bottom: .5rem}
.vocwb-book .widget-inline-hbox > .widget-label {width: auto !important; text-align: start; line-height: 1.6}
.vocwb-book .widget-inline-hbox > input, .vocwb-book .widget-inline-hbox > textarea,
.vocwb-book .widget-inline-hbox > select {flex: none; width: 100%; margin: 0; box-sizing: border-box; min-height: 30px}
.vocwb-acts > .widget-html:first-child {display: none}
.vocwb-topics select {font: 13px system-ui, "Noto Sans", "Segoe UI", sans-serif; font-variant-numeric: tabular-nums;
  height: 34rem}
.vocwb-topics option {padding: 3px 0}
.vocwb-book .jupyter-button {width: auto; min-width: 5rem; flex: none; overflow: visible}
.vocwb-line {align-items: flex-start; border-top: 1px solid #e3dfd7; padding-top: .5rem; overflow: visible}
.vocwb-line > .widget-html {flex: 1 1 auto; min-width: 0; height: auto}
.vocwb-line > .jupyter-button {flex: none; font-size: 12px; height: 24px; line-height: 22px}
.vocwb-turn {align-items: center}
.vocwb-said .words {display: flex; flex-wrap: wrap; gap: 0 1.5rem}
.vocwb-said blockquote {flex: 1 1 14rem; margin: 0; padding: 0; border: 0; font-size: 1.1em; white-space: pre-wrap;
  unicode-bidi: isolate; text-align: start; max-height: 24em; overflow: auto}
.vocwb-said blockquote[dir=rtl] {text-align: right}
.vocwb-said mark {background: #fdf0cf}
.vocwb-said .beside {flex: 1 1 14rem; color: #3d4852; text-align: start}
.vocwb-said .beside small {display: block; color: #5b6670}
.vocwb-said ul {margin: .2rem 0 0; background: #f3f7f7; padding: .3rem .6rem; list-style: none}
.vocwb-topic h3 {margin: 0; font-size: 1.35em; text-align: start}
.vocwb-topic .terms {font-size: 1.1em; text-align: start}
.vocwb-form .facts {color: #5b6670; margin: .1rem 0; font-size: .92em}
.vocwb-topic .trend {display: flex; align-items: center; gap: .6rem; flex-wrap: wrap}
.vocwb-form .problems {background: #fbeee0; border-inline-start: 4px solid #b04a06; padding: .4rem .8rem}
.vocwb-history {border-collapse: collapse; width: 100%}
.vocwb-history caption {text-align: start; font-weight: bold; padding: .6rem 0}
.vocwb-history th, .vocwb-history td {text-align: start; vertical-align: top; padding: .25rem .6rem .25rem 0;
  border-top: 1px solid #e3dfd7}
.vocwb-history .gone {text-decoration: line-through; color: #5b6670}
</style>"""

_TOLD = {
    "topic_name": "named {subject} “{name}”",
    "topic_define": "defined {subject}: {belongs}",
    "topic_merge": "merged {subject} into {into}",
    "topic_split": "split {subject} into {parts}",
    "topic_retire": "retired {subject}",
    "topic_restore": "restored {subject}",
    "topic_accept": "accepted the proposed topic {subject} as “{name}”",
    "memo": "wrote a memo on {subject}: {text}",
}


def list_topics(named: pd.DataFrame, sizes: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return (label, topic) for a list to choose from: a bar, the number of verbatims, and the name.

    The largest stand first, merged, split and retired topics last. named: from naming.review_decisions; sizes:
    topic -> verbatims behind it. A name is isolated, so that it cannot pull the numbers to its side.

    >>> named = pd.DataFrame({"topic": ["T0001", "T0002"], "name": ["late", "slow"], "retired": [False, True],
    ...                       "merged_into": None, "split_into": [[], []]})
    >>> [label.partition("9")[2] or label[-9:] for label, topic in list_topics(named, {"T0001": 9})]
    [' \\u2068late\\u2069 T0001', '(retired)']
    """
    most = max((sizes.get(topic, 0) for topic in named["topic"]), default=0) or 1
    rows = []
    for row in named.to_dict("records"):
        size, state = int(sizes.get(row["topic"], 0)), tell_state(row)
        full = min(BAR, max(int(size > 0), round(BAR * size / most)))
        bar = "█" * full + "░" * (BAR - full)
        number = f"{size:,}".rjust(6, "\u2007")  # which a browser does not fold as it does spaces
        label = f"{bar}{number} \u2068{row['name']}\u2069 {row['topic']}"
        rows.append((bool(state), -size, row["topic"], f"{label} ({state})" if state else label))
    return [(label, topic) for _, _, topic, label in sorted(rows)]


def tell_state(row: Mapping) -> str:
    """Return in words how a topic stands, or "" for one that stands for itself.

    >>> tell_state({"merged_into": "T0002", "split_into": [], "retired": False})
    'merged into T0002'
    """
    if isinstance(row["merged_into"], str):
        return f"merged into {row['merged_into']}"
    if len(row["split_into"]):
        return f"split into {len(row['split_into'])}"
    return "retired" if row["retired"] else ""


def topic_html(
    row: Mapping, *, size: int, twins: Iterable[str] = (), trend: pd.DataFrame | None = None,
    memos: Iterable[Mapping] = (),
) -> Markup:  # fmt: skip
    """Return a topic's name, definition, terms and trend as HTML.

    row: of naming.review_decisions. twins: what looks like it, in words. trend: month, value, low, high.
    memos: decisions of kind memo on the topic.

    >>> row = {"topic": "T1", "name": "<b>late", "language": "en", "terms": ["late"], "definition": "", "names": {},
    ...        "merged_into": None, "split_into": [], "retired": False}
    >>> "<b>" in topic_html(row, size=9)
    False
    """
    state = tell_state(row)
    facts = [row["topic"], name_language(row["language"]), f"{size:,} verbatims"]
    facts += ["employees"] if row.get("voice") == "employee" else []
    theme = row.get("theme_name") or row.get("theme")
    facts += [f"theme: {theme}"] if isinstance(theme, str) else []
    facts += [f"first seen {row['first_seen']}"] if row.get("first_seen") else []
    facts += [state] if state else []
    terms = " · ".join(row.get("terms", []))
    others = [(code, name) for code, name in row["names"].items() if code and name != row["name"]]
    blocks = [
        Markup('<h3 dir="auto">{}</h3><p class="facts">{}</p>').format(row["name"], " · ".join(facts)),
        Markup('<p dir="{}" class="terms">{}</p>').format(text_direction(terms), terms),
        *(Markup("<p>{}: <bdi>{}</bdi></p>").format(name_language(code), name) for code, name in others),
        Markup('<p dir="auto"><b>Belongs here:</b> {}</p>').format(row["definition"]) if row["definition"] else "",
        draw_sparkline(trend) if trend is not None else "",
        _memos_html(memos),
        *(Markup("<p class='twin'>Looks like <bdi>{}</bdi></p>").format(twin) for twin in twins),
    ]  # fmt: skip
    return Markup('<div class="vocwb-topic">{}</div>').format(Markup("").join(blocks))


def draw_sparkline(trend: pd.DataFrame) -> Markup:
    """Return a small picture of months: a line in the band of its intervals; "" for fewer than two months.

    Needs month, value, and low and high where there are intervals.

    >>> "<svg" in draw_sparkline(pd.DataFrame({"month": ["2025-01", "2025-02"], "value": [1.0, 2.0]}))
    True
    """
    trend = trend.dropna(subset=["value"]).sort_values("month")
    if len(trend) < 2:
        return Markup("")
    values = trend["value"].to_numpy(float)
    low, high = (trend[name].fillna(trend["value"]).to_numpy(float) if name in trend else values
                 for name in ("low", "high"))  # fmt: skip
    steps = pd.PeriodIndex(trend["month"], freq="M").astype("int64").to_numpy(float)
    x = (4 + 232 * (steps - steps[0]) / (steps[-1] - steps[0])).round(1)
    ups = [(46 - 40 * part / (high.max() or 1)).round(1) for part in (values, low, high)]
    line, under, over = ([f"{a},{b}" for a, b in zip(x, y, strict=True)] for y in ups)
    months = trend["month"].tolist()
    words = f"{months[0]}: {values[0]:.1f}; {months[-1]}: {values[-1]:.1f}; at most {values.max():.1f}"
    return Markup(
        '<p class="trend"><svg viewBox="0 0 240 50" width="240" height="50" role="img" aria-label="{words}">'
        '<path d="M4 46H236" stroke="{grey}"/><polygon points="{band}" fill="{teal}" opacity="0.16"/>'
        '<polyline points="{line}" fill="none" stroke="{teal}" stroke-width="2"/></svg><small>{words}</small></p>'
    ).format(words=words, grey=LINE, teal=TEAL, line=" ".join(line), band=" ".join([*over, *under[::-1]]))


def said_html(row: Mapping, *, number: int, memos: Iterable[Mapping] = ()) -> Markup:
    """Return a verbatim as HTML: what was said, from the side it is read from, with its memos.

    row: feedback_id, language, verbatim; where there are such, start and end (the part about the topic is
    marked), month, channel, and translation: the source's own, which stands beside what was said.

    >>> row = {"feedback_id": "a", "language": "fa", "verbatim": "<b>دیر", "translation": "late"}
    >>> shown = said_html(row, number=1)
    >>> 'dir="rtl"' in shown, "<b>" in shown, "late" in shown
    (True, False, True)
    """
    text, language = row["verbatim"], row["language"]
    start, end = int(row.get("start") or 0), int(row.get("end") or len(text))
    said = Markup("{}<mark>{}</mark>{}").format(text[:start], text[start:end], text[end:])
    said = said if 0 < end - start < len(text) else Markup("{}").format(text)
    beside = row.get("translation")
    facts = [str(row[name]) for name in ("month", "channel") if isinstance(row.get(name), str)]
    blocks = [
        Markup('<blockquote lang="{}" dir="{}">{}</blockquote>').format(
            tag_language(text, language), direction_of(text, language), said
        )
    ]
    if isinstance(beside, str) and beside.strip():
        blocks.append(
            Markup('<div class="beside" dir="auto"><small>the source’s translation</small>{}</div>').format(
                beside
            )
        )
    return Markup(
        '<div class="vocwb-said"><div class="words">{}</div><p class="facts">{}. {} <code>{}</code></p>{}</div>'
    ).format(Markup("").join(blocks), number, " · ".join(facts), row["feedback_id"], _memos_html(memos))


def _memos_html(memos: Iterable[Mapping]) -> Markup:
    lines = [
        Markup('<li dir="auto"><b>{}</b>: {}</li>').format(memo["who"], memo["value"]["text"])
        for memo in memos
    ]
    return Markup("<ul>{}</ul>").format(Markup("").join(lines)) if lines else Markup("")


def split_html(parts: Iterable[pd.DataFrame]) -> Markup:
    """Return the parts that a topic could be split into, each with its number of verbatims and examples.

    Each part: language and verbatim.

    >>> part = pd.DataFrame({"language": ["en"], "verbatim": ["<b>late"]})
    >>> "<b>late" in split_html([part]), "Part 1" in split_html([part])
    (False, True)
    """
    head = Markup("<h4>Part {}: {:,} verbatims</h4>{}")
    blocks = [head.format(number, len(part), said_list(part)) for number, part in enumerate(parts, start=1)]
    return Markup("").join(blocks) or Markup("<p>No parts were found.</p>")


def said_list(rows: pd.DataFrame, *, most: int = 5) -> Markup:
    """Return the first verbatims as a plain list, without ids; rows: language and verbatim.

    >>> "<b>" in said_list(pd.DataFrame({"language": ["en"], "verbatim": ["<b>late"]}))
    False
    """
    line = Markup('<blockquote dir="{}">{}</blockquote>')
    said = zip(rows["verbatim"].head(most), rows["language"].head(most), strict=True)
    return Markup('<div class="vocwb-said">{}</div>').format(
        Markup("").join(line.format(direction_of(text, language), text) for text, language in said)
    )


def problems_html(problems: pd.DataFrame) -> Markup:
    """Return the decisions that do not fit the codebook, as `naming.review_decisions` found them.

    >>> problems_html(pd.DataFrame({"what": ["<b>"], "exists": [None], "remedy": ["Decide again."]}))
    Markup('<div class="problems"><b>Decisions that no longer fit</b><ul><li>&lt;b&gt; Decide again.</li></ul></div>')
    """
    lines = [
        Markup("<li>{}</li>").format(
            " ".join(part for part in (row["what"], row["exists"], row["remedy"]) if part)
        )
        for row in problems.to_dict("records")
    ]
    if not lines:
        return Markup("")
    return Markup('<div class="problems"><b>Decisions that no longer fit</b><ul>{}</ul></div>').format(
        Markup("").join(lines)
    )


def tell_decision(row: Mapping) -> str:
    """Return a decision in words.

    >>> tell_decision({"kind": "topic_merge", "subject": "T0001", "value": {"into": "T0002"}, "replaces": None})
    'merged T0001 into T0002'
    """
    if not isinstance(row["value"], dict):
        return f"took back decision {row['replaces']}"
    value = {"name": "", "belongs": "", "into": "", "text": ""} | row["value"]
    value |= {"parts": len(row["value"].get("parts", [])), "subject": row["subject"]}
    said = _TOLD.get(row["kind"], "decided on {subject}").format_map(value)
    code = row["value"].get("language")
    return f"{said} in {name_language(code)}" if code and row["kind"] == "topic_name" else said


def history_html(history: pd.DataFrame, *, most: int = 50) -> Markup:
    """Return the latest decisions as a table: when, who, what and why; what was taken back is struck out.

    history: from decisions.list_history.

    >>> history = pd.DataFrame({"decision_id": [1], "kind": "memo", "subject": "T1", "value": [{"text": "<b>"}],
    ...                         "who": "Ada", "when": "", "why": "odd", "replaces": None, "standing": True})
    >>> "<b>" in history_html(history)
    False
    """
    cell = Markup('<td dir="auto">{}</td>')
    body = [
        (row["decision_id"], str(row["when"])[:16].replace("T", " "), row["who"], tell_decision(row), row["why"],
         row["standing"])
        for row in history.head(most).to_dict("records")
    ]  # fmt: skip
    rows = Markup("").join(
        Markup("<tr{}>{}</tr>").format(
            "" if stands else Markup(' class="gone"'), Markup("").join(cell.format(word) for word in words)
        )
        for *words, stands in body
    )
    if not rows:
        return Markup("<p>Nothing has been decided yet.</p>")
    more = f" (the latest {most} of {len(history):,})" if len(history) > most else ""
    return Markup(
        '<table class="vocwb-history"><caption>What has been decided{}</caption><thead><tr><th>No.</th><th>When (UTC)'
        "</th><th>Who</th><th>What</th><th>Why</th></tr></thead><tbody>{}</tbody></table>"
    ).format(more, rows)


def hits_html(hits: pd.DataFrame, memos: pd.DataFrame, *, most: int = 100) -> Markup:
    """Return where words were found, each in its context and from the side it is read from, with its memos.

    hits: of search.search_verbatims; memos: decisions of kind memo that stand.

    >>> row = {"feedback_id": "f", "language": "en", "before": "", "match": "<late>", "after": ""}
    >>> hits = pd.DataFrame([row])
    >>> "<late>" in hits_html(hits, pd.DataFrame({"subject": [], "value": [], "who": []}))
    False
    """
    said = {subject: rows.to_dict("records") for subject, rows in memos.groupby("subject")}
    line = Markup(
        '<blockquote dir="{}">{}<mark>{}</mark>{}</blockquote><p class="facts"><code>{}</code></p>{}'
    )
    lines = [
        line.format(
            direction_of(row["before"] + row["match"] + row["after"], row["language"]), row["before"], row["match"],
            row["after"], row["feedback_id"], _memos_html(said.get(row["feedback_id"], [])),
        )
        for row in hits.head(most).to_dict("records")
    ]  # fmt: skip
    total = hits.attrs.get("total", len(hits))
    more = f"; the first {len(lines):,} are shown" if total > len(lines) else ""
    return Markup('{}<div class="vocwb-said vocwb-form"><p>{}</p>{}</div>').format(
        Markup(CODEBOOK_STYLE), f"Found {total:,} times{more}.", Markup("").join(lines)
    )
