import pandas as pd
import pytest

from vocwb.collect.redact import choose_regions, redact_text, redact_texts

ALL = choose_regions(["en", "fa", "ar", "bg", "zh"])


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
        "12,345,678", "1.234.567 лв", "۱۵۰۰۰۰۰۰ تومان", "$1,234,567.89", "1 000 000 лв.", "in 2019-2024", "flight 3716",
        "570306133677760513", "meet @5pm", "3 @ 4", "https://example.com/help/contact", "GB29 NWBK 6016 1331 9268 18",
        "4111 1111 1111 1112", "10:30-12:45 daily", "IP 192.168.100.200", "42.697700, 23.321900", "36 38 40 42 44 46",
        "model SM-G9900-12345", "می‌خواهم ۲ عدد", "😀" * 50,
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


def test_hostile_text_takes_no_time():
    for text in (
        "1" * 50_000,
        "1 " * 50_000,
        "@" * 50_000,
        "a@" * 30_000,
        "GB00 " * 20_000,
        "http://" * 10_000,
    ):
        redact_text(text, regions=ALL)
