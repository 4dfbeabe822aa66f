"""Publish: one month's tables as one page that opens with the network off. It reads tables and computes nothing."""

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jinja2
import pandas as pd
import xlsxwriter
from markupsafe import Markup

from vocwb.errors import ReportError
from vocwb.schemas import OUTLIER, unit_of
from vocwb.share import sections, sections_drivers, sections_groups, sections_time
from vocwb.share.charts import bundle_script, escape_json, hash_script, interval_html, number_html
from vocwb.share.quotes import check_page, check_quotes, choose_quotes, quote_html
from vocwb.share.rows import (
    PLACES,
    list_evidence,
    list_records,
    name_month,
    prepare_rows,
    tally_verdicts,
    tell_rows,
)
from vocwb.stats import HIDDEN
from vocwb.store import write_whole

_HEBREW_TO_ARABIC = r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
_RIGHT_TO_LEFT = re.compile(rf"{_HEBREW_TO_ARABIC}(?:[^A-Za-z0-9“”\"]*{_HEBREW_TO_ARABIC})?")
_TOPIC_ID = re.compile(r"\bT\d{4}\b")
_MONTHS = re.compile(r"\b(?:19|20)\d\d-(?:0\d|1[0-2])(?:\.\.(?:19|20)\d\d-(?:0\d|1[0-2]))?(?![-\d])")
_FINDING = re.compile(r'data-finding="([0-9a-f]{32})"')
_LONGEST_CELL = 32_767
"""The characters that a cell of a spreadsheet can hold."""

_MOST_SHORT = 7
_NO_CLOCK = datetime.datetime(2000, 1, 1)
"""The date of every workbook, so that the same findings give the same bytes."""


def build_report(
    *,
    programme,
    month: str,
    findings: pd.DataFrame,
    causes: pd.DataFrame,
    actions: pd.DataFrame,
    codebook: pd.DataFrame,
    opinions: pd.DataFrame,
    feedback: pd.DataFrame,
    ingested: pd.DataFrame,
    quarantine: pd.DataFrame,
    whys: pd.DataFrame,
    quality: pd.DataFrame,
    reviewed: bool,
    cut_off: str,
    passport: Mapping[str, str],
    undated: int = 0,
) -> str:
    """Return the report of a month as HTML: one file, whose every number opens its quotes.

    programme: what read_programme returns. findings, causes, actions, codebook (with people's names),
    feedback, ingested, quarantine: the tables; only findings and causes of `month` are shown. opinions: from
    schemas.join_responses, of all months, to choose quotes from. whys: people's standing decisions of kind
    "why" (decision_id, subject, value, who). quality: the table, of how far coders can be trusted. reviewed:
    whether people looked through the codebook. cut_off: until when the data reaches, in words. undated: verbatims
    without a date, which stand in no month. passport: name -> value of what made the run.

    Raises ReportError, and nothing is returned, if a finding or cause carries a feedback id that is not in
    `feedback`, or if one quote of the finished page is not byte for byte what is stored.

    >>> build_report(programme=programme, month="2025-01", findings=findings, ...)  # doctest: +SKIP
    """
    findings = findings[findings["month"].eq(month)]
    causes = causes[causes["month"].eq(month)]
    _trace(findings, causes, feedback)
    labels = dict(zip(codebook["topic"], codebook["name"], strict=True))
    labels |= {subject: "Fits no topic" for subject in findings["subject"] if subject.startswith(OUTLIER)}
    coded = findings.loc[findings["section"].isin(["feelings", "categories"]), "subject"]
    labels |= {subject: subject.partition(":")[0] for subject in coded}
    labels |= {name: question.label or name for name, question in programme.questions.items()}
    labels |= {name: index.label for name, index in programme.indexes.items()}
    labels |= sections_drivers.label_importance(findings, labels)
    labels |= programme.group_labels
    labels |= sections_groups.label_groups(findings, labels)
    labels |= dict(zip(actions["action_id"], actions["title"], strict=True))
    labels |= dict(zip(causes["cause_id"], causes["label"], strict=True))
    rows = prepare_rows(findings.sort_values("finding_id"), labels=labels)
    pick, chosen = _make_pick(opinions, month=month, minimum=programme.minimum_group_staff)

    def quote(row: Mapping, most: int) -> list[Markup]:
        return [quote_html(found) for found in pick(row, most)]

    trees = sections.grow_tree(causes, whys, rows)
    view = _read_view(rows, month, programme=programme, codebook=codebook, opinions=opinions, quote=quote)
    view |= {
        "trust": sections.tell_trust(quality),
        "why": _group_trees(trees, labels),
        "actions": _list_actions(actions, labels, month),
        "due": _list_due(view["evident"], actions),
        "ingested": _list_ingested(ingested),
        "quarantine": list(quarantine["reason"].value_counts().sort_index().items()),
    }
    templates = _environment(labels, programme.group_labels)
    body = templates.get_template("report.html.j2").render(
        view,
        programme=programme,
        month_name=name_month(month),
        cut_off=cut_off,
        reviewed=reviewed,
        passport=passport,
        undated=undated,
    )
    items = _list_items(body, rows, trees, view["unidentified"], month)
    evidence = _gather_evidence(items, pick, lambda text: _make_readable(text, labels))
    if chosen:
        check_quotes(pd.DataFrame(list(chosen.values())), feedback)
    scripts = bundle_script(), _read_beside("report.js")
    policy = f"script-src {' '.join(map(hash_script, scripts))}; style-src 'unsafe-inline'; img-src data:"
    page = templates.get_template("page.html.j2").render(
        title=f"{programme.title}: {name_month(month)}",
        policy=f"default-src 'none'; {policy}; base-uri 'none'; form-action 'none'",
        style=Markup(_read_beside("report.css")),
        body=Markup(body),
        quotes=[quote_html(chosen[feedback_id]) for feedback_id in sorted(chosen)],
        evidence=escape_json(evidence),
        scripts=[Markup(script) for script in scripts],
    )
    check_page(page, feedback)
    return page


