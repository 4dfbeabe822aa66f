"""Erasing: takes rows, ids and quotes out of the store and of published reports, each file written whole."""

import html
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from vocwb.languages import tokenise_text
from vocwb.paths import encoder_folder, report_folder
from vocwb.programme import Programme
from vocwb.share.publish import export_findings, write_report
from vocwb.store import hash_file, list_parts, read_table, short_path, table_path, write_table
from vocwb.understand.encoders import MULTI, Encoder, build_encoder, load_encoder, save_encoder

ERASED = "[erased]"
"""What stands in a published report where a quote or an id of what was erased stood."""

FindGone = Callable[[Iterable[str]], set[str]]
"""Returns which of some feedback ids are to be erased."""

SHORTEST = 20
"""Characters of a verbatim that is looked for as text: a shorter one may stand anywhere by chance."""

_ROWS = dict.fromkeys(("assignments", "codes", "mentions", "points"), "feedback_id")
_LISTS = {
    "codebook": ("examples",),
    "accepted": ("examples",),
    "proposals": ("examples", "feedback_ids"),
    "findings": ("feedback_ids",),
    "causes": ("evidence_for", "evidence_against"),
}
_MONTHLY = ("findings", "causes")
_WORDED = ("codebook", "accepted", "proposals")
_THEME = ["codebook_id", "voice", "language", "theme"]
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_QUOTE = re.compile(r'<blockquote\b[^>]*\bdata-feedback-id="([0-9a-f]{32})"[^>]*>[^<]*</blockquote>')
_EVIDENCE = re.compile(r'<script type="application/json" id="evidence">(.*?)</script>', re.S)
_FILE = ["source", "file"]


def erase_results(programme: Programme, find_gone: FindGone) -> tuple[dict[str, int], set[str]]:
    """Erase from what was made of feedback; return table -> how many rows or ids, and the months that counted them.

    Rows of assignments and codes go; ids leave the lists of codebooks, findings and causes, whose numbers stand
    until their month is run again.

    >>> erase_results(programme, {"3f"}.intersection)  # doctest: +SKIP
    """
    erased, months = {}, set()
    for table in (*_ROWS, *_LISTS):
        erased[table] = 0
        for part in list_parts(programme, table):
            frame = read_table(programme, table, part=part)
            if table in _ROWS:
                kept = frame[~frame[_ROWS[table]].isin(find_gone(frame[_ROWS[table]]))]
                count = len(frame) - len(kept)
            else:
                kept, count = _shorten_lists(frame, _LISTS[table], find_gone)
                months |= {part.split("/")[0]} if count and table in _MONTHLY else set()
            rewrite_table(programme, table, kept, part=part, changed=count > 0)
            erased[table] += count
    return erased, months


def _shorten_lists(
    frame: pd.DataFrame, columns: Iterable[str], find_gone: FindGone
) -> tuple[pd.DataFrame, int]:
    count = 0
    for column in columns:
        lists = []
        for ids in frame[column]:
            gone = find_gone(ids)
            lists.append([one for one in ids if one not in gone] if gone else ids)
            count += len(ids) - len(lists[-1])
        frame = frame.assign(**{column: pd.Series(lists, frame.index, dtype="object")})
    return frame, count


