"""Coding by rules: which categories a verbatim is about, how it feels, how strongly, and what it asks for."""

import difflib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import groupby

import pandas as pd
import yaml

from vocwb.errors import ProgrammeError
from vocwb.languages import ZWNJ, describe_language, normalise_text
from vocwb.schemas import check_table, empty_table

CATEGORIES = (
    "price", "quality", "delivery", "service", "staff", "usability", "reliability", "billing", "returns",
    "communication", "safety", "choice", "environment",
)  # fmt: skip
OTHER = "other"
"""The category of a verbatim in which no rule finds one."""
CANNOT_TELL = "cannot tell"

KINDS = {
    "category": CATEGORIES,
    "polarity": ("positive", "negative", "neutral"),
    "negation": ("before", "after"),
    "intensifier": ("strong",),
    "ask": ("request", "complaint", "praise", "question"),
}
"""The kinds of rule, and the values of each. A negation stands before or after the word that it turns."""

_REACH = {"before": 3, "after": 2, "strong": 2}
# Each group is matched apart, so that "good value", which is about price, does not swallow "good".
_GROUPS = (("category",), ("polarity", "negation", "intensifier"), ("ask",))
_CLAUSE_END = re.compile(r"[.!?,;…。、،؛؟\n]")
# Arabic writes "and", "so", the article and "by", "for", "as" as one word with the noun. Only nouns are
# tried with all of them: لما (when) and كما (as) would else be read as the negation ما with a preposition.
_AR_NOUN = r"(?:[وف]?(?:[بلک]?ال|لل|[بل])?)"
_AR_ANY = r"(?:[وف]?(?:ال)?)"

Hit = tuple[int, int, str]
"""A rule found in a text: start, end, value."""


def parse_rules(texts: Mapping[str, str]) -> pd.DataFrame:
    """Return the rules of several languages as one table: language, kind, value, pattern.

    texts: language -> YAML text of `kind: {value: [pattern, ...]}`. A pattern is a word or a phrase; `*` at
    its end stands for any ending. `examples` (text, category, polarity) are for tests and give no rules.
    Raises ProgrammeError, naming the language and the key, where a text is not YAML, a kind or a value is
    unknown, a pattern is empty or no text, or a pattern means both positive and negative.

    >>> parse_rules({"en": "polarity: {positive: [good, great*]}"})["pattern"].tolist()
    ['good', 'great*']
    """
    rows, sides = [], {}
    for language in sorted(texts):
        describe_language(language)
        file = f"rules/{language}.yml"
        for kind, values in _read_mapping(texts[language], file).items():
            if kind == "examples":
                continue
            _check_name(kind, [*KINDS, "examples"], f"{file}: {kind!r} is not a kind of rule.")
            for value, patterns in _check_type(values, dict, f"{file}: {kind}").items():
                where = f"{file}: {kind}.{value}"
                _check_name(value, KINDS[kind], f"{where}: {value!r} is not a value of {kind}.")
                for pattern in _check_type(patterns, list, where):
                    rows.append((language, kind, value, _check_pattern(pattern, language, where)))
                    spelt = (language, _fold(_normalise(pattern, language), language))
                    if kind == "polarity" and sides.setdefault(spelt, value) != value:
                        what = f"{where}: {pattern!r} is under {sides[spelt]} too."
                        raise ProgrammeError(what, remedy="Keep it on one side.")
    rules = pd.DataFrame(rows, columns=["language", "kind", "value", "pattern"], dtype="str")
    return rules.drop_duplicates(ignore_index=True)


