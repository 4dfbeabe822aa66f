"""Lists what is said in records: open answers, the customers' turns of a conversation, tags."""

import json
from collections.abc import Mapping

import pandas as pd

from vocwb.collect.clean import blank_to_missing
from vocwb.collect.redact import redact_as_told
from vocwb.crosswalk import Source, Turns
from vocwb.programme import Programme


def read_turns(values: pd.Series, turns: Turns) -> pd.Series:
    """Return for each record its customers' turns, number -> text; missing where they are no list of turns.

    A turn without speaker or text, such as "X has joined the chat", is a turn of nobody, if another has both.

    >>> values = pd.Series(['[{"speaker": "agent", "text": "Hi"}, {"speaker": "customer", "text": "Late!"}]', "x"])
    >>> read_turns(values, Turns(column="said")).tolist()
    [{2: 'Late!'}, None]
    """
    customers = {name.strip().lower() for name in turns.customer}

    def read(value: str) -> dict[int, str] | None:
        try:
            listed = json.loads(value)
            pairs = [(str(turn.get(turns.speaker)).strip().lower(), turn.get(turns.text)) for turn in listed]
            if listed and not any(turns.speaker in turn and turns.text in turn for turn in listed):
                return None
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None
        said = {number: text for number, (who, text) in enumerate(pairs, 1) if who in customers}
        return {number: str(text) for number, text in said.items() if text is not None}

    return pd.Series(
        [None if pd.isna(value) else read(value) for value in values], values.index, dtype="object"
    )


def list_turns(turns: pd.Series) -> pd.DataFrame:
    """Return at (the row of its record), question ("turn 2") and verbatim of each turn that `read_turns` found.

    >>> list_turns(pd.Series([{2: "Late!"}, None])).values.tolist()
    [[0, 'turn 2', 'Late!']]
    """
    rows = [(at, f"turn {k}", text) for at, said in turns.dropna().items() for k, text in said.items()]
    frame = pd.DataFrame(rows, columns=["at", "question", "verbatim"])
    return frame.astype({"at": "int64", "question": "str", "verbatim": "str"})


def list_verbatims(records: pd.DataFrame, verbatims: Mapping[str, str]) -> pd.DataFrame:
    """Return at (the row of its record), question and verbatim of each open answer; `verbatims` is question -> column.

    >>> list_verbatims(pd.DataFrame({"text": ["Late!"]}), {"why": "text"}).values.tolist()
    [[0, 'why', 'Late!']]
    """
    empty = pd.DataFrame({"at": [], "question": [], "verbatim": []}).astype(
        {"at": "int64", "question": "str"}
    )
    parts = [
        pd.DataFrame({"at": records.index, "question": question, "verbatim": records[column]})
        for question, column in verbatims.items()
    ]
    return pd.concat(parts or [empty], ignore_index=True).astype({"verbatim": "str"})


def list_tags(records: pd.DataFrame, source: Source, programme: Programme) -> pd.DataFrame:
    """Return at (the row of its record) and each tag of it once, redacted.

    >>> from vocwb.crosswalk import Tags
    >>> source = Source.model_construct(tags=Tags(column="about"))
    >>> records = pd.DataFrame({"about": ["cost; time;cost", '["cost"]']})
    >>> list_tags(records, source, Programme.model_construct(languages=["en"])).values.tolist()
    [[0, 'cost'], [0, 'time'], [1, 'cost']]
    """
    if source.tags is None:
        return pd.DataFrame({"at": [], "tag": []}).astype({"at": "int64", "tag": "str"})
    cells = blank_to_missing(records[source.tags.column]).dropna()
    listed = {cell: _split_tags(cell, source.tags.separator) for cell in cells.unique()}
    tags = blank_to_missing(cells.map(listed).explode()).dropna()
    tags = redact_as_told(tags, programme)
    return tags.rename("tag").rename_axis("at").reset_index().drop_duplicates(ignore_index=True)


def _split_tags(cell: str, separator: str) -> list[str]:
    """Return the tags of one cell, which in JSON may be a list."""
    try:
        listed = json.loads(cell) if cell.startswith("[") else None
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        return cell.split(separator)
    return [str(tag) for tag in listed if isinstance(tag, str | int | float)]
