import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from vocwb.collect.draft import draft_programme
from vocwb.collect.guess import guess_roles
from vocwb.collect.ingest import make_tables
from vocwb.collect.sources import read_sources
from vocwb.errors import ProgrammeError, SourceError
from vocwb.programme import parse_programme

ROOT = Path(__file__).parent.parent
SAID = [
    "The parcel was late",
    "Nice and quick staff",
    "Broken on arrival, no answer",
    "Too dear for what it is",
]


def make_reviews(rows=60):
    return pd.DataFrame({
        "Review No": [f"R{n:04}" for n in range(rows)],
        "posted": [f"{n % 28 + 1:02}.03.2025" for n in range(rows)],
        "stars": [str(n % 5 + 1) for n in range(rows)],
        "shop": ["north", "south", "west"] * (rows // 3),
        "title": ["Good", "Bad", "Fine"] * (rows // 3),
        "comment": [f"{SAID[n % 4]} in case {n}" for n in range(rows)],
    })  # fmt: skip


def fill_in(text):
    return text.replace("question:  ", "question: Why?  #", 1).replace("goal:  ", "goal: loyalty  #", 1)


def test_a_draft_names_the_columns_and_runs_once_it_is_filled_in(tmp_path):
    make_reviews().to_csv(tmp_path / "reviews.csv", index=False, sep=";")
    text = draft_programme(tmp_path)
    draft = yaml.safe_load(text)
    assert draft["question"] is None and draft["goal"] is None
    source = draft["sources"][0]
    assert source["columns"] == {"id": "Review No", "date": "posted"}
    assert source["verbatims"] == {"comment": "comment"}
    assert source["answers"] == {"stars": "stars"}
    assert source["segments"] == {"shop": "shop", "title": "title"}
    assert draft["questions"]["stars"]["low"] == 1 and draft["questions"]["stars"]["high"] == 5
    with pytest.raises(ProgrammeError, match="empty"):
        parse_programme(text, name="t")
    programme = parse_programme(fill_in(text), name="t")
    tables = make_tables(read_sources(programme, tmp_path), programme=programme, key=b"k")
    assert tables.ingested["kept"].sum() == 60
    assert set(tables.responses["month"]) == {"2025-03"}


def test_lines_above_the_header_an_old_encoding_and_a_sheet_title_are_found(tmp_path):
    bank = yaml.safe_load((ROOT / "data" / "sample" / "texts" / "bg.yml").read_text(encoding="utf-8"))
    said = (bank["filler"] + bank["generic_negative"] + bank["churn_unhappy"] + bank["needs"]) * 2
    said = [text.encode("cp1251", "ignore").decode("cp1251") for text in said]
    frame = make_reviews().assign(comment=said[:60])
    body = "Отчет за март\n\n" + frame.to_csv(index=False, sep=";")
    (tmp_path / "a.csv").write_bytes(body.encode("cp1251"))
    with pd.ExcelWriter(tmp_path / "b.xlsx", engine="openpyxl") as book:
        frame.to_excel(book, index=False, startrow=1)
        book.sheets["Sheet1"].cell(1, 1).value = "Report"
    sources = yaml.safe_load(draft_programme(tmp_path))["sources"]
    assert sources[0]["encoding"] == "windows-1251" and sources[0]["skip_lines"] == 1
    assert sources[1]["skip_lines"] == 1
    assert [source["verbatims"] for source in sources] == [{"comment": "comment"}] * 2


def test_transcripts_and_nested_lists_are_found(tmp_path):
    turns = [{"by": "agent", "said": "Hello there"}, {"by": "client", "said": "My parcel is late again"}]
    calls = [{"id": n, "at": f"2025-01-{n:02}", "turns": turns} for n in range(1, 29)]
    (tmp_path / "calls.json").write_text(json.dumps({"meta": {}, "data": {"calls": calls}}))
    source = yaml.safe_load(draft_programme(tmp_path))["sources"][0]
    assert source["record_path"] == ["data", "calls"]
    assert source["turns"] == {"column": "turns", "speaker": "by", "text": "said", "customer": ["client"]}
    assert source["channel"] == "call"


def test_files_with_the_same_columns_are_one_source_and_the_rest_is_named(tmp_path):
    for name in ("may", "june"):
        make_reviews().to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "letter.doc").write_bytes(b"x")
    (tmp_path / "note.txt").write_text("We liked it, all in all.\nYes.\n")
    (tmp_path / "empty.csv").write_text("")
    pd.DataFrame({"a": range(5), "b": range(5)}).to_csv(tmp_path / "log.csv", index=False)
    text = draft_programme(tmp_path)
    assert [source["files"] for source in yaml.safe_load(text)["sources"]] == [["june.csv", "may.csv"]]
    for file in ("letter.doc", "note.txt", "empty.csv", "log.csv"):
        assert any(line.startswith("# ") and file in line for line in text.splitlines()), file


def test_hostile_names_stay_names(tmp_path):
    frame = make_reviews().rename(columns={"shop": 'a: {b} # "c"\n- d', "comment": "yes", "title": "source"})
    frame.to_csv(tmp_path / "it's #1, [x].csv", index=False)
    programme = parse_programme(fill_in(draft_programme(tmp_path)), name="t")
    source = programme.sources[0]
    assert source.files == ["it's #1, [x].csv"]
    assert set(source.segments.values()) == {'a: {b} # "c"\n- d', "source"}
    assert "source" not in programme.segments, "the name of a column of responses is taken"
    assert len(make_tables(read_sources(programme, tmp_path), programme=programme, key=b"k").feedback) == 60


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="no file"):
        draft_programme(tmp_path)


def test_a_few_answers_off_the_scale_do_not_widen_it():
    stars = pd.Series([str(n % 5 + 1) for n in range(1000)] + ["9"])
    assert guess_roles(pd.DataFrame({"stars": stars}))[1]["score stars"] == "values 1 to 5"


def test_relative_dates_are_told_from_dates():
    roles, _ = guess_roles(pd.DataFrame({"review_date": ["3 個月前", "1 天前"] * 20}))
    assert roles == {"ago": "review_date"}
