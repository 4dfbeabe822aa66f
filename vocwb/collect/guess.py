"""Guesses what each column of an unseen export holds, and says by what."""

import re

import pandas as pd

from vocwb.collect.clean import is_relative_date, parse_dates, parse_numbers
from vocwb.collect.language_id import read_language_name
from vocwb.programme import LANGUAGES

_TEXT_NAME = re.compile(
    r"text|comment|review|feedback|verbatim|narrative|complaint|message|body|opinion|content|why|reason|say|explic",
    re.I,
)
_NOT_TEXT_NAME = re.compile(
    r"\bid\b|reply|response|owner|agent|title|subject|url|link|name|address|location|date|label|question",
    re.I,
)
_DATE_NAME = re.compile(r"date|time|created|received|posted|submitted|_at$|_on$|^on$|day", re.I)
_ID_NAME = re.compile(r"(?:^|[^a-z])(?:id|no|nr|ref|key|code|number|#)(?:$|[^a-z])|ticket|^id|id$", re.I)
_PERSON_NAME = re.compile(
    r"user|author|customer|respondent|reviewer|caller|client|person|member|name|handle", re.I
)
_SCORE_NAME = re.compile(
    r"rating|stars?\b|score|nps|satisf|recommend|grade|overall|effort|\beas[ey]|csat|ces\b", re.I
)


def guess_roles(records: pd.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Return role -> column, and role -> the evidence in words, from names and values of raw columns.

    Needs raw columns as text, with blanks as missing. Roles: turns, verbatim (the longest varied text), date,
    ago (a date told by its distance), id, respondent, language, "score ..." and "segment ..." by column.

    >>> roles, why = guess_roles(pd.DataFrame({"id": list("abcde"), "stars": list("51234")}))
    >>> roles, why["score stars"]
    ({'id': 'id', 'score stars': 'stars'}, 'values 1 to 5')
    """
    roles: dict[str, str] = {}
    why: dict[str, str] = {}

    def take(role: str, column: str, evidence: str) -> None:
        roles[role], why[role] = column, evidence

    columns = {name: values for name in records if len(values := records[name].dropna())}
    kinds = {name: _describe(name, values, len(records)) for name, values in columns.items()}
    left = dict(kinds)
    for name, kind in kinds.items():
        if kind["turns"]:
            take("turns", name, "a list of turns in each record")
            left.pop(name)
            break
    dates = [name for name, kind in left.items() if kind["dates"] > 0.9 or kind["ago"] > 0.5]
    if dates:
        date = max(dates, key=lambda name: (_DATE_NAME.search(name) is not None, kinds[name]["dates"]))
        relative = kinds[date]["ago"] > 0.5
        share = max(kinds[date]["dates"], kinds[date]["ago"])
        take("ago" if relative else "date", date, f"{share:.0%} are dates, like {columns[date].iloc[0]!r}")
        left = {name: kind for name, kind in left.items() if name not in dates}
    texts = {name: kind["text"] for name, kind in left.items() if kind["text"] > 0}
    if texts and "turns" not in roles:
        text = max(texts, key=texts.get)
        values = columns[text]
        different = values.nunique() / len(values)
        evidence = f"{values.str.len().mean():.0f} characters on average, {different:.0%} different"
        others = sorted(
            (name for name in texts if name != text and texts[name] > texts[text] / 4), key=texts.get
        )
        take("verbatim", text, evidence + (f"; or {', '.join(map(repr, others[::-1]))}" if others else ""))
        left.pop(text)
    for role, name_is, fits in (
        ("language", re.compile("lang", re.I), lambda kind: kind["languages"] > 0.8),
        (
            "id",
            _ID_NAME,
            lambda kind: kind["distinct"] > 0.95 and kind["filled"] > 0.99 and kind["length"] < 40,
        ),
        (
            "respondent",
            _PERSON_NAME,
            lambda kind: kind["distinct"] > 0.1 and kind["length"] < 40 and not kind["url"],
        ),
    ):
        named = [name for name, kind in left.items() if name_is.search(name) and fits(kind)]
        if named:
            name = max(named, key=lambda name: kinds[name]["distinct"])
            take(role, name, f"by its name; {kinds[name]['distinct']:.0%} different values")
            left.pop(name)
    for name, kind in left.items():
        is_five = kind["values"] == {1, 2, 3, 4, 5}
        if kind["values"] and len(kind["values"]) > 2 and (is_five or _SCORE_NAME.search(name)):
            take(f"score {name}", name, f"values {min(kind['values']):g} to {max(kind['values']):g}")
        elif (
            2 <= kind["different"] <= 30 and kind["filled"] > 0.3 and kind["length"] < 50 and not kind["wide"]
        ):
            take(f"segment {name}", name, f"{kind['different']} different values")
    return roles, why


def _describe(name: str, values: pd.Series, rows: int) -> dict:
    """Return what can be counted in one column."""
    sample = values.head(300)
    numbers = parse_numbers(values)
    is_number = numbers.notna().mean() > 0.95
    length, different = values.str.len().mean(), values.nunique()
    words = values.str.count(r"\s") + values.str.count(r"[\u3400-\u9fff]") / 2 + 1
    is_epoch = is_number and sample.str.fullmatch(r"\d{10}|\d{13}").mean() > 0.9 and _DATE_NAME.search(name)
    dates = float(parse_dates(sample).notna().mean()) if not is_number or is_epoch else 0.0
    url = sample.str.match(r"https?://|www\.").mean() > 0.5
    hint = (2 if _TEXT_NAME.search(name) else 1) * (0.3 if _NOT_TEXT_NAME.search(name) else 1)
    is_text = not is_number and not url and dates < 0.5 and words.mean() >= 2 and different > 20
    shares = numbers.value_counts(normalize=True)
    scale = set(shares[shares >= 0.005].index)  # a few answers off the scale do not widen it
    return {
        "filled": len(values) / rows,
        "distinct": different / len(values),
        "different": different,
        "length": length,
        "wide": is_number and different > 11,
        "dates": dates,
        "ago": float(is_relative_date(sample).mean()),
        "url": url,
        "languages": float(sample.map(lambda value: read_language_name(value, LANGUAGES) is not None).mean()),
        "text": min(length, 300) * (different / len(values)) * hint * (len(values) / rows) ** 0.25 * is_text,
        "values": scale if is_number and different <= 12 and numbers.min() >= 0 else set(),
        "turns": sample.str.match(r"\[\s*\{").mean() > 0.9,
    }
