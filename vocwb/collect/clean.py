"""Puts text, numbers and dates of any export into one form, and finds word-for-word reposts."""

import calendar
import datetime
import html
import re

import ftfy
import numpy as np
import pandas as pd

EMPTY_WORDS = ("", "na", "n/a", "#n/a", "nan", "null", "-", "--", "—", "–")
"""What stands in a cell that has no answer (in any case)."""

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬", "01234567890123456789.,")
# Only what breaks text is mended: full-width and curly punctuation is how Chinese and typographers write.
_MEND = ftfy.TextFixerConfig(
    unescape_html=False, fix_character_width=False, fix_latin_ligatures=False, uncurl_quotes=False
)
_TAG_NAMES = (
    "a|abbr|address|article|b|big|blockquote|body|br|center|code|div|em|font|footer|h[1-6]|head|header|hr|html|i|img"
    "|input|label|li|link|meta|ol|p|pre|s|section|small|span|strike|strong|sub|sup|table|tbody|td|th|thead|title|tr"
    "|tt|u|ul"
)
_HIDDEN = re.compile(r"<(script|style)\b[^>]{0,500}>.{0,20000}?</\1\s*>|<!--.{0,2000}?-->", re.I | re.S)
_LINE_TAG = re.compile(r"<(?:br|hr)\b[^<>]{0,500}>|</(?:p|div|li|tr|h[1-6]|blockquote|table|ul|ol)\s*>", re.I)
_TAG = re.compile(rf"</?(?:{_TAG_NAMES})(?:\s[^<>]{{0,2000}})?/?>", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.I)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\u200b\ufff9-\ufffb\ud800-\udfff]")
_NEEDS_WORK = re.compile(r"[^ -~]|  |&\w|&#|<[a-zA-Z/!]|^ | $")

_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?"
_ZONE = r"\s?(?:Z|[+-]\d{2}:?\d{2})"
_CLOCK = re.compile(
    r"(?:^|[\sT,]+)(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:\.\d+)?)?(?:\s*([AaPp])\.?[Mm]\.?)?"
    r"\s*(Z|UTC|GMT|(?:GMT|UTC)?[+-]\d{2}:?\d{2})?(?=\s|$)"
)
_YEAR_FIRST = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?日?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})\.?(?:\s?г\.?)?")
_MONTHS = {
    name: number
    for number, month in enumerate(calendar.month_name)
    for name in (month.lower(), month[:3].lower(), month[:4].lower() if month == "September" else "")
    if name
}
_DATE_WORDS = re.compile(
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|st|nd|rd|th|of|at", re.I
)
_UNITS = {
    "seconds": r"seconds?|secs?|秒鐘?|秒钟|ثانیه|ثانية|ثوان[يٍ]?|секунд\w*",
    "minutes": r"minutes?|mins?|分鐘?|分钟|دقیقه|دقيقة|دقائق|минут\w*",
    "hours": r"hours?|hrs?|個?小時|个?小时|ساعت|ساعة|ساعات|час\w*",
    "days": r"days?|天|日|روز|يوم\w*|[أا]يام|ден|дни|дена",
    "weeks": r"weeks?|個?星期|个?星期|週|周|هفته|[أا]سبوع\w*|[أا]سابيع|седмиц\w*",
    "months": r"months?|個月|个月|ماه|شهر\w*|[أا]شهر|شهور|месец\w*",
    "years": r"years?|年|سال|سنة|سنوات|سنين|عام\w*|[أا]عوام|годин\w*",
}
_AGO = re.compile(
    r"(?:\w+\s*[:：]\s*)?(?P<before>منذ|قبل|преди)?\s*(?P<count>\d+|an?|one|یک|един|една)?\s*"
    rf"(?:{'|'.join(f'(?P<{unit}>{words})' for unit, words in _UNITS.items())})\s*(?P<after>ago|前|پیش|قبل)?",
    re.I,
)


def blank_to_missing(values: pd.Series) -> pd.Series:
    """Return the values stripped, with NA, N/A, null, - and blanks as missing.

    >>> blank_to_missing(pd.Series([" yes ", "N/A", "-"])).isna().tolist()
    [False, True, True]
    """
    values = values.astype("str").str.strip()
    return values.mask(values.str.lower().isin(EMPTY_WORDS))


def parse_numbers(values: pd.Series) -> pd.Series:
    """Return the values as numbers: Persian and Arabic digits and a decimal comma are read; the rest is missing.

    >>> parse_numbers(pd.Series(["۷", "4,5", "eight"])).tolist()
    [7.0, 4.5, nan]
    """
    texts = values.astype("str").str.translate(_DIGITS).str.strip()
    texts = texts.str.replace(r"^([+-]?\d+),(\d+)$", r"\1.\2", regex=True)
    return pd.to_numeric(
        texts.where(texts.str.fullmatch(r"[+-]?\d+(?:\.\d*)?", na=False)), errors="coerce"
    ).astype("float64")