def code_by_rules(feedback: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Return `codes` of coder "rules": a row for each verbatim and category found, "other" where none is.

    feedback: feedback_id, language, verbatim. rules: as `parse_rules` returns them.
    A verbatim has one polarity, intensity and ask, repeated on its rows. Polarity: words count 1, 2 beside
    an intensifier, and turn round at 0.75 under a negation (at most 3 words before, 2 after, in the same
    clause); "mixed" where the weaker side weighs over half of the stronger. Without such words a complaint
    is negative and praise positive, while a neutral word, a request or a question is "neutral"; else, and in
    languages without rules, "cannot tell". Intensity: 1 + the stronger side's weight + exclamation marks
    (2 at most), from 1 to 5, 1 for neutral, empty where cannot tell. Ask: the first found of request,
    complaint, praise, question. Method: lexicon with negation and intensifiers, after Taboada et al. 2011,
    "Lexicon-based methods for sentiment analysis", Computational Linguistics 37(2).

    >>> rules = parse_rules({"en": "{category: {price: [price*]}, polarity: {negative: [unfair]}}"})
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "language": ["en"], "verbatim": ["Unfair prices!"]})
    >>> code_by_rules(feedback, rules)[["category", "polarity", "intensity"]].values.tolist()
    [['price', 'negative', 3]]
    """
    rows = []
    for language, group in feedback.groupby("language", sort=True):
        own = rules[rules["language"] == language]
        code = _make_coder(own, language) if len(own) else lambda _: ((OTHER,), CANNOT_TELL, None, None)
        for feedback_id, verbatim in zip(group["feedback_id"], group["verbatim"], strict=True):
            categories, *rest = code(verbatim)
            rows += [(feedback_id, "rules", category, *rest) for category in categories]
    if not rows:
        return empty_table("codes")
    codes = pd.DataFrame(rows, columns=list(empty_table("codes").columns))
    codes["intensity"] = codes["intensity"].astype("Int64")
    return check_table("codes", codes.sort_values(["feedback_id", "category"], ignore_index=True))


def _make_coder(rules: pd.DataFrame, language: str) -> Callable[[str], tuple]:
    """Return verbatim -> (categories, polarity, intensity, ask) by the rules of one language."""
    parts = (rules[rules["kind"].isin(kinds)] for kinds in _GROUPS)
    categories, feelings, asks = (_make_matcher(part, language) for part in parts)

    @cache
    def code(verbatim: str) -> tuple:
        text = _normalise(verbatim, language)
        found, asked = ({value for _, _, value in find(text)} for find in (categories, asks))
        ask = next((value for value in KINDS["ask"] if value in asked), None)
        weights, neutral = _weigh(text, list(feelings(text)), describe_language(language).spaced)
        return tuple(sorted(found)) or (OTHER,), *_judge(text, weights, neutral, ask), ask

    return code


def _judge(text: str, weights: dict[str, float], neutral: bool, ask: str | None) -> tuple[str, int | None]:
    weak, strong = sorted(weights.values())
    if not strong and ask in ("complaint", "praise"):
        weights["negative" if ask == "complaint" else "positive"] = strong = 1
    if not strong:
        return ("neutral", 1) if neutral or ask else (CANNOT_TELL, None)
    polarity = "mixed" if weak > strong / 2 else max(weights, key=weights.__getitem__)
    return polarity, min(5, int(1 + strong + min(2, text.count("!"))))


def _weigh(text: str, hits: list[Hit], spaced: bool) -> tuple[dict[str, float], bool]:
    """Return the weight of each side, and whether a neutral word stands in the text."""
    words = [hit for hit in hits if hit[2] in ("positive", "negative")]
    starts = [word[0] for word in words]

    def is_near(left: int, right: int, reach: int) -> bool:
        distance = text.count(" ", left, right) if spaced else right - left
        return distance <= reach and not _CLAUSE_END.search(text, left, right)

    turned, stressed = set(), set()
    for start, end, value in hits:
        # Only the nearest word of each side counts: "not expensive but good" praises twice.
        following, preceding = bisect_left(starts, end), bisect_left(starts, start) - 1
        marked = stressed if value == "strong" else turned
        if value in ("before", "strong") and following < len(words):
            marked.update([following] if is_near(end, starts[following], _REACH[value]) else [])
        if value in ("after", "strong") and preceding >= 0:
            marked.update([preceding] if is_near(words[preceding][1], start, _REACH[value]) else [])
    sides = {"positive": 0.0, "negative": 0.0}
    for n, (_, _, side) in enumerate(words):
        if n in turned:
            sides["negative" if side == "positive" else "positive"] += 0.75
        else:
            sides[side] += 2.0 if n in stressed else 1.0
    return sides, any(value == "neutral" for _, _, value in hits)


def _make_matcher(rules: pd.DataFrame, language: str) -> Callable[[str], Iterable[Hit]]:
    """Return text -> hits, by one regular expression; where several patterns fit, the longest counts."""
    spellings, exact = set(), {}
    for value, pattern in zip(rules["value"], rules["pattern"], strict=True):
        spellings.add(spelt := _normalise(pattern, language))
        exact.setdefault(_fold(spelt, language), set()).add(value)
    bordered = {p for p in spellings if describe_language(language).spaced and re.match(r"\w", p)}
    before = "" if language != "ar" else _AR_NOUN if rules["kind"].eq("category").any() else _AR_ANY
    options = [rf"(?<!\w){before}({_join_patterns(bordered)})(?!\w)"] if bordered else []
    options += [f"({_join_patterns(spellings - bordered)})"] if spellings - bordered else []
    expression = re.compile("|".join(options) or r"(?!)")
    prefixes = sorted((p[:-1] for p in exact if p.endswith("*")), key=len, reverse=True)

    @cache
    def look_up(matched: str) -> set[str]:
        text = _fold(matched, language)
        if text in exact:
            return exact[text]
        return exact[next(p for p in prefixes if text.startswith(p) and " " not in text[len(p) :]) + "*"]

    def find(text: str) -> Iterable[Hit]:
        for match in expression.finditer(text):
            for value in look_up(match[match.lastindex]):
                yield match.start(), match.end(), value

    return find


def _join_patterns(patterns: Iterable[str]) -> str:
    """Return a regular expression of all patterns that shares what they begin with, so that it is fast."""
    patterns = sorted(patterns)
    tails = [p for p in patterns if p and p != "*"]
    options = [
        ("[ \u200c]?" if first == ZWNJ else re.escape(first)) + _join_patterns(p[1:] for p in group)
        for first, group in groupby(tails, key=lambda p: p[0])
    ]
    options += [rf"[\w{ZWNJ}]*"] if "*" in patterns else []
    options += [""] if "" in patterns else []
    return options[0] if len(options) == 1 else f"(?:{'|'.join(options)})"


def _normalise(text: str, language: str) -> str:
    return normalise_text(text, language).replace("’", "'").strip()


def _fold(text: str, language: str) -> str:
    """Return a key of a matched text: Persian compounds are written with a ZWNJ, a space or joined."""
    return text.replace(ZWNJ, "").replace(" ", "") if language == "fa" else text


def _read_mapping(text: str, file: str) -> dict:
    try:
        node, values = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise ProgrammeError(f"{file} line {line}: not YAML.", remedy="Mend that line.") from error
    _check_type(values, dict, file)
    for mapping in (node, *(value for _, value in node.value if isinstance(value, yaml.MappingNode))):
        keys = [key.value for key, _ in mapping.value]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ProgrammeError(f"{file}: key {twice[0]!r} stands twice.", remedy="Make one list of both.")
    return values


def _check_type(found: object, wanted: type, where: str):
    if not isinstance(found, wanted):
        what = f"{where}: empty, or not a {'list of patterns' if wanted is list else 'list of key: value'}."
        raise ProgrammeError(what, remedy="Write: kind: {value: [word, two words, prefix*]}")
    return found


def _check_name(name: object, known: Iterable[str], what: str) -> None:
    if name not in (known := list(known)):
        near = difflib.get_close_matches(str(name), known, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "Use one of these."
        raise ProgrammeError(what, f"There are: {', '.join(known)}.", remedy)


def _check_pattern(pattern: object, language: str, where: str) -> str:
    if not isinstance(pattern, str):
        remedy = "Put it in quotes: YAML reads no, yes, on, off and numbers as something else."
        raise ProgrammeError(f"{where}: {pattern!r} is not a text.", remedy=remedy)
    if not (bare := _normalise(pattern.removesuffix("*"), language)) or "*" in bare:
        remedy = "Remove it; a pattern is a word or phrase, and * may stand only at its end."
        raise ProgrammeError(f"{where}: {pattern!r} is an empty pattern or has * inside.", remedy=remedy)
    return pattern
