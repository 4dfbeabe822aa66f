"""Turns records of one source into rows of the tables, by the crosswalk: responses, what is said in them, tags."""

import hashlib
import json
from collections.abc import Iterable
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import blank_to_missing, repair_texts
from vocwb.collect.column_styles import Style, read_ids, read_numbers, tell_style
from vocwb.collect.dates import DateReading, parse_dates
from vocwb.collect.identity import hash_texts, identify_said, write_identities
from vocwb.collect.language_id import read_language_name, score_languages
from vocwb.collect.redact import redact_as_told, redact_names
from vocwb.collect.replies import cut_all
from vocwb.collect.said import list_tags, list_turns, list_verbatims, read_turns
from vocwb.collect.sources import FILE, FOLDER
from vocwb.crosswalk import Question, Source
from vocwb.programme import Programme

_PLACE = [FILE, FOLDER, "_line"]
_COMPACT = [
    "source", "file", "month", "channel", "who_started", "mode", "population", "voice", "stage", "question", "language",
]  # fmt: skip


class Made(NamedTuple):
    """What some records become; `at` is the place of a response among those of its part.

    responses: as the table, without duplicate_of, and `line`. feedback: feedback_id, at, question, language
    (where the source names it), verbatim, and the scores of `language_id`. asides: feedback_id, at, question,
    part, text.
    tags: at, tag. faulty: line, reason, raw, month.
    """

    responses: pd.DataFrame
    feedback: pd.DataFrame
    asides: pd.DataFrame
    tags: pd.DataFrame
    faulty: pd.DataFrame


def make_responses(
    records: pd.DataFrame,
    source: Source,
    programme: Programme,
    *,
    key: bytes,
    reading: DateReading | None,
    style: Style | None = None,
    forgotten: frozenset[str] = frozenset(),
) -> Made:
    """Return what the records of one source become; `reading` says how its dates are read (None: undated).

    `style` is what the whole file tells of its numbers and ids (None: these records are the whole).

    A record is faulty where its date cannot be read, an answer is no number on its scale, its turns are no
    list, the source does not keep its kind (`keep`), or its respondent is among `forgotten` (then its raw
    record is not kept). `key` is the secret of the respondent ids.

    >>> source = Source(name="mail", files="m.csv", channel="mail", who_started="customer", mode="direct",
    ...                 undated=True, columns={"id": "id"}, verbatims={"comment": "text"})
    >>> programme = Programme.model_construct(languages=["en"], sources=[source], timezone="UTC")
    >>> records = pd.DataFrame({"id": ["1"], "text": ["Late!"], "_file": "m.csv", "_folder": "", "_line": 2})
    >>> made = make_responses(records, source, programme, key=b"secret", reading=None)
    >>> made.responses["month"].tolist(), made.feedback["verbatim"].tolist()
    (['all'], ['Late!'])
    """
    records, style, received, faults = begin_records(records, source, reading, style)
    answers = {}
    for name, column in source.answers.items():
        question = programme.questions[name]
        answers[name], fault = read_answers(records[column], name, question, column=column, style=style)
        faults = _add_faults(faults, fault)
    turns = read_turns(records[source.turns.column], source.turns) if source.turns else None
    if turns is not None:
        unread = turns.isna() & blank_to_missing(records[source.turns.column]).notna()
        faults = add_fault(faults, "the turns are no list of speaker and text", unread)
    respondents = hide_names(take_column(records, source.columns.respondent), key, source)
    gone = respondents.isin(forgotten)
    if source.unit == "group":  # what is said in a group is one opinion, whoever says it: n counts groups
        respondents = respondents.mask(respondents.notna())

    bad = faults.notna() | gone
    faulty = list_faulty(records, received, faults, gone, source, key=key, timezone=programme.timezone)
    if bad.any():
        records, received, respondents, turns = (
            None if one is None else one[~bad].reset_index(drop=True)
            for one in (records, received, respondents, turns)
        )
        answers = {name: values[~bad].reset_index(drop=True) for name, values in answers.items()}

    said = list_turns(turns) if turns is not None else list_verbatims(records, source.verbatims)
    said, asides = _clean_texts(said, records, source, programme)
    responses = _describe(records, source, programme, key, style)
    responses["received_at"], responses["respondent_id"] = received, respondents
    responses["month"] = name_months(received, programme.timezone)
    for name in programme.questions:
        responses[name] = answers.get(name, pd.Series(dtype="float64")).reindex(records.index)
    known = write_identities(source.name, responses["source_id"], records.drop(columns=_PLACE))
    responses["response_id"] = hash_texts(known)
    for frame in (said, asides):
        frame["feedback_id"] = identify_said(known.take(frame["at"]), frame["question"]).to_numpy()
    said["language"] = said["at"].map(_name_languages(records, source, programme.languages)).astype("str")
    return Made(shrink(responses), shrink(said), asides, list_tags(records, source, programme), faulty)


