"""Search in context and narrowing: what is found, where it stands, and what is refused."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocwb.errors import ProgrammeError
from vocwb.understand.search import narrow_opinions, search_verbatims


def search(query, *verbatims, **options):
    rows = [(f"f{number}", language, text) for number, (language, text) in enumerate(verbatims)]
    return search_verbatims(
        pd.DataFrame(rows, columns=["feedback_id", "language", "verbatim"]), query, **options
    )


@pytest.mark.parametrize(
    ("language", "text", "query", "match"),
    [
        ("en", "My PARCEL was late", "parcel", "PARCEL"),
        ("en", "the re\u0301sume\u0301 form", "résumé", "re\u0301sume\u0301"),
        ("en", "Soooo slow", "soo", "Soooo"),
        ("fa", "كيفيت خوب است", "کیفیت", "كيفيت"),
        ("fa", "نمی شود خرید", "نمی\u200cشود", "نمی شود"),
        ("fa", "ميشود گفت", "می شود", "ميشود"),
        ("fa", "این کتاب\u200cها", "کتاب ها", "کتاب\u200cها"),
        ("fa", "قیمت ۱۲۰ تومان", "120", "۱۲۰"),
        ("ar", "والخدمةُ ممتازة", "خدمه", "والخدمة\u064f"),
        ("ar", "وصلت للمطعم متأخرا", "مطعم", "للمطعم"),
        ("bg", "КУРИЕРЪТ не звънна", "куриер*", "КУРИЕРЪТ"),
        ("zh", "客服態度很差", "態度", "態度"),
        ("zh", "客服 態度很差", '"客服態度"', "客服 態度"),
        ("other", "Die Straße", "STRASSE", "Straße"),
    ],
)
def test_a_word_is_found_however_it_is_spelt(language, text, query, match):
    found = search(query, (language, text))
    assert found["match"].tolist() == [match]
    assert [text[start:end] for start, end in found[["start", "end"]].values] == [match]


def test_all_words_must_stand_and_a_phrase_side_by_side():
    texts = [("en", "late parcel"), ("en", "late again"), ("en", "a parcel, late")]
    assert set(search("parcel late", *texts)["feedback_id"]) == {"f0", "f2"}
    assert set(search('"late parcel"', *texts)["feedback_id"]) == {"f0"}
    assert set(search("“late parcel", *texts)["feedback_id"]) == {"f0"}


def test_a_word_is_whole_unless_it_ends_in_an_asterisk():
    texts = [("en", "cart"), ("en", "carton"), ("en", "my cart.")]
    assert set(search("cart", *texts)["feedback_id"]) == {"f0", "f2"}
    assert set(search("cart*", *texts)["feedback_id"]) == {"f0", "f1", "f2"}


def test_the_context_is_the_verbatims_own():
    text = "a" * 80 + " late\nbus " + "b" * 80
    row = search("late", ("en", text), width=10).iloc[0]
    assert (row["before"], row["after"]) == ("a" * 9 + " ", " bus bbbbb")
    assert text[row["start"] : row["end"]] == "late"


def test_many_hits_are_bounded_and_the_total_is_stated():
    found = search("late", *[("en", "late late")] * 30, most=7)
    assert (len(found), found.attrs["total"], found.attrs["verbatims"]) == (7, 60, 30)


def test_languages_narrow_the_search():
    texts = [("en", "app"), ("fa", "app")]
    assert search("app", *texts, languages=["fa"])["language"].tolist() == ["fa"]


@pytest.mark.parametrize("query", ["", "  ", "*", '""', '"', '" * "'])
def test_an_empty_query_finds_nothing(query):
    assert search(query, ("en", 'so "late" * ')).empty


@pytest.mark.parametrize("query", ["(", "[a", "a{9999999}", "\\", ".*", "(a+)+$", "late|bus", "^late"])
def test_a_query_is_never_a_pattern(query):
    assert search(query, ("en", "late bus aaaa")).empty


@given(st.text(max_size=40), st.text(max_size=12), st.sampled_from(["en", "fa", "ar", "bg", "zh", "other"]))
def test_offsets_hold_for_any_text_and_query(text, query, language):
    for row in search(query, (language, text)).itertuples():
        assert 0 <= row.start < row.end <= len(text)
        assert text[row.start : row.end] == row.match


OPINIONS = pd.DataFrame(
    {
        "channel": ["call", "chat", None, "call"],
        "rating": [1.0, 5.0, None, 4.0],
        "language": ["en", "fa", "ar", "en"],
        "received_at": pd.to_datetime(["2025-01-05", "2025-02-05", None, "2025-03-05"], utc=True),
        "month": ["2025-01", "2025-02", "2025-02", "2025-03"],
    }
)


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("", [0, 1, 2, 3]),
        ("channel == 'call' and rating <= 2", [0]),
        ("language in ['fa', 'ar'] or rating == 4", [1, 2, 3]),
        ("not (channel == 'call')", [1, 2]),
        ("language not in ('en',)", [1, 2]),
        ("channel != 'call'", [1, 2]),
        ("1 < rating <= 5", [1, 3]),
        ("rating > -1", [0, 1, 3]),
        ("channel is None", [2]),
        ("channel is not None and month >= '2025-02'", [1, 3]),
        ("received_at >= '2025-02-01'", [1, 3]),
        ("'chat' == channel", [1]),
    ],
)
def test_a_condition_narrows(where, rows):
    assert narrow_opinions(OPINIONS, where).index.tolist() == rows


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("chanel == 'call'", ["'chanel'", "Did you mean 'channel'", "channel, rating, language"]),
        ("channel == 'cal'", ["'cal'", "Did you mean 'call'", "call, chat"]),
        ("language in ['en', 'farsi']", ["'farsi'", "ar, en, fa"]),
        ("rating == 'good'", ["'rating' holds numbers"]),
        ("channel == 3", ["'channel' holds words"]),
        ("received_at > 'soon'", ["'received_at' holds dates"]),
        ("channel = 'call'", ["cannot be read"]),
        ("channel == 'call", ["cannot be read"]),
        ("channel == language", ["one must be a column"]),
        ("channel", ["not a comparison"]),
    ],
)
def test_an_error_says_what_there_is(where, said):
    with pytest.raises(ProgrammeError) as error:
        narrow_opinions(OPINIONS, where)
    assert all(part in str(error.value) for part in said), str(error.value)


@pytest.mark.parametrize(
    "where",
    [
        "__import__('os').system('true')", "channel.str.len() > 2", "rating ** 9999 > 1", "[r for r in rating]",
        "lambda: 1", "(rating := 3) == 3", "f'{channel}' == 'call'", "rating if rating else 1", "rating[0] == 1",
        "(" * 500, "not " * 480 + "rating == 1" + " and " * 200, "rating == " + "-" * 900 + "1", "\0",
        "rating == 1" + " or rating == 1" * 500,
    ],
)  # fmt: skip
def test_anything_but_comparisons_is_refused(where):
    with pytest.raises(ProgrammeError):
        narrow_opinions(OPINIONS, where)