def write_report(html: str, path: Path) -> None:
    """Write a report whole or not at all: under a temporary name, then moved into place.

    >>> write_report("<!doctype html>", Path("reports/sample/2025-01/report.html"))  # doctest: +SKIP
    """
    write_whole(path, lambda file: file.write_text(html, encoding="utf-8", newline=""))


def export_findings(findings: pd.DataFrame, path: Path) -> None:
    """Write findings as an Excel workbook in which no text is a formula or a link.

    Lists of ids are joined by spaces, and cut where a cell can hold no more.

    >>> export_findings(findings, Path("findings.xlsx"))  # doctest: +SKIP
    """
    write_whole(path, lambda file: _write_book(findings, file))


def _write_book(findings: pd.DataFrame, file: Path) -> None:
    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, safe) as book:
        book.set_properties({"created": _NO_CLOCK})
        sheet, bold = book.add_worksheet("findings"), book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for place, name in enumerate(findings):
            sheet.write_string(0, place, name, bold)
        for line, row in enumerate(findings.itertuples(index=False), start=1):
            for place, value in enumerate(row):
                if isinstance(value, list):
                    sheet.write_string(line, place, " ".join(value)[:_LONGEST_CELL])
                elif pd.notna(value):
                    write = sheet.write_string if isinstance(value, str) else sheet.write_number
                    write(line, place, value)


def _trace(findings: pd.DataFrame, causes: pd.DataFrame, feedback: pd.DataFrame) -> None:
    """Raise ReportError for the first finding or cause with feedback that is not in the store."""
    stored = set(feedback["feedback_id"])
    carried = [
        ("finding", *pair) for pair in zip(findings["finding_id"], findings["feedback_ids"], strict=True)
    ]
    for column in ("evidence_for", "evidence_against"):
        carried += [("cause", *pair) for pair in zip(causes["cause_id"], causes[column], strict=True)]
    for what, key, ids in carried:
        lost = set(ids) - stored
        if lost:
            raise ReportError(
                f"The {what} {key} rests on feedback {min(lost)}, which is not in the store.",
                f"{len(lost)} of its {len(ids)} feedback ids are not there.",
                "Run the month again from ingest; nothing was written.",
            )


