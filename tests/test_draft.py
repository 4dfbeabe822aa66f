import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import yaml
from exports import EXPORTS, SAID, make, person, pick, said

from vocwb.collect.draft import draft_programme
from vocwb.collect.ingest import make_tables
from vocwb.collect.sources import read_sources
from vocwb.errors import ProgrammeError, SourceError
from vocwb.programme import parse_programme


def make_reviews(rows=60, start=0):
    columns = {
        "Review No": lambda n: f"R{n + start:04}",
        "posted": lambda n: f"{n % 28 + 1:02}.03.2025",
        "stars": lambda n: n % 5 + 1,
        "shop": pick("north", "south", "west"),
        "title": lambda n: ("Good", "Bad", "Fine")[n % 3],
        "comment": lambda n: said()(n + start),
    }
    return make(columns, rows)


def fill_in(text):
    return text.replace("question:  ", "question: Why?  ", 1).replace("goal:  ", "goal: loyalty  ", 1)


def run(folder, text=None):
    programme = parse_programme(fill_in(text or draft_programme(folder)), name="t")
    return programme, make_tables(read_sources(programme, folder), programme=programme, key=b"k")


def draft(folder):
    return yaml.safe_load(draft_programme(folder))


def test_a_draft_names_the_columns_and_runs_once_it_is_filled_in(tmp_path):
    make_reviews().to_csv(tmp_path / "reviews.csv", index=False, sep=";")
    text = draft_programme(tmp_path)
    found = yaml.safe_load(text)
    assert found["question"] is None and found["goal"] is None
    source = found["sources"][0]
    assert source["columns"] == {"id": "Review No", "date": "posted"}
    assert source["verbatims"] == {"comment": "comment"}
    assert source["answers"] == {"stars": "stars"}
    assert source["segments"] == {"shop": "shop", "title": "title"}
    assert found["questions"]["stars"] == {"label": "stars", "low": 1, "high": 5, "metric": "rating"}
    with pytest.raises(ProgrammeError, match="empty"):
        parse_programme(text, name="t")
    _, tables = run(tmp_path, text)
    assert tables.ingested["kept"].sum() == 60
    assert set(tables.responses["month"]) == {"2025-03"}


@pytest.mark.parametrize("system", EXPORTS)
def test_the_draft_of_an_export_runs(system, tmp_path):
    make(EXPORTS[system][0]).to_csv(tmp_path / f"{system}.csv", index=False)
    programme, tables = run(tmp_path)
    assert tables.ingested["rows_in"].sum() == 90
    assert tables.ingested[["kept", "duplicates"]].to_numpy().sum() == (
        60 if "keep" in EXPORTS[system][1] else 90
    )
    assert len(tables.feedback) > 25
    assert [source.name for source in programme.sources] == [system.replace(" ", "_")]


def test_each_guess_has_its_evidence_beside_it(tmp_path):
    make_reviews().to_csv(tmp_path / "reviews.csv", index=False)
    lines = draft_programme(tmp_path).splitlines()
    for column in ("Review No", "posted", "stars", "shop", "comment"):
        assert any(f": {column}  # " in line for line in lines), column


def test_lines_above_the_header_an_old_encoding_and_a_sheet_title_are_found(tmp_path):
    texts = [text.encode("cp1251", "ignore").decode("cp1251") for text in SAID["bg"]][:60]
    frame = make_reviews().assign(comment=texts)
    body = "Отчет за март\n\n" + frame.to_csv(index=False, sep=";")
    (tmp_path / "a.csv").write_bytes(body.encode("cp1251"))
    with pd.ExcelWriter(tmp_path / "b.xlsx", engine="openpyxl") as book:
        frame.to_excel(book, index=False, startrow=1)
        book.sheets["Sheet1"].cell(1, 1).value = "Report"
    sources = draft(tmp_path)["sources"]
    assert sources[0]["encoding"] == "windows-1251" and sources[0]["skip_lines"] == 1
    assert sources[1]["skip_lines"] == 1
    assert [source["verbatims"] for source in sources] == [{"comment": "comment"}] * 2


