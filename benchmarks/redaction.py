"""How much personal data redaction finds, and how much of what it marks is personal.

Measured per span on labelled texts: a labelled span is found if a mark of its type overlaps it (recall); a mark
is right if a labelled span of its type overlaps it (precision); "strict" counts only marks with the very same
first and last character. Printed overall, by type and by language, for the half of the set that the finders
were tuned on and for the half that they were not (by CRC-32 of the text: odd tuned, even held out), and with
microseconds a row. The peer is what a careful afternoon gives: one plain pattern a type, and Luhn's sum.

    python benchmarks/redaction.py --data labelled.jsonl --text text --label spans

The label column holds [[start, end, "EMAIL"], ...], offsets in the raw text; a column `names`, if there is one,
the names that the source gives for the record; a column `language` the text's language.
"""

import argparse
import json
import re
import time
import zlib
from collections import Counter, defaultdict
from pathlib import Path

import pandas as pd

from vocwb.collect.national_ids import is_card
from vocwb.collect.redact import choose_regions, find_personal_data, redact_texts

SET = Path(__file__).parent.parent / "tests" / "redaction"
PLAIN = {
    "EMAIL": r"[\w.+-]+@[\w-]+\.[\w.-]+\w",
    "URL": r"https?://\S+\?\S+",
    "IBAN": r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b",
    "CARD": r"\b\d(?:[ -]?\d){12,18}\b",
    "ID": r"\b(?:\d{3}-\d{2}-\d{4}|[A-Z]\d{9}|\d{14}|\d{17}[\dX])\b",
    "IP": r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
    "PHONE": r"(?:\+|\b0)\d(?:[ ().-]?\d){7,13}\b",
    "HANDLE": r"(?<!\w)@\w+",
}


def find_plainly(text: str) -> list[tuple[int, int, str]]:
    """Return what one plain pattern a type finds, earlier types first."""
    found: list[tuple[int, int, str]] = []
    for mark, pattern in PLAIN.items():
        for match in re.finditer(pattern, text):
            is_free = all(match.end() <= start or match.start() >= end for start, end, _ in found)
            if is_free and (mark != "CARD" or is_card(re.sub(r"\D", "", match[0]))):
                found.append((*match.span(), mark))
    return sorted(found)


def count_spans(labelled: list, found: list[tuple[int, int, str]]) -> dict[str, Counter]:
    """Return, by type, how many were labelled and found, marked and right, marked strictly right."""
    counts: dict[str, Counter] = defaultdict(Counter)
    marks = [(start, end, mark.strip("[]")) for start, end, mark in found]
    for start, end, kind in labelled:
        is_found = any(first < end and start < last and mark == kind for first, last, mark in marks)
        counts[kind].update(labelled=1, found=is_found, strict=(start, end, kind) in marks)
    for first, last, mark in marks:
        is_right = any(first < end and start < last and mark == kind for start, end, kind in labelled)
        counts[mark].update(marked=1, right=is_right)
    return counts


def summarise_counts(counts: Counter) -> dict[str, float | int]:
    """Return recall and precision, plain and strict, with the numbers they rest on."""
    labelled, marked = counts["labelled"], counts["marked"]
    sides = counts["found"] / labelled if labelled else 0, counts["right"] / marked if marked else 0
    return {
        "f1": round(2 * sides[0] * sides[1] / sum(sides), 4) if all(sides) else None,
        "recall": round(counts["found"] / labelled, 4) if labelled else None,
        "precision": round(counts["right"] / marked, 4) if marked else None,
        "recall_strict": round(counts["strict"] / labelled, 4) if labelled else None,
        "precision_strict": round(counts["strict"] / marked, 4) if marked else None,
        "spans": labelled,
        "marks": marked,
    }


