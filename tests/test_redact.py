import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocwb.collect.redact import (
    choose_regions,
    find_personal_data,
    redact_names,
    redact_text,
    redact_texts,
    shift_spans,
)

ALL = choose_regions(["en", "fa", "ar", "bg", "zh"])
FOLDER = Path(__file__).parent / "redaction"
# What customers' texts with personal data are made of, in any order and with anything between.
PIECES = [
    "ann@example.com", "(at)", " at ", " dot ", "@", "@ann", "@小明", "+44 7700 900123", "0888 123 456",
    "07700900123", "00",
    "۰۹۱۲۳۴۵۶۷۸۹", "4111 1111 1111 1111", "GB29 NWBK 6016 1331 9268 19", "A123456789", "11010519491231002X",
    "219-09-9999",
    "203.0.113.9", "https://example.com/u/ann?token=a1b2c3d4", "www.", "[PHONE]", "[", "passport ",
    "order ", "phone ", "ЕГН ",
    "微信号", " ", ", ", "/", "-", "\n", "1", "12", "2024", "x", "я", "ش", "字", "\u200e", "Ann ", "\ud83d\ude00",
]  # fmt: skip


def read_cases() -> list[dict]:
    return [
        json.loads(line) for path in sorted(FOLDER.glob("*.jsonl")) for line in path.open(encoding="utf-8")
    ]


def test_the_labelled_set_is_found_with_few_false_marks():
    cases, counts = read_cases(), Counter()
    for case in cases:
        marks = find_personal_data(case["text"], regions=ALL, names=case.get("names", []))
        found = [(start, end, mark.strip("[]")) for start, end, mark in marks]
        for start, end, kind in case["spans"]:
            counts["labelled"] += 1
            counts["found"] += any(
                first < end and start < last and kind == mark for first, last, mark in found
            )
        for first, last, mark in found:
            spans = case["spans"]
            counts["marked"] += 1
            counts["right"] += any(
                first < end and start < last and kind == mark for start, end, kind in spans
            )
    assert len(cases) >= 450
    assert {case["language"] for case in cases} == {"en", "fa", "ar", "bg", "zh"}
    assert counts["found"] / counts["labelled"] >= 0.98
    assert counts["right"] / counts["marked"] >= 0.95


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("mail ann.o'neil+x@mail.example.com.", "mail [EMAIL]."),
        ("我的信箱test@example.com謝謝", "我的信箱[EMAIL]謝謝"),
        ("call +44 7700 900123", "call [PHONE]"),
        ("07700 900 123", "[PHONE]"),
        ("tel:0044 7700 900123", "tel:[PHONE]"),
        ("(212) 555-0123 or 212.555.0124", "[PHONE] or [PHONE]"),
        ("my number is 2125550123", "my number is [PHONE]"),
        ("۰۹۱۲۳۴۵۶۷۸۹ زنگ بزنید", "[PHONE] زنگ بزنید"),
        ("شماره من 0912-345-6789", "شماره من [PHONE]"),
        ("٠١٠٠١٢٣٤٥٦٧ اتصل بي", "[PHONE] اتصل بي"),
        ("رقم هاتفي 0501234567", "رقم هاتفي [PHONE]"),
        ("тел. 0888 123 456", "тел. [PHONE]"),
        ("手機0912-345-678請回電", "手機[PHONE]請回電"),
        ("電話：02-2720-8889", "電話：[PHONE]"),
        ("card 4111 1111 1111 1111 stolen", "card [CARD] stolen"),
        ("کارت ۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳", "کارت [CARD]"),
        ("GB29 NWBK 6016 1331 9268 19 please", "[IBAN] please"),
        ("bg80bnbg96611020345678", "[IBAN]"),
        ("IR062960000000100324200001", "[IBAN]"),
        ("thanks @john_smith!", "thanks [HANDLE]!"),
        ("@小明 你好", "[HANDLE] 你好"),
        ("see https://shop.example/reset?token=abc&u=5.", "see [URL]."),
        ("http://user:pass@host.example/x", "[URL]"),
        ("john dot doe at gmail dot com", "[EMAIL]"),
        ("gery (маймунка) example.bg", "[EMAIL]"),
        ("иван@поща.бг", "[EMAIL]"),
        ("ann＠example．com", "[EMAIL]"),
        ("call \u202a+44 7700 900123\u202c now", "call \u202a[PHONE]\u202c now"),
        ("Contact for order 48392011: 07700 900123", "Contact for order 48392011: [PHONE]"),
        ("0888 123 456,0899 123 456", "[PHONE],[PHONE]"),
        ("02/981 12 34", "[PHONE]"),
        ("02-2345-6789分機123", "[PHONE]"),
        ("13800138000", "[PHONE]"),
        ("359888123456", "[PHONE]"),
        ("My SSN is 123-45-6789", "My SSN is [ID]"),
        ("NI number QQ 12 34 56 C", "NI number [ID]"),
        ("NHS number 943 476 5919", "NHS number [ID]"),
        ("ЕГН: 8032056031", "ЕГН: [ID]"),
        ("کدملی‌ام ۰۰۱۳۵۴۲۴۱۹", "کدملی‌ام [ID]"),
        ("11010519491231002X", "[ID]"),
        ("A123456789 是我的身分證", "[ID] 是我的身分證"),
        ("رقم الهوية الوطنية 1012345678", "رقم الهوية الوطنية [ID]"),
        ("29001011234567 رقمي القومي", "[ID] رقمي القومي"),
        ("هوية 784-1990-1234567-1", "هوية [ID]"),
        ("护照号 G12345678", "护照号 [ID]"),
        ("logged in from 203.0.113.9", "logged in from [IP]"),
        ("2001:0db8:85a3::8a2e:0370:7334", "[IP]"),
        ("00:1A:2B:3C:4D:5E", "[MAC]"),
        ("https://example.com/users/4711/edit", "[URL]"),
        ("t.me/ann_smith", "[URL]"),
        ("微信号 wx_lin2020 加我", "微信号 [HANDLE] 加我"),
        ("weibo @李小明_88 说", "weibo [HANDLE] 说"),
        ("https://example.com/t/9f8a7b6c5d4e3f2a1b0c9d8e", "[URL]"),
    ],
)
def test_what_points_to_a_person_is_marked(text, redacted):
    assert redact_text(text, regions=ALL) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "order KV-483920", "order 48392011 is late", "訂單編號 227208889", "سفارش ۴۸۳۹۲۰۱۱", "поръчка 0888123456",
        "tracking number 1234567890", "2015-02-24 11:35:52", "24.02.2015", "from 10-12-2020 to 11-12-2020",
        "12,345,678", "1.234.567 лв", "۱۵۰۰۰۰۰۰ تومان", "$1,234,567.89", "1 000 000 лв.", "in 2019-2024",
        "flight 3716",
        "570306133677760513", "meet @5pm", "3 @ 4", "https://example.com/help/contact",
        "GB29 NWBK 6016 1331 9268 18",
        "4111 1111 1111 1112", "10:30-12:45 daily", "IP 192.168.100.200", "42.697700, 23.321900",
        "36 38 40 42 44 46",
        "model SM-G9900-12345", "می‌خواهم ۲ عدد", "😀" * 50, "I bought shoes at amazon.com",
        "my passport expires 12-10-2025",
        "ISBN 9780306406157", "case number 4111111111111111", "version 81.2.3.4", "a::b c::d",
        "0.9141750336 GB",
        "up to 48000 - 48000 144 Hz", "over or at 120 qualifying payments",
        "orders 0888123456 and 0899123456",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://example.com/?utm_source=newsletter&utm_medium=email",
        "https://help.example/12376/windows-10-start-your-pc-in-safe-mode",
        "https://item.example/100012043978.html",
        "my address ends in @gmail.com", "me@work", "[EMAIL] and [PHONE] and XXXX XXXX",
        "05/06/2023 07/08/2023",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_stays(text):
    assert redact_text(text, regions=ALL) == text


