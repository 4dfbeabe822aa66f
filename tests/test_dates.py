import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocwb.collect.dates import DateReading, decide_dates, is_relative_date, parse_dates
from vocwb.errors import SourceError


def decide(*dates, **options):
    return decide_dates(pd.Series(dates, dtype="str"), **options)


def parse(*dates, reading=None, **options):
    found = parse_dates(pd.Series(dates, dtype="str"), reading, **options)
    assert str(found.dtype) == "datetime64[us, UTC]"
    return [None if pd.isna(date) else date.strftime("%Y-%m-%d %H:%M:%S") for date in found]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2015-02-24 11:35:52 -0800", "2015-02-24 19:35:52"),
        ("2015-02-24T11:35:52Z", "2015-02-24 11:35:52"),
        ("2024-01-05T10:00:00.123456789+02:00", "2024-01-05 08:00:00"),
        ("2020/3/18", "2020-03-18 00:00:00"),
        ("20250131", "2025-01-31 00:00:00"),
        ("1358726400", "2013-01-21 00:00:00"),
        ("1358726400000", "2013-01-21 00:00:00"),
        ("21.01.2013 г.", "2013-01-21 00:00:00"),
        ("24-02-2015 11.35", "2015-02-24 11:35:00"),
        ("2/24/2015 11:35 PM", "2015-02-24 23:35:00"),
        ("31-Jul-18", "2018-07-31 00:00:00"),
        ("Mar 5, 2024 12:04 AM", "2024-03-05 00:04:00"),
        ("Tue Oct 31 22:10:47 +0000 2017", "2017-10-31 22:10:47"),
        ("Tue, 31 Oct 2017 22:10:47 GMT", "2017-10-31 22:10:47"),
        ("2024年3月1日", "2024-03-01 00:00:00"),
        ("۲۰۲۴-۰۱-۰۵", "2024-01-05 00:00:00"),
        ("20150224T113552Z", "2015-02-24 11:35:52"),
        ("1424806552.5", "2015-02-24 19:35:52"),
        ("2024-01-05 10:00:00,250", "2024-01-05 10:00:00"),
        ("3:53:50 PM 22-04-15", "2015-04-22 15:53:50"),
        ("2/24/15 11:35\u202fPM", "2015-02-24 23:35:00"),
        ("24.02.15 11.35", "2015-02-24 11:35:00"),
        ("２０２４／０１／０５　１０：３０", "2024-01-05 10:30:00"),
        ("\u200f5\u200f/\u200f13\u200f/\u200f2024", "2024-05-13 00:00:00"),
        ("Reviewed on: July 31st, 2018 at 3:05 p.m.", "2018-07-31 15:05:00"),
    ],
)
def test_common_forms_of_a_date(written, read):
    assert parse(written) == [read]


@pytest.mark.parametrize(
    "written",
    ["", "may", "10", "12:30", "2024-13-45", "2024-02-30", "99/99/9999", "0001-01-01", "2024-01-05 25:00", "9" * 30,
     "1/2/3", "3 days", "0888123456", "4111111111111111", "5.70306E+17", "1.4249E+12", "42059.48", "3.11.2", "May 5",
     "2024-01-05 14:05 AM", "2024-01-05 10:00 XYZ", "2024-01-05 10:00 Mars/Base", "1392/12/30", "98年3月1日",
     "2150-01-01", "192.168.1.10", "25-Jun", "05 13 Jan", "2024-W05-1", "2023-02-29", "\x002024-01-05", "१२/०१/२०२४",
     "<b>2024</b>", "10:30:99 2024-01-05", "2024-01-05T10:00:00+99:00"],
)  # fmt: skip
def test_what_is_no_date_is_none(written):
    assert parse(written, exported_on=datetime.date(2025, 6, 1)) == [None]


