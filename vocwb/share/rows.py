"""Rows: what charts and tables show of findings, in words and signs that a reader knows."""

from collections.abc import Mapping

import pandas as pd

from vocwb.changes import CHANGE
from vocwb.languages import describe_language, text_direction
from vocwb.stats import EVIDENCE, TOO_FEW_TO_SHOW, VERDICTS

INK, MUTED, LINE, TEAL, PAPER = "#1f2a33", "#5b6670", "#e3dfd7", "#0f5c63", "#fdfcfa"

MARKS = {
    "higher": ("triangle-up", "#b04a06", "#b04a06"),
    "lower": ("triangle-down", "#1a5aa6", "#1a5aa6"),
    "no evidence of a difference": ("circle", MUTED, MUTED),
    "too few to say": ("circle", "#7b8791", "#ffffff"),
    "not compared": ("square", TEAL, TEAL),
}
"""What a verdict looks like: shape, colour of the line and the outline, colour of the inside."""

LONGEST_LABEL = 46

DIFFERENCES = (
    "difference",
    "difference_adjusted",
    "change_point",
    "paradox",
    "paradox_over_all",
    "paradox_within",
)
"""The measures whose number for reading is their difference."""

_SAID_ALONE = ("stage", "persona")

SAID = {
    ("scores", "higher"): "went up",
    ("scores", "lower"): "went down",
    ("topics", "higher"): "is mentioned more often",
    ("topics", "lower"): "is mentioned less often",
    ("outcomes", "higher"): "was followed by a rise",
    ("outcomes", "lower"): "was followed by a fall",
    ("drivers", "higher"): "goes with a higher score",
    ("drivers", "lower"): "goes with a lower score",
    ("segments", "higher"): "more often than the rest",
    ("segments", "lower"): "less often than the rest",
}
"""How a difference with evidence is said in a headline; what matters most stands first."""

PLACES = {section: place for place, section in enumerate(dict.fromkeys(section for section, _ in SAID))}


def format_number(value: float, unit: str, *, signed: bool = False) -> str:
    """Return a number for reading: one decimal for shares and points, two for means, none for counts.

    >>> format_number(12.34, "%"), format_number(-3, "pp", signed=True), format_number(1234, "count")
    ('12.3%', '−3.0 pp', '1,234')
    """
    points = " points" if signed else ""
    digits, after = {"%": (1, "%"), "pp": (1, " pp"), "points": (1, points), "count": (0, "")}.get(
        unit, (2, "")
    )
    signed = signed or unit in ("pp", "points")
    return format(value, f"{'+' if signed else ''}z,.{digits}f").replace("-", "−") + after


def format_interval(low: float | None, high: float | None, unit: str) -> str:
    """Return a 95% interval for reading, or "" where there is none.

    >>> format_interval(-3.0, 5.25, "pp"), format_interval(None, None, "%")
    ('−3.0 to +5.2', '')
    """
    if pd.isna(low) or pd.isna(high):
        return ""
    return " to ".join(format_number(end, unit).removesuffix("%").removesuffix(" pp") for end in (low, high))


def name_month(period: str) -> str:
    """Return a period for reading; what is no month stays as it is.

    >>> name_month("2025-03"), name_month("all"), name_month("2025-03 vs 2025-02")
    ('March 2025', 'the whole period', 'March 2025 against February 2025')
    """
    if period in ("all", "before"):
        return {"all": "the whole period", "before": "the months before"}[period]
    for between, word in ((" vs ", " against "), ("..", " to ")):
        if between in period:
            return word.join(name_month(part) for part in period.split(between))
    month = pd.to_datetime(period, format="%Y-%m", errors="coerce")
    return period if pd.isna(month) else f"{month:%B %Y}"


