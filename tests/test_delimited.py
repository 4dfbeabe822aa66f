import csv
import io

import hypothesis
import hypothesis.strategies as st
import pytest

from vocwb.collect.forms import delimited
from vocwb.collect.forms.delimited import read_delimited
from vocwb.collect.forms.rows import EmptyFileError


def read(text, size=1 << 24, cut=None, **given):
    """Return header, rows [(line, values)] and what is set aside."""
    data = text.encode() if isinstance(text, str) else text
    blocks = [data[start : start + cut] for start in range(0, len(data), cut)] if cut else [data]
    parts = list(read_delimited(blocks, file="a.csv", size=size, **given))
    rows = [(row[-1], list(row[:-1])) for part in parts for row in part.records.values.tolist()]
    return list(parts[0].records)[:-1], rows, [bad for part in parts for bad in part.bad]


def test_only_the_records_with_broken_bytes_are_lost():
    data = "id,text\n1,добре\n2,зле\n".encode() + b"3,\xd0caf\xff\n" + "4,чудесно\n".encode()
    _, rows, bad = read(data)
    assert [row[0] for _, row in rows] == ["1", "2", "4"]
    assert bad == [(4, "bytes that are not utf-8", "3,\\xd0caf\\xff")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_quotes_and_embedded_newlines(delimiter):
    text = 'id,text\r\n007,"said ""no"", left\r\nand came back"\r\n8,ok\r\n'.replace(",", delimiter)
    assert read(text)[1] == [(2, ["007", f'said "no"{delimiter} left\r\nand came back']), (4, ["8", "ok"])]


def test_one_column_of_texts_with_commas_is_one_column():
    assert [row for _, row in read("review\nGood, cheap\nBad\n")[1]] == [["Good, cheap"], ["Bad"]]


def test_ragged_rows_keep_their_line_and_raw_text():
    _, rows, bad = read("a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12,,\n", delimiter=",")
    assert [line for line, _ in rows] == [2, 5], "empty cells too many at the end are no fault"
    assert [(line, raw) for line, _, raw in bad] == [(3, "4,5"), (4, "6,7,8,9")]
    assert bad[0][1] == "2 fields where the header has 3"


@pytest.mark.parametrize("cut", [None, 7])
def test_an_open_quote_does_not_swallow_the_records_after_it(cut):
    text = 'id,text,x\n1,"never closed,a\n2,fine,b\n3,fine too,c\n'
    _, rows, bad = read(text, cut=cut)
    assert [row[0] for _, row in rows] == ["2", "3"]
    assert bad == [(2, "a quote is opened and not closed", '1,"never closed,a')]


def test_lines_are_counted_from_the_top_of_the_file():
    _, rows, bad = read("Report of May\n\na,b\n1,2\n3\n", skip_lines=1)
    assert rows == [(4, ["1", "2"])]
    assert bad[0][0] == 5


def test_columns_without_a_name_or_with_the_same_are_told_apart():
    assert read("a,,a\n1,2,3\n")[0] == ["a", "column 2", "a (3)"]


def test_a_name_that_looks_like_a_numbered_one_is_told_apart_too():
    header = read("a,a (3),a,_line\n1,2,3,4\n")[0]
    assert len(set(header)) == 4 and header[:2] == ["a", "a (3)"]


def test_a_header_of_several_rows_names_columns_together():
    text = (
        'StartDate,Q1\nStart Date,"How,\nwas it?"\n"{""ImportId"":""start""}","{""ImportId"":""QID1""}"\n'
        "2025-01-01,Fine\n2025-01-02\n"
    )
    header, rows, bad = read(text, header_rows=3)
    assert header[1] == 'Q1 / How,\nwas it? / {"ImportId":"QID1"}'
    assert rows == [(5, ["2025-01-01", "Fine"])]
    assert [line for line, *_ in bad] == [6]


def test_an_upper_header_stands_over_the_columns_that_the_row_below_names():
    text = "Id,Which do you use?,,,Why?\n,App,Web,Other,Open-Ended Response\n\n1,App,,,because\n"
    header, rows, _ = read(text, header_rows=2)
    whole = [f"Which do you use? / {one}" for one in ("App", "Web", "Other")]
    assert header == ["Id", *whole, "Why? / Open-Ended Response"]
    assert rows == [(4, ["1", "App", "", "", "because"])]
    assert read("a,b\n", header_rows=3)[:2] == (["a", "b"], []), "a file that ends in its header"


def test_a_record_of_blanks_is_set_aside_and_a_blank_line_is_none():
    _, rows, bad = read("a,b\n\n,\n1,2\n")
    assert [line for line, *_ in bad] == [3]
    assert [line for line, _ in rows] == [4]


def test_a_very_long_field_is_read():
    assert read("a,b\n1," + "x" * 200_000 + "\n")[1][0][1][1] == "x" * 200_000


def test_a_file_of_a_byte_order_mark_or_blanks_is_empty():
    for data in (b"", b"\xef\xbb\xbf", b" \n\r\n"):
        with pytest.raises(EmptyFileError):
            read(data)


def test_a_quote_that_stays_open_to_the_end_is_not_lost():
    _, rows, bad = read('a,b\n1,x\n2,"y\n', delimiter=",")
    assert rows == [(2, ["1", "x"])]
    assert bad == [(3, "a quote is opened and not closed", '2,"y')]


PIECES = st.sampled_from(
    ["a", "b", '"', '""', ",", "\n", "\r\n", "1,2,3\n", "x,y,z\n", '"q\nr",s,t\n', "é", "\r", '"a","b","c"\n', "\n\n",
     ",,\n", '"x""y",1,2\n', " ", '5" tv,a,b\n', "ا,ب,پ\n", "\0"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=24).map("".join)


@hypothesis.settings(max_examples=400)
@hypothesis.given(text=TEXTS, cut=st.integers(1, 60), size=st.integers(1, 60), broken=st.booleans())
def test_blocks_and_the_quick_way_read_what_the_careful_way_reads(text, cut, size, broken):
    """Arrow reads a block only where Python's csv would say the same, and a block may end anywhere."""
    data = ("h1,h2,h3\n" + "1,2,3\n" * 201 + text).encode()
    data = data.replace("é".encode(), b"\xe9") if broken else data
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_read_fast", lambda *given: (None, 0))
        careful = read(data, delimiter=",")
    assert read(data, delimiter=",") == careful
    assert read(data, delimiter=",", cut=cut, size=size) == careful


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@hypothesis.given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS).filter(any), min_size=1, max_size=30),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_program_wrote_is_read_back(rows, delimiter, end):
    csv.writer(
        stream := io.StringIO(), delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL
    ).writerows([("h1", "h2", "h3"), *rows])
    _, found, bad = read(stream.getvalue(), delimiter=delimiter)
    assert [tuple(row) for _, row in found] == rows
    assert not bad