def test_day_or_month_first_is_decided_for_the_whole_file():
    assert parse("03/04/2025", "13/04/2025")[0].startswith("2025-04-03")
    assert parse("03/04/2025", "03/14/2025")[0].startswith("2025-03-04")
    assert parse("03/04/2025", "03/05/2025", "03/12/2025")[0].startswith("2025-03-04"), "days of one month"
    assert parse("03/04/2025", "05/04/2025", "12/04/2025")[0].startswith("2025-04-03")


def test_a_time_without_zone_is_local_also_when_clocks_change():
    assert parse("2025-07-01 12:00", timezone="Europe/Sofia") == ["2025-07-01 09:00:00"]
    assert parse("2025-03-30 03:30", "2025-10-26 03:30", timezone="Europe/Sofia") == [
        "2025-03-30 01:00:00",
        "2025-10-26 00:30:00",
    ]


def test_a_declared_format_is_the_only_one_read():
    assert parse("03.04.2025", "2025-04-03", date_format="%d.%m.%Y") == ["2025-04-03 00:00:00", None]
    assert parse("03.04.2025 +0200", date_format="%d.%m.%Y %z") == ["2025-04-02 22:00:00"]

    with pytest.raises(SourceError, match="date_format"):
        parse("2025", date_format="%Q")


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("3 個月前", "2025-02-28"), ("1 天前", "2025-05-30"), ("2 weeks ago", "2025-05-17"),
        ("a year ago", "2024-05-31"),
        ("5 سال پیش", "2020-05-31"), ("منذ 3 أيام", "2025-05-28"), ("преди 2 седмици", "2025-05-17"),
        ("上次編輯：1 年前", "2024-05-31"), ("6 hours ago", "2025-05-31"),
    ],
)  # fmt: skip
def test_relative_dates_need_the_day_of_the_export(written, day):
    assert is_relative_date(pd.Series([written])).all()
    assert parse(written) == [None]
    assert parse(written, exported_on=datetime.date(2025, 5, 31)) == [f"{day} 00:00:00"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-01-05 10:00 EST", "2024-01-05 15:00:00"),
        ("5 Jul 2024 10:00 PDT", "2024-07-05 17:00:00"),
        ("2024-01-05 10:00 CET", "2024-01-05 09:00:00"),
        ("2024-01-05T10:00+0330", "2024-01-05 06:30:00"),
        ("2024-01-05 10:00 Asia/Tehran", "2024-01-05 06:30:00"),
        ("2024-07-05 10:00 Europe/Sofia", "2024-07-05 07:00:00"),
        ("2024-01-05 10:00 GMT-3", "2024-01-05 13:00:00"),
        ("Tue Oct 31 2017 22:10:47 GMT+0200 (Central European Standard Time)", "2017-10-31 20:10:47"),
        ("Fri, 20 Oct 2006 04:28:33 -0400 (EDT)", "2006-10-20 08:28:33"),
    ],
)
def test_zones_go_to_utc(written, read):
    assert parse(written, timezone="Asia/Taipei") == [read]


