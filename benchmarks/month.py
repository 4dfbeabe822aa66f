"""How long a warm month takes, and how much of it is kernels and imports.

Measured on a programme that has a report already (the sample if none is named): one month from ingest to
report, wall seconds of each notebook from the run's own status file; and, as the floor, the seconds that
the same number of kernels need to start and to import what the notebooks import. The peer is that floor:
"ratios" says how many times the floor the month takes.

    python benchmarks/month.py --programme sample --month 2025-11
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import nbformat

from vocwb.paths import notebook_folder, report_folder
from vocwb.run import NOTEBOOKS, run_month, run_notebook


def read_imports(name: str) -> str:
    """Return the import lines of a notebook."""
    cells = nbformat.read(notebook_folder() / f"{name}.ipynb", as_version=4).cells
    lines = [line for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    return "\n".join(line for line in lines if line.startswith(("from ", "import ")))


def time_imports(name: str) -> float:
    """Return the seconds of a notebook that imports what `name` imports, and does nothing."""
    notebook = nbformat.read(notebook_folder() / f"{name}.ipynb", as_version=4)
    parameters = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    notebook.cells = [*parameters, nbformat.v4.new_code_cell(read_imports(name))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.ipynb"
        nbformat.write(notebook, path)
        began = time.perf_counter()
        run_notebook(path, {}, folder=Path(folder) / "out")
        return time.perf_counter() - began


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programme", default="sample")
    parser.add_argument("--month", default="")
    parser.add_argument("--raw", default="")
    options = parser.parse_args()
    began = time.perf_counter()
    report = run_month(options.programme, month=options.month, raw=options.raw)
    seconds = time.perf_counter() - began
    ran = json.loads((report_folder(options.programme, "") / "run.json").read_text())["notebooks"]
    names = [name for name in NOTEBOOKS if name in ran]
    floor = sum(time_imports(name) for name in names)
    result = {
        "benchmark": "month",
        "data": f"{options.programme} {report.parent.name}",
        "n": len(names),
        "ours": {"seconds": round(seconds, 1)} | {name: ran[name]["seconds"] for name in names},
        "peers": {"kernels and imports alone": {"seconds": round(floor, 1)}},
        "ratios": {"seconds": round(seconds / floor, 2)},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
