"""Spans: the sentences and clauses of a verbatim, in five languages, whatever is in it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocwb.languages import LANGUAGES
from vocwb.understand.spans import LONGEST_SPAN, split_spans


def split(text, language="en"):
    return [text[start:end] for start, end in split_spans(text, language)]


@pytest.mark.parametrize(
    ("language", "text", "parts"),
    [
        ("en", "The room was spotless. Breakfast was cold!", ["The room was spotless.", "Breakfast was cold!"]),
        ("en", "Lovely staff but the food was awful", ["Lovely staff", "but the food was awful"]),
        ("en", "Clean and quiet room, friendly night staff", ["Clean and quiet room,", "friendly night staff"]),
        ("fa", "کیفیت دوربین عالی است ولی باتری زود تمام می‌شود", ["کیفیت دوربین عالی است", "ولی باتری زود تمام می‌شود"]),
        ("fa", "چرا سفارش من نرسید؟ سه بار زنگ زدم.", ["چرا سفارش من نرسید؟", "سه بار زنگ زدم."]),
        ("ar", "الطعام لذيذ جدا لكن الخدمة بطيئة", ["الطعام لذيذ جدا", "لكن الخدمة بطيئة"]),
        ("ar", "المندوب تأخر كثيرا؛ والصندوق كله مكسور", ["المندوب تأخر كثيرا؛", "والصندوق كله مكسور"]),
        ("bg", "Храната беше чудесна, но чакахме цял час", ["Храната беше чудесна,", "но чакахме цял час"]),
        ("zh", "房間乾淨又大。早餐種類太少！", ["房間乾淨又大。", "早餐種類太少！"]),
        ("zh", "味道非常不错，但是送餐太慢了", ["味道非常不错，", "但是送餐太慢了"]),
        ("zh", "環境很乾淨 醫生有耐心 等候太久", ["環境很乾淨", "醫生有耐心", "等候太久"]),
        ("zh", "看病認真點好嗎.不要隨便敷衍", ["看病認真點好嗎.", "不要隨便敷衍"]),
        ("fa", "جنسش خوب نبود.دیر هم رسید", ["جنسش خوب نبود.", "دیر هم رسید"]),
        ("en", "The nurse was wonderful .Thank you", ["The nurse was wonderful .", "Thank you"]),
        ("ar", "العمال اخلاقهم سيئة   التأخير في الطلبات كبير", ["العمال اخلاقهم سيئة", "التأخير في الطلبات كبير"]),
    ],
)  # fmt: skip
def test_sentences_and_opposed_clauses_are_spans(language, text, parts):
    assert split(text, language) == parts


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Dr. Smith saw me at 10.30 a.m. for e.g. 3.5 minutes, i.e. 1,000 times less than promised"),
        ("en", "The form at https://shop.example.com/a.b?c=1,2;d!e asks for the same thing again"),
        ("en", "I waited... and waited"),
        ("en", "No help from the staff &amp; no reply by mail"),
        ("zh", "停車場、電梯、廁所、櫃檯都有清楚的標示"),
        ("en", "It was nothing but a waste of a good evening"),
        ("en", "When I finally came home, nobody had delivered it"),
        ("bg", "Казаха ми, че поръчката ще пристигне в 10 ч. сутринта на ул. Шипка"),
        ("bg", "Платих 12.50 лв. за доставка до гр. София"),
        ("zh", "這家店不但便宜而且再好不過"),
        ("fa", "فکر می‌کنم، که این گوشی ارزش خرید دارد"),
        ("ar", "قال لي د. أحمد إن الموعد 3.5 ساعات"),
    ],
)
def test_what_ends_no_sentence_does_not_split(language, text):
    assert split(text, language) == [text]


def test_a_short_remark_joins_the_sentence_it_sums_up():
    assert split("The plane left two hours late. Awful! The crew was kind.") == [
        "The plane left two hours late. Awful!", "The crew was kind.",
    ]  # fmt: skip


def test_list_items_are_spans_and_wrapped_lines_are_not():
    items = "What I would change:\n- longer opening hours\n- more seats in the waiting room"
    assert split(items) == [
        "What I would change:",
        "- longer opening hours",
        "- more seats in the waiting room",
    ]
    wrapped = "I ordered the lamp in the first week of March and was promised that it\nwould come within three days."
    assert split(wrapped) == [wrapped]


def test_a_run_on_text_without_punctuation_is_cut_between_words():
    text = (
        "the bus came late and then the driver went away without us so we walked home in the rain again " * 12
    )
    parts = split(text)
    assert len(parts) > 2
    assert " ".join(parts).split() == text.split()
    assert all(sum(map(str.isalnum, part)) <= LONGEST_SPAN for part in parts)


def test_no_text_and_no_letters():
    assert split("") == split("  \n ") == []
    assert split(" 👍👍!!! ") == ["👍👍!!!"]


@given(
    st.text(
        alphabet=st.sampled_from("aB .,!?…\n\r\u2028，。但но ولی but 3👍-\u200c\u0301https://x"), max_size=300
    ),
    st.sampled_from([*LANGUAGES, "other"]),
)
def test_spans_are_stripped_in_order_and_hold_every_letter(text, language):
    spans = split_spans(text, language)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    held = {place for start, end in spans for place in range(start, end)}
    assert held >= {place for place, letter in enumerate(text) if letter.isalnum()}


@pytest.mark.parametrize(
    "piece", ["a", " ", ".", ",", "好", "a.", "but ", "http://", "1,", "、 ", "\n", "😀", "é. "]
)
def test_a_megabyte_of_one_thing_ends_and_stays_bounded(piece):
    text = piece * (1_000_000 // len(piece))
    spans = split_spans(text, "zh" if piece == "好" else "en")
    assert len(spans) <= 250_000
    assert all(text[start:end].strip() for start, end in spans[:100])
