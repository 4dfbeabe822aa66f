"""Real exports and the shapes that they come in: every record is counted, whatever holds it; files come and go."""

import csv
import gzip
import io
import json
import mailbox
import os
import random
import re
import shutil
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import openpyxl
import pandas as pd
import pytest
from conftest import ROOT, SMALL

import vocwb
from vocwb.collect.draft import draft_programme
from vocwb.collect.ingest import Tables, make_tables
from vocwb.collect.sources import list_files, read_sources
from vocwb.errors import SourceError
from vocwb.paths import notebook_folder, programme_folder, raw_folder, store_folder
from vocwb.programme import parse_programme, read_programme
from vocwb.store import read_table

DATA = Path(os.environ.get("VOCWB_DATA") or ROOT.parent / "shared" / "data")
SETS = (
    "airline_tweets", "airline_tweets_damaged", "amazon_alexa_reviews", "ar_app_reviews", "ar_product_reviews",
    "ar_restaurant_reviews", "bg_cinexio_train", "cfpb_complaints_2019", "comcast_complaints_2015",
    "customer_support_tweets", "email_samples", "encodings_recoded", "fa_digikala_comments", "fa_sentipers",
    "google_play_ai_apps_2026", "nhs_patient_feedback", "osmi_employee_survey_2014", "retail_nps_french",
    "thunderbird_support_2024q4", "tire_customer_survey", "zh_hotel_gb18030", "zh_jd_phone_reviews",
    "zh_online_shopping_a", "zh_tw_hospital_reviews_a", "zh_waimai_10k",
)  # fmt: skip
ABOVE_HEADER = {"complaints_sample.csv": 2}  # two lines of unzip's output, says its README
DELIMITERS = {"cinexio_windows-1251_semicolon.csv": ";", "digikala_utf-16le_bom_tab.txt": "\t"}
CUT = ("fa_sentipers", "thunderbird_support_2024q4", "zh_hotel_gb18030")  # of their many files, every eighth


def find_set(name):
    if not (DATA / name).is_dir():
        pytest.skip(f"{name} is not in {DATA}; say where the sets are with VOCWB_DATA=folder")
    return DATA / name


def fill_in(draft):
    """Answer the two questions that a draft leaves to a person."""
    text = re.sub("^question:.*", "question: What?", draft, flags=re.M)
    return parse_programme(re.sub("^goal:.*", "goal: know_needs", text, flags=re.M), name="t")


def ingest(programme, folder):
    return make_tables(read_sources(programme, folder), programme=programme, key=b"secret")


def check_accounting(tables):
    """In every file rows in = kept + duplicates + quarantined, these are the rows of the tables, and all keys fit."""
    counted = tables.ingested.set_index(["source", "file"])
    assert (counted["rows_in"] == counted[["kept", "duplicates", "quarantined"]].sum(axis="columns")).all()
    responses, feedback = tables.responses, tables.feedback
    again = responses["duplicate_of"].notna()
    for column, rows in (
        ("kept", responses[~again]), ("duplicates", responses[again]), ("quarantined", tables.quarantine),
    ):  # fmt: skip
        by_file = rows.groupby(["source", "file"]).size()
        assert (counted[column] == by_file.reindex(counted.index, fill_value=0)).all(), column
    assert set(feedback["response_id"]) <= set(responses["response_id"])
    assert set(responses["duplicate_of"].dropna()) <= set(responses["response_id"])
    assert set(feedback["duplicate_of"].dropna()) <= set(feedback["feedback_id"])
    assert set(tables.asides["feedback_id"]) <= set(feedback["feedback_id"])
    assert set(tables.tags["response_id"]) <= set(responses["response_id"])
    lost = tables.ingested.loc[
        tables.ingested["status"] == "disappeared", "file"
    ]  # their lines are not known
    assert ((tables.quarantine["line"] > 0) | tables.quarantine["file"].isin(lost)).all()
    assert (tables.quarantine["reason"].str.len() > 5).all()


# Every set, with the programme that is drafted from it: what is read is what others count.


