"""Looks at a folder of exports and drafts the programme.yml that a person then corrects."""

import json
import re
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import blank_to_missing
from vocwb.collect.guess import guess_roles
from vocwb.collect.language_id import identify_languages
from vocwb.collect.readers import Rows, decode_text
from vocwb.collect.sources import find_form, list_files, read_rows
from vocwb.errors import SourceError
from vocwb.programme import GOALS, LANGUAGES, Source
from vocwb.schemas import TABLES

_LOOKED_AT = 3000
_CHANNELS = (
    ("social", r"tweet|twitter|social|post|facebook|instagram"), ("chat", r"chat"), ("call", r"\bcalls?\b|transcript"),
    ("email", r"e-?mail|mbox|\beml\b"), ("sms", r"\bsms\b"), ("ticket", r"ticket|support|case"),
    ("complaint", r"complain"), ("survey", r"survey|nps|csat|questionnaire"),
    ("review", r"review|rating|comment|star"),
)  # fmt: skip
_NOT_CUSTOMER = re.compile(
    r"agent|moderator|interview|advis|support|staff|bot\b|operator|assistant|company", re.I
)
_TAKEN = set(TABLES["responses"].columns) | set(TABLES["feedback"].columns)


class Export(NamedTuple):
    """One file, or several with the same columns: how they are read, and the first records of the longest."""

    files: list[str]
    how: dict[str, str | int | list]
    records: pd.DataFrame


def draft_programme(raw_folder: Path) -> str:
    """Return the text of a first programme.yml for the files of a folder, each guess with its evidence.

    For each file, or files with the same columns: form, encoding, delimiter, lines before the header, and
    which column seems to be the verbatim (the longest varied text), the date, the id, the person, the
    language, scores with their likely scale, and segments (few different values). Question and goal are
    left blank, for a person to fill in: a programme does not run without them. A file that cannot be read
    is named in a comment with the reason. Raises SourceError where the folder holds no file.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> rows = [f"{n},{n % 5 + 1},the {n}th kettle leaks" for n in range(30)]
    >>> _ = (folder / "reviews.csv").write_text("\\n".join(["id,stars,review", *rows]))
    >>> "verbatims: {review: review}" in draft_programme(folder)
    True
    """
    files = list_files(raw_folder)
    if not files:
        raise SourceError(
            f"There is no file in {raw_folder}.", remedy="Put exports there, or name another folder."
        )
    exports, unread = [], []
    for file in files:
        try:
            exports.append(_open_export(raw_folder / file, file))
        except SourceError as error:
            unread.append(f"# Not read: {file}: {' '.join(str(error).splitlines())}")
    exports = _join_exports(exports)
    drafts = []
    for export in exports:
        roles, why = guess_roles(export.records)
        if any(role in ("verbatim", "turns") or role.startswith("score ") for role in roles):
            drafts.append((export, roles, why))
        else:
            unread.append(f"# Left out: {', '.join(export.files)}: no column of texts or scores was found.")
    said = [
        export.records[roles["verbatim"]].dropna().head(300)
        for export, roles, _ in drafts
        if "verbatim" in roles
    ]
    title = raw_folder.resolve().name
    return "\n".join([*_write_head(title, said), *_write_sources(title, drafts), *unread, ""])


def _open_export(path: Path, file: str) -> Export:
    form = find_form(path, None)
    how: dict[str, str | int | list] = {"form": form}
    if form != "xlsx" and (data := path.read_bytes()).strip():
        text, encoding = decode_text(data, file=path.name)
        if encoding not in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
            how["encoding"] = encoding.lower()
        if form == "json" and (steps := _find_list(text)):
            how["record_path"] = steps
    found, skipped = _read_below_preface(path, how)
    if skipped:
        how["skip_lines"] = skipped
    if path.suffix.lower() == ".txt" and len(found.header) < 2:
        raise SourceError("a text, not a table: tables have a header and more than one column.")
    rows = [row for _, row in found.rows[:_LOOKED_AT]]
    if not rows:
        raise SourceError("no record can be read in it.")
    return Export([file], how, pd.DataFrame(rows, columns=found.header, dtype="str").apply(blank_to_missing))


