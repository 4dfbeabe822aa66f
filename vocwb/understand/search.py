"""Search: the verbatims that say something, each hit in its context, and a narrower part of the feedback."""

import ast
import difflib
import operator
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from itertools import pairwise

import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from vocwb.errors import ProgrammeError
from vocwb.languages import LANGUAGES, ZWNJ, normalise_text

MOST_HITS = 1000
"""Hits that are returned unless more are asked for; the total is stated beside them."""
LONGEST_CONDITION = 2000

_COLUMNS = ("feedback_id", "language", "before", "match", "after", "start", "end")
_QUERY = re.compile(r'"([^"]*)"?|(\S+)')
_QUOTES = str.maketrans("“”„«»『』「」", '"' * 9)
# A letter with the marks on it, bounded: putting many marks in order takes time.
_CLUSTER = re.compile(r"[\s\S][\u0300-\u036f\u064b-\u065f]{0,8}")
_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])(?=[\u3400-\u9fff])")
_MOST_LISTED = 20
_AR_BEFORE = r"(?:[وف]?[بكل]?(?:ال)?|[وف]?لل)"
_COMPARES = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def search_verbatims(
    opinions: pd.DataFrame, query: str, *, languages: Sequence[str] | None = None, width: int = 60,
    most: int = MOST_HITS,
) -> pd.DataFrame:  # fmt: skip
    """Return where a query stands in the verbatims: keyword in context (KWIC, Luhn 1960), a row a hit.

    opinions: feedback_id, language, verbatim. All words of the query must stand in the verbatim; "words in quotation
    marks" side by side; an asterisk at the end of a word stands for any ending. The query is plain text. It is
    matched in the spelling of each language (case, digits, yeh and kaf, alef, ZWNJ, Arabic marks), in Arabic behind
    the article, prepositions and "and" too, and in Chinese anywhere.
    Columns: feedback_id, language, before, match, after (`width` characters of the verbatim at most, line breaks as
    spaces), start, end (offsets into the verbatim: verbatim[start:end] is what was found). Ordered by feedback_id and
    start; the first `most` rows, and in .attrs the "total" of hits and of "verbatims". An empty query finds nothing.

    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "language": ["en"], "verbatim": ["My parcel came LATE."]})
    >>> search_verbatims(opinions, "late parcel")[["match", "start", "end"]].values.tolist()
    [['parcel', 3, 9], ['LATE', 15, 19]]
    """
    if languages is not None:
        opinions = opinions[opinions["language"].isin(list(languages))]
    opinions = opinions.sort_values("feedback_id")
    patterns = {language: _make_patterns(query, language) for language in sorted(set(opinions["language"]))}
    rows, total, verbatims = [], 0, 0
    columns = (opinions[column] for column in ("feedback_id", "language", "verbatim"))
    for feedback_id, language, verbatim in zip(*columns, strict=True):
        spans = _find_spans(verbatim, language, patterns[language])
        total += len(spans)
        verbatims += bool(spans)
        for start, end in spans[: max(0, most - len(rows))]:
            before = _flatten(verbatim[max(0, start - width) : start])
            after = _flatten(verbatim[end : end + width])
            rows.append((feedback_id, language, before, verbatim[start:end], after, start, end))
    found = pd.DataFrame(rows, columns=list(_COLUMNS))
    found = found.astype({column: "int64" if column in ("start", "end") else "str" for column in _COLUMNS})
    found.attrs = {"total": total, "verbatims": verbatims}
    return found


