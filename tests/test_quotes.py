"""Quotes: chosen by a rule that nobody can bend, and never shown unless they were said."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import HOSTILE

from vocwb.errors import ReportError
from vocwb.share.quotes import check_page, check_quotes, choose_quotes, direction_of, quote_html, tag_language


def make_opinions(*texts, **columns):
    ids = [f"f{number:02d}" for number in range(len(texts))]
    frame = pd.DataFrame({"feedback_id": ids, "verbatim": list(texts)})
    fixed = {"language": "en", "channel": "survey", "respondent_id": None, "response_id": ids}
    return frame.assign(**(fixed | columns))


def show(text, language="en"):
    found = choose_quotes(make_opinions(text, language=language), ["f00"])
    return quote_html(found.iloc[0])


def test_a_readable_text_goes_before_a_short_and_a_long_one():
    opinions = make_opinions("ok", "x" * 900, "The parcel came a week late, and nobody told me why.")
    assert choose_quotes(opinions, list(opinions["feedback_id"]))["feedback_id"].tolist() == [
        "f02",
        "f01",
        "f00",
    ]


def test_languages_channels_and_people_take_turns():
    text = "A sentence of a length that is easily read, number {}"
    opinions = make_opinions(
        *(text.format(n) for n in range(6)),
        channel=["survey"] * 4 + ["chat"] * 2,
        respondent_id=["a", "a", "a", "b", "c", "d"],
    )
    assert choose_quotes(opinions, list(opinions["feedback_id"]), most=2)["feedback_id"].tolist() == [
        "f00",
        "f04",
    ]


def test_nobody_is_quoted_twice_with_the_same_words_and_row_order_does_not_matter():
    opinions = make_opinions(
        *["Late again, for the third time this month."] * 5, "The driver was kind and waited for me."
    )
    ids = list(opinions["feedback_id"])
    chosen = choose_quotes(opinions, ids)
    assert chosen["feedback_id"].tolist() == ["f00", "f05"]
    pd.testing.assert_frame_equal(chosen, choose_quotes(opinions.sample(frac=1, random_state=1), ids[::-1]))


def test_a_long_text_is_cut_at_a_sentence_and_stays_an_exact_part():
    opinions = make_opinions("A first sentence that says something. " * 20)
    quote = choose_quotes(opinions, ["f00"]).iloc[0]
    assert quote["text"].endswith(".") and 100 < len(quote["text"]) <= 280
    check_quotes(choose_quotes(opinions, ["f00"]), opinions)


def test_nothing_to_quote_gives_no_quotes():
    assert choose_quotes(make_opinions("said"), []).empty


@given(st.text(min_size=1, max_size=700).filter(lambda text: "\0" not in text))
def test_every_text_survives_the_page_byte_for_byte(text):
    opinions = make_opinions(text)
    page = "".join(quote_html(quote) for quote in choose_quotes(opinions, ["f00"]).to_dict("records"))
    assert check_page(page, opinions) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_adds_no_element_and_no_attribute(text):
    shown = show(text)
    harmless = show("harmless")
    assert shown.count("<") == harmless.count("<")
    assert shown.count('="') - harmless.count('="') in (0, 1)  # class="part" of a text that was cut


@pytest.mark.parametrize(
    "changed", [str.upper, lambda text: text + " ", lambda text: text[:-1], lambda text: "…" + text]
)
def test_a_page_with_a_changed_quote_is_refused_and_the_id_is_named(changed):
    opinions = make_opinions("Late again, for the third time this month.")
    page = str(show(opinions["verbatim"][0]))
    assert check_page(page, opinions) == 1
    broken = page.replace(
        "Late again, for the third time this month.", changed("Late again, for the third time this month.")
    )
    with pytest.raises(ReportError, match="f00"):
        check_page(broken, opinions)


def test_a_quote_of_unknown_feedback_is_refused():
    with pytest.raises(ReportError, match="f99"):
        check_quotes(pd.DataFrame({"feedback_id": ["f99"], "text": ["x"]}), make_opinions("x"))


def test_the_page_is_read_as_a_browser_reads_it():
    opinions = make_opinions('a < b & c\r\n"d"')
    assert "&#13;" in show(opinions["verbatim"][0])
    assert check_page(f"<div>{show(opinions['verbatim'][0])}</div>", opinions) == 1


@pytest.mark.parametrize(
    ("text", "language", "direction"),
    [
        ("Kalvino خیلی دیر آورد", "fa", "rtl"),
        ("سلام", "other", "rtl"),
        ("fine", "ar", "ltr"),
        ("Добре", "bg", "ltr"),
    ],
)
def test_direction_follows_the_language_and_the_letters(text, language, direction):
    assert direction_of(text, language) == direction
    assert f'dir="{direction}"' in show(text, language)


def test_traditional_and_simplified_chinese_are_tagged_apart():
    assert [tag_language(text, "zh") for text in ("訂單說三天到", "订单说三天到", "一二三")] == [
        "zh-Hant",
        "zh-Hans",
        "zh",
    ]
