import gzip
import io
import struct
import zipfile
import zlib

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from vocwb.collect.forms.archives import MOST_RATIO, open_archive
from vocwb.collect.forms.rows import EmptyFileError
from vocwb.errors import SourceError


def pack(*members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(stream := io.BytesIO(), "w", method) as packed:
        for name, content in members:
            packed.writestr(name, content)
    return stream.getvalue()


def read(data, file="a.zip"):
    return list(open_archive(data, file=file))


def test_members_come_whole_in_the_order_of_the_archive():
    assert read(pack(("b/2.csv", "x"), ("a/1.csv", ""), ("b/", ""))) == [("b/2.csv", b"x"), ("a/1.csv", b"")]


@pytest.mark.parametrize(
    "name", ["README", "a/readme.md", "__MACOSX/._a.csv", ".hidden", ".git/a.csv", "a/~$b.xlsx", "Thumbs.db"]
)
def test_what_is_no_export_is_left_out(name):
    assert read(pack((name, "x"), ("a.csv", "y"))) == [("a.csv", b"y")]


def test_names_cannot_lead_out_of_the_archive():
    data = pack(("../../etc/a.csv", "1"), ("/b.csv", "2"), ("C:\\x\\c.csv", "3"), ("d/./e.csv", "4"))
    assert [name for name, _ in read(data)] == ["etc/a.csv", "b.csv", "x/c.csv", "d/e.csv"]


def test_members_of_the_same_name_are_told_apart_and_keep_their_ending():
    with pytest.warns(UserWarning, match="Duplicate"):
        data = pack(("a/b.csv", "1"), ("a/b.csv", "2"), ("a/b (2).csv", "3"), ("a/b.csv", "4"))
    assert read(data) == [
        ("a/b.csv", b"1"),
        ("a/b (2).csv", b"2"),
        ("a/b (2) (2).csv", b"3"),
        ("a/b (3).csv", b"4"),
    ]


def rename(data, stand_in, raw):
    """Write other bytes, of the same length, in the place of a name, as systems of old code pages do."""
    assert len(stand_in) == len(raw)
    return data.replace(stand_in, raw)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("评论数据.csv", "gbk"), ("客戶意見調查.csv", "big5"), ("نظرات.csv", "cp1256"), ("отзиви.csv", "cp866"),
        ("отзиви.csv", "cp1251"), ("نظرات.csv", "utf-8"), ("评论.csv", "utf-8"), ("café.csv", "cp437"),
        ("آراء.csv", "cp720"),
    ],
)  # fmt: skip
def test_names_in_the_code_page_of_the_system_that_packed_them(name, encoding):
    raw = name.encode(encoding)
    stand_in = b"q" * len(raw)
    data = rename(pack((stand_in.decode(), "x")), stand_in, raw)
    assert read(data) == [(name, b"x")]


def test_names_marked_as_utf8_or_given_in_the_unicode_field():
    assert read(pack(("نظرات.csv", "x"), ("评论.csv", "y"))) == [("نظرات.csv", b"x"), ("评论.csv", b"y")]
    member = zipfile.ZipInfo("qqqq.csv")
    name = "评论.csv".encode()
    member.extra = struct.pack("<HHBI", 0x7075, 5 + len(name), 1, zlib.crc32(b"qqqq.csv")) + name
    with zipfile.ZipFile(stream := io.BytesIO(), "w") as packed:
        packed.writestr(member, "x")
    assert read(stream.getvalue()) == [("评论.csv", b"x")]


def test_an_archive_in_an_archive_is_opened_one_level_deep():
    inner = pack(("b.csv", "x"))
    data = pack(("day.zip", inner), ("c.csv.gz", gzip.compress(b"y")))
    assert read(data) == [("day.zip/b.csv", b"x"), ("c.csv.gz/c.csv", b"y")]
    with pytest.raises(SourceError, match=r"a\.zip/outer\.zip: 'day\.zip' is an archive in an archive"):
        read(pack(("outer.zip", pack(("day.zip", inner)))))