def count_records(path, source):
    """Return how many records a file holds, as csv, openpyxl, json, mailbox and ElementTree count them."""
    data = path.read_bytes()
    if source.form in ("eml", "text"):
        return 1
    if path.suffix == ".mbox":
        return len(mailbox.mbox(path))
    if path.suffix == ".xml":
        return len(ElementTree.fromstring(data).findall(".//" + "/".join(source.record_path)))
    if path.suffix == ".jsonl":
        return sum(isinstance(json.loads(line), dict) for line in data.splitlines() if line.strip())
    if path.suffix == ".json":
        return count_leaves(json.loads(data))
    if path.suffix == ".xlsx":
        sheets = openpyxl.load_workbook(path, read_only=True)
        filled = [
            sum(any(cell is not None for cell in row) for row in one.iter_rows(values_only=True))
            for one in sheets
        ]
        return sum(max(0, rows - 1) for rows in filled)
    # In all encodings of these files a comma, a quote and a line end are single bytes, but in UTF-16.
    text = io.StringIO(data.decode("utf-16" if data[:2] == b"\xff\xfe" else "latin-1"), newline="")
    for _ in range(ABOVE_HEADER.get(path.name, 0)):
        text.readline()
    delimiter = DELIMITERS.get(path.name, "\t" if path.suffix == ".tsv" else ",")
    return sum(any(row) for row in csv.reader(text, delimiter=delimiter)) - 1


def count_leaves(tree):
    if isinstance(tree, dict):
        return sum(map(count_leaves, tree.values()))
    return len(tree) if isinstance(tree, list) else 0


def cut_files(folder, cut):
    """Copy every eighth file of each kind and folder, so that none is left out."""
    groups = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        groups.setdefault((path.parent, path.suffix), []).append(path)
    for path in (path for group in groups.values() for path in group[::8]):
        (cut / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, cut / path.relative_to(folder))
    return cut


@pytest.mark.parametrize("name", SETS)
def test_every_record_of_a_real_set_is_accounted_for(name, tmp_path):
    folder = find_set(name)
    if name in CUT:
        folder = cut_files(folder, tmp_path / name)
    programme = fill_in(draft_programme(folder))
    tables = ingest(programme, folder)
    check_accounting(tables)
    by_name = {source.name: source for source in programme.sources}
    counted = {
        row.file: count_records(folder / row.file, by_name[row.source])
        for row in tables.ingested.itertuples()
    }
    assert dict(zip(tables.ingested["file"], tables.ingested["rows_in"], strict=True)) == counted
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.name != "README.md"}
    assert set(counted) == there, "no file is left out"
    assert len(tables.feedback) > 0.1 * tables.ingested["rows_in"].sum()


def test_a_mail_with_an_impossible_date_is_set_aside_and_the_others_are_kept(tmp_path):
    for path in sorted((find_set("email_samples") / "eml" / "plain_emails").glob("*.eml")):
        shutil.copy(path, tmp_path / path.name)
    tables = ingest(fill_in(draft_programme(tmp_path)), tmp_path)
    check_accounting(tables)
    aside = tables.quarantine.set_index("file")["reason"]
    assert "30 Jun 3609" in aside["raw_email_bad_time.eml"]
    assert "29 paX 2007" in aside["raw_email_with_bad_date.eml"]
    assert tables.ingested["kept"].sum() > 0.6 * len(list(tmp_path.iterdir()))


def test_the_records_drafted_from_a_tree_are_what_people_wrote(tmp_path):
    folder = find_set("fa_sentipers") / "main"
    tables = ingest(fill_in(draft_programme(folder)), cut_files(folder, tmp_path))
    said = tables.feedback["verbatim"].map(drop_marks)
    told = set()
    for path in folder.glob("*.xml"):
        tree = ElementTree.fromstring(path.read_bytes())
        told |= {drop_marks("".join(found.itertext())) for found in tree.iter("Feature")}
    assert said.isin(told).mean() < 0.5, "specifications of a product are not feedback"


def drop_marks(text):
    return re.sub(r"\W", "", text)


