import pandas as pd
import pytest

from vocwb.collect.clean import (
    blank_to_missing,
    parse_numbers,
    repair_text,
    repair_texts,
)


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