def test_sheets_with_the_same_columns_are_one_source_and_others_are_their_own(tmp_path):
    with pd.ExcelWriter(tmp_path / "same.xlsx", engine="openpyxl") as book:
        make_reviews().to_excel(book, index=False, sheet_name="May")
        make_reviews(start=60).to_excel(book, index=False, sheet_name="June")
    with pd.ExcelWriter(tmp_path / "two.xlsx", engine="openpyxl") as book:
        make_reviews().to_excel(book, index=False, sheet_name="Reviews")
        make({"call": lambda n: f"C{n:05}", "what was said": said("bg")}).to_excel(
            book, index=False, sheet_name="Calls"
        )
    text = draft_programme(tmp_path)
    assert [source["sheet"] for source in yaml.safe_load(text)["sources"]] == ["*", "Reviews", "Calls"]
    assert run(tmp_path, text)[1].ingested[["kept", "duplicates"]].to_numpy().sum() == 60 + 60 + 60 + 90


def test_transcripts_and_nested_lists_are_found(tmp_path):
    turns = [{"by": "agent", "said": "Hello there"}, {"by": "client", "said": "My parcel is late again"}]
    calls = [{"id": n, "at": f"2025-01-{n:02}", "turns": turns} for n in range(1, 29)]
    (tmp_path / "calls.json").write_text(json.dumps({"meta": {}, "data": {"calls": calls}}))
    source = draft(tmp_path)["sources"][0]
    assert source["record_path"] == ["data", "calls"]
    assert source["turns"] == {"column": "turns", "speaker": "by", "text": "said", "customer": ["client"]}
    assert source["channel"] == "call"


def test_files_with_the_same_columns_are_one_source_and_the_rest_is_named(tmp_path):
    for number, name in enumerate(("may", "june")):
        make_reviews(start=60 * number).to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "letter.doc").write_bytes(b"x")
    (tmp_path / "note.txt").write_text("We liked it, all in all.\nYes.\n")
    (tmp_path / "empty.csv").write_text("")
    pd.DataFrame({"a": range(5), "b": range(5)}).to_csv(tmp_path / "log.csv", index=False)
    text = draft_programme(tmp_path)
    assert [source["files"] for source in yaml.safe_load(text)["sources"]] == [["june.csv", "may.csv"]]
    for file in ("letter.doc", "note.txt", "empty.csv", "log.csv"):
        assert any(line.startswith("# ") and file in line for line in text.splitlines()), file


def test_daily_files_are_one_pattern_that_fits_tomorrow_too(tmp_path):
    for n in range(12):
        make_reviews(20, start=20 * n).to_csv(tmp_path / f"reviews-2025-03-{n + 1:02}-all.csv", index=False)
    (tmp_path / "other.csv").write_text("a,b,c\n1,2,3\n")
    text = draft_programme(tmp_path)
    assert [source["files"] for source in yaml.safe_load(text)["sources"]] == ["reviews-*-all.csv"]
    assert run(tmp_path, text)[1].ingested["kept"].sum() == 240


def test_one_text_a_file_in_folders_is_one_source_with_the_folder_as_segment(tmp_path):
    for n, text in enumerate(SAID["zh"][:50]):
        folder = tmp_path / ("good", "bad")[n % 2]
        folder.mkdir(exist_ok=True)
        (folder / f"{n}.txt").write_bytes(f"{text}\n{SAID['zh'][n - 1]}".encode("gb18030"))
    text = draft_programme(tmp_path)
    source = yaml.safe_load(text)["sources"][0]
    assert (
        source["form"] == "text"
        and source["files"] == "*/*.txt"
        and source["segments"] == {"folder": "_folder"}
    )
    _, tables = run(tmp_path, text)
    assert tables.responses["folder"].value_counts().to_dict() == {"good": 25, "bad": 25}


