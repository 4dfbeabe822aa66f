"""Whether an ingest accounts for every record, how fast it is, what memory it takes, and how right it reads.

Measured on a folder of exports, with the programme that is given or else the one that vocwb drafts from the
look of the files: records in, kept, duplicates and quarantined over all files (the ingest itself fails where
they do not add up in one file); seconds of each stage, taken in the run itself; the peak of this process's
memory. Reading, dates, ids and writing together are compared with pandas.read_csv and to_parquet on the same
CSV files, in a process of their own: "ratios" says how many times as fast as pandas they are (0.5: half as
fast). Cleaning, language, redaction and copies have no peer and are microseconds a record.

Where the truth is given (a JSON file; by default benchmarks/columns.json, which says what the READMEs of the
public sets say; patterns are below the folder), also: `columns_right`, the share of verbatim, date and rating
columns that the draft names right; `language_long` and `language_short`, the share of texts of 20 characters
or more, and of shorter ones, whose language is found; `other_kept_out`, the share of texts in another language
that are called none of ours; a text
without a letter of its set's script is not judged. With --programme its sources' languages and columns are the truth.

    python benchmarks/ingest.py --data FOLDER [--programme programme.yml] [--truth truth.json]
"""

import argparse
import fnmatch
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from vocwb.collect import events, ingest, responses, settle, sources
from vocwb.collect.clean import blank_to_missing
from vocwb.collect.draft import draft_programme
from vocwb.collect.language_id import identify_languages
from vocwb.errors import SourceError
from vocwb.programme import LANGUAGES, Programme, parse_programme

STAGES = {
    "dates": [(ingest, "decide_dates"), (ingest, "is_relative_date"), (responses, "parse_dates")],
    "ids": [
        (responses, "write_identities"), (responses, "hash_texts"), (responses, "identify_said"),
        (responses, "hide_names"), (settle, "number_repeats"), (settle, "identify_again"),
    ],
    "cleaning": [(responses, "repair_texts"), (responses, "cut_all"), (settle, "find_boilerplate")],
    "language": [(responses, "score_languages"), (settle, "settle_languages")],
    "redaction": [(responses, "redact_as_told"), (ingest, "redact_as_told"), (events, "redact_as_told")],
    "copies": [(settle, "link_duplicates"), (settle, "flag_feedback")],
}  # fmt: skip
PEER = """
import json, sys, time
import pandas as pd
files, began = json.loads(sys.argv[1]), time.perf_counter()
rows = 0
for file in files:
    try:
        frame = pd.read_csv(file)
    except ValueError:  # what pandas cannot read costs it nothing
        continue
    rows += len(frame)
    frame.to_parquet(sys.argv[2])
print(json.dumps({"seconds": round(time.perf_counter() - began, 2), "rows": rows}))
"""
# A text of an Arabic set that has no Arabic letter is not Arabic, whatever its README says.
LETTERS = {
    "en": "[A-Za-z]", "bg": "[А-я]", "ar": "[\u0620-\u06ff]", "fa": "[\u0620-\u06ff]", "zh": "[\u4e00-\u9fff]",
    "other": r"[^\W\d_]",
}  # fmt: skip
ROLES = ("verbatim", "date", "rating")


