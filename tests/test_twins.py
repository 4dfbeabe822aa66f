"""Damaged copies of real exports give the rows of the clean ones wherever the information is still there."""

import csv
import io
import os
import re
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT

from vocwb.collect.ingest import make_tables
from vocwb.collect.sources import read_sources
from vocwb.programme import parse_programme

DATA = Path(os.environ.get("VOCWB_DATA") or ROOT.parent / "shared" / "data")
HEAD = """
title: T
question: Why?
goal: know_needs
timezone: {timezone}
languages: [{language}]
segments: {{{segments}}}
questions: {{stars: {{label: S, low: {low}, high: 5, metric: rating}}}}
sources:
  - name: one
    channel: review
    who_started: customer
    mode: indirect
"""
TWEETS = """
    columns: {id: tweet_id, date: tweet_created, respondent: name}
    verbatims: {said: text}
    segments: {airline: airline, sentiment: airline_sentiment}
"""


def ingest(path, crosswalk, *, timezone="UTC", language="en", segments=(), low=0):
    """Return the tables of one file by a crosswalk that names no encoding, no delimiter and no form of dates."""
    if not path.parent.is_dir():
        pytest.skip(f"{path.parent.name} is not in {DATA}; say where the sets are with VOCWB_DATA=folder")
    declared = ", ".join(f"{name}: {name}" for name in segments)
    head = HEAD.format(timezone=timezone, language=language, segments=declared, low=low)
    programme = parse_programme(f"{head}    files: {path.name!r}{crosswalk}", name="t")
    return make_tables(read_sources(programme, path.parent), programme=programme, key=b"secret")


def list_rows(tables, columns, *, timezone="UTC"):
    """Return what is said, with the minute on the clock there and columns of its response, as a multiset."""
    rows = tables.feedback.merge(tables.responses, on="response_id", suffixes=("", "_of"))
    rows["minute"] = rows["received_at"].dt.tz_convert(timezone).dt.strftime("%Y-%m-%d %H:%M")
    rows["day"] = rows["minute"].str[:10]
    return Counter(rows[["verbatim", *columns]].fillna("").itertuples(index=False, name=None))


def check_accounting(tables):
    counted = tables.ingested[["kept", "duplicates", "quarantined"]].sum(axis="columns")
    assert (tables.ingested["rows_in"] == counted).all()
    assert set(tables.feedback["response_id"]) <= set(tables.responses["response_id"])


# Tweets: the clean file and four that spreadsheets and editors damaged, read by one and the same crosswalk.

DAMAGED = (
    "broken_utf8_extra_blank_columns.csv",
    "dd-mm-yyyy_hh.mm_edited_labels.csv",
    "excel_serial_dates_shuffled_columns_mojibake.csv",
    "excel_us_dates_rounded_ids.csv",
)
FORMS = ("%Y-%m-%d %H:%M:%S %z", "%m/%d/%Y %H:%M", "%d-%m-%Y %H.%M")
CLOCK = {"timezone": "America/Los_Angeles"}


def read_raw(path):
    """Return the line and the fields of each record, by the csv module alone; unfit bytes stay as surrogates."""
    reader = csv.reader(io.StringIO(path.read_bytes().decode("utf-8", "surrogateescape"), newline=""))
    header, line, rows = next(reader), reader.line_num + 1, []
    for fields in reader:
        rows.append((line, dict(zip(header, fields, strict=True))))
        line = reader.line_num + 1
    return rows


def read_minute(value):
    for form in FORMS:
        try:
            return datetime.strptime(value, form).strftime("%Y-%m-%d %H:%M")
        except ValueError:
            pass
    try:
        day = datetime(1899, 12, 30) + timedelta(seconds=round(float(value) * 86400))
    except ValueError:
        return None
    return day.strftime("%Y-%m-%d %H:%M")


def list_raw(rows):
    """Return what each raw record says, who, when, of whom and how; a spreadsheet adds "=" and changes line ends."""
    return Counter(
        (
            row["text"].replace("\r\n", "\n").removeprefix("="),
            row["name"], read_minute(row["tweet_created"]), row["airline"], row["airline_sentiment"],
        )
        for _, row in rows
    )  # fmt: skip


def is_unfit(row):
    return bool(re.search("[\udc80-\udcff]", "".join(row.values())))


def ingest_tweets(path):
    tables = ingest(path, TWEETS, segments=("airline", "sentiment"), **CLOCK)
    rows = list_rows(tables, ["respondent_id", "minute", "airline", "sentiment"], **CLOCK)
    return tables, rows, read_raw(path)


@pytest.fixture(scope="module")
def clean():
    return ingest_tweets(DATA / "airline_tweets" / "Tweets.csv")