def test_files_in_an_archive_are_read_where_they_lie(tmp_path):
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as packed:
        packed.writestr("in/reviews.csv", make_reviews().to_csv(index=False))
    text = draft_programme(tmp_path)
    assert yaml.safe_load(text)["sources"][0]["files"] == "export.zip/in/reviews.csv"
    assert run(tmp_path, text)[1].ingested["kept"].sum() == 60


def test_a_copy_of_the_same_data_is_told(tmp_path):
    make_reviews().to_csv(tmp_path / "a.csv", index=False)
    make_reviews(40).rename(columns={"stars": "rating"}).to_csv(tmp_path / "b.csv", index=False)
    assert "# 40 of its records also stand in a.csv" in draft_programme(tmp_path)


def test_logs_funnels_and_behaviour_are_sources_of_their_own(tmp_path):
    make(
        {
            "visit": lambda n: f"V{n // 3:05}",
            "customer": lambda n: f"KC{n % 40:05}",
            "at": lambda n: f"2025-01-{n % 28 + 1:02} 10:00",
            "event": pick("search", "article", "ticket"),
            "query": lambda n: f"{NOUNS[n % 6]} {NOUNS[n // 6 % 6]}",
            "results": lambda n: n % 7,
        }
    ).to_csv(tmp_path / "help_log.csv", index=False)
    make(
        {
            "message": pick("N1", "N2"),
            "customer": lambda n: f"KC{n % 40:05}",
            "sent": lambda n: f"2025-01-{n % 28 + 1:02} 09:00",
            "opened": pick(0, 1),
            "clicked": pick(0, 0, 1),
            "unsubscribed": pick(0, 0, 0, 1),
        }
    ).to_csv(tmp_path / "campaign.csv", index=False)
    make(
        {
            "customer": lambda n: f"KC{n % 40:05}",
            "month": lambda n: f"2025-{n % 12 + 1:02}",
            "orders": lambda n: n % 9,
            "value": lambda n: f"{n * 3.7:.2f}",
        }
    ).to_csv(tmp_path / "orders.csv", index=False)
    text = draft_programme(tmp_path)
    funnel, log, orders = yaml.safe_load(text)["sources"]
    assert log["events"] == {"kind": "event", "subject": ["query"], "value": "results"}
    assert log["columns"] == {"date": "at", "respondent": "customer", "session": "visit"}
    assert set(funnel["events"]["kinds"]) == {"opened", "clicked", "unsubscribed"}
    assert funnel["events"]["subject"] == ["message"] and funnel["columns"]["date"] == "sent"
    assert (
        orders["measures"] == {"orders": "orders", "value": "value"}
        and orders["columns"]["respondent"] == "customer"
    )
    assert {source["mode"] for source in (log, funnel, orders)} == {"behaviour"}
    parse_programme(fill_in(text), name="t")


NOUNS = ["chair", "lamp", "desk", "sofa", "shelf", "rug"]


def test_staff_and_focus_groups_are_told_from_customers(tmp_path):
    tmp_path = tmp_path / "voices"
    tmp_path.mkdir()
    make(EXPORTS["employees"][0]).to_csv(tmp_path / "staff_survey.csv", index=False)
    turns = [
        {"who": "moderator", "words": "What do you think?"},
        {"who": "P1", "words": "It is too dear for me"},
    ]
    groups = [
        json.dumps({"group": f"G{n}", "held_on": f"2025-01-{n:02}", "turns": turns}) for n in range(1, 9)
    ]
    (tmp_path / "focus_groups.jsonl").write_text("\n".join(groups))
    groups, staff = draft(tmp_path)["sources"]
    assert staff["voice"] == "employee" and "voice" not in groups
    assert groups["unit"] == "group" and groups["turns"]["customer"] == ["P1"]


