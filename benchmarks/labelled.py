"""What the benchmarks on labelled texts share: how a file is read, the options that they all take, and the vectors."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from vocwb.collect.clean import repair_texts
from vocwb.schemas import hash_id
from vocwb.understand.encoders import encode_texts, fit_encoder


def read_frame(path: Path, column: str) -> pd.DataFrame:
    """Return a CSV, TSV, XLSX or JSONL file; of a CSV the mark between columns is the one that gives this column."""
    if path.suffix == ".xlsx":
        return pd.read_excel(path, dtype=str)
    if path.suffix == ".jsonl":
        return pd.read_json(path, lines=True, dtype=False)
    marks = [mark for mark in ",;\t" if column in pd.read_csv(path, nrows=0, sep=mark).columns]
    return pd.read_csv(path, dtype=str, sep=(marks or ",")[0], engine="python", on_bad_lines="skip")


def read_texts(path: Path, column: str) -> pd.Series:
    """Return the texts of a column of a file, repaired as ingest repairs them."""
    return repair_texts(read_frame(path, column)[column]).dropna().reset_index(drop=True)


def read_rows(path: Path, text: str, label: str, *, split: str | None = None) -> pd.DataFrame:
    """Return feedback_id, verbatim, label and month ("all") of a file, rows without either left out."""
    frame = read_frame(path, text)
    labels = frame[label].map(lambda value: (value or [None])[0] if isinstance(value, list) else value)
    labels = labels.astype("str")
    if split:
        labels = labels.str.split(split).str[0]
    labels = labels.str.strip()
    rows = pd.DataFrame({"verbatim": repair_texts(frame[text]), "label": labels.mask(labels == "")})
    rows = rows.dropna().reset_index(drop=True)
    return rows.assign(feedback_id=[hash_id(path.name, row) for row in range(len(rows))], month="all")


def make_parser(doc: str, *, seed: int = 0) -> argparse.ArgumentParser:
    """Return a parser of the options that every benchmark on labelled texts takes."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--encoder", default="minilm-en")
    parser.add_argument("--language", default="en")
    parser.add_argument("--split", help="what divides several labels in a cell; the first is taken")
    parser.add_argument("--most", type=int, help="a seeded sample of so many rows")
    parser.add_argument("--seed", type=int, default=seed, help="the first seed")
    return parser


def load_rows(options: argparse.Namespace) -> pd.DataFrame:
    """Return the rows that the options ask for, as customers' verbatims in one language."""
    rows = read_rows(options.data, options.text, options.label, split=options.split)
    rows = rows.assign(voice="customer", language=options.language)
    if options.most and len(rows) > options.most:
        rows = rows.sample(options.most, random_state=options.seed).sort_index()
    return rows.reset_index(drop=True)


def encode_rows(rows: pd.DataFrame, options: argparse.Namespace) -> tuple[str, np.ndarray]:
    """Return the id of the encoder and the vectors of the rows."""
    encoder = fit_encoder(options.encoder, rows["verbatim"], language=options.language, seed=options.seed)
    return encoder.encoder_id, encode_texts(encoder, rows["verbatim"])
