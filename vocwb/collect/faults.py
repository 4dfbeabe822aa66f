"""Tells a column that is not what the crosswalk says from some bad cells: the first stops an ingest."""

import re
from collections import Counter

import pandas as pd

from vocwb.crosswalk import Source
from vocwb.errors import SourceError
from vocwb.programme import Programme

FEWEST = 10
"""Records of one file from which on it is judged by itself; fewer are judged with the other files of the source."""
_NPS_ANSWERS = 50  # of them none above 6, where 9 and 10 are the most frequent answers, is no chance


def tally_faults(faulty: pd.DataFrame, read: int, responses: pd.DataFrame, source: Source) -> Counter:
    """Count what can and what cannot be used of dates and answers, with examples.

    Needs in faulty: reason; in responses: the answers to the questions of the source. read: records whose date
    could be read.

    >>> source = Source.model_construct(answers={})
    >>> tally = tally_faults(pd.DataFrame({"reason": ["the date 'soon' cannot be read"]}), 3, pd.DataFrame(), source)
    >>> tally["date", "read"], tally["date", "unread"], tally["date", "like", "'soon'"]
    (3, 1, 1)
    """
    reasons = faulty["reason"].astype("str")
    tally = Counter({("date", "read"): read})
    unread = reasons.str.extract(r"the date (.+?) cannot be read")[0].dropna()
    tally["date", "unread"] = len(unread)
    tally.update(("date", "like", value) for value in unread.unique()[:3])
    for name in source.answers:
        values = responses[name].value_counts()
        tally[name, "read"] = int(values.sum())
        tally[name, "above 6"] = int(values[values.index > 6].sum())
        said = re.escape(f"the answer to {name!r} is ")
        wrong = reasons.str.extract(rf"{said}(.+?), not a number of")[0].value_counts()
        tally[name, "unread"] = int(wrong.sum())
        for value, count in [
            *wrong.items(),
            *((repr(f"{value:g}"), count) for value, count in values.items()),
        ]:
            tally[name, "like", value] += count
    return tally


def check_faults(tally: Counter, where: str, source: Source, programme: Programme) -> None:
    """Raise SourceError where most dates, or most answers to a question, cannot be used.

    `where` is what the records are called: a file, or some files. One bad cell alone stops nothing.

    >>> from vocwb.crosswalk import Columns
    >>> tally = Counter({("date", "read"): 1, ("date", "unread"): 2, ("date", "like", "'soon'"): 2})
    >>> source = Source.model_construct(name="mail", columns=Columns(date="on"), answers={})
    >>> check_faults(tally, "a.csv", source, Programme.model_construct(questions={}))
    Traceback (most recent call last):
    ...
    vocwb.errors.SourceError: a.csv: source 'mail': 2 of 3 dates in column 'on' cannot be read.
    Like 'soon'.
    Write date_format (as %d.%m.%Y) in the source, correct columns.date, or say undated: true.
    """
    read, unread = tally["date", "read"], tally["date", "unread"]
    if unread > max(read, 1):
        like = sorted(key[2] for key in tally if key[:2] == ("date", "like"))
        raise SourceError(
            f"{where}: source {source.name!r}: {unread} of {read + unread} dates in column"
            f" {source.columns.date!r} cannot be read.",
            f"Like {', '.join(like[:3])}.",
            "Write date_format (as %d.%m.%Y) in the source, correct columns.date, or say undated: true.",
        )
    for name, column in source.answers.items():
        question, read, unread = programme.questions[name], tally[name, "read"], tally[name, "unread"]
        if unread > max(read, 1):
            raise SourceError(
                f"{where}: source {source.name!r}: {unread} of {read + unread} answers to {name!r} in column"
                f" {column!r} are not on its scale {question.low:g}-{question.high:g}.",
                f"Most frequent: {_list_frequent(tally, name)}.",
                "Declare the scale as it was asked (low, high) in questions, or name the right column in answers.",
            )


def check_nps(tally: Counter, where: str, source: Source, programme: Programme) -> None:
    """Raise SourceError where an NPS question looks as if it had been asked on a scale of 0-6 or shorter.

    >>> check_nps(Counter(), "a.csv", Source.model_construct(answers={}), Programme.model_construct())
    """
    for name, column in source.answers.items():
        read = tally[name, "read"]
        if programme.questions[name].metric == "nps" and read >= _NPS_ANSWERS and not tally[name, "above 6"]:
            raise SourceError(
                f"{where}: source {source.name!r}: no answer to {name!r} in column {column!r} is above 6, so this"
                " is not the 0-10 scale of NPS.",
                f"{read} answers, most frequent: {_list_frequent(tally, name)}."
                " NPS counts 9-10 as promoters and 0-6 as detractors.",
                "Declare the question with its own scale and metric: rating.",
            )


def _list_frequent(tally: Counter, name: str) -> str:
    seen = {key[2]: count for key, count in tally.items() if key[:2] == (name, "like")}
    return ", ".join(sorted(seen, key=lambda value: (-seen[value], value))[:5])
