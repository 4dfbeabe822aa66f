"""The month: notebooks in order, through papermill, with a status file of its own.

papermill alone only warns of an unknown parameter, marks a killed notebook as completed, and writes its output
in place; so parameters are refused here before a kernel starts, the state is kept here, and each notebook is
written under a temporary name and moved into place when it has ended.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from pydantic import ConfigDict, ValidationError, create_model
from tqdm import tqdm
from traitlets.config import Config

from vocwb.decisions import export_decisions, find_codebook, read_decisions
from vocwb.errors import ProgrammeError, RunError, VocwbError
from vocwb.paths import notebook_folder, programme_folder, raw_folder, report_folder
from vocwb.programme import read_programme
from vocwb.store import check_month, check_month_form, list_months, short_path, write_whole

NOTEBOOKS = {
    "01_ingest": ("programme", "raw"),
    "02_topic_discovery": ("programme", "until", "who", "where", "seed"),
    "03_topic_assignment": ("programme", "month"),
    "04_scorecard": ("programme", "month"),
    "05_segment_comparison": ("programme", "month", "months_back"),
    "06_root_cause": ("programme", "month", "months_back", "topic"),
    "07_actions": ("programme", "month"),
    "08_monthly_report": ("programme", "month"),
}
"""The notebooks of a month in their order, each with the parameters that the schedule passes it."""

INGEST, DISCOVERY = list(NOTEBOOKS)[:2]
UNREVIEWED = "vocwb (nobody has reviewed it)"

_TYPES = {"str": str, "int": int, "float": float, "bool": bool}


def run_month(
    programme: str, *, month: str = "", raw: str = "", fit: bool = False, start: str = "01", seed: int = 0
) -> Path:
    """Run the month's notebooks in order and return the path of the report.

    month: "YYYY-MM"; empty for the latest month with feedback, or for the month of the last run when it is
    resumed. raw: the folder that source paths start from. fit: fit a codebook if none is in use. start: the
    number of the first notebook to run.

    The state is kept in `reports/<programme>/run.json`. Raises RunError when a notebook fails, or when no
    codebook is in use and `fit` is false; the last published report is then untouched.

    >>> run_month("sample", month="2025-12", fit=True)  # doctest: +SKIP
    """
    known = read_programme(programme)
    check_month_form(month)
    names = [name for name in NOTEBOOKS if name >= start and (fit or name != DISCOVERY)]
    if not names:
        raise RunError(
            f"No notebook comes at or after {start!r}.",
            f"Notebooks: {', '.join(NOTEBOOKS)}.",
            "Give the number of one, such as FROM=04.",
        )
    status = report_folder(programme, "") / "run.json"
    if start > INGEST and not month and status.is_file():
        month = json.loads(status.read_text(encoding="utf-8"))["month"]
    state = {
        "programme": programme,
        "month": month,
        "state": "running",
        "notebooks": {name: {"state": "waiting"} for name in names},
    }
    settings = {
        "programme": programme,
        "raw": raw,
        "seed": seed,
        "who": UNREVIEWED,
        "where": "",
        "months_back": 12,
        "topic": "",
    }
    try:
        for name in tqdm(names, unit="notebook", disable=None):
            if name != INGEST:
                month = state["month"] = check_month(known, month)
                settings |= {"month": month, "until": find_last_earlier(list_months(known), month)}
            if name == DISCOVERY and find_codebook(read_decisions(known)):
                state["notebooks"][name] = {"state": "not needed: a codebook is in use"}
                continue
            if name > DISCOVERY and not find_codebook(read_decisions(known)):
                raise RunError(
                    f"{programme!r} has no codebook in use, and a scheduled month never fits one.",
                    remedy=f"Fit one: make codebook PROGRAMME={programme} WHO=you (or make report, once).",
                )
            folder = report_folder(programme, month if name > DISCOVERY else "")
            parameters = {key: settings[key] for key in NOTEBOOKS[name]}
            with _noted(status, state, name):
                run_notebook(notebook_folder() / f"{name}.ipynb", parameters, folder=folder)
        export_decisions(known)
        state["state"] = "finished"
    except BaseException as error:
        state |= {"state": "failed", "error": str(error) or type(error).__name__}
        raise
    finally:
        _write_json(status, state)
    return report_folder(programme, month) / "report.html"


def find_last_earlier(months: list[str], month: str) -> str:
    """Return the last of `months` before `month`, else `month`: up to where a first codebook is fitted.

    >>> find_last_earlier(["2025-10", "2025-11", "2025-12"], "2025-12"), find_last_earlier(["all"], "all")
    ('2025-11', 'all')
    """
    return max((other for other in months if other < month != "all"), default=month)


def run_notebook(path: Path, parameters: dict, *, folder: Path) -> Path:
    """Run one notebook with checked parameters and return its executed copy in `folder`.

    The copy is moved into place when it has ended well. A failure leaves `<name>.failed.ipynb`, whose first
    cell says what failed, and raises RunError; a good copy of an earlier run stays as it was.

    >>> run_notebook(notebook_folder() / "07_actions.ipynb", {"month": "2025-12"}, folder=folder)  # doctest: +SKIP
    """
    parameters = check_parameters(path, parameters)
    folder.mkdir(parents=True, exist_ok=True)
    done, failed = folder / path.name, folder / f"{path.stem}.failed.ipynb"
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=f".{path.stem}.") as scratch,
        tempfile.TemporaryDirectory(prefix="vocwb-") as sockets,
    ):
        output = Path(scratch) / path.name
        try:
            papermill.execute_notebook(
                str(path),
                str(output),
                parameters,
                kernel_name="python3",
                progress_bar=False,
                config=_make_private(sockets),
            )
        except BaseException as error:
            if not output.is_file():
                raise
            if not isinstance(error, PapermillExecutionError):
                _mark_stopped(output, error)
            output.replace(failed)
            raise RunError(
                f"Notebook {path.stem} failed: {_say_error(error)}",
                f"It stands, with the cell that failed, in {short_path(failed)}.",
                f"Mend the cause, then run the same command with FROM={path.stem[:2]}. The last report is untouched.",
            ) from error
        _drop_clock(output)
        output.replace(done)
    failed.unlink(missing_ok=True)
    return done


def check_parameters(path: Path, given: dict) -> dict:
    """Return `given` if the notebook declares each of the names with that type; else raise RunError.

    A notebook declares its parameters in its cell tagged `parameters`, one a line: `name: type = value  # help`.
    A parameter `month` must be a month with feedback of the parameter `programme`.

    >>> check_parameters(notebook_folder() / "04_scorecard.ipynb", {"mnth": "2025-12"})
    Traceback (most recent call last):
    ...
    vocwb.errors.RunError: Notebook 04_scorecard was not run: it has no parameter 'mnth'.
    Its parameters: programme (str): a folder of data/; month (str): YYYY-MM; empty for the latest.
    Mend the name or the value; nothing was run.
    """
    declared = papermill.inspect_notebook(str(path))
    fields = {name: (_TYPES[entry["inferred_type_name"]], None) for name, entry in declared.items()}
    model = create_model("Parameters", __config__=ConfigDict(extra="forbid", strict=True), **fields)
    try:
        model(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = first["loc"][0]
        says = (
            f"it has no parameter {name!r}"
            if first["type"] == "extra_forbidden"
            else f"parameter {name!r} is {given[name]!r}: {first['msg'].lower()}"
        )
        kinds = [f"{key} ({entry['inferred_type_name']}): {entry['help']}" for key, entry in declared.items()]
        raise RunError(
            f"Notebook {path.stem} was not run: {says}.",
            f"Its parameters: {'; '.join(kinds)}.",
            "Mend the name or the value; nothing was run.",
        ) from error
    for name in ("month", "until"):
        if given.get(name):
            check_month(read_programme(given["programme"]), given[name])
    return given


def _make_private(sockets: str) -> Config:
    """Let a kernel speak by socket files: its messages hold customers' words, and a port has other listeners."""
    settings = {"transport": "ipc", "ip": str(Path(sockets) / "kernel")} if os.name == "posix" else {}
    # A kernel that is asked to go while it still tidies up calls that an error.
    quiet = {"extra_arguments": ["--IPKernelApp.log_level=50"]}
    return Config({"KernelManager": settings, "NotebookClient": quiet})


