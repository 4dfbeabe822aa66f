"""Decides how the dates of one export are read, says by what evidence, and reads them as moments in UTC."""

import datetime
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vocwb.collect.clean import _DIGITS
from vocwb.collect.date_parts import (
    ORDERS,
    Parts,
    count_days,
    find_own,
    fits_order,
    is_jalali,
    is_likely_serial,
    is_lunar,
    put_together,
    read_ordered,
    take_apart,
    turn_days,
)
from vocwb.errors import SourceError

_MOMENT = r"^(?:19[7-9]\d|20\d\d)-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})? ?(?:Z|[+-]\d\d:?\d\d)$"
_FEWEST_TURNED = 8  # different days of each kind; by chance they all have a day up to 12 once in 1,700 files
_NAMES = {"/": "slashes", "-": "dashes", ".": "dots"}


class DateReading(NamedTuple):
    """How the dates of one file are read, and by what evidence; made by `decide_dates`."""

    order: str = "day first"
    """day first, month first or year first, for numbers that do not tell it"""
    by_style: tuple[tuple[str, str], ...] = ()
    """separator and number of year digits ("/2") -> order, of dates that tell another one"""
    calendar: str = "gregorian"
    """gregorian or jalali, for a year of two digits"""
    serials: bool = False
    """numbers such as 42059.48 are a spreadsheet's dates"""
    turned: bool = False
    """a spreadsheet has swapped day and month of the dates that it took for its own: they are turned back"""
    date_format: str | None = None
    timezone: str = "UTC"
    exported_on: datetime.date | None = None
    evidence: str = ""
    """a sentence for people"""
    settled: bool = True
    """no other value of the file could change how these are read"""


def is_relative_date(values: pd.Series) -> pd.Series:
    """Return which values tell a date by its distance from the day of the export ("3 個月前", "2 days ago").

    >>> is_relative_date(pd.Series(["3 個月前", "2025-01-02"])).tolist()
    [True, False]
    """
    parts = take_apart(values)
    back = np.append(parts.has("kind", "back"), False)  # code -1 takes the last
    return pd.Series(back[parts.codes], values.index, name=values.name)


def decide_dates(
    values: pd.Series,
    *,
    date_format: str | None = None,
    timezone: str = "UTC",
    exported_on: datetime.date | None = None,
    serials: bool | None = None,
) -> DateReading:
    """Return how the dates of one file are to be read, with the evidence for people.

    Counts different texts, so neither order nor repetition of rows matters. Where numbers do not tell day
    from month, that order is taken in which most of them are dates, then the one that spans fewer days, then
    day first; dates of another separator or length of year keep an order of their own if they tell one.
    `serials`: numbers are spreadsheet dates; None decides it by the values, for a column that is known to
    be the date. If all year-first and serial dates have a day up to 12, and all other dates one above 12, a
    spreadsheet has swapped day and month of the first, and they are turned back. Options as in `parse_dates`.

    >>> decide_dates(pd.Series(["02/03/2025", "14/03/2025"])).evidence
    'day first: 1 of 2 dates have a day above 12'
    """
    start = DateReading(date_format=date_format, timezone=timezone, exported_on=exported_on)
    if date_format is not None:
        return start._replace(evidence=f"declared as {date_format}")
    if _are_moments(values):
        return start._replace(evidence="each date tells its own order")
    return _decide(take_apart(values), start, serials)


def parse_dates(
    values: pd.Series,
    reading: DateReading | None = None,
    *,
    date_format: str | None = None,
    timezone: str = "UTC",
    exported_on: datetime.date | None = None,
    serials: bool | None = False,
) -> pd.Series:
    """Return the dates of one file in UTC (datetime64[us, UTC]); NaT where a date cannot be read.

    Reads by `reading`, else by the options and what these values tell (`decide_dates`). `date_format`
    (strptime's codes) is the only form where it is given. Else all these are read, mixed: ISO 8601; numbers
    in any order; month names in English, Arabic, Persian, Bulgarian and other languages (CLDR's); Chinese
    年月日, 民國 years; Jalali years 1200-1410 (to 1500 with the name of a month: in numbers those are lunar
    Hijri years, which are not read); epoch seconds and milliseconds; with `serials` a spreadsheet's numbers
    (1900 system); with `exported_on` relative dates. A time without zone is in `timezone`; of an hour that a
    clock change repeats, the first. Years outside 1970-2100 are not read. SourceError if `date_format` is none.

    >>> parse_dates(pd.Series(["02/03/2025", "14/03/2025"])).dt.strftime("%d %B").tolist()
    ['02 March', '14 March']
    """
    if date_format is None and (reading is None or reading.date_format is None) and _are_moments(values):
        with suppress(ValueError):
            found = pd.to_datetime(values, format="ISO8601", utc=True)
            return found.astype("datetime64[us, UTC]").rename(values.name)
    if reading is None:
        reading = DateReading(date_format=date_format, timezone=timezone, exported_on=exported_on)
        parts = None if date_format is not None else take_apart(values)
        reading = reading if parts is None else _decide(parts, reading, serials)
    else:
        parts = None if reading.date_format is not None else take_apart(values)
    if parts is None:
        codes, found = _read_declared(values, reading)
    else:
        codes = parts.codes
        found = put_together(
            parts,
            order=reading.order,
            by_style=dict(reading.by_style),
            calendar=reading.calendar,
            serials=reading.serials,
            turned=reading.turned,
            timezone=reading.timezone,
            exported_on=reading.exported_on,
        )
    found = np.append(found, np.datetime64("NaT", "us"))  # code -1 takes the last
    return pd.Series(pd.DatetimeIndex(found[codes], tz="UTC"), values.index, name=values.name)