def test_no_set_is_named_in_the_package():
    names = {*SETS, *(path.name for name in SETS for path in (DATA / name).glob("*.*"))} - {"README.md"}
    names -= {"survey.csv", "reviews.json", "train.csv", "test.csv"}  # names that anyone's files may have
    for path in Path(vocwb.__file__).parent.rglob("*.*"):
        if path.suffix in (".py", ".yml"):
            text = path.read_text(encoding="utf-8")
            assert not [name for name in names if name in text], path


# The same exports in an archive, packed one by one, and with the columns of each day in another order.

TICKETS = """
title: T
question: Why?
goal: know_needs
languages: [en]
segments: {topic: topic, locale: locale}
sources:
  - name: questions
    files: FILES
    channel: ticket
    who_started: customer
    mode: direct
    columns: {id: id, date: created, respondent: creator}
    verbatims: {title: title, content: content}
    segments: {topic: topic, locale: locale}
    tags: {column: tags}
"""


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Six daily files of a support forum, and the tables that they give as they are."""
    whole = find_set("thunderbird_support_2024q4") / "questions"
    folder = tmp_path_factory.mktemp("days")
    for path in sorted(whole.glob("*.csv"))[::16]:
        shutil.copy(path, folder / path.name)
    return folder, ingest_days(folder, "*.csv")


def ingest_days(folder, files):
    return ingest(parse_programme(TICKETS.replace("FILES", json.dumps(files)), name="t"), folder)


def check_same(tables, days):
    """The tables hold the same rows, and each file as many, by whatever name."""
    folder, expected = days
    assert len(expected.ingested) == len(list(folder.iterdir())) > 4 and len(expected.feedback) > 200
    check_accounting(tables)
    responses, same = (one.responses.drop(columns="file") for one in (tables, expected))
    pd.testing.assert_frame_equal(responses, same)
    for name in ("feedback", "asides", "tags"):
        pd.testing.assert_frame_equal(getattr(tables, name), getattr(expected, name))
    counts = ["rows_in", "kept", "duplicates", "quarantined"]
    one, other = (found.ingested[counts].sort_values(counts) for found in (tables, expected))
    assert one.values.tolist() == other.values.tolist()


def pack(paths, **options):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in paths.items():
            archive.writestr(name, data)
    return packed.getvalue()


def test_a_zip_of_the_folder_gives_the_same_rows(days, tmp_path):
    members = {f"export/{path.name}": path.read_bytes() for path in days[0].iterdir()}
    (tmp_path / "all.zip").write_bytes(pack(members | {"export/readme.csv": b"read,me\nno,no\n"}))
    tables = ingest_days(tmp_path, "all.zip")
    check_same(tables, days)
    assert set(tables.ingested["file"]) == {f"all.zip/{name}" for name in members}
    check_same(ingest_days(tmp_path, "all.zip/export/2024*.csv"), days)


def test_zips_in_a_zip_give_the_same_rows(days, tmp_path):
    paths = sorted(days[0].iterdir())
    inner = {
        f"part{number}.zip": pack({path.name: path.read_bytes() for path in some})
        for number, some in enumerate((paths[:2], paths[2:]))
    }
    (tmp_path / "all.zip").write_bytes(pack(inner))
    check_same(ingest_days(tmp_path, "*.zip"), days)


def test_files_packed_one_by_one_give_the_same_rows(days, tmp_path):
    for path in days[0].iterdir():
        (tmp_path / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    check_same(ingest_days(tmp_path, "*.csv.gz"), days)


def test_columns_in_another_order_each_day_change_no_row(days, tmp_path):
    mix = random.Random(7)
    for path in sorted(days[0].iterdir()):
        header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        order = mix.sample(range(len(header)), len(header))
        with open(tmp_path / path.name, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([row[at] for at in order] for row in [header, *rows])
    check_same(ingest_days(tmp_path, "*.csv"), days)


def test_a_column_that_is_new_from_a_day_on_changes_no_row(days, tmp_path):
    for number, path in enumerate(sorted(days[0].iterdir())):
        header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        more = ["team"] if number > 2 else []
        with open(tmp_path / path.name, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([*more, *row] for row in [header, *rows])
    check_same(ingest_days(tmp_path, "*.csv"), days)


# Files come again, are corrected, disappear, are renamed: the steps of notebook 01, in one store.

STEPS = [
    cell.source
    for cell in nbformat.read(notebook_folder() / "01_ingest.ipynb", as_version=4).cells
    if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
]
HEADER = "id,date,customer,reason,nps,plan\n"
lost_is_stale = pytest.mark.xfail(
    strict=True,
    reason="the counts of a disappeared file stay, though its rows have moved, grown old or been linked",
)


def write_month(month, *, scores=None, numbers=range(8), name=None):
    """Write one month's file of the small programme: records of some numbers, some with another score."""
    lines = [
        f"{month}-{number},2025-{month:02}-1{number},c{number},"
        f"Parcel {number} of month {month} came two days late and was quite wet,"
        f"{(scores or {}).get(number, number)},paid\n"
        for number in numbers
    ]
    path = raw_folder("small") / (name or f"survey-{month:02}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def shop(vocwb_root):
    """The small programme with a pattern for its files, two months of them, and a first ingest."""
    write_crosswalk('"survey*.csv"')
    write_month(1), write_month(2)
    return run_ingest()


def write_crosswalk(files):
    folder = programme_folder("small")
    folder.mkdir(exist_ok=True)
    (folder / "programme.yml").write_text(SMALL.replace("survey.csv", files), encoding="utf-8")


def run_ingest():
    """Run the steps of notebook 01 and return the tables as the store then holds them."""
    space = {"programme": "small", "raw": ""}
    for step in STEPS:
        exec(compile(step, "01_ingest", "exec"), space)
    programme = read_programme("small")
    tables = Tables(*(read_table(programme, name) for name in Tables._fields))
    check_accounting(tables)
    return tables


def read_store():
    return {
        path.relative_to(store_folder("small")).as_posix(): path.read_bytes()
        for path in store_folder("small").rglob("*")
        if path.is_file()
    }


def list_scores(tables):
    return tables.responses.set_index("source_id")["nps"].to_dict()


def list_files_in(tables):
    return tables.ingested.set_index("file")[["status", "kept"]].apply(tuple, axis="columns").to_dict()


MONTHS = {f"{month}-{number}": float(number) for month in (1, 2) for number in range(8)}


def test_a_second_ingest_changes_no_byte_of_the_store(shop):
    assert list_scores(shop) == MONTHS and len(shop.feedback) == 16
    before = read_store()
    assert {f"{name}.{end}" for name in Tables._fields for end in ("parquet", "manifest.json")} == set(before)
    run_ingest()
    assert read_store() == before
    for name in ("survey-01.csv", "survey-02.csv"):
        os.utime(raw_folder("small") / name, (1, 1))
    run_ingest()
    assert read_store() == before, "nor when files are only touched"


def test_a_corrected_file_replaces_its_rows(shop):
    write_month(2, scores={3: 9}, numbers=[0, 1, 3, 4, 5, 6, 7, 8])
    tables = run_ingest()
    expected = {key: score for key, score in MONTHS.items() if key != "2-2"} | {"2-3": 9.0, "2-8": 8.0}
    assert list_scores(tables) == expected and len(tables.feedback) == 16
    kept = shop.responses.merge(tables.responses, on="source_id", suffixes=("", "_new"))
    assert len(kept) == 15 and (kept["response_id"] == kept["response_id_new"]).all()
    write_month(2)
    again = run_ingest()
    for name in Tables._fields:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(shop, name))


