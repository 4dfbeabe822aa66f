import os
import re
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pandas as pd
import pytest

from vocwb.collect.ingest import make_tables
from vocwb.collect.sources import find_files, list_unread, open_file, read_sources
from vocwb.crosswalk import Source
from vocwb.errors import SourceError
from vocwb.programme import parse_programme

DATA = Path(os.environ.get("VOCWB_DATA") or Path(__file__).parent.parent.parent / "shared" / "data")


def make_source(**given):
    return Source(**({
        "name": "mail", "files": "*.csv", "channel": "mail", "who_started": "customer", "mode": "direct",
        "undated": True, "verbatims": {"comment": "text"},
    } | given))  # fmt: skip


def make_programme(*sources, **given):
    text = "title: T\nquestion: Why?\ngoal: loyalty\nsources: [{name: x, files: x, channel: c, who_started: customer,"
    text += " mode: direct, undated: true, verbatims: {c: text}}]"
    return parse_programme(text, name="t").model_copy(update={"sources": list(sources), **given})


def read_records(path, source):
    """Return the records of one file, and the lines that cannot be read."""
    parts = list(open_file(path, path.name, source).read())
    records = pd.concat([part.records for part in parts], ignore_index=True)
    return records.drop(columns=["_file", "_folder"]), [bad for part in parts for bad in part.bad]


def test_files_are_found_sorted_and_notes_are_no_source(tmp_path):
    for name in ("b.csv", "a.csv", "README.csv", "readme.en.csv", "~$a.csv", ".a.csv"):
        (tmp_path / name).write_text("text\nx\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c[1].csv").write_text("text\nx\n")
    assert [path.name for path in find_files(make_source(), tmp_path)] == ["a.csv", "b.csv"]
    assert [path.name for path in find_files(make_source(files="deep/c[1].csv"), tmp_path)] == ["c[1].csv"]
    assert list_unread(make_programme(make_source(files="a.csv")), tmp_path) == ["b.csv", "deep/c[1].csv"]


def test_a_missing_file_names_pattern_folder_and_what_is_there(tmp_path):
    (tmp_path / "answers_may.csv").write_text("text\nx\n")
    with pytest.raises(SourceError) as error:
        find_files(make_source(files=["answers_may.csv", "answer_may.csv"]), tmp_path)
    message = str(error.value)
    assert "'answer_may.csv'" in message and str(tmp_path) in message and "answers_may.csv" in message
    with pytest.raises(SourceError):
        find_files(make_source(files="../*.csv"), tmp_path / "answers")


def test_wrong_columns_name_the_file_the_columns_and_the_nearest(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Comment text,Score\nx,1\n")
    with pytest.raises(SourceError) as error:
        read_records(path, make_source(verbatims={"comment": "Coment text"}, columns={"id": "number"}))
    message = str(error.value)
    assert "a.csv" in message and "'number', 'Coment text'" in message and "perhaps 'Comment text'" in message


def test_an_empty_file_is_an_error_unless_others_of_its_source_are_not(tmp_path):
    (tmp_path / "a.csv").write_text(" \n")
    programme = make_programme(make_source())
    with pytest.raises(SourceError, match=r"a\.csv: the file is empty"):
        make_tables(read_sources(programme, tmp_path), programme=programme, key=b"k")
    (tmp_path / "b.csv").write_text("text\nx\n")
    tables = make_tables(read_sources(programme, tmp_path), programme=programme, key=b"k")
    assert tables.ingested[["file", "rows_in"]].values.tolist() == [["a.csv", 0], ["b.csv", 1]]


def test_values_are_taken_for_nothing_but_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,text\n570306133677760513,NA\n007,1e5\n1.10,True\n")
    records, quarantine = read_records(path, make_source())
    assert records.drop(columns="_line").values.tolist() == [
        ["570306133677760513", "NA"],
        ["007", "1e5"],
        ["1.10", "True"],
    ]
    assert not quarantine


def test_raw_columns_may_have_the_names_that_ingest_uses(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("_line,_file,text\n9,b.csv,x\n")
    records, _ = read_records(path, make_source())
    assert records["_line"].tolist() == [2]
    assert records["_line (raw)"].tolist() == ["9"]


def test_an_unknown_ending_asks_for_the_form(tmp_path):
    path = tmp_path / "a.dat"
    path.write_text("text\nx\n")
    with pytest.raises(SourceError, match="form: csv"):
        read_records(path, make_source())
    assert len(read_records(path, make_source(form="csv"))[0]) == 1


HEADER = b"id,date,score,text\n"
BODY = b"".join(
    b'%d,2025-01-%02d,%d,"word%d, more\nwords%d"\n' % (n, n + 1, n % 5 + 1, n, n) for n in range(12)
)
PIECES = st.binary(max_size=3) | st.sampled_from([b'"', b",", b"\n", b"\xff", b"\r", b'""', b"\0"])
MUTATIONS = st.lists(st.tuples(st.integers(0, len(BODY)), st.integers(0, 12), PIECES), min_size=1, max_size=4)


@hypothesis.settings(max_examples=30, deadline=None)  # 1,000 were run once
@hypothesis.given(mutations=MUTATIONS)
def test_no_mutation_of_a_file_loses_a_row_or_a_letter(tmp_path_factory, mutations):
    body = BODY
    for at, cut, new in mutations:
        body = body[:at] + new + body[at + cut :]
    path = tmp_path_factory.mktemp("mutated") / "a.csv"
    path.write_bytes(HEADER + body)
    source = make_source(
        undated=False, encoding="utf-8", columns={"id": "id", "date": "date"}, answers={"stars": "score"}
    )
    programme = make_programme(source, questions=SCALE)
    try:
        (raw,) = read_sources(programme, path.parent)
        parts = list(raw.read())
        tables = make_tables([raw], programme=programme, key=b"k")
    except SourceError:
        return
    count = tables.ingested.iloc[0]
    assert count["rows_in"] == count["kept"] + count["duplicates"] + count["quarantined"]
    assert count["quarantined"] == len(tables.quarantine) and count["kept"] + count["duplicates"] == len(
        tables.responses
    )
    records = pd.concat([part.records for part in parts]).drop(columns=["_line", "_file", "_folder"])
    cells = records.fillna("").values.ravel().tolist()
    raws = [re.sub(r"\\x[0-9a-f]{2}", "", raw) for part in parts for *_, raw in part.bad]
    assert count_letters("".join(cells + raws)) == count_letters(body.decode("ascii", "ignore"))


SCALE = parse_programme(
    "title: T\nquestion: Why?\ngoal: loyalty\nquestions: {stars: {label: S, low: 1, high: 5, metric: rating}}\n"
    "sources: [{name: x, files: x, channel: c, who_started: customer, mode: direct, undated: true, verbatims: {c: t}}]",
    name="t",
).questions


def count_letters(text):
    return pd.Series(re.findall(r"[A-Za-z0-9]", text), dtype="str").value_counts().sort_index().to_dict()
