"""Recognises the form of a written date from its shape: the text with every digit as 0, shared by a whole column."""

import re
import unicodedata
import zoneinfo
from functools import cache
from typing import NamedTuple

from babel import Locale

_FOLD = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬يىكةە−‐‑–\u00a0", "01234567890123456789.,ییکهه---- ") | dict.fromkeys(
    (0x640, 0x670, 0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF,
     *range(0x300, 0x370), *range(0x64B, 0x660))
)  # fmt: skip


def fold_text(text: str) -> str:
    """Return a date's text in one spelling: lower case, ASCII digits, no accents, marks or invisible characters.

    >>> fold_text("۱۴ Février ２０２４\u200f")
    '14 fevrier 2024'
    """
    return unicodedata.normalize("NFKD", text).casefold().translate(_FOLD)


FIELDS = (
    "year", "month", "day", "hour", "minute", "second", "fraction", "zone_hour", "zone_minute", "count"
)  # fmt: skip


class Form(NamedTuple):
    """How dates of one shape are read: where the digits of each field stand, and what the words in it say."""

    kind: str
    """plain, ordered (day or month first), epoch, serial, back (relative), lunar or rounded (not read), blank"""
    spans: dict[str, tuple[int, int]] = {}
    """field -> its first byte and its number of digits"""
    month_number: int = 0
    calendar: str = ""
    """gregorian, jalali or roc; empty where the year tells"""
    half: str = ""
    zone: str = ""
    """+ or - (an offset in digits), minutes from UTC, an IANA name, or empty for local time"""
    style: str = ""
    """what dates share whose order is decided together"""
    unit: str = ""
    back: int = 0


_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "cest": 120, "eet": 120, "eest": 180,
    "msk": 180, "irst": 210, "irdt": 270, "hkt": 480, "sgt": 480, "jst": 540, "kst": 540,
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
}  # fmt: skip
"""Minutes from UTC; the American ones as RFC 5322 fixes them."""

_JALALI = (
    "فروردین farvardin", "اردیبهشت ordibehesht", "خرداد khordad", "تیر tir", "مرداد امرداد mordad", "شهریور shahrivar",
    "مهر mehr", "آبان aban", "آذر azar", "دی dey", "بهمن bahman", "اسفند esfand",
)  # fmt: skip
_LUNAR = frozenset(
    fold_text(
        "محرم صفر ربیع رجب شعبان رمضان شوال القعده قعده الحجه حجه جمادی هجری قمری ه ق muharram safar ramadan shawwal"
        " rajab shaaban ah"
    ).split()
)
_SOLAR = frozenset(("ش", "شمسی", "خورشیدی"))
_FILLERS = frozenset(
    fold_text(
        "on at of the st nd rd th and last edited updated posted reviewed published created date"
        " de del le el du um uhr am den a las o в във на г год година ч часа от публикувано"
        " ساعت در روز ماه مورخ تاریخ و في الساعة يوم بتاريخ م ميلادي"
    ).split()
)

