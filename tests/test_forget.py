"""Forgetting a person: nothing of them is left in store or reports, nothing comes back, nobody else is touched."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, run_make

from vocwb.collect.coverage import measure_coverage
from vocwb.collect.ingest import Tables, find_lost, make_tables
from vocwb.collect.sources import list_files, read_sources
from vocwb.decisions import export_decisions, find_codebook, read_decisions, record_decision
from vocwb.errors import DecisionError, RunError, StoreError
from vocwb.forget import erase_orphans, forget_file, forget_respondent, read_forgotten
from vocwb.paths import (
    encoder_folder,
    programme_folder,
    raw_folder,
    report_folder,
    store_folder,
    vector_folder,
)
from vocwb.programme import parse_programme, read_key, read_programme, read_rules
from vocwb.schemas import check_table, join_responses, make_findings, select_months
from vocwb.share.gather import gather_tables
from vocwb.share.publish import build_report, export_findings, write_report
from vocwb.share.quotes import check_page
from vocwb.store import list_months, read_table, write_parts, write_table
from vocwb.understand.coding import code_by_rules, parse_rules
from vocwb.understand.encoders import encode_texts, fit_encoder, load_encoder, save_encoder
from vocwb.understand.metrics import compute_scores
from vocwb.understand.topics import list_texts
from vocwb.understand.vectors import read_vectors, write_vectors

NAME = "Quillon Zebrowska"
WORDED = ("codebook", "accepted", "proposals")
MARKS = ("quokkas", "Zanzibari", "umbrella-stand")
SAID = [
    'Seven quokkas sat on my parcel & "nobody" at the depot <cared>, it\'s a shame!',
    "The Zanzibari courier line sent quokkas twice and then left for good.",
    "My umbrella-stand came with a leg that was far too short for it.",
]
PROGRAMME = """
title: Tiny shop
question: What goes wrong?
goal: less_churn
languages: [en]
minimum_group: 1
minimum_group_staff: 1
questions:
  nps: {label: "Would you recommend us?", low: 0, high: 10, metric: nps}
sources:
  - {name: survey, files: "survey*.csv", channel: survey, who_started: company, mode: direct,
     columns: {id: id, date: date, respondent: who}, verbatims: {why: why}, answers: {nps: nps}}
  - {name: mail, files: mail.csv, channel: email, who_started: customer, mode: direct,
     columns: {id: id, date: date, respondent: from}, verbatims: {text: text}}
  - {name: staff, files: staff.csv, channel: survey, who_started: company, mode: direct, voice: employee,
     columns: {id: id, date: date, respondent: who}, verbatims: {why: why}}
  - {name: funnel, files: funnel.csv, channel: mail, who_started: company, mode: behaviour,
     columns: {date: date, respondent: who}, events: {kinds: {opened: opened, clicked: clicked}}}
  - {name: use, files: use.csv, channel: shop, who_started: nobody, mode: behaviour,
     columns: {date: date, respondent: who}, measures: {orders: orders, amount: amount}}
"""
LONG = "The kettle of this shop caught fire in our kitchen, be careful with it please"


def write_raw(folder: Path, *, person: bool = True, month: str = "2025-02") -> None:
    """Write the exports of two months: with the person, or as they would be had the person never been a customer."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        [f"s{n}", f"2025-0{1 + n % 2}-{10 + n:02d}", f"customer {n % 7}",
         f"Parcel number {n} came late and the box was wet on {n} sides of it", n % 11]
        for n in range(14)
    ]  # fmt: skip
    theirs = [
        ["p1", "2025-01-05", NAME, SAID[0], 2],
        ["p2", "2025-02-06", f" {NAME} ", SAID[1], 3],
        ["p3", "2025-01-02", NAME, LONG, 1],
        ["p4", "2025-02-31x", NAME, SAID[2], 4],
    ]
    copies = [["c1", "2025-01-20", "", LONG, 1], ["c2", "2025-01-21", "", LONG, 1]]
    columns = ["id", "date", "who", "why", "nps"]
    kept = [*rows[:4], *(theirs if person else []), *rows[4:], *copies]
    pd.DataFrame(kept, columns=columns).to_csv(folder / "survey.csv", index=False)
    if person:
        with (folder / "survey.csv").open("a") as file:
            file.write(f"p9,2025-02-07,{NAME}\n")
    mail = [["m1", "2025-02-08", "customer 3", f"Did {NAME} get the same answer as I did? Please tell me."]]
    mail += [
        ["m2", "2025-02-09", NAME, f"{SAID[2]}\n\nOn 2025-02-01 the shop wrote:\n> We are {MARKS[0]}"]
    ] * person
    mail += [
        ["m3", "2025-02-10", NAME, f"On 2025-02-01, The shop <a@b.c> wrote:\n> We are {MARKS[0]}\n> all"]
    ] * person
    pd.DataFrame(mail, columns=["id", "date", "from", "text"]).to_csv(folder / "mail.csv", index=False)
    staff = [["e1", "2025-02-03", "Mara Lund", "The scanner freezes and I write on paper every evening."]]
    pd.DataFrame(staff, columns=columns[:4]).to_csv(folder / "staff.csv", index=False)
    funnel = [["2025-02-01", "customer 1", "yes", ""], *[["2025-02-01", NAME, "yes", "yes"]] * person]
    funnel += [*[["2025-02-02", NAME, "", ""]] * person, ["2025-02-02", "customer 2", "yes", "yes"]]
    pd.DataFrame(funnel, columns=["date", "who", "opened", "clicked"]).to_csv(
        folder / "funnel.csv", index=False
    )
    use = [["2025-02-01", "customer 1", 2, 20.5], *[["2025-02-01", NAME, 7, 70]] * person]
    pd.DataFrame(use, columns=["date", "who", "orders", "amount"]).to_csv(folder / "use.csv", index=False)


