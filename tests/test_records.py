import contextlib
import datetime
import decimal
import io
import json

import hypothesis.strategies as st
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from vocwb.collect.forms.records import find_records, iter_parquet, read_json, read_parquet
from vocwb.collect.forms.rows import EmptyFileError
from vocwb.errors import SourceError


def read(text, **options):
    return read_json(text, file="a.json", **options)


def read_lines(text):
    return read_json(text, file="a.jsonl", lines=True)


def test_numbers_stay_as_written_and_objects_become_dotted_names():
    text = '{"data": {"rows": [{"id": 570306133677760513, "by": {"name": "A"}, "n": 1.10, "t": ["x"], "x": null}, 7]}}'
    found = read(text, record_path=["data", "rows"])
    wanted = {"id": "570306133677760513", "by.name": "A", "n": "1.10", "t": '["x"]', "x": None}
    assert found.rows == [(1, wanted)]
    assert found.bad == [(2, "not an object", "7")]


APPS = {
    "Chat": {
        "per_day": {
            "2025-01-31": [{"id": "1", "said": "it is slow"}],
            "2025-02-01": [{"id": "2", "said": "b c"}],
        }
    },
    "Talk": {"per_day": {"2025-01-31": [{"id": "3", "said": "it is fine"}]}},
}


def test_a_star_goes_through_keys_and_keeps_them():
    found = read(json.dumps(APPS), record_path=["*", "per_day", "*"])
    assert found.rows == [
        (1, {"_key_1": "Chat", "_key_2": "2025-01-31", "id": "1", "said": "it is slow"}),
        (2, {"_key_1": "Chat", "_key_2": "2025-02-01", "id": "2", "said": "b c"}),
        (3, {"_key_1": "Talk", "_key_2": "2025-01-31", "id": "3", "said": "it is fine"}),
    ]


def test_a_star_goes_through_items_and_stops_at_records():
    pages = [{"page": 1, "items": [{"a": "1"}, {"a": "2"}]}, {"page": 2, "items": [{"a": "3"}]}]
    assert [row["a"] for _, row in read(json.dumps(pages), record_path=["*", "items"]).rows] == [
        "1",
        "2",
        "3",
    ]
    by_id = {"k1": {"a": "1"}, "k2": {"a": "2"}}
    assert [row for _, row in read(json.dumps(by_id), record_path=["*"]).rows] == [
        {"_key_1": "k1", "a": "1"},
        {"_key_1": "k2", "a": "2"},
    ]


def test_a_branch_without_the_step_is_set_aside():
    found = read('{"A": {"r": [{"a": 1}]}, "B": {"q": []}}', record_path=["*", "r"])
    assert len(found.rows) == 1
    assert found.bad == [(2, "record_path has no 'r' below B", '{"q": []}')]


def test_errors_name_what_is_there():
    with pytest.raises(SourceError, match=r"record_path has no 'rows'.*\nThere: data, more"):
        read('{"data": [], "more": 1}', record_path=["rows"])
    with pytest.raises(SourceError, match=r"not a list of records.*\nKeys: data, more"):
        read('{"data": [{"a": 1}], "more": 1}')
    for text, where in (("[{]", "line 1 column 3"), ('[\n {"a": 1,\n  "b" 2}]', "line 3 column 7")):
        with pytest.raises(SourceError, match=f"not JSON: .*{where}"):
            read(text)
    for text in ('[{"a": 1},]', '[{"a": 1,}]', '[{"a": 1},\n]'):
        with pytest.raises(SourceError, match="a comma with nothing after it"):
            read(text)
    for text in ("[" * 100_000, '{"a":' * 100_000, "[{]" * 10_000):
        with pytest.raises(SourceError, match="not JSON"):
            read(text)
    with pytest.raises(EmptyFileError):
        read("\ufeff \n")


def test_what_is_not_quite_json_is_read():
    assert read('\ufeff[{"a": NaN, "b": -Infinity, "c": 1}]').rows == [(1, {"a": None, "b": None, "c": "1"})]
    twice = read('[{"a": 1, "a": 2, "a.b": 3, "a": {"b": 4}}]').rows[0][1]
    assert twice == {"a": "1", "a (2)": "2", "a.b": "3", "a (3).b": "4"}
    assert read('[{"a": 1, "a (2)": 2, "a": 3}]').rows[0][1] == {"a": "1", "a (2)": "2", "a (3)": "3"}
    assert read('[{"a.b": 3, "a": {"b": 4}}]').rows == [(1, {"a.b": "3", "a.b (2)": "4"})]
    assert read('[{"_key_1": "mine"}]').rows == [(1, {"_key_1": "mine"})]
    assert read('{"A": [{"_key_1": "mine"}]}', record_path=["*"]).rows == [
        (1, {"_key_1": "A", "_key_1 (2)": "mine"})
    ]


@pytest.mark.parametrize("between", ["", "\n", ",\n", "\n\n"])
def test_texts_one_after_the_other_are_read(between):
    found = read(between.join(['{"a": 1,\n "b": 2}', '{"a": 3}', '{"a": 4}']))
    assert [row["a"] for _, row in found.rows] == ["1", "3", "4"]


