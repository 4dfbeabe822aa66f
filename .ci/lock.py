"""Write requirements.lock and environment.yml from pyproject.toml, the one source of versions (make lock)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

HEAD = """\
# Generated from pyproject.toml by `make lock`; do not edit. The same pinned set as requirements.lock, for conda:
#   PIP_NO_DEPS=1 conda env create -f environment.yml && conda activate vocwb && pip install --no-deps -e .
# PIP_NO_DEPS=1 is needed: without it bertopic brings sentence-transformers and torch.
name: vocwb
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def write_lock() -> str:
    """Resolve pyproject.toml for every platform and Python from 3.11 on, and return the pins, one a line."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--group", "dev", "--universal"),
        *("--python-version", "3.11", "--no-header", "--no-annotate", "--no-emit-index-url", "--quiet"),
        *("--no-emit-find-links",),
    ]
    pins = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return "".join(line + "\n" for line in pins.splitlines() if line and "'never'" not in line)


def write_environment(lock: str) -> str:
    """Return the text of environment.yml for the pins of requirements.lock."""
    return HEAD + "".join(f'    - "{line}"\n' for line in lock.splitlines())


if __name__ == "__main__":
    lock = write_lock()
    (ROOT / "requirements.lock").write_text(lock, encoding="utf-8")
    (ROOT / "environment.yml").write_text(write_environment(lock), encoding="utf-8")
    print(f"{len(lock.splitlines())} pins in requirements.lock and environment.yml")