def ingest(known) -> Tables:
    """Read the raw files into the store, as notebook 01 does."""
    folder = raw_folder(known.name)
    reading = read_sources(known, folder)
    last = Tables(*(read_table(known, name, empty=True) for name in Tables._fields))
    lost = find_lost(last, reading, list_files(folder))
    tables = make_tables(
        reading, programme=known, key=read_key(known), forgotten=read_forgotten(known), lost=lost
    )
    for name, table in tables._asdict().items():
        write_table(known, name, table, inputs={"a": "b"}, parameters={"seed": 1})
    return tables


def analyse(known) -> None:
    """Write what a month makes of the tables: codebook, assignments, codes, findings, causes, decisions."""
    responses, feedback = read_table(known, "responses"), read_table(known, "feedback")
    opinions = join_responses(feedback, responses)
    ids = opinions["feedback_id"].tolist()
    encoder = fit_encoder("tfidf-svd", opinions["verbatim"], language="en")
    save_encoder(encoder, encoder_folder(known.name))
    terms = ["late", "parcel", "box", MARKS[0]]
    topic = {
        "codebook_id": "C1", "topic": "T0001", "voice": "customer", "language": "en",
        "encoder_id": encoder.encoder_id, "name": " · ".join(terms[:3]), "theme": "H01",
        "theme_name": f"late / {MARKS[0]}", "terms": terms, "vector": [1.0],
        "size": 9, "floor": 0.1, "examples": ids, "first_seen": "2025-01", "lineage": "new",
    }  # fmt: skip
    write_table(known, "codebook", check_table("codebook", pd.DataFrame([topic])), part="C1")
    later = topic | {"topic": "A0001", "name": f"{MARKS[0]} late", "lineage": "accepted in 2025-02"}
    write_table(known, "accepted", check_table("accepted", pd.DataFrame([later])), part="C1")
    proposal = {
        "proposal": "P1", "codebook_id": "C1", "month": "2025-02", "voice": "customer", "language": "en",
        "encoder_id": encoder.encoder_id, "n": len(ids), "cohesion": 0.5, "earlier_share": 0.1, "p_adjusted": 0.0,
        "unassigned": 0.5, "nearest_topic": "T0001", "nearest_similarity": 0.5, "terms": terms, "vector": [1.0],
        "floor": 0.1, "examples": ids[:5], "feedback_ids": ids,
    }  # fmt: skip
    write_table(known, "proposals", check_table("proposals", pd.DataFrame([proposal])), part="C1/2025-02")
    place = {"codebook_id": "C1", "voice": "customer", "language": "en"}
    points = opinions[["feedback_id"]].assign(**place, x=0.5, y=0.25)
    write_table(known, "points", check_table("points", points), part="C1")
    keep_model_vectors(list_texts(feedback))
    assigned = opinions[["feedback_id"]].assign(
        codebook_id="C1", topic="T0001", similarity=0.5, start=0, end=4
    )
    months = opinions["month"]
    for name in ("assignments", "mentions"):
        write_parts(known, name, assigned, "C1/" + months)
    codes = code_by_rules(opinions, parse_rules(read_rules(known)))
    write_parts(known, "codes", codes, codes["feedback_id"].map(opinions.set_index("feedback_id")["month"]))
    if find_codebook(read_decisions(known)) is None:
        record_decision(known, kind="codebook_in_use", subject="C1", value={}, who="Ada", why="first")
        record_decision(
            known, kind="code", subject=ids[0], value={"category": "delivery"}, who="Ada", why="read it"
        )
        export_decisions(known)
    for month in list_months(known):
        limits = {"month": month, "minimum": 1, "smallest": known.smallest}
        parts = {
            "coverage": measure_coverage(responses, feedback, month=month),
            "scores": compute_scores(responses, feedback, known.questions, **limits),
        }
        for name, findings in parts.items():
            write_table(known, "findings", findings, part=f"{month}/{name}")
        so_far = select_months(opinions, month)["feedback_id"].tolist()
        found = make_findings(
            [{"period": month, "subject": "k1", "measure": "difference", "unit": "pp", "value": 30.0, "n": 9,
              "claim": "“late” stands in more of them.", "method": "count", "feedback_ids": so_far}],
            section="root_cause", month=month,
        )  # fmt: skip
        write_table(known, "findings", found, part=f"{month}/root_cause")
        cause = {
            "cause_id": "k1", "parent_id": None, "depth": 1, "month": month, "topic": "T0001", "label": "late",
            "kind": "term", "finding_id": None, "author": None, "evidence_for": so_far[::2],
            "evidence_against": so_far[1::2],
        }  # fmt: skip
        write_table(known, "causes", check_table("causes", pd.DataFrame([cause])), part=month)
        write_table(known, "actions", read_table(known, "actions", empty=True), part=month)


