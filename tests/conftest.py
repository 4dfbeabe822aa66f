"""What tests share: a root of their own, a small programme, and one report of the sample made once."""

import os
import shutil
import subprocess
from pathlib import Path

import hypothesis
import pytest

from vocwb.programme import read_programme

ROOT = Path(__file__).parent.parent

SMALL = """
title: Small shop
question: What goes wrong?
goal: less_churn
languages: [en]
segments: {plan: Plan}
questions:
  nps: {label: "Would you recommend us?", low: 0, high: 10, metric: nps}
sources:
  - name: survey
    files: survey.csv
    channel: survey
    who_started: company
    mode: direct
    columns: {id: id, date: date, respondent: customer}
    verbatims: {reason: reason}
    segments: {plan: plan}
    answers: {nps: nps}
"""


hypothesis.settings.register_profile("untimed", deadline=None, derandomize=True)
hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items):
    """Keep the tests of the sample's report on one worker, so that it is made once, and each form's on one."""
    for item in items:
        if "sample_root" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("sample"))
        elif "opened" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture
def vocwb_root(tmp_path, monkeypatch):
    """A root without any programme, which VOCWB_ROOT names."""
    monkeypatch.setenv("VOCWB_ROOT", str(tmp_path))
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def small_programme(vocwb_root):
    """A programme of one survey, without its raw file."""
    folder = vocwb_root / "data" / "small"
    (folder / "raw").mkdir(parents=True)
    (folder / "programme.yml").write_text(SMALL, encoding="utf-8")
    return read_programme("small")


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory):
    """A root in which `make report` has made the sample's report, as README.md tells a newcomer to."""
    root = tmp_path_factory.mktemp("sample_root")
    shutil.copytree(
        ROOT / "data" / "sample", root / "data" / "sample",
        ignore=shutil.ignore_patterns("raw", "store", "*.db*", "*.jsonl", "*.key", "truth.json", "__pycache__"),
    )  # fmt: skip
    made = run_make("report", root=root)
    assert made.returncode == 0, made.stdout + made.stderr
    return root


def run_make(*words: str, root: Path) -> subprocess.CompletedProcess:
    """Run make in the checkout with data and reports below `root`."""
    outer = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}  # of the make that runs the tests
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    environment["VOCWB_ROOT"] = str(root)
    return subprocess.run(["make", *words], cwd=ROOT, env=environment, capture_output=True, text=True)
