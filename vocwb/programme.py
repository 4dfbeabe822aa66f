"""The written-down programme: reads `programme.yml` and refuses what it does not know, by name and line."""

import datetime
import difflib
import os
import secrets
import zoneinfo
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from vocwb.errors import ProgrammeError
from vocwb.paths import programme_folder, project_root
from vocwb.schemas import TABLES

GOALS = (
    "better_product", "ahead_of_competition", "less_churn", "more_income", "know_needs", "early_warning",
    "loyalty", "engagement", "close_the_gap",
)  # fmt: skip
LANGUAGES = ("en", "fa", "ar", "bg", "zh")

_Languages = Literal[LANGUAGES]
_TextList = Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]
_Text = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(_Strict):
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


class Turns(_Strict):
    """Where a transcript's turns stand in a record: the raw column, and in each turn the speaker and the text."""

    column: str
    speaker: str = "speaker"
    text: str = "text"
    customer: _TextList = ["customer"]


class Columns(_Strict):
    """The crosswalk of a source: which raw column holds what."""

    id: _Text | None = None
    date: _Text | None = None
    respondent: _Text | None = None
    language: _Text | None = None
    stage: _Text | None = None
    channel: _Text | None = None


class Source(_Strict):
    """One export: its files, how they are written, who is speaking in them, and the crosswalk of its columns."""

    name: str
    files: Annotated[_TextList, Field(min_length=1)]
    form: Literal["csv", "tsv", "xlsx", "json", "jsonl"] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    skip_lines: int = Field(0, ge=0)
    sheet: str | None = None
    record_path: _TextList = []
    channel: str | None = None
    who_started: Literal["customer", "company", "nobody"]
    mode: Literal["direct", "indirect", "behaviour"]
    population: str = "all"
    voice: Literal["customer", "employee"] = "customer"
    stage: str | None = None
    language: str | None = None
    undated: bool = False
    exported_on: datetime.date | None = None
    date_format: str | None = None
    timezone: str | None = None
    columns: Columns = Columns()
    verbatims: dict[str, _Text] = {}
    turns: Turns | None = None
    segments: dict[str, _Text] = {}
    answers: dict[str, _Text] = {}

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value):
        return _known_timezone(value)

    @model_validator(mode="after")
    def _check_whole(self):
        if not self.undated and not self.columns.date:
            raise ValueError("no date column: give columns.date, or undated: true")
        if not (self.channel or self.columns.channel):
            raise ValueError("no channel: give channel (a fixed word) or columns.channel (a raw column)")
        if not (self.verbatims or self.turns or self.answers):
            raise ValueError("nothing to read: give verbatims, turns or answers")
        if self.verbatims and self.turns:
            raise ValueError("give verbatims or turns, not both: split the source in two")
        return self


class SmallestDifference(_Strict):
    """The smallest difference that matters: share in percentage points, nps in points, mean in scale units."""

    share: float = Field(5, gt=0)
    nps: float = Field(5, gt=0)
    mean: float = Field(0.2, gt=0)


class People(_Strict):
    """Who plays which part."""

    sponsor: str | None = None
    asks: str | None = None
    analyses: str | None = None
    explains: str | None = None