def test_handles_that_are_kept_stay_in_any_case():
    assert redact_text("@United and @ann_b", keep=["@united"]) == "@United and [HANDLE]"


def test_numbers_without_plus_need_their_region():
    assert redact_text("0888 123 456", regions=["GB"]) == "0888 123 456"
    assert redact_text("0888 123 456", regions=["BG"]) == "[PHONE]"


def test_a_series_keeps_its_index_and_its_missing_texts():
    found = redact_texts(pd.Series(["@ann", None, "fine", "@ann"], index=[3, 1, 2, 0], dtype="str"))
    assert found.fillna("").to_dict() == {3: "[HANDLE]", 1: "", 2: "fine", 0: "[HANDLE]"}


def test_regions_follow_the_languages_unless_given():
    assert choose_regions(["zh"]) == ("TW", "CN")
    assert choose_regions(["zh"], ["HK"]) == ("HK",)
    assert choose_regions(["zh"], []) == ()


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=14).map("".join))
def test_redaction_changes_nothing_but_its_finds_and_is_done_after_once(text):
    found = find_personal_data(text, regions=ALL, names=["Ann Smith"])
    redacted = redact_text(text, regions=ALL, names=["Ann Smith"])
    rest, at = "", 0
    for start, end, _ in found:
        assert at <= start < end <= len(text)
        rest, at = rest + text[at:start], end
    rest += text[at:]
    for (start, end), (_, _, mark) in zip(
        shift_spans([span[:2] for span in found], found), found, strict=True
    ):
        assert redacted[start:end] == mark
    for (start, end), _ in reversed(
        list(zip(shift_spans([span[:2] for span in found], found), found, strict=True))
    ):
        redacted = redacted[:start] + redacted[end:]
    assert redacted == rest
    redacted = redact_text(text, regions=ALL, names=["Ann Smith"])
    assert redact_text(redacted, regions=ALL, names=["Ann Smith"]) == redacted


