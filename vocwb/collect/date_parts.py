"""Takes a column of dates apart into numbers, and puts moments together from them: no loop over rows."""

import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vocwb.collect.date_forms import FIELDS, Form, fold_text, read_shape

ORDERS = {
    "day first": ("day", "month", "year"),
    "month first": ("month", "day", "year"),
    "year first": ("year", "month", "day"),
}
"""What the three numbers of a date are in turn."""
SERIALS = (32_874, 73_415)
"""1990-01-01 and 2100-12-31 as days of a spreadsheet (1900 system)."""
_SERIAL_ZERO = (
    -25_569
)  # 1899-12-30, from which days are counted after the 1900 system's false 29 February 1900
_LONGEST = 99  # characters; what is longer is no date
_SECOND = 1_000_000  # microseconds
_DAY = 86_400 * _SECOND
_ENDS = np.array(["1970-01-01", "2101-01-01"], "datetime64[us]").astype("int64")


class Parts(NamedTuple):
    """Dates taken apart. `shape` and `numbers` have a row for each different text, `forms` one for each shape."""

    codes: np.ndarray  # of each value, its text; -1 where it is missing
    shape: np.ndarray  # of each text, its form
    forms: dict[str, np.ndarray]
    numbers: dict[str, np.ndarray]
    persian: int  # texts with Persian digits

    def has(self, column: str, *wanted: str | int) -> np.ndarray:
        """Return which texts have one of the `wanted` values in a column of `forms`."""
        values = self.forms[column]
        return np.logical_or.reduce([values == value for value in wanted] or [values != values])[self.shape]

    def of(self, column: str) -> np.ndarray:
        """Return a column of `forms` for each text."""
        return self.forms[column][self.shape]


def take_apart(values: pd.Series) -> Parts:
    """Return the values as forms and numbers.

    >>> take_apart(pd.Series(["5/2025", "05/02/2025"])).numbers["year"].tolist()
    [0, 2025]
    """
    codes, unique = pd.factorize(values.astype("str"))
    texts = pa.array(unique, pa.large_string(), from_pandas=True)
    texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    texts, persian = _fold(pc.if_else(pc.less_equal(pc.utf8_length(texts), _LONGEST), texts, "?"))
    # A text with each digit as 0 is its shape. A column has few shapes, so plain Python can read each once.
    _, at, content = texts.buffers()
    data = np.frombuffer(content or b"", "uint8")
    zeros = pa.py_buffer(np.where((data > 48) & (data < 58), np.uint8(48), data))
    shapes = pa.LargeStringArray.from_buffers(len(texts), at, zeros).dictionary_encode()
    shape = shapes.indices.to_numpy()
    read = [read_shape(text) or Form("" if text else "blank") for text in shapes.dictionary.to_pylist()]
    read.append(Form("blank"))  # so that a column without texts has a form too
    forms = {
        field: np.array([getattr(form, field) for form in read]) for field in Form._fields if field != "spans"
    }
    start = np.frombuffer(at, "int64")[: len(texts)]
    numbers = {}
    for field in FIELDS:
        spans = np.array([form.spans.get(field, (0, 0)) for form in read], "int64").reshape(-1, 2)
        forms[f"{field}_digits"] = spans[:, 1]
        numbers[field] = _read_digits(data, start + spans[shape, 0], spans[shape, 1])
    return Parts(codes, shape, forms, numbers, persian)


def _fold(texts: pa.Array) -> tuple[pa.Array, int]:
    """Return the texts in one spelling, and how many have Persian digits; only what is not ASCII is slow."""
    foreign = pc.invert(pc.string_is_ascii(texts))
    folded = texts.filter(foreign)
    persian = pc.sum(pc.match_substring_regex(folded, "[۰-۹]")).as_py() or 0
    folded = pa.array([fold_text(text) for text in folded.to_pylist()], pa.large_string())
    texts = pc.utf8_trim_whitespace(pc.replace_with_mask(pc.ascii_lower(texts), foreign, folded))
    return pc.replace_substring_regex(texts, r"\s\s+", " "), persian