def test_the_wording_stands_in_the_second_row_of_a_qualtrics_export(tmp_path):
    frame = make(
        {
            "ResponseId": lambda n: f"R_{n * 7907:x}Kq{n}",
            "RecordedDate": lambda n: f"2025-01-{n % 28 + 1:02}",
            "Q1": said(),
        }
    )
    upper = pd.DataFrame(
        {
            "ResponseId": ["Response ID", '{"ImportId":"_recordId"}'],
            "RecordedDate": ["Recorded Date", '{"ImportId":"recordedDate"}'],
            "Q1": ["What could we do better?", '{"ImportId":"QID1_TEXT"}'],
        }
    )
    pd.concat([upper, frame]).to_csv(tmp_path / "survey.csv", index=False)
    source = draft(tmp_path)["sources"][0]
    assert source["verbatims"] == {"what_could_we_do_better": "What could we do better?"}
    assert source["columns"]["date"] == "Recorded Date"


def test_quoted_mails_are_to_be_cut(tmp_path):
    frame = make_reviews().rename(columns={"comment": "body"})
    frame["body"] = frame["body"] + "\n\nOn Monday Ann wrote:\n> It is on its way\n"
    frame.to_csv(tmp_path / "inbox.csv", index=False)
    assert draft(tmp_path)["sources"][0]["cut_replies"] is True


def test_hostile_names_stay_names(tmp_path):
    frame = make_reviews().rename(columns={"shop": 'a: {b} # "c"\n- d', "comment": "yes", "title": "source"})
    frame["source"] = [NOUNS[n * n % 5] for n in range(60)]
    frame.to_csv(tmp_path / "it's #1, [x].csv", index=False)
    programme, tables = run(tmp_path)
    source = programme.sources[0]
    assert source.files == ["it's #1, [x].csv"]
    assert set(source.segments.values()) == {'a: {b} # "c"\n- d', "source"}
    assert "source" not in programme.segments, "the name of a column of responses is taken"
    assert len(tables.feedback) == 60


def test_what_stands_in_a_file_never_becomes_a_key(tmp_path):
    evil = "x\nsources: []\x85goal: loyalty\u2028question: why\rtitle: mine"
    frame = make_reviews().assign(shop=pick_evil(evil)).rename(columns={"stars": f"stars {evil}"})
    frame.to_csv(tmp_path / "a.csv", index=False)
    found = draft(tmp_path)
    assert found["goal"] is None and found["question"] is None and found["title"] == tmp_path.name
    assert len(found["sources"]) == 1


def pick_evil(evil):
    return [evil if n % 3 else "plain" for n in range(60)]


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="no file"):
        draft_programme(tmp_path)


def test_the_order_of_records_changes_no_line(tmp_path):
    frame = make_reviews(90).assign(author=[person(n) for n in range(90)])
    texts = []
    for name, part in (("a", frame), ("b", frame.iloc[::-1])):
        folder = tmp_path / name / "shop"
        folder.mkdir(parents=True)
        part.to_csv(folder / "reviews.csv", index=False)
        texts.append([line.split("like")[0] for line in draft_programme(folder).splitlines()])
    assert texts[0] == texts[1]


def test_no_path_of_this_machine_stands_in_a_draft(tmp_path):
    make_reviews().to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "b.csv").write_text("")
    assert str(Path(tmp_path)) not in draft_programme(tmp_path)


@pytest.mark.parametrize(
    ("column", "better"),
    [
        ("How much effort did it cost you?", "low"),
        ("It was easy to get help", "high"),
        ("Колко усилия ви струваше?", "low"),
    ],
)
def test_a_score_of_effort_is_drafted_with_its_direction_and_a_doubt(column, better, tmp_path):
    rows = pd.DataFrame({"id": range(70), "date": [f"2025-03-{n % 28 + 1:02}" for n in range(70)]})
    rows[column] = [n % 7 + 1 for n in range(70)]
    rows["comment"] = [f"It took me {n} calls to get help" for n in range(70)]
    rows.to_csv(tmp_path / "effort.csv", index=False)
    text = draft_programme(tmp_path)
    question = next(iter(parse_programme(fill_in(text), name="t").questions.values()))
    assert (question.metric, question.better) == ("ces", better) and "doubt: which end is good?" in text
