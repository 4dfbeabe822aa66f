"""Looks at a folder of exports and drafts the programme.yml that a person then corrects."""

import fnmatch
import json
import os
import re
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import blank_to_missing
from vocwb.collect.forms.rows import EmptyFileError
from vocwb.collect.guess import SAID, Guess, guess_roles
from vocwb.collect.open_export import Opened, list_members, open_export, open_texts, open_with
from vocwb.collect.sources import list_files
from vocwb.collect.write_draft import Drafted, write_programme
from vocwb.errors import SourceError

_LOOKED_AT = 3000
_MOST_LISTED = 4
_TRIED = 4
_ALIKE = 0.8


class Export(NamedTuple):
    """One file, or several with the same columns: how they are read, and their records, each with `_file`."""

    files: list[str]
    how: dict[str, str | int | list]
    records: pd.DataFrame
    notes: list[str]


def draft_programme(raw_folder: Path) -> str:
    """Return the text of a first programme.yml for the files of a folder, each guess with its evidence and doubt.

    For each file, or files with the same columns: how it is read, and which column seems to be the verbatim
    (the longest varied text that is neither title nor reply), the date and its form, the id, the person, the
    language, scores with their likely scale, tags, and segments (few different values). Logs, message
    funnels and tables of behaviour become sources of events or measures. Question and goal are left blank,
    for a person to fill in: a programme does not run without them. A file that cannot be read, or holds
    nothing that could be feedback, is named in a comment with the reason. Raises SourceError where the
    folder holds no file.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> rows = [f"{n},{n % 5 + 1},the {n}th kettle leaks" for n in range(30)]
    >>> _ = (folder / "reviews.csv").write_text("\\n".join(["id,stars,review", *rows]))
    >>> "review: review " in draft_programme(folder)
    True
    """
    files = list_files(raw_folder)
    if not files:
        raise SourceError(
            f"There is no file in {raw_folder}.", remedy="Put exports there, or name another folder."
        )
    exports, empty, unread = _open_all(raw_folder, list_members(raw_folder, files))
    exports = _agree_on_path(raw_folder, exports)
    there = [file for export in exports for file in export.files]
    drafts, sets = [], {}
    for number, export in enumerate(_join_exports(exports)):
        guesses = guess_roles(_sample(export.records))
        if not any(guess.role in SAID for guess in guesses):
            listed = ", ".join(export.files[:_MOST_LISTED]) + (
                " ..." if len(export.files) > _MOST_LISTED else ""
            )
            unread.append(f"Left out: {listed}: no column of texts, scores, events or measures was found.")
            continue
        keys = _list_keys(export.records, guesses)
        repeated = len(keys) - len(set(keys))
        notes = [*export.notes]
        if len(export.files) > 1 and repeated > max(5, len(keys) / 50):
            notes.append(
                f"{repeated} records stand in more than one of these files: is one a copy of another?"
            )
        sets[number] = set(keys)
        folders = export.records["_file"].map(lambda file: str(Path(file).parent)).unique()
        drafts.append(
            Drafted(
                export.files, _name_pattern(export.files, there, empty), export.how, guesses, notes,
                _sample(export.records), len(folders) if len(export.files) > 1 else 1, number,
            )
        )  # fmt: skip
    drafts = [draft._replace(notes=draft.notes + _find_shared(draft, drafts, sets)) for draft in drafts]
    folder = raw_folder.resolve()
    title = folder.parent.name if folder.name.lower() in ("raw", "data", "exports") else folder.name
    return write_programme(title, drafts, unread)


def _open_all(raw_folder: Path, files: list[str]) -> tuple[list[Export], list[str], list[str]]:
    """Open every file; return what they hold, those without content, and what cannot be read, with the reason."""
    exports, empty, unread = [], [], []
    texts, tables = open_texts(raw_folder, files)
    for file in [None, *tables]:
        try:
            opened: Iterable[Opened] = open_export(raw_folder, file) if file else texts
            for how, frame, notes in opened:
                frame = frame.apply(blank_to_missing)
                names = (
                    frame["_file"] if "_file" in frame else pd.Series(file, index=frame.index, dtype="str")
                )
                if frame.empty:
                    raise SourceError("no record can be read in it.")
                exports.append(Export(sorted(names.unique()), how, frame.assign(_file=names), notes))
        except EmptyFileError:
            empty.append(file)
            unread.append(f"Empty: {file}")
        except SourceError as error:
            said = (
                " ".join(str(error).splitlines())
                .removeprefix(f"{Path(file).name}: ")
                .removeprefix(f"{file}: ")
            )
            unread.append(f"Not read: {file}: {said}")
    return exports, empty, unread


