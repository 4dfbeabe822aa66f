"""Looks at the columns of an unseen export: what can be counted, dates, ruined ids, tags, segments, sides of a talk."""

import json
import os
import re
from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import parse_numbers
from vocwb.collect.column_words import is_question, means
from vocwb.collect.dates import is_relative_date, parse_dates

_FORMATS = (
    "%Y-%m", "%Y/%m", "%m/%Y", "%Y%m", "%B %Y", "%b %Y", "%B %d, %Y", "%d %B %Y", "%b %d, %Y", "%d %b %Y",
    "%m %d, %Y", "%d.%m.%Y", "%d/%m/%Y", "%Y-%m-%d", "%d/%b/%Y:%H:%M:%S %z", "%d-%b-%Y %H:%M:%S",
    "%Y-%m-%d %H:%M:%S UTC",
)  # fmt: skip
_SPEAKER = re.compile(r"speak|from|^by$|who|role|author|sender|name|direction|party|user", re.I)
_CUSTOMER = re.compile(
    r"(?:end[- ]?)?(?:customer|user|client|inbound|incoming|visitor|requester|contact|lead|guest)s?", re.I
)
_COMPANY = re.compile(
    r"agent|staff|operator|outbound|outgoing|bot|system|support|admin|company|teammate|advis[eo]r|assistant|brand",
    re.I,
)
_NUMBER = r"[+-]?[\d٠-٩۰-۹]+(?:[.,٫][\d٠-٩۰-۹]*)?(?:E\+?\d+)?"
_MOST_SEGMENTS = 8


class Look(NamedTuple):
    """What can be counted in one column: shares are of its filled cells, but `filled`, which is of all rows."""

    values: pd.Series
    filled: float
    different: int
    distinct: float
    length: float
    words: float
    number: bool
    date: str
    date_format: str | None
    url: bool
    email: bool
    turns: bool


def look_at(name: str, cells: pd.Series) -> Look:
    """Return what can be counted in one column, of which not every cell is missing.

    >>> look_at("text", pd.Series(["so slow", None, "fine"])).different
    2
    """
    values = cells.dropna()
    sample = values.head(300)
    number = bool(sample.str.fullmatch(_NUMBER).mean() > 0.95)
    date, date_format = describe_dates(name, sample)
    different = values.nunique()
    spaced = values.str.count(r"\s") + values.str.count(r"[\u3400-\u9fff]") / 2
    return Look(
        values, len(values) / len(cells), different, different / len(values), float(values.str.len().mean()),
        float(spaced.mean() + 1), number, date, date_format,
        bool(sample.str.match(r"https?://|www\.|/\w+/").mean() > 0.5),
        bool(sample.str.match(r"[^@\s]{1,64}@[\w-]+\.[\w.]+$").mean() > 0.5),
        bool(sample.str.match(r"\[\s*\{").mean() > 0.9),
    )  # fmt: skip


def describe_dates(name: str, sample: pd.Series) -> tuple[str, str | None]:
    """Return in words that a column holds dates, or nothing, and the date_format that they need, or "ago".

    Numbers are dates only where the column's name says so and they can be: epoch seconds or milliseconds,
    days of a spreadsheet, YYYYMMDD. A clock without a day is no date.

    >>> describe_dates("when", pd.Series(["2025-01-31", "2025-02-01"]))
    ("100% are dates, like '2025-01-31'", None)
    >>> describe_dates("Review date", pd.Series(["Stayed on: May 2024", "Stayed on: June 2024"]))
    ("100% are dates, like 'Stayed on: May 2024'", 'Stayed on: %B %Y')
    """
    like = f"like {sample.iloc[0][:40]!r}"
    if sample.str.fullmatch(_NUMBER).mean() > 0.95:
        numbers = parse_numbers(sample)
        if not _may_be_dates(name, numbers):
            return "", None
        if parse_dates(sample, serials=None).notna().mean() > 0.9:
            return f"numbers of {_calendar_of(numbers)}, {like}", None
        return _try_formats(sample, like)
    if sample.str.len().mean() > 60 or sample.str.contains(r"\d").mean() < 0.5:
        ago = float(is_relative_date(sample).mean())
        return (f"{ago:.0%} tell it by its distance, {like}", "ago") if ago > 0.5 else ("", None)
    if sample.str.fullmatch(r"\d{1,2}:\d{2}(?::\d{2})?(?:\s*[APap]\.?[Mm]\.?)?").mean() > 0.5:
        return f"clock, {like}", None
    ago, dates = (
        float(is_relative_date(sample).mean()),
        float(parse_dates(sample, serials=None).notna().mean()),
    )
    if ago > 0.5:
        return f"{ago:.0%} tell it by its distance, {like}", "ago"
    if dates > 0.9 or (dates > 0.6 and means(name, "date")):
        return f"{dates:.0%} are dates, {like}", None
    return _try_formats(sample, like)


