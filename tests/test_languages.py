import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocwb.errors import ProgrammeError
from vocwb.languages import (
    LANGUAGES,
    ZWNJ,
    describe_language,
    normalise_text,
    stop_words,
    text_direction,
    tokenise_text,
)

languages = pytest.mark.parametrize("language", LANGUAGES)


def test_there_are_five_languages_each_named_in_itself():
    assert list(LANGUAGES) == ["en", "fa", "ar", "bg", "zh"]
    for facts in LANGUAGES.values():
        assert facts.direction == text_direction(facts.name)
        assert facts.direction == ("rtl" if facts.script == "Arabic" else "ltr")


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(ProgrammeError, match=r"'xx'(.|\n)*en, fa, ar, bg, zh"):
        describe_language("xx")


@pytest.mark.parametrize(
    ("language", "spellings"),
    [
        ("fa", ["كتاب‌هاي خوبي", "کتاب‌های خوبی", "کتاب های خوبی", "کِتاب‌های  خوبی"]),
        ("fa", ["نمی‌شود", "نمي شود", "نمی شود", "نمیشود"]),
        ("fa", ["۱۲۳", "١٢٣", "123"]),
        ("ar", ["الخدمة سيئة", "الخدمه سيئه", "الخِدْمَةُ سيّئة", "الخـــدمة سيئة", "ﺍﻟﺨﺪﻣﺔ سيئة"]),
        ("ar", ["أسعار إلى آخر", "اسعار الي اخر"]),
        ("en", ["Café", "CAFÉ", "Cafe\u0301", "c\u200bafé"]),
        ("bg", ["Й", "й", "и\u0306"]),
        ("zh", ["ＡＰＰ　很慢！", "app 很慢!"]),
    ],
)
def test_spellings_of_one_thing_are_matched_as_one(language, spellings):
    assert len({normalise_text(text, language) for text in spellings}) == 1


def test_words_that_only_look_like_persian_verbs_stay_whole():
    for word in ("میز", "میوه", "میدان", "میزان", "میهن", "میان"):
        assert normalise_text(word, "fa") == word


def test_a_zwnj_stands_inside_persian_words_and_nowhere_else():
    assert tokenise_text("کتاب‌فروشی‌های شهر", "fa") == ["کتاب‌فروشی‌های", "شهر"]
    assert tokenise_text(f"{ZWNJ}گران{ZWNJ} بود{ZWNJ}", "fa") == ["گران"]
    assert ZWNJ not in normalise_text(f"خد{ZWNJ}مة", "ar")


def test_arabic_loses_article_and_conjunction_only_where_enough_is_left():
    assert tokenise_text("والخدمة بالمطعم وبصراحة", "ar") == ["خدمه", "مطعم", "بصراحه"]
    assert tokenise_text("وقت فندق كبير لذيذ وجبة بطيء", "ar") == [
        "وقت",
        "فندق",
        "كبير",
        "لذيذ",
        "وجبه",
        "بطيء",
    ]
    assert tokenise_text("الأكل بارد وكان غالي", "ar") == ["اكل", "بارد", "غالي"]


def test_chinese_is_cut_into_words_and_single_letters_with_meaning_stay():
    assert tokenise_text("快递慢，价格贵", "zh") == ["快递", "慢", "价格", "贵"]
    assert tokenise_text("客服電話很差", "zh") == ["客服", "電話", "差"]


@languages
def test_what_a_reader_would_stumble_over_is_no_word(language):
    noise = (
        "https://a.example/x?y=1 www.b.example @VirginAmerica me@example.com &amp; &nbsp; <br/> <a href='x'>"
        " XXXX XX/XX/XXXX [PHONE] 123 ١٢٣ 😡 !!! … " + "kq" * 100
    )
    assert tokenise_text(noise, language) == []


def test_letters_with_digits_and_words_between_smaller_signs_stay():
    assert tokenise_text("covid19, 4G; price <5 and time >3", "en") == ["covid19", "4g", "price", "time"]


def test_apostrophes_make_no_half_words():
    assert tokenise_text("The plane’s wifi didn't work; can’t connect", "en") == [
        "plane",
        "wifi",
        "work",
        "connect",
    ]


@languages
def test_stop_words_are_spelt_as_words_are_matched(language):
    words = stop_words(language)
    assert all(normalise_text(word, language).strip() == word for word in words)
    assert not set(tokenise_text(" ".join(sorted(words)), language)) & words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "bill call order page room website late slow refund"),
        ("fa", "خدمات خوب بد دیر ارسال"),
        ("ar", "خدمة غالي تأخير"),
        ("bg", "екип добър лош евтин нов"),
        ("zh", "客服 慢 贵 差"),
    ],
)
def test_words_that_mean_something_in_feedback_are_no_stop_words(language, words):
    assert not {normalise_text(word, language) for word in words.split()} & stop_words(language)


@languages
@given(text=st.text(max_size=60) | st.text("می کنمهاتر‌ةيaA'ً ا", max_size=30))
def test_any_text_can_be_tokenised_and_normalising_twice_changes_nothing(language, text):
    once = normalise_text(text, language)
    assert all(token.strip() == token and token for token in tokenise_text(text, language))
    assert normalise_text(once, language) == once


@languages
@pytest.mark.parametrize(
    "unit", ["a", "a.", "<a ", "[", "a'", "a-", "می ", ZWNJ, "x", "\x00", "\ud800", "very late "]
)
def test_a_verbatim_made_to_be_slow_is_not(language, unit):
    started = time.process_time()
    tokenise_text(unit * (100_000 // len(unit)), language)
    assert time.process_time() - started < 20  # a quadratic pattern would take hours


def test_direction_is_that_of_the_first_strong_letter():
    assert text_direction("12 سلام hello") == "rtl"
    assert text_direction("“Kalvino” خیلی دیر") == "ltr"
    assert text_direction("\u200fok") == "rtl"
    assert text_direction("123 !?") == text_direction("") == "ltr"
