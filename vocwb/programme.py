"""The written-down programme: reads `programme.yml` and refuses what it does not know, by name and line."""

import difflib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from vocwb.crosswalk import (
    Columns,
    Events,
    Index,
    Kpi,
    Question,
    Reasons,
    Source,
    Strict,
    Tags,
    Text,
    TextList,
    Turns,
    check_groups,
    check_measures,
    check_timezone,
    label_pairs,
)
from vocwb.errors import ProgrammeError
from vocwb.paths import programme_folder, project_root
from vocwb.schemas import TABLES

GOALS = (
    "better_product", "ahead_of_competition", "less_churn", "more_income", "know_needs", "early_warning",
    "loyalty", "engagement", "close_the_gap",
)  # fmt: skip
LANGUAGES = ("en", "fa", "ar", "bg", "zh")

WORKING_COLUMNS = ("at", "line", "lost", "raw", "reason", "unit")
"""Columns that tables of responses have while we work on them: no segment or question may have these names."""

_Languages = Literal[LANGUAGES]


class SmallestDifference(Strict):
    """The smallest difference that matters: share in percentage points, nps in points, mean in scale units."""

    share: float = Field(5, gt=0)
    nps: float = Field(5, gt=0)
    mean: float = Field(0.2, gt=0)


class People(Strict):
    """Who plays which part."""

    sponsor: str | None = None
    asks: str | None = None
    analyses: str | None = None
    explains: str | None = None


class Coder(Strict):
    """A model that codes polarity, and what its labels mean where their names do not say it."""

    model: Annotated[str, Field(min_length=1)]
    labels: dict[str, Literal["positive", "negative", "neutral", "mixed", "cannot tell"]] = {}


class Programme(Strict):
    """A whole `programme.yml`; `name` is the name of its folder."""

    name: str
    title: str
    question: Annotated[str, Field(min_length=1)]
    goal: Literal[GOALS]
    timezone: str = "UTC"
    languages: Annotated[list[_Languages], Field(min_length=1)] = list(LANGUAGES)
    encoders: dict[_Languages, str] = {}
    categories: dict[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]] = {}
    coders: dict[_Languages, Coder] = {}
    regions: list[str] | None = None
    keep_handles: list[str] = []
    people: People = People()
    minimum_group: int = Field(5, ge=1)
    minimum_group_staff: int = Field(10, ge=1)
    retention_months: int | None = Field(None, ge=1)
    leave_out: list[Literal["test", "spam"]] = []
    smallest_difference: SmallestDifference = SmallestDifference()
    segments: dict[str, str] = {}
    pairs: list[Annotated[list[Text], Field(min_length=2, max_length=2)]] = []
    personas: dict[Annotated[str, Field(min_length=1)], dict[str, TextList]] = {}
    adjust_for: list[Text] = []
    journey: list[Text] = []
    questions: dict[str, Question] = {}
    indexes: dict[str, Index] = {}
    kpis: list[Kpi] = []
    weights: dict[str, dict[Text, Annotated[float, Field(gt=0)]]] = {}
    reasons: dict[str, Reasons] = {}
    sources: Annotated[list[Source], Field(min_length=1)]

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value):
        return check_timezone(value)

    @field_validator("categories")
    @classmethod
    def _check_categories(cls, value):
        if "other" in value:
            raise ValueError("'other' is the category of what has none, and cannot be defined")
        return value

    @field_validator("coders", mode="before")
    @classmethod
    def _read_coders(cls, value):
        """A name alone is a model whose labels say what they mean."""
        if not isinstance(value, dict):
            return value
        return {key: {"model": coder} if isinstance(coder, str) else coder for key, coder in value.items()}

    @model_validator(mode="after")
    def _check_names(self):
        fixed = {*TABLES["responses"].columns, *TABLES["feedback"].columns, *WORKING_COLUMNS}
        texts, scales = set(self.text_columns), set(self.questions) | set(self.indexes)
        clash = sorted((texts | scales) & fixed | texts & scales)
        if clash:
            raise ValueError(f"segments or questions named {clash}: these names are taken; choose others")
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"sources named twice: {twice}; each source needs a name of its own")
        for source in self.sources:
            for kind, used, declared in (
                ("segments", source.segments, self.text_columns),
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

    @model_validator(mode="after")
    def _check_groups(self):
        check_groups(self.segments, self.pairs, self.personas, self.adjust_for)
        return self

    @model_validator(mode="after")
    def _check_measures(self):
        check_measures(self.questions, self.indexes, self.kpis, self.reasons)
        for column, shares in self.weights.items():
            if column not in self.segments and column != "population":
                raise ValueError(
                    f"weights: {column!r} is no segment; there are: {', '.join([*self.segments, 'population'])}"
                )
            if abs(sum(shares.values()) - 1) > 0.01:
                raise ValueError(
                    f"weights: the shares of {column!r} sum to {sum(shares.values()):g}, not to 1"
                )
        return self

    @property
    def group_labels(self) -> dict[str, str]:
        """What readers see of the columns that groups are compared by: segments, pairs, personas and stages."""
        pairs = label_pairs(self.segments, self.pairs)
        return {"persona": "Persona", "stage": "Journey stage"} | pairs | self.segments

    @property
    def text_columns(self) -> dict[str, str]:
        """The columns of `responses` that hold words, with their labels: segments, and reasons with their tenure."""
        named = {one.reason: one.label for one in self.reasons.values()}
        named |= {one.tenure: "Months as a customer" for one in self.reasons.values() if one.tenure}
        return self.segments | {name: label for name, label in named.items() if name not in self.segments}

    @property
    def stages(self) -> list[str]:
        """The stages of the customers' journey in its order: `journey`, then others that sources declare."""
        declared = [one.stage for one in self.sources if one.stage and one.voice == "customer"]
        return list(dict.fromkeys([*self.journey, *declared]))

    @property
    def extra_columns(self) -> dict[str, str]:
        """The columns that this programme adds to `responses`: segments and reasons as text, answers as numbers."""
        return dict.fromkeys(self.text_columns, "str") | dict.fromkeys(self.questions, "float")

    @property
    def smallest(self) -> dict[str, float]:
        """The smallest differences that matter, by kind: share, nps, mean."""
        return self.smallest_difference.model_dump()

    def encoder_of(self, language: str) -> str:
        """Return the name of the encoder that serves a language: minilm-en English, tfidf-svd any, if none is named."""
        return self.encoders.get(language, "minilm-en" if language == "en" else "tfidf-svd")


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
    Keys: title, question, goal, timezone, languages, encoders, categories, coders, regions, keep_handles, \
people, minimum_group, minimum_group_staff, retention_months, leave_out, smallest_difference, segments, \
pairs, personas, adjust_for, journey, questions, indexes, kpis, weights, reasons, sources.
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
        "indexes": Index, "kpis": Kpi, "reasons": Reasons,
        "sources": Source, "coders": Coder, "columns": Columns, "turns": Turns, "tags": Tags, "events": Events,
    }  # fmt: skip
    for part in path:
        model = inner.get(part, model)
    return [name for name in model.model_fields if name != "name" or model is not Programme]


