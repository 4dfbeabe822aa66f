"""Notebooks are thin and strict; a run is finished or leaves all as it was, and says where it stopped."""

import ast
import json
import re
import shutil
from pathlib import Path

import nbformat
import papermill
import pytest
from conftest import ROOT, run_make

from vocwb.errors import MonthError, RunError
from vocwb.run import NOTEBOOKS, check_parameters, run_notebook

ALL = sorted((ROOT / "notebooks").rglob("*.ipynb"))
MONTHLY = [ROOT / "notebooks" / f"{name}.ipynb" for name in NOTEBOOKS]
LATEST = "2025-12"


def stem(path):
    return path.stem


@pytest.mark.parametrize("path", ALL, ids=stem)
def test_a_notebook_is_thin(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].cell_type == "markdown" and notebook.cells[0].source.startswith("# ")
    for above, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if cell.cell_type != "code":
            continue
        assert not cell.outputs and cell.execution_count is None, "commit without outputs: nbstripout"
        if "parameters" in cell.metadata.get("tags", []):
            continue
        assert above.cell_type == "markdown" and "?" in above.source, (
            f"a question stands above: {cell.source}"
        )
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= 7, f"{len(lines)} lines: {cell.source}"
        banned = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.With, ast.Try, ast.Lambda)
        assert not any(isinstance(node, banned) for node in ast.walk(ast.parse(cell.source))), cell.source


@pytest.mark.parametrize("path", ALL, ids=stem)
def test_a_notebook_declares_its_parameters_one_a_line_with_help(path):
    tagged = [
        cell
        for cell in nbformat.read(path, as_version=4).cells
        if "parameters" in cell.metadata.get("tags", [])
    ]
    assert len(tagged) == 1
    for line in tagged[0].source.splitlines():
        assert re.fullmatch(r"\w+: (str|int|float|bool) = \S+  # \S.*", line), line


def test_the_schedule_passes_every_parameter():
    assert [path.name for path in ALL if path.parent.name == "notebooks"] == [path.name for path in MONTHLY]
    for path in MONTHLY:
        assert set(NOTEBOOKS[path.stem]) == set(papermill.inspect_notebook(str(path)))


@pytest.mark.parametrize("path", MONTHLY, ids=stem)
def test_an_unknown_name_and_a_wrong_type_are_refused_before_anything_runs(
    path, sample_root, monkeypatch, tmp_path
):
    monkeypatch.setenv("VOCWB_ROOT", str(sample_root))
    for wrong, says in (
        ({"mnth": LATEST}, "no parameter 'mnth'"),
        ({"programme": 7}, "parameter 'programme' is 7"),
    ):
        with pytest.raises(RunError, match=says) as error:
            run_notebook(path, {"programme": "sample"} | wrong, folder=tmp_path / "out")
        assert "programme (str): a folder of data/" in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", [path for path in MONTHLY if "month" in NOTEBOOKS[path.stem]], ids=stem)
def test_a_month_without_feedback_is_refused_before_anything_runs(path, sample_root, monkeypatch, tmp_path):
    monkeypatch.setenv("VOCWB_ROOT", str(sample_root))
    with pytest.raises(MonthError, match=r"no feedback in '2031-01'(.|\n)*2024-01"):
        run_notebook(path, {"programme": "sample", "month": "2031-01"}, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", MONTHLY, ids=stem)
def test_each_notebook_ran_on_the_sample(path, sample_root):
    folder = sample_root / "reports" / "sample" / (LATEST if "month" in NOTEBOOKS[path.stem] else "")
    executed = nbformat.read(folder / path.name, as_version=4)
    cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert any(cell.outputs for cell in cells)
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)


def test_a_parameter_of_a_person_is_checked_against_what_the_notebook_declares():
    path = ROOT / "notebooks" / "05_segment_comparison.ipynb"
    with pytest.raises(RunError, match="parameter 'months_back' is '6'"):
        check_parameters(path, {"months_back": "6"})
    assert check_parameters(path, {"months_back": 6}) == {"months_back": 6}


@pytest.fixture
def copied_root(sample_root, tmp_path):
    """A copy of the sample's root, for a test that breaks it."""
    root = tmp_path / "root"
    shutil.copytree(sample_root, root)
    return root