def _join_exports(exports: list[Export]) -> list[Export]:
    """Take files of one folder that have the same columns for one export."""

    def tell_apart(export: Export) -> tuple:
        parent = str(Path(export.files[0]).parent)
        return parent, json.dumps(export.how), tuple(export.records)

    joined = []
    for _, group in groupby(sorted(exports, key=tell_apart), tell_apart):
        same = list(group)
        longest = max(same, key=lambda export: len(export.records))
        joined.append(longest._replace(files=sorted(file for export in same for file in export.files)))
    return sorted(joined, key=lambda export: export.files)


def _read_below_preface(path: Path, how: dict) -> tuple[Rows, int]:
    """Read a file, below the lines that some systems write above the header."""
    first = None
    for skipped in range(10 if how["form"] in ("csv", "tsv", "xlsx") else 1):
        try:
            found = read_rows(path, Source.model_construct(**how, skip_lines=skipped))
        except SourceError:
            if first is None:
                raise
            break
        if found.header is None or (len(found.header) > 1 and len(found.rows) > len(found.bad)):
            return found, skipped
        first = first or found
    return first, 0


def _find_list(text: str) -> list[str]:
    """Return the keys that lead to the longest list of objects in a JSON text, none if it is one itself."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return []
    best: tuple[int, list[str]] = (0, [])
    nodes: list[tuple[object, list[str]]] = [(document, [])]
    while nodes:
        node, steps = nodes.pop()
        if isinstance(node, list) and node and isinstance(node[0], dict):
            best = max(best, (len(node), steps))
        elif isinstance(node, dict) and len(steps) < 5:
            nodes += [(value, [*steps, key]) for key, value in node.items()]
    return best[1]


def _write_head(title: str, said: list[pd.Series]) -> list[str]:
    texts = pd.concat(said) if said else pd.Series(dtype="str")
    languages = identify_languages(texts, LANGUAGES).value_counts(normalize=True)
    spoken = [code for code in LANGUAGES if languages.get(code, 0) >= 0.02] or list(LANGUAGES)
    shares = ", ".join(f"{code} {share:.0%}" for code, share in languages.items())
    return [
        "# A first draft, from the look of the files: check every line, then fill in question and goal.",
        f"title: {_quote(title)}",
        "question:                # required: what is to be found out?",
        f"goal:                    # required: one of {', '.join(GOALS)}",
        "timezone: UTC            # in which a day and a month begin, and times without zone are written",
        f"languages: [{', '.join(spoken)}]          # found: {shares or 'no texts'}",
    ]


def _write_sources(title: str, drafts: list[tuple[Export, dict[str, str], dict[str, str]]]) -> list[str]:
    segments: dict[str, str] = {}
    questions: dict[str, str] = {}
    lines: list[str] = []
    names: Counter[str] = Counter()
    for export, roles, why in drafts:
        first = Path(export.files[0])
        name = _slug(first.stem if len(export.files) == 1 else first.parent.name or title)
        names[name] += 1
        name += f"_{names[name]}" if names[name] > 1 else ""
        lines += ["", *_write_source(name, export, roles, why, segments, questions)]
    head = ["", "segments:" if segments else "segments: {}"]
    head += [f"  {_quote(slug)}: {_quote(label)}" for slug, label in segments.items()]
    head.append("questions:" if questions else "questions: {}")
    head += [f"  {_quote(slug)}: {scale}" for slug, scale in questions.items()]
    return [*head, "", "sources:" if lines else "sources: []      # no file could be read", *lines[1:]]


def _write_source(
    name: str,
    export: Export,
    roles: dict[str, str],
    why: dict[str, str],
    segments: dict[str, str],
    questions: dict[str, str],
) -> list[str]:
    files = export.files
    words = (files[0].replace("_", " "), " ".join(export.records).replace("_", " "))
    channel = next(
        (name for text in words for name, found in _CHANNELS if re.search(found, text, re.I)), "survey"
    )
    lines = [f"  - name: {_quote(name)}"]
    if len(files) == 1:
        lines.append(f"    files: {_quote(files[0])}")
    else:
        lines += ["    files:", *(f"      - {_quote(file)}" for file in files)]
    if "record_path" in export.how:
        lines.append("    # the longest list of records in the file; others in it are not read")
    lines += [f"    {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in export.how.items()]
    started = "company" if channel == "survey" else "customer"
    mode = "indirect" if channel in ("social", "review") else "direct"
    lines.append(f"    channel: {channel}      # a guess, from the names of file and columns")
    lines.append(f"    who_started: {started}      # customer, company or nobody")
    lines.append(f"    mode: {mode}      # direct, indirect or behaviour")
    if "date" not in roles:
        doubt = "no column of dates was found"
        if "ago" in roles:
            doubt = (
                f"{roles['ago']!r} tells it by distance: give exported_on, and it as columns.date, instead"
            )
        lines.append(f"    undated: true      # {doubt}")
    named = [role for role in ("id", "date", "respondent", "language") if role in roles]
    if named:
        lines.append("    columns:")
        lines += [f"      {role}: {_quote(roles[role])}      # {why[role]}" for role in named]
    if "turns" in roles:
        lines.append(f"    turns: {_guess_turns(export.records[roles['turns']])}")
        lines[-1] = lines[-1].replace("{", f"{{column: {_quote(roles['turns'])}, ", 1)
    elif "verbatim" in roles:
        slug = _slug(roles["verbatim"])
        lines.append(
            f"    verbatims: {{{_quote(slug)}: {_quote(roles['verbatim'])}}}      # {why['verbatim']}"
        )
    for kind, key, declared in (("segment", "segments", segments), ("score", "answers", questions)):
        chosen = [role for role in roles if role.startswith(f"{kind} ")][:8]
        if chosen:
            lines.append(f"    {key}:")
        for role in chosen:
            value = roles[role] if kind == "segment" else _guess_scale(roles[role], why[role])
            slug = _declare(roles[role], value, declared, {**segments, **questions})
            lines.append(f"      {_quote(slug)}: {_quote(roles[role])}      # {why[role]}")
    return lines


def _guess_scale(column: str, evidence: str) -> str:
    low, high = map(float, re.findall(r"[\d.]+", evidence))
    metrics = (("nps", r"nps|recommend"), ("csat", r"satisf|csat"), ("ces", r"effort|\beas[ey]|ces\b"))
    metric = next((name for name, found in metrics if re.search(found, column, re.I)), "rating")
    low, high = (
        (0, 10) if metric == "nps" else (int(low >= 1), next(t for t in (5, 7, 10, 100, high) if high <= t))
    )
    return f"{{label: {_quote(column)}, low: {low:g}, high: {high:g}, metric: {metric}}}      # {evidence}"


def _declare(column: str, value: str, declared: dict[str, str], taken: dict[str, str]) -> str:
    """Return the name under which a segment or question is declared, a new one where its name means another."""
    slug = start = _slug(column) if _slug(column) not in _TAKEN else f"{_slug(column)}_given"
    number = 1
    while taken.get(slug, value) != value or (slug in taken and slug not in declared):
        number += 1
        slug = f"{start}_{number}"
    declared[slug] = value
    return slug


def _guess_turns(values: pd.Series) -> str:
    """Return speaker, text and customer of transcripts: the shortest varied key speaks, the longest is the text."""
    turns = [
        turn for value in values.dropna().head(100) for turn in json.loads(value) if isinstance(turn, dict)
    ]
    frame = pd.DataFrame(turns).astype("str")
    lengths = frame.apply(lambda column: column.str.len().mean())
    text = str(lengths.idxmax())
    speaker = str(frame.drop(columns=text).nunique().idxmin()) if len(lengths) > 1 else text
    who = frame[speaker].value_counts().index.tolist()[:20]
    customers = [name for name in who if not _NOT_CUSTOMER.search(name)] or who[:1]
    listed = ", ".join(_quote(name) for name in customers)
    speakers = ", ".join(_quote(name) for name in who[:5])
    return f"{{speaker: {_quote(speaker)}, text: {_quote(text)}, customer: [{listed}]}}      # speakers: {speakers}"


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower()).strip("_")[:40] or "column"


def _quote(name: str) -> str:
    """Write a name so that YAML reads it as that text."""
    plain = re.fullmatch(r"[A-Za-z][\w./-]*(?: [\w./-]+)*", name, re.ASCII)
    is_word = name.lower() in ("yes", "no", "on", "off", "true", "false", "null", "y", "n")
    return name if plain and not is_word else json.dumps(name, ensure_ascii=False)