def keep_model_vectors(texts) -> None:
    """Keep a vector of each text, in two files, as a model's vectors are kept."""
    texts = list(dict.fromkeys(texts))
    for some in (texts[::2], texts[1::2]):
        write_vectors(some, np.ones((len(some), 3), "f4"), vector_folder("tiny") / "some-model")


def publish(known) -> None:
    """Write the report of each month, its workbook, and an executed notebook that shows what was said."""
    opinions = join_responses(read_table(known, "feedback"), read_table(known, "responses"))
    for month in list_months(known):
        findings = read_table(known, "findings", part=month)
        codebook = read_table(known, "codebook", part="C1")
        tables = gather_tables(known, month=month, codebook=codebook, decisions=read_decisions(known))
        page = build_report(programme=known, month=month, findings=findings, codebook=codebook, **tables)
        folder = report_folder(known.name, month)
        write_report(page, folder / "report.html")
        export_findings(findings, folder / "findings.xlsx")
        shown = opinions.to_html() + opinions["verbatim"].to_string()
        cell = nbformat.v4.new_code_cell("opinions", outputs=[nbformat.v4.new_output("stream", text=shown)])
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "05_segment_comparison.ipynb")
    shutil.copy(
        folder / "05_segment_comparison.ipynb", report_folder(known.name, "") / "02_topic_discovery.ipynb"
    )