def erase_words(programme: Programme, said: pd.DataFrame, rest: pd.DataFrame) -> int:
    """Erase the words that only `said` holds from encoders' vocabularies and topics' terms; return how many.

    Needs in said (feedback to be erased) and rest (all other): language, verbatim. In a vocabulary a mark takes
    the place of the word, which no text holds: every other text keeps its vector. The encoder has a new id,
    which the codebooks get too. Parts of words (3-4 letters) and the means of topics stay until a new codebook
    is fitted.

    >>> erase_words(programme, feedback.head(1), feedback.tail(-1))  # doctest: +SKIP
    """
    folder = encoder_folder(programme.name)
    for path in [*folder.glob("*.json"), *folder.glob("*.npz")]:
        if not (path.with_suffix(".json").exists() and path.with_suffix(".npz").exists()):
            path.unlink()  # half of what a killed process wrote or removed: nothing can load it
    encoders = [load_encoder(path.stem, folder) for path in sorted(folder.glob("*.npz"))]
    books = {
        (table, part): read_table(programme, table, part=part)
        for table in _WORDED
        for part in list_parts(programme, table)
    }
    alone = {}
    for language, rows in said.groupby("language"):
        kept = {word for one in encoders if one.language == language for word in one.vocabulary}
        kept |= {term for book in books.values() for terms in book["terms"] for term in terms}
        words = {word for text in rows["verbatim"] for word in tokenise_text(text, language)}
        # Arabic terms are spelt as people write them, and not as the vocabulary does.
        words &= kept | {word for term in kept for word in tokenise_text(term, language)}
        for text in rest.loc[rest["language"] == language, "verbatim"] if words else ():
            words -= set(tokenise_text(text, language))
        alone[language] = words
    renamed = {one.encoder_id: _drop_words(one, alone.get(one.language, set()), folder) for one in encoders}

    def has_gone(text: str, language: str) -> bool:
        if language == MULTI:
            return any(has_gone(text, one) for one in alone)
        return not alone.get(language, set()).isdisjoint(tokenise_text(text, language))

    called: dict[tuple, str] = {}
    for (table, part), book in books.items():
        terms = [
            [term for term in terms if not has_gone(term, language)]
            for terms, language in zip(book["terms"], book["language"], strict=True)
        ]
        fresh = book.assign(terms=terms, encoder_id=book["encoder_id"].replace(renamed))
        if "name" in book:
            # A name that is suggested is made of what people said, and a theme's of its first topics' names.
            own = zip(book["name"], terms, book["language"], strict=True)
            fresh["name"] = [" · ".join(left[:3]) if has_gone(name, one) else name for name, left, one in own]
            called = fresh.groupby(_THEME)["name"].agg(_join_two).to_dict() | called
            keys = [*fresh[_THEME].itertuples(index=False, name=None)]
            own = zip(book["theme_name"], book["language"], keys, strict=True)
            fresh["theme_name"] = [called[key] if has_gone(name, one) else name for name, one, key in own]
            called |= dict(zip(keys, fresh["theme_name"], strict=True))
        rewrite_table(programme, table, fresh, part=part, changed=not fresh.equals(book))
    for old, new in renamed.items():
        if old != new:
            for end in (".json", ".npz"):
                (folder / f"{old}{end}").unlink()
    return sum(map(len, alone.values()))


def _join_two(names: pd.Series) -> str:
    return " / ".join(names.head(2))


def _drop_words(encoder: Encoder, words: set[str], folder: Path) -> str:
    """Write an encoder without some words of its vocabulary, if it has any of them; return its id."""
    if not words.intersection(encoder.vocabulary):
        return encoder.encoder_id
    marked = [f"{ERASED} {n}" if word in words else word for n, word in enumerate(encoder.vocabulary)]
    fresh = build_encoder(encoder.name, encoder.language, tuple(marked), **encoder.arrays)
    save_encoder(fresh, folder)
    return fresh.encoder_id


def rewrite_table(
    programme: Programme, table: str, frame: pd.DataFrame, *, part: str | None = None, changed: bool
) -> None:
    """Write a table again with the inputs and parameters that it was made from, if it changed.

    A table whose manifest is of other bytes, as a crash between the two leaves it, is written too.

    >>> rewrite_table(programme, "codes", codes, part="2025-12", changed=True)  # doctest: +SKIP
    """
    path = table_path(programme, table, part)
    beside = path.with_suffix(".manifest.json")
    manifest = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
    if changed or (path.is_file() and manifest.get("sha256") != hash_file(path)):
        made = {name: manifest.get(name) for name in ("inputs", "parameters")}
        write_table(programme, table, frame, part=part, **made)