# The 1 January 2024 was 11 Dey 1402 and 民國 113; 20 March 2021 the leap day 30 Esfand 1399, as calendars print them.
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("11 دی 1402", "2024-01-01 00:00:00"),
        ("دوشنبه ۱۱ دی‌ماه ۱۴۰۲ ساعت ۱۵:۳۰", None),
        ("دوشنبه ۱۱ دی ماه ۱۴۰۲ ساعت ۱۵:۳۰", "2024-01-01 15:30:00"),
        ("سه شنبه ۱۲ دي ۱۴۰۲ - ۳:۰۵ ب.ظ", "2024-01-02 15:05:00"),
        ("11/10/1402", "2024-01-01 00:00:00"),
        ("1399/12/30", "2021-03-20 00:00:00"),
        ("1400/12/30", None),
        ("15 رمضان 1445", None),
        ("1445/09/15", None),
        ("5 مايو 2024", "2024-05-05 00:00:00"),
        ("٥ أيار ٢٠٢٤", "2024-05-05 00:00:00"),
        ("5 تشرين الأول/أكتوبر 2024", "2024-10-05 00:00:00"),
        ("الاثنين، 5 أغسطس 2024 11:35 م", "2024-08-05 23:35:00"),
        ("5 جويلية 2024", "2024-07-05 00:00:00"),
        ("21 септември 2023 г., 9:05 ч.", "2023-09-21 09:05:00"),
        ("5 май 2024", "2024-05-05 00:00:00"),
        ("12 févr. 2024 à 11:35", "2024-02-12 11:35:00"),
        ("5. März 2024 11:35 Uhr", "2024-03-05 11:35:00"),
        ("martes, 5 de marzo de 2024", "2024-03-05 00:00:00"),
        ("2024年3月1日下午3:05", "2024-03-01 15:05:00"),
        ("2024年3月1日 上午12:05:07", "2024-03-01 00:05:07"),
        ("2024年3月1日星期五 15时30分", "2024-03-01 15:30:00"),
        ("民國113年5月1日", "2024-05-01 00:00:00"),
        ("113年5月1日", "2024-05-01 00:00:00"),
    ],
)
def test_dates_of_other_languages_and_calendars(written, read):
    assert parse(written) == [read]


def test_a_year_of_two_digits_follows_the_calendar_of_the_others():
    assert parse("92/05/14", "1392/05/31")[0] == "2013-08-05 00:00:00"
    assert parse("۹۲/۰۵/۱۴", "۱۴ مرداد ۹۲") == ["2013-08-05 00:00:00"] * 2
    assert parse("92/05/14", "1992-05-31")[0] == "1992-05-14 00:00:00"
    assert parse("15-04-22", "15-04-08", "15-05-30")[1] == "2015-04-08 00:00:00", (
        "the year that hardly changes"
    )


def test_a_reading_decided_once_serves_every_batch():
    reading = decide("03/04/2025", "04/14/2025")
    assert (reading.order, reading.settled) == ("month first", False)
    assert reading.evidence == "month first: 1 of 2 dates have a day above 12"
    assert parse("03/04/2025", reading=reading) == ["2025-03-04 00:00:00"]
    assert parse("13/04/2025", reading=reading) == ["2025-04-13 00:00:00"], "it can be nothing else"
    assert decide("1/2/2025", "1/30/2025", "2/3/2025", "2/3/2025").evidence.endswith(
        "1 of 3 dates have a day above 12"
    )
    spans = decide("03/04/2025", "03/05/2025").evidence
    assert spans == "month first: no date tells it from day first, but this spans 1 days and that 30"
    assert "guess" in decide("03/04/2025").evidence


def test_dates_that_tell_their_own_order_are_settled():
    told = (
        "2024-01-05",
        "31-Jul-18",
        "1358726400000",
        "1392/05/14",
        "25/12/2024",
        "3 days ago",
        "not a date",
    )
    assert decide(*told).settled
    assert decide("03.04.2024", date_format="%m.%d.%Y").settled
    assert not decide(*told, "03/04/2024").settled
    assert not decide(*told, "25-12-24").settled
    assert not decide(*told, "42059").settled
    days = pd.date_range("2024-01-01", "2024-01-12")
    assert decide(*days.strftime("%Y-%m-%dT10:00Z")).settled
    assert not decide(*days.strftime("%Y-%m-%d")).settled, (
        "dates like 13/01/2024 would show that they are swapped"
    )


def test_two_ways_of_writing_may_have_two_orders():
    dates = ("24-02-2015 11.35", "03-04-2015 01.00", "2/24/15 11:35 PM", "3/4/15 1:00 AM")
    assert parse(*dates)[1::2] == ["2015-04-03 01:00:00", "2015-03-04 01:00:00"]
    evidence = decide(*dates).evidence
    assert "day first: 1 of 2" in evidence and "month first: 1 of 4" in evidence