def test_a_file_that_disappeared_is_reported_and_its_rows_stay(shop):
    away = (raw_folder("small") / "survey-01.csv").rename(raw_folder("small").parent / "away.csv")
    expected = {"survey-01.csv": ("disappeared", 8), "survey-02.csv": ("read", 8)}
    for _ in range(2):
        tables = run_ingest()
        assert list_files_in(tables) == expected and list_scores(tables) == MONTHS
    pd.testing.assert_frame_equal(tables.feedback, shop.feedback)
    write_month(3)
    tables = run_ingest()
    assert list_files_in(tables) == expected | {"survey-03.csv": ("read", 8)} and len(tables.responses) == 24
    away.rename(raw_folder("small") / "survey-01.csv")
    (raw_folder("small") / "survey-03.csv").unlink()
    tables = run_ingest()
    assert list_files_in(tables)["survey-01.csv"] == ("read", 8)
    assert list_files_in(tables)["survey-03.csv"] == ("disappeared", 8)


def test_a_renamed_file_is_not_counted_twice(shop):
    (raw_folder("small") / "survey-01.csv").rename(raw_folder("small") / "survey january.csv")
    tables = run_ingest()
    assert list_files_in(tables) == {"survey january.csv": ("read", 8), "survey-02.csv": ("read", 8)}
    assert list_scores(tables) == MONTHS