def promote_copies(frame: pd.DataFrame, key: str, responses: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which the earliest copy of a row that is gone is an original, which its other copies copy.

    Needs in frame: response_id, duplicate_of and the key; in responses: response_id, received_at, duplicate_of.

    >>> frame = pd.DataFrame({"response_id": ["b", "c", "d"], "duplicate_of": ["a", "a", None], "received_at": pd.NaT})
    >>> promote_copies(frame, "response_id", frame)["duplicate_of"].fillna("").tolist()
    ['', 'b', '']
    """
    of = frame["duplicate_of"]
    lost = of.notna() & ~of.isin(frame[key])
    if not lost.any():
        return frame
    known = responses.set_index("response_id").reindex(frame.loc[lost, "response_id"])
    # What is said in a response that is no copy comes first: a copy's verbatims are counted nowhere.
    order = pd.DataFrame({
        "of": of[lost], "key": frame.loc[lost, key], "copy": known["duplicate_of"].notna().array,
        "received": known["received_at"].array, "response": frame.loc[lost, "response_id"],
    })  # fmt: skip
    by = ["received", "response", "key"] if key == "response_id" else ["copy", "received", "response", "key"]
    heirs = of[lost].map(order.sort_values(by).groupby("of")["key"].first())
    return frame.assign(duplicate_of=of.mask(lost, heirs.mask(heirs == order["key"]).reindex(of.index)))


def count_again(
    ingested: pd.DataFrame, responses: pd.DataFrame, quarantine: pd.DataFrame, logs: set[str]
) -> pd.DataFrame:
    """Return the accounts of the files after rows were moved to quarantine: rows_in = kept + duplicates + quarantined.

    `logs` are sources whose records are rows of events or behaviour: their repeats were counted when they were read,
    and so were the duplicates of a file that has disappeared.

    >>> files = pd.DataFrame({"source": ["a"], "file": ["f"], "rows_in": [3], "kept": [3], "duplicates": [0],
    ...                       "quarantined": [0], "status": ["read"]})
    >>> left = pd.DataFrame({"source": ["a"] * 2, "file": ["f"] * 2, "duplicate_of": [None, "x"]})
    >>> moved = pd.DataFrame({"source": ["a"], "file": ["f"]})
    >>> count_again(files, left, moved, set())[["kept", "duplicates", "quarantined"]].values.tolist()
    [[1, 1, 1]]
    """
    files = pd.MultiIndex.from_frame(ingested[_FILE])
    quarantined = count_files(quarantine).reindex(files, fill_value=0).to_numpy()
    again = count_files(responses[responses["duplicate_of"].notna()]).reindex(files, fill_value=0).to_numpy()
    known = ingested["source"].isin(logs) | (ingested["status"] != "read")
    before = np.minimum(ingested["duplicates"], ingested["rows_in"] - quarantined)
    duplicates = np.where(known, before, again)
    kept = ingested["rows_in"] - duplicates - quarantined
    return ingested.assign(kept=kept, duplicates=duplicates, quarantined=quarantined)


def count_files(frame: pd.DataFrame) -> pd.Series:
    """Return the number of rows of each source and file.

    >>> count_files(pd.DataFrame({"source": ["a", "a"], "file": ["f", "f"]})).to_dict()
    {('a', 'f'): 2}
    """
    return frame.groupby(_FILE, observed=True).size()


def erase_reports(
    programme: Programme,
    find_gone: FindGone,
    months: Iterable[str],
    *,
    texts: Iterable[str] = (),
    others: Iterable[str] = (),
) -> tuple[set[str], list[str]]:
    """Erase quotes and ids from the reports of a programme; return the months to rebuild, and files left to people.

    months: those whose findings have counted what is erased. texts: verbatims that nobody else wrote, looked for as
    text too. others: further ids (of responses, of the person) that no file may hold. A month's executed
    notebooks and its workbook of findings are made again with the month: the notebooks are deleted, the workbook is
    written from the findings as they are now.

    >>> erase_reports(programme, {"3f"}.intersection, [])  # doctest: +SKIP
    """
    folder, months, others = report_folder(programme.name, ""), set(months), set(others)
    forms = sorted({form for text in texts if len(text) >= SHORTEST for form in _list_forms(text)}, key=len)[
        ::-1
    ]
    for path in sorted(folder.glob("*/report.html")):
        old = path.read_text(encoding="utf-8")
        page = erase_page(old, find_gone, forms, others)
        if page != old:
            write_report(page, path)
        # A person's page that an earlier call erased from is named again until it is rebuilt.
        if page != old or (others and ERASED in _list_ids(page)):
            months.add(path.parent.name)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "report.html")
    holding = {path for path in files if others and _holds(path, find_gone, forms, others)}
    months |= {path.relative_to(folder).parts[0] for path in holding if path.parent != folder}
    left = []
    for path in files:
        of_month = path.parent != folder and path.relative_to(folder).parts[0] in months
        if path.suffix == ".ipynb" or path.name == "run.json":
            if of_month or path in holding:
                path.unlink()
        elif path.name == "findings.xlsx" and of_month:
            export_findings(read_table(programme, "findings", part=path.parent.name, empty=True), path)
        elif path in holding:
            left.append(
                f"{short_path(path)} holds their words or ids, and vocwb did not make it: look at it."
            )
    return months, left


def erase_page(page: str, find_gone: FindGone, forms: Iterable[str] = (), others: Iterable[str] = ()) -> str:
    """Return a report's page with [erased] for the quotes and ids of feedback that is gone, and nothing else changed.

    forms: texts to erase wherever they stand; others: further ids to erase.

    >>> one = "3f" * 16
    >>> erase_page(f'<blockquote data-feedback-id="{one}">Late!</blockquote> <code>{one}</code>', {one}.intersection)
    '<blockquote>[erased]</blockquote> <code>[erased]</code>'
    """
    gone = find_gone(_list_ids(page)) | set(others)
    if gone:
        page = _QUOTE.sub(
            lambda quote: f"<blockquote>{ERASED}</blockquote>" if quote[1] in gone else quote[0], page
        )
        page = _ID.sub(lambda one: ERASED if one[0] in gone else one[0], page)
    if not forms:
        return page
    # What somebody else said stays as it was said, though it may hold the same words.
    pieces, place = [], 0
    for start, end in [*(quote.span() for quote in _QUOTE.finditer(page)), (len(page), len(page))]:
        piece = page[place:start]
        for form in forms:
            piece = piece.replace(form, ERASED)
        pieces += [piece, page[start:end]]
        place = end
    return "".join(pieces)


def _list_ids(page: str) -> set[str]:
    """Return the feedback ids that a page carries, in its quotes and behind its numbers."""
    evidence = _EVIDENCE.search(page)
    return {*(json.loads(evidence[1])["ids"] if evidence else ()), *_QUOTE.findall(page)}


def _list_forms(text: str) -> set[str]:
    """Return a text as it may stand in a page, a notebook or a workbook."""
    plain = {text, html.escape(text), html.escape(text, quote=False), text.replace("\r", "&#13;")}
    plain |= {html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")}
    written = {json.dumps(form, ensure_ascii=ascii)[1:-1] for form in plain for ascii in (True, False)}
    escaped = {re.sub("[<>&\u2028\u2029]", lambda one: f"\\u{ord(one[0]):04x}", form) for form in written}
    return plain | written | escaped


def _holds(path: Path, find_gone: FindGone, forms: list[str], others: set[str]) -> bool:
    data = [path.read_bytes()]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as book:
            data = [book.read(name) for name in book.namelist()]
    for one in data:
        text = one.decode("utf-8", "replace")
        ids = set(_ID.findall(text))
        if ids & others or find_gone(ids) or any(form in text for form in forms):
            return True
    return False


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process left half written: hidden files that end in .part, and notebooks' scratch folders.

    >>> remove_leftovers(Path("no such folder"))
    """
    for path in list(folder.rglob(".*.part")):
        path.unlink(missing_ok=True)
    for path in [path for path in folder.rglob(".*") if path.is_dir() and re.match(r"\.\d\d_", path.name)]:
        shutil.rmtree(path, ignore_errors=True)


def forget_lines(
    tables: Mapping[str, pd.DataFrame],
    theirs: Mapping[str, pd.DataFrame],
    *,
    records: pd.DataFrame,
    match,
    reason: str,
) -> pd.DataFrame:
    """Return the quarantine in which each record of a person stands with a reason and without what it held.

    tables: quarantine and ingested as stored. theirs: their rows of responses, events and behaviour. records: source,
    file, line and sha256 of their records in the raw files; where a file is as it was read, these are the lines.
    Elsewhere a line is not known, and 0 or below. match: (source, raw) -> "record" where a quarantined record is
    theirs, "line" where a line that cannot be read names them (only what it held goes), else "".

    >>> forget_lines(tables, theirs, records=records, match=match, reason="forgotten")  # doctest: +SKIP
    """
    quarantine, ingested = tables["quarantine"], tables["ingested"]
    place = [*_FILE, "line"]
    exact = records.merge(ingested[[*_FILE, "sha256"]])[place].drop_duplicates()
    quarantine = quarantine[~_tuples(quarantine[place]).isin(_tuples(exact))].reset_index(drop=True)
    found = [match(source, raw) for source, raw in zip(quarantine["source"], quarantine["raw"], strict=True)]
    found = pd.Series(found, quarantine.index, dtype="str")
    quarantine = quarantine.assign(
        reason=quarantine["reason"].mask(found == "record", reason),
        raw=quarantine["raw"].mask(found != "", ""),
    )
    # A record of a log may be several rows, one of each kind or measure.
    rows = [count_files(theirs["responses"])]
    for name, kind in (("events", "kind"), ("behaviour", "measure")):
        rows.append(theirs[name].groupby([*_FILE, kind]).size().groupby(_FILE).max())
    counted = ingested.set_index(_FILE)["quarantined"]
    there = count_files(tables["quarantine"]).reindex(counted.index, fill_value=0)
    unknown = []
    for file, count in pd.concat(rows).items():
        if file in counted.index and not _tuples(exact[_FILE]).isin([file]).any():
            lines = quarantine.loc[
                (quarantine["source"] == file[0]) & (quarantine["file"] == file[1]), "line"
            ]
            first = min(1, lines.min() if len(lines) else 1) - 1
            # Those that an interrupted call has moved already are there, and not yet counted.
            unknown += [(*file, first - number) for number in range(count - (there[file] - counted[file]))]
    added = pd.concat([exact, pd.DataFrame(unknown, columns=place)])
    lines = pd.concat([quarantine, added.assign(reason=reason, raw="")]).astype({"line": "int64"})
    return lines.sort_values([*place, "reason"], ignore_index=True)


def _tuples(frame: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(frame)