def test_a_slip_among_days_is_not_taken_for_a_year():
    assert parse("30/02/15", "28/01/15", "13/02/15") == [None, "2015-01-28 00:00:00", "2015-02-13 00:00:00"]


def test_serial_dates_of_a_spreadsheet_are_read_where_the_column_is_the_date():
    # Microsoft's own example: 39448 is 1 January 2008; noon is half a day.
    reading = decide("39448.5", "42059.3314930556", "39448")
    assert reading.serials and "3 of 3" in reading.evidence
    found = parse("39448.5", "42059.3314930556", "39448", reading=reading)
    assert found == ["2008-01-01 12:00:00", "2015-02-24 07:57:21", "2008-01-01 00:00:00"]
    assert parse("39448.5") == [None]
    assert parse("39448.5", serials=True, timezone="Europe/Sofia") == ["2008-01-01 10:00:00"]
    assert not decide("1", "22", "333", "39448").serials, "counts"
    assert not decide("5", "12345", "39448", "99999").serials, "numbers of any size"


def swap_low(days, text="%d/%m/%Y"):
    return [day.strftime("%Y-%d-%m" if day.day <= 12 else text) for day in days]


def test_dates_that_a_spreadsheet_swapped_are_turned_back_and_it_is_said():
    days = pd.date_range("2024-01-01", "2024-03-31")
    for text in ("%d/%m/%Y", "%m/%d/%Y"):
        written = swap_low(days, text)
        reading = decide(*written)
        assert reading.turned and "day and month are turned back in 36 dates" in reading.evidence
        assert parse(*written, reading=reading) == [f"{day:%Y-%m-%d} 00:00:00" for day in days]
    honest = [day.strftime("%Y-%m-%d" if day.month < 3 else "%d/%m/%Y") for day in days]
    assert not decide(*honest).turned
    assert not decide(*swap_low(days[:6]), "13/01/2024").turned, "too few to tell"


def test_swapped_dates_of_one_form_are_read_as_written_and_it_is_said():
    days = pd.date_range("2024-04-01", "2024-06-30")
    written = [day.strftime("%m-%d-%Y" if day.day <= 12 else "%d-%m-%Y") for day in days]
    reading = decide(*written)
    assert not reading.turned and "a spreadsheet may have swapped them" in reading.evidence
    assert "swapped" not in decide(*days.strftime("%d-%m-%Y")).evidence


def test_what_is_not_read_is_counted():
    evidence = decide("2024-01-05", "15 رمضان 1445", "1.4249E+12", "5.7E+17", "hello").evidence
    for words in ("1 of 5 are in the lunar Hijri calendar", "2 were rounded", "1 of 5 are in no known form"):
        assert words in evidence
    assert "not given" in decide("3 個月前").evidence


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("yesterday", "2025-05-30"), ("Yesterday at 3:05 PM", "2025-05-30"), ("昨天 15:30", "2025-05-30"),
        ("دیروز", "2025-05-30"), ("أمس", "2025-05-30"), ("вчера", "2025-05-30"), ("today", "2025-05-31"),
        ("قبل يومين", "2025-05-29"), ("منذ شهرين", "2025-03-31"), ("منذ أسبوع", "2025-05-24"),
        ("منذ يوم واحد", "2025-05-30"), ("преди един месец", "2025-04-30"), ("兩週前", "2025-05-17"),
        ("یک هفته پیش", "2025-05-24"), ("۲ ماه پیش", "2025-03-31"), ("about 2 hours ago", "2025-05-31"),
        ("Last edited: 15 months ago", "2024-02-29"),
    ],
)  # fmt: skip
def test_relative_dates_in_five_languages(written, day):
    assert is_relative_date(pd.Series([written])).all()
    assert parse(written) == [None]
    assert parse(written, exported_on=datetime.date(2025, 5, 31))[0].startswith(day)