def _are_moments(values: pd.Series) -> bool:
    """Return whether all values are ISO 8601 with a zone: these tell everything, and pandas reads them quickly."""
    told = pc.match_substring_regex(pa.array(values.astype("str")), _MOMENT)
    return bool(pc.all(told).as_py()) and told.null_count < len(told)


def _read_declared(values: pd.Series, reading: DateReading) -> tuple[np.ndarray, np.ndarray]:
    codes, texts = pd.factorize(values.astype("str"))
    texts = pd.Series(texts, dtype="str").str.translate(_DIGITS).str.strip()
    zoned = "%z" in reading.date_format
    try:
        found = pd.to_datetime(texts, format=reading.date_format, errors="coerce", utc=zoned)
    except ValueError as error:
        raise SourceError(
            f"date_format {reading.date_format!r} is no form of a date: {error}.",
            remedy="Write it in strptime's codes, as %d.%m.%Y, or leave it out.",
        ) from None
    if not zoned:
        first = np.ones(len(found), dtype=bool)
        found = found.astype("datetime64[us]").dt.tz_localize(
            reading.timezone, ambiguous=first, nonexistent="shift_forward"
        )
    found = found.dt.tz_convert("UTC")
    found = found.where(found.dt.year.between(1970, 2100))
    return codes, found.dt.tz_localize(None).to_numpy().astype("datetime64[us]")


def _decide(parts: Parts, reading: DateReading, serials: bool | None) -> DateReading:
    total = int((~parts.has("kind", "blank")).sum())
    said, settled = [], True
    reading = reading._replace(calendar=_decide_calendar(parts))
    if parts.has("kind", "ordered").any():
        reading, why, settled = _decide_order(parts, reading)
        said += why
    likely = is_likely_serial(parts)
    if serials is None:
        fitting = ~parts.has("kind", "", "blank", "serial") | likely
        serials = bool(likely.sum() >= 0.9 * parts.has("kind", "serial").sum() and fitting.sum() * 2 >= total)
    reading = reading._replace(serials=serials)
    if likely.any():
        settled = False
        if serials:
            said.append(f"{likely.sum()} of {total} are serial numbers of a spreadsheet (1900 system)")
    jalali = is_jalali(parts, reading.calendar) & parts.has("kind", "plain", "ordered")
    if jalali.any():
        said.append(f"{jalali.sum()} of {total} are in the Jalali calendar")
    if (lunar := is_lunar(parts)).any():
        said.append(f"{lunar.sum()} of {total} are in the lunar Hijri calendar, which is not read")
    if (rounded := parts.has("kind", "rounded")).any():
        said.append(f"{rounded.sum()} were rounded by a spreadsheet (as 1.42E+12 is) and cannot be read")
    if (back := parts.has("kind", "back")).any():
        since = reading.exported_on or "the day of the export, which is not given"
        said.append(f"{back.sum()} of {total} count back from {since}")
    if (unread := parts.has("kind", "") | (parts.has("kind", "serial") & ~(likely & serials))).any():
        said.append(f"{unread.sum()} of {total} are in no known form")
    turned, why, sure = _find_turned(parts, reading)
    said += why
    evidence = "; ".join(said) or ("each date tells its own order" if total else "there is no date")
    return reading._replace(turned=turned, evidence=evidence, settled=settled and sure)


def _decide_calendar(parts: Parts) -> str:
    """Decide the calendar of two-digit years: that of the others, else Jalali if most have Persian digits."""
    full = parts.has("kind", "plain", "ordered") & (
        parts.has("year_digits", 4, 3) | ~parts.has("calendar", "")
    )
    jalali = int((full & is_jalali(parts, "gregorian")).sum())
    others = int(full.sum()) - jalali
    is_persian = jalali > others or (jalali == others and parts.persian * 2 > len(parts.shape))
    return "jalali" if is_persian else "gregorian"


