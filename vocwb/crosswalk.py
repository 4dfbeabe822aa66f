"""The crosswalk of a source: what its files are, who is speaking in them, and which raw column holds what."""

import datetime
import difflib
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

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


MEASURES = {
    "nps": ("nps",),
    "nps_1_10": ("nps_1_10",),
    "csat": ("csat_mean", "csat_top2"),
    "ces": ("ces",),
    "loyalty": ("loyalty",),
    "rating": ("rating",),
    "cli_rescaled": ("cli_rescaled",),
}
"""What is computed of a question of each metric, the main figure first; understand.registry defines each."""

_NON_STANDARD = "asked on 1-10, a non-standard base of NPS"


class Question(Strict):
    """A scaled question: its wording, the ends of its scale, and the metric that it is reported by.

    better: which end of the scale is good. For `ces` it must be said, as both ways are in use; of every other
    metric high is good. expectation_of: the question whose experience this one asks the expectation of, on the
    same scale. The label of nps_1_10 says that its base is not the standard one, wherever it is shown.
    """

    label: str
    low: float
    high: float
    metric: Literal["nps", "nps_1_10", "csat", "ces", "loyalty", "rating"]
    better: Literal["low", "high"] | None = None
    expectation_of: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _flag_label(cls, values):
        if not isinstance(values, dict) or values.get("metric") != "nps_1_10" or "label" not in values:
            return values
        flag = f" ({_NON_STANDARD})"
        return values | {"label": f"{str(values['label']).removesuffix(flag)}{flag}"}

    @model_validator(mode="after")
    def _check_scale(self):
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}: give the ends of the scale")
        if self.metric == "nps" and (self.low, self.high) != (0, 10):
            raise ValueError(
                f"NPS is defined on 0-10 only, not {self.low:g}-{self.high:g}: declare the scale as asked, with"
                " metric 'rating', or answers on 1-10 with 'nps_1_10', which is told to be no standard base"
            )
        if self.metric == "nps_1_10" and (self.low, self.high) != (1, 10):
            raise ValueError(f"nps_1_10 is of answers on 1-10, not {self.low:g}-{self.high:g}")
        if self.metric == "ces" and self.better is None:
            raise ValueError(
                "better is missing: write 'better: high' where a high number says that it was easy, 'better: low'"
                " where it says that it cost effort; both are in use"
            )
        if self.metric != "ces" and self.better == "low":
            raise ValueError(
                f"of {self.metric} high is good: turn the numbers before ingest, or declare another metric"
            )
        return self


class Index(Strict):
    """A mean of several questions, each rescaled to 0-100 first; it is reported as a question would be."""

    label: str
    questions: Annotated[list[str], Field(min_length=2)]
    low: ClassVar[float] = 0
    high: ClassVar[float] = 100
    metric: ClassVar[str] = "cli_rescaled"
    better: ClassVar[str] = "high"  # items of which a low number is good are turned round


class Kpi(Strict):
    """A target: of a question or an index by one of its measures, or of the share (%) of a topic."""

    question: str | None = None
    topic: str | None = None
    measure: str | None = None
    target: float
    better: Literal["low", "high"] | None = None

    @model_validator(mode="after")
    def _check_whole(self):
        if bool(self.question) == bool(self.topic):
            raise ValueError("give question (or the name of an index), or topic: one of the two")
        if self.topic and self.measure not in (None, "share"):
            raise ValueError(f"the measure of a topic is share, not {self.measure}")
        if self.topic and self.better is None:
            raise ValueError(
                "of a topic say 'better: low' or 'better: high': should it be mentioned less or more?"
            )
        if self.question and self.better:
            raise ValueError("better is a fact of the question: declare it there")
        return self


class Reasons(Strict):
    """A closed answer in words (why customers leave, what newcomers need), perhaps by months of being a customer.

    reason, tenure: names under which a source's `segments` give the raw columns; they are kept as text, and are
    no segments unless they are declared as such too. groups: which reasons belong together. separator: what
    stands between several reasons in one cell.
    """

    label: str
    reason: str
    tenure: str | None = None
    groups: dict[Text, TextList] = {}
    separator: str | None = None