_AM = fold_text(
    r"a\.?\s?m\b\.?|ص\b|صباحًا|صبح\b|ق\.?\s?ظ\b\.?|قبل ?از ?ظهر|пр\.?\s?об\b\.?|上午|早上|凌晨|清晨"
)
_PM = fold_text(
    r"p\.?\s?m\b\.?|م\b|مساءً|عصر\b|ب\.?\s?ظ\b\.?|بعد ?از ?ظهر|сл\.?\s?об\b\.?|下午|晚上|中午|傍晚"
)
_OFFSET = r"(?:(?:gmt|utc)\s?(?P<sign0>[+-])(?P<hour0>00?)(?::?(?P<minute0>00))?|(?P<sign>[+-])(?P<zone_hour>00)(?::?(?P<zone_minute>00))?)"  # noqa: E501
_PLACE = r"[a-z_]{2,20}/[a-z_]{2,30}(?:/[a-z_]{2,30})?"
_CLOCK = re.compile(
    rf"(?:^|[\s,،]|(?<=0)t|(?<=[日号號]))(?:(?P<am_before>{_AM})\s*|(?P<pm_before>{_PM})\s*)?"
    r"(?:(?P<hour>00?):(?P<minute>00)(?::(?P<second>00)(?:[.,](?P<fraction>0{1,9}))?)?"
    r"|(?<=0\s)(?P<hour_dot>00?)\.(?P<minute_dot>00)(?:\.(?P<second_dot>00))?"
    r"|(?P<hour_zh>00?)[时時点點](?:(?P<minute_zh>00?)分)?(?:(?P<second_zh>00?)秒)?)"
    rf"(?:\s*(?:(?P<am>{_AM})|(?P<pm>{_PM})|(?:ч|uhr|h)\b\.?))?"
    rf"(?:\s*(?:{_OFFSET}|(?P<place>{_PLACE})|(?P<name>{'|'.join(sorted(_ZONES, key=len, reverse=True))})\b))?"
    r"(?=[\s,،]|$)"
)
_COMMENT = re.compile(r"(?<=[+-]0000)\s*\([^()]*\)$|(?<=[+-]00:00)\s*\([^()]*\)$")
_LABEL = re.compile(r"[^0:]{1,40}:\s*(?=\S)")
_WORD = re.compile(r"[^\W\d_]+(?:_[^\W\d_]+)*")
_EDGE = r"[\s.,،|@-]*"
_TRIPLE = re.compile(rf"[\s.,،]*(0{{1,4}})(\s?[-/.]\s?)(00?)\2(0{{1,4}}){_EDGE}")
_CHINESE = re.compile(
    rf"[\s.,]*((?:中華|中华)?民[國国])?\s?(0{{2,4}})\s?年\s?(00?)\s?月\s?(00?)\s?[日号號]?"
    rf"(?:\s*\(?(?:星期|周|週|礼拜|禮拜)[一二三四五六日天]\)?)?{_EDGE}"
)
_COMPACT = re.compile(r"(0000)(00)(00)(?:t(00)(00)(00)?(z?)|(00)(00)(00))?")
_EPOCH = re.compile(r"(0{13}|0{10})(?:\.(0{0,9}))?")
_SERIAL = re.compile(r"(0{5})(?:[.,](0{1,15}))?")
_ROUNDED = re.compile(r"0[.,]0+e\+?0{1,2}")

_ONE, _TWO = fold_text("an|a|one|یک|един|една|едно|一|واحد|واحدة"), fold_text("two|دو|два|две|二|兩|两|اثنین")
_UNITS = {
    unit: fold_text(words)
    for unit, words in {
        "seconds": r"seconds?|secs?|秒鐘?|秒钟?|ثانیه|ثانية|ثوان[ي]?|секунд\w*",
        "minutes": r"minutes?|mins?|分鐘?|分钟|دقیقه|دقيقة|دقيقت[اي]ن|دقائق|минут\w*",
        "hours": r"hours?|hrs?|個?小時|个?小时|ساعت|ساعة|ساعت[اي]ن|ساعات|час\w*",
        "days": r"days?|天|日|روز|يوم[اً]?|يوم[اي]ن|[أا]يام|ден|дни|дена",
        "weeks": r"weeks?|個?星期|个?星期|個?禮拜|个?礼拜|週|周|هفته|[أا]سبوع[اً]?|[أا]سبوع[اي]ن|[أا]سابيع|седмиц\w*",
        "months": r"months?|個月|个月|ماه|شهر[اً]?|شهر[اي]ن|[أا]شهر|شهور|месец\w*",
        "years": r"years?|年|سال|سنة|سنت[اي]ن|سنوات|سنين|عام[اً]?|عام[اي]ن|[أا]عوام|годин\w*",
    }.items()
}
_AGO = re.compile(
    rf"(?:(?:edited|updated|posted|reviewed)\s+)?(?P<before>{fold_text('منذ|قبل|преди')})?\s*"
    rf"(?:(?:about|around|over|almost|{fold_text('حدود|تقریبا|حوالي|около|大約|大约')})\s*)?"
    rf"(?:(?P<count>0{{1,4}})|(?P<one>{_ONE})(?![a-zа-я])|(?P<two>{_TWO}))?\s*"
    rf"(?:{'|'.join(f'(?P<{unit}>{words})' for unit, words in _UNITS.items())})"
    rf"(?:\s+{fold_text('واحدة?')})?\s*(?P<after>ago|{fold_text('前|以前|之前|پیش|قبل')})?"
)
_AT = re.compile(fold_text(r"\s+(?:at|в|ساعت|الساعة)$"))
_DUAL = re.compile(fold_text("[اي]ن") + "$")
_NAMED_DAYS = {
    word: back
    for back, words in enumerate(
        (
            "today|just now|امروز|الان|همین الان|الیوم|الآن|днес|току-що|今天|今日|刚刚|剛剛",
            "yesterday|دیروز|أمس|البارحة|вчера|昨天|昨日",
            "the day before yesterday|پریروز|أول أمس|завчера|онзи ден|前天",
        )
    )
    for word in fold_text(words).split("|")
}