def begin_records(
    records: pd.DataFrame, source: Source, reading: DateReading | None, style: Style | None
) -> tuple[pd.DataFrame, Style, pd.Series, pd.Series]:
    """Return records numbered from 0, how their numbers are read, when each was received, and what is wrong with it.

    >>> records = pd.DataFrame({"text": ["a"]}, index=[7])
    >>> begin_records(records, Source.model_construct(keep={}), None, Style())[0].index.tolist()
    [0]
    """
    records = records.reset_index(drop=True)
    received, faults = read_received(records, source, reading)
    faults = _add_faults(faults, find_left_out(records, source))
    return records, style or tell_style(records, source), received, faults


def shrink(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the columns that hold few different texts as categories, which take less memory.

    >>> shrink(pd.DataFrame({"source": ["a", "a"]}))["source"].dtype.name
    'category'
    """
    return frame.astype({name: "category" for name in _COMPACT if name in frame})


def take_column(records: pd.DataFrame, column: str | None) -> pd.Series:
    """Return a raw column with blanks as missing; all missing where the crosswalk names none.

    >>> take_column(pd.DataFrame({"a": ["x", " "]}), "a").isna().tolist()
    [False, True]
    """
    if column is None:
        return pd.Series(None, index=records.index, dtype="str")
    return blank_to_missing(records[column])


def hide_names(names: pd.Series, key: bytes, source: Source) -> pd.Series:
    """Return names as keyed hashes (BLAKE2b, RFC 7693) of 32 hex digits; those of staff hold the source's name too.

    >>> source = Source.model_construct(name="a", voice="customer")
    >>> hide_names(pd.Series(["ann", None]), b"secret", source).str.len().fillna(0).tolist()
    [32.0, 0.0]
    """
    salt = f"{len(source.name)}:{source.name}:" if source.voice == "employee" else ""
    secret = hashlib.sha256(key).digest()
    codes, known = pd.factorize(names)
    hidden = hash_texts(
        salt + pd.Series(known, dtype="str"), new=partial(hashlib.blake2b, key=secret, digest_size=16)
    )
    return pd.Series(hidden.array.take(codes, allow_fill=True), names.index)


def name_months(received: pd.Series, timezone: str) -> pd.Series:
    """Return the month of each time in a timezone as YYYY-MM, "all" where there is no time.

    >>> name_months(pd.to_datetime(pd.Series(["2025-01-31 22:30", None]), utc=True), "Europe/Sofia").tolist()
    ['2025-02', 'all']
    """
    local = received.dt.tz_convert(timezone).dt.tz_localize(None).to_numpy().astype("datetime64[M]")
    codes, months = pd.factorize(local)
    names = ["all", *(str(month)[:7] for month in months.astype("datetime64[M]"))]
    return pd.Series(pd.Categorical.from_codes(codes + 1, names), received.index)


def read_received(
    records: pd.DataFrame, source: Source, reading: DateReading | None
) -> tuple[pd.Series, pd.Series]:
    """Return when each record was received (UTC), and what is wrong with its date; neither without a reading.

    >>> from vocwb.crosswalk import Columns
    >>> source = Source.model_construct(columns=Columns(date="on"))
    >>> received, faults = read_received(pd.DataFrame({"on": ["2025-01-31", "soon", ""]}), source, DateReading())
    >>> received.dt.day.tolist(), faults.tolist()[1:]
    ([31.0, nan, nan], ["the date 'soon' cannot be read", 'no date'])
    """
    if reading is None:
        nothing = pd.Series(pd.NaT, index=records.index, dtype="datetime64[us, UTC]")
        return nothing, pd.Series(None, index=records.index, dtype="str")
    values = blank_to_missing(records[source.columns.date])
    received = parse_dates(values, reading)
    faults = _say("the date ", values, received.isna(), " cannot be read")
    return received, faults.mask(values.isna(), "no date")


def list_faulty(
    records: pd.DataFrame,
    received: pd.Series,
    faults: pd.Series,
    gone: pd.Series,
    source: Source,
    *,
    key: bytes,
    timezone: str,
) -> pd.DataFrame:
    """Return line, reason, raw and month of the records that have a fault, or whose respondent is forgotten (`gone`).

    >>> from vocwb.crosswalk import Columns
    >>> source, no = Source.model_construct(columns=Columns(), names=[]), pd.Series([False])
    >>> never = pd.to_datetime(pd.Series([None]), utc=True)
    >>> records = pd.DataFrame({"text": ["a"], "_line": [2]})
    >>> list_faulty(records, never, pd.Series(["no date"]), no, source, key=b"s", timezone="UTC").values.tolist()
    [[2, 'no date', '{"text": "a"}', 'all']]
    """
    faults = faults.mask(gone, "forgotten, as the respondent asked")
    bad = faults.notna()
    if not bad.any():
        return pd.DataFrame({"line": [], "reason": [], "raw": [], "month": []}, dtype="str")
    return pd.DataFrame({
        "line": records.loc[bad, "_line"], "reason": faults[bad],
        "raw": write_raw(records[bad], source, key=key, secret=gone[bad]),
        "month": name_months(received[bad], timezone).astype("str"),
    })  # fmt: skip


def find_left_out(records: pd.DataFrame, source: Source) -> pd.Series:
    """Return why a source does not keep a record (`keep`), missing where it does.

    >>> source = Source.model_construct(keep={"inbound": ["True"]})
    >>> find_left_out(pd.DataFrame({"inbound": ["true", "False"]}), source).tolist()[1:]
    ["left out: 'inbound' is 'False'"]
    """
    faults = pd.Series(None, index=records.index, dtype="str")
    for column, values in source.keep.items():
        kept = records[column].str.strip().str.lower().isin([value.strip().lower() for value in values])
        faults = _add_faults(faults, _say(f"left out: {column!r} is ", records[column], ~kept))
    return faults


def read_answers(
    values: pd.Series, name: str, question: Question, *, column: str = "", style: Style | None = None
) -> tuple[pd.Series, pd.Series]:
    """Return the answers to a scaled question as numbers, and what is wrong with those that are not on its scale.

    `style` is what the whole file tells of its numbers, by the name of the raw column.

    >>> question = Question(label="Stars", low=1, high=5, metric="rating")
    >>> [found.tolist() for found in read_answers(pd.Series(["4,5", "9", ""]), "stars", question)]
    [[4.5, nan, nan], [nan, "the answer to 'stars' is '9', not a number of 1-5", nan]]
    """
    given = blank_to_missing(values)
    numbers = read_numbers(given, column, style or Style())
    off = given.notna() & ~numbers.between(question.low, question.high)
    scale = f", not a number of {question.low:g}-{question.high:g}"
    return numbers.mask(off), _say(f"the answer to {name!r} is ", given, off, scale)


def write_raw(
    records: pd.DataFrame, source: Source, *, key: bytes, secret: Iterable[bool] | None = None
) -> list[str]:
    """Return each record as JSON of its filled columns, nothing where it must not be kept (`secret`).

    Respondents and sessions are hashed in it as in the tables, and names that the source gives are marks.

    >>> from vocwb.crosswalk import Columns
    >>> source = Source.model_construct(columns=Columns(), names=[])
    >>> write_raw(pd.DataFrame({"id": ["7"], "text": [""], "_line": 2}), source, key=b"secret")
    ['{"id": "7"}']
    """
    shown = records.drop(columns=_PLACE, errors="ignore")
    hashed = {source.columns.respondent, source.columns.session} & set(shown)
    for column in hashed:
        shown = shown.assign(**{column: hide_names(take_column(shown, column), key, source)})
    for column in set(source.names) - hashed:
        shown = shown.assign(**{column: shown[column].mask(take_column(shown, column).notna(), "[NAME]")})
    rows = shown.to_dict("records")
    hidden = [False] * len(rows) if secret is None else secret
    raw = [
        "" if hide else json.dumps({k: v for k, v in row.items() if pd.notna(v) and v}, ensure_ascii=False)
        for row, hide in zip(rows, hidden, strict=True)
    ]
    if not source.names:
        return raw
    return redact_names(pd.Series(raw, records.index, dtype="str"), records[source.names]).tolist()


def _say(before: str, values: pd.Series, where: pd.Series, after: str = "") -> pd.Series:
    said = pd.Series(None, index=values.index, dtype="str")
    said[where] = [f"{before}{_quote(value)}{after}" for value in values[where]]
    return said


def _quote(value: str) -> str:
    """Write a value as a reason shows it: a whole text in the wrong column would stand there twice."""
    return "missing" if pd.isna(value) else repr(value if len(value) <= 60 else value[:60] + "…")


def add_fault(faults: pd.Series, reason: str, where: pd.Series) -> pd.Series:
    """Return the faults with one more reason where it holds.

    >>> add_fault(pd.Series(["no date", None]), "no kind of event", pd.Series([True, True])).tolist()
    ['no date; no kind of event', 'no kind of event']
    """
    return _add_faults(faults, pd.Series(reason, where.index, dtype="str").where(where))


def _add_faults(faults: pd.Series, more: pd.Series) -> pd.Series:
    both = faults.notna() & more.notna()
    return faults.fillna(more).mask(both, faults + "; " + more)


def _describe(
    records: pd.DataFrame, source: Source, programme: Programme, key: bytes, style: Style
) -> pd.DataFrame:
    """Return the columns of a response that its source or its record says."""
    columns = source.columns
    responses = pd.DataFrame({"source": source.name, "file": records[FILE], "line": records["_line"]})
    responses = responses.assign(
        source_id=read_ids(take_column(records, columns.id), style),
        channel=take_column(records, columns.channel).fillna(source.channel or "unknown"),
        who_started=source.who_started,
        mode=source.mode,
        population=source.population,
        voice=source.voice,
        stage=take_column(records, columns.stage),
        session_id=hide_names(take_column(records, columns.session), key, source),
    )
    if source.stage:
        responses["stage"] = responses["stage"].fillna(source.stage)
    for segment in programme.text_columns:
        column = source.segments.get(segment)
        found = take_column(records, column)
        stems = {file: PurePosixPath(file).stem for file in found.unique()} if column == FILE else {}
        responses[segment] = found.map(stems).astype("str") if column == FILE else found
    return responses.astype(dict.fromkeys(programme.text_columns, "category"))


def _clean_texts(
    said: pd.DataFrame, records: pd.DataFrame, source: Source, programme: Programme
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Repair, cut and redact what was said, and score its language; what is cut stands aside."""
    said["verbatim"] = repair_texts(said["verbatim"])
    said = said[said["verbatim"].notna()].reset_index(drop=True)
    asides = pd.DataFrame(columns=["at", "question", "part", "text"], dtype="str")
    if source.is_cut:
        cut = cut_all(said["verbatim"])
        parts = cut.drop(columns="said").set_index([said["at"], said["question"]])
        asides = parts.rename_axis("part", axis="columns").stack().dropna().rename("text").reset_index()
        said["verbatim"] = blank_to_missing(cut["said"])
    if source.translations:
        told = list_verbatims(records, source.translations).rename(columns={"verbatim": "text"})
        told = told.assign(part="translation", text=repair_texts(told["text"])).dropna(subset="text")
        asides = pd.concat([asides, told.merge(said[["at", "question"]])[list(asides)]], ignore_index=True)
    scores = score_languages(said["verbatim"])

    def redact(texts: pd.Series, at: pd.Series) -> pd.Series:
        names = records[source.names].take(at).set_axis(texts.index) if source.names else None
        return redact_as_told(texts, programme, names=names)

    said["verbatim"] = redact(said["verbatim"], said["at"])
    asides = asides.astype({"at": "int64", "question": "str", "text": "str"})
    asides["text"] = redact(asides["text"], asides["at"])
    said = said.join(scores)
    return said[said["verbatim"].notna()].reset_index(drop=True), asides


def _name_languages(records: pd.DataFrame, source: Source, declared: list[str]) -> pd.Series:
    """Return the languages that the source itself names, missing where it names none that is known."""
    names = take_column(records, source.columns.language)
    if source.language:
        names = names.fillna(source.language)
    return names.map({name: read_language_name(name, declared) for name in names.dropna().unique()})
