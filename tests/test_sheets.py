import contextlib
import datetime
import io
import json
import re
import zipfile

import hypothesis.strategies as st
import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings

from vocwb.collect.forms.rows import EmptyFileError
from vocwb.collect.forms.sheets import find_header, list_sheets, read_sheets
from vocwb.errors import SourceError

SEEN = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def save(book):
    book.save(stream := io.BytesIO())
    return stream.getvalue()


def make_book(*sheets, merge=()):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for area in merge:
            sheet.merge_cells(area)
    return save(book)


def rewrite(data, change):
    """Change the parts of a workbook: change(name, bytes) gives the new bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream := io.BytesIO(), "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return stream.getvalue()


def with_cells(cells):
    """A workbook whose sheet has a header and one row of cells, written as XML by hand."""
    letters = "ABCDEFGH"[: len(cells)]
    row = "".join(
        cell.replace("<c", f'<c r="{letter}2"', 1) for letter, cell in zip(letters, cells, strict=True)
    )

    def change(name, part):
        if name == "xl/worksheets/sheet1.xml":
            part = re.sub(rb"<row r=.2.*</row>", f'<row r="2">{row}</row>'.encode(), part, flags=re.S)
        return part

    return rewrite(make_book(("S", [list(letters), [1] * len(letters)])), change)


def read(data, **options):
    return read_sheets(data, file="a.xlsx", **options)


def test_values_stand_as_they_are_seen():
    day = datetime.datetime(2025, 1, 31)
    rows = [
        ["id", "when", "score", "ok"],
        [7, day, 4.0, True],
        [None] * 4,
        [8, day.replace(hour=9), 4.5, None],
        [9, datetime.time(9, 30), 0.1 + 0.2, False],
        [10, datetime.timedelta(hours=26, minutes=5), 1e-7, None],
    ]
    assert read(make_book(("Data", rows))).rows == [
        (2, ["7", "2025-01-31", "4", "True"]),
        (4, ["8", "2025-01-31 09:00:00", "4.5", None]),
        (5, ["9", "09:30:00", "0.3", "False"]),
        (6, ["10", "26:05:00", "1E-07", None]),
    ]


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("570306133677760513", "570306133677760513"),  # a program wrote it whole
        ("5.7030613367776E+17", "5.7030613367776E+17"),  # a spreadsheet did not
        ("570306133677760000", "5.7030613367776E+17"),
        ("-570306133677760000", "-5.7030613367776E+17"),
        ("9007199254740991", "9007199254740991"),
        ("1e3", "1000"),
        ("0.1", "0.1"),
        ("2.0", "2"),
        ("1E400", "INF"),
    ],
)
def test_a_number_that_a_spreadsheet_ruined_looks_so(written, seen):
    assert read(with_cells([f"<c><v>{written}</v></c>"])).rows == [(2, [seen])]


def test_errors_are_missing_and_formulas_give_their_last_value():
    cells = [
        '<c t="e"><v>#N/A</v></c>',
        '<c t="e"><f>A1/0</f><v>#DIV/0!</v></c>',
        "<c><f>SUM(1,2)</f><v>3</v></c>",
        '<c t="str"><f>A1</f><v>late</v></c>',
        "<c><f>B1</f></c>",
        '<c t="inlineStr"><is><t>in line</t></is></c>',
        '<c t="inlineStr"><is><r><t>so </t></r><r><rPr><b/></rPr><t>slow</t></r></is></c>',
        '<c t="b"><v>1</v></c>',
    ]
    found = read(with_cells(cells))
    assert found.rows == [(2, [None, None, "3", "late", None, "in line", "so slow", "True"])]
    assert read(make_book(("S", [["a"], ["#N/A means nothing"]]))).rows == [(2, ["#N/A means nothing"])]


def test_serial_dates_follow_the_style_and_the_system_of_the_book():
    book = openpyxl.Workbook()
    rows = (["day", "serial"], [45688, 45688], [-5, 45688.5], [1e9, None])
    for row in rows:
        book.active.append(row)
    for row in (2, 3, 4):
        book.active.cell(row, 1).number_format = "dd/mm/yyyy"
    wanted = [["2025-01-31", "45688"], ["-5", "45688.5"], ["1000000000", None]]
    assert [row for _, row in read(save(book)).rows] == wanted
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    assert read(save(book)).rows[0][1] == ["2029-02-01", "45688"]  # 1462 days later


def test_control_characters_and_line_breaks_of_the_form():
    book = make_book(("S", [["a"], ["one_x000D_\ntwo"], ["x_x0007_y"], ["  "], ["نیم‌فاصله"]]))
    assert [row for _, row in read(book).rows] == [["one\ntwo"], ["x\x07y"], ["  "], ["نیم‌فاصله"]]


def test_a_sheet_is_named_or_the_first_that_shows_and_holds_anything():
    book = openpyxl.Workbook()
    book.active.title = "Cover"
    for title, state in (("Lists", "hidden"), ("Notes", "visible"), ("Answers", "visible")):
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        sheet.append(["title"])
        sheet.append([f"in {title}"])
    data = save(book)
    assert read(data).rows == [(2, ["in Notes"])]
    assert read(data, sheet="Answers", skip_lines=1).header == ["in Answers"]
    assert read(data, sheet="Lists").rows == [(2, ["in Lists"])]
    assert list_sheets(data, file="a.xlsx") == ["Cover", "Notes", "Answers"]
    evidence = find_header(data, file="a.xlsx")[2]
    assert evidence.endswith("1 column named; further sheets: Cover, Answers; hidden sheets: Lists")
    with pytest.raises(SourceError, match=r"no sheet 'Answer'.*\nSheets: Cover, Lists, Notes, Answers"):
        read(data, sheet="Answer")
    with pytest.raises(EmptyFileError):
        read(data, sheet="Cover")


def test_all_sheets_with_the_same_columns_are_read_and_the_rest_is_set_aside():
    book = openpyxl.Workbook()
    book.active.title = "May"
    book.active.append(["id", "text"])
    book.active.append([1, "late"])
    for title, rows in (
        ("June", [["text", "id"], ["fine", 2], ["slow", 3]]),
        ("Notes", [["made by"], ["Jo"]]),
        ("Empty", []),
        ("July", [["id", "text"], [4, "rude"]]),
    ):
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book["July"].sheet_state = "hidden"
    found = read(save(book), sheet="*")
    assert found.header == ["id", "text", "_sheet"]
    assert found.rows == [
        (2, ["1", "late", "May"]),
        (2, ["2", "fine", "June"]),
        (3, ["3", "slow", "June"]),
    ]
    assert [(line, reason, json.loads(raw)) for line, reason, raw in found.bad] == [
        (1, "sheet 'Notes': other columns than the first sheet", ["made by"]),
        (2, "sheet 'Notes': other columns than the first sheet", ["Jo"]),
        (1, "sheet 'July': a hidden sheet", ["id", "text"]),
        (2, "sheet 'July': a hidden sheet", ["4", "rude"]),
    ]


MERGED = [
    ["Answers of May", None, None, None, None],
    ["id", "Scores", None, "Texts", None],
    [None, "Price", "Speed", "Why", "Else"],
    [1, 5, 4, "late", None],
    [2, 3, 2, None, "fine"],
]


def test_merged_header_rows_are_joined():
    data = make_book(("S", MERGED), merge=["A1:E1", "A2:A3", "B2:C2", "D2:E2"])
    found = read(data, skip_lines=1, header_rows=2)
    assert found.header == ["id", "Scores / Price", "Scores / Speed", "Texts / Why", "Texts / Else"]
    assert found.rows == [(4, ["1", "5", "4", "late", None]), (5, ["2", "3", "2", None, "fine"])]
    assert find_header(data, file="a.xlsx")[:2] == (1, 2)


def test_a_column_beside_a_merged_cell_does_not_get_its_name():
    rows = [["Scores", None, None], ["Price", "Speed", "Why"], [1, 2, "late"]]
    assert read(make_book(("S", rows), merge=["A1:B1"]), header_rows=2).header == [
        "Scores / Price",
        "Scores / Speed",
        "Why",
    ]


def test_header_cells_that_are_not_merged_reach_to_the_next_one():
    rows = [
        ["Respondent", "What did you like?", None, None, "Date"],
        [None, "Price", "Speed", "Other", None],
        [1, "yes", None, "the colour", "2025-01-31"],
        [2, None, "yes", None, "2025-02-01"],
    ]
    data = make_book(("S", rows))
    like = "What did you like?"
    wanted = ["Respondent", f"{like} / Price", f"{like} / Speed", f"{like} / Other", "Date"]
    assert read(data, header_rows=2).header == wanted
    assert find_header(data, file="a.xlsx")[:2] == (0, 2)


@pytest.mark.parametrize(
    ("rows", "skip_lines", "header_rows"),
    [
        ([["id", "text"], [1, "late"], [2, "fine"]], 0, 1),
        ([["reviews"], ["late"], ["fine"]], 0, 1),
        ([["Export"], [], ["id", "on", "text"], [1, 2, "a"], [2, 3, "b"]], 2, 1),
        (
            [
                ["Export", None],
                ["Made", "2025-01-31"],
                ["id", "on", "text", "x"],
                [1, 2, "a", 3],
                [2, 3, "b", 4],
            ],
            2,
            1,
        ),
        ([["id", "text", "note"], [1, "late", None], [2, "fine", None]], 0, 1),
        ([["id", None, "text"], ["a", "b", "c"], ["d", None, "f"]], 0, 1),
    ],
)
def test_the_header_is_found(rows, skip_lines, header_rows):
    assert find_header(make_book(("S", rows)), file="a.xlsx")[:2] == (skip_lines, header_rows)


def test_hidden_rows_and_sheets_are_read_and_told():
    book = openpyxl.Workbook()
    for row in (["id", "text"], [1, "late"], [2, "fine"]):
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.active.column_dimensions["B"].hidden = True
    book.create_sheet("Lists").sheet_state = "hidden"
    data = save(book)
    assert [row for _, row in read(data).rows] == [["1", "late"], ["2", "fine"]]
    evidence = find_header(data, file="a.xlsx")[2]
    assert evidence == (
        "the header is row 1: 2 columns named; 1 of the first rows are hidden; hidden sheets: Lists"
    )


def test_a_merged_cell_of_the_body_stands_in_its_first_row():
    found = read(make_book(("S", [["shop", "text"], ["A", "late"], [None, "fine"]]), merge=["A2:A3"]))
    assert [row for _, row in found.rows] == [["A", "late"], [None, "fine"]]


def test_a_cell_beyond_the_header_sets_the_row_aside():
    found = read(make_book(("S", [["a", "b"], [1, 2], [3, 4, "lost?"]])))
    assert [(line, json.loads(raw)) for line, _, raw in found.bad] == [(3, ["3", "4", "lost?"])]
    assert len(found.rows) == 1


def test_one_far_cell_costs_nothing_and_a_row_outside_of_any_sheet_is_refused():
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active["A1048576"] = "last"
    assert read(save(book)).rows == [(1_048_576, ["last"])]
    data = rewrite(save(book), lambda name, part: part.replace(b'"1048576"', b'"99999999999"'))
    with pytest.raises(SourceError, match=r"sheet 'Sheet'.*row 99999999999"):
        read(data)


def test_cells_far_apart_do_not_fill_the_machine():
    far = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (n, n) for n in range(1, 5001))
    data = rewrite(
        make_book(("S", [["a"], [1]])),
        lambda name, part: re.sub(rb"<row.*</row>", far, part, flags=re.S) if "sheet1" in name else part,
    )
    with pytest.raises(SourceError, match="far apart"):
        read(data)
    one_far = make_book(("S", [["id"], [1], [None] * 16_383 + ["stray"]]))
    assert [line for line, *_ in read(one_far).bad] == [3]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"id,text\n1,a\n", "a text with delimiters"),
        (b"\xff\xfei\0d\0\t\0t\0\n\0", "a text with delimiters"),
        (b"\xef\xbb\xbf<html><table><tr><td>id</td></tr></table></html>", "a web page"),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "old XML workbook",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"old workbook \(\.xls\)"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0", "not of a form that is known"),
    ],
)
def test_what_is_no_workbook_is_named_with_the_way_out(data, told):
    with pytest.raises(
        SourceError, match=rf"a\.xlsx: not a workbook that can be read: .*{told}.*\n.*save it as"
    ):
        read(data)


def test_other_zip_files_and_empty_ones_are_told():
    for member, told in (
        ("content.xml", "OpenDocument"),
        ("xl/workbook.bin", r"\.xlsb"),
        ("a.csv", "not a workbook"),
    ):
        with zipfile.ZipFile(stream := io.BytesIO(), "w") as packed:
            packed.writestr(member, "x")
        with pytest.raises(SourceError, match=told):
            read(stream.getvalue())
    for data in (b"", make_book(("S", []))):
        with pytest.raises(EmptyFileError):
            read(data)


def test_a_workbook_with_macros_is_read():
    seen = make_book(("S", [["a"], ["1"]]))
    main = f"{SEEN}.sheet.main+xml".encode()
    data = rewrite(
        seen, lambda _, part: part.replace(main, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml")
    )
    assert data != seen
    assert read(data).rows == [(2, ["1"])]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (
            b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        ),
        (b'<family val="2"', b'<family val="99"'),
        (b"<dc:creator>", b"<dc:creator"),
    ],
)
def test_books_of_strict_or_careless_programs_are_read(was, becomes):
    plain = make_book(("S", [["a", "on"], [1, datetime.datetime(2025, 1, 31)]]))

    def change(_, part):
        if becomes.startswith(b"http"):
            office = b"http://schemas.openxmlformats.org/officeDocument/2006/"
            part = part.replace(office, b"http://purl.oclc.org/ooxml/officeDocument/")
        return part.replace(was, becomes)

    data = rewrite(plain, change)
    assert data != rewrite(plain, lambda _, part: part)
    assert read(data).rows == [(2, ["1", "2025-01-31"])]


def test_a_book_whose_sheet_is_not_there_is_refused_and_not_empty():
    data = rewrite(
        make_book(("S", [["a"], [1]])),
        lambda name, part: part.replace(b"sheet1.xml", b"sheet9.xml") if name.endswith(".rels") else part,
    )
    with pytest.raises(SourceError, match="it has no sheet") as raised:
        read(data)
    assert not isinstance(raised.value, EmptyFileError)


def test_a_bomb_is_refused():
    with zipfile.ZipFile(stream := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", bytes(60 * 2**20))
    with pytest.raises(SourceError, match="unpacks to far more"):
        read(stream.getvalue())


def test_entities_are_not_expanded():
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{lol}]>'.encode()
    data = rewrite(
        make_book(("S", [["a"], ["1"]])),
        lambda name, part: bomb + b"<x>&l8;</x>" if name.endswith("sheet1.xml") else part,
    )
    with pytest.raises(SourceError, match="not a workbook"):
        read(data)


def test_another_writer_s_book_is_read_alike():
    book = xlsxwriter.Workbook(stream := io.BytesIO(), {"in_memory": True})
    sheet = book.add_worksheet("S")
    sheet.write_row(0, 0, ["id", "when", "text"])
    sheet.write_number(1, 0, 570306133677760513)
    sheet.write_datetime(
        1, 1, datetime.datetime(2025, 1, 31, 9), book.add_format({"num_format": "d mmm yyyy hh:mm"})
    )
    sheet.write_rich_string(1, 2, "so ", book.add_format({"bold": True}), "slow")
    book.close()
    line, row = read(stream.getvalue()).rows[0]
    assert (line, row[1:]) == (2, ["2025-01-31 09:00:00", "so slow"])
    assert row[0].startswith("5.703061336777") and row[0].endswith("E+17")


BOOK = make_book(("S", MERGED), ("T", [["a"], [1]]), merge=["A1:E1", "B2:C2"])
CUTS = st.lists(
    st.tuples(st.integers(0, 99_999), st.integers(0, 30), st.binary(max_size=30) | st.just(b"99999999")),
    min_size=1,
    max_size=3,
)


def cut(data, cuts):
    for place, length, patch in cuts:
        place %= len(data) + 1
        data = data[:place] + patch + data[place + length :]
    return data


@settings(max_examples=150)  # 3,000 were run once
@given(
    CUTS,
    st.sampled_from(
        ["", "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml"]
    ),
)
def test_a_damaged_workbook_gives_rows_or_a_reason(cuts, part):
    data = (
        rewrite(BOOK, lambda name, was: cut(was, cuts) if name == part else was) if part else cut(BOOK, cuts)
    )
    for work in (find_header, list_sheets, read_sheets):
        with contextlib.suppress(SourceError):
            work(data, file="a.xlsx")