def repair_text(text: str) -> str:
    """Return the text that a person wrote: encoding accidents mended, HTML as text, white space in order.

    Keeps ZWNJ, right-to-left marks, new lines and what only looks like a tag ("<3", "a < b"). Mending is
    ftfy's (Speer 2019), without its changes to punctuation and full-width letters.

    >>> repair_text("It&#39;s  <b>late</b><br>sheâ€™s sad <3")
    "It's late\\nshe’s sad <3"
    """
    if not _NEEDS_WORK.search(text):
        return text
    if "<" in text:
        text = _TAG.sub("", _LINE_TAG.sub("\n", _HIDDEN.sub(" ", text)))
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if not text.isascii():
        text = ftfy.fix_text(text, _MEND)
    text = _CONTROL.sub("", re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text))
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r" ?\n ?", "\n", text)).strip()


def repair_texts(texts: pd.Series) -> pd.Series:
    """Return the texts repaired, and missing where nothing is left; each different text is repaired once.

    >>> repair_texts(pd.Series(["<p>fine</p>", "n/a"])).fillna("").tolist()
    ['fine', '']
    """
    texts = blank_to_missing(texts)
    repaired = {text: repair_text(text) for text in texts.dropna().unique()}
    return blank_to_missing(texts.map(repaired))


def is_relative_date(values: pd.Series) -> pd.Series:
    """Return which values tell a date by its distance from the day of the export ("3 個月前", "2 days ago").

    >>> is_relative_date(pd.Series(["3 個月前", "2025-01-02"])).tolist()
    [True, False]
    """
    known = {value: _read_ago(value) is not None for value in values.dropna().unique()}
    return values.map(known).fillna(False).astype(bool)


def parse_dates(
    dates: pd.Series,
    *,
    date_format: str | None = None,
    timezone: str = "UTC",
    exported_on: datetime.date | None = None,
) -> pd.Series:
    """Return the dates of one file in UTC (datetime64[us, UTC]); NaT where a date cannot be read.

    Reads `date_format` if it is given (strptime's codes), else ISO 8601, epoch seconds and milliseconds,
    numbers in either order, English month names, Chinese 年月日, and, with `exported_on`, relative dates.
    Day or month first is decided for the whole column: by a number above 12, else by which order spans
    fewer days. A time without zone is in `timezone`. Years outside 1970-2100 are not read.

    >>> parse_dates(pd.Series(["02/03/2025", "14/03/2025"])).dt.strftime("%d %B").tolist()
    ['02 March', '14 March']
    """
    texts = dates.astype("str").str.translate(_DIGITS).str.strip()
    unique = pd.Series(texts.dropna().unique(), dtype="str")
    if date_format:
        parsed = pd.to_datetime(unique, format=date_format, errors="coerce", utc="%z" in date_format)
        parsed = parsed if "%z" in date_format else _localise(parsed, timezone)
        parsed = parsed.astype("datetime64[us, UTC]")
    else:
        plain, zoned = (unique.str.fullmatch(_ISO + end) for end in ("", _ZONE))
        rest = ~plain & ~zoned
        parsed = pd.Series(pd.NaT, index=unique.index, dtype="datetime64[us, UTC]")
        moments = pd.to_datetime(unique[zoned], format="ISO8601", errors="coerce", utc=True)
        parsed[zoned] = moments.astype("datetime64[us, UTC]")
        parsed[plain] = _localise(pd.to_datetime(unique[plain], format="ISO8601", errors="coerce"), timezone)
        if rest.any():
            day_first = _decide_day_first(unique[rest])
            moments = {at: _read_date(text, day_first, exported_on) for at, text in unique[rest].items()}
            naive = {at: moment for at, moment in moments.items() if moment and moment.tzinfo is None}
            aware = {at: moment for at, moment in moments.items() if moment and moment.tzinfo}
            parsed[list(naive)] = _localise(pd.Series(naive, dtype="datetime64[us]"), timezone)
            parsed[list(aware)] = pd.Series(aware, dtype="datetime64[us, UTC]")
    parsed = parsed.where(parsed.dt.year.between(1970, 2100))
    found = texts.map(dict(zip(unique, parsed, strict=True)))
    return pd.to_datetime(found, utc=True).astype("datetime64[us, UTC]").rename(dates.name)


def mark_duplicates(feedback: pd.DataFrame, *, shortest: int = 40) -> pd.Series:
    """Return for each verbatim the feedback_id that it repeats word for word, or missing.

    Needs feedback_id, response_id, language, verbatim, received_at. Two verbatims repeat each other if they
    are of different responses and one language, `shortest` characters long or more, and the same but for
    case, white space and Unicode form. The original is the earliest, then the one with the smallest id.

    >>> text = "Be careful, the kettle of this shop caught fire!"
    >>> marked = mark_duplicates(pd.DataFrame({"feedback_id": ["b", "a"], "response_id": ["2", "1"],
    ...     "language": "en", "verbatim": [text.upper(), text],
    ...     "received_at": pd.to_datetime(["2025-01-01", "2025-01-02"], utc=True)}))
    >>> marked.fillna("").tolist()
    ['', 'b']
    """
    text = feedback["verbatim"].str.normalize("NFKC").str.lower().str.split().str.join(" ")
    long = feedback.assign(text=text)[text.str.len() >= shortest]
    long = long.sort_values(["received_at", "feedback_id"], na_position="last")
    first = long.groupby(["language", "text"])[["feedback_id", "response_id"]].transform("first")
    other = first["response_id"] != long["response_id"]
    return first["feedback_id"].where(other).reindex(feedback.index).astype("str").rename("duplicate_of")