def test_a_file_renamed_and_corrected_is_not_counted_twice(shop):
    (raw_folder("small") / "survey-01.csv").unlink()
    write_month(1, scores={3: 9}, numbers=range(6), name="survey january, corrected.csv")
    tables = run_ingest()
    assert list_scores(tables) == MONTHS | {"1-3": 9.0}, (
        "what no file holds now stays, all else is as corrected"
    )
    assert list_files_in(tables)["survey january, corrected.csv"] == ("read", 6)


def test_what_a_lost_file_repeats_is_counted_as_duplicates(shop):
    # Three of the people said the same a month before, in a file that comes late.
    late = write_month(1, numbers=range(3), name="survey-00.csv")
    late.write_text(late.read_text().replace("2025-01", "2024-12").replace("\n1-", "\n0-"))
    assert list_files_in(run_ingest())["survey-01.csv"] == ("read", 5)
    late.rename(raw_folder("small").parent / "late.csv")
    (raw_folder("small") / "survey-01.csv").unlink()
    shutil.rmtree(store_folder("small"))
    write_month(1)
    run_ingest()
    (raw_folder("small") / "survey-01.csv").unlink()
    (raw_folder("small").parent / "late.csv").rename(late)
    assert list_files_in(run_ingest())["survey-01.csv"] == ("disappeared", 5)


def test_rows_of_a_lost_file_that_grow_too_old_are_counted_as_set_aside(shop):
    (raw_folder("small") / "survey-01.csv").unlink()
    write_month(3)
    path = programme_folder("small") / "programme.yml"
    path.write_text(path.read_text(encoding="utf-8") + "retention_months: 2\n", encoding="utf-8")
    for _ in range(2):
        tables = run_ingest()
        assert not [key for key in list_scores(tables) if key.startswith("1-")]
        assert len(tables.responses) == 16 and list_files_in(tables)["survey-01.csv"] == ("disappeared", 0)


def test_a_file_that_disappeared_and_is_named_no_longer_stays_until_it_is_forgotten(shop):
    write_crosswalk('["survey-01.csv", "survey-02.csv"]')
    (raw_folder("small") / "survey-01.csv").unlink()
    before = read_store()
    with pytest.raises(SourceError, match=r"survey-01\.csv"):
        run_ingest()
    assert read_store() == before, "a file that is named is missed aloud"
    write_crosswalk("survey-02.csv")
    tables = run_ingest()
    assert list_scores(tables) == MONTHS
    assert list_files_in(tables)["survey-01.csv"] == ("disappeared", 8)


def test_a_file_taken_out_of_the_programme_is_gone(shop):
    write_crosswalk('"survey-02*.csv"')
    tables = run_ingest()
    assert list_files_in(tables) == {"survey-02.csv": ("read", 8)}
    assert list_scores(tables) == {key: score for key, score in MONTHS.items() if key.startswith("2")}


def test_a_file_named_readme_is_never_read(shop):
    before = read_store()
    for name in ("README.csv", "survey/ReadMe.csv", "survey/deeper/readme.CSV", "survey-readme/README"):
        write_month(5, name=name)
    write_crosswalk('["survey*.csv", "**/*.[cC]*"]')
    tables = run_ingest()
    assert list_scores(tables) == MONTHS
    assert {name: data for name, data in read_store().items() if "manifest" not in name} == {
        name: data for name, data in before.items() if "manifest" not in name
    }
    assert not [file for file in list_files(raw_folder("small")) if "readme" in Path(file).name.lower()]
    write_crosswalk("README.csv")
    with pytest.raises(SourceError, match="no file fits"):
        run_ingest()
    assert "readme" not in draft_programme(raw_folder("small")).lower()