def _make_pick(opinions: pd.DataFrame, *, month: str, minimum: int) -> tuple[Callable, dict]:
    """Return pick(row, most), which gives the quotes of a row, and the dict that remembers all that it chose.

    Customers speak for customers' numbers and employees for theirs; employees are quoted only where at least
    `minimum` of them stand behind the number. What was said in `month` goes before what was said earlier.
    """
    voices = dict(tuple(opinions.groupby("voice")))
    of_month = set(opinions.loc[opinions["month"].eq(month), "feedback_id"])
    units = dict(zip(opinions["feedback_id"], unit_of(opinions), strict=True))
    chosen: dict[str, dict] = {}

    def pick(row: Mapping, most: int) -> list[dict]:
        ids = set(row["feedback_ids"])
        voice = "employee" if row.get("section") == "staff" or row.get("level") == "employee" else "customer"
        few = voice == "employee" and len({units.get(one) for one in ids}) < minimum
        if row.get("verdict") == HIDDEN or few or voice not in voices:
            return []
        # A point of a trend takes a quote that is on the page already, so that the page stays small.
        known = [quote for one in sorted(ids & chosen.keys()) if (quote := chosen[one])["voice"] == voice]
        if row.get("trend") and known:
            return known[:most]
        quotes = choose_quotes(voices[voice], list(ids & of_month or ids), most=most)
        found = [quote | {"voice": voice} for quote in quotes.to_dict("records")]
        chosen.update((quote["feedback_id"], quote) for quote in found)
        return found

    return pick, chosen


def _read_view(
    rows: pd.DataFrame, month: str, *, programme, codebook, opinions, quote: sections.Pick
) -> dict:
    """Return what the template shows of the findings."""
    # At another stage another question was asked, so that its differences say little by themselves.
    evident = [row for row in list_evidence(rows) if row["segment"] != "stage"]
    by_stage = [row for row in list_evidence(rows, ["segments"]) if row["segment"] == "stage"]
    groups = [row for row in evident if row["section"] == "segments"]
    scored = [row for row in groups if row["unit"] != "pp"]
    groups = [row for row in groups if row["unit"] == "pp"]
    of = {
        name: rows[rows["section"].eq(name)]
        for name in ("news", "segments", "drivers", "root_cause", "actions", "outcomes", "staff")
    }
    other = opinions["month"].eq(month) & opinions["language"].eq("other")
    return {
        "evident": evident,
        "short": _vary_quotes(evident[:_MOST_SHORT], quote),
        "short_more": max(len(evident) - _MOST_SHORT, 0),
        "tally": tally_verdicts(rows[rows["section"].isin(PLACES)]),
        "coverage": sections.draw_coverage(rows, month),
        "presence": sections.list_presence(opinions, programme.languages, month),
        "topics": sections.read_topics(rows, codebook, month, quote),
        "news": [row | {"quotes": quote(row, 2)} for row in tell_rows(of["news"])],
        "movements": sections_time.read_movements(rows, quote),
        "feelings": sections.read_topics(rows, codebook, month, quote, section="feelings", what="feel so"),
        "categories": sections.read_topics(
            rows, codebook, month, quote, section="categories", what="speak of it"
        ),
        "trends": sections.draw_trends(rows, codebook, month),
        "scores": sections.read_scores(rows, "scores", month, list(programme.questions)),
        "segments": groups,
        "segments_chart": sections_drivers.draw_differences(
            groups[:20],
            title="Groups that differ from the rest, with evidence",
            axis="percentage points more or less than the rest, with 95% interval",
        ),
        "segments_tally": tally_verdicts(of["segments"]),
        "adjusted": sections_groups.read_adjusted(rows, groups),
        "paradoxes": sections_groups.read_paradoxes(rows, quote),
        "words": sections_groups.read_words(rows, quote),
        "stages": sections_groups.read_stages(rows, codebook, programme.stages),
        "by_stage": by_stage,
        "scored": scored,
        "drivers": sections_drivers.read_drivers(rows),
        "importance": sections_drivers.read_importance(rows),
        "drivers_tally": tally_verdicts(of["drivers"]),
        "root_causes": list_records(of["root_cause"]),
        "action_findings": [row | {"quotes": []} for row in tell_rows(of["actions"])],
        "outcomes": [row | {"quotes": quote(row, 1)} for row in tell_rows(of["outcomes"])],
        "staff_topics": sections.read_topics(rows, codebook, month, quote, section="staff"),
        "staff_scores": sections.read_scores(rows, "staff", month, list(programme.questions)),
        "unidentified": opinions.loc[other, "feedback_id"].tolist(),
    }


def _vary_quotes(rows: list[dict], quote: sections.Pick) -> list[dict]:
    """Give each row one quote, which no row before it has where there is another."""
    seen, told = set(), []
    for row in rows:
        found = quote(row, 4)
        fresh = [one for one in found if one not in seen] or found
        seen.update(fresh[:1])
        told.append(row | {"quotes": fresh[:1]})
    return told


def _group_trees(trees: list[dict], labels: Mapping[str, str]) -> list[tuple[str, list[dict]]]:
    """Return the trees by the name of their topic; what was said of no topic stands under its own heading."""
    named = [
        (labels.get(root["topic"], root["topic"] or "What people said in the workshop"), root)
        for root in trees
    ]
    return [
        (name, [root for other, root in named if other == name])
        for name in dict.fromkeys(n for n, _ in named)
    ]


