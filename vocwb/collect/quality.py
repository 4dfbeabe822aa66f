"""The gate before analysis: what each source lost, repeats, leaves blank, cuts, and whether its dates hold."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vocwb.collect.duplicates import fold_texts
from vocwb.collect.language_id import OTHER, count_other


class Check(NamedTuple):
    """A share (0-1) above `look` is worth a look, one of `stop` or more stops; and what to do then."""

    look: float
    stop: float
    remedy: str


CHECKS = {
    "files that disappeared": Check(0, 2, "Their rows stay. Put the files back, or delete the rows on purpose."),
    "set aside on purpose": Check(0.5, 1, "Check keep, leave_out and retention_months in programme.yml."),
    "quarantined": Check(0.01, 0.1, "Open quarantine and mend the crosswalk or the file."),
    "ids that stand again": Check(0.02, 0.2, "Exported twice, no id, or one that a spreadsheet rounded (5.7E+17)?"),
    "copied texts": Check(0.05, 0.5, "Read some: a campaign, reposts, or a text that a system writes."),
    "nearly copied texts": Check(0.05, 0.5, "Read some: a form letter, or a text that a system writes."),
    "responses without a word": Check(0.5, 0.99, "Does verbatims name the right column? Scores count all the same."),
    "texts without a letter": Check(0.05, 0.5, "Numbers or signs alone: does verbatims name the right column?"),
    "looks like a test": Check(0, 0.1, "Read them, and leave them out if they are: leave_out: [test]."),
    "looks like spam": Check(0, 0.1, "Read them, and leave them out if they are: leave_out: [spam]."),
    "in no declared language": Check(0.1, 0.5, "Declare it if it is one of the five; else it is not analysed."),
    "boilerplate cut": Check(0, 0.5, "Read asides (part boilerplate): is it a system's, and not a customer's?"),
    "replies and signatures cut": Check(0.9, 1, "Read asides: is what the customers wrote still in feedback?"),
    "undated": Check(0, 2, "No month, no trend: name the column in columns.date, or give exported_on."),
    "later than others": Check(0, 0.05, "Are day and month swapped, or were the others exported earlier?"),
    "before 1990": Check(0, 0.05, "A computer's day nought (1970, 1900) or a wrong form of date: see date_format."),
    "gaps in time": Check(0, 2, "Was a part of the export left out, or is it asked in waves?"),
    "bursts in a second": Check(0, 0.5, "Imported together? Then the date is that of the import."),
}  # fmt: skip
"""The checks of a source, in their order; 2 stops never."""

_LEVELS = ["stop", "look", "ok"]
_PURPOSE = "left out|older than retention_months|forgotten"
_SAMPLE = 2_000


def check_quality(
    responses: pd.DataFrame,
    feedback: pd.DataFrame,
    ingested: pd.DataFrame,
    quarantine: pd.DataFrame,
    asides: pd.DataFrame,
) -> pd.DataFrame:
    """Return one row a check and source, the worst first: source, check, level, count, n, share, says.

    Needs the tables of an ingest. level is ok, look or stop by the shares in CHECKS; stop means that what is
    counted of this source would mislead. share is count of n in %, exact: nothing is estimated. n is the files, the
    records of the files, the responses (without repeated ids), or the texts, as the check says. A check that
    cannot be made of a source (no texts, no time of day) has no row.

    later than others: more than 31 days after the last date of every other source; of a source alone, after its
    99% quantile by 31 days and a tenth of its span, since no clock is read. gaps in time: days without a record in
    a row, more than a steady flow of the same days would leave in 1 source of 100 (Poisson: the mean distance
    times ln(100 times their number)) and 7 or more. bursts: 10 records or more, and ten times the mean, of one second.

    >>> from vocwb.schemas import empty_table
    >>> tables = [empty_table(name) for name in ("responses", "feedback", "ingested", "quarantine", "asides")]
    >>> tables[2] = pd.DataFrame({"source": ["a"], "file": "a.csv", "rows_in": 2, "kept": 0, "quarantined": 2,
    ...                           "status": "read"})
    >>> tables[3] = pd.DataFrame({"source": "a", "reason": ["the date 'x' cannot be read", "no date"]})
    >>> check_quality(*tables)[["check", "level", "count", "n"]].values.tolist()[0]
    ['quarantined', 'stop', 2, 2]
    """
    rows = [*_check_records(ingested, quarantine), *_check_texts(responses, feedback, asides)]
    rows += _check_dates(responses)
    found = pd.DataFrame(rows, columns=["source", "check", "count", "n", "note"])
    found = found[found["n"] > 0].astype({"source": "str", "check": "str", "count": "int64", "n": "int64"})
    share = found["count"] / found["n"]
    limits = found["check"].map(CHECKS)
    level = np.select([share >= limits.str[1], share > limits.str[0]], _LEVELS[:2], "ok")
    notes, remedies = found["note"].fillna("").astype("str"), limits.str[2]
    says = (notes.where(notes.eq(""), notes + ". ") + remedies.where(level != "ok", "")).str.strip()
    found = found.assign(
        level=level, share=(100 * share).round(2), says=says.where(says.ne(""), "Nothing to do.")
    )
    found["worst"], found["place"] = found["level"].map(_LEVELS.index), found["check"].map([*CHECKS].index)
    found = found.sort_values(["worst", "source", "place"], ignore_index=True)
    return found[["source", "check", "level", "count", "n", "share", "says"]]


def _check_records(ingested: pd.DataFrame, quarantine: pd.DataFrame) -> list[tuple]:
    reasons = quarantine["reason"].astype("str")
    purpose = reasons.str.match(_PURPOSE)
    # What somebody wrote is no part of a reason's kind.
    kinds = reasons.str.replace(r"(the date|is) (?:'[^']*'|\"[^\"]*\")", r"\1 …", regex=True)
    rows = []
    for source, files in ingested.groupby("source", sort=True):
        here, n = quarantine["source"].eq(source), files["rows_in"].sum()
        rows.append(
            (source, "files that disappeared", files["status"].eq("disappeared").sum(), len(files), "")
        )
        for name, which in (("set aside on purpose", purpose), ("quarantined", ~purpose)):
            top = kinds[here & which].value_counts()
            first = min(top.index[top == top.max()]) if len(top) else ""
            count = int((here & which).sum())
            rows.append((source, name, count, n, f"{top[first]:,} of {count:,}: {first}" if first else ""))
    return rows


def _check_texts(responses: pd.DataFrame, feedback: pd.DataFrame, asides: pd.DataFrame) -> list[tuple]:
    known = responses.set_index("response_id")
    source_ids = known["source"].astype("str") + "\n" + known["source_id"].astype("str")
    again = source_ids.notna() & (known["duplicate_of"].map(source_ids) == source_ids)
    texts = feedback.assign(source=feedback["response_id"].map(known["source"]))
    texts = texts[~texts["response_id"].isin(known.index[again])]
    copies = texts[texts["duplicate_of"].notna()]
    originals = feedback.set_index("feedback_id")["verbatim"].reindex(copies["duplicate_of"]).fillna("")
    pairs = zip(fold_texts(copies["verbatim"]), fold_texts(originals), strict=True)
    same = np.array([one == other for one, other in pairs], dtype=bool)[: len(copies)]
    parts = asides["feedback_id"].where(asides["part"].eq("boilerplate"))
    replies = asides["feedback_id"].where(asides["part"].ne("boilerplate"))
    wordless = pc.invert(pc.match_substring_regex(pa.array(texts["verbatim"], pa.string()), r"\p{L}"))
    of_texts = {
        "copied texts": texts.index.isin(copies.index[same]),
        "nearly copied texts": texts.index.isin(copies.index[~same]),
        "texts without a letter": wordless.to_numpy(zero_copy_only=False),
        "looks like a test": texts["flag"].eq("test"),
        "looks like spam": texts["flag"].eq("spam"),
        "in no declared language": texts["language"].eq(OTHER),
        "boilerplate cut": texts["feedback_id"].isin(parts.dropna()),
        "replies and signatures cut": texts["feedback_id"].isin(replies.dropna()),
    }
    silent = ~known.index.isin(feedback["response_id"])
    rows = [
        *_count("ids that stand again", again, known["source"]),
        *_count("responses without a word", silent[~again], known.loc[~again, "source"]),
    ]
    for name, hits in of_texts.items():
        rows += _count(name, hits, texts["source"])
    return [
        (*row[:4], _name_scripts(texts, row[0])) if row[1] == "in no declared language" else row
        for row in rows
    ]


def _count(name: str, hits, sources: pd.Series) -> list[tuple]:
    found = (
        pd.Series(np.asarray(hits, dtype=bool), sources.index)
        .groupby(sources.astype("str"))
        .agg(["sum", "size"])
    )
    return [(source, name, count, n, "") for source, count, n in found.itertuples()]


def _name_scripts(texts: pd.DataFrame, source: str) -> str:
    """Return what most of a source's texts in other languages are written in, of the first by their id."""
    other = texts[texts["source"].eq(source) & texts["language"].eq(OTHER)]
    if other.empty:
        return ""
    other = other.sort_values("feedback_id").head(_SAMPLE)
    first = count_other(other["verbatim"], other["language"]).iloc[0]
    script = "no letters" if first["script"] == "none" else first["script"]
    return f"{first['n']:,} of {len(other):,} in {script}"


