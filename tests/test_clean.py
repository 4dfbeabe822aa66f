import datetime

import pandas as pd
import pytest

from vocwb.collect.clean import (
    blank_to_missing,
    is_relative_date,
    mark_duplicates,
    parse_dates,
    parse_numbers,
    repair_text,
    repair_texts,
)


def parse(*dates, **given):
    found = parse_dates(pd.Series(dates, dtype="str"), **given)
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
    ],
)
def test_common_forms_of_a_date(written, read):
    assert parse(written) == [read]


@pytest.mark.parametrize(
    "written",
    ["", "may", "10", "12:30", "2024-13-45", "2024-02-30", "99/99/9999", "0001-01-01", "2024-01-05 25:00", "9" * 30,
     "1/2/3", "3 days", "<b>2024</b>", "10:30:99 2024-01-05", "2024-01-05T10:00:00+99:00"],
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


def test_numbers_in_any_digits_and_nothing_else():
    numbers = parse_numbers(pd.Series(["۷", "٤٫٥", "4,5", " 10 ", "-1", "1e3", "inf", "0x1F", "ten", None]))
    assert numbers.fillna(-99).tolist() == [7, 4.5, 4.5, 10, -1, -99, -99, -99, -99, -99]


def test_words_for_nothing():
    assert blank_to_missing(
        pd.Series(["NA", "n/a", "NULL", "-", " ", None, "no", "none"])
    ).dropna().tolist() == ["no", "none"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("می‌خواهم\u200f بخرم", "می‌خواهم\u200f بخرم"),
        ("很好，！ＡＢ", "很好，！ＡＢ"),
        ("a < b, c > d <3 <name> “x”", "a < b, c > d <3 <name> “x”"),
        ("I &lt;3 it &amp; more&hellip;", "I <3 it & more…"),
        ("AT&T and R&D; &copy", "AT&T and R&D; &copy"),
        ("<p>One</p><P class='x'>Two<br/>three</p>", "One\nTwo\nthree"),
        ("a<script>alert(1)</script><!-- x -->b", "a b"),
        ("cafÃ© sheâ€™s", "café she’s"),
        ("tab\there  \r\n\r\n\r\n\r\n line\x07\x00", "tab here\n\nline"),
        ("lone \ud83d half", "lone \ufffd half"),
    ],
)
def test_text_is_repaired_and_no_more(written, read):
    assert repair_text(written) == read


def test_what_is_nothing_after_repair_is_missing():
    assert repair_texts(pd.Series(["<br>", "&nbsp;", "N/A", None, "x"])).dropna().tolist() == ["x"]


def test_repair_of_hostile_text_takes_no_time():
    for text in ("<!--" * 20_000, "<script>" * 5_000, "<a " * 50_000, "&" * 100_000, "< " * 100_000):
        repair_text(text)


LONG = "Do not buy the kettle of this shop, it caught fire!"


def make_feedback(**changed):
    frame = pd.DataFrame({
        "feedback_id": ["b", "a", "c", "d"], "response_id": ["1", "2", "3", "3"], "language": "en",
        "verbatim": [LONG, LONG.upper().replace(" ", "  "), LONG, LONG],
        "received_at": pd.to_datetime(["2025-01-02", "2025-01-03", "2025-01-01", "2025-01-01"], utc=True),
    })  # fmt: skip
    return frame.assign(**changed).set_axis(frame["feedback_id"].tolist())


def test_reposts_link_to_the_earliest_of_another_response():
    marked = mark_duplicates(make_feedback())
    assert marked.fillna("").to_dict() == {"b": "c", "a": "c", "c": "", "d": ""}
    shuffled = mark_duplicates(make_feedback().sample(frac=1, random_state=2))
    assert shuffled.fillna("").to_dict() == marked.fillna("").to_dict()


def test_short_texts_and_other_languages_are_no_reposts():
    assert mark_duplicates(make_feedback(verbatim="Good shop!")).isna().all()
    assert mark_duplicates(make_feedback(language=["en", "bg", "zh", "zh"])).isna().all()
