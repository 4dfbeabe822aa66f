"""Finding the patterns of rules in texts: each word is looked up once, and only phrases are searched."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import pandas as pd

from vocwb.languages import ZWNJ, describe_language
from vocwb.understand.spelling import is_latin_bulgarian, join_parts, skeleton_of, spell_text

Hit = tuple[int, int, str, str]
"""A rule found in a text: start, end (in the text as `spell_text` spells it), value, pattern."""
Rule = tuple[str, str]
"""The value and the pattern of a rule."""

_KEPT = 1 << 16  # words whose rules are remembered
_RULE = ("kind", "value", "pattern")
_WORD = re.compile(r"\w+")
# Arabic writes "and", "so", the article and "by", "for", "as" as one word with the noun. Only nouns are
# tried with all of them: لما (when) and كما (as) would else be read as the negation ما with a preposition.
_AR_NOUN = r"(?:[وف]?(?:[بلک]?ال|لل|[بل])?)"
_AR_ANY = r"(?:[وف]?(?:ال)?)"


class Finder(NamedTuple):
    """What finds rules: verbatim -> its spelling for matching, and that spelling -> hits, a list a group of rules."""

    spell: Callable[[str], str]
    find: Callable[[str], list[list[Hit]]]


def make_finder(groups: Sequence[pd.DataFrame], language: str) -> Callable[[str], Finder]:
    """Return verbatim -> the Finder that reads it.

    groups: rules (kind, value, pattern) of one language; each group is matched apart. Of patterns that begin at
    one place the longest counts, and what it covers is not looked at again. In languages with spaces a pattern is a
    whole word, or several; Arabic ones may have the article, conjunctions and, for categories, prepositions
    before them. A pattern that begins with no letter (an emoji) counts wherever it stands.

    >>> rules = pd.DataFrame({"kind": ["polarity"], "value": ["positive"], "pattern": ["good value"]})
    >>> finder = make_finder([rules], "en")("Good value!")
    >>> finder.find(finder.spell("Good value!"))
    [[(0, 10, 'positive', 'good value')]]
    """
    tables = tuple(tuple(sorted(set(zip(*(rules[c] for c in _RULE), strict=True)))) for rules in groups)
    plain = Finder(lambda text: spell_text(text, language), _make_find(tables, language))
    if language != "bg":
        return lambda _: plain
    # Latin letters do not tell all Bulgarian ones apart, so texts in them are compared with patterns made alike.
    latin = Finder(lambda text: skeleton_of(plain.spell(text)), _make_find(tables, language, is_latin=True))
    return lambda verbatim: latin if is_latin_bulgarian(verbatim) else plain


@lru_cache(maxsize=32)
def _make_find(
    tables: tuple[tuple[tuple[str, str, str], ...], ...], language: str, *, is_latin: bool = False
) -> Callable[[str], list[list[Hit]]]:
    """Return spelt text -> hits; it is kept, because making it takes as long as reading a thousand verbatims."""
    spaced = describe_language(language).spaced
    looks, anywhere = [], []
    for group, rules in enumerate(tables):
        known: dict[str, list[Rule]] = {}
        for _, value, pattern in rules:
            spelt = spell_text(pattern, language)
            known.setdefault(skeleton_of(spelt) if is_latin else spelt, []).append((value, pattern))
        bordered = {p for p in known if spaced and re.match(r"\w", p)}
        look_up = _make_look_up(known, language)
        if bordered:
            nouns = any(kind == "category" for kind, _, _ in rules)
            clitics = "" if language != "ar" else _AR_NOUN if nouns else _AR_ANY
            looks.append((group, *_make_word_search(bordered, clitics, look_up)))
        if others := set(known) - bordered:
            anywhere.append((group, _make_search(others, look_up, spaced=spaced)))

    @lru_cache(maxsize=_KEPT)
    def look(word: str) -> tuple[tuple[int, tuple[Rule, ...], Callable | None], ...]:
        found = ((group, one(word), several if opens(word) else None) for group, one, opens, several in looks)
        return tuple(entry for entry in found if entry[1] or entry[2])

    def find(text: str) -> list[list[Hit]]:
        hits, done = [[] for _ in tables], [0] * len(tables)
        for place in _WORD.finditer(text) if looks else ():
            for group, found, several in look(place[0]):
                start, end = place.span()
                if start < done[group]:
                    continue
                if several and (phrase := several(text, start)) and phrase[0] > end:
                    end, found = phrase
                if found:
                    hits[group] += [(start, end, *rule) for rule in found]
                    done[group] = end
        for group, search in anywhere:
            if found := search(text):
                hits[group] = sorted(hits[group] + found)
        return hits

    return find


def _make_search(
    patterns: set[str], look_up: Callable[[str], list[Rule]], *, spaced: bool
) -> Callable[[str], list[Hit]]:
    """Return text -> hits of patterns that count wherever they stand."""
    # The d of ":d" must not begin a word, nor "app" stand inside "happy"; in Chinese any sign is a letter.
    letter = r"\w" if spaced else "[a-z]"
    ends: dict[str, dict[tuple[str, str], set[str]]] = {}
    for pattern in patterns:
        before = rf"(?<!{letter})" if re.match("[a-z]", pattern) else ""
        after = rf"(?!{letter})" if re.search(rf"{letter}$", pattern) else ""
        ends.setdefault(pattern[0], {}).setdefault((before, after), set()).add(pattern)
    # A table of first characters is quicker than one expression of all patterns.
    tries = {
        first: re.compile(
            "|".join(before + _join_patterns(part) + after for (before, after), part in sorted(parts.items()))
        )
        for first, parts in ends.items()
    }
    opening = re.compile(f"[{''.join(map(re.escape, sorted(tries)))}]")

    def search(text: str) -> list[Hit]:
        hits, done = [], 0
        for place in opening.finditer(text):
            start = place.start()
            if start >= done and (match := tries[place[0]].match(text, start)):
                done = match.end()
                hits += [(start, done, *rule) for rule in look_up(match[0])]
        return hits

    return search


def _make_word_search(patterns: set[str], clitics: str, look_up: Callable[[str], list[Rule]]):
    """Return for patterns that are whole words: word -> rules, word -> whether a phrase may begin with it, and
    (text, start) -> where a phrase that begins there ends, and its rules."""
    single = {p.replace(ZWNJ, "") for p in patterns if re.fullmatch(rf"[\w{ZWNJ}]+\*?", p)}
    phrases = {p for p in patterns if not re.fullmatch(r"\w+\*?", p)}
    heads = {_WORD.match(p)[0] for p in phrases}
    never = re.compile(r"(?!)")
    one = re.compile(f"{clitics}({_join_patterns(single)})") if single else never
    head = re.compile(f"{clitics}{_join_patterns(heads)}") if heads else never
    several = re.compile(rf"{clitics}({_join_patterns(phrases)})(?!\w)") if phrases else never

    def find_one(word: str) -> tuple[Rule, ...]:
        match = one.fullmatch(word)
        return tuple(look_up(match[1])) if match else ()

    def find_several(text: str, start: int) -> tuple[int, list[Rule]] | None:
        match = several.match(text, start)
        return (match.end(), look_up(match[1])) if match else None

    return find_one, lambda word: bool(head.fullmatch(word)), find_several


def _make_look_up(known: dict[str, list[Rule]], language: str) -> Callable[[str], list[Rule]]:
    """Return matched text -> its rules: those of the very text, else of the longest beginning that has any ending."""
    exact: dict[str, list[Rule]] = {}
    for spelt, values in known.items():
        exact.setdefault(join_parts(spelt, language), []).extend(values)

    @lru_cache(maxsize=_KEPT)
    def look_up(matched: str) -> list[Rule]:
        text = join_parts(matched, language)
        if text in exact:
            return exact[text]
        ends = (end for end in range(len(text), 0, -1) if f"{text[:end]}*" in exact and " " not in text[end:])
        return exact[f"{text[: next(ends)]}*"]

    return look_up


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