class Programme(_Strict):
    """A whole `programme.yml`; `name` is the name of its folder."""

    name: str
    title: str
    question: Annotated[str, Field(min_length=1)]
    goal: Literal[GOALS]
    timezone: str = "UTC"
    languages: Annotated[list[_Languages], Field(min_length=1)] = list(LANGUAGES)
    encoders: dict[_Languages, str] = {}
    regions: list[str] | None = None
    keep_handles: list[str] = []
    people: People = People()
    minimum_group: int = Field(5, ge=1)
    smallest_difference: SmallestDifference = SmallestDifference()
    segments: dict[str, str] = {}
    questions: dict[str, Question] = {}
    sources: Annotated[list[Source], Field(min_length=1)]

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value):
        return _known_timezone(value)

    @model_validator(mode="after")
    def _check_names(self):
        fixed = set(TABLES["responses"].columns) | set(TABLES["feedback"].columns)
        clash = sorted(
            (set(self.segments) | set(self.questions)) & fixed | set(self.segments) & set(self.questions)
        )
        if clash:
            raise ValueError(f"segments or questions named {clash}: these names are taken; choose others")
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"sources named twice: {twice}; each source needs a name of its own")
        for source in self.sources:
            for kind, used, declared in (
                ("segments", source.segments, self.segments),
                ("answers", source.answers, self.questions),
            ):
                unknown = sorted(set(used) - set(declared))
                if unknown:
                    where = "questions (label, low, high, metric)" if kind == "answers" else "segments"
                    raise ValueError(
                        f"source {source.name!r}: {kind} {unknown} not declared under {where};"
                        f" declared: {sorted(declared)}"
                    )
        return self

    @property
    def extra_columns(self) -> dict[str, str]:
        """The columns that this programme adds to `responses`: segments as text, answers as numbers."""
        return dict.fromkeys(self.segments, "str") | dict.fromkeys(self.questions, "float")

    @property
    def smallest(self) -> dict[str, float]:
        """The smallest differences that matter, by kind: share, nps, mean."""
        return self.smallest_difference.model_dump()

    def encoder_of(self, language: str) -> str:
        """Return the name of the encoder that serves a language; tfidf-svd serves any."""
        return self.encoders.get(language, "tfidf-svd")


def _known_timezone(value: str | None) -> str | None:
    if value is not None and value not in zoneinfo.available_timezones():
        near = difflib.get_close_matches(value, zoneinfo.available_timezones(), n=3)
        raise ValueError(f"{value!r} is not a timezone name; near: {near or 'Europe/London, Asia/Tehran'}")
    return value


def list_programmes() -> list[str]:
    """Return the names of the programmes there are: folders of `data/` that hold a `programme.yml`.

    >>> "sample" in list_programmes()
    True
    """
    return sorted(path.parent.name for path in (project_root() / "data").glob("*/programme.yml"))


def read_programme(name: str) -> Programme:
    """Return the programme of `data/<name>/programme.yml`.

    Raises ProgrammeError where there is none, where it is not YAML, and where a key is unknown, missing
    or wrong: the message names the file, the line, the key and the keys that there are.

    >>> read_programme("sample").minimum_group
    5
    """
    path = programme_folder(name) / "programme.yml"
    if not path.is_file():
        raise ProgrammeError(
            f"There is no programme {name!r}: no file {_short(path)}.",
            f"Programmes: {', '.join(list_programmes()) or 'none'}.",
            "Name one with PROGRAMME=..., or draft one with: make programme RAW=folder",
        )
    return parse_programme(path.read_text(encoding="utf-8-sig"), name=name, file=_short(path))