def _localise(dates: pd.Series, timezone: str) -> pd.Series:
    """Take naive dates as local time; the hour that a clock change repeats is its first."""
    first = np.ones(len(dates), dtype=bool)
    local = dates.astype("datetime64[us]").dt.tz_localize(
        timezone, ambiguous=first, nonexistent="shift_forward"
    )
    return local.dt.tz_convert("UTC")


def _decide_day_first(texts: pd.Series) -> bool:
    found = texts.str.extract(rf"^{_YEAR_LAST.pattern}(?!\d)").dropna(subset=[0])
    if found.empty:
        return True
    first, second = found[0].astype(int), found[2].astype(int)
    above = int((first > 12).sum()), int((second > 12).sum())
    if above != (0, 0):
        return above[0] >= above[1]
    year = found[3].astype(int)
    spans = [np.ptp(year * 372 + month * 31 + day) for day, month in ((first, second), (second, first))]
    return bool(spans[0] <= spans[1])


def _read_date(text: str, day_first: bool, exported_on: datetime.date | None) -> datetime.datetime | None:
    """Read one date in any form but plain ISO; None if it is in none."""
    try:
        if re.fullmatch(r"\d{10}(?:\.\d+)?|\d{13}", text):
            seconds = float(text) / (1000 if len(text) == 13 else 1)
            return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        if re.fullmatch(r"(?:19|20)\d{6}", text):
            return datetime.datetime.strptime(text, "%Y%m%d")
        clock = _CLOCK.search(text)
        day = " ".join((text[: clock.start()] + " " + text[clock.end() :]).split()) if clock else text
        if found := _YEAR_FIRST.fullmatch(day):
            year, month, number = map(int, found.groups())
        elif found := _YEAR_LAST.fullmatch(day):
            first, second, year = int(found[1]), int(found[3]), _full_year(found[4])
            is_day_first = first > 12 or (day_first and second <= 12)
            number, month = (first, second) if is_day_first else (second, first)
        elif any(letter.isascii() and letter.isalpha() for letter in day) and (named := _read_named(day)):
            year, month, number = named
        else:
            return _go_back(text, exported_on)
        return _add_clock(datetime.datetime(year, month, number), clock)
    except (ValueError, OverflowError):
        return None


def _full_year(year: str) -> int:
    return int(year) if len(year) > 2 else int(year) + (2000 if int(year) < 70 else 1900)


def _read_named(day: str) -> tuple[int, int, int] | None:
    """Read a day with an English month name, in either order, with or without a weekday."""
    words = re.findall(r"[A-Za-z]+", day)
    months = [_MONTHS[word.lower()] for word in words if word.lower() in _MONTHS]
    others = [word for word in words if word.lower() not in _MONTHS and not _DATE_WORDS.fullmatch(word)]
    numbers = re.findall(r"\d+", day)
    if len(months) != 1 or others or len(numbers) != 2:
        return None
    number, year = reversed(numbers) if len(numbers[0]) == 4 else numbers
    return _full_year(year), months[0], int(number)


def _add_clock(day: datetime.datetime, clock: re.Match | None) -> datetime.datetime:
    if clock is None:
        return day
    hour, minute, second, half, zone = clock.groups()
    hour = int(hour) % 12 + 12 * (half in "pP") if half else int(hour)
    moment = day.replace(hour=hour, minute=int(minute), second=int(second or 0))
    if zone is None:
        return moment
    offset = zone.removeprefix("GMT").removeprefix("UTC").removeprefix("Z").replace(":", "")
    shift = (
        datetime.timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
        if offset
        else datetime.timedelta()
    )
    return moment.replace(tzinfo=datetime.timezone(-shift if offset.startswith("-") else shift))


def _read_ago(text: str) -> tuple[str, int] | None:
    found = _AGO.fullmatch(text.strip().translate(_DIGITS))
    if not found or not (found["before"] or found["after"]):
        return None
    unit = next(unit for unit in _UNITS if found[unit])
    return unit, int(found["count"]) if (found["count"] or "").isdecimal() else 1


def _go_back(text: str, exported_on: datetime.date | None) -> datetime.datetime | None:
    ago = _read_ago(text)
    if ago is None or exported_on is None:
        return None
    unit, count = ago
    day = pd.Timestamp(exported_on)
    if unit in ("days", "weeks", "months", "years"):
        day -= pd.DateOffset(**{unit: count})
    return day.to_pydatetime()