def _may_be_dates(name: str, numbers: pd.Series) -> bool:
    """Tell dates written as numbers from counts and ids: by the name, and by the years they would mean."""
    if not means(name, "date") or (means(name, "count") and not means(name, "date_first")):
        return False
    kinds = ((1e12, 2.2e12), (1e9, 2.2e9), (25000, 60000), (19700101, 21001231), (197001, 210012))
    return any(numbers.between(low, high).mean() > 0.95 for low, high in kinds)


def _calendar_of(numbers: pd.Series) -> str:
    middle = numbers.median()
    if middle > 1e9:
        return "milliseconds since 1970" if middle > 1e12 else "seconds since 1970"
    return "days of a spreadsheet" if middle < 60000 else "year, month and day"


def _try_formats(sample: pd.Series, like: str) -> tuple[str, str | None]:
    """Find one form that reads nearly all, with the words that stand before each date as part of the form."""
    shared = os.path.commonprefix(sample.tolist())  # noqa: RUF071 (letters are what is asked for)
    before = re.match(r"(?:[^\W\d]+[\W_]+){0,8}", shared)[0] if len(sample) > 1 else ""
    rest = sample.str[len(before) :]
    for date_format in _FORMATS:
        read = pd.to_datetime(rest, format=date_format, errors="coerce", utc="%z" in date_format)
        if read.notna().mean() > 0.9 and read.dt.year.dropna().between(1970, 2100).all():
            return f"{read.notna().mean():.0%} are dates, {like}", before.replace("%", "%%") + date_format
    return "", None


def find_fault_of_ids(name: str, values: pd.Series) -> str:
    """Return why a column cannot tell records apart, nothing if it can.

    >>> find_fault_of_ids("tweet_id", pd.Series(["5.70306E+17", "5.70301E+17"]))
    'a spreadsheet cut its digits, like 5.70306E+17: many records share one value'
    """
    cut = values.str.fullmatch(r"\d(?:[.,]\d+)?E\+?\d+", flags=re.I)
    long = values.str.fullmatch(r"\d{16,}")
    if cut.mean() > 0.2:
        return f"a spreadsheet cut its digits, like {values[cut].iloc[0]}: many records share one value"
    if long.mean() > 0.5 and values[long].str.endswith("000").mean() > 0.8:
        return (
            f"a spreadsheet rounded it to 15 digits, like {values[long].iloc[0]}: it is not the real number"
        )
    numbers = parse_numbers(values)
    if means(name, "row") and numbers.notna().all() and values.nunique() == len(values):
        return "the number of a row: it changes when the export changes"
    return ""


def is_copy(main: pd.Series, other: pd.Series) -> bool:
    """Return whether most texts of one column are those of the other, cleaned or cut.

    >>> is_copy(pd.Series(["The Bus, late!"]), pd.Series(["bus late"]))
    True
    """
    both = pd.concat([main, other], axis="columns", join="inner", keys=["main", "other"]).dropna().head(200)
    if both.empty:
        return False
    sets = both.map(lambda text: set(re.findall(r"\w+", text.lower()[:500])))
    shared = [
        len(one & two) / max(1, min(len(one), len(two)))
        for one, two in zip(sets["main"], sets["other"], strict=True)
    ]
    return bool(pd.Series(shared).median() > 0.6)


def find_turns(values: pd.Series) -> tuple[str, str] | None:
    """Return the keys of speaker and text in lists of turns, None where no key says who speaks.

    >>> find_turns(pd.Series(['[{"from": "agent", "said": "Hello"}, {"from": "client", "said": "It is late"}]']))
    ('from', 'said')
    """
    turns: list[dict] = []
    for value in values.head(100):
        try:
            found = json.loads(value)
        except ValueError:
            continue
        turns += [turn for turn in found if isinstance(turn, dict)] if isinstance(found, list) else []
    if not turns:
        return None
    frame = pd.DataFrame(turns).astype("str")
    lengths = frame.apply(lambda cells: cells.str.len().mean())
    text = lengths.idxmax()
    # Few speak often: a list of reviews names somebody else in each.
    most = max(8, len(turns) / 5)
    named = [
        key for key in frame if key != text and _SPEAKER.search(str(key)) and frame[key].nunique() <= most
    ]
    return (str(frame[named].nunique().idxmin()), str(text)) if named and len(frame.columns) <= 6 else None


