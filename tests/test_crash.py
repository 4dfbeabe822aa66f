"""A process killed at any moment of an ingest leaves the tables of the last one or of the new one, never of both."""

import json
import os
import random
import re
import shutil
import subprocess
import sys

import pytest
from conftest import SMALL

from vocwb.collect.ingest import Tables
from vocwb.paths import programme_folder, raw_folder, store_folder
from vocwb.programme import read_key, read_programme
from vocwb.store import hash_file, read_table

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="a process is copied just before it is killed"
)

HEADER = "id,date,customer,reason,nps,plan\n"
SCRIPT = '''
"""Runs the steps of notebook 01; a copy of the process goes on alone from where they write, and is killed there."""
import os, random, shutil, signal, sys, time
from pathlib import Path
import nbformat
from vocwb.paths import notebook_folder, store_folder
from vocwb.store import find_commit

MOVES = ("os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir")
WRITES = ("open", "os.chmod")

def kill_at(number, events, folder):
    """Kill this process when it is about to touch a file of the folder, in one of these ways, for the n-th time."""
    seen = 0
    def count(event, given):
        nonlocal seen
        if event in events and (isinstance(given[0], int) or str(given[0]).startswith(str(folder))):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)

def run_copy(work, folder, number=0, events=(), wait=None):
    """Run `work` in a copy of this process that is killed at the n-th touch, or after a while; was it killed?"""
    copy = os.fork()
    if copy == 0:
        if number:
            kill_at(number, events, folder)
        try:
            work()
        finally:
            os._exit(0)
    if wait is not None:
        time.sleep(wait)
        os.kill(copy, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(copy, 0)[1])
'''
INGEST = (
    SCRIPT
    + """
cells = nbformat.read(notebook_folder() / "01_ingest.ipynb", as_version=4).cells
codes = [cell for cell in cells if cell.cell_type == "code"]
steps = [cell.source for cell in codes if "parameters" not in cell.metadata.get("tags", [])]
first = next(n for n, step in enumerate(steps) if "write_table" in step and "import" not in step)
space = {"programme": "small", "raw": ""}
for step in steps[:first]:
    exec(step, space)

def finish():
    for step in steps[first:]:
        exec(step, space)

find_commit()  # once, and not in each copy
store, crashed = store_folder("small"), Path(sys.argv[1])
good = crashed / "good"
shutil.copytree(store, good)
def restore():
    shutil.rmtree(store)
    shutil.copytree(good, store)

for events, step in ((MOVES, 2), (WRITES, 17)):
    number, killed = 1, True
    while killed:
        killed = run_copy(finish, store, number, events)
        if killed:
            shutil.copytree(store, crashed / f"{events[0]} {number:03}")
            number += step
        restore()
began = time.monotonic()
run_copy(finish, store)
took = time.monotonic() - began
shutil.copytree(store, crashed / "whole")
moments = random.Random(3)
for number in range(int(sys.argv[2])):
    restore()
    run_copy(finish, store, wait=moments.uniform(0, took))
    shutil.copytree(store, crashed / f"timed {number}")
"""
)
KEY = (
    SCRIPT
    + """
from vocwb.paths import programme_folder
from vocwb.programme import read_key, read_programme
folder, programme = programme_folder("small"), read_programme("small")
number, killed = 0, True
while killed:
    number += 1
    killed = run_copy(lambda: read_key(programme), folder, number, MOVES + WRITES)
    print(number, (read_key(programme)).decode(), flush=True)
    (folder / "respondent.key").unlink()
"""
)


def run_script(script, *words):
    made = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr


def write_raw(name, months, *, more=0):
    lines = [
        f"{month}-{number},2025-{month:02}-1{number},c{number + more},"
        f"Parcel {number + more} of month {month} came late and was wet,{number + more},paid\n"
        for month in months
        for number in range(8)
    ]
    (raw_folder("small") / name).write_text(HEADER + "".join(lines), encoding="utf-8")