def test_values_keep_their_rows():
    values = pd.Series(["2024-01-05", None, "x", "2024-01-05"], index=[7, 3, 9, 1], name="on", dtype="str")
    found = parse_dates(values)
    assert found.index.tolist() == [7, 3, 9, 1] and found.name == "on"
    assert found.notna().tolist() == [True, False, False, True]
    assert parse_dates(pd.Series([], dtype="str")).empty
    assert parse("1358726400", "2013-01-21", "x") == ["2013-01-21 00:00:00"] * 2 + [None], (
        "one does not break others"
    )
    assert is_relative_date(values).tolist() == [False] * 4


MONTHS = {
    "en": "January February March April May June July August September October November December",
    "bg": "януари февруари март април май юни юли август септември октомври ноември декември",
    "ar": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "fa": "ژانویه فوریه مارس آوریل مه ژوئن ژوئیه اوت سپتامبر اکتبر نوامبر دسامبر",
}
DIGITS = ("0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９")
FORMS = (
    "{t:%Y-%m-%d %H:%M:%S}+00:00", "{t:%Y-%m-%dT%H:%M:%S.%f}Z", "{t:%Y/%m/%d %H:%M:%S}", "{t:%d %b %Y %H:%M:%S}",
    "{t:%a %b %d %H:%M:%S} +0000 {t:%Y}", "{t:%B %d, %Y %I:%M:%S %p}", "{t:%Y}年{t.month}月{t.day}日 {t:%H:%M:%S}",
    "民國{roc}年{t.month}月{t.day}日 {t:%H:%M:%S}", "{t.day} {month} {t:%Y} {t:%H:%M:%S}", "{t:%Y%m%d%H%M%S}",
    "{t.day}.{t.month}.{t:%Y} г. {t:%H:%M:%S}", "{t:%H:%M:%S} {t:%Y-%m-%d}",
)  # fmt: skip


@given(
    moment=st.datetimes(datetime.datetime(1970, 1, 2), datetime.datetime(2100, 12, 30)),
    form=st.sampled_from(FORMS),
    language=st.sampled_from(sorted(MONTHS)),
    digits=st.sampled_from(DIGITS),
)
def test_a_date_written_in_any_form_is_read_back(moment, form, language, digits):
    moment = moment.replace(microsecond=0)
    month = MONTHS[language].split()[moment.month - 1]
    written = form.format(t=moment, month=month, roc=moment.year - 1911)
    written = written.translate(str.maketrans(DIGITS[0], digits))
    assert parse(written, "25.12.2020") == [f"{moment}", "2020-12-25 00:00:00"]


@given(moment=st.datetimes(datetime.datetime(1990, 1, 1), datetime.datetime(2100, 12, 30)))
def test_counted_dates_are_read_back(moment):
    moment = moment.replace(microsecond=0)
    days = (moment - datetime.datetime(1899, 12, 30)) / datetime.timedelta(days=1)
    assert parse(f"{days:.9f}", serials=True) == [f"{moment}"]
    seconds = (moment - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1)
    if seconds >= 10**9:
        assert parse(f"{seconds}", f"{seconds}000") == [f"{moment}"] * 2


@given(
    st.lists(
        st.text(max_size=120)
        | st.text(st.sampled_from("0123456789/-.: TZ+年月日前上午PMamago۱۲٣\u200fмайدیهـ"), max_size=30),
        max_size=5,
    )
)
@settings(max_examples=200)
def test_any_text_is_a_date_or_none(texts):
    values = pd.Series(texts, dtype="str")
    reading = decide_dates(values, exported_on=datetime.date(2025, 5, 31))
    found = parse_dates(values, reading)
    assert isinstance(reading, DateReading) and len(found) == len(values)
    assert found.dropna().dt.year.between(1970, 2100).all()
    turned = values.iloc[::-1]
    assert parse_dates(turned, decide_dates(turned, exported_on=datetime.date(2025, 5, 31)))[::-1].equals(
        found
    )
    assert is_relative_date(values).dtype == bool
