"""Raw files made of rows in memory, cut into parts wherever a test wants them to be."""

import pandas as pd

from vocwb.collect.forms.delimited import Part
from vocwb.collect.ingest import make_tables
from vocwb.collect.sources import RawFile
from vocwb.programme import parse_programme

HEAD = "title: T\nquestion: Why?\ngoal: loyalty\nlanguages: [en]\n"
SOURCE = "  - {name: NAME, files: x.csv, channel: web, who_started: customer, mode: direct, REST}\n"


def programme_of(*sources, head=""):
    """Return a programme of sources "name: rest of its keys" in YAML's flow style."""
    listed = (SOURCE.replace("NAME", name).replace("REST", rest) for name, _, rest in (s.partition(": ") for s in sources))
    return parse_programme(HEAD + head + "sources:\n" + "".join(listed), name="t")


def raw_file(source, rows, *, file="x.csv", cut=None, bad=(), lines=None):
    """Return a file of a source that holds rows (dictionaries), `cut` of them in a part."""
    records = pd.DataFrame(rows, dtype="str").assign(_file=file, _folder="")
    records["_line"] = list(lines or range(2, len(rows) + 2))
    cut = cut or max(len(rows), 1)
    parts = [Part(records[at : at + cut].reset_index(drop=True), []) for at in range(0, len(rows), cut)]
    parts = [Part(records[:0], list(bad)), *parts]
    return RawFile(source, file, f"{abs(hash(file)):064d}", "csv", lambda: iter(parts))


def ingest(programme, *files, **options):
    """Return the tables of files: (rows, options of raw_file), the first source's unless they say `of`."""
    made = []
    for rows, given in files:
        given = dict(given)
        made.append(raw_file(programme.sources[given.pop("of", 0)], rows, **given))
    return make_tables(made, programme=programme, key=b"secret", **options)


def count_rows(tables):
    return tables.ingested[["rows_in", "kept", "duplicates", "quarantined"]].values.tolist()