def test_one_member_alone_is_the_same_as_among_all():
    with pytest.warns(UserWarning, match="Duplicate"):
        data = pack(
            ("a/b.csv", "1"), ("a/b.csv", "2"), ("c", "3"), ("d.zip", pack(("e.csv", "4"))), ("f.csv", "5")
        )
    whole = read(data)
    assert len(whole) == 5
    for name, content in whole:
        assert list(open_archive(data, file="a.zip", only=name)) == [(name, content)]
    broken = bytearray(data)
    broken[broken.index(b"f.csv") + 5] ^= 255
    assert list(open_archive(bytes(broken), file="a.zip", only="c")) == [("c", b"3")]


def test_gz_holds_one_file_named_as_it_even_in_several_parts():
    data = gzip.compress(b"id,text\n") + gzip.compress(b"1,fine\n")
    assert read(data, "reviews.csv.GZ") == [("reviews.csv", b"id,text\n1,fine\n")]


def test_a_cut_or_padded_gz_is_told():
    whole = gzip.compress(b"id,text\n" * 1000)
    assert read(whole + b"\0" * 512, "a.csv.gz") == [("a.csv", b"id,text\n" * 1000)]
    for broken in (whole[:-9], whole[:12], whole + b"more", whole[:-6] + b"\0\0" + whole[-4:]):
        with pytest.raises(SourceError, match="not an archive that can be opened"):
            read(broken, "a.csv.gz")


def test_bombs_are_refused_before_they_fill_the_machine():
    noughts = bytes(50 * 2**20)
    for data, file in ((pack(("a.csv", noughts)), "a.zip"), (gzip.compress(noughts), "a.csv.gz")):
        assert len(noughts) > MOST_RATIO * len(data)
        with pytest.raises(SourceError, match="unpacks to far more"):
            read(data, file)


def test_a_zip_that_claims_terabytes_or_shares_its_bytes_is_refused():
    data = bytearray(pack(*((f"{n}.csv", b"x" * 100) for n in range(3)), method=zipfile.ZIP_STORED))
    place = data.index(b"PK\x01\x02")
    huge = bytes(data[: place + 24]) + struct.pack("<I", 2**32 - 2) + bytes(data[place + 28 :])
    with pytest.raises(SourceError, match="unpacks to far more"):
        read(huge)
    shared = data.copy()  # each entry of the list points to the first member, which claims the whole file
    for _ in range(3):
        struct.pack_into("<I", shared, place + 20, len(data))
        struct.pack_into("<I", shared, place + 42, 0)
        place = shared.find(b"PK\x01\x02", place + 4)
    with pytest.raises(SourceError, match="unpacks to far more"):
        read(bytes(shared))


def test_encrypted_and_broken_members_are_named():
    data = bytearray(pack(("a.csv", "id,text\n" * 50)))
    locked = data.copy()
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(SourceError, match=r"'a\.csv' in it is encrypted"):
        read(bytes(locked))
    data[40] ^= 255
    with pytest.raises(SourceError, match=r"a\.zip: a\.csv: not an archive"):
        read(bytes(data))
    for broken in (b"PK\x03\x04", b"not a zip", bytes(data[:60])):
        with pytest.raises(SourceError, match="not an archive"):
            read(broken)
    with pytest.raises(EmptyFileError):
        read(b"")


def test_a_tar_is_refused_by_name():
    tar = b"a.csv".ljust(257, b"\0") + b"ustar\x0000" + bytes(700)
    with pytest.raises(SourceError, match="tar archive"):
        read(gzip.compress(tar), "a.tar.gz")


ZIP = pack(("a/b.csv", "id,text\n" * 50), ("c.jsonl", '{"id": 1}'), ("d.zip", pack(("e.csv", "x"))))
GZ = gzip.compress(b"id,text\n" * 50)


@settings(max_examples=300)
@given(
    st.sampled_from([ZIP, GZ]),
    st.lists(
        st.tuples(st.integers(0, 999), st.integers(0, 20), st.binary(max_size=20)), min_size=1, max_size=4
    ),
)
def test_damaged_archives_give_their_members_or_say_why_not(data, cuts):
    for place, length, patch in cuts:
        place %= len(data) + 1
        data = data[:place] + patch + data[place + length :]
    try:
        members = read(data)
    except SourceError:
        return
    assert all(isinstance(content, bytes) and ".." not in name.split("/") for name, content in members)
