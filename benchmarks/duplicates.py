"""Do near copies come back to their original, and does nothing else: MinHash bands against two usual ways.

Measured on any file of texts (CSV, TSV, XLSX, JSONL). Of long texts that are no copies of one another, some
are copied by a seeded hand in the ways in which people and sites copy: other case and punctuation, RT,
an added address and hash tag, typing errors (1% and 2% of the letters), cut with "…", HTML entities, a word
put before, letters repeated. "recall" is the share of copies linked to the right original, in all and by
kind. Decoys are glued of two halves of different texts, cut between words: half of each is in another text,
yet none is a copy; "precision" is the share of right ones among all links that planted rows have. "natural"
counts the links that the file has by itself; --show prints some of them, to judge by eye.

Peers, on the same rows and in the same run: equality of the texts in lower case and one white space; and
datasketch's MinHashLSH (128 permutations, threshold 0.8, character 5-grams) where it is installed.

    python benchmarks/duplicates.py --data reviews.csv --text review
"""

import argparse
import html
import itertools
import json
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from labelled import read_texts

from vocwb.collect.clean import repair_texts
from vocwb.collect.duplicates import fold_texts, mark_duplicates, weigh_text


def mistype(text: str, lot: random.Random, rate: float) -> str:
    """Return the text with this share of its letters changed, swapped, dropped or doubled."""
    letters = list(text)
    for at in lot.sample(range(1, len(letters)), max(1, round(rate * len(letters)))):
        other = lot.choice(text.replace(" ", ""))
        letters[at] = lot.choice([other, "", letters[at] + other, letters[at - 1]])
    return "".join(letters)


EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "case and punctuation": lambda text, lot: text.upper().replace(".", "!!! ").replace(",", " ") + " :-(",
    "rt": lambda text, lot: f"RT @user{lot.randrange(99)}: {text}",
    "address and hash tag": lambda text, lot: f"{text} https://t.co/{lot.randrange(10**6)} #fail",
    "typing errors 1%": lambda text, lot: mistype(text, lot, 0.01),
    "typing errors 2%": lambda text, lot: mistype(text, lot, 0.02),
    "cut": lambda text, lot: text[: max(lot.randrange(70, 95) * len(text) // 100, 1)] + "…",
    "entities": lambda text, lot: html.escape(text).replace(" ", "&nbsp;").replace("é", "&eacute;"),
    "word before": lambda text, lot: "Again: " + text,
    "letters repeated": lambda text, lot: text[:-2] + text[-2:-1] * 4 + text[-1:] + " 😡😡",
}


def plant_copies(texts: pd.Series, seed: int, most: int) -> pd.DataFrame:
    """Return texts with copies and decoys: verbatim, kind, of (the row that it copies)."""
    lot = random.Random(seed)
    folded = fold_texts(texts)
    long = [at for at, fold in zip(texts.index, folded, strict=True) if weigh_text(fold) >= 60]
    chosen = lot.sample(long, min(most, len(long)))
    rows = [(text, "own", None) for text in texts]
    for number, at in enumerate(chosen):
        kind = list(EDITS)[number % len(EDITS)]
        rows.append((EDITS[kind](texts[at], lot), kind, at))
    for first, second in itertools.pairwise(chosen):
        left, right = texts[first], texts[second]
        rows.append((left[: len(left) // 2] + " " + right[len(right) // 2 :], "decoy", None))
    frame = pd.DataFrame(rows, columns=["verbatim", "kind", "of"])
    frame["verbatim"] = repair_texts(frame["verbatim"]).fillna("")
    ids = pd.Series(range(len(frame))).map("{:08d}".format)
    undated = pd.to_datetime(pd.Series(None, index=frame.index), utc=True)
    return frame.assign(feedback_id=ids, response_id=ids, language="any", received_at=undated)


def match_exactly(frame: pd.DataFrame) -> pd.Series:
    """Return the first row with the same text in lower case and one white space."""
    same = frame["verbatim"].str.lower().str.split().str.join(" ")
    first = frame.groupby(same)["feedback_id"].transform("first")
    return first.where(first != frame["feedback_id"])


def match_with_datasketch(frame: pd.DataFrame) -> pd.Series:
    """Return the first row that datasketch's index gives for a text before it is put in."""
    from datasketch import MinHash, MinHashLSH

    index, found = MinHashLSH(threshold=0.8, num_perm=128), []
    for row, text in zip(frame["feedback_id"], frame["verbatim"].str.lower(), strict=True):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([text[at : at + 5].encode() for at in range(max(len(text) - 4, 1))])
        found.append(min(index.query(sketch), default=None))
        index.insert(row, sketch)
    return pd.Series(found, index=frame.index, dtype="str")


def score(frame: pd.DataFrame, links: pd.Series, seconds: float) -> dict:
    """Return recall in all and by kind, precision and the links that the file has by itself."""
    root = links.fillna(frame["feedback_id"])
    meant = frame["of"].map(root)
    planted, decoys = frame["of"].notna(), frame["kind"] == "decoy"
    right, linked = planted & (meant == root), links.notna()
    return {
        "recall": round(float(right[planted].mean()), 4),
        "precision": round(float(right.sum() / max((linked & (planted | decoys)).sum(), 1)), 4),
        "seconds": round(seconds, 3),
        "microseconds_a_row": round(seconds / len(frame) * 1e6, 1),
        "natural": int((linked & ~planted & ~decoys).sum()),
        "decoys": int((linked & decoys).sum()),
        "kinds": {kind: round(float(right[frame["kind"] == kind].mean()), 3) for kind in EDITS},
    }


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=1800, help="how many texts are copied")
    parser.add_argument("--show", type=int, default=0, help="print so many links that the file has by itself")
    options = parser.parse_args()
    texts = read_texts(options.data, options.text)
    frame = plant_copies(texts, options.seed, options.most)
    ways = {"ours": mark_duplicates, "exact": match_exactly, "datasketch": match_with_datasketch}
    results, links = {}, {}
    for name, way in ways.items():
        began = time.perf_counter()
        try:
            links[name] = way(frame)
        except ModuleNotFoundError:
            continue
        results[name] = score(frame, links[name], time.perf_counter() - began)
    tracemalloc.start()
    mark_duplicates(frame)
    results["ours"]["peak_mb"] = round(tracemalloc.get_traced_memory()[1] / 2**20, 1)
    natural = links["ours"][frame["kind"] == "own"].dropna()
    for at in natural.sample(min(options.show, len(natural)), random_state=options.seed).index:
        print(repr(frame["verbatim"][at]), "\n   ", repr(frame["verbatim"][int(natural[at])]))
    ours = results.pop("ours")
    result = {
        "benchmark": "duplicates",
        "data": options.data.name,
        "n": len(frame),
        "ours": ours,
        "peers": results,
        "ratios": {
            f"seconds_of_{name}": round(ours["seconds"] / peer["seconds"], 3)
            for name, peer in results.items()
        },
    }
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
