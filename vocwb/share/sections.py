"""Sections: what each part of the report shows, read from the tables and put in order."""

from collections.abc import Callable, Mapping

import pandas as pd
from markupsafe import Markup

from vocwb.crosswalk import MEASURES
from vocwb.schemas import OUTLIER
from vocwb.share.charts import chart_bars, chart_html, chart_shares, chart_trend
from vocwb.share.rows import judge_mark, list_records, name_language, name_month, shorten_label
from vocwb.stats import FEWEST_FOR_PERCENTAGES
from vocwb.understand.metrics import ALARM
from vocwb.understand.registry import WEIGHTED, describe_metric

_LANGUAGES = ("en", "fa", "ar", "bg", "zh", "multi")
_COVERAGE = ("channel", "language", "stage", "voice")
_MOST_TRENDS, _MOST_QUOTED = 8, 4


Pick = Callable[[Mapping, int], list[Markup]]
"""Gives the quotes of a row: (row, how many at most) -> quotes as HTML."""


def select_now(rows: pd.DataFrame, section: str, month: str) -> pd.DataFrame:
    """Return the rows of a section on `month` itself, without comparisons.

    >>> rows = pd.DataFrame({"section": "scores", "measure": ["nps", "difference"], "period": "2025-02"})
    >>> len(select_now(rows, "scores", "2025-02"))
    1
    """
    return rows[rows["section"].eq(section) & rows["measure"].ne("difference") & rows["period"].eq(month)]


def index_changes(rows: pd.DataFrame, section: str, month: str) -> dict[tuple, dict]:
    """Return the comparisons of `month` with what was before, by subject and level.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> index_changes(prepare_rows(empty_table("findings")), "topics", "2025-02")
    {}
    """
    compared = rows["section"].eq(section) & rows["measure"].eq("difference")
    found = list_records(rows[compared & rows["period"].str.startswith(month)])
    return {(row["subject"], row["level"]): row for row in found}


def draw_coverage(rows: pd.DataFrame, month: str) -> list[Markup]:
    """Return a bar chart for each thing that coverage counts by, if it has more than one value.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> draw_coverage(prepare_rows(empty_table("findings")), "2025-01")
    []
    """
    charts = []
    counted = dict(tuple(select_now(rows, "coverage", month).groupby("subject")))
    for subject in sorted(
        counted, key=lambda name: (_COVERAGE.index(name) if name in _COVERAGE else 9, name)
    ):
        group = counted[subject]
        if len(group) < 2:
            continue
        named = [name_language(word) if subject == "language" else word for word in group["level"]]
        named = [word.replace("_", " ") for word in named]
        shown = group.assign(label=named, short=[shorten_label(word) for word in named], level=None)
        what = subject.replace("_", " ")
        noun = "verbatims" if subject == "language" else "responses"
        spoken = f"Bars: {noun} by {what} in {name_month(month)}; the table below holds the numbers."
        charts.append(
            chart_html(chart_bars(shown), title=f"{noun.capitalize()} by {what}", description=spoken)
        )
    return charts


def list_presence(opinions: pd.DataFrame, languages: list[str], month: str) -> list[tuple[str, list, list]]:
    """Return for channels, languages and stages what was heard in `month`, and what was silent.

    Silent is what was heard in another month, and a declared language in which nothing was said.

    >>> opinions = pd.DataFrame({"month": ["2025-01", "2025-02"], "channel": ["sms", "web"], "language": "en",
    ...                          "stage": [None, None]})
    >>> list_presence(opinions, ["en", "fa"], "2025-02")
    [('Channels', ['web'], ['sms']), ('Languages', ['English'], ['Persian'])]
    """
    now, found = opinions["month"].eq(month), []
    for title, column in (("Channels", "channel"), ("Languages", "language"), ("Stages", "stage")):
        name = name_language if column == "language" else str
        heard = set(opinions.loc[now, column].dropna())
        silent = set(opinions[column].dropna()) | set(languages if column == "language" else []) - heard
        silent -= heard
        if heard or silent:
            found.append((title, sorted(map(name, heard)), sorted(map(name, silent))))
    return found