def state_of(root):
    return json.loads((root / "reports" / "sample" / "run.json").read_text())


def test_a_failed_month_leaves_the_report_and_is_resumed(copied_root):
    folder = copied_root / "reports" / "sample" / LATEST
    published = (folder / "report.html").read_bytes()
    good = (folder / "05_segment_comparison.ipynb").read_bytes()
    responses = copied_root / "data" / "sample" / "store" / "responses.parquet"
    kept = responses.read_bytes()
    responses.write_bytes(kept[:1000])

    failed = run_make("month", "FROM=04", root=copied_root)
    assert failed.returncode != 0
    assert "responses.parquet" in failed.stderr and "Traceback" not in failed.stderr
    assert (folder / "report.html").read_bytes() == published

    responses.write_bytes(kept)
    shutil.rmtree(copied_root / "data" / "sample" / "store" / "mentions")
    failed = run_make("month", "FROM=05", root=copied_root)
    assert failed.returncode != 0
    assert "05_segment_comparison failed" in failed.stderr and "FROM=05" in failed.stderr
    assert state_of(copied_root)["state"] == "failed"
    assert state_of(copied_root)["notebooks"]["05_segment_comparison"]["state"] == "failed"
    assert state_of(copied_root)["notebooks"]["06_root_cause"]["state"] == "waiting"
    left = nbformat.read(folder / "05_segment_comparison.failed.ipynb", as_version=4)
    assert "papermill-error" in left.cells[0].source
    assert any(
        output.output_type == "error"
        for cell in left.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    assert (folder / "report.html").read_bytes() == published
    assert (folder / "05_segment_comparison.ipynb").read_bytes() == good

    resumed = run_make("month", "FROM=03", root=copied_root)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.strip().endswith(f"reports/sample/{LATEST}/report.html")
    assert state_of(copied_root)["state"] == "finished"
    assert not list(folder.glob("*.failed.ipynb"))
    assert (folder / "report.html").read_bytes() == published, "the same input gives the same report"


def test_a_log_stays_silent(copied_root):
    made = run_make("month", "FROM=08", root=copied_root)
    assert made.stdout.splitlines() == [f"reports/sample/{LATEST}/report.html"]
    assert made.stderr == ""


def test_a_killed_kernel_leaves_a_notebook_that_says_so(tmp_path):
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("answer: int = 1  # a parameter", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell("import os\nos.kill(os.getpid(), 9)"),
            nbformat.v4.new_code_cell("'never run'"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path = tmp_path / "09_killed.ipynb"
    nbformat.write(notebook, path)
    with pytest.raises(RunError, match="DeadKernelError"):
        run_notebook(path, {"answer": 2}, folder=tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["09_killed.failed.ipynb"]
    left = nbformat.read(tmp_path / "out" / "09_killed.failed.ipynb", as_version=4)
    assert left.cells[0].source.startswith("# This notebook did not finish")


def test_the_schedule_never_fits(copied_root):
    for file in Path(copied_root, "data", "sample").glob("decisions*"):
        file.unlink()
    refused = run_make("month", root=copied_root)
    assert refused.returncode != 0 and "no codebook in use" in refused.stderr
    assert "make codebook" in refused.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["month", "MONTH=2031-01", "FROM=04"], "no feedback in '2031-01'"),
        (["month", "MONTH=December"], "YYYY-MM"),
        (["report", "PROGRAMME=nowhere"], "no programme 'nowhere'"),
        (["month", "FROM=99"], "No notebook comes at or after '99'"),
        (["codebook"], "WHO=name"),
    ],
)
def test_a_wrong_command_says_what_to_do(words, says, sample_root):
    refused = run_make(*words, root=sample_root)
    assert refused.returncode != 0
    assert says in refused.stderr and "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["codebook", "coding", "five_whys"])
def test_each_form_of_the_workshop_runs_on_the_sample(name, sample_root, monkeypatch, tmp_path):
    monkeypatch.setenv("VOCWB_ROOT", str(sample_root))
    path = ROOT / "notebooks" / "workshop" / f"{name}.ipynb"
    executed = nbformat.read(run_notebook(path, {"programme": "sample"}, folder=tmp_path), as_version=4)
    shown = [output.data for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown)
