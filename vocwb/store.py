"""The store: tables by name, checked against their schema both ways, written whole or not at all."""

import hashlib
import importlib.metadata
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import pandas as pd

from vocwb.errors import MonthError, StoreError
from vocwb.paths import project_root, store_folder
from vocwb.programme import Programme
from vocwb.schemas import check_table, describe_table, empty_table, fit_table

PACKAGES = (
    "hdbscan", "lingua-language-detector", "numpy", "onnxruntime", "pandas", "pyarrow", "scikit-learn", "scipy",
    "statsmodels", "tokenizers", "umap-learn",
)  # fmt: skip
"""The packages whose version can change a figure."""


def table_path(programme: Programme, table: str, part: str | None = None) -> Path:
    """Return the file of a table, or the folder of its parts.

    A table of scope "programme" is one file; of scope "month" or "codebook" one file a part, such as
    "2025-12" or "2025-12/scores".

    >>> from vocwb.programme import read_programme
    >>> table_path(read_programme("sample"), "codes", "2025-12").parts[-2:]
    ('codes', '2025-12.parquet')
    """
    scope = describe_table(table).scope
    folder = store_folder(programme.name) / table
    if scope == "programme":
        return folder.with_suffix(".parquet")
    return folder / f"{part}.parquet" if part else folder


def write_table(
    programme: Programme,
    table: str,
    frame: pd.DataFrame,
    *,
    part: str | None = None,
    inputs: Mapping[str, str] | None = None,
    parameters: Mapping[str, object] | None = None,
) -> Path:
    """Write a table whole, with a manifest beside it, and return its path.

    The frame is checked against the schema, written under a temporary name and moved into place, so a
    reader sees the old table or the new one and a crash leaves the old one. The manifest holds the hash
    of the table, inputs (name -> SHA-256), parameters (the seed among them), package versions and commit;
    it holds no clock, so the same input gives the same bytes.

    Raises SchemaError for a frame that does not fit, StoreError for a missing part.

    >>> write_table(read_programme("sample"), "codes", codes, part="2025-12")  # doctest: +SKIP
    """
    if describe_table(table).scope != "programme" and not part:
        raise StoreError(f"Table {table!r} is kept in parts.", remedy="Give part=..., such as a month.")
    finish_writing(programme)
    for staged, path in _stage_table(programme, table, frame, part, inputs, parameters):
        os.replace(staged, path)
    return table_path(programme, table, part)


def write_tables(
    programme: Programme,
    tables: Mapping[str, pd.DataFrame],
    *,
    inputs: Mapping[str, str] | None = None,
    parameters: Mapping[str, object] | None = None,
) -> list[Path]:
    """Write several tables of a programme so that all of them are the old ones or all the new, and return their paths.

    All are written under temporary names; then one small file says that they are to be moved. A crash before
    it leaves the old tables; after it, whoever reads the store next finishes the moves.

    >>> write_tables(read_programme("sample"), {"responses": responses, "feedback": feedback})  # doctest: +SKIP
    """
    finish_writing(programme)
    for left in store_folder(programme.name).glob(".*.part"):
        left.unlink(missing_ok=True)  # of a process that was killed
    staged: list[tuple[Path, Path]] = []
    try:
        for table, frame in tables.items():
            staged += _stage_table(programme, table, frame, None, inputs, parameters)
        moves = json.dumps([[one.name, path.name] for one, path in staged])
        write_whole(_pending(programme), lambda file: file.write_text(moves, encoding="utf-8"))
    except BaseException:
        _pending(programme).unlink(missing_ok=True)
        for one, _ in staged:
            one.unlink(missing_ok=True)
        raise
    finish_writing(programme)
    return [table_path(programme, table) for table in tables]


def finish_writing(programme: Programme) -> None:
    """Finish what `write_tables` had begun when its process ended; nothing to do in most cases.

    >>> finish_writing(programme)  # doctest: +SKIP
    """
    pending = _pending(programme)
    if not pending.is_file():
        return
    with suppress(FileNotFoundError):  # another reader does the same
        for staged, name in json.loads(pending.read_text(encoding="utf-8")):
            with suppress(FileNotFoundError):
                os.replace(pending.with_name(staged), pending.with_name(name))
        pending.unlink()


