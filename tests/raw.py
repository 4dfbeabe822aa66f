"""Raw files made of rows in memory, cut into parts wherever a test wants them to be."""

import hashlib

import pandas as pd

from vocwb.collect.forms.delimited import Part
from vocwb.collect.ingest import make_tables
from vocwb.collect.sources import RawFile
from vocwb.programme import parse_programme

HEAD = "title: T\nquestion: Why?\ngoal: loyalty\nlanguages: [en]\n"
SOURCE = "  - {name: NAME, files: x.csv, channel: web, who_started: customer, mode: direct, REST}\n"
COUNTS = ["rows_in", "kept", "duplicates", "quarantined"]


def programme_of(*sources, head=""):
    """Return a programme of sources, each written as "name: the rest of its keys" in YAML's flow style."""
    pairs = [source.partition(": ")[::2] for source in sources]
    listed = "".join(SOURCE.replace("NAME", name).replace("REST", rest) for name, rest in pairs)
    return parse_programme(f"{HEAD}{head}sources:\n{listed}", name="t")


def raw_file(source, rows, *, file="x.csv", cut=None, bad=()):
    """Return a file of a source that holds rows (dictionaries), `cut` of them in a part."""
    records = pd.DataFrame(rows, dtype="str").assign(_file=file, _folder="")
    records["_line"] = range(2, len(rows) + 2)
    cut = cut or max(len(rows), 1)
    parts = [Part(records[at : at + cut].reset_index(drop=True), []) for at in range(0, len(rows), cut)]
    parts = [Part(records[:0], list(bad)), *parts]
    sha256 = hashlib.sha256(repr(rows).encode()).hexdigest()
    return RawFile(source, file, sha256, "csv", lambda: iter(parts))


def ingest(programme, *files, **options):
    """Return the tables of files (rows, options of raw_file); `of` is the number of a file's source."""
    made = [
        raw_file(programme.sources[given.pop("of", 0)], rows, **given) for rows, given in list_given(files)
    ]
    return make_tables(made, programme=programme, key=b"secret", **options)


def list_given(files):
    return [(rows, dict(given)) for rows, given in files]


def count_rows(tables):
    return tables.ingested[COUNTS].values.tolist()
