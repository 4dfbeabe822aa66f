"""Columns, types and key of every table, and the few functions that build and join tables."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd
import pandera.pandas as pa

from vocwb.errors import SchemaError

OUTLIER = "T0000"
"""The topic of a verbatim that fits none (BERTopic's -1)."""

SECTIONS = (
    "coverage", "topics", "news", "movements", "feelings", "categories", "scores", "segments", "stages", "drivers",
    "importance", "root_cause", "actions", "outcomes", "staff",
)  # fmt: skip


class Table(NamedTuple):
    """How a table is kept: its columns (name -> type), the columns that may be empty, its key, and its scope.

    A key stands once, unless `repeats`: bad records may be alike to the letter, and each is counted.
    scope says into how many files it goes: "programme" one, "month" one a month, "codebook" one a codebook.
    """

    columns: dict[str, str]
    nullable: frozenset[str]
    key: tuple[str, ...]
    scope: str = "programme"
    repeats: bool = False


def _table(columns: str, key: str, scope: str = "programme", *, repeats: bool = False) -> Table:
    """Read "name:type name:type?" where ? marks a column that may be empty."""
    pairs = [word.split(":") for word in columns.split()]
    return Table(
        {name: kind.rstrip("?") for name, kind in pairs},
        frozenset(name for name, kind in pairs if kind.endswith("?")),
        tuple(key.split()),
        scope,
        repeats,
    )


_TOPIC = (
    "codebook_id:str topic:str voice:str language:str encoder_id:str name:str theme:str theme_name:str terms:list"
    " vector:list size:int floor:float examples:list first_seen:str lineage:str"
)
_MENTION = "feedback_id:str codebook_id:str topic:str similarity:float start:int end:int"

TABLES = {
    "responses": _table(
        "response_id:str source:str file:str source_id:str? received_at:time? month:str channel:str"
        " who_started:str mode:str population:str voice:str stage:str? respondent_id:str? session_id:str?"
        " duplicate_of:str?",
        "response_id",
    ),
    "feedback": _table(
        "feedback_id:str response_id:str question:str language:str verbatim:str flag:str? duplicate_of:str?",
        "feedback_id",
    ),
    "asides": _table("feedback_id:str response_id:str part:str text:str", "feedback_id part"),
    "tags": _table("response_id:str tag:str", "response_id tag"),
    "events": _table(
        "event_id:str source:str file:str channel:str at:time? month:str respondent_id:str? session_id:str?"
        " kind:str subject:str? value:float?",
        "event_id",
    ),
    "behaviour": _table(
        "behaviour_id:str source:str file:str at:time? month:str respondent_id:str measure:str value:float",
        "behaviour_id",
    ),
    "ingested": _table(
        "source:str file:str sha256:str rows_in:int kept:int duplicates:int quarantined:int status:str"
        " read_as:str",
        "source file",
    ),
    "quarantine": _table(
        "source:str file:str line:int reason:str raw:str", "source file line reason raw", repeats=True
    ),
    "codebook": _table(_TOPIC, "codebook_id topic", "codebook"),
    "accepted": _table(_TOPIC, "codebook_id topic", "codebook"),
    "granularities": _table(
        "codebook_id:str voice:str language:str n_topics:int smallest:int silhouette:float quality:float chosen:bool",
        "codebook_id voice language n_topics",
        "codebook",
    ),
    "points": _table(
        "codebook_id:str voice:str language:str feedback_id:str x:float y:float",
        "codebook_id feedback_id",
        "codebook",
    ),
    "lineage": _table(
        "codebook_id:str earlier_codebook_id:str topic:str earlier_topic:str relation:str score:float shared:int",
        "codebook_id topic earlier_topic",
        "codebook",
    ),
    "assignments": _table(_MENTION, "feedback_id codebook_id topic", "month"),
    "mentions": _table(_MENTION, "feedback_id codebook_id topic", "month"),
    "proposals": _table(
        "proposal:str codebook_id:str month:str voice:str language:str encoder_id:str n:int cohesion:float"
        " earlier_share:float p_adjusted:float unassigned:float nearest_topic:str nearest_similarity:float terms:list"
        " vector:list floor:float examples:list feedback_ids:list",
        "codebook_id proposal",
        "month",
    ),
    "drift": _table(
        "codebook_id:str month:str topic:str n:int fitted_n:int similarity:float fitted_similarity:float"
        " difference:float? low:float? high:float? p:float? p_adjusted:float? shift:float verdict:str",
        "codebook_id month topic",
        "month",
    ),
    "codes": _table(
        "feedback_id:str coder:str category:str polarity:str intensity:int? ask:str? start:int? end:int?"
        " span_polarity:str? probability:float?",
        "feedback_id coder category",
        "month",
    ),
    "quality": _table(
        "language:str channel:str? variable:str truth:str n:int coder:str way:str classes:int? accuracy:float?"
        " macro_f1:float? low:float? high:float? ece:float? counts:bool",
        "language channel variable coder way",
        "month",
    ),
    "findings": _table(
        "finding_id:str section:str month:str period:str subject:str measure:str segment:str? level:str?"
        " value:float? low:float? high:float? n:int? unit:str compared_value:float? compared_n:int?"
        " difference:float? p:float? p_adjusted:float? verdict:str? claim:str method:str feedback_ids:list",
        "finding_id",
        "month",
    ),
    "causes": _table(
        "cause_id:str parent_id:str? depth:int month:str topic:str label:str kind:str finding_id:str?"
        " author:str? evidence_for:list evidence_against:list",
        "cause_id",
        "month",
    ),
    "actions": _table(
        "action_id:str title:str owner:str authority:str? effort:str status:str registered_on:str starts_on:str"
        " target_kind:str target:str expected:str cost:float? finding_id:str? decision_id:int",
        "action_id",
        "month",
    ),
}

_DTYPES = {
    "str": "str",
    "float": "float64",
    "bool": "bool",
    "int": "int64",
    "int?": "Int64",
    "time": "datetime64[us, UTC]",
    "list": "object",
}


def describe_table(name: str) -> Table:
    """Return the columns, key and scope of a table; SchemaError names the tables there are.

    >>> describe_table("feedback").key
    ('feedback_id',)
    """
    if name not in TABLES:
        raise SchemaError(
            f"There is no table {name!r}.", f"Tables: {', '.join(TABLES)}.", "Use one of these names."
        )
    return TABLES[name]


def _dtype(table: Table, column: str) -> str:
    kind = table.columns[column]
    return _DTYPES["int?" if kind == "int" and column in table.nullable else kind]


def check_table(name: str, frame: pd.DataFrame, *, extra: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return `frame` with the table's columns in order and of the right types, or raise SchemaError.

    extra: further columns of `responses` (name -> "str" or "float"): declared segments and questions.
    A column that is not in the schema, a missing one, a wrong type, an empty cell where none may be, or
    a key that stands twice raises SchemaError, naming the column and the first bad row.

    >>> frame = pd.DataFrame({"source": ["a"], "file": ["a.csv"], "line": [2], "reason": ["no date"], "raw": ["x"]})
    >>> len(check_table("quarantine", frame))
    1
    """
    table = describe_table(name)
    extra = dict(extra or {})
    table = table._replace(columns=table.columns | extra, nullable=table.nullable | frozenset(extra))
    missing = [column for column in table.columns if column not in frame]
    unknown = [column for column in frame if column not in table.columns]
    if missing or unknown:
        raise SchemaError(
            f"Table {name!r}: missing columns {missing}, unknown columns {unknown}.",
            f"It must have: {', '.join(table.columns)}.",
            "Add the missing columns and drop or declare the unknown ones.",
        )
    frame = frame[list(table.columns)].reset_index(drop=True)
    try:
        frame = frame.astype({column: _dtype(table, column) for column in table.columns})
        return _pandera_schema(table).validate(frame, lazy=True)
    except (TypeError, ValueError) as error:
        raise SchemaError(f"Table {name!r}: a column has the wrong type: {error}") from error
    except pa.errors.SchemaErrors as error:
        first = error.failure_cases.iloc[0]
        raise SchemaError(
            f"Table {name!r}: column {first['column']!r} fails {first['check']!r} at row {first['index']}:"
            f" {first['failure_case']!r}.",
            f"{len(error.failure_cases)} failures in all; the key is {', '.join(table.key)}.",
            "Mend the function that made the table; nothing was written.",
        ) from error


def _pandera_schema(table: Table) -> pa.DataFrameSchema:
    columns = {
        column: pa.Column(_dtype(table, column), nullable=column in table.nullable)
        for column in table.columns
    }
    return pa.DataFrameSchema(columns, unique=None if table.repeats else list(table.key), strict=True)


def empty_table(name: str, *, extra: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return a table of the right columns and types without rows.

    >>> len(empty_table("codes"))
    0
    """
    table = describe_table(name)
    table = table._replace(columns=table.columns | dict(extra or {}))
    return pd.DataFrame({column: pd.Series(dtype=_dtype(table, column)) for column in table.columns})


def fit_table(name: str, frame: pd.DataFrame, *, extra: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return a table of an earlier version, or of an earlier programme, in the columns of now.

    New columns are empty, and so are those of `extra` that were of another type (a segment that is a question
    now); others are left out. Where a column is missing that may not be empty, no row is returned.

    >>> fit_table("tags", pd.DataFrame({"response_id": ["r"], "tag": ["cost"], "colour": ["red"]})).columns.tolist()
    ['response_id', 'tag']
    """
    empty, known = empty_table(name, extra=extra), describe_table(name)
    if set(known.columns) - known.nullable - set(frame):
        return empty
    other = [
        column for column in extra or () if column in frame and frame[column].dtype != empty[column].dtype
    ]
    return frame.drop(columns=other).reindex(columns=list(empty))


def hash_id(*parts: object) -> str:
    """Return the first 32 hex digits of the SHA-256 of the parts, each preceded by its length.

    The length keeps ("ab", "c") and ("a", "bc") apart. 128 bits: among a billion ids a collision has
    odds below 1 in 10^20.

    >>> hash_id("ab", "c") == hash_id("a", "bc")
    False
    """
    texts = [str(part) for part in parts]
    return hashlib.sha256("".join(f"{len(text)}:{text}" for text in texts).encode()).hexdigest()[:32]


def join_responses(feedback: pd.DataFrame, responses: pd.DataFrame) -> pd.DataFrame:
    """Return `opinions`: each verbatim with the columns of its response, without duplicates of either.

    Rows come in the order of feedback_id, so that nothing downstream depends on the order of a file.

    >>> responses = pd.DataFrame({"response_id": ["r"], "duplicate_of": [None], "month": ["2025-01"]})
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "response_id": ["r"], "duplicate_of": [None]})
    >>> join_responses(feedback, responses)[["feedback_id", "month"]].values.tolist()
    [['f', '2025-01']]
    """
    feedback = feedback[feedback["duplicate_of"].isna()].drop(columns="duplicate_of")
    responses = responses[responses["duplicate_of"].isna()].drop(columns="duplicate_of")
    joined = feedback.merge(responses, on="response_id", validate="many_to_one")
    return joined.sort_values("feedback_id", ignore_index=True)


def select_months(frame: pd.DataFrame, month: str, *, back: int | None = None) -> pd.DataFrame:
    """Return the rows of `month` and of the `back` - 1 calendar months before it (None: of all before it).

    For the one period of an undated programme, "all", every row of that period.

    >>> frame = pd.DataFrame({"month": ["2024-12", "2025-01", "2025-02", "2025-03"]})
    >>> select_months(frame, "2025-02", back=2)["month"].tolist()
    ['2025-01', '2025-02']
    """
    if month == "all":
        return frame[frame["month"] == "all"]
    first = "" if back is None else str(pd.Period(month, freq="M") - (back - 1))
    return frame[(frame["month"] >= first) & (frame["month"] <= month)]


def unit_of(frame: pd.DataFrame) -> pd.Series:
    """Return the unit in which shares are counted: respondent_id where it is known, else response_id.

    >>> unit_of(pd.DataFrame({"respondent_id": ["p", None], "response_id": ["r1", "r2"]})).tolist()
    ['p', 'r2']
    """
    return frame["respondent_id"].fillna(frame["response_id"]).rename("unit")


def make_findings(rows: Iterable[dict] | pd.DataFrame, *, section: str, month: str) -> pd.DataFrame:
    """Return a `findings` table from rows that name only the columns they have.

    Needs in each row: period, subject, measure, unit, claim, method; the rest is empty if not given.
    finding_id is the hash of section, month, period, subject, measure, segment and level.

    >>> row = {"period": "2025-01", "subject": "nps", "measure": "nps", "unit": "points",
    ...        "value": 20.0, "n": 400, "claim": "NPS is 20.", "method": "count"}
    >>> make_findings([row], section="scores", month="2025-01")["n"].tolist()
    [400]
    """
    if section not in SECTIONS:
        raise SchemaError(f"There is no section {section!r}.", f"Sections: {', '.join(SECTIONS)}.")
    given = pd.DataFrame(rows if isinstance(rows, pd.DataFrame) else list(rows))
    if given.empty:
        return empty_table("findings")
    columns = describe_table("findings").columns
    frame = given.reindex(columns=list(columns | dict.fromkeys(given)))
    frame["section"], frame["month"] = section, month
    frame["feedback_ids"] = [ids if isinstance(ids, list) else [] for ids in frame["feedback_ids"]]
    key = ["section", "month", "period", "subject", "measure", "segment", "level"]
    frame["finding_id"] = [
        hash_id(*("" if pd.isna(p) else p for p in row)) for row in frame[key].values.tolist()
    ]
    return check_table("findings", frame)