def read_files(folder):
    """Return the bytes of the tables and manifests of a store; hidden files are nobody's tables.

    Without the commit that a manifest names: somebody may commit while the tests run.
    """
    return {
        path.relative_to(folder).as_posix(): re.sub(rb'"commit": .*', b"", path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.fixture(scope="module")
def crashes(tmp_path_factory):
    """A store after one ingest, after a second one of corrected, new and lost files, and after kills of that one."""
    root = tmp_path_factory.mktemp("crash")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOCWB_ROOT", str(root))
        raw_folder("small").mkdir(parents=True)
        (programme_folder("small") / "programme.yml").write_text(SMALL.replace("survey.csv", '"*.csv"'))
        write_raw("lost.csv", [1])
        write_raw("corrected.csv", [2])
        run_script(INGEST.split("store, crashed")[0] + "finish()")
        (raw_folder("small") / "lost.csv").unlink()
        write_raw("corrected.csv", [2], more=1)
        write_raw("new.csv", [3])
        crashed = root / "crashed"
        crashed.mkdir()
        run_script(INGEST, str(crashed), "6")
        yield crashed


def use_store(folder):
    shutil.rmtree(store_folder("small"))
    shutil.copytree(folder, store_folder("small"))


def test_a_killed_ingest_leaves_the_tables_of_one_ingest_whole(crashes):
    programme, mix = read_programme("small"), random.Random(5)
    old, new = read_files(crashes / "good"), read_files(crashes / "whole")
    assert {f"{name}.parquet" for name in Tables._fields} < set(old) == set(new)
    assert (
        old["responses.parquet"] != new["responses.parquet"]
        and old["ingested.parquet"] != new["ingested.parquet"]
    )
    found = []
    for folder in sorted(crashes.iterdir()):
        use_store(folder)
        tables = {
            name: read_table(programme, name) for name in mix.sample(Tables._fields, len(Tables._fields))
        }
        is_old, is_new = (read_files(store_folder("small")) == files for files in (old, new))
        assert is_old or is_new, f"{folder.name}: tables of two ingests"
        found.append(is_new)
        counted = tables["ingested"][["kept", "duplicates", "quarantined"]].sum(axis="columns")
        assert (tables["ingested"]["rows_in"] == counted).all()
        assert set(tables["feedback"]["response_id"]) == set(tables["responses"]["response_id"])
        for name in Tables._fields:
            manifest = json.loads((store_folder("small") / f"{name}.manifest.json").read_text())
            assert manifest["sha256"] == hash_file(store_folder("small") / f"{name}.parquet")
    assert len(found) > 15 and 0 < sum(found) < len(found), "killed before and after the new tables stood"


def test_the_next_ingest_after_a_kill_is_the_one_that_was_wanted(crashes):
    new = read_files(crashes / "whole")
    killed = sorted(crashes.glob("o*"))
    for folder in random.Random(11).sample(killed, 2):
        use_store(folder)
        run_steps()
        assert read_files(store_folder("small")) == new, folder.name


def test_nothing_half_written_stays_behind(crashes):
    use_store(sorted(crashes.glob("open*"))[2])
    run_steps()
    assert not list(store_folder("small").rglob(".*")), (
        "it would hold what people said, and outlive retention"
    )


def run_steps():
    space = {}
    exec(compile(INGEST.split("store, crashed")[0] + "finish()", "01_ingest", "exec"), space)


def test_a_key_half_made_is_no_key(vocwb_root):
    programme_folder("small").mkdir()
    (programme_folder("small") / "programme.yml").write_text(SMALL)
    made = subprocess.run([sys.executable, "-c", KEY], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    keys = [line.split()[1:] for line in made.stdout.splitlines()]
    assert len(keys) > 2 and all(len(key) == 1 and len(key[0]) == 64 for key in keys), keys
    assert len(read_key(read_programme("small"))) == 64