def _pending(programme: Programme) -> Path:
    return store_folder(programme.name) / ".moves.json"


def _stage_table(
    programme: Programme,
    table: str,
    frame: pd.DataFrame,
    part: str | None,
    inputs: Mapping[str, str] | None,
    parameters: Mapping[str, object] | None,
) -> list[tuple[Path, Path]]:
    """Write a table and its manifest under temporary names; return these with the names that they are to get."""
    frame = check_table(table, frame, extra=_extra(programme, table))
    path = table_path(programme, table, part)
    staged = _write_staged(path, lambda file: frame.to_parquet(file, index=False))
    manifest = {
        "table": table,
        "part": part,
        "rows": len(frame),
        "sha256": hash_file(staged),
        "inputs": dict(sorted((inputs or {}).items())),
        "parameters": dict(sorted((parameters or {}).items())),
        "versions": list_versions(),
        "commit": find_commit(),
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False, default=str)
    beside = path.with_suffix(".manifest.json")
    return [
        (staged, path),
        (_write_staged(beside, lambda file: file.write_text(text, encoding="utf-8")), beside),
    ]


def write_parts(
    programme: Programme, table: str, frame: pd.DataFrame, parts: pd.Series, **options
) -> list[Path]:
    """Write the rows of each value of `parts` (aligned with `frame`) as a part of a table of its own.

    >>> write_parts(read_programme("sample"), "codes", codes, months)  # doctest: +SKIP
    """
    return [
        write_table(programme, table, rows, part=str(part), **options)
        for part, rows in frame.groupby(parts.to_numpy(), sort=True)
    ]


def read_table(
    programme: Programme, table: str, *, part: str | None = None, empty: bool = False, fit: bool = False
) -> pd.DataFrame:
    """Return a table, or one part of it, or all parts below a folder of parts.

    empty: give a table without rows where there is none, instead of raising StoreError (which names what
    there is and what makes it). fit: columns that the table has got since it was written are empty, and those
    that it has no longer are left out, instead of raising SchemaError; where one is new that may not be empty,
    the table is of an older version, and has no rows.

    >>> read_table(read_programme("sample"), "feedback")  # doctest: +SKIP
    """
    finish_writing(programme)
    path = table_path(programme, table, part)
    files = [path] if path.is_file() else sorted(path.with_suffix("").rglob("*.parquet"))
    extra = _extra(programme, table)
    if not files and empty:
        return empty_table(table, extra=extra)
    if not files:
        raise StoreError(
            f"The store of {programme.name!r} has no table {table!r}" + (f" for {part!r}." if part else "."),
            f"There are: {', '.join(list_tables(programme)) or 'no tables yet'}.",
            f"Run: make report PROGRAMME={programme.name}",
        )
    frames = [_read_file(file, table) for file in files]
    if fit:
        frames = [fit_table(table, frame, extra=extra) for frame in frames]
    frames = [check_table(table, frame, extra=extra) for frame in frames]
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def _read_file(file: Path, table: str) -> pd.DataFrame:
    lists = [column for column, kind in describe_table(table).columns.items() if kind == "list"]
    try:
        frame = pd.read_parquet(file)
        return frame.assign(**{column: [cell.tolist() for cell in frame[column]] for column in lists})
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{short_path(file)} cannot be read: {error}",
            remedy="The file is damaged. Remove it and run the month again: make month",
        ) from error


def list_tables(programme: Programme) -> list[str]:
    """Return the names of the tables that are in the store.

    >>> list_tables(read_programme("sample"))  # doctest: +SKIP
    ['feedback', 'ingested', 'quarantine', 'responses']
    """
    folder = store_folder(programme.name)
    return sorted(
        {path.relative_to(folder).parts[0].removesuffix(".parquet") for path in folder.rglob("*.parquet")}
    )


def list_parts(programme: Programme, table: str) -> list[str]:
    """Return the names of all parts of a table.

    >>> list_parts(read_programme("sample"), "codes")  # doctest: +SKIP
    ['2025-11', '2025-12']
    """
    folder = table_path(programme, table)
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.parquet"))