@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join), st.integers(0, 60), st.integers(0, 60))
def test_a_span_outside_the_finds_reads_the_same_after_redaction(text, start, length):
    found = find_personal_data(text, regions=ALL)
    start, end = min(start, len(text)), min(start + length, len(text))
    redacted = redact_text(text, regions=ALL)
    ((first, last),) = shift_spans([(start, end)], found)
    touched = [span for span in found if span[0] < end and start < span[1]]
    if touched:
        assert all(mark in redacted[first:last] for _, _, mark in touched)
    elif start < end:
        assert redacted[first:last] == text[start:end]


def test_a_column_is_redacted_as_each_of_its_texts():
    cases = read_cases()
    texts = pd.Series([case["text"] for case in cases], dtype="str")
    singly = [redact_text(text, regions=ALL) for text in texts]
    assert redact_texts(texts, regions=ALL).tolist() == singly


def test_only_the_regions_own_ids_and_numbers_are_looked_for():
    assert redact_text("11010519491231002X", regions=["BG"]) == "11010519491231002X"
    assert redact_text("219-09-9999", regions=["GB"]) == "219-09-9999"


@pytest.mark.parametrize(
    ("text", "names", "redacted"),
    [
        ("Hello, this is Ann Walker. Ann", ["Ann Walker"], "Hello, this is [NAME]. [NAME]"),
        (
            "I will not, said the young man. WILL YOUNG",
            ["Will Young"],
            "I will not, said the young man. [NAME]",
        ),
        ("May I? In May Ms Chen said so", ["May Chen"], "May I? In May Ms [NAME] said so"),
        ("XXXX XXXX called", ["XXXX XXXX"], "XXXX XXXX called"),
        ("A customer told Customer care", ["Customer"], "A customer told Customer care"),
        ("Love this app", ["Love"], "Love this app"),
        ("mail Ann@example.com", ["Ann Lee"], "mail [EMAIL]"),
        ("J. Smith wrote to j. smith", ["J Smith"], "[NAME] wrote to j. smith"),
        ("چای شیرین بود. آقای رضایی آمد", ["شیرین نوری", "علی رضایی"], "چای شیرین بود. آقای [NAME] آمد"),
        ("المكان جميل والأكل حسن", ["جميل حسن"], "المكان جميل والأكل حسن"),
        ("г-н Стоянов, надежда няма", ["Надежда Стоянов"], "г-н [NAME], надежда няма"),
        ("王大明說大明很好，姓王", ["王大明"], "[NAME]說[NAME]很好，姓王"),
    ],
)
def test_names_that_the_source_gives_are_marked_and_words_that_look_like_them_are_not(text, names, redacted):
    assert redact_text(text, regions=ALL, names=names) == redacted


def test_names_are_those_of_the_own_record():
    texts = pd.Series(["Thanks, Ann", "Thanks, Ann", None], index=[5, 3, 4], dtype="str")
    names = pd.DataFrame(
        {"author": ["Ann Lee", "Bo Lund", "Ann Lee"], "agent": [None, "Sue Ray", None]}, index=[5, 3, 4]
    )
    expected = {5: "Thanks, [NAME]", 3: "Thanks, Ann", 4: ""}
    assert redact_names(texts, names).fillna("").to_dict() == expected
    assert redact_texts(texts, names=names).fillna("").to_dict() == expected
    assert redact_texts(texts, names=names).isna().tolist() == [False, False, True]
    with pytest.raises(ValueError):
        redact_texts(texts, names=names["author"].iloc[:2])


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000, "1 " * 50_000, "1 2 3 4 5 6 7 8 9 0 " * 5_000, "0 1" * 30_000, "@" * 100_000,
        "a@" * 50_000, "@aa" * 30_000,
        "GB00 " * 20_000, "http://" * 10_000, "a." * 50_000, "a:" * 50_000, " at " * 25_000,
        "(at)" * 25_000, "a dot " * 15_000,
        "phone 1 " * 10_000, "1." * 50_000, "1-" * 50_000, "+(" * 50_000, "[EMAIL]" * 10_000, "微信" * 50_000,
        "@" + "小" * 99_999,
        "http://x.example/?" + "a=1&" * 25_000, "1" + " " * 99_999, "Ann " * 25_000,
    ],
    ids=lambda text: text[:9],
)  # fmt: skip
def test_hostile_text_ends(text):
    assert redact_text(text, regions=ALL, names=["Ann Smith"])