def _list_actions(actions: pd.DataFrame, labels: Mapping[str, str], month: str) -> list[dict]:
    return [
        row
        | {
            "aim": labels.get(row["target"], row["target"]),
            "cost": "" if row["cost"] is None else f"{row['cost']:,.0f}",
            "late": row["status"] == "planned" and row["starts_on"][:7] <= month,
        }
        for row in list_records(actions.sort_values(["starts_on", "action_id"]))
    ]


def _list_due(evident: list[dict], actions: pd.DataFrame) -> list[dict]:
    """Return the topics and scores that changed with evidence and that no action aims at."""
    standing = actions[actions["status"].ne("dropped")]
    aims = set(standing["target"]) | set(standing["finding_id"].dropna())
    changed = [row for row in evident if row["section"] in ("topics", "scores")]
    return [row for row in changed if not {row["subject"], row["finding_id"]} & aims]


def _list_ingested(ingested: pd.DataFrame) -> list[dict]:
    """Return the records of each source, and their sum as the last row."""
    counts = ["rows_in", "kept", "duplicates", "quarantined"]
    by_source = ingested.groupby("source", as_index=False)[counts].sum()
    total = {"source": "All sources"} | by_source[counts].sum().to_dict()
    return [*by_source.to_dict("records"), total] if len(by_source) else []


def _list_items(
    body: str, rows: pd.DataFrame, trees: list[dict], unidentified: list[str], month: str
) -> Iterator[dict]:
    """Yield what can be opened on the page: the findings that stand in the body, evidence of causes, limits."""
    shown = rows[rows["finding_id"].isin(set(_FINDING.findall(body)))]
    for row in list_records(shown.sort_values(["period", "finding_id"], ascending=[False, True])):
        trend = row["section"] == "stages" or (
            row["period"] < month
            and row["section"] in ("topics", "scores", "staff")
            and row["measure"] != "difference"
        )
        yield row | {"key": row["finding_id"], "trend": trend}
    nodes = list(trees)
    for node in nodes:
        nodes += node["children"]
        for side in ("for", "against"):
            claim = f"What speaks {side}: {node['label']}"
            yield {"key": f"{node['key']}-{side}", "claim": claim, "method": "", "feedback_ids": node[side]}
    if unidentified:
        claim = "Verbatims in a language that was not identified, or that the programme does not declare."
        yield {"key": "unidentified", "claim": claim, "method": "", "feedback_ids": unidentified}


def _gather_evidence(items: Iterator[dict], pick: Callable, say: Callable) -> dict:
    """Return the page's index of evidence: every feedback id once, each set of ids once, and what each item opens.

    A set is written as steps from one place in `ids` to the next.
    """
    items = [item | {"quotes": pick(item, 1 if item.get("trend") else 3)} for item in items]
    ids = sorted({feedback_id for item in items for feedback_id in item["feedback_ids"]})
    place = {feedback_id: number for number, feedback_id in enumerate(ids)}
    steps: dict[tuple, int] = {}
    opened = {}
    for item in items:
        places = sorted({place[feedback_id] for feedback_id in item["feedback_ids"]})
        key = tuple(b - a for a, b in zip([0, *places], places, strict=False))
        opened[item["key"]] = {
            "claim": say(item["claim"]),
            "method": item["method"],
            "set": steps.setdefault(key, len(steps)),
            "quotes": [place[quote["feedback_id"]] for quote in item["quotes"]],
        }
    return {"ids": ids, "sets": list(steps), "items": opened}


def _make_readable(text: str, labels: Mapping[str, str]) -> str:
    """Put names for topic ids and months, and isolate right-to-left runs, which would pull numbers to their side."""
    text = _MONTHS.sub(lambda found: name_month(found[0]), text)
    text = _TOPIC_ID.sub(lambda found: f"“{labels[found[0]]}”" if found[0] in labels else found[0], text)
    return _RIGHT_TO_LEFT.sub(lambda run: f"\u2067{run[0]}\u2069", text)


def _environment(labels: Mapping[str, str], segments: Mapping[str, str]) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.globals |= {
        "number": number_html,
        "picture": interval_html,
        "readable": lambda text: _make_readable(text, labels),
        "segment_label": lambda column: segments.get(column, column),
    }
    return environment


def _read_beside(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