def _split_languages(rows: pd.DataFrame, codebook: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Split rows by the language of their topic, which a subject such as "T0000:<language>" says itself."""
    if rows.empty:
        return []
    of = rows["subject"].map(dict(zip(codebook["topic"], codebook["language"], strict=True)))
    named = rows["subject"].str.partition(":")
    of = of.fillna(named[2])
    places = {code: place for place, code in enumerate(_LANGUAGES)}
    known = sorted(of.unique(), key=lambda code: (places.get(code, len(places)), code))
    rows = rows.assign(of=of, last=named[0].eq(OUTLIER))
    rows = rows.sort_values(["last", "value", "finding_id"], ascending=[True, False, True])
    return [(code, rows[rows["of"].eq(code)]) for code in known]


def read_topics(
    rows: pd.DataFrame, codebook: pd.DataFrame, month: str, pick: Pick, *, section: str = "topics",
    what: str = "mention a topic",
) -> list[dict]:  # fmt: skip
    """Return for each language its topics of `month`, the largest first: rows with change and terms, chart, quotes.

    what: what respondents do who are counted; other sections count feelings or categories likewise.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> read_topics(prepare_rows(empty_table("findings")), empty_table("codebook"), "2025-01", None)
    []
    """
    changes = index_changes(rows, section, month)
    terms = dict(zip(codebook["topic"], codebook["terms"], strict=True))
    groups, shares = [], select_now(rows, section, month)
    for language, group in _split_languages(shares[shares["measure"].eq("share")], codebook):
        found = [changes.get((row["subject"], row["level"])) for row in list_records(group)]
        group = group.assign(
            change=pd.Series(found, index=group.index, dtype="object"),
            mark=[change["mark"] if change else judge_mark(None, None) for change in found],
        )
        records = [
            row | {"terms": " · ".join(list(terms.get(row["subject"], []))[:5])}
            for row in list_records(group)
        ]
        topics = [row for row in records if not row["last"]]
        moved = [row for row in topics if row["mark"] in ("higher", "lower")]
        quoted = (moved + [row for row in topics if row not in moved])[:_MOST_QUOTED]
        quoted = [row | {"quotes": pick(row, 2)} for row in quoted]
        drawn = group[group["value"].notna() & group["unit"].eq("%")]
        name = name_language(language)
        spoken = (
            f"{name}: from the largest share to the smallest, each with its 95% interval and the verdict on its"
            " change; the table below holds the numbers."
        )
        title = f"Share of respondents who {what}, {name_month(month)}"
        chart = (
            chart_html(chart_shares(drawn), title=title, description=spoken, table=False)
            if len(drawn)
            else ""
        )
        quoted = [row for row in quoted if row["quotes"]]
        groups.append({"language": name, "rows": records, "quoted": quoted, "chart": chart, "what": what})
    return groups


def tell_trust(quality: pd.DataFrame) -> dict[str, list[str]]:
    """Return for each language how far the code of feelings can be trusted, a sentence for each coder and way.

    quality: the table of that name. The coder that counts stands first.

    >>> from vocwb.schemas import empty_table
    >>> tell_trust(empty_table("quality"))
    {}
    """
    told: dict[str, list[str]] = {}
    quality = quality[quality["variable"] == "polarity"].sort_values(
        ["language", "counts"], ascending=[True, False], kind="stable"
    )
    for row in list_records(quality[quality["channel"].isna()]):
        sentence = "Counted: the " if row["counts"] else "Beside it: the "
        sentence += {"learned": "learned coder", "rules": "rules"}.get(row["coder"], row["coder"])
        if row["macro_f1"] is not None and row["n"] >= FEWEST_FOR_PERCENTAGES:
            sentence += (
                f", {row['way']}: right in {row['accuracy']:.0%} of {row['n']:,} verbatims with a known"
                f" {row['truth']}, macro-F1 {row['macro_f1']:.2f} (95% interval {row['low']:.2f} to {row['high']:.2f})"
            )
        else:
            sentence += f" ({row['way']})"
        told.setdefault(name_language(row["language"]), []).append(sentence + ".")
    for language, rows in quality.dropna(subset="channel").groupby("language"):
        channels = ", ".join(channel.replace("_", " ") for channel in sorted(rows["channel"]))
        told[name_language(language)].append(
            f"But in {channels}: the rules. Many of the words there are new to the learned coder, a new domain for it."
        )
    return told


def draw_trends(rows: pd.DataFrame, codebook: pd.DataFrame, month: str) -> list[tuple[str, list[Markup]]]:
    """Return for each language the charts over time of its topics: those that moved first, then the largest.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> draw_trends(prepare_rows(empty_table("findings")), empty_table("codebook"), "2025-01")
    []
    """
    changes = index_changes(rows, "topics", month) if len(rows) else {}
    shares = rows[rows["section"].eq("topics") & rows["measure"].eq("share")]
    found = []
    for language, group in _split_languages(shares, codebook):
        shown = group[group["value"].notna() & group["unit"].eq("%") & ~group["last"]]
        if shown["period"].nunique() < 2:
            continue
        now = shown[shown["period"].eq(month)].set_index("subject")["value"]
        moved = [key[0] for key, row in changes.items() if row["mark"] in ("higher", "lower")]
        order = sorted(now.index, key=lambda topic: (topic not in moved, -now[topic], topic))
        order = [topic for topic in order if (shown["subject"] == topic).sum() > 1][:_MOST_TRENDS]
        shown = shown[shown["subject"].isin(order)]
        marks = {topic: row["mark"] for (topic, _), row in changes.items()}
        top = float(shown["high"].max())
        charts = [
            _draw_trend(shown[shown["subject"].eq(topic)], mark=marks.get(topic, ""), lowest=0, highest=top)
            for topic in order
        ]
        found.append((name_language(language), charts))
    return [pair for pair in found if pair[1]]


def _draw_trend(rows: pd.DataFrame, *, title: str | None = None, **options) -> Markup:
    rows = rows.sort_values("period")
    first, last = rows.iloc[0], rows.iloc[-1]
    spoken = (
        f"{last['label']}, from {name_month(first['period'])} ({first['number']}) to {name_month(last['period'])}"
        f" ({last['number']}), with 95% intervals; the table below holds the numbers."
    )
    return chart_html(chart_trend(rows, **options), title=title or last["label"], description=spoken)


_MEASURES = [measure for measures in MEASURES.values() for measure in measures]
_OF_PANEL = {"kpi", "expectation_gap", *(f"{measure}{WEIGHTED}" for measure in _MEASURES)}


def _place(names: list[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def read_scores(rows: pd.DataFrame, section: str, month: str, questions: list[str]) -> list[dict]:
    """Return a panel for each question, in order, measure and population: the month's number, change, chart and notes.

    notes: what stands beside the number: an alarm, the weighted figure, the target, what was expected. A target
    without a panel has one of its own.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> read_scores(prepare_rows(empty_table("findings")), "scores", "2025-01", ["nps"])
    []
    """
    own = rows[rows["section"].eq(section)]
    notes = _group_notes(own[own["period"].eq(month)])
    of = own[own["segment"].isna() | own["segment"].eq("population")]
    changes = index_changes(of, section, month)
    of = of[of["measure"].isin(_MEASURES)]
    numbers = dict(tuple(of.groupby(["subject", "measure", of["level"].fillna("")])))
    panels = []
    for subject, measure, level in sorted(
        numbers, key=lambda key: (_place(questions, key[0]), key[0], _MEASURES.index(key[1]), key[2])
    ):
        group = numbers[subject, measure, level]
        now = list_records(group[group["period"].eq(month)])
        change = changes.get((subject, level or None))
        unit, label = group["unit"].iloc[0], group["label"].iloc[0]
        scale = {"points": ", from −100 to +100", "%": ""}.get(unit, " " + unit.replace("-", "–"))
        of_same = change is not None and change["unit"] == unit
        seen = group[group["value"].notna() & group["period"].ne("all")]
        panels.append(
            {
                "title": f"{label} · {level}" if level else label,
                "what": describe_metric(measure).label + scale,
                "now": now[0] if now else None,
                "change": change if of_same else None,
                "change_period": name_month(change["period"]) if change else "",
                "notes": [row for row in now if row["verdict"] == ALARM]
                + notes.pop((subject, measure), [])
                + notes.pop((subject, ""), []),
                "chart": _draw_trend(
                    seen, title="Month by month", mark=change["mark"] if of_same else "", height=190
                )
                if len(seen) > 1
                else "",
            }
        )
    bare = {"what": "Target of the programme", "change": None, "change_period": "", "chart": ""}
    rest = [row for left in notes.values() for row in left]
    return panels + [bare | {"title": row["label"], "now": row, "notes": [row]} for row in rest]


def _group_notes(rows: pd.DataFrame) -> dict[tuple, list[dict]]:
    """Return what stands beside a number, by its subject and measure ("": of the subject as a whole)."""
    notes: dict[tuple, list[dict]] = {}
    for row in list_records(rows[rows["measure"].isin(_OF_PANEL)]):
        of = row["measure"].removesuffix(WEIGHTED)
        of = row["level"].partition(",")[0] if of == "kpi" else of
        notes.setdefault((row["subject"], of if of in _MEASURES else ""), []).append(row)
    return notes


def grow_tree(causes: pd.DataFrame, whys: pd.DataFrame, rows: pd.DataFrame) -> list[dict]:
    """Return the roots of the tree of causes: nodes of key, label, author, dissent, for, against, children.

    causes: the table; whys: decision_id, subject (the why's id), value (parent, statement, evidence_for,
    evidence_against, dissent) and who. A why hangs below the cause or the why that it names as parent; one
    whose parent is not there is a root, so nobody's why is lost. A why in a circle stands as a root too.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> whys = pd.DataFrame({"decision_id": [1], "subject": ["w1"], "value": [{"statement": "No plan"}], "who": ["A"]})
    >>> roots = grow_tree(empty_table("causes"), whys, prepare_rows(empty_table("findings")))
    >>> [node["label"] for node in roots]
    ['No plan']
    """
    findings = {row["finding_id"]: row for row in list_records(rows)}
    nodes = {}
    for cause in list_records(causes):
        nodes[cause["cause_id"]] = {
            "key": cause["cause_id"], "parent": cause["parent_id"], "topic": cause["topic"], "label": cause["label"],
            "author": cause["author"], "dissent": None, "for": list(cause["evidence_for"]),
            "against": list(cause["evidence_against"]), "finding": findings.get(cause["finding_id"]), "children": [],
        }  # fmt: skip
    for why in list_records(whys):
        value = why["value"] or {}
        node = {
            "key": f"why-{why['decision_id']}", "parent": value.get("parent"), "topic": value.get("topic"),
            "label": str(value.get("statement") or ""), "author": why["who"], "dissent": value.get("dissent"),
            "for": list(value.get("evidence_for") or []), "against": list(value.get("evidence_against") or []),
            "finding": None, "children": [],
        }  # fmt: skip
        nodes[why["subject"]] = node
    for key, node in nodes.items():
        above, seen = node["parent"], {key}
        while above in nodes and above not in seen:
            seen.add(above)
            above = nodes[above]["parent"]
        node["root"] = node["parent"] not in nodes or above in seen
    for node in nodes.values():
        if not node["root"]:
            nodes[node["parent"]]["children"].append(node)
    return [node for node in nodes.values() if node["root"]]