def read_rules(programme: Programme) -> dict[str, str]:
    """Return the text of the coding rules of each declared language.

    A file `data/<programme>/rules/<language>.yml` replaces the rules that come with vocwb; where it says
    `extends: true` it adds to them, and they follow it after a line `---`, as `rules.parse_rules` reads them.

    >>> sorted(read_rules(read_programme("sample")))
    ['ar', 'bg', 'en', 'fa', 'zh']
    """
    texts = {}
    for language in programme.languages:
        ours = (Path(__file__).parent / "rules" / f"{language}.yml").read_text(encoding="utf-8")
        own = programme_folder(programme.name) / "rules" / f"{language}.yml"
        texts[language] = own.read_text(encoding="utf-8-sig") if own.is_file() else ours
        if own.is_file() and _extends(texts[language]):
            texts[language] += f"\n---\n{ours}"
    return texts


def _extends(text: str) -> bool:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError:  # it is explained where the rules are parsed
        return False
    return isinstance(values, dict) and values.get("extends") is True


def read_key(programme: Programme) -> bytes:
    """Return the secret key of the respondent ids, made at the first call, in `respondent.key`.

    It lies beside the store and never in it, readable by its owner only, and is not tracked in git. Without
    it nobody can tell which respondent an id stands for; with a new one the same person gets another id.

    >>> key = read_key(read_programme("sample"))  # doctest: +SKIP
    """
    path = programme_folder(programme.name) / "respondent.key"
    if not path.is_file():
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=".respondent.key.")  # for its owner only
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):  # another process was quicker: its key counts
            os.link(made, path)
        os.unlink(made)
    return path.read_bytes()


def _short(path: Path) -> str:
    root = project_root()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