@pytest.fixture(scope="module", params=DAMAGED)
def twin(request):
    return ingest_tweets(DATA / "airline_tweets_damaged" / request.param)


def forget_text(rows):
    found = Counter()
    for row, count in rows.items():
        found[row[1:]] += count
    return found


def test_a_damaged_twin_gives_the_rows_of_the_clean_file(twin, clean):
    (tables, found, raw), (_, clean_found, clean_raw) = twin, clean
    check_accounting(tables)
    assert tables.ingested["rows_in"].item() == len(raw)
    sound = [(line, row) for line, row in raw if not is_unfit(row)]
    assert found.total() == len(sound), "a record whose bytes fit is in the tables, whatever else is changed"
    same = list_raw(sound) & list_raw(clean_raw)
    assert same.total() > 0.7 * len(raw), "the two files must be of the same tweets, or nothing is tested"
    assert (found & clean_found).total() >= same.total()
    same = forget_text(list_raw(sound)) & forget_text(list_raw(clean_raw))
    assert same.total() > 0.95 * len(sound)
    assert (forget_text(found) & forget_text(clean_found)).total() >= same.total(), (
        "who, when, of whom and how"
    )


def test_records_with_broken_bytes_are_set_aside_with_line_reason_and_raw_line(twin):
    tables, _, raw = twin
    broken = {line: row for line, row in raw if is_unfit(row)}
    aside = tables.quarantine
    assert sorted(aside["line"]) == sorted(broken)
    assert aside["reason"].str.contains("not utf-8", regex=False).all()
    for line, kept in zip(aside["line"], aside["raw"], strict=True):
        assert broken[line]["airline"] in kept and broken[line]["name"] in kept and "\\x" in kept


def test_ids_that_a_spreadsheet_rounded_are_no_ids_and_that_is_said(twin, clean):
    tables, _, raw = twin
    true_ids = {row["tweet_id"] for _, row in clean[2]}
    ruined = [row["tweet_id"] for _, row in raw if not is_unfit(row) and row["tweet_id"] not in true_ids]
    assert len(ruined) > 0.9 * len(raw), "all four twins were damaged so"
    said = re.search(r"([\d,]+) ids were rounded by a spreadsheet", tables.ingested["read_as"].item())
    sound = sum(not is_unfit(row) for _, row in raw)
    assert len(ruined) <= int(said[1].replace(",", "")) <= sound, "a rounded id may be a true one by chance"
    assert not set(tables.responses["source_id"].dropna()) & set(ruined)
    assert tables.responses["response_id"].is_unique


def test_a_text_that_a_spreadsheet_took_for_a_formula_is_kept_as_text(twin, clean):
    _, found, raw = twin
    formulas = Counter(
        (read_minute(row["tweet_created"]), row["airline"], row["airline_sentiment"])
        for _, row in raw
        if row["text"].startswith("=") and not is_unfit(row)
    )
    kept = Counter(row[2:] for row in found.elements())
    assert formulas <= kept
    assert not any(row[0].startswith("=") for row in found)


def test_texts_changed_by_a_spreadsheet_are_said():
    tables, _, raw = ingest_tweets(
        DATA / "airline_tweets_damaged" / "excel_serial_dates_shuffled_columns_mojibake.csv"
    )
    formulas = sum(row["text"].startswith("=") for _, row in raw if not is_unfit(row))
    said = re.search(r"([\d,]+) texts begin with '='", tables.ingested["read_as"].item())
    assert formulas > 0 and int(said[1].replace(",", "")) == formulas


# Other sets that stand there twice, or were written in the encodings of other systems.

RECODED = {
    # twin: (clean file, what both are read by, language, columns that must be the same)
    "cinexio_windows-1251_semicolon.csv": ("bg_cinexio_train/train.jsonl", """
    columns: {date: Date}
    verbatims: {said: Comment}
    segments: {kind: Category, film: Cinexio_URL}
    answers: {stars: User_Rating}""", "bg", ["day", "kind", "film", "stars"]),
    "qaym_windows-1256.csv": ("ar_restaurant_reviews/RES1.csv", """
    undated: true
    columns: {respondent: user_id}
    verbatims: {said: text}
    segments: {kind: polarity, film: restaurant_id}""", "ar", ["respondent_id", "kind", "film"]),
    "digikala_utf-16le_bom_tab.txt": ("fa_digikala_comments/test.csv", """
    undated: true
    verbatims: {said: comment, title: title}
    segments: {kind: recommend}""", "fa", ["question", "kind"]),
    "waimai_gb18030.csv": ("zh_waimai_10k/waimai_10k.csv", """
    undated: true
    verbatims: {said: review}
    segments: {kind: label}""", "zh", ["kind"]),
    "hospital_big5.csv": ("zh_tw_hospital_reviews_a/[01]*_[CNT]*.xlsx", """
    exported_on: 2025-04-01
    columns: {date: review_date}
    verbatims: {said: review_text}
    segments: {kind: hospital_name}
    answers: {stars: rating}""", "zh", ["day", "kind", "stars"]),
}  # fmt: skip