def _say_error(error: BaseException) -> str:
    if isinstance(error, PapermillExecutionError):
        return f"cell {error.cell_index}: {error.ename}: {error.evalue}"
    return f"{type(error).__name__}: {error}"


def _mark_stopped(output: Path, error: BaseException) -> None:
    """Say at the top what stopped a notebook that papermill itself would leave looking complete."""
    notebook = nbformat.read(output, as_version=4)
    text = f"# This notebook did not finish\n\n    {_say_error(error)}\n\nCells without output were not run."
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(text))
    nbformat.write(notebook, output)


def _drop_clock(output: Path) -> None:
    """Drop the times, paths and random ids that papermill notes: the same input gives the same bytes."""
    notebook = nbformat.read(output, as_version=4)
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    nbformat.write(notebook, output)


@contextmanager
def _noted(status: Path, state: dict, name: str) -> Iterator[None]:
    """Keep the state of one notebook in the status file while it runs and after."""
    notebooks, began = state["notebooks"], time.monotonic()
    notebooks[name] = {"state": "running"}
    _write_json(status, state)
    try:
        yield
        notebooks[name] = {"state": "finished"}
    except BaseException:
        notebooks[name] = {"state": "failed"}
        raise
    finally:
        notebooks[name]["seconds"] = round(time.monotonic() - began, 1)
        _write_json(status, state)


def _write_json(path: Path, state: dict) -> None:
    text = json.dumps(state, indent=1, ensure_ascii=False)
    write_whole(path, lambda file: file.write_text(text, encoding="utf-8"))