def test_a_broken_text_among_others_loses_only_itself():
    found = read('[{"a": 1}]\n{"data": }\n[{"a": 2}]\n[{"a": ')
    assert [row["a"] for _, row in found.rows] == ["1", "2"]
    assert [(number, raw) for number, _, raw in found.bad] == [(2, '{"data": }'), (4, '[{"a":')]


def test_one_object_is_a_record_and_an_object_of_columns_is_a_table():
    assert read('{"id": 7, "by": {"name": "A"}}').rows == [(1, {"id": "7", "by.name": "A"})]
    frame = pd.DataFrame({"id": [7, 8], "text": ["slow", "fine"]}, index=[3, 5])
    assert [row for _, row in read(frame.to_json()).rows] == [
        {"id": "7", "text": "slow"},
        {"id": "8", "text": "fine"},
    ]


def test_unfit_bytes_and_lone_surrogates():
    found = read('[{"a": "caf\udce9"}, {"a": "\\ud83d"}, {"\\ud83d": "b"}, {"a": "\\u0000"}, 5]')
    assert found.bad == [(1, "bytes that cannot be read", '{"a": "caf\\xe9"}'), (5, "not an object", "5")]
    assert [row for _, row in found.rows] == [{"a": "\ufffd"}, {"\ufffd": "b"}, {"a": "\0"}]


def test_a_bad_line_of_json_lines_is_set_aside():
    found = read_lines('{"a": 1}\n{"a": \n\n[1]\n{"a": "\\ud83d"}\r\n{}\n{"a": "x\u2028y"}\n{"a": "\udce9"}')
    assert [line for line, _ in found.rows] == [1, 5, 7]
    assert [(line, raw) for line, _, raw in found.bad] == [
        (2, '{"a": '),
        (4, "[1]"),
        (6, "{}"),
        (8, '{"a": "\\xe9"}'),
    ]
    found.rows[1][1]["a"].encode()


def test_a_record_nested_too_deeply_is_set_aside():
    deep = '{"a": 1}\n' + '{"a":' * 900 + "1" + "}" * 900 + "\n" + "[" * 100_000 + "\n" + '{"a": 2}'
    found = read_lines(deep)
    assert {1, 4} <= {line for line, _ in found.rows}
    assert len(found.rows) + len(found.bad) == 4


def test_json_under_the_name_of_json_lines_is_read():
    assert [row["a"] for _, row in read_lines('[\n {"a": 1},\n {"a": 2}\n]').rows] == ["1", "2"]
    assert [row["a"] for _, row in read_lines('{\n "a": 1\n}\n{\n "a": 2\n}').rows] == ["1", "2"]
    assert read_lines('{"x":\n {"b": 1}\n}').rows == [(1, {"x.b": "1"})]
    assert [line for line, *_ in read_lines("late\nfine").bad] == [1, 2]


RECORDS = [{"id": n, "said": f"it is late {n}"} for n in range(5)]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (RECORDS, []),
        ({"data": {"rows": RECORDS}, "meta": {"n": 5}}, ["data", "rows"]),
        (APPS, ["*", "per_day", "*"]),
        ({"shop A": RECORDS, "shop B": RECORDS}, ["*"]),
        ({"customers": [{"id": n, "x": n} for n in range(50)], "reviews": RECORDS}, ["reviews"]),
        ([{"page": 1, "results": RECORDS}, {"page": 2, "results": RECORDS}], ["*", "results"]),
        ([{"id": 1, "said": "it is late", "replies": RECORDS}] * 3, []),
        ({f"id{n}": {"said": f"it is late {n}", "stars": n} for n in range(5)}, ["*"]),
        ({"said": {"0": "it is late", "1": "b c"}, "stars": {"0": 1, "1": 2}}, []),
        ({"one": 1}, []),
        ([], []),
    ],
)
def test_the_records_are_found(document, path):
    assert find_records(json.dumps(document)) == path


def test_records_one_after_the_other_are_the_top_whatever_they_hold():
    text = "\n".join(json.dumps({"said": "it is late", "replies": RECORDS}) for _ in range(2))
    assert find_records(text) == []
    assert len(read(text).rows) == 2


def test_no_records_are_found_in_what_is_no_json():
    assert find_records("") == find_records("[" * 100_000) == find_records("{]") == []


def write(table, **options):
    pq.write_table(table, stream := io.BytesIO(), **options)
    return stream.getvalue()


