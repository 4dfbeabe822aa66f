import ftfy
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocwb.collect.clean import (
    blank_to_missing,
    html_to_text,
    parse_numbers,
    repair_text,
    repair_texts,
)


def test_numbers_in_any_digits_and_nothing_else():
    numbers = parse_numbers(pd.Series(["۷", "٤٫٥", "4,5", " 10 ", "-1", "1e3", "inf", "0x1F", "ten", None]))
    assert numbers.fillna(-99).tolist() == [7, 4.5, 4.5, 10, -1, -99, -99, -99, -99, -99]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1 234,50", 1234.5), ("1\u202f234", 1234), ("1'234.5", 1234.5),
        ("1,234,567", 1234567), ("1.234.567", 1234567), ("0,125", 0.125), ("3.125", 3.125), ("۱٬۲۳۴٫۵", 1234.5),
        ("4/5", 4), ("4 out of 5", 4), ("۴ از ۵", 4), ("٤ من ٥", 4), ("4 от 5", 4), ("4,5/5", 4.5), ("7/5", None),
        ("★★★★☆", 4), ("★★★½", 3.5), ("⭐️⭐️", 2), ("☆☆☆☆☆", 0), ("5 stars", 5), ("4.5 stars", 4.5), ("５星", 5),
        ("۵ ستاره", 5), ("5分", 5), ("85%", 85), ("۸۵٪", 85), ("−2", -2),
        ("4 – Good", 4), ("10 - extremely likely", 10), ("5: Very satisfied", 5), ("1 = poor", 1), ("4 (Good)", 4),
        ("Very satisfied (5)", 5), ("۱۰ - خیلی زیاد", 10),
        ("2 - 3 times", None), ("10-20", None), ("3 weeks", None), ("v2", None), ("03/05/2021", None),
        ("5.7E+17", None), ("9" * 400, None), ("1,2,3", None), ("I gave it 5 stars", None), ("5 stars but late", None),
    ],
)  # fmt: skip
def test_numbers_that_are_sure_are_read(written, number):
    read = parse_numbers(pd.Series([written]))[0]
    assert pd.isna(read) if number is None else read == number


def test_three_digits_after_a_comma_are_read_as_the_column_writes():
    def read(*written):
        return parse_numbers(pd.Series(written)).fillna(-1).tolist()

    assert read("1,234") == [-1]
    assert read("1,234", "2,5") == [1.234, 2.5]
    assert read("2.5", "1,234") == [2.5, 1234]
    assert read("1,234.5", "1,234") == [1234.5, 1234]
    assert read("1,234", "2,5", "3.5") == [-1, 2.5, 3.5]


def test_numbers_keep_their_rows():
    numbers = parse_numbers(pd.Series(["4 out of 5", None, "3"], index=[5, 5, 2]))
    assert numbers.index.tolist() == [5, 5, 2] and numbers.fillna(-1).tolist() == [4, -1, 3]


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
    for text in (
        "<!--" * 20_000,
        "<script>" * 5_000,
        "<a " * 50_000,
        "&" * 100_000,
        "< " * 100_000,
        "<div style='display:none'>" * 20_000 + "</div>",
    ):
        repair_text(text)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (
            "<p>See <a href='http://x.example'>the page</a>, it&nbsp;is <b>bad</b>.</p>",
            "See the page, it is bad.",
        ),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<table><tr><td>Price</td><td>5 €</td></tr><tr><th>Tax</th></tr></table>", "Price 5 €\nTax"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<html><head><title>No</title><style>p{}</style></head><body>Yes</body></html>", "Yes"),
        ("<p>one\ntwo</p><pre>three\nfour</pre>", "one two\nthree\nfour"),
        ("line one\nline <b>two</b>", "line one\nline two"),
        ("<div style='color:red; display: none'>pre<div>in</div>header</div><p>Hi</p>", "Hi"),
        ("<p hidden>no</p>yes <span style='display:none'>never closed", "yes never closed"),
        ("<p>Good <img alt='😀' src='a.png'><img alt='Logo of the shop' src='b.png'></p>", "Good 😀"),
        (
            "<p>New</p><blockquote>old<blockquote>older<br>oldest</blockquote></blockquote>!",
            "New\n> old\n> > older\n> > oldest\n!",
        ),
        ("<p>if a < b and <name> is &lt;b&gt;, <3</p>", "if a < b and <name> is <b>, <3"),
        ("<p title='a > b'>x</p><o:p></o:p><![if !mso]>y<![endif]>", "x\ny"),
        ("<P>سلام\u200c‌ها\u200f</P>", "سلام\u200c‌ها\u200f"),
        ("a<script>if (a < b) { alert('</p>') }</script>b<!-- <p>c</p> -->", "a b"),
    ],
)
def test_html_is_read_as_people_see_it(markup, text):
    assert repair_text(markup) == text