def fit_again(programme: str, *, until: str = "", who: str = "", seed: int = 0) -> Path:
    """Fit a new codebook on the months up to `until`; return the executed notebook, in which it is reviewed.

    A first codebook is used at once; a refit when a person says so (`use_codebook`).

    >>> fit_again("sample", who="Ada")  # doctest: +SKIP
    """
    _ask_who(who)
    until = check_month(read_programme(programme), until)
    parameters = {"programme": programme, "until": until, "who": who, "where": "", "seed": seed}
    return run_notebook(
        notebook_folder() / f"{DISCOVERY}.ipynb", parameters, folder=report_folder(programme, "")
    )


def use_codebook(programme: str, codebook_id: str, *, who: str = "", why: str = "") -> str:
    """Put a codebook in use that was fitted before, a new one or an earlier one; return what is in use.

    Raises StoreError where there is no such codebook, and DecisionError where a decision about topics does not
    fit it: a name whose topic it lacks, or whose terms are others now.

    >>> use_codebook("sample", "C1")
    Traceback (most recent call last):
    ...
    vocwb.errors.RunError: A codebook is put in use by a person.
    Say who: make codebook WHO=name
    """
    from vocwb.decisions import find_fit, fold_decisions, read_codebook, record_decision
    from vocwb.understand.naming import apply_decisions

    _ask_who(who)
    known = read_programme(programme)
    log = read_decisions(known)
    apply_decisions(read_codebook(known, codebook_id), fold_decisions(log))
    value = find_fit(known, codebook_id) | {"reviewed": True}
    record_decision(
        known, kind="codebook_in_use", subject=codebook_id, value=value, who=who, why=why or "reviewed"
    )
    return f"{codebook_id} is in use; the next month reads by it, and `make month` restates this one."


def _ask_who(who: str) -> None:
    if not who.strip():
        raise RunError("A codebook is put in use by a person.", remedy="Say who: make codebook WHO=name")


def write_draft(programme: str, *, raw: str = "") -> Path:
    """Look at the files of `raw` and write a first programme.yml for a person to correct; return its path.

    A programme.yml that is there is never overwritten: ProgrammeError.

    >>> write_draft("mine", raw="exports")  # doctest: +SKIP
    """
    path = programme_folder(programme) / "programme.yml"
    if path.exists():
        raise ProgrammeError(
            f"{short_path(path)} is there already.",
            remedy="Name a new one: make programme PROGRAMME=name RAW=folder",
        )
    from vocwb.collect.draft import draft_programme  # it and `forget` load what a month does not need

    text = draft_programme(raw_folder(programme, raw))
    write_whole(path, lambda file: file.write_text(text, encoding="utf-8"))
    return path


def forget(options: argparse.Namespace) -> NamedTuple:
    """Forget the respondent or the file that the command line names, one of the two; see `forget.Forgotten`.

    >>> forget(argparse.Namespace(respondent="", file=""))
    Traceback (most recent call last):
    ...
    vocwb.errors.RunError: Nobody and nothing is named to be forgotten, or both are.
    Give one: make forget RESPONDENT=name, or FILE=name (a raw file that is gone)
    """
    if bool(options.respondent) == bool(options.file):
        raise RunError(
            "Nobody and nothing is named to be forgotten, or both are.",
            remedy="Give one: make forget RESPONDENT=name, or FILE=name (a raw file that is gone)",
        )
    from vocwb.forget import forget_file, forget_respondent

    known = read_programme(options.programme)
    given = {"who": options.who, "why": options.why, "raw": options.raw}
    if options.file:
        return forget_file(known, options.file, **given)
    return forget_respondent(known, options.respondent, **given)


def main(words: list[str] | None = None) -> int:
    """Read the command line, run what it asks, print the path of what was made; return the exit status.

    >>> main(["report", "--programme", "nowhere"])
    1
    """
    parser = argparse.ArgumentParser(prog="vocwb.run", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["report", "month", "codebook", "programme", "forget"])
    parser.add_argument("--programme", default="sample", help="a folder of data/")
    parser.add_argument("--month", default="", help="YYYY-MM; the latest if not given")
    parser.add_argument("--raw", default="", help="the folder that source paths start from")
    parser.add_argument("--from", dest="start", default="01", help="the first notebook to run, such as 04")
    parser.add_argument("--who", default="", help="who puts a codebook in use, or forgets")
    parser.add_argument("--respondent", default="", help="who is forgotten, as the exports name them")
    parser.add_argument("--file", default="", help="the raw file, gone on purpose, whose rows are forgotten")
    parser.add_argument("--why", default="", help="why somebody is forgotten, or a codebook is put in use")
    parser.add_argument("--use", default="", help="the id of a fitted codebook that is put in use")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(words)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        if options.what == "programme":
            made = write_draft(options.programme, raw=options.raw)
        elif options.what == "forget":
            print(forget(options))
            return 0
        elif options.what == "codebook" and options.use:
            print(use_codebook(options.programme, options.use, who=options.who, why=options.why))
            return 0
        elif options.what == "codebook":
            made = fit_again(options.programme, until=options.month, who=options.who, seed=options.seed)
        else:
            made = run_month(
                options.programme,
                month=options.month,
                raw=options.raw,
                fit=options.what == "report",
                start=options.start,
                seed=options.seed,
            )
    except VocwbError as error:
        print(error, file=sys.stderr)
        return 1
    print(short_path(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