@pytest.mark.parametrize("name", RECODED)
def test_the_encoding_of_another_system_changes_no_row(name):
    clean, crosswalk, language, columns = RECODED[name]
    path = DATA / "encodings_recoded" / name
    segments = [one for one in ("kind", "film") if one in columns]
    twin = ingest(path, crosswalk, language=language, segments=segments)
    check_accounting(twin)
    header, *rows = read_table(path)
    said = re.search(r"verbatims: {(.*)}", crosswalk)[1]
    cells = [header.index(column.split(": ")[1]) for column in said.split(", ")]
    assert twin.ingested[["rows_in", "quarantined"]].iloc[0].tolist() == [len(rows), 0]
    found = list_rows(twin, columns)
    assert found.total() == sum(bool(row[cell].strip()) for row in rows for cell in cells)
    whole = ingest(DATA / clean, crosswalk, language=language, segments=segments)
    assert not found - list_rows(whole, columns)


def read_table(path):
    """Return header and records of a recoded file, in the encoding and with the delimiter that its name says."""
    encoding = re.search(r"(windows-\d+|utf-16|gb18030|big5)", path.name)[1].replace("big5", "cp950")
    delimiter = "\t" if "tab" in path.name else ";" if "semicolon" in path.name else ","
    text = io.StringIO(path.read_bytes().decode(encoding), newline="")
    return [row for row in csv.reader(text, delimiter=delimiter) if row]


COMPLAINT = """
    columns: {{id: Complaint ID, date: Date received, channel: Submitted via}}
    verbatims: {{said: Consumer complaint narrative}}
    segments: {{kind: Product, film: Issue}}
    skip_lines: {skip}"""


def test_complaints_saved_again_by_a_spreadsheet_keep_their_days():
    folder = DATA / "cfpb_complaints_2019"
    options = {"segments": ("kind", "film"), "timezone": "America/New_York"}
    clean = ingest(folder / "complaints_sample.csv", COMPLAINT.format(skip=2), **options)
    twin = ingest(folder / "complaints_sample_resaved_in_excel.csv", COMPLAINT.format(skip=0), **options)
    check_accounting(twin)
    raw, raw_twin = (
        pd.read_csv(folder / name, skiprows=skip, dtype="str").set_index("Complaint ID")
        for name, skip in (("complaints_sample.csv", 2), ("complaints_sample_resaved_in_excel.csv", 0))
    )
    columns = ["received_at", "month", "channel", "kind", "film"]
    one, other = (tables.responses.set_index("source_id")[columns] for tables in (clean, twin))
    assert sorted(other.index) == sorted(raw_twin.index) and one.index.is_unique
    pd.testing.assert_frame_equal(other.sort_index(), one.loc[sorted(raw_twin.index)])

    spoken = raw_twin["Consumer complaint narrative"].dropna()
    same = spoken.index[spoken == raw.loc[spoken.index, "Consumer complaint narrative"]]
    assert len(same) > 0.9 * len(spoken)
    said, said_twin = (
        {key: text for text, key in list_rows(tables, ["source_id"])} for tables in (clean, twin)
    )
    assert set(said_twin) == set(spoken.index)
    assert {key: said_twin[key] for key in same} == {key: said[key] for key in same}


def test_two_digit_years_are_the_days_that_the_other_file_spells_out():
    folder = DATA / "comcast_complaints_2015"
    crosswalk = """
    columns: {id: "Ticket #", date: Date, channel: Received Via}
    verbatims: {said: Customer Complaint}
    segments: {kind: City, film: Status}"""
    names = ("Comcast_telecom_complaints_data.csv", "Comcast_two_digit_years.csv")
    clean, twin = (ingest(folder / name, crosswalk, segments=("kind", "film")) for name in names)
    columns = ["source_id", "day", "kind", "film", "channel"]
    assert list_rows(clean, columns) == list_rows(twin, columns)
    for name, tables in zip(names, (clean, twin), strict=True):
        check_accounting(tables)
        raw = pd.read_csv(folder / name, encoding="utf-8-sig", dtype="str").set_index("Ticket #")
        spelled = pd.to_datetime(raw["Date_month_year"], format="%d-%b-%y").dt.strftime("%Y-%m-%d")
        days = tables.responses.set_index("source_id")["received_at"].dt.strftime("%Y-%m-%d")
        assert days.to_dict() == spelled.to_dict()
        assert "day first" in tables.ingested["read_as"].item()
