"""Inflection: which forms are forms of one word, by light rules for each language."""

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from vocwb.languages import ZWNJ

# Longest first, each with the letters that must be left.
_ENDINGS = {
    language: tuple((re.compile(rule), instead) for rule, instead in rules)
    for language, rules in {
        "fa": (
            (rf"(?<=\w\w){ZWNJ}?ها(?:یی?|یم|یت|یش|یمان|یتان|یشان|م|ت|ش|مون|تون|شون)?$", ""),
            (rf"(?<=\w\w){ZWNJ}(?:ای|ام|ات|اش|[مت]ان|شان|[متشی]|تر|ترین|تری)$", ""),
            (r"(?<=\w{3})(?:[متش]ون|[مش]ان|ترین|تر|ات|ش)$", ""),
            (r"(?<=\w{4})[می]$", ""),
        ),
        "ar": (
            (r"(?<=\w{2})(?:ات|ته|تها|تهم|تنا|تكم|تي)$", "ه"),
            (r"(?<=\w{3})(?:ها|هم|هن|نا|كم|ين|ون|ان|ات|وا|يه)$", ""),
            (r"(?<=\w{3})[هيكت]$", ""),
            (r"^(?:و(?=\w{3})|[بلك](?=\w{4}))", ""),
        ),
    }.items()
}
# (a word longer than this, ending, what stands instead): the article, then the plural, then gender, then a vowel
# that comes and goes. Of each group the first that fits is taken.
_BG_ENDINGS = [
    [(shortest, re.compile(f"(?:{ending})$"), instead) for shortest, ending, instead in rules]
    for rules in (
        [(6, "ият", ""), (4, "ът|то|те|та|ия|ят", "")],
        [(6, "овци", "о"), (6, "ове", ""), (6, "еве", "й"), (5, "ища", ""), (5, "ци", "к"), (5, "зи", "г"),
         (4, "си", "х"), (3, "и", "")],
        [(3, "я?[аое]|я", "")],
        [(4, "ен", "н"), (4, "ъ(.)", r"\1")],
    )
]  # fmt: skip


def group_forms(words: Mapping[str, int], language: str) -> dict[str, str]:
    """Return for each word the key that it shares with its other inflected forms, among `words` with their counts.

    English: Snowball's stem (Porter 2001). Bulgarian: the word without definite article, plural and gender
    (Savoy 2007, "Searching strategies for the Bulgarian language"). Persian and Arabic: the word without a
    plural, possessive or verb ending, or an Arabic preposition, if what remains is itself one of `words`, so that
    no root is cut. Chinese words are not inflected. Keys are for counting; people are shown a form of the text.

    >>> forms = group_forms({"refund": 3, "refunds": 1, "refunded": 1}, "en")
    >>> len(set(forms.values()))
    1
    """
    if language == "en":
        return {word: _stem_english(word) for word in words}
    if language == "bg":
        return {word: _stem_bulgarian(word) for word in words}
    return {word: _find_base(word, words, _ENDINGS.get(language, ())) for word in words}


@lru_cache(maxsize=100_000)
def _stem_english(word: str) -> str:
    return _stemmer().stemWord(word)


@cache
def _stemmer():
    import snowballstemmer

    return snowballstemmer.stemmer("english")


def _stem_bulgarian(word: str) -> str:
    """Return the word without article, plural and gender, by the rules of Savoy's light stemmer."""
    for rules in _BG_ENDINGS:
        for shortest, ending, instead in rules:
            if len(word) > shortest and ending.search(word):
                word = ending.sub(instead, word)
                break
    return word


def _find_base(word: str, words: Mapping[str, int], rules: Iterable[tuple[re.Pattern, str]]) -> str:
    """Return what is left of a word when endings are taken off, as long as one of `words` is left."""
    for rule, instead in rules:
        base = rule.sub(instead, word)
        # A word that lost its beginning must be no more frequent than what is left: بعيد (far) is not ب + عيد.
        if base != word and base in words and (not word.endswith(base) or words[base] >= words[word]):
            return _find_base(base, words, rules)
    return word