def _decide_order(parts: Parts, reading: DateReading) -> tuple[DateReading, list[str], bool]:
    ordered = parts.has("kind", "ordered")
    fits = {order: fits_order(parts, order) for order in ORDERS}
    days = {
        order: np.where(fits[order], count_days(parts, reading.calendar, order)[0], 0) for order in ORDERS
    }
    order, why, _ = _weigh(fits, days, ordered)
    by_style, said = [], [why]
    for style in np.unique(parts.forms["style"][parts.forms["kind"] == "ordered"]).tolist():
        own, why, counts = _weigh(fits, days, ordered & parts.has("style", style))
        if counts[own] > counts[order]:
            by_style.append((style, own))
            said.append(f"with {_NAMES[style[0]]} and a year of {style[1]} digits {why}")
    day, month, year = (fits[order] for order in ORDERS)
    same = day & month & (days["day first"] == days["month first"])  # 05/05/2025
    told = (~(day & month) | same) & ~year & ~parts.has("year_digits", 2)
    return reading._replace(order=order, by_style=tuple(by_style)), said, bool(told[ordered].all())


def _weigh(
    fits: dict[str, np.ndarray], days: dict[str, np.ndarray], at: np.ndarray
) -> tuple[str, str, dict[str, int]]:
    """Return the order of the dates `at`, the reasons, and how many of them fit each order."""
    counts = {order: int(fits[order][at].sum()) for order in ORDERS}
    spans = {order: int(np.ptp(days[order][at & fits[order]])) if counts[order] else 0 for order in ORDERS}
    best = min(ORDERS, key=lambda order: (-counts[order], spans[order]))  # day first leads where all is equal
    reasons = []
    for rival in ORDERS:
        if rival == best or (rival == "year first" and not counts[rival]):
            continue
        only, against = (at & fits[best] & ~fits[rival]).sum(), (at & fits[rival] & ~fits[best]).sum()
        if only == 0:
            reason = f"no date tells it from {rival}, "
            if spans[rival] == spans[best]:
                reason += "so this is a guess"
            else:
                reason += f"but this spans {spans[best]} days and that {spans[rival]}"
        elif "year first" in (best, rival):
            reason = f"{only} of {at.sum()} dates cannot be {rival}"
        else:
            reason = f"{only} of {at.sum()} dates have a day above 12"
        reasons.append(reason + (f" ({against} can only be {rival})" if against else ""))
    return best, f"{best}: {' and '.join(reasons)}", counts


def _find_turned(parts: Parts, reading: DateReading) -> tuple[bool, list[str], bool]:
    """Tell whether a spreadsheet swapped day and month: which dates to turn back, why, and if this is sure."""
    own, is_own = find_own(parts, reading.calendar, reading.serials)
    ordered, is_ordered = read_ordered(parts, reading.calendar, reading.order, dict(reading.by_style))
    is_ordered &= ~is_jalali(parts, reading.calendar)
    own, text = np.unique(own[is_own]), np.unique(ordered[is_ordered])
    own_low, text_low = _day_of_month(own) <= 12, _day_of_month(text) <= 12
    if len(own) >= _FEWEST_TURNED and own_low.all():
        if len(text) >= _FEWEST_TURNED and not text_low.any():
            return (
                True,
                [
                    f"day and month are turned back in {is_own.sum()} dates, which a spreadsheet swapped: all have"
                    f" a day up to 12, and all the other {is_ordered.sum()} one above 12"
                ],
                True,
            )
        return False, [], bool(text_low.any())
    # Swapped dates written in one form with the others: turned back, they fall into the months of those.
    clear, unclear = text[~text_low], text[text_low & (turn_days(text) != text)]
    if len(clear) >= _FEWEST_TURNED and len(unclear) >= _FEWEST_TURNED:
        months = np.unique(clear.astype("datetime64[D]").astype("datetime64[M]"))
        fit, fit_turned = (
            np.isin(days.astype("datetime64[D]").astype("datetime64[M]"), months).mean()
            for days in (unclear, turn_days(unclear))
        )
        if fit_turned > 0.95 and fit < 0.5:
            return (
                False,
                [
                    f"{len(unclear)} days up to the 12th lie outside the months of the others and would lie within them"
                    " with day and month swapped: a spreadsheet may have swapped them; they are read as written"
                ],
                True,
            )
    return False, [], True


def _day_of_month(days: np.ndarray) -> np.ndarray:
    dates = days.astype("datetime64[D]")
    return (dates - dates.astype("datetime64[M]")).astype("int64") + 1