def list_months(programme: Programme) -> list[str]:
    """Return the months that have feedback from customers or staff, oldest first ("all" if undated).

    >>> list_months(read_programme("sample"))[-1]  # doctest: +SKIP
    '2025-12'
    """
    responses = read_table(programme, "responses")[["response_id", "month"]]
    feedback = read_table(programme, "feedback")
    spoken = feedback.loc[feedback["duplicate_of"].isna(), "response_id"]
    return sorted(responses.loc[responses["response_id"].isin(spoken), "month"].unique())


def check_month(programme: Programme, month: str | None) -> str:
    """Return `month` if it has feedback, or the latest month if none is given; else raise MonthError.

    Without a month given, a programme with dates gets its latest month, and one without them gets "all".

    >>> check_month(read_programme("sample"), "")  # doctest: +SKIP
    '2025-12'
    """
    check_month_form(month)
    months = list_months(programme)
    if not months:
        raise MonthError(
            f"{programme.name!r} holds no feedback.",
            remedy="Look at the quarantine in notebook 01_ingest for why.",
        )
    if month and month not in months:
        raise MonthError(
            f"{programme.name!r} has no feedback in {month!r}.",
            f"Months with feedback: {_spell_months(months)}.",
            "Give one of these with MONTH=..., or leave it out for the latest.",
        )
    dated = [known for known in months if known != "all"]
    return month or (dated or months)[-1]


def check_month_form(month: str | None) -> None:
    """Raise MonthError unless `month` is empty, "all" or written as YYYY-MM.

    >>> check_month_form("2025-13")
    Traceback (most recent call last):
    ...
    vocwb.errors.MonthError: '2025-13' is not a month.
    A month is written YYYY-MM, such as 2025-12; "all" is the one period of undated feedback.
    """
    if month and month != "all" and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise MonthError(
            f"{month!r} is not a month.",
            'A month is written YYYY-MM, such as 2025-12; "all" is the one period of undated feedback.',
        )


def _spell_months(months: list[str]) -> str:
    return ", ".join(months) if len(months) <= 12 else f"{len(months)} from {months[0]} to {months[-1]}"


def write_whole(path: Path, write) -> None:
    """Call write(temporary file), then move it to `path`: the file is there whole or not at all.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> write_whole(target, lambda file: file.write_text("whole"))
    >>> target.read_text()
    'whole'
    """
    os.replace(_write_staged(path, write), path)


def _write_staged(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file under a temporary name beside `path`, and return that name; nothing is left if it fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    try:
        write(Path(name))
        os.chmod(name, 0o644)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as 64 hex digits.

    >>> len(hash_file(Path(__file__)))
    64
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_bytes(blocks: Iterable[bytes]) -> str:
    """Return the SHA-256 of blocks of bytes, as 64 hex digits.

    >>> hash_bytes([b"a", b"bc"]) == hash_bytes([b"abc"])
    True
    """
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def hash_tables(programme: Programme, *tables: str, part: str | None = None) -> dict[str, str]:
    """Return name -> SHA-256 of the files of some tables, as the manifest of a table made from them wants.

    >>> hash_tables(read_programme("sample"), "feedback")  # doctest: +SKIP
    """
    folder = store_folder(programme.name)
    files = [
        file
        for table in tables
        for path in [
            table_path(programme, table, part if describe_table(table).scope != "programme" else None)
        ]
        for file in ([path] if path.is_file() else sorted(path.with_suffix("").rglob("*.parquet")))
    ]
    return {file.relative_to(folder).as_posix(): hash_file(file) for file in files}


def list_versions() -> dict[str, str]:
    """Return the versions of the packages that can change a figure.

    >>> sorted(list_versions()) == sorted(PACKAGES)
    True
    """
    return {name: importlib.metadata.version(name) for name in PACKAGES}


@cache
def find_commit() -> str:
    """Return the commit of the code, with "+" if files were changed since; "unknown" outside git.

    >>> isinstance(find_commit(), str)
    True
    """
    folder = Path(__file__).parent

    def ask(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return ask("rev-parse", "HEAD") + ("+" if ask("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def short_path(path: Path) -> str:
    """Return a path as people say it: from the project's root where it lies below it.

    >>> short_path(project_root() / "reports")
    'reports'
    """
    return str(path.relative_to(project_root())) if path.is_relative_to(project_root()) else str(path)


def _extra(programme: Programme, table: str) -> dict[str, str]:
    return programme.extra_columns if table == "responses" else {}
