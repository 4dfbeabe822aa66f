"""A table is there whole or not at all, fits its schema both ways, and says what it was made from."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from vocwb.errors import MonthError, SchemaError, StoreError
from vocwb.schemas import empty_table
from vocwb.store import check_month, read_table, table_path, write_parts, write_table


def quarantine(rows):
    return pd.DataFrame(
        {
            "source": ["s"] * rows,
            "file": ["f.csv"] * rows,
            "line": range(rows),
            "reason": ["no date"] * rows,
            "raw": ["x" * 50] * rows,
        }
    )


def codes(*ids):
    return pd.DataFrame(
        {
            "feedback_id": ids,
            "coder": "rules",
            "category": "price",
            "polarity": "negative",
            "intensity": 3,
            "ask": None,
            "start": 0,
            "end": 5,
            "span_polarity": "negative",
            "probability": None,
        }
    )


def test_what_was_written_is_read_back_the_same(small_programme):
    frame = responses_of(small_programme, "2025-01").assign(
        plan="عضو", nps=9.0, received_at=pd.Timestamp("2025-01-05 10:00", tz="UTC")
    )
    write_table(small_programme, "responses", frame)
    back = read_table(small_programme, "responses")
    assert back.loc[0, "plan"] == "عضو" and back.loc[0, "nps"] == 9.0
    assert str(back["received_at"].dtype) == "datetime64[us, UTC]"


def test_the_same_table_gives_the_same_bytes(small_programme):
    path = write_table(small_programme, "quarantine", quarantine(5), parameters={"seed": 1})
    first = path.read_bytes(), path.with_suffix(".manifest.json").read_bytes()
    write_table(small_programme, "quarantine", quarantine(5), parameters={"seed": 1})
    assert (path.read_bytes(), path.with_suffix(".manifest.json").read_bytes()) == first
    manifest = json.loads(first[1])
    assert (
        manifest["rows"] == 5 and manifest["parameters"] == {"seed": 1} and "pandas" in manifest["versions"]
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.drop(columns="reason"), "missing columns .*reason"),
        (lambda f: f.assign(extra=1), "unknown columns .*extra"),
        (lambda f: f.assign(line="four"), "wrong type"),
        (lambda f: f.assign(source=None), "'source' fails"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_and_the_old_one_stays(small_programme, change, says):
    path = write_table(small_programme, "quarantine", quarantine(3))
    before = path.read_bytes()
    with pytest.raises(SchemaError, match=says):
        write_table(small_programme, "quarantine", change(quarantine(2)))
    assert path.read_bytes() == before


def test_a_key_that_stands_twice_is_refused_but_bad_records_may_be_alike(small_programme):
    with pytest.raises(SchemaError, match="the key is feedback_id, coder, category"):
        write_table(small_programme, "codes", codes("f1", "f1"), part="2025-01")
    write_table(small_programme, "quarantine", pd.concat([quarantine(2)] * 2))
    assert len(read_table(small_programme, "quarantine")) == 4


@pytest.mark.parametrize("wait", [0, 0.05])
def test_a_killed_writer_leaves_the_old_table_whole(small_programme, wait):
    path = write_table(small_programme, "quarantine", quarantine(10))
    before = path.read_bytes()
    script = (
        "from test_store import quarantine; from vocwb.programme import read_programme\n"
        "from vocwb.store import write_table\n"
        "write_table(read_programme('small'), 'quarantine', quarantine(1_000_000))\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parent)
    # It is killed once it has begun to write: before that and after it nothing can be lost.
    while writer.poll() is None and not list(path.parent.glob(".quarantine.*")):
        time.sleep(0.001)
    time.sleep(wait)
    writer.send_signal(signal.SIGKILL)
    assert writer.wait() in (-signal.SIGKILL, 0)
    assert path.read_bytes() == before or len(read_table(small_programme, "quarantine")) == 1_000_000
    write_table(small_programme, "quarantine", quarantine(10))


def test_parts_are_read_alone_and_together(small_programme):
    write_parts(small_programme, "codes", codes("a", "b", "c"), pd.Series(["2025-01", "2025-02", "2025-01"]))
    assert read_table(small_programme, "codes", part="2025-01")["feedback_id"].tolist() == ["a", "c"]
    assert len(read_table(small_programme, "codes")) == 3
    write_table(small_programme, "codes", codes("d"), part="2025-02")
    assert read_table(small_programme, "codes", part="2025-02")["feedback_id"].tolist() == ["d"]


def test_a_table_that_is_not_there_names_those_that_are(small_programme):
    write_table(small_programme, "quarantine", quarantine(1))
    with pytest.raises(StoreError, match=r"no table 'feedback'(.|\n)*quarantine(.|\n)*make report"):
        read_table(small_programme, "feedback")
    with pytest.raises(SchemaError, match="no table 'feedbak'"):
        read_table(small_programme, "feedbak")
    with pytest.raises(StoreError, match="in parts"):
        write_table(small_programme, "codes", codes("a"))


def responses_of(programme, month):
    row = {
        "response_id": "r", "source": "s", "file": "s.csv", "month": month, "channel": "c", "who_started": "company",
        "mode": "direct", "population": "all", "voice": "customer",
    }  # fmt: skip
    return pd.DataFrame([row]).reindex(
        columns=empty_table("responses", extra=programme.extra_columns).columns
    )


def write_month(programme, month, **changes):
    responses = responses_of(programme, month)
    row = {
        "feedback_id": "f",
        "response_id": "r",
        "question": "q",
        "language": "en",
        "verbatim": "v",
    } | changes
    write_table(programme, "responses", responses)
    write_table(programme, "feedback", pd.DataFrame([row]).reindex(columns=empty_table("feedback").columns))
    return table_path(programme, "feedback")


def test_a_programme_with_dates_reports_its_latest_month_even_beside_undated_feedback(small_programme):
    responses = pd.concat(
        [
            responses_of(small_programme, month).assign(response_id=month)
            for month in ("2025-03", "all", "2025-02")
        ]
    )
    said = pd.DataFrame({"feedback_id": list("abc"), "response_id": responses["response_id"].to_list()})
    said = said.assign(question="q", language="en", verbatim="v").reindex(
        columns=empty_table("feedback").columns
    )
    write_table(small_programme, "responses", responses)
    write_table(small_programme, "feedback", said)
    assert check_month(small_programme, "") == "2025-03"
    assert check_month(small_programme, "all") == "all"


def test_a_month_without_feedback_is_refused(small_programme):
    write_month(small_programme, "2025-03")
    assert check_month(small_programme, "") == check_month(small_programme, "2025-03") == "2025-03"
    with pytest.raises(MonthError, match=r"no feedback in '2025-04'(.|\n)*2025-03"):
        check_month(small_programme, "2025-04")
    for wrong in ("2025-3", "2025-13", "March", "2025-03-01"):
        with pytest.raises(MonthError, match="YYYY-MM"):
            check_month(small_programme, wrong)
    write_month(small_programme, "2025-03", duplicate_of="g")
    with pytest.raises(MonthError, match="holds no feedback"):
        check_month(small_programme, "2025-03")


def test_a_table_of_an_earlier_programme_or_version_can_be_fitted(small_programme):
    responses = empty_table("responses", extra={"plan": "str", "nps": "str", "gone": "str"})
    responses.loc[0] = dict.fromkeys(responses, "x") | {"received_at": pd.Timestamp("2025-01-01", tz="UTC")}
    path = table_path(small_programme, "responses")
    path.parent.mkdir(parents=True, exist_ok=True)
    responses.drop(columns="plan").to_parquet(path)
    fitted = read_table(small_programme, "responses", fit=True)
    assert fitted.loc[0, "response_id"] == "x"
    assert fitted[["plan", "nps"]].isna().all(axis=None) and "gone" not in fitted
    responses.drop(columns="file").to_parquet(path)
    assert read_table(small_programme, "responses", fit=True).empty