def find_tags(looks: dict[str, Look]) -> list[tuple[str, str, str]]:
    """Return the column whose cells hold several tags, how many, and the separator; none if there is none.

    Tags repeat from record to record; sentences that hold a comma, and lists of ids, do not.

    >>> find_tags({"t": look_at("t", pd.Series(["slow;dear", "dear", "slow", "dear;slow", "late"] * 3))})
    [('t', '3 tags, parted by ;', ';')]
    """
    best: tuple[float, tuple[str, str, str]] | None = None
    for name, look in looks.items():
        if look.number or look.length > 120 or look.url:
            continue
        named = means(name, "tags")
        for separator in (";", "|", ",", "،", "；", "、"):
            holds = float(look.values.str.contains(separator, regex=False).mean())
            if holds < (0.05 if named else 0.2):
                continue
            parts = look.values.str.split(separator).explode().str.strip()
            parts = parts[parts.str.len() > 0]
            if parts.empty or parts.str.len().mean() > 30 or parts.str.fullmatch(r"[\d.]+").mean() > 0.5:
                continue
            repeats = parts.nunique() / len(parts)
            if repeats < (0.6 if named else 0.2) and look.different >= 3 and (named or separator != ","):
                guess = (name, f"{parts.nunique()} tags, parted by {separator}", separator)
                score = 2 * named - repeats
                best = max(best, (score, guess), key=lambda pair: pair[0]) if best else (score, guess)
                break
    return [best[1]] if best else []


def tell_customer_side(name: str, values: pd.Series) -> list[str]:
    """Return the values of a direction column that stand for the customer, none where they do not say.

    >>> tell_customer_side("inbound", pd.Series(["True", "False"]))
    ['True']
    """
    different = sorted(values.unique())
    if len(different) < 2:
        return []
    yes = [value for value in different if value.lower() in ("true", "1", "yes", "y")]
    no = [value for value in different if value.lower() in ("false", "0", "no", "n")]
    if len(yes) + len(no) == len(different):
        return yes
    customers = [value for value in different if _CUSTOMER.fullmatch(value)]
    others = [value for value in different if value not in customers]
    return customers if customers and all(_COMPANY.search(value) for value in others) else []


def choose_segments(looks: dict[str, Look]) -> list[tuple[str, str]]:
    """Return at most eight columns whose few values part the records usefully, each with its evidence.

    Left out are personal data, free text, columns with one value in nearly all records, and one that says
    the same as another. The most useful have a name that says so, and several groups of some size.

    >>> looks = {"Plan": look_at("Plan", pd.Series(["basic", "team", "team", "basic"]))}
    >>> choose_segments(looks)
    [('Plan', '2 values: basic, team')]
    """
    fit = []
    for name, look in looks.items():
        most = min(60, max(2, len(look.values) / 3))
        if (
            not 2 <= look.different <= most
            or look.filled < 0.3
            or look.length >= 60
            or look.url
            or look.email
        ):
            continue
        if (look.number and look.different > 11) or look.date or means(name, "private"):
            continue
        if means(name, "reply") or (look.number and means(name, "count")):
            continue
        shares = look.values.value_counts(normalize=True)
        if shares.iloc[0] * look.filled > 0.97 or (
            look.number and (parse_numbers(look.values) % 1 != 0).any()
        ):
            continue
        groups = float(
            1 / (shares**2).sum()
        )  # the number of groups of equal size that part as much (Simpson 1949)
        worth = (
            2 * means(name, "segment") - 1.5 * means(name, "technical") + min(groups, 6) / 6 + look.filled / 2
        )
        worth -= 0.5 * (look.different > 30) + 0.3 * look.number + 0.3 * is_question(name)
        fit.append((worth, name))
    chosen: list[str] = []
    for _, name in sorted(fit, key=lambda pair: -pair[0]):
        if len(chosen) < _MOST_SEGMENTS and not any(
            _say_the_same(looks[name].values, looks[have].values) for have in chosen
        ):
            chosen.append(name)
    order = list(looks)
    return [
        (name, f"{looks[name].different} values: {list_common(looks[name].values, 3)}")
        for name in sorted(chosen, key=order.index)
    ]


def list_common(values: pd.Series, most: int) -> str:
    """Return the most frequent values in words, with dots if there are more.

    >>> list_common(pd.Series(["late", "dear", "late", "rude"]), 2)
    'late, dear ...'
    """
    counts = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    listed = ", ".join(" ".join(value.split())[:24] for value in counts.index[:most])
    return listed + (" ..." if len(counts) > most else "")


def _say_the_same(one: pd.Series, two: pd.Series) -> bool:
    both = pd.concat([one, two], axis="columns", join="inner").drop_duplicates()
    return len(both) == one.nunique() == two.nunique()
