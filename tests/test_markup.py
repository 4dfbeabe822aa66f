import contextlib
import json

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from vocwb.collect.forms.markup import NoElementError, find_records, read_xml
from vocwb.collect.forms.rows import EmptyFileError
from vocwb.errors import SourceError

SHOP = """<?xml version="1.0" encoding="utf-8"?>
<Product Title="چای ساز" Type="kettle">
  <Brand>Tea &amp; Co</Brand>
  <Feature Name="size">small</Feature>
  <Feature Name="weight">330 g</Feature>
  <Reviews>
    <Review ID="r-1" Holder="سعید" Value="+2">
      <Sentence Value="0">من یکی خریدم.</Sentence>
      <Sentence Value="+2">عالیه <b>واقعا</b> خوب</Sentence>
      <Pro>price</Pro><Pro>speed</Pro>
      <By><Name>S</Name><City code="021">Tehran</City></By>
    </Review>
    <Review ID="r-2" Holder="فرزاد">
      <Sentence Value="-1">دیر رسید</Sentence>
    </Review>
  </Reviews>
  <Performance Value="9.7" />
</Product>
"""
AROUND = {
    "_in_Product@Title": "چای ساز",
    "_in_Product@Type": "kettle",
    "_in_Product.Brand": "Tea & Co",
    "_in_Product.Performance@Value": "9.7",
}


def read(data, *path, **options):
    data = data if isinstance(data, bytes) else data.encode()
    return read_xml(data, file="a.xml", record_path=path, **options)


def test_attributes_children_and_what_stands_around_become_columns():
    found = read(SHOP, "Review")
    assert found.bad == []
    (line, first), (other, second) = found.rows
    assert (line, other) == (7, 13)
    assert json.loads(first.pop("Sentence[]")) == [
        {"Value": "0", "text": "من یکی خریدم."},
        {"Value": "+2", "text": "عالیه واقعا خوب", "b": "واقعا"},
    ]
    assert first == {
        "ID": "r-1", "Holder": "سعید", "Value": "+2", "Sentence": "من یکی خریدم.\nعالیه واقعا خوب",
        "Pro": "price\nspeed", "By.Name": "S", "By.City": "Tehran", "By.City@code": "021", **AROUND,
    }  # fmt: skip
    # The columns are the same where a record has one sentence only.
    assert second == {
        "ID": "r-2", "Holder": "فرزاد", "Sentence": "دیر رسید",
        "Sentence[]": '[{"Value": "-1", "text": "دیر رسید"}]', **AROUND,
    }  # fmt: skip


def test_a_path_names_elements_inside_one_another_and_may_hold_a_star():
    text = "<S><Old><R>a</R></Old><New><R>b</R><C_R>c</C_R><D_R>d</D_R></New></S>"
    assert [row["_text"] for _, row in read(text, "R").rows] == ["a", "b"]
    assert [row["_text"] for _, row in read(text, "New", "R").rows] == ["b"]
    assert [row["_text"] for _, row in read(text, "S", "*", "R").rows] == ["a", "b"]
    assert [(row["_tag"], row["_text"]) for _, row in read(text, "*_R").rows] == [("C_R", "c"), ("D_R", "d")]
    nested = read("<S><R>a<R>b</R></R></S>", "R")
    assert [row["_text"] for _, row in nested.rows] == ["ab"]


def test_prefixes_are_cut_and_the_same_name_twice_is_numbered():
    text = '<a:S xmlns:a="x"><a:R date="1" a:k="2"><a:date>3</a:date></a:R></a:S>'
    assert read(text, "R").rows == [(1, {"date": "1", "k": "2", "date (2)": "3"})]


