import datetime
import io
import json
from pathlib import Path

import openpyxl
import pytest
import yaml

from vocwb.collect.readers import EmptyFileError, decode_text, read_delimited, read_json, read_sheet
from vocwb.errors import SourceError

ROOT = Path(__file__).parent.parent
BULGARIAN = (
    "номер;отзив\n1;Доставката закъсня с цяла седмица\n2;Куриерът беше много любезен и внимателен\n" * 4
)


def make_book(*sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(stream := io.BytesIO())
    return stream.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1251"])
def test_encoding_is_found(encoding):
    text, found = decode_text(BULGARIAN.encode(encoding), file="a.csv")
    assert text == BULGARIAN, found


@pytest.mark.parametrize(("language", "encoding"), [("ar", "cp1256"), ("bg", "cp1251"), ("zh", "cp950")])
def test_code_pages_of_the_five_languages_are_found(language, encoding):
    bank = yaml.safe_load(
        (ROOT / "data" / "sample" / "texts" / f"{language}.yml").read_text(encoding="utf-8")
    )
    lines = [line for line in bank["filler"] + bank["generic_negative"] if can_encode(line, encoding)]
    text = "\n".join(["text", *lines])
    assert decode_text(text.encode(encoding), file="a.csv")[0] == text


def can_encode(text, encoding):
    return text.encode(encoding, "ignore").decode(encoding) == text


def test_an_encoding_in_doubt_is_a_question_that_names_what_was_tried():
    with pytest.raises(SourceError, match=r"in doubt.*\n.*utf-8.*guess, confidence.*\n.*encoding: "):
        decode_text("id,text\n1,Très bon\n".encode("latin-1"), file="a.csv")


def test_a_wrongly_declared_encoding_is_refused():
    with pytest.raises(SourceError, match="in doubt"):
        decode_text(BULGARIAN.encode("cp1251"), file="a.csv", declared="utf-8")
    with pytest.raises(SourceError, match="no encoding 'utf-9'"):
        decode_text(b"a", file="a.csv", declared="utf-9")


def test_only_the_records_with_broken_bytes_are_lost():
    data = "id,text\n1,добре\n2,зле\n".encode() + b"3,\xd0caf\xff\n" + "4,чудесно\n".encode()
    text, encoding = decode_text(data, file="a.csv")
    found = read_delimited(text, file="a.csv", encoding=encoding)
    assert [row[0] for _, row in found.rows] == ["1", "2", "4"]
    assert found.bad == [(4, "bytes that are not utf-8", "3,\\xd0caf\\xff")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_quotes_and_embedded_newlines(delimiter):
    text = 'id,text\r\n007,"said ""no"", left\r\nand came back"\r\n8,ok\r\n'.replace(",", delimiter)
    found = read_delimited(text, file="a.csv")
    assert found.rows == [(2, ["007", f'said "no"{delimiter} left\r\nand came back']), (4, ["8", "ok"])]


def test_one_column_of_texts_with_commas_is_one_column():
    assert [row for _, row in read_delimited("review\nGood, cheap\nBad\n", file="a.csv").rows] == [
        ["Good, cheap"],
        ["Bad"],
    ]


def test_ragged_rows_keep_their_line_and_raw_text():
    found = read_delimited("a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12,,\n", file="a.csv", delimiter=",")
    assert [line for line, _ in found.rows] == [2, 5], "empty cells too many at the end are no fault"
    assert [(line, raw) for line, _, raw in found.bad] == [(3, "4,5"), (4, "6,7,8,9")]
    assert found.bad[0][1] == "2 fields where the header has 3"


def test_an_open_quote_does_not_swallow_the_records_after_it():
    text = 'id,text,x\n1,"never closed,a\n2,fine,b\n3,fine too,c\n'
    found = read_delimited(text, file="a.csv")
    assert [row[0] for _, row in found.rows] == ["2", "3"]
    assert found.bad == [(2, "a quote is opened and not closed", '1,"never closed,a')]


def test_lines_are_counted_from_the_top_of_the_file():
    found = read_delimited("Report of May\n\na,b\n1,2\n3\n", file="a.csv", skip_lines=1)
    assert found.rows == [(4, ["1", "2"])]
    assert found.bad[0][0] == 5


def test_columns_without_a_name_or_with_the_same_are_told_apart():
    assert read_delimited("a,,a\n1,2,3\n", file="a.csv").header == ["a", "column 2", "a (3)"]


def test_a_record_of_blanks_is_set_aside_and_a_blank_line_is_none():
    found = read_delimited("a,b\n\n,\n1,2\n", file="a.csv")
    assert [line for line, *_ in found.bad] == [3]
    assert [line for line, _ in found.rows] == [4]


def test_a_very_long_field_is_read():
    assert read_delimited("a,b\n1," + "x" * 200_000 + "\n", file="a.csv").rows[0][1][1] == "x" * 200_000


def test_sheet_values_stand_as_they_are_seen():
    day = datetime.datetime(2025, 1, 31)
    rows = [
        ["id", "when", "score", "ok"],
        [7, day, 4.0, True],
        [None] * 4,
        [8, day.replace(hour=9), 4.5, None],
    ]
    found = read_sheet(make_book(("Data", rows)), file="a.xlsx")
    assert found.rows == [
        (2, ["7", "2025-01-31", "4", "True"]),
        (4, ["8", "2025-01-31 09:00:00", "4.5", None]),
    ]


def test_a_sheet_is_named_or_the_first():
    data = make_book(("Notes", [["a"], ["1"]]), ("Answers", [["title"], ["b"], ["2"]]))
    assert read_sheet(data, file="a.xlsx").header == ["a"]
    assert read_sheet(data, file="a.xlsx", sheet="Answers", skip_lines=1).rows == [(3, ["2"])]
    with pytest.raises(SourceError, match=r"no sheet 'Answer'.*\nSheets: Notes, Answers"):
        read_sheet(data, file="a.xlsx", sheet="Answer")


def test_a_cell_beyond_the_header_sets_the_row_aside():
    found = read_sheet(make_book(("S", [["a", "b"], [1, 2], [3, 4, "lost?"]])), file="a.xlsx")
    assert [(line, json.loads(raw)) for line, _, raw in found.bad] == [(3, ["3", "4", "lost?"])]


def test_what_is_no_workbook_is_refused():
    with pytest.raises(SourceError, match="not a workbook"):
        read_sheet(b"id,text\n1,a\n", file="a.xlsx")
    with pytest.raises(EmptyFileError):
        read_sheet(make_book(("S", [])), file="a.xlsx")


def test_json_keeps_numbers_exact_and_flattens_objects():
    text = '{"data": {"rows": [{"id": 570306133677760513, "by": {"name": "A"}, "n": 1.10, "t": [1], "x": null}, 7]}}'
    found = read_json(text, file="a.json", record_path=["data", "rows"])
    assert found.rows == [
        (1, {"id": "570306133677760513", "by.name": "A", "n": "1.10", "t": '["1"]', "x": None})
    ]
    assert found.bad[0][:2] == (2, "not an object")


def test_json_errors_name_what_is_there():
    with pytest.raises(SourceError, match=r"record_path has no 'rows'.*\nThere: data, more"):
        read_json('{"data": [], "more": 1}', file="a.json", record_path=["rows"])
    with pytest.raises(SourceError, match="not JSON"):
        read_json("[{]", file="a.json")
    with pytest.raises(SourceError, match="not JSON"):
        read_json("[" * 100_000, file="a.json")


def test_a_bad_line_of_json_lines_is_set_aside():
    found = read_json('{"a": 1}\n{"a": \n\n[1]\n{"a": "\\ud83d"}\n', file="a.jsonl", lines=True)
    assert [line for line, _ in found.rows] == [1, 5]
    assert [(line, raw) for line, _, raw in found.bad] == [(2, '{"a": '), (4, "[1]")]
    found.rows[1][1]["a"].encode()