class Clock:
    """Seconds by stage: functions of the package are wrapped where they are called."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.running = False
        for stage, places in STAGES.items():
            for module, name in places:
                setattr(module, name, self.time(stage, getattr(module, name)))

    def time(self, stage: str, function):
        def timed(*given, **options):
            if self.running:  # one that another calls is counted in that one
                return function(*given, **options)
            self.running, began = True, time.perf_counter()
            try:
                return function(*given, **options)
            finally:
                self.running = False
                self.seconds[stage] += time.perf_counter() - began

        return timed

    def time_parts(self, parts: Iterator) -> Iterator:
        """Yield parts, and count the time that each takes to read."""
        while (part := self.time("reading", next)(parts, None)) is not None:
            yield part


def find_programme(folder: Path, file: str) -> Programme:
    """Return the programme that is given, or a draft with its two questions answered."""
    text = Path(file).read_text(encoding="utf-8") if file else draft_programme(folder)
    if not file:
        text = re.sub("^question:.*", "question: What?", text, flags=re.M)
        text = re.sub("^goal:.*", "goal: know_needs", text, flags=re.M)
    return parse_programme(text, name="benchmark", file=file or "the draft")


def open_sources(programme: Programme, folder: Path) -> tuple[list[sources.RawFile], dict[str, str]]:
    """Return the files, and the sources that cannot be read with the reason."""
    opened, refused = [], {}
    for source in programme.sources:
        try:
            opened += sources.read_sources(programme.model_copy(update={"sources": [source]}), folder)
        except SourceError as error:
            refused[source.name] = " ".join(str(error).splitlines())
    return opened, refused


def ingest_all(
    programme: Programme,
    opened: list[sources.RawFile],
    refused: dict[str, str],
    clock: Clock,
    key: bytes = b"key",
) -> ingest.Tables:
    """Return the tables; a source whose files cannot be used is noted in `refused`, and the others are read."""
    timed = [raw._replace(read=lambda raw=raw: clock.time_parts(raw.read())) for raw in opened]
    while True:
        try:
            return ingest.make_tables(timed, programme=programme, key=key)
        except SourceError as error:
            said = " ".join(str(error).splitlines())
            bad = next((raw.source.name for raw in timed if said.startswith(f"{raw.file}:")), None)
            if bad is None:
                raise
            refused[bad] = said
            timed = [raw for raw in timed if raw.source.name != bad]


def read_truth(programme: Programme, truth: dict, given: bool) -> dict[str, dict]:
    """Return pattern -> verbatim, date, rating (lists of right columns) and language."""
    if not given:
        return truth.get("files", {})
    return {
        pattern: {
            "verbatim": list(source.verbatims.values()),
            "date": [source.columns.date] if source.columns.date else None,
            "rating": list(source.answers.values()) or None,
            "language": source.language,
        }
        for source in programme.sources
        for pattern in source.files
    }


def judge_columns(
    drafted: Programme, opened: list[sources.RawFile], truth: dict[str, dict]
) -> dict[str, float]:
    """Return the share of columns that the draft names right, over all roles and of each."""
    right, asked = Counter(), Counter()
    for pattern, columns in truth.items():
        files = [raw.file for raw in opened if fnmatch.fnmatch(raw.file, pattern)]
        if not files:
            continue
        fitting = [s for s in drafted.sources if any(fnmatch.fnmatch(files[0], one) for one in s.files)]
        source = fitting[0] if fitting else None
        for role in ROLES:
            if not columns.get(role):
                continue
            asked[role] += 1
            if source is not None:
                said = {
                    "verbatim": [
                        *source.verbatims.values(),
                        *([source.turns.column] if source.turns else []),
                    ],
                    "date": [source.columns.date],
                    "rating": list(source.answers.values()),
                }[role]
                right[role] += bool(set(said) & set(columns[role]))
    shares = {f"columns_right_{role}": round(right[role] / asked[role], 3) for role in ROLES if asked[role]}
    return {"columns_right": round(right.total() / asked.total(), 3)} | shares if asked else {}


def judge_languages(
    opened: list[sources.RawFile], counted: set[str], truth: dict[str, dict]
) -> dict[str, float]:
    """Return how many texts of known language are told right, long, short, and kept out; `counted` are files."""
    said = []
    for pattern, columns in truth.items():
        if not columns.get("language"):
            continue
        for raw in opened:
            wanted = [name for name in columns["verbatim"] if name in raw.source.verbatims.values()]
            if wanted and raw.file in counted and fnmatch.fnmatch(raw.file, pattern):
                texts = pd.concat([part.records[wanted[0]] for part in raw.read() if len(part.records)])
                said.append(
                    pd.DataFrame({"text": texts, "truth": columns["language"], "source": raw.source.name})
                )
    if not said:
        return {}
    frame = pd.concat(said, ignore_index=True)
    frame = frame[blank_to_missing(frame["text"]).notna()]
    frame = frame[
        [
            bool(re.search(LETTERS[code], str(text)))
            for code, text in zip(frame["truth"], frame["text"], strict=True)
        ]
    ]
    frame["right"] = identify_languages(frame["text"], LANGUAGES, frame["source"]) == frame["truth"]
    ours, long = frame["truth"] != "other", frame["text"].str.len() >= 20
    parts = {"language_long": ours & long, "language_short": ours & ~long, "other_kept_out": ~ours}
    return {name: round(frame.loc[rows, "right"].mean(), 4) for name, rows in parts.items() if rows.any()}


def main() -> None:
    """Print the accounting of each file, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--programme", default="")
    parser.add_argument("--truth", type=Path, default=Path(__file__).parent / "columns.json")
    options = parser.parse_args()
    programme = find_programme(options.data, options.programme)
    truth = json.loads(options.truth.read_text(encoding="utf-8"))
    truth = read_truth(programme, truth, given=bool(options.programme))
    clock = Clock()
    began = time.perf_counter()
    opened, refused = clock.time("reading", open_sources)(programme, options.data)
    tables = ingest_all(programme, opened, refused, clock)
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables._asdict().items():
            clock.time("writing", table.to_parquet)(Path(folder) / f"{name}.parquet", index=False)
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        files = [str(options.data / raw.file) for raw in opened if raw.read_as.startswith(("csv", "tsv"))]
        asked = [sys.executable, "-c", PEER, json.dumps(files), str(Path(folder) / "peer.parquet")]
        peer = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    counted = tables.ingested[["rows_in", "kept", "duplicates", "quarantined"]]
    print(pd.concat([tables.ingested[["source", "file"]], counted], axis="columns").to_string(index=False))
    rows = int(counted["rows_in"].sum())
    plain = sum(clock.seconds[stage] for stage in ("reading", "dates", "ids", "writing"))
    drafted = find_programme(options.data, "") if options.programme else programme
    result = {
        "benchmark": "ingest",
        "data": options.data.name,
        "n": rows,
        "ours": {name: int(total) for name, total in counted.sum().items()}
        | {"exact": bool((counted["rows_in"] == counted.drop(columns="rows_in").sum(axis="columns")).all())}
        | judge_columns(drafted, opened, truth)
        | judge_languages(opened, set(tables.ingested.query("rows_in > 0")["file"]), truth)
        | {"seconds": round(seconds, 2), "per_second": round(rows / seconds), "peak_mb": round(peak)}
        | {"plain_seconds": round(plain, 2)}
        | {f"{name}_us": round(1e6 * took / max(rows, 1), 2) for name, took in sorted(clock.seconds.items())}
        | {"refused": refused},
        "peers": {"pandas": peer},
        "ratios": {"speed": round(peer["seconds"] / plain, 3)},
    }
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