def shorten_label(text: str, longest: int = LONGEST_LABEL) -> str:
    """Return a label that fits a chart's row; right-to-left text is isolated, so that its end stays its end.

    >>> shorten_label("parcel · late", 8), len(shorten_label("中" * 40, 20))
    ('parcel…', 11)
    """
    text = " ".join(text.split())
    wide = [2 if "\u2e80" <= letter <= "\uffdc" and letter < "\ufb00" else 1 for letter in text]
    if sum(wide) > longest:
        room = next(i for i in range(len(text), 0, -1) if sum(wide[:i]) <= longest)
        text = text[:room].rstrip(" ·") + "…"
    return f"\u2067{text}\u2069" if text_direction(text) == "rtl" else text


def join_label(label: str, level: str | None) -> str:
    """Return the label of a chart's row from a name and the level of a segment, which has what room the name leaves.

    >>> join_label("Late parcels", "web"), join_label("Late parcels", None)
    ('Late parcels · web', 'Late parcels')
    """
    if level is None:
        return shorten_label(label)
    label = shorten_label(label, LONGEST_LABEL - 18)
    return f"{label} · {shorten_label(level, max(15, LONGEST_LABEL - 3 - len(label)))}"


def judge_mark(verdict: str | None, difference: float | None) -> str:
    """Return which of MARKS shows a verdict.

    >>> judge_mark("evidence of a difference", -2.0), judge_mark(None, None)
    ('lower', 'not compared')
    """
    if verdict in (EVIDENCE, CHANGE) and pd.notna(difference):
        return "lower" if difference < 0 else "higher"
    return verdict if isinstance(verdict, str) and verdict in MARKS else "not compared"


