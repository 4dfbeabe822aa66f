"""What people decided is kept: by several processes at once, append-only, and across a lost database."""

import json
import sqlite3
import subprocess
import sys

import pytest

from vocwb.decisions import export_decisions, find_codebook, fold_decisions, read_decisions, record_decision
from vocwb.errors import DecisionError
from vocwb.paths import programme_folder

NAME = {"kind": "topic_name", "subject": "T0001", "who": "Ada", "why": "reads better"}


def test_decisions_of_many_processes_are_all_kept(small_programme, vocwb_root):
    script = (
        "import sys; from vocwb.programme import read_programme; from vocwb.decisions import record_decision\n"
        f"p = read_programme({small_programme.name!r})\n"
        "for i in range(20):\n"
        "    record_decision(p, kind='topic_name', subject=f'T{i}', value={'name': sys.argv[1]}, who='w', why='y')\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(number)]) for number in range(6)]
    assert [writer.wait() for writer in writers] == [0] * 6
    log = read_decisions(small_programme)
    assert len(log) == 120 and log["decision_id"].is_unique


def test_the_last_name_stands_and_the_log_keeps_both(small_programme):
    first = record_decision(small_programme, value={"name": "a"}, **NAME)
    second = record_decision(small_programme, value={"name": "b"}, replaces=first, **NAME)
    assert [row["name"] for row in fold_decisions(read_decisions(small_programme))["value"]] == ["b"]
    record_decision(small_programme, value=None, replaces=second, **NAME)
    assert fold_decisions(read_decisions(small_programme)).empty
    assert len(read_decisions(small_programme)) == 3


def test_two_coders_of_one_verbatim_both_stand(small_programme):
    for who in ("Ada", "Boyan", "Ada"):
        record_decision(
            small_programme, kind="code", subject="f1", value={"polarity": who}, who=who, why="first reading"
        )
    assert sorted(fold_decisions(read_decisions(small_programme))["who"]) == ["Ada", "Boyan"]


def test_a_lost_database_is_rebuilt_from_the_export(small_programme):
    record_decision(small_programme, value={"name": "دیر رسید </script>"}, **NAME)
    record_decision(
        small_programme,
        kind="codebook_in_use",
        subject="c1",
        value={"reviewed": False},
        who="Ada",
        why="first",
    )
    before = read_decisions(small_programme)
    export = export_decisions(small_programme)
    for file in programme_folder(small_programme.name).glob("decisions.db*"):
        file.unlink()
    after = read_decisions(small_programme)
    assert after.drop(columns="value").equals(before.drop(columns="value"))
    assert list(after["value"]) == list(before["value"])
    assert find_codebook(after) == "c1"
    text = export.read_bytes()
    assert export_decisions(small_programme).read_bytes() == text


def test_a_broken_export_names_its_line_and_makes_no_database(small_programme):
    good = {**NAME, "value": {"name": "a"}, "when": "2025-01-01T00:00:00+00:00", "replaces": None}
    folder = programme_folder(small_programme.name)
    (folder / "decisions.jsonl").write_text(json.dumps(good) + "\n{broken\n")
    with pytest.raises(DecisionError, match=r"decisions.jsonl line 2"):
        read_decisions(small_programme)
    (folder / "decisions.jsonl").write_text(json.dumps(good) + "\n")
    assert len(read_decisions(small_programme)) == 1


def test_history_cannot_be_rewritten(small_programme):
    record_decision(small_programme, value={"name": "a"}, **NAME)
    with sqlite3.connect(programme_folder(small_programme.name) / "decisions.db") as connection:
        for statement in ("update decisions set who = 'x'", "delete from decisions"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "topic_nam"}, "no kind of decision 'topic_nam'"),
        ({"who": " "}, "lacks 'who'"),
        ({"why": ""}, "lacks 'why'"),
        ({"value": "late"}, "dict or None"),
        ({"replaces": 7}, "no such decision"),
    ],
)
def test_a_decision_without_its_parts_is_refused(small_programme, change, says):
    with pytest.raises(DecisionError, match=says):
        record_decision(small_programme, **({"value": {"name": "a"}} | NAME | change))
    assert read_decisions(small_programme).empty