@cache
def _name_months() -> tuple[dict[str, tuple[str, int]], frozenset[str], dict[str, str]]:
    """Return month name -> (calendar, number), the weekdays, and names of several words -> one word (CLDR's)."""
    months: dict[str, tuple[str, int]] = {"sept": ("gregorian", 9)}
    days: set[str] = {"tues", "wednes", "thur", "thurs", "нд"}
    for code in ("en", "ar", "ar_SY", "ar_DZ", "ar_MA", "fa", "bg", "fr", "de", "es", "it", "pt", "nl"):
        locale = Locale.parse(code)
        for names in (locale.months, locale.days):
            for context in ("format", "stand-alone"):
                for width in ("wide", "abbreviated"):
                    for number, name in names[context][width].items():
                        word = fold_text(name).replace(".", "").strip()
                        if names is locale.days:
                            days.add(word)
                        else:
                            months.setdefault(word, ("gregorian", number))
    for number, names in enumerate(_JALALI, 1):
        months.update({fold_text(name): ("jalali", number) for name in names.split()})
    days |= {fold_text(f"{first} شنبه") for first in ("یک", "دو", "سه", "چهار", "پنج")}
    names = sorted(
        (name for name in {*months, *days} if " " in name or "-" in name), key=lambda name: (-len(name), name)
    )
    long = {name: re.sub("[ -]", "_", name) for name in names}
    months.update({joined: months[name] for name, joined in long.items() if name in months})
    return months, frozenset(days | {joined for name, joined in long.items() if name in days}), long


@cache
def _places() -> dict[str, str]:
    return {name.lower(): name for name in zoneinfo.available_timezones()}


def read_shape(shape: str) -> Form | None:
    """Return the form of a folded date whose digits are all 0, or None where it is no date.

    >>> read_shape("00-jul-00").month_number, read_shape("00/00/0000 00:00").kind, read_shape("may")
    (7, 'ordered', None)
    """
    if found := _EPOCH.fullmatch(shape):
        return Form("epoch", _spans(shape, found, count=1, fraction=2))
    if found := _SERIAL.fullmatch(shape):
        return Form("serial", _spans(shape, found, count=1, fraction=2))
    if _ROUNDED.fullmatch(shape):
        return Form("rounded")
    if found := _COMPACT.fullmatch(shape):
        times = dict(zip(("hour", "minute", "second"), (4, 5, 6) if found[4] else (8, 9, 10), strict=True))
        spans = _spans(shape, found, year=1, month=2, day=3, **times)
        return Form("plain", spans, calendar="gregorian", zone="0" if found[7] else "")
    shape = _COMMENT.sub("", shape)
    rest = _LABEL.sub(lambda label: " " * len(label[0]), shape, count=1) if _LABEL.match(shape) else shape
    if ago := _read_ago(shape, rest):
        return ago
    clock = _CLOCK.search(rest)
    if clock:
        rest = rest[: clock.start()] + " " * len(clock[0]) + rest[clock.end() :]
    day = _read_day(shape, rest)
    if day is None or clock is None:
        return day
    return _add_clock(shape, day, clock)


def _spans(shape: str, found: re.Match, **groups: int | str) -> dict[str, tuple[int, int]]:
    """Return field -> (first byte, number of digits) of the groups that were found."""
    return {
        field: (len(shape[: found.start(group)].encode()), len(found[group]))
        for field, group in groups.items()
        if found[group]
    }