def narrow_opinions(opinions: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the rows of `opinions` for which a condition holds; "" is all of them.

    where: comparisons of a column with a value (== != < <= > >=), `in` and `not in` with a list, joined by and, or,
    not and brackets: "channel == 'call' and rating <= 2", "language in ['fa', 'ar']", "stage is None" for an empty
    cell. An empty cell equals nothing. It is read, never run: calls, arithmetic, attributes and the like are refused.
    Raises ProgrammeError where it cannot be read, names a column or a value (of a column of words) that there is not,
    or compares words with numbers; the message lists what there is.

    >>> opinions = pd.DataFrame({"channel": ["call", "chat"], "rating": [1, 5]})
    >>> narrow_opinions(opinions, "channel == 'call' and rating <= 2")["channel"].tolist()
    ['call']
    """
    if not where.strip():
        return opinions
    try:
        if len(where) > LONGEST_CONDITION:
            raise ValueError(f"it is longer than {LONGEST_CONDITION} characters")
        condition = ast.parse(where.strip(), mode="eval").body
        return opinions[_read_condition(condition, opinions, where)]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refuse(where, f"it cannot be read: {error}") from error


def _make_patterns(query: str, language: str) -> list[re.Pattern]:
    """Return a pattern for each word or phrase of the query, over the spelling of `_fold`."""
    patterns = []
    query = normalise_text(query.translate(_QUOTES), language) if language in LANGUAGES else query.casefold()
    for quoted, word in _QUERY.findall(query):
        words = [part for part in (quoted or word).split() if part.strip("*")]
        # A Persian word that is tied by a ZWNJ is written with it, with a space, or as one.
        parts = [r"\s?".join(map(re.escape, part.rstrip("*").split(ZWNJ))) for part in words]
        parts = [part + r"\w*" * word.endswith("*") for part, word in zip(parts, words, strict=True)]
        if not parts:
            continue
        if language == "zh":
            patterns.append(re.compile(_BETWEEN_HAN.sub(r"\\s?", r"\s*".join(parts))))
        else:
            before = _AR_BEFORE if language == "ar" else ""
            joined = rf"\W{{1,5}}{before}".join(parts)
            patterns.append(re.compile(rf"(?<!\w){before}{joined}(?!\w)"))
    return patterns


def _find_spans(verbatim: str, language: str, patterns: list[re.Pattern]) -> list[tuple[int, int]]:
    """Return the offsets of all hits, if every pattern has one."""
    text, places = _fold(verbatim, language)
    hits = [[match.span() for match in pattern.finditer(text)] for pattern in patterns]
    if not all(hits):
        return []
    return sorted({(places[start], places[end]) for spans in hits for start, end in spans if start < end})


def _fold(text: str, language: str) -> tuple[str, list[int]]:
    """Return `text` in the spelling of `normalise_text`, without ZWNJ, and for each letter where it stands in `text`.

    One place more than letters: the end. White space stays as it is, since that alone would not move offsets.
    """
    letters: list[str] = []
    places: list[int] = []
    for match in _CLUSTER.finditer(text):
        folded = _fold_letter(match[0], language)
        letters += folded
        places += [match.start()] * len(folded)
    places.append(len(text))
    keep = 2 if language in ("en", "zh") else 1
    kept, run = [], 0
    for place, letter in enumerate(letters):
        run = run + 1 if place and letter == letters[place - 1] else 1
        kept.append(place)
        if run >= 3 and letter.isalpha():
            # The third of a letter shows that it is drawn out: "sooo" is "soo", in other languages "so".
            kept[-1:] = []
            if run == 3 and keep == 1:
                kept.pop()
    return "".join(letters[place] for place in kept), [places[place] for place in kept] + [len(text)]


@lru_cache(maxsize=50_000)
def _fold_letter(letter: str, language: str) -> str:
    if language in LANGUAGES and letter != ZWNJ:
        return " " if letter.isspace() else normalise_text(letter, language)
    return letter.casefold().replace(ZWNJ, "")


def _flatten(text: str) -> str:
    return re.sub(r"\s", " ", text)


def _read_condition(node: ast.expr, opinions: pd.DataFrame, where: str) -> pd.Series:
    """Return the rows for which a parsed condition holds."""
    if isinstance(node, ast.BoolOp):
        masks = [_read_condition(value, opinions, where) for value in node.values]
        return reduce(operator.and_ if isinstance(node.op, ast.And) else operator.or_, masks)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_read_condition(node.operand, opinions, where)
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        steps = zip(node.ops, pairwise(sides), strict=True)
        return reduce(operator.and_, [_compare(op, *pair, opinions, where) for op, pair in steps])
    if isinstance(node, ast.Name) and is_bool_dtype(opinions.get(node.id)):
        return opinions[node.id]
    raise _refuse(where, f"{ast.unparse(node)!r} is not a comparison of a column with a value")


def _compare(op: ast.cmpop, left: ast.expr, right: ast.expr, opinions: pd.DataFrame, where: str) -> pd.Series:
    """Return the rows for which one comparison holds."""
    if isinstance(left, ast.Name) == isinstance(right, ast.Name):
        raise _refuse(
            where, f"{ast.unparse(left)!r} and {ast.unparse(right)!r}: one must be a column, one a value"
        )
    name = left.id if isinstance(left, ast.Name) else right.id
    if name not in opinions:
        raise ProgrammeError(
            f"There is no column {name!r}, in {where!r}.{_suggest(name, opinions.columns)}",
            f"Columns: {', '.join(map(str, opinions.columns))}.",
            "Write one of these; words stand in quotation marks.",
        )
    column, value = opinions[name], _read_value(right if isinstance(left, ast.Name) else left, where)
    if isinstance(op, ast.Is | ast.IsNot) and value is None:
        return column.isna() == isinstance(op, ast.Is)
    if isinstance(op, ast.In | ast.NotIn) and isinstance(value, list) and isinstance(left, ast.Name):
        values = [_fit_value(one, name, column, where, known=True) for one in value]
        return column.isin(values) if isinstance(op, ast.In) else ~column.isin(values)
    if type(op) not in _COMPARES or value is None or isinstance(value, list):
        raise _refuse(where, f"{ast.unparse(ast.Compare(left, [op], [right]))!r} is not such a comparison")
    fitted = _fit_value(value, name, column, where, known=isinstance(op, ast.Eq | ast.NotEq))
    sides = (column, fitted) if isinstance(left, ast.Name) else (fitted, column)
    return _COMPARES[type(op)](*sides).fillna(False).astype(bool)


def _read_value(node: ast.expr, where: str):
    """Return the text, number, None or list of these that a node stands for."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_read_value(element, where) for element in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    else:
        sign = 1
    if isinstance(node, ast.Constant) and (
        isinstance(node.value, int | float) or (sign == 1 and isinstance(node.value, str | None))
    ):
        return node.value if sign == 1 else -node.value
    raise _refuse(
        where, f"{ast.unparse(node)!r} is not a text in quotation marks, a number or a list of these"
    )


def _fit_value(value, name: str, column: pd.Series, where: str, *, known: bool):
    """Return a value as the column has them; an error where it is of another kind, or `known` must be and is not."""
    if is_datetime64_any_dtype(column) and isinstance(value, str):
        stamp = pd.to_datetime(value, errors="coerce", utc=column.dt.tz is not None)
        if pd.notna(stamp):
            return stamp
    numeric = is_numeric_dtype(column)
    if isinstance(value, str) == numeric or is_datetime64_any_dtype(column):
        there = "numbers" if numeric else "dates" if is_datetime64_any_dtype(column) else "words"
        raise _refuse(where, f"{name!r} holds {there}, and {value!r} is none")
    if known and not numeric:
        there = sorted(map(str, column.dropna().unique()))
        if value not in there:
            listed = ", ".join(there[:_MOST_LISTED]) + (
                f" and {len(there) - _MOST_LISTED} more" * (len(there) > _MOST_LISTED)
            )
            raise ProgrammeError(
                f"No row has {name} {value!r}, in {where!r}.{_suggest(value, there)}",
                f"Values of {name}: {listed or 'none'}.",
                "Write one of these.",
            )
    return value


def _suggest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(
        str(word).casefold(), {str(one).casefold(): one for one in known}, n=3, cutoff=0.6
    )
    names = {str(one).casefold(): str(one) for one in known}
    return f" Did you mean {' or '.join(repr(names[one]) for one in near)}?" if near else ""


def _refuse(where: str, why: str) -> ProgrammeError:
    return ProgrammeError(
        f"`where` cannot be used: {why}.",
        f"It says: {where[:200]}",
        "Write comparisons joined by and, or, not, as in: channel == 'call' and rating <= 2.",
    )