def prepare_rows(findings: pd.DataFrame, *, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return what charts and tables show of findings, one row each, in the order given.

    Needs the columns of `findings`; labels: subject or level -> name for people (itself if not given).
    Adds label, level (named), short, number, scale (of a mean), interval, count (n for reading), mark, and row
    (its place, from 0). For the measures of DIFFERENCES the number is the difference; value is then the difference too.

    >>> from vocwb.schemas import make_findings
    >>> rows = [{"period": "2025-01", "subject": "T0001", "measure": "share", "unit": "%", "value": 12.0,
    ...          "low": 10.0, "high": 14.0, "n": 900, "claim": "", "method": ""}]
    >>> shown = prepare_rows(make_findings(rows, section="topics", month="2025-01"), labels={"T0001": "Late"})
    >>> shown[["label", "number", "interval", "count", "mark"]].values.tolist()
    [['Late', '12.0%', '10.0 to 14.0', '900', 'not compared']]
    """
    rows = findings.reset_index(drop=True)
    different = rows["measure"].isin(DIFFERENCES)
    value = rows["difference"].where(different, rows["value"])
    labels = labels or {}
    label = [str(labels.get(subject, subject)) for subject in rows["subject"]]
    level = [None if pd.isna(level) else str(labels.get(level, level)) for level in rows["level"]]
    # "False" or "3" says nothing without the segment that it is a level of.
    group = [
        f"{labels.get(segment, segment)}: {one}"
        if section == "segments" and one and segment not in _SAID_ALONE
        else one
        for section, segment, one in zip(rows["section"], rows["segment"], level, strict=True)
    ]
    # Where there is no room for both, the level is what a reader cannot do without.
    group = [
        both if both is None or min(len(name), LONGEST_LABEL - 18) + len(both) <= LONGEST_LABEL - 3 else one
        for name, both, one in zip(label, group, level, strict=True)
    ]
    units = rows["unit"]
    ends = zip(rows["low"], rows["high"], units, strict=True)
    made = zip(value, units, different, strict=True)
    judged = zip(rows["verdict"], rows["difference"], strict=True)
    texts = {
        "label": label,
        "level": level,
        "short": [join_label(*both) for both in zip(label, group, strict=True)],
        "number": ["" if pd.isna(v) else format_number(v, u, signed=d) for v, u, d in made],
        "scale": [f"on the scale {unit.replace('-', '–')}" if "-" in unit else "" for unit in units],
        "interval": [format_interval(*row) for row in ends],
        "count": ["" if pd.isna(n) else f"{n:,}" for n in rows["n"]],
        "mark": [judge_mark(*row) for row in judged],
    }
    texts = {name: pd.Series(column, dtype="str") for name, column in texts.items()}
    counted = rows["verdict"].eq(TOO_FEW_TO_SHOW) & units.eq("count") & value.notna()
    texts["number"] = texts["number"].mask(counted, texts["number"] + " of " + texts["count"])
    return rows.assign(value=value, row=range(len(rows)), **texts)


def name_language(code: str) -> str:
    """Return the English name of a language, of "multi" (all together) and of "other".

    >>> name_language("fa"), name_language("multi")
    ('Persian', 'All languages together')
    """
    others = {"multi": "All languages together", "other": "Other languages", "": "All languages"}
    return others[code] if code in others else describe_language(code).english_name


def list_records(rows: pd.DataFrame) -> list[dict]:
    """Return rows as plain dicts with None for what is missing.

    >>> list_records(pd.DataFrame({"level": [None, "a"], "n": [1, 2]}))
    [{'level': None, 'n': 1}, {'level': 'a', 'n': 2}]
    """
    return [
        {
            name: value if isinstance(value, list | dict) or pd.notna(value) else None
            for name, value in row.items()
        }
        for row in rows.to_dict("records")
    ]


def list_evidence(rows: pd.DataFrame, sections: list[str] | None = None) -> list[dict]:
    """Return the differences with evidence, with `said` for a headline: the weightiest section and number first.

    The weight of a number is its size in widths of its interval.

    >>> from vocwb.schemas import empty_table
    >>> list_evidence(prepare_rows(empty_table("findings")))
    []
    """
    clear = rows[rows["measure"].eq("difference") & rows["verdict"].eq(EVIDENCE)]
    clear = clear[clear["section"].isin(sections or list(PLACES))]
    if clear.empty:
        return []
    clear = clear.assign(
        place=clear["section"].map(PLACES), weight=clear["value"].abs() / (clear["high"] - clear["low"])
    ).sort_values(["place", "weight", "finding_id"], ascending=[True, False, True])
    return tell_rows(clear)


def tell_rows(rows: pd.DataFrame) -> list[dict]:
    """Return rows as plain dicts with `said`, how a headline says a difference with evidence, else "".

    A driver is told of its topic (the level), which goes with the score of a question (the subject).

    >>> tell_rows(pd.DataFrame({"section": ["scores"], "mark": ["higher"]}))[0]["said"]
    'went up'
    """
    told = [row | {"said": SAID.get((row["section"], row["mark"]), "")} for row in list_records(rows)]
    for row in told:
        if row["section"] == "drivers" and row["level"]:
            row.update(label=row["level"], level=None, said=f"{row['said']}: {row['label']}")
        if row["section"] == "segments" and row["said"] and row["unit"] != "pp":
            row["said"] = f"scores {row['mark']} than the rest"
    return told


def tally_verdicts(rows: pd.DataFrame) -> str:
    """Return how the comparisons ended, as one sentence, or "" if there were none.

    >>> compared = {"measure": ["difference"] * 3, "verdict": ["too few to say", "hidden", EVIDENCE]}
    >>> tally_verdicts(pd.DataFrame(compared))  # doctest: +NORMALIZE_WHITESPACE
    'Of 3 comparisons, 1 ended with evidence of a difference and 1 with too few to say;
     1 had a group too small to compare.'
    """
    compared = rows[rows["measure"].eq("difference")]
    if compared.empty:
        return ""
    counts = {verdict: int(compared["verdict"].eq(verdict).sum()) for verdict in VERDICTS}
    ends = [f"{count:,} {{}}with {verdict}" for verdict, count in counts.items() if count]
    unshown = len(compared) - sum(counts.values())
    said = (
        " and ".join(filter(None, [", ".join(ends[:-1]), *ends[-1:]]))
        .replace("{}", "ended ", 1)
        .replace("{}", "")
    )
    small = f"{unshown:,} had a group too small to compare" if unshown else ""
    return f"Of {len(compared):,} comparison{'s' * (len(compared) != 1)}, {'; '.join(filter(None, [said, small]))}."