def _read_ago(shape: str, rest: str) -> Form | None:
    found = _AGO.fullmatch(rest.strip())
    if found is None or not (found["before"] or found["after"]):
        return None
    unit = next(unit for unit in _UNITS if found[unit])
    if found["count"]:
        first = len(rest) - len(rest.lstrip()) + found.start("count")
        return Form("back", {"count": (len(shape[:first].encode()), len(found["count"]))}, unit=unit)
    return Form("back", unit=unit, back=2 if found["two"] or _DUAL.search(found[unit]) else 1)


def _read_day(shape: str, rest: str) -> Form | None:
    months, days, long = _name_months()
    back = _AT.sub("", rest.strip(" .,،"))
    if back in _NAMED_DAYS:
        return Form("back", unit="days", back=_NAMED_DAYS[back])
    if found := _CHINESE.fullmatch(rest):
        width, is_roc = len(found[2]), bool(found[1]) or len(found[2]) == 3
        if width == 2 and not is_roc:
            return None
        return Form(
            "plain", _spans(shape, found, year=2, month=3, day=4), calendar="roc" if is_roc else "gregorian"
        )
    for name, joined in long.items():
        rest = rest.replace(name, joined)
    words = set(_WORD.findall(rest))
    named = {word for word in words if word in months}
    if len({months[word] for word in named}) > 1:
        named -= days  # "mar" is Tuesday in Spanish
    others = words - named - days - _FILLERS
    if others - _LUNAR - _SOLAR:
        return None
    if others & _LUNAR and not named and not words & _SOLAR:
        return Form("lunar")
    at = min((rest.find(word) for word in named), default=0)
    rest = _WORD.sub(lambda word: " " * len(word[0]), rest)
    if named:
        return _read_named(shape, rest, {months[word] for word in named}, at)
    found = _TRIPLE.fullmatch(rest)
    if found is None:
        return None
    first, last = len(found[1]), len(found[4])
    calendar = "jalali" if words & _SOLAR else ""
    if first == 4 and last <= 2:
        return Form("plain", _spans(shape, found, year=1, month=3, day=4), calendar=calendar, style="iso")
    if first <= 2 and last in (2, 4):
        style = f"{found[2].strip()}{last}"
        return Form("ordered", _spans(shape, found, day=1, month=3, year=4), calendar=calendar, style=style)
    return None


def _read_named(shape: str, rest: str, months: set[tuple[str, int]], at: int) -> Form | None:
    numbers = list(re.finditer("0+", rest))
    if len(months) != 1 or len(numbers) != 2 or re.search(r"[^0\s.,،/'’-]", rest):
        return None
    calendar, month = months.pop()
    day, year = numbers if len(numbers[0][0]) <= 2 else numbers[::-1]
    if len(day[0]) > 2 or len(year[0]) not in (2, 4) or (len(year[0]) == 2 and at > year.start()):
        return None
    return Form(
        "plain",
        _spans(shape, day, day=0) | _spans(shape, year, year=0),
        month_number=month,
        calendar=calendar,
    )


def _add_clock(shape: str, day: Form, clock: re.Match) -> Form | None:
    kind = next(kind for kind in ("", "_dot", "_zh") if clock[f"hour{kind}"])
    fields = {field: f"{field}{kind}" for field in ("hour", "minute", "second")}
    if kind == "":
        fields["fraction"] = "fraction"
    fields |= {"zone_hour": "hour0", "zone_minute": "minute0"} if clock["sign0"] else {}
    fields |= {"zone_hour": "zone_hour", "zone_minute": "zone_minute"} if clock["sign"] else {}
    half = "am" if clock["am"] or clock["am_before"] else "pm" if clock["pm"] or clock["pm_before"] else ""
    zone = clock["sign"] or clock["sign0"] or ""
    if clock["name"]:
        zone = str(_ZONES[clock["name"]])
    elif clock["place"]:
        zone = _places().get(clock["place"], "")
        if not zone:
            return None
    return day._replace(spans=day.spans | _spans(shape, clock, **fields), half=half, zone=zone)