@pytest.mark.parametrize(
    "text",
    [
        "I typed <address> and <title> into the form", "<3 you, 3 > 2", "a<b", "use the <br key", "x <script y",
        "</script> hi",
        "👨‍👩‍👧 ☺️ 🏴󠁧󠁢󠁷󠁬󠁳󠁿", "قیمت ۱۲ ﷼ و ﻻ", "ＡＢＣ，很好！", "\u2067متن\u2069 \u061cو", "naïve créée Überfluß",
        "SÍÍÍÍ ÓÓÓÓÓ", "її європейської", "Ё-моё, № 5", "«Да»… – каза той „така“", "ÄÖÜÄÖÜ ÉÈ", "100 £ – 20 °C",
    ],
)  # fmt: skip
def test_what_people_write_is_left_as_it_is(text):
    assert repair_text(text) == text


SENTENCES = [
    "Добър филм, но много дълъг.", "ДОБЪР ФИЛМ, БРАВО", "المطعم جميل والخدمة ممتازة", "كل شيء جميل في هذا المكان",
]  # fmt: skip


@pytest.mark.parametrize("text", SENTENCES)
def test_cyrillic_and_arabic_read_as_latin_are_mended(text):
    page = "windows-1251" if text[0] > "А" and text[0] < "я" else "windows-1256"
    for wrong in ("latin-1", "sloppy-windows-1252"):
        assert repair_text(text.encode(page).decode(wrong)) == text
        assert repair_text("<p>" + text.encode(page).decode(wrong) + "</p>") == text


@pytest.mark.parametrize(
    "text", [*SENTENCES, "خدمات خیلی خوب بود، ممنون", "café – “très bien” 😀", "水壶漏水了"]
)
@pytest.mark.parametrize("wrong", ["latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "windows-1256"])
def test_utf8_read_as_a_code_page_is_mended(text, wrong):
    try:
        damaged = text.encode().decode(wrong)
    except UnicodeDecodeError:
        return
    is_known = wrong != "windows-1256" or any("\u0600" <= letter <= "\u06ff" for letter in text)
    assert (repair_text(damaged) == text) >= is_known


def test_the_sign_that_a_spreadsheet_writes_goes():
    assert repair_text("=@shop why?") == "@shop why?"
    assert repair_text("=) nice") == "=) nice"


def damage(text, page, cut):
    raw = text.encode()
    return (raw[:cut] + b"?" + raw[cut + 1 :]).decode(page, "replace")


@given(
    st.lists(
        st.sampled_from(["é", "’", "…", "😀", "добре", "جيد", "می‌خواهم", "很好", " ", "a", "à ", "ё"]),
        min_size=1,
    ),
    st.sampled_from(["latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "macroman", "cp437"]),
    st.integers(0, 30),
)
def test_nothing_that_ftfy_mends_is_passed_by(pieces, page, cut):
    damaged = damage("".join(pieces), page, cut)
    assert repair_text(damaged) == repair_text(ftfy.fix_encoding(damaged))


@given(
    st.text()
    | st.lists(
        st.sampled_from(["<p>", "</p>", "<b", "<!--", "-->", "<script>", "&lt;", "a", "\n", " ", "<pre>"])
    ).map("".join)
)
def test_any_text_is_repaired_without_a_crash(text):
    repaired = repair_text(text)
    assert repaired == repaired.strip() and "\x00" not in repaired
    repaired.encode()
    html_to_text(text)
