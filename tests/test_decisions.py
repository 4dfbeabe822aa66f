"""What people decided is kept: by several processes at once, append-only, and across a lost database."""

import json
import sqlite3
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from vocwb.decisions import (
    export_decisions,
    find_codebook,
    find_fit,
    find_until,
    fold_decisions,
    read_codebook,
    read_decisions,
    record_decision,
    undo_decision,
    use_first,
)
from vocwb.errors import DecisionError, RunError, StoreError
from vocwb.paths import programme_folder
from vocwb.run import main, use_codebook
from vocwb.schemas import check_table
from vocwb.store import write_table

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


def test_an_adjudicated_code_stands_beside_what_its_author_coded_alone(small_programme):
    for value in ({"category": "price"}, {"category": "staff", "adjudicated": True}):
        record_decision(small_programme, kind="code", subject="f1", value=value, who="Ada", why="read twice")
    standing = fold_decisions(read_decisions(small_programme), "code")
    assert [value["category"] for value in standing["value"]] == ["price", "staff"]


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


# Which codebook is in use


def keep_codebook(programme, codebook_id, terms, *, until="2025-02", table="codebook", first="T"):
    """Write a codebook whose topics have these terms."""
    topics = pd.DataFrame(
        {"terms": terms, "topic": [f"{first}{1 + number:04d}" for number in range(len(terms))]}
    )
    book = topics.assign(
        codebook_id=codebook_id, voice="customer", language="en", encoder_id="e", name="n", theme="H01",
        theme_name="n", vector=np.eye(len(terms)).tolist(), size=9, floor=0.5, examples=[["f"]] * len(terms),
        first_seen="2025-01", lineage="new",
    )  # fmt: skip
    made = {"parameters": {"until": until, "seed": 7, "where": ""}}
    write_table(programme, table, check_table(table, book), part=codebook_id, **made)


def use(programme, codebook_id, **value):
    return use_first(programme, codebook_id, who="Ada", why="fitted", value=value)


def test_a_codebook_is_read_with_what_people_accepted_since(small_programme):
    assert read_codebook(small_programme, None).empty
    keep_codebook(small_programme, "C1", [["late"], ["rude"]])
    keep_codebook(small_programme, "C2", [["late"]])
    assert read_codebook(small_programme, "C1")["topic"].tolist() == ["T0001", "T0002"]
    keep_codebook(small_programme, "C1", [["gift"]], table="accepted", first="A")
    assert read_codebook(small_programme, "C1")["topic"].tolist() == ["T0001", "T0002", "A0001"]
    assert read_codebook(small_programme, "C2")["topic"].tolist() == ["T0001"]
    with pytest.raises(StoreError, match="C3"):
        read_codebook(small_programme, "C3")


def test_a_first_codebook_is_used_at_once_and_a_refit_when_a_person_says_so(small_programme):
    for codebook_id, until in (("C1", "2025-01"), ("C2", "2025-03")):
        keep_codebook(small_programme, codebook_id, [["late"]], until=until)
    assert find_until(read_decisions(small_programme)) == ""
    assert use(small_programme, "C1", until="2025-01", seed=7, reviewed=False) == "C1 is in use."
    said = use(small_programme, "C2", until="2025-03")
    assert "C1 stays in use" in said
    assert f"make codebook PROGRAMME={small_programme.name} USE=C2 WHO=name" in said and "USE=C1" in said
    log = read_decisions(small_programme)
    assert (find_codebook(log), find_until(log), len(log)) == ("C1", "2025-01", 1)
    assert use(small_programme, "C1") == "C1 is in use." and len(read_decisions(small_programme)) == 1
    assert "C2 is in use" in use_codebook("small", "C2", who="Ada")
    log = read_decisions(small_programme)
    assert (find_codebook(log), find_until(log)) == ("C2", "2025-03")
    assert log["value"].iloc[-1] == {"until": "2025-03", "seed": 7, "reviewed": True}
    use_codebook("small", "C1", who="Ada", why="the new one splits too much")
    assert find_codebook(read_decisions(small_programme)) == "C1"
    undo_decision(small_programme, who="Ada", why="yet it reads better")
    log = read_decisions(small_programme)
    assert (find_codebook(log), find_until(log)) == ("C2", "2025-03")


def test_a_codebook_that_a_name_does_not_fit_is_not_put_in_use(small_programme):
    keep_codebook(small_programme, "C1", [["late", "parcel"], ["rude"]])
    keep_codebook(small_programme, "C2", [["late", "parcel"]])
    keep_codebook(small_programme, "C3", [["price"], ["rude"]])
    use(small_programme, "C1")
    record_decision(small_programme, **NAME, value={"name": "Late", "terms": ["late", "parcel"]})
    use_codebook("small", "C2", who="Ada")
    before = read_decisions(small_programme)
    with pytest.raises(DecisionError, match=r"(?s)T0001 .*terms have changed.*late, parcel.*price"):
        use_codebook("small", "C3", who="Ada")
    record_decision(small_programme, **NAME | {"subject": "T0002"}, value={"name": "Rude", "terms": ["rude"]})
    use_codebook("small", "C1", who="Ada")
    with pytest.raises(DecisionError, match="'T0002', which the codebook"):
        use_codebook("small", "C2", who="Ada")
    assert find_codebook(read_decisions(small_programme)) == "C1"
    assert len(read_decisions(small_programme)) == len(before) + 2, "a refusal writes nothing"


def test_nobody_and_nothing_are_not_put_in_use(small_programme):
    keep_codebook(small_programme, "C1", [["late"]])
    with pytest.raises(RunError, match="WHO="):
        use_codebook("small", "C1", who=" ")
    for wrong in ("C2", ""):
        with pytest.raises(StoreError):
            use_codebook("small", wrong, who="Ada")
        assert wrong == "" or main(["codebook", "--programme", "small", "--use", wrong, "--who", "Ada"]) == 1
    assert read_decisions(small_programme).empty
    assert main(["codebook", "--programme", "small", "--use", "C1", "--who", "Ada"]) == 0
    assert find_codebook(read_decisions(small_programme)) == "C1"
    assert find_fit(small_programme, "C1") == {"until": "2025-02", "seed": 7}


def test_a_proposal_that_two_people_accept_has_the_number_of_the_first(small_programme):
    about = {"kind": "topic_accept", "subject": "P1", "why": "it is new"}
    first, second = (
        record_decision(small_programme, who=who, value={"name": who}, **about) for who in ("Ada", "Boyan")
    )
    assert fold_decisions(read_decisions(small_programme))["decision_id"].tolist() == [first]
    undo_decision(small_programme, first, who="Ada", why="the other name is better")
    assert fold_decisions(read_decisions(small_programme))["decision_id"].tolist() == [second]