def test_lines_of_markup_in_a_text_stay_lines():
    text = "<S><R>one<br/>two <i>so</i> slow<p>three</p></R><R><![CDATA[<b>raw</b> & more]]></R></S>"
    first, second = (row for _, row in read(text, "R").rows)
    assert first["_text"] == "one\ntwo so slow\nthree"
    assert second == {"_text": "<b>raw</b> & more"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1251", "gb18030"])
def test_the_declared_encoding_is_followed(encoding):
    said = "一般的质量" if encoding == "gb18030" else "Много добре, препоръчвам"
    text = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>\n<S><R>{said}</R></S>'
    assert read(text.encode(encoding), "R").rows == [(2, {"_text": said})]


def test_a_declaration_may_be_wrong_about_utf16_and_blank_lines_above_it_are_counted():
    text = '\n\n<?xml version="1.0" encoding="utf-16"?>\n<S>\n<R>добре</R></S>'
    assert read(text, "R").rows == [(5, {"_text": "добре"})]


def test_only_the_record_with_unfit_bytes_is_lost_and_control_characters_stay():
    data = "<S><R>добре</R><R>caf\udce9</R><R>a\x08b</R><R>fine</R></S>".encode("utf-8", "surrogateescape")
    found = read(data, "R")
    assert [row["_text"] for _, row in found.rows] == ["добре", "a\bb", "fine"]
    assert [(line, "caf\\xe9" in raw) for line, _, raw in found.bad] == [(1, True)]


def test_what_stands_before_a_fault_is_kept_and_the_rest_is_one_bad_row():
    text = "<S>\n<R>one</R>\n<R>two</R>\n<R>A & B</R>\n<R>four</R>\n</S>"
    found = read(text, "R")
    assert [(line, row["_text"]) for line, row in found.rows] == [(2, "one"), (3, "two")]
    ((line, reason, raw),) = found.bad
    assert (line, raw) == (4, "<R>A & B</R>\n<R>four</R>\n</S>")
    assert "line 4 column" in reason
    cut = read(text[:20], "R")
    assert [line for line, _ in cut.rows] == [2]
    assert [(line, raw) for line, _, raw in cut.bad] == [(3, "<R>tw")]


def test_what_cannot_be_read_at_all_is_told():
    for text in ("<S><R>A & B</R></S>", "late, said Jo", "<S>", '{"a": 1}'):
        with pytest.raises(SourceError, match=r"not XML: .*line 1 column"):
            read(text, "R")
    with pytest.raises(NoElementError, match=r"no element Reviews/R\.\nElements: R \(2\), S \(1\)"):
        read("<S><R>a</R><R>b</R></S>", "Reviews", "R")
    with pytest.raises(SourceError, match=r"which elements are the records"):
        read("<S><R>a</R><R>b</R></S>")
    with pytest.raises(EmptyFileError):
        read(" \n", "R")
    assert read("<S><R/><R>b</R></S>", "R").bad == [(1, "an empty record", "<R>")]


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY a "ha"><!ENTITY b "&a;&a;">',
        '<!ENTITY b SYSTEM "file:///etc/hostname">',
        '<!ENTITY % b "x">',
    ],
)
def test_entities_are_refused_before_they_grow_or_read_a_file(entity):
    with pytest.raises(SourceError, match="it declares the entity"):
        read(f"<!DOCTYPE S [{entity}]><S><R>&b;</R></S>", "R")


def test_an_unknown_entity_of_an_outer_definition_stays_in_the_text():
    text = '<!DOCTYPE S SYSTEM "http://nowhere.invalid/s.dtd"><S><R>a&nbsp;b</R></S>'
    assert read(text, "R").rows == [(1, {"_text": "a&nbsp;b"})]


def test_deep_nesting_is_a_fault_like_others():
    found = read("<S><R>a</R>" + "<R>" * 100_000, "R")
    assert [row["_text"] for _, row in found.rows] == ["a"]
    assert "deep" in found.bad[0][1]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (SHOP, ["Review"]),
        ("<L><row><said>it is late</said><n>1</n></row><row><said>it is so</said></row></L>", ["row"]),
        ("<L><row><p>it is late</p><p>and slow</p></row><row><p>it is so fine</p></row></L>", ["row"]),
        ('<L><m id="1">it is late</m><m id="2">it is fine</m></L>', ["m"]),
        ("<L><A_Review>it is late</A_Review><A_Review>b c d</A_Review><B_Review>it is fine now</B_Review>"
         "<B_Review>it is fine</B_Review></L>", ["*_Review"]),
        ("<L><one>it is late</one></L>", []),
    ],
)  # fmt: skip
def test_the_records_are_found(text, path):
    assert find_records(text.encode(), file="a.xml") == path


CUTS = st.lists(
    st.tuples(
        st.integers(0, 9_999),
        st.integers(0, 40),
        st.binary(max_size=20) | st.sampled_from([b"<", b"&", b"\0"]),
    ),
    min_size=1,
    max_size=4,
)
LINES = "".join(f'<Review n="{n}"><t>it is دیر {n}</t></Review>\n' for n in range(30))
LONG = f"<S>{LINES}</S>".encode()


@settings(max_examples=150)  # 3,000 were run once
@given(CUTS, st.sampled_from([SHOP.encode(), LONG]))
def test_a_damaged_text_gives_rows_or_a_reason(cuts, data):
    for place, length, patch in cuts:
        place %= len(data) + 1
        data = data[:place] + patch + data[place + length :]
    for work in (lambda: find_records(data, file="a.xml"), lambda: read(data, "Review")):
        with contextlib.suppress(SourceError):
            work()


@settings(max_examples=200)
@given(st.integers(LONG.index(b"</Review>") + len("</Review>"), len(LONG)))
def test_of_a_cut_text_every_record_is_kept_or_in_the_bad_row(end):
    data = LONG[:end]
    found = read(data.decode("utf-8", "ignore"), "Review")
    kept = [row["n"] for _, row in found.rows]
    assert kept == [str(n) for n in range(data.count(b"</Review>"))]
    rest = found.bad[0][2] if found.bad else ""
    assert data.count(b"<Review") == len(kept) + rest.count("<Review")