def _agree_on_path(raw_folder: Path, exports: list[Export]) -> list[Export]:
    """Read files of one form and folder by the way to their records that gives most of them a text.

    Trees of the same kind have more of this in one file and of that in another.
    """
    settled, groups = [], {}
    for export in exports:
        key = export.how["form"], Path(export.files[0]).parent
        groups.setdefault(key if "record_path" in export.how else export.files[0], []).append(export)
    for group in groups.values():
        ways = {
            json.dumps(export.how["record_path"]): export.how
            for export in group
            if "record_path" in export.how
        }
        if len(ways) < 2:
            settled += group
            continue
        few = group[:: -(-len(group) // _TRIED)]
        tried = []
        for how in ways.values():
            opened = [new for export in few if (new := _reopen(raw_folder, export, how))]
            texts = [
                export.records[guess.column].dropna().unique()
                for export in opened
                for guess in guess_roles(export.records.head(300))
                if guess.role == "verbatim"
            ]
            letters = sum(len(text) for some in texts for text in some)
            tried.append((min(len(texts), len(opened)), letters, how))
        best = max(tried, key=lambda one: one[:2])[2]
        settled += [
            export if export.how == best else _reopen(raw_folder, export, best) or export for export in group
        ]
    return settled


def _reopen(raw_folder: Path, export: Export, how: dict) -> Export | None:
    try:
        records = open_with(raw_folder, export.files[0], how).records.apply(blank_to_missing)
    except SourceError:
        return None
    return export._replace(how=how, records=records.assign(_file=export.files[0])) if len(records) else None


def _join_exports(exports: list[Export]) -> list[Export]:
    """Take files that have nearly the same columns, and are read in the same way, for one export."""
    groups: list[tuple[dict, set[str], list[Export]]] = []
    for export in sorted(exports, key=lambda export: export.files):
        named = {name for name in export.records if not re.fullmatch(r"column \d+|_.*", name)}
        how = {key: value for key, value in export.how.items() if key != "encoding"}
        # Records of a tree have a key only where there is something to say; a table gains a column now and then.
        loose = "record_path" in how or how["form"] == "jsonl"
        stem = re.sub(r"\d+", "", export.files[0])
        for like, names, same in groups:
            # Of a stream of dated files some have columns less; two tables by different names are two.
            is_stream = stem == re.sub(r"\d+", "", same[0].files[0]) and stem != export.files[0]
            enough = _ALIKE * min(len(names), len(named)) if is_stream else len(names | named)
            if like == how and (loose or len(names & named) >= enough):
                same.append(export)
                break
        else:
            groups.append((how, named, [export]))
    joined = []
    for _, _, same in groups:
        how = dict(same[0].how)
        if len({export.how.get("encoding") for export in same}) > 1:
            how.pop("encoding", None)  # each file is read in the encoding that is found in it
        # A column that a file lacks cannot stand in the crosswalk of them all.
        shared = [name for name in same[0].records if all(name in export.records for export in same)]
        lacking = sorted({name for export in same for name in export.records} - set(shared))
        records = pd.concat([export.records[shared] for export in same], ignore_index=True)
        notes = list(dict.fromkeys(note for export in same for note in export.notes))
        notes += [f"not in all of these files: {', '.join(lacking[:20])}"] if lacking else []
        joined.append(Export(sorted(file for export in same for file in export.files), how, records, notes))
    return sorted(joined, key=lambda export: export.files)


def _sample(records: pd.DataFrame) -> pd.DataFrame:
    """Take records from the whole length: many exports are sorted by date, score or label."""
    step = -(-len(records) // _LOOKED_AT)
    return records.iloc[:: max(1, step)].drop(columns="_file").reset_index(drop=True)


def _list_keys(records: pd.DataFrame, guesses: list[Guess]) -> list[str]:
    """Return what tells the same record again in another file: its id, else a text of some length."""
    ids = [guess.column for guess in guesses if guess.role == "id" and not guess.doubt]
    texts = [guess.column for guess in guesses if guess.role == "verbatim"]
    if not ids and not texts:
        return []
    values = records[(ids or texts)[0]].dropna()
    per_file = values.groupby(records.loc[values.index, "_file"])
    listed = [value for _, part in per_file for value in part.unique()]
    return listed if ids else [value for value in listed if len(value) > 40]


def _find_shared(draft: Drafted, drafts: list[Drafted], sets: dict[int, set[str]]) -> list[str]:
    notes = []
    for one, two in combinations(drafts, 2):
        shared = len(sets[one.number] & sets[two.number])
        if draft is two and shared > 5 and shared * 20 > min(len(sets[one.number]), len(sets[two.number])):
            notes.append(
                f"{shared} of its records also stand in {one.files[0]}: the same data twice? Then take one source out."
            )
    return notes


def _name_pattern(files: list[str], there: list[str], empty: list[str]) -> list[str]:
    """Return one pattern that fits just these files, or their names where there is none or they are few."""
    if len(files) == 1:
        return files
    parts = [file.split("/") for file in files]
    plain = not any(set("*?[]") & set(file) for file in files)
    if plain and len({len(part) for part in parts}) == 1:
        for shorten in (True, False):
            *folders, names = zip(*parts, strict=True)
            levels = ["*" if len(set(level)) > 1 else level[0] for level in folders]
            levels.append(_name_shared(list(names), shorten))
            fits = {file for file in [*there, *empty] if _fits(file, levels)} - set(empty)
            telling = len(files) > _MOST_LISTED or len(re.sub(r"\.\w+$|\W", "", "".join(levels))) > 2
            if fits == set(files) and telling:
                return ["/".join(levels)]
    return files


def _fits(file: str, levels: list[str]) -> bool:
    parts = file.split("/")
    return len(parts) == len(levels) and all(map(fnmatch.fnmatchcase, parts, levels))


def _name_shared(names: list[str], shorten: bool) -> str:
    """Write what names begin and end with, a star between; numbers next to the star vary, and go into it."""
    if len(set(names)) == 1:
        return names[0]
    before = os.path.commonprefix(names)  # noqa: RUF071 (letters are what is asked for)
    after = os.path.commonprefix([name[len(before) :][::-1] for name in names])[::-1]  # noqa: RUF071
    if shorten:
        before, after = re.sub(r"[\d_.-]*\d$", "", before), re.sub(r"^\d[\d_.-]*(?=[-_.])", "", after)
        before = re.sub(r"\d[\d_.-]*$", "", before)
    return f"{before}*{after}"