def score_set(rows: pd.DataFrame, find) -> dict:
    """Return the figures of one finder: overall, by type, by language, by half."""
    sums: dict[str, dict[str, Counter]] = {
        name: defaultdict(Counter) for name in ("all", "type", "language", "half")
    }
    for row in rows.to_dict("records"):
        half = "tuned" if zlib.crc32(row["text"].encode("utf-8", "surrogatepass")) % 2 else "held_out"
        for kind, counts in count_spans(row["spans"], find(row)).items():
            for name, key in (("all", "all"), ("type", kind), ("language", row["language"]), ("half", half)):
                sums[name][key].update(counts)
    figures = {
        name: {key: summarise_counts(found) for key, found in sorted(part.items())}
        for name, part in sums.items()
    }
    return {**figures["all"].get("all", summarise_counts(Counter())), "by_type": figures["type"],
            "by_language": figures["language"], "by_half": figures["half"]}  # fmt: skip


def read_set(path: Path, text: str, label: str) -> pd.DataFrame:
    """Return text, spans, language and names of a labelled file, or of every file of a folder."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    readers = {".xlsx": pd.read_excel, ".csv": pd.read_csv, ".tsv": lambda file: pd.read_csv(file, sep="\t")}
    rows = pd.concat(
        [
            readers.get(file.suffix, lambda file: pd.read_json(file, lines=True, dtype=False))(file)
            for file in files
        ],
        ignore_index=True,
    )
    spans = rows[label].map(lambda value: json.loads(value) if isinstance(value, str) else value)
    names = (
        rows["names"].map(lambda value: value if isinstance(value, list) else [])
        if "names" in rows
        else [[]] * len(rows)
    )
    language = rows.get("language", "?")
    return pd.DataFrame(
        {"text": rows[text].fillna("").astype(str), "spans": spans, "names": names, "language": language}
    )


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SET, help="a labelled file, or a folder of .jsonl files")
    parser.add_argument("--text", default="text")
    parser.add_argument("--label", default="spans")
    parser.add_argument(
        "--regions", nargs="*", help="country codes; those of the five languages if none are given"
    )
    parser.add_argument(
        "--errors", choices=["tuned", "held_out", "all"], help="print the mistakes of one half, too"
    )
    options = parser.parse_args()
    rows = read_set(options.data, options.text, options.label)
    regions = choose_regions(["en", "fa", "ar", "bg", "zh"], options.regions)

    def find(row: dict) -> list[tuple[int, int, str]]:
        return find_personal_data(row["text"], regions=regions, names=row["names"])

    if options.errors:
        print_errors(rows, find, options.errors)
    ours, plain = score_set(rows, find), score_set(rows, lambda row: find_plainly(row["text"]))
    many = pd.concat([rows["text"]] * max(1, 5000 // max(1, len(rows))), ignore_index=True)
    many = many + " " + pd.Series(range(len(many))).astype(str)  # no text twice, since each is read once
    began = time.perf_counter()
    redact_texts(many.astype("str"), regions=regions)
    middle = time.perf_counter()
    for text in many:
        find_plainly(text)
    ours["microseconds_a_row"] = round((middle - began) / len(many) * 1e6, 2)
    plain["microseconds_a_row"] = round((time.perf_counter() - middle) / len(many) * 1e6, 2)
    result = {
        "benchmark": "redaction",
        "data": options.data.name,
        "n": len(rows),
        "ours": ours,
        "peers": {"one plain pattern a type": plain},
        "ratios": {
            key: round(ours[key] / plain[key], 3)
            for key in ("recall", "precision", "microseconds_a_row")
            if plain.get(key) and ours.get(key)
        },
    }
    print(json.dumps(result))


def print_errors(rows: pd.DataFrame, find, half: str) -> None:
    """Print what was missed and what was marked wrongly."""
    for row in rows.to_dict("records"):
        is_tuned = zlib.crc32(row["text"].encode("utf-8", "surrogatepass")) % 2
        if half != "all" and is_tuned != (half == "tuned"):
            continue
        found = [(start, end, mark.strip("[]")) for start, end, mark in find(row)]
        labelled = [tuple(span) for span in row["spans"]]
        for sign, ones, others in (("missed", labelled, found), ("wrong", found, labelled)):
            for start, end, kind in ones:
                if (start, end, kind) not in others:
                    is_near = any(
                        first < end and start < last and mark == kind for first, last, mark in others
                    )
                    print(
                        "strict" if is_near else sign,
                        row["language"],
                        kind,
                        repr(row["text"][start:end]),
                        "|",
                        repr(row["text"]),
                    )


if __name__ == "__main__":
    main()