def _read_digits(data: np.ndarray, start: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Return the numbers that stand in `data` from `start` on, of 15 digits at most."""
    value = np.zeros(len(start), "int64")
    for place in range(min(width.max(initial=0), 15)):
        inside = place < width
        digit = data[np.where(inside, start + place, 0)].astype("int64") - 48
        value = np.where(inside, value * 10 + digit, value)
    return value


def is_jalali(parts: Parts, calendar: str) -> np.ndarray:
    """Return which dates are Jalali: by the name of the month, the year, or `calendar` for a two-digit year.

    >>> is_jalali(take_apart(pd.Series(["1403/10/12", "2024/10/12"])), "gregorian").tolist()
    [True, False]
    """
    year, told = parts.numbers["year"], parts.has("calendar", "")
    short = parts.has("kind", "ordered") & parts.has("year_digits", 2) & (calendar == "jalali")
    # 1411 to 1500 in numbers are years of the lunar Hijri calendar (from 1990 on), the more likely by far.
    return parts.has("calendar", "jalali") | (told & ((year >= 1200) & (year <= 1410) | short))


def is_lunar(parts: Parts) -> np.ndarray:
    """Return which dates are of the lunar Hijri calendar: by the name of the month, or years 1411-1500.

    >>> is_lunar(take_apart(pd.Series(["1446/09/01", "1403/10/12"]))).tolist()
    [True, False]
    """
    year = parts.numbers["year"]
    by_year = (
        parts.has("calendar", "") & parts.has("kind", "plain", "ordered") & (year > 1410) & (year <= 1500)
    )
    return parts.has("kind", "lunar") | by_year


def count_days(parts: Parts, calendar: str, order: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the days since 1970-01-01 and which of them are days of their calendar.

    With `order`, dates whose numbers do not tell day from month are read so; the others are not read.

    >>> days, valid = count_days(take_apart(pd.Series(["2 January 1970", "30 February 1970"])), "gregorian")
    >>> days[valid].tolist(), valid.tolist()
    ([1], [True, False])
    """
    year, month, day = (parts.numbers[field] for field in ("year", "month", "day"))
    asked = fits_order(parts, order) if order else parts.has("kind", "plain")
    month = np.where(parts.has("month_number", 0), month, parts.of("month_number"))
    short = parts.has("year_digits", 2)
    if order:
        written = dict(zip(ORDERS[order], (day, month, year), strict=True))
        year, month, day = written["year"], written["month"], written["day"]
    jalali = is_jalali(parts, calendar)
    century = np.where(jalali, np.where(year < 48, 1400, 1300), np.where(year < 70, 2000, 1900))
    roc = parts.has("calendar", "roc")  # the Republic of China counts from 1912
    year = year + np.where(roc, 1911, np.where(short, century, 0))
    civil, is_civil = _count_civil_days(year, month, day)
    solar, is_solar = _count_jalali_days(year, month, day)
    return np.where(jalali, solar, civil), asked & np.where(jalali, is_solar, is_civil)


def _count_civil_days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    valid = (year >= 1969) & (year <= 2101) & (month >= 1) & (month <= 12)
    first = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = first.astype("datetime64[D]").astype("int64")
    length = (first + 1).astype("datetime64[D]").astype("int64") - days
    return days + day - 1, valid & (day >= 1) & (day <= length)


def _count_jalali_days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count by the 33-year cycle, right for the years 1178-1633 (Heydari-Malayeri 2004; as in ICU)."""
    before = np.where(month <= 7, 31 * (month - 1), 30 * (month - 1) + 6)
    days = 365 * (year - 1) + (8 * year + 21) // 33 + before + day - 492_269  # days of 1970-01-01, less 1
    is_leap = (25 * year + 11) % 33 < 8
    length = np.select([month <= 6, month <= 11], [31, 30], 29 + is_leap)
    return days, (year >= 1200) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= length)


def fits_order(parts: Parts, order: str) -> np.ndarray:
    """Return which dates have numbers that day and month can have in an order, be there such a day or not.

    >>> fits_order(take_apart(pd.Series(["31/02/2025", "02/14/2025"])), "day first").tolist()
    [True, False]
    """
    written = dict(
        zip(ORDERS[order], (parts.numbers[field] for field in ("day", "month", "year")), strict=True)
    )
    fits = (written["day"] >= 1) & (written["day"] <= 31) & (written["month"] >= 1) & (written["month"] <= 12)
    if order == "year first":
        fits &= parts.has("year_digits", 2) & parts.has("day_digits", 2)
    return fits & parts.has("kind", "ordered")


def read_ordered(
    parts: Parts, calendar: str, order: str, by_style: dict[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return days, and which are days, of dates whose numbers do not tell, by order and style.

    A date that is none in its order is read in another: 14/02/2025 is 14 February everywhere.

    >>> parts = take_apart(pd.Series(["05/01/1970", "01/14/1970"]))
    >>> read_ordered(parts, "gregorian", "day first", {})[0].tolist()
    [4, 13]
    """
    read = {name: count_days(parts, calendar, name) for name in ORDERS}
    styles = {style: by_style.get(style, order) for style in np.unique(parts.forms["style"]).tolist()}
    asked = {
        name: parts.has("style", *(style for style in styles if styles[style] == name)) for name in ORDERS
    }
    # 30/02/15 is a slip, and not February 2030: a year stands first only where it can be no day.
    read["year first"][1][...] &= asked["year first"] | (parts.numbers["day"] > 31)
    days, valid = np.zeros(len(parts.shape), "int64"), np.zeros(len(parts.shape), bool)
    for preferred in (True, False):
        for name, (found, fits) in read.items():
            at = fits & ~valid & (asked[name] if preferred else True)
            days, valid = np.where(at, found, days), valid | at
    return days, valid


def find_own(parts: Parts, calendar: str, serials: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return days, and which are days, of dates in the forms that spreadsheets write: year first, and serials.

    >>> find_own(take_apart(pd.Series(["2025-01-01", "45658"])), "gregorian", serials=True)[0].tolist()
    [20089, 20089]
    """
    days, valid = count_days(parts, calendar)
    # Spreadsheets know no zones, so what has one is not their writing.
    valid = valid & parts.has("style", "iso") & parts.has("zone", "") & ~is_jalali(parts, calendar)
    if serials:
        is_serial = is_likely_serial(parts)
        days, valid = np.where(is_serial, parts.numbers["count"] + _SERIAL_ZERO, days), valid | is_serial
    return days, valid


def is_likely_serial(parts: Parts) -> np.ndarray:
    """Return which are plain numbers that, as spreadsheet dates, are of 1990-2100.

    >>> is_likely_serial(take_apart(pd.Series(["45658", "7"]))).tolist()
    [True, False]
    """
    count = parts.numbers["count"]
    return parts.has("kind", "serial") & (count >= SERIALS[0]) & (count <= SERIALS[1])


def put_together(
    parts: Parts,
    *,
    order: str,
    by_style: dict[str, str],
    calendar: str,
    serials: bool,
    turned: bool,
    timezone: str,
    exported_on: datetime.date | None,
) -> np.ndarray:
    """Return the moment of each text in UTC (datetime64[us], without zone), NaT where it is no date.

    >>> put_together(take_apart(pd.Series(["31/01/2025 12:30"])), order="day first", by_style={},
    ...     calendar="gregorian", serials=False, turned=False, timezone="Asia/Tehran", exported_on=None
    ... ).astype("datetime64[s]").tolist()
    [datetime.datetime(2025, 1, 31, 9, 0)]
    """
    days, valid = count_days(parts, calendar)
    if parts.has("kind", "ordered").any():
        found, fits = read_ordered(parts, calendar, order, by_style)
        days, valid = np.where(fits, found, days), valid | fits
    if serials or turned:
        own, is_own = find_own(parts, calendar, serials)
        days, valid = np.where(is_own, turn_days(own) if turned else own, days), valid | is_own
    if exported_on is not None:
        back = parts.has("kind", "back")
        days, valid = np.where(back, _go_back(parts, exported_on), days), valid | back
    clock, fits = _read_clock(parts)
    moments, valid = days * _DAY + clock, valid & fits
    epoch = parts.has("kind", "epoch")
    if epoch.any():
        count, digits = parts.numbers["count"], parts.of("count_digits")
        scale = np.where(digits == 13, 1000, _SECOND)
        moments = np.where(epoch, count * scale + np.where(digits == 13, 0, clock), moments)
        valid = valid | (epoch & (count >= 10.0 ** (digits - 1)))  # with a leading 0 it is a phone or a key
    moments = _shift_to_utc(parts, np.where(valid, moments, 0), timezone, valid & ~epoch)
    valid = valid & (moments >= _ENDS[0]) & (moments < _ENDS[1])
    return np.where(valid, moments, np.iinfo("int64").min).astype("datetime64[us]")


def turn_days(days: np.ndarray) -> np.ndarray:
    """Return days with day and month swapped, where the day can be a month.

    >>> first_of_february, last_of_january = 31, 30
    >>> turn_days(np.array([first_of_february, last_of_january])).tolist()
    [1, 30]
    """
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    years = months.astype("datetime64[Y]")
    day, month = (dates - months).astype("int64"), (months - years).astype("int64")  # both from 0
    turned = ((years.astype("datetime64[M]") + day).astype("datetime64[D]") + month).astype("int64")
    return np.where(day < 12, turned, days)


def _go_back(parts: Parts, exported_on: datetime.date) -> np.ndarray:
    exported = np.datetime64(pd.Timestamp(exported_on).date(), "D")
    written = parts.has("count_digits", 0)
    count = np.where(written, parts.of("back"), parts.numbers["count"])
    length = 1 * parts.has("unit", "days") + 7 * parts.has("unit", "weeks")
    days = exported.astype("int64") - count * length
    months = count * (parts.has("unit", "months") + 12 * parts.has("unit", "years"))
    first = (exported.astype("datetime64[M]") - months).astype("datetime64[M]")
    day = (exported - exported.astype("datetime64[M]")).astype("int64")
    starts, ends = ((first + after).astype("datetime64[D]").astype("int64") for after in (0, 1))
    return np.where(months > 0, np.minimum(starts + day, ends - 1), days)


def _read_clock(parts: Parts) -> tuple[np.ndarray, np.ndarray]:
    """Return the microseconds since midnight, and which are a time of a clock; a spreadsheet's to the millisecond."""
    hour, minute, second, fraction = (
        parts.numbers[field] for field in ("hour", "minute", "second", "fraction")
    )
    digits = parts.of("fraction_digits")
    morning, evening = parts.has("half", "am"), parts.has("half", "pm")
    valid = (hour < 24) & (minute < 60) & (second < 60) & ~(morning & (hour > 12))
    hour = np.where(morning & (hour == 12), 0, hour) + 12 * (evening & (hour < 12))
    share = fraction / 10.0 ** np.minimum(digits, 15)
    of_day, of_second = np.round(share * 86_400_000) * 1000, np.floor(share * _SECOND + 1e-4)
    part = np.where(parts.has("kind", "serial"), of_day, of_second)
    return ((hour * 60 + minute) * 60 + second) * _SECOND + part.astype("int64"), valid


def _shift_to_utc(parts: Parts, moments: np.ndarray, timezone: str, asked: np.ndarray) -> np.ndarray:
    sign = 1 * parts.has("zone", "+") - 1 * parts.has("zone", "-")
    if sign.any():
        hours, minutes = parts.numbers["zone_hour"], parts.numbers["zone_minute"]
        known = (hours <= 15) & (minutes < 60)
        moments = np.where(known, moments - sign * (hours * 60 + minutes) * 60 * _SECOND, -1)
    shifted = moments
    for zone in np.unique(parts.forms["zone"]).tolist():
        at = parts.has("zone", zone) & asked
        if zone.lstrip("-").isdecimal():
            shifted = np.where(at, moments - int(zone) * 60 * _SECOND, shifted)
        elif (zone or timezone) not in ("+", "-", "UTC"):
            shifted[at] = _localise(moments[at], zone or timezone)
    return shifted


def _localise(moments: np.ndarray, timezone: str) -> np.ndarray:
    """Take moments as local time; the hour that a clock change repeats is its first."""
    local = pd.DatetimeIndex(moments.astype("datetime64[us]")).tz_localize(
        timezone, ambiguous=np.ones(len(moments), dtype=bool), nonexistent="shift_forward"
    )
    return local.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]").astype("int64")