def test_parquet_values_stand_as_they_are():
    noon = datetime.datetime(2025, 1, 31, 12, 0, 0)
    table = pa.table({
        "id": [570306133677760513, None],
        "when": pa.array([noon, None], pa.timestamp("us", tz="Asia/Tehran")),
        "utc": pa.array([noon, noon.replace(microsecond=500_000)], pa.timestamp("ms", tz="UTC")),
        "local": pa.array([noon, noon], pa.timestamp("ns")),
        "day": [datetime.date(2025, 1, 31), None],
        "paid": [decimal.Decimal("1.10"), None],
        "score": [7.0, float("nan")],
        "share": [0.25, 1e17],
        "tag": pa.array(["نظر", "好"]).dictionary_encode(),
        "by": [{"name": "A", "of": {"shop": "X"}}, None],
        "turns": [[{"who": "me", "n": 1}], []],
        "more": pa.array([[("k", "v")], None], pa.map_(pa.string(), pa.string())),
        "raw": [b"plain", None],
        "ok": [True, None],
        "none": pa.nulls(2),
    })  # fmt: skip
    found = read_parquet(write(table), file="a.parquet")
    first, second = (dict(zip(found.header, row, strict=True)) for _, row in found.rows)
    assert first == {
        "id": "570306133677760513", "when": "2025-01-31 15:30:00+0330", "utc": "2025-01-31 12:00:00Z",
        "local": "2025-01-31 12:00:00", "day": "2025-01-31", "paid": "1.10", "score": "7", "share": "0.25",
        "tag": "نظر", "by.name": "A", "by.of.shop": "X", "turns": '[{"who": "me", "n": 1}]',
        "more": '[["k", "v"]]', "raw": "plain", "ok": "true", "none": None,
    }  # fmt: skip
    assert second["utc"] == "2025-01-31 12:00:00.500Z"
    assert (second["share"], second["turns"], second["tag"]) == ("1E+17", "[]", "好")
    missing = {name for name, value in second.items() if value is None}
    assert missing == {
        "id",
        "when",
        "day",
        "paid",
        "score",
        "by.name",
        "by.of.shop",
        "more",
        "raw",
        "ok",
        "none",
    }


def test_parquet_comes_in_parts_of_bounded_size():
    data = write(pa.table({"n": list(range(10))}), row_group_size=3)
    frames = list(iter_parquet(data, file="a.parquet", size=4))
    assert max(map(len, frames)) <= 4
    assert pd.concat(frames)["n"].tolist() == [str(n) for n in range(10)]
    assert [line for line, _ in read_parquet(data, file="a.parquet").rows] == list(range(1, 11))


def test_parquet_that_cannot_be_read_says_why():
    data = write(pa.table({"n": [1, 2, 3]}))
    for broken in (data[:-5], data[:20], b"id,text\n", b"PAR1" * 3):
        with pytest.raises(SourceError, match="not a Parquet file"):
            read_parquet(broken, file="a.parquet")
    with pytest.raises(SourceError, match=r"column 'photo' \(binary\) holds values that are not text"):
        read_parquet(write(pa.table({"photo": [b"\xff\xd8"]})), file="a.parquet")
    with pytest.raises(SourceError, match="2000000 rows in"):
        read_parquet(write(pa.table({"n": pa.nulls(2_000_000)}), compression="zstd"), file="a.parquet")
    with pytest.raises(EmptyFileError):
        read_parquet(b"", file="a.parquet")
    assert read_parquet(write(pa.table({"n": pa.array([], pa.int64())})), file="a.parquet").rows == []


CUTS = st.lists(
    st.tuples(
        st.integers(0, 99_999),
        st.integers(0, 40),
        st.binary(max_size=20) | st.sampled_from([b"[", b'"', b"\n"]),
    ),
    min_size=1,
    max_size=4,
)
LINES = "\n".join(json.dumps({"id": n, "said": f"لطفا {n}", "by": {"n": "好"}}) for n in range(20)).encode()
NESTED = json.dumps(APPS).encode()
PARQUET = write(
    pa.table({"n": list(range(50)), "said": [f"it is {n}" for n in range(50)], "by": [{"a": 1}] * 50})
)


def cut(data, cuts):
    for place, length, patch in cuts:
        place %= len(data) + 1
        data = data[:place] + patch + data[place + length :]
    return data


@settings(max_examples=300)
@given(CUTS)
def test_every_damaged_line_is_a_record_or_set_aside(cuts):
    text = cut(LINES, cuts).decode("utf-8", "surrogateescape")
    lines = {number for number, line in enumerate(text.split("\n"), 1) if line.strip()}
    found = read_lines(text)
    assert lines == {line for line, _ in found.rows} | {line for line, *_ in found.bad}
    whole = {
        n for n, line in enumerate(LINES.decode().split("\n"), 1) if text.split("\n")[n - 1 : n] == [line]
    }
    assert whole <= {line for line, _ in found.rows}


@settings(max_examples=300)
@given(CUTS)
def test_damaged_json_gives_rows_or_a_reason(cuts):
    text = cut(NESTED, cuts).decode("utf-8", "surrogateescape")
    for path in (["*", "per_day", "*"], find_records(text)):
        with contextlib.suppress(SourceError):
            read(text, record_path=path)


@settings(max_examples=300)
@given(CUTS)
def test_damaged_parquet_gives_rows_or_a_reason(cuts):
    with contextlib.suppress(SourceError):
        read_parquet(cut(PARQUET, cuts), file="a.parquet")