def parse_programme(text: str, *, name: str, file: str = "programme.yml") -> Programme:
    """Return the programme that a YAML text says; `file` is what errors call it.

    >>> parse_programme("title: T\\nquestoin: Why?", name="x")
    Traceback (most recent call last):
    ...
    vocwb.errors.ProgrammeError: programme.yml line 2: 'questoin' is not a key here.
    Keys: title, question, goal, timezone, languages, encoders, regions, keep_handles, people, \
minimum_group, smallest_difference, segments, questions, sources.
    Did you mean 'question'? (3 more after this one.)
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        problem = getattr(error, "problem", None) or str(error)
        raise ProgrammeError(f"{file} line {line}: not YAML: {problem}.", remedy="Mend that line.") from error
    if not isinstance(values, dict):
        raise ProgrammeError(
            f"{file}: empty, or not a list of 'key: value'.", remedy="See README.md, 'A programme'."
        )
    lines: dict[tuple, int] = {}
    _index_lines(node, (), lines, file)
    if "name" in values:
        raise ProgrammeError(
            f"{file} line {lines[('name',)]}: 'name' is not a key here.",
            remedy="Remove it: a programme is named by its folder; what readers see is 'title'.",
        )
    try:
        return Programme(**{str(key): value for key, value in values.items()} | {"name": name})
    except ValidationError as error:
        found = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        raise _explain(found, lines, file, set(values)) from error


def _index_lines(node: yaml.Node, path: tuple, lines: dict[tuple, int], file: str) -> None:
    """Note the line of every key, and refuse a key that stands twice (YAML would keep the last silently)."""
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise ProgrammeError(
                    f"{file} line {line}: key {key.value!r} stands twice.", remedy="Keep one."
                )
            seen.add(key.value)
            _index_lines(value, (*path, key.value), lines, file)
            lines[(*path, key.value)] = line
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _index_lines(value, (*path, number), lines, file)


def _explain(found: list[dict], lines: dict[tuple, int], file: str, given: set) -> ProgrammeError:
    first = found[0]
    path = tuple(part for part in first["loc"] if part not in ("[key]",))
    where = next(lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines)
    key = ".".join(str(part) for part in path) or "the programme"
    more = f" ({len(found) - 1} more after this one.)" if len(found) > 1 else ""
    if first["type"] == "extra_forbidden":
        keys = _keys_at(path[:-1])
        near = difflib.get_close_matches(str(path[-1]), keys, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "Remove it, or use one of these keys."
        return ProgrammeError(
            f"{file} line {where}: {str(path[-1])!r} is not a key here.",
            f"Keys: {', '.join(keys)}.",
            remedy + more,
        )
    if first["type"] == "missing":
        return ProgrammeError(
            f"{file} line {where}: {key!r} is missing.",
            f"Keys: {', '.join(_keys_at(path[:-1]))}.",
            f"Add '{path[-1]}:' there.{more}",
        )
    if first["input"] is None or first["input"] == "":
        return ProgrammeError(f"{file} line {where}: {key!r} is empty.", remedy=f"Fill it in.{more}")
    message = first["msg"].removeprefix("Value error, ")
    given_value = "" if isinstance(first["input"], dict | BaseModel) else f" Given: {first['input']!r}."
    return ProgrammeError(f"{file} line {where}: {key}: {message}.{given_value}", remedy=more.strip() or None)


def _keys_at(path: tuple) -> list[str]:
    """Return the keys that are known at a place of the file."""
    model: type[BaseModel] = Programme
    inner = {
        "people": People, "smallest_difference": SmallestDifference, "questions": Question,
        "sources": Source, "columns": Columns, "turns": Turns,
    }  # fmt: skip
    for part in path:
        model = inner.get(part, model)
    return [name for name in model.model_fields if name != "name" or model is not Programme]


def read_rules(programme: Programme) -> dict[str, str]:
    """Return the text of the coding rules of each declared language.

    A file `data/<programme>/rules/<language>.yml` replaces the rules that come with vocwb.

    >>> sorted(read_rules(read_programme("sample")))
    ['ar', 'bg', 'en', 'fa', 'zh']
    """
    own = programme_folder(programme.name) / "rules"
    files = {
        language: next(
            path
            for path in (own / f"{language}.yml", Path(__file__).parent / "rules" / f"{language}.yml")
            if path.is_file()
        )
        for language in programme.languages
    }
    return {language: path.read_text(encoding="utf-8") for language, path in files.items()}


def read_key(programme: Programme) -> bytes:
    """Return the secret key of the respondent ids, made at the first call, in `respondent.key`.

    It lies beside the store and never in it, readable by its owner only, and is not tracked in git. Without
    it nobody can tell which respondent an id stands for; with a new one the same person gets another id.

    >>> key = read_key(read_programme("sample"))  # doctest: +SKIP
    """
    path = programme_folder(programme.name) / "respondent.key"
    if not path.is_file():
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_bytes()


def _short(path: Path) -> str:
    root = project_root()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