@pytest.fixture(scope="module")
def made_root(tmp_path_factory):
    """A root with a programme of one report a month, in which the person said and did things of every kind."""
    root = tmp_path_factory.mktemp("forget")
    folder = root / "data" / "tiny"
    write_raw(folder / "raw")
    (folder / "programme.yml").write_text(PROGRAMME, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOCWB_ROOT", str(root))
        known = read_programme("tiny")
        ingest(known)
        analyse(known)
        publish(known)
    return root


@pytest.fixture
def tiny(made_root, tmp_path, monkeypatch):
    """A copy of it, for a test to forget in."""
    shutil.copytree(made_root, tmp_path / "root")
    monkeypatch.setenv("VOCWB_ROOT", str(tmp_path / "root"))
    return read_programme("tiny")


def forget(known, name=NAME, **options):
    return forget_respondent(known, name, **({"who": "Ada", "why": "asked by mail"} | options))


def ids_of(known, name_of_source="survey") -> set[str]:
    """The ids of all that the person has in the store: hashes, responses, feedback."""
    responses, feedback = read_table(known, "responses"), read_table(known, "feedback")
    theirs = responses[responses["source_id"].str.startswith("p") | responses["source_id"].isin(["m2", "m3"])]
    said = feedback[feedback["response_id"].isin(theirs["response_id"])]
    return {*theirs["response_id"], *theirs["respondent_id"], *said["feedback_id"]}


def read_all(path: Path) -> str:
    """Whatever a file holds, as text: its bytes, the members of a workbook, and the cells of a table."""
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".parquet":
        cells = pd.read_parquet(path).map(lambda cell: cell.tolist() if hasattr(cell, "tolist") else cell)
        text += json.dumps(cells.astype("object").to_dict("list"), ensure_ascii=False, default=str)
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            text += "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return text


def find_traces(known, traces) -> list[tuple[str, str]]:
    """Every file below store and reports that holds one of the traces, with the first of them."""
    found = []
    for folder in (store_folder(known.name), report_folder(known.name, "")):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            text = read_all(path)
            found += [(path.relative_to(folder).as_posix(), trace) for trace in traces if trace in text][:1]
    return found


def check_accounts(known) -> None:
    ingested = read_table(known, "ingested")
    sums = ingested["kept"] + ingested["duplicates"] + ingested["quarantined"]
    assert (ingested["rows_in"] == sums).all()
    assert (ingested[["kept", "duplicates", "quarantined"]] >= 0).all().all()
    held = read_table(known, "quarantine").groupby(["source", "file"]).size()
    assert ingested.set_index(["source", "file"])["quarantined"].sub(held, fill_value=0).eq(0).all()
    responses = read_table(known, "responses")
    counted = responses.groupby(["source", "file", responses["duplicate_of"].isna()]).size()
    for row in ingested[ingested["source"].isin(["survey", "mail", "staff"])].to_dict("records"):
        key = row["source"], row["file"]
        assert (row["kept"], row["duplicates"]) == tuple(counted.get((*key, one), 0) for one in (True, False))


def test_the_programme_holds_the_person_everywhere_before(tiny):
    ids = ids_of(tiny)
    assert len(ids) == 5 + 1 + 4
    asides = read_table(tiny, "asides")
    assert len(asides) == 2 and asides["text"].str.contains(MARKS[0]).all()
    files = {file for file, _ in find_traces(tiny, [NAME, *MARKS, *ids])}
    assert {
        f"{name}.parquet" for name in ("responses", "feedback", "asides", "events", "behaviour", "quarantine")
    } <= files
    assert {
        "codes/2025-01.parquet",
        "assignments/C1/2025-02.parquet",
        "mentions/C1/2025-02.parquet",
        "points/C1.parquet",
        "accepted/C1.parquet",
        "proposals/C1/2025-02.parquet",
        "codebook/C1.parquet",
        "causes/2025-02.parquet",
    } <= files
    assert {"2025-02/report.html", "2025-02/findings.xlsx", "2025-02/05_segment_comparison.ipynb"} <= files
    pages = [report_folder("tiny", month) / "report.html" for month in list_months(tiny)]
    assert any(mark in page.read_text() for page in pages for mark in MARKS)


def test_nothing_of_a_forgotten_person_is_left(tiny):
    ids = ids_of(tiny)
    raw = {path: path.read_bytes() for path in raw_folder("tiny").iterdir()}
    decided = (programme_folder("tiny") / "decisions.jsonl").read_bytes()
    # A customer who wrote the person's name: what is typed freely is not found, and that is said.
    others = read_table(tiny, "feedback").set_index("feedback_id")["verbatim"]
    others = others[others.str.contains(NAME)].index
    assert len(others) == 1
    said = forget(tiny)
    assert find_traces(tiny, [*MARKS, *ids]) == []
    left = {file for file, _ in find_traces(tiny, [NAME])}
    assert left <= {"feedback.parquet", "2025-02/report.html"}
    assert (
        read_table(tiny, "feedback").set_index("feedback_id").loc[others, "verbatim"].str.contains(NAME).all()
    )
    check_accounts(tiny)
    assert said.erased["responses"] == 5 and said.erased["events"] == 2 and said.erased["behaviour"] == 2
    assert {path: path.read_bytes() for path in raw_folder("tiny").iterdir()} == raw
    assert (programme_folder("tiny") / "decisions.jsonl").read_bytes() == decided
    recorded = (programme_folder("tiny") / "forgotten.jsonl").read_text()
    assert (
        NAME not in recorded
        and json.loads(recorded)["respondent"] in ids
        and json.loads(recorded)["who"] == "Ada"
    )


def test_nobody_else_loses_a_byte(tiny):
    ids = ids_of(tiny)
    before = {name: read_table(tiny, name) for name in Tables._fields}
    results = {
        name: read_table(tiny, name)
        for name in ("codes", "assignments", "mentions", "points", "findings", "causes", *WORDED)
    }
    forget(tiny)
    for name, old in before.items():
        if name == "ingested":
            continue
        # What copied the person is an original again, which another test looks at.
        old, new = (
            frame.drop(columns="duplicate_of", errors="ignore") for frame in (old, read_table(tiny, name))
        )
        keep = ~old.isin(ids).any(axis="columns")
        if name in ("asides", "events", "behaviour", "quarantine"):
            keep &= ~old.apply(
                lambda row: any(mark in str(row.tolist()) for mark in (NAME, *MARKS)), axis="columns"
            )
        if name == "quarantine":
            new = new[~new["raw"].eq("")]
        pd.testing.assert_frame_equal(new.reset_index(drop=True), old[keep].reset_index(drop=True))
    said = set(read_table(tiny, "feedback")["feedback_id"])
    for table in ("codes", "assignments", "mentions", "points"):
        pd.testing.assert_frame_equal(
            read_table(tiny, table),
            results[table][results[table]["feedback_id"].isin(said)].reset_index(drop=True),
        )
    lists = [("findings", "feedback_ids"), ("causes", "evidence_for"), ("proposals", "feedback_ids")]
    for table, column in [*lists, *((table, "examples") for table in WORDED)]:
        kept = [[one for one in ids if one in said] for ids in results[table][column]]
        assert read_table(tiny, table)[column].tolist() == kept
        own = [*results[table].select_dtypes("str").columns.difference(["encoder_id", "name", "theme_name"])]
        pd.testing.assert_frame_equal(read_table(tiny, table)[own], results[table][own])


def test_words_that_only_they_wrote_leave_the_topics_and_all_other_texts_keep_their_vectors(tiny):
    folder = encoder_folder("tiny")
    book = read_table(tiny, "codebook")
    terms = ["late", MARKS[0], "parcel", "box"]
    write_table(tiny, "codebook", book.assign(terms=[terms], name=" · ".join(terms[:3])), part="C1")
    before = load_encoder(book["encoder_id"].item(), folder)
    assert MARKS[0] in before.vocabulary
    forget(tiny)
    topic = read_table(tiny, "codebook").iloc[0]
    after = load_encoder(topic["encoder_id"], folder)
    assert topic["terms"] == ["late", "parcel", "box"] and topic["name"] == "late · parcel · box"
    assert set(before.vocabulary) - set(after.vocabulary) == {MARKS[0]}
    assert [path.stem for path in folder.glob("*.npz")] == [after.encoder_id]
    texts = read_table(tiny, "feedback")["verbatim"]
    assert (encode_texts(before, texts) == encode_texts(after, texts)).all()


def test_their_words_leave_what_was_proposed_and_accepted_and_the_name_of_a_theme(tiny):
    book = read_table(tiny, "codebook")
    rows = [
        ("T0001", f"{MARKS[0]} late", "H01", f"{MARKS[0]} late / Wet box", ["late", MARKS[0], "parcel"]),
        ("T0002", "Wet box", "H01", f"{MARKS[0]} late / Wet box", ["box", "wet"]),
        ("T0003", "Boxes", "H02", "Boxes", ["box"]),
    ]
    columns = ["topic", "name", "theme", "theme_name", "terms"]
    other = pd.DataFrame(rows, columns=columns).to_dict("list")
    write_table(tiny, "codebook", pd.concat([book] * 3, ignore_index=True).assign(**other), part="C1")
    accepted = read_table(tiny, "accepted").assign(theme_name=rows[0][3])
    write_table(tiny, "accepted", accepted, part="C1")
    forget(tiny)
    book = read_table(tiny, "codebook").set_index("topic")
    assert book["name"].to_dict() == {"T0001": "late · parcel", "T0002": "Wet box", "T0003": "Boxes"}
    assert book["theme_name"].to_dict() == {
        "T0001": "late · parcel / Wet box", "T0002": "late · parcel / Wet box", "T0003": "Boxes",
    }  # fmt: skip
    later, proposal = read_table(tiny, "accepted").iloc[0], read_table(tiny, "proposals").iloc[0]
    assert (later["theme_name"], later["name"]) == ("late · parcel / Wet box", "late · parcel · box")
    assert later["terms"] == proposal["terms"] == ["late", "parcel", "box"]
    assert {later["encoder_id"], proposal["encoder_id"]} == set(book["encoder_id"])
    assert [path.stem for path in encoder_folder("tiny").glob("*.npz")] == [later["encoder_id"]]


def test_the_vectors_of_what_only_they_said_go_and_no_others(tiny):
    feedback, ids = read_table(tiny, "feedback"), ids_of(tiny)
    theirs = feedback["feedback_id"].isin(ids)
    said, rest = set(list_texts(feedback[theirs])), set(list_texts(feedback[~theirs]))
    assert LONG in said & rest and len(said - rest) >= 3
    folder = vector_folder("tiny") / "some-model"
    assert read_vectors(sorted(said | rest), folder)[0].all()
    assert forget(tiny).erased["vectors"] == len(said - rest)
    assert not read_vectors(sorted(said - rest), folder)[0].any()
    assert read_vectors(sorted(rest), folder)[0].all()


def test_the_earliest_copy_of_what_they_said_is_an_original_again(tiny):
    before = read_table(tiny, "responses").set_index("source_id")["duplicate_of"]
    first = read_table(tiny, "responses").set_index("source_id")["response_id"]
    assert before[["c1", "c2"]].tolist() == [first["p3"]] * 2
    forget(tiny)
    after = read_table(tiny, "responses").set_index("source_id")["duplicate_of"]
    assert pd.isna(after["c1"]) and after["c2"] == first["c1"]
    opinions = join_responses(read_table(tiny, "feedback"), read_table(tiny, "responses"))
    assert opinions["verbatim"].eq(LONG).sum() == 1


def test_a_second_ingest_brings_nothing_back_and_changes_nothing(tiny):
    ids = ids_of(tiny)
    forget(tiny)
    stored = {name: read_table(tiny, name) for name in Tables._fields}
    ingest(tiny)
    assert find_traces(tiny, [*MARKS, *ids]) == []
    check_accounts(tiny)
    for name, table in stored.items():
        again = read_table(tiny, name)
        if name == "quarantine":  # the line that cannot be read stands in the file, and is read again
            assert again.drop(columns="raw").equals(table.drop(columns="raw"))
            assert again.loc[again["raw"].str.contains(NAME), "reason"].str.contains("fields").all()
        else:
            pd.testing.assert_frame_equal(again, table)


def test_a_person_whose_files_are_gone_is_forgotten_too(tiny):
    ids = ids_of(tiny)
    shutil.rmtree(raw_folder("tiny"))
    said = forget(tiny)
    assert find_traces(tiny, [*MARKS, *ids]) == []
    assert not any("still holds" in line for line in said.by_hand)
    check_accounts(tiny)
    quarantine = read_table(tiny, "quarantine")
    assert not quarantine["raw"].str.contains(NAME).any()
    write_raw(raw_folder("tiny"), person=False)
    (raw_folder("tiny") / "survey.csv").rename(raw_folder("tiny") / "survey-new.csv")
    ingest(tiny)
    assert read_table(tiny, "ingested").set_index("file").loc["survey.csv", "status"] == "disappeared"
    assert find_traces(tiny, [*MARKS, *ids]) == []


def test_the_store_is_as_if_the_person_had_never_been_there(tiny, tmp_path, monkeypatch):
    forget(tiny)
    stored = {
        name: read_table(tiny, name)
        for name in ("responses", "feedback", "events", "behaviour", "asides", "tags")
    }
    other = tmp_path / "other"
    shutil.copytree(
        programme_folder("tiny"), other / "data" / "tiny", ignore=shutil.ignore_patterns("store", "raw")
    )
    monkeypatch.setenv("VOCWB_ROOT", str(other))
    write_raw(raw_folder("tiny"), person=False)
    ingest(tiny)
    for name, table in stored.items():
        pd.testing.assert_frame_equal(table, read_table(tiny, name))


def test_reports_keep_their_other_quotes_and_are_listed_to_be_rebuilt(tiny):
    page = report_folder("tiny", "2025-02") / "report.html"
    before = page.read_text()
    said = forget(tiny)
    after = page.read_text()
    assert "[erased]" in after and len(after) < len(before)
    checked = check_page(after, read_table(tiny, "feedback"))
    assert 0 < checked < before.count("data-feedback-id=")
    assert said.rebuild == [
        f"make month PROGRAMME=tiny MONTH={month} FROM=03" for month in ("2025-01", "2025-02")
    ]
    assert not list(report_folder("tiny", "").rglob("*.ipynb"))
    analyse(tiny)
    publish(tiny)
    assert "[erased]" not in page.read_text()
    assert forget(tiny).rebuild == []


def test_forgetting_twice_changes_nothing_more(tiny):
    first = forget(tiny)
    files = {path: path.read_bytes() for path in programme_folder("tiny").rglob("*") if path.is_file()}
    pages = {path: path.read_bytes() for path in report_folder("tiny", "").rglob("*") if path.is_file()}
    again = forget(tiny)
    assert not any(again.erased.values())
    assert again.rebuild == first.rebuild
    for path, held in (files | pages).items():
        assert path.read_bytes() == held, path


def test_the_summary_says_what_is_left_to_people(tiny):
    text = str(forget(tiny))
    assert "survey.csv still holds the person (line 6, 7, 8, 9)" in text
    assert "survey.csv line 22 cannot be read and names the person" in text
    assert "use.csv still holds" in text and "funnel.csv still holds" in text
    assert "make month PROGRAMME=tiny MONTH=2025-01 FROM=03" in text
    assert "not found" in text and NAME not in text


def test_a_stranger_is_an_error_that_says_what_was_searched_and_records_nothing(tiny):
    files = {path: path.read_bytes() for path in programme_folder("tiny").rglob("*") if path.is_file()}
    with pytest.raises(
        StoreError, match=r"(?s)called 'Nobody Known'.*respondent column.*data/tiny/raw.*exactly"
    ):
        forget(tiny, "Nobody Known")
    with pytest.raises(StoreError, match="nobody is named"):
        forget(tiny, " n/a ")
    for missing in ({"who": " "}, {"why": ""}, {"why": f"{NAME} wrote to us"}):
        with pytest.raises(DecisionError):
            forget(tiny, **missing)
    now = {path: path.read_bytes() for path in programme_folder("tiny").rglob("*") if path.is_file()}
    assert now == files
    assert read_forgotten(tiny) == frozenset()


def test_a_person_known_only_from_a_log_or_a_raw_file_is_forgotten(tiny):
    shutil.rmtree(store_folder("tiny"))
    said = forget(tiny)
    assert not any(said.erased.values()) and len(read_forgotten(tiny)) == 1
    ingest(tiny)
    assert (
        set(read_table(tiny, "events")["subject"].dropna()) == set() and len(read_table(tiny, "events")) == 3
    )
    assert not read_table(tiny, "responses")["respondent_id"].isin(read_forgotten(tiny)).any()
    check_accounts(tiny)


def test_staff_are_forgotten_in_their_own_source_and_customers_of_that_name_are_not(tiny):
    said = forget(tiny, "Mara Lund")
    assert said.erased["responses"] == 1
    assert set(read_table(tiny, "responses")["voice"]) == {"customer"}
    ingest(tiny)
    assert set(read_table(tiny, "responses")["voice"]) == {"customer"}
    customer = {"voice": "customer", "source": "survey"}
    assert len(read_forgotten(tiny)) == 1
    table = (raw_folder("tiny") / "survey.csv").read_text().replace("customer 5", "Mara Lund")
    (raw_folder("tiny") / "survey.csv").write_text(table)
    ingest(tiny)
    responses = read_table(tiny, "responses")
    assert len(responses[(responses[list(customer)] == list(customer.values())).all(axis="columns")]) == 19


def test_a_month_that_runs_is_not_disturbed(tiny):
    status = report_folder("tiny", "") / "run.json"
    status.write_text(json.dumps({"state": "running"}))
    with pytest.raises(RunError, match="running"):
        forget(tiny)
    assert read_forgotten(tiny) == frozenset()
    status.write_text(json.dumps({"state": "finished"}))
    assert forget(tiny).erased["responses"] == 5


def test_what_a_killed_process_left_half_written_goes_too(tiny):
    left = [
        store_folder("tiny") / ".feedback.parquet.ab12.part",
        report_folder("tiny", "2025-02") / ".04_scorecard.xy" / "04_scorecard.ipynb",
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SAID[0])
    own = report_folder("tiny", "2025-02") / "my notes.txt"
    own.write_text(SAID[0])
    said = forget(tiny)
    assert not any(path.exists() for path in left)
    assert own.read_text() == SAID[0] and any("my notes.txt" in line for line in said.by_hand)


FORGET = """
from vocwb.forget import forget_respondent
from vocwb.programme import read_programme
print("ready", flush=True)
forget_respondent(read_programme("tiny"), {name!r}, who="Ada", why="asked by mail")
"""


@pytest.mark.parametrize("after", [0, 3, 12, 22, 31, 38])
def test_a_kill_leaves_a_store_that_reads_and_the_next_call_finishes(tiny, after):
    ids = ids_of(tiny)

    def stamps():
        """Name and inode of each file; one may go while they are listed."""
        found = set()
        for path in [*store_folder("tiny").rglob("*.*"), *report_folder("tiny", "").rglob("*.*")]:
            with contextlib.suppress(FileNotFoundError):
                found.add((path, path.stat().st_ino))
        return found

    before = stamps()
    process = subprocess.Popen([sys.executable, "-c", FORGET.format(name=NAME)], cwd=ROOT, env=os.environ)
    listed = programme_folder("tiny") / "forgotten.jsonl"
    while process.poll() is None and not listed.exists():
        time.sleep(0.001)
    while process.poll() is None and len(before - stamps()) < after:
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for name in (*Tables._fields, "assignments", "codes", "codebook", "findings", "causes"):
        read_table(tiny, name)
    said = forget(tiny)
    assert find_traces(tiny, [*MARKS, *ids]) == []
    assert len(said.rebuild) == 2
    check_accounts(tiny)
    for path in store_folder("tiny").rglob("*.manifest.json"):
        manifest = json.loads(path.read_text())
        table = pd.read_parquet(path.with_name(path.name.replace(".manifest.json", ".parquet")))
        assert manifest["rows"] == len(table)
    assert len(listed.read_text().splitlines()) == 1
    stored = {name: read_table(tiny, name) for name in ("responses", "feedback", "events", "behaviour")}
    ingest(tiny)
    for name, table in stored.items():
        pd.testing.assert_frame_equal(read_table(tiny, name), table)


def test_a_file_that_disappeared_on_purpose_is_forgotten_and_any_other_is_kept(tiny):
    with pytest.raises(StoreError, match="still lies"):
        forget_file(tiny, "mail.csv", who="Ada", why="was a test")
    with pytest.raises(StoreError, match=r"survey/survey\.csv"):
        forget_file(tiny, "male.csv", who="Ada", why="was a test")
    survey = raw_folder("tiny") / "survey.csv"
    shutil.copy(survey, survey.with_name("survey-2.csv"))
    (raw_folder("tiny") / "mail.csv").write_text("id,date,from,text\n")
    (raw_folder("tiny") / "survey-2.csv").write_text(
        "id,date,who,why,nps\nz1,2025-02-02,customer 9,Fine by me now,8\n"
    )
    ingest(tiny)
    survey.unlink()
    ingest(tiny)
    assert read_table(tiny, "ingested").set_index("file").loc["survey.csv", "status"] == "disappeared"
    said = forget_file(tiny, "survey/survey.csv", who="Ada", why="was a test")
    assert said.erased["responses"] > 10
    check_accounts(tiny)
    for name in ("responses", "ingested", "quarantine"):
        assert "survey.csv" not in set(read_table(tiny, name)["file"])
    ingest(tiny)
    assert "survey.csv" not in set(read_table(tiny, "responses")["file"])
    assert set(read_table(tiny, "responses").query("source == 'survey'")["source_id"]) == {"z1"}


def test_what_is_too_old_leaves_results_and_reports(tiny):
    old = read_table(tiny, "responses").query("month == '2025-01'")["response_id"]
    feedback = read_table(tiny, "feedback")
    gone = feedback.loc[feedback["response_id"].isin(old), "feedback_id"].tolist()
    kept = feedback.loc[~feedback["response_id"].isin(old), "feedback_id"].tolist()
    (
        report_folder("tiny", "") / "02_topic_discovery.ipynb"
    ).unlink()  # its real one shows nothing that was said
    path = programme_folder("tiny") / "programme.yml"
    path.write_text(PROGRAMME + "retention_months: 1\n")
    known = read_programme("tiny")
    ingest(known)
    said = erase_orphans(known)
    assert find_traces(known, gone) == []
    assert {one for one in kept if find_traces(known, [one])} == set(kept)
    assert said.rebuild == [
        "reports/tiny/2025-01 cannot be rebuilt, no feedback of that month is left: keep it as it is, or delete it",
        "make month PROGRAMME=tiny MONTH=2025-02 FROM=03",
    ]
    assert (
        check_page(
            (report_folder("tiny", "2025-01") / "report.html").read_text(), read_table(known, "feedback")
        )
        == 0
    )
    assert not any(erase_orphans(known).erased.values())


def test_without_retention_a_published_report_stays_though_its_ids_are_gone(tiny):
    pages = {path: path.read_bytes() for path in report_folder("tiny", "").rglob("report.html")}
    text = PROGRAMME.replace("{why: why}", "{reason: why}")
    (programme_folder("tiny") / "programme.yml").write_text(text)
    known = parse_programme(text, name="tiny")
    ingest(known)
    assert erase_orphans(known).erased["codes"] > 0
    assert {path: path.read_bytes() for path in report_folder("tiny", "").rglob("report.html")} == pages


def test_make_forget_says_what_it_did_and_a_name_is_not_read_by_the_shell(tiny, tmp_path):
    root = tmp_path / "root"
    table = (raw_folder("tiny") / "survey.csv").read_text().replace("customer 4", "O'Hara `touch x` $y")
    (raw_folder("tiny") / "survey.csv").write_text(table)
    made = run_make(
        "forget", "PROGRAMME=tiny", "RESPONDENT=O'Hara `touch x` $y", "WHO=Ada", "WHY=asked", root=root
    )
    assert made.returncode == 0, made.stderr
    assert "survey.csv still holds the person" in made.stdout and len(read_forgotten(tiny)) == 1
    for words, says in (
        (["RESPONDENT=x", "WHO=Ada"], "lacks WHY"),
        (["WHO=Ada", "WHY=asked"], "Nobody and nothing is named"),
        (["FILE=no.csv", "WHO=Ada", "WHY=gone"], "are called 'no.csv'"),
    ):
        failed = run_make("forget", "PROGRAMME=tiny", *words, root=root)
        assert failed.returncode != 0 and says in failed.stderr and "Traceback" not in failed.stderr
