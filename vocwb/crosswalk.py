"""The crosswalk of a source: what its files are, who is speaking in them, and which raw column holds what."""

import datetime
import difflib
import zoneinfo
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

FORMS = (
    "csv", "tsv", "xlsx", "json", "jsonl", "parquet", "xml", "eml", "mbox", "text", "vtt", "srt", "chat",
)  # fmt: skip
"""The forms of files that a source may have; zip and gz files are opened, and hold files of one of these."""

# YAML reads 2024 and true as a number and a truth value, where a person has written the text of a cell or a header.
Text = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]
TextList = Annotated[
    list[Text], BeforeValidator(lambda value: [value] if isinstance(value, str | int | float) else value)
]


class Strict(BaseModel):
    """A part of programme.yml: an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def check_timezone(value: str | None) -> str | None:
    """Return the name of a timezone if there is one of this name, else raise ValueError with near ones.

    >>> check_timezone("Asia/Tehran")
    'Asia/Tehran'
    """
    if value is not None and value not in zoneinfo.available_timezones():
        near = difflib.get_close_matches(value, zoneinfo.available_timezones(), n=3)
        raise ValueError(f"{value!r} is not a timezone name; near: {near or 'Europe/London, Asia/Tehran'}")
    return value


class Question(Strict):
    """A scaled question: its wording, the ends of its scale, and the metric that it is reported by."""

    label: str
    low: float
    high: float
    metric: Literal["nps", "csat", "ces", "loyalty", "rating"]

    @model_validator(mode="after")
    def _check_scale(self):
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}: give the ends of the scale")
        if self.metric == "nps" and (self.low, self.high) != (0, 10):
            raise ValueError(
                f"NPS is defined on 0-10 only, not {self.low:g}-{self.high:g}:"
                " declare the scale as asked with metric 'rating'"
            )
        return self


class Turns(Strict):
    """Where a transcript's turns stand in a record: the raw column, and in each turn the speaker and the text."""

    column: str
    speaker: str = "speaker"
    text: str = "text"
    customer: TextList = ["customer"]


class Columns(Strict):
    """Which raw column holds what every record has; respondent and session are stored as keyed hashes.

    The hash of an employee holds the source's name too, so that staff are joined to nobody, here or elsewhere.
    """

    id: Text | None = None
    date: Text | None = None
    respondent: Text | None = None
    session: Text | None = None
    language: Text | None = None
    stage: Text | None = None
    channel: Text | None = None


class Tags(Strict):
    """Where a record's tags stand: one raw column, several tags in it."""

    column: Text
    separator: str = Field(";", min_length=1)


class Events(Strict):
    """What a log says happened: the kind stands in a column, or each kind has a column (a message funnel).

    kind: raw column of the kind (search, article, ticket ...). kinds: kind -> raw column, in which 0, no, false
    or nothing says that it did not happen, and a date says when. subject: raw columns of what it happened
    to (message, query, article: the first that is filled). value: raw column of a number (results, amount).
    """

    kind: Text | None = None
    kinds: dict[str, Text] = {}
    subject: TextList = []
    value: Text | None = None

    @model_validator(mode="after")
    def _check_kind(self):
        if bool(self.kind) == bool(self.kinds):
            raise ValueError("give kind (the column that says what happened) or kinds (a column for each)")
        return self


class Source(Strict):
    """One export: its files, how they are written, who is speaking in them, and the crosswalk of its columns."""

    name: str
    files: Annotated[TextList, Field(min_length=1)]
    form: Literal[FORMS] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    skip_lines: int = Field(0, ge=0)
    header_rows: int = Field(1, ge=1, le=5)
    sheet: str | None = None
    record_path: TextList = []
    keep: dict[str, TextList] = {}
    channel: str | None = None
    who_started: Literal["customer", "company", "nobody"]
    mode: Literal["direct", "indirect", "behaviour"]
    population: str = "all"
    voice: Literal["customer", "employee"] = "customer"
    unit: Literal["person", "group"] = "person"
    stage: str | None = None
    language: str | None = None
    query: str | None = None
    undated: bool = False
    exported_on: datetime.date | None = None
    date_format: str | None = None
    timezone: str | None = None
    cut_replies: bool | None = None
    columns: Columns = Columns()
    names: TextList = []
    verbatims: dict[str, Text] = {}
    translations: dict[str, Text] = {}
    turns: Turns | None = None
    tags: Tags | None = None
    segments: dict[str, Text] = {}
    answers: dict[str, Text] = {}
    events: Events | None = None
    measures: dict[str, Text] = {}

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value):
        return check_timezone(value)

    @model_validator(mode="after")
    def _check_whole(self):
        if not self.undated and not self.columns.date:
            raise ValueError("no date column: give columns.date, or undated: true")
        if not (self.channel or self.columns.channel):
            raise ValueError("no channel: give channel (a fixed word) or columns.channel (a raw column)")
        said = bool(self.verbatims or self.turns or self.answers)
        if said + bool(self.events) + bool(self.measures) != 1:
            raise ValueError(
                "give what was said (verbatims, turns or answers), or events, or measures: one of the three"
            )
        if self.verbatims and self.turns:
            raise ValueError("give verbatims or turns, not both: split the source in two")
        if unknown := set(self.translations) - set(self.verbatims):
            raise ValueError(f"translations of what is none of the verbatims: {', '.join(sorted(unknown))}")
        if self.measures and not self.columns.respondent:
            raise ValueError("measures are of a respondent: give columns.respondent")
        return self

    @property
    def is_cut(self) -> bool:
        """Whether quoted replies and signatures are cut from the verbatims."""
        if self.cut_replies is not None:
            return self.cut_replies
        return self.form in ("eml", "mbox") or self.channel == "email"