def _check_dates(responses: pd.DataFrame) -> list[tuple]:
    times = responses["received_at"]
    sources = responses["source"].astype("str")
    rows = _count("undated", times.isna(), sources)
    latest = times.groupby(sources).max()
    for source, of in times[times.notna()].groupby(sources, sort=True):
        others = latest.drop(source).max()
        limit = (
            of.quantile(0.99) + (of.quantile(0.99) - of.quantile(0.01)) / 10 if pd.isna(others) else others
        )
        late = int((of > limit + pd.Timedelta(days=31)).sum())
        note = f"the last of {source} is {of.max():%Y-%m-%d}" if late else ""
        note += f", of the others {others:%Y-%m-%d}" if late and pd.notna(others) else ""
        rows.append((source, "later than others", late, len(of), note))
        early = of[of < pd.Timestamp("1990-01-01", tz="UTC")]
        rows.append(
            (source, "before 1990", len(early), len(of), f"from {early.min():%Y-%m-%d}" if len(early) else "")
        )
        rows.append((source, "gaps in time", *_find_gaps(of)))
        rows += _find_bursts(of, source)
    return rows


def _find_gaps(times: pd.Series) -> tuple[int, int, str]:
    """Return the number of gaps that a steady flow would not leave, the number of distances, and the longest."""
    days = times.dt.floor("D").drop_duplicates().sort_values(ignore_index=True)
    if len(days) < 3:
        return 0, len(days), ""
    apart = days.diff().dt.days.dropna()
    gaps = apart[apart > max(7, apart.mean() * np.log(100 * len(apart)))]
    if gaps.empty:
        return 0, len(apart), ""
    at = gaps.idxmax()
    return len(gaps), len(apart), f"nothing from {days[at - 1]:%Y-%m-%d} to {days[at]:%Y-%m-%d}"


def _find_bursts(times: pd.Series, source: str) -> list[tuple]:
    """Return how many records stand in bursts; nothing where dates have no time of day."""
    clock = times.dt.floor("s") - times.dt.floor("D")
    if clock.value_counts(normalize=True).iloc[0] >= 0.5:
        return []
    seconds = times.dt.floor("s").value_counts()
    bursts = seconds[seconds >= max(10, 10 * seconds.mean())].sort_index()
    note = f"{bursts.max():,} at {bursts.idxmax():%Y-%m-%d %H:%M:%S} UTC" if len(bursts) else ""
    return [(source, "bursts in a second", int(bursts.sum()), len(times), note)]