def check_measures(
    questions: dict[str, Question], indexes: dict[str, Index], kpis: list[Kpi], reasons: dict[str, Reasons]
) -> None:
    """Raise ValueError where an expectation, an index, a KPI or the groups of reasons name what cannot be.

    >>> check_measures({}, {}, [Kpi(question="nsp", target=40)], {})
    Traceback (most recent call last):
    ...
    ValueError: kpis: there is no question or index 'nsp'; there are: none
    """
    for name, question in questions.items():
        other = questions.get(question.expectation_of)
        if question.expectation_of and (other is None or other is question):
            raise ValueError(
                f"question {name!r}: expectation_of names no other question: {question.expectation_of!r}"
            )
        ends = [(one.low, one.high, one.better == "low") for one in (question, other) if one]
        if len(set(ends)) > 1:
            raise ValueError(
                f"question {name!r}: expectation and experience are asked on different scales, so that their"
                f" difference says nothing: {question.low:g}-{question.high:g} and {other.low:g}-{other.high:g}"
            )
    for name, index in indexes.items():
        if unknown := [one for one in index.questions if one not in questions]:
            raise ValueError(
                f"index {name!r}: {unknown} not declared under questions; declared: {sorted(questions)}"
            )
        if name in questions or len(set(index.questions)) < len(index.questions):
            raise ValueError(f"index {name!r}: it is named as a question, or names one twice")
    scored = questions | indexes
    for kpi in kpis:
        if kpi.question and kpi.question not in scored:
            raise ValueError(
                f"kpis: there is no question or index {kpi.question!r}; there are: {', '.join(scored) or 'none'}"
            )
        of = scored.get(kpi.question)
        measures = MEASURES[of.metric] if of else ("share",)
        if (kpi.measure or measures[0]) not in measures:
            raise ValueError(
                f"kpis: {kpi.question!r} has no measure {kpi.measure!r}; it has: {', '.join(measures)}"
            )
        low, high = _ends_of(kpi.measure or measures[0], of)
        if not low <= kpi.target <= high:
            raise ValueError(
                f"kpis: the target of {kpi.question or kpi.topic!r} is {kpi.target:g}, and the measure runs from"
                f" {low:g} to {high:g}"
            )
    for name, one in reasons.items():
        listed = [choice for choices in one.groups.values() for choice in choices]
        if twice := sorted({choice for choice in listed if listed.count(choice) > 1}):
            raise ValueError(f"reasons {name!r}: {twice} stand in two groups")


def name_pair(first: str, second: str) -> str:
    """Return the name of the column of a pair of segments.

    >>> name_pair("plan", "region")
    'plan x region'
    """
    return f"{first} x {second}"


def label_pairs(segments: Mapping[str, str], pairs: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return what readers see of the columns of pairs; segments: column -> label.

    >>> label_pairs({"plan": "Plan", "region": "Region"}, [["plan", "region"]])
    {'plan x region': 'Plan x Region'}
    """
    return {name_pair(*pair): " x ".join(segments.get(column, column) for column in pair) for pair in pairs}


def check_groups(
    segments: dict[str, str],
    pairs: list[list[str]],
    personas: dict[str, dict[str, list[str]]],
    adjust_for: list[str],
) -> None:
    """Raise ValueError where a pair, a persona or adjust_for names what is no segment, or says nothing.

    >>> check_groups({"plan": "Plan"}, [], {"Newcomer": {"tenure": ["0"]}}, [])
    Traceback (most recent call last):
    ...
    ValueError: personas: 'Newcomer' names 'tenure', which is no segment; there are: plan
    """
    known = f"which is no segment; there are: {', '.join(segments) or 'none'}"
    named = [("pairs", str(pair), column) for pair in pairs for column in pair]
    named += [("personas", repr(name), column) for name, rule in personas.items() for column in rule]
    named += [("adjust_for", "it", column) for column in adjust_for]
    for key, what, column in named:
        if column not in segments:
            raise ValueError(f"{key}: {what} names {column!r}, {known}")
    for pair in pairs:
        if len(set(pair)) < 2:
            raise ValueError(f"pairs: {pair} is one segment twice; name two")
    sets = [frozenset(pair) for pair in pairs]
    if twice := [pair for pair in pairs if sets.count(frozenset(pair)) > 1]:
        raise ValueError(f"pairs: {twice[0]} stands twice; keep one")
    for name, rule in personas.items():
        if not rule or not all(rule.values()):
            raise ValueError(
                f"personas: {name!r} has no rule; write {{segment: value}} or {{segment: [value, value]}}"
            )
    if personas and "persona" in segments:
        raise ValueError("personas: a segment is named 'persona', as they are; give the segment another name")


def _ends_of(measure: str, question: Question | Index | None) -> tuple[float, float]:
    if measure in ("nps", "nps_1_10"):
        return -100, 100
    return (0, 100) if measure in ("share", "csat_top2") else (question.low, question.high)


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
