"""Phrases: neighbouring words that are one term, how people write a term, and which spellings are one."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from vocwb.languages import Word, describe_language, normalise_text

_EXPLAINS = 0.5
_STANDS_FOR = 0.3
_IS_HALF = 0.7
_ARABIC_WORD = re.compile(r"[\u0621-\u064a]+")


def list_grams(words: list[Word], keys: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of the words and of two to four neighbours in a text, each as first written there.

    keys: token -> the key that its forms share (`group_forms`). Words with digits are left out and part neighbours.

    >>> late, buses = Word("late", "late", False), Word("buses", "buses", True)
    >>> list_grams([late, buses], {"late": "late", "buses": "bus"})
    {'late': 'late', 'bus': 'buses', 'late bus': 'late buses'}
    """
    grams: dict[str, str] = {}
    run: list[Word] = []
    for word in words:
        if any(map(str.isdigit, word.token)):
            run = []
            continue
        run = [*run[-3:], word] if word.follows else [word]
        grams.setdefault(keys[word.token], word.token)
        for size in range(2, len(run) + 1):
            parts = run[-size:]
            written = " ".join(part.written for part in parts)
            # The Arabic "and" is written with the first word and is no part of the phrase.
            bare = written[1:] if written[0] == "و" and parts[0].token[0] != "و" else written
            grams.setdefault(" ".join(keys[part.token] for part in parts), bare)
    return grams


def join_phrases(
    words: list[str], said: Mapping[str, float], everywhere: Mapping[str, float], least: float
) -> list[str]:
    """Return the words of a topic, best first, where a phrase stands instead of the words that it explains.

    said: texts of the topic that have a word or phrase; everywhere: texts of all topics. A phrase explains a word
    when at least half of all texts with the word have the phrase, and takes its place if `least` texts of the
    topic say it. Other words of the phrase go too where it is 30% of them in the topic; a word that stays as a
    term of its own ("flight") is in one phrase at most ("flight attendant"), and of others the explained word is
    shown. A phrase has two or three words; what is 70% or more within a longer one is half of it and is none, so
    that the pieces of one sentence that many send do not pass for phrases.

    >>> said = {"pass": 9, "boarding": 12, "boarding pass": 9}
    >>> join_phrases(["boarding", "pass"], said, said, 2)
    ['boarding pass']
    """
    rank = {word: place for place, word in enumerate(words)}
    longer: Counter = Counter()
    for name, count in everywhere.items():
        if name.count(" ") > 1:
            for half in (name.rpartition(" ")[0], name.partition(" ")[2]):
                longer[half] = max(longer[half], count)
    phrases = []
    for name, count in said.items():
        parts = set(name.split(" "))
        if (
            len(parts) < 2
            or name.count(" ") > 2
            or count < least
            or longer[name] >= _IS_HALF * everywhere[name]
        ):
            continue
        shares = {part: everywhere[name] / everywhere[part] for part in parts if part in rank}
        explained = {part for part, share in shares.items() if share >= _EXPLAINS}
        absorbed = {part for part in shares if part in explained or count >= _STANDS_FOR * said[part]}
        if explained:
            phrases.append(
                (min(rank[part] for part in explained), -count, name, absorbed, shares.keys() - absorbed)
            )
    instead: dict[str, str] = {}
    used: set[str] = set()
    for *_, name, absorbed, staying in sorted(phrases, key=lambda phrase: phrase[:3]):
        if absorbed.isdisjoint(instead) and staying.isdisjoint(used):
            instead |= dict.fromkeys(sorted(absorbed), name)
            used |= staying
    return list(dict.fromkeys(instead.get(word, word) for word in words))


def write_terms(
    names: list[str], grams: list[dict[str, str]], texts: Iterable[str], language: str
) -> list[str]:
    """Return each key as it is most often written in the texts of a topic, whose `list_grams` are `grams`.

    >>> write_terms(["bus"], [{"bus": "buses"}, {"bus": "bus"}, {"bus": "buses"}], [], "en")
    ['buses']
    """
    forms = {name: Counter(gram[name] for gram in grams if name in gram) for name in names}
    shown = [min(forms[name], key=lambda form: (-forms[name][form], form)) for name in names]
    if language == "ar":
        spelling = _spell_arabic(texts, {word for form in shown for word in form.split(" ")})
        shown = [" ".join(spelling.get(word, word) for word in form.split(" ")) for form in shown]
    return shown if describe_language(language).spaced else [form.replace(" ", "") for form in shown]


def drop_variants(terms: list[str]) -> list[str]:
    """Return the terms without those that only spell a better placed one otherwise: by a space or one letter.

    >>> drop_variants(["wifi", "cancelled", "wi fi", "canceled", "late", "rate"])
    ['wifi', 'cancelled', 'late', 'rate']
    """
    kept: dict[str, str] = {}
    for term in terms:
        bare = re.sub(r"\W", "", term)
        if not any(bare == other or (len(bare) > 5 and _differ_by_one(bare, other)) for other in kept):
            kept[bare] = term
    return list(kept.values())


def _differ_by_one(first: str, second: str) -> bool:
    """Tell whether one letter added, left out or changed, but not the first, makes one word of the other."""
    first, second = sorted((first, second), key=len)
    if len(second) - len(first) > 1 or first[:1] != second[:1]:
        return False
    pairs = zip(first, second, strict=False)
    same = next((place for place, (one, other) in enumerate(pairs) if one != other), len(first))
    return first[same + (len(first) == len(second)) :] == second[same + 1 :]


def _spell_arabic(texts: Iterable[str], words: set[str]) -> dict[str, str]:
    """Return each word as people most often write it: أسعار for اسعار, خدمة for خدمه."""
    found = Counter(word for text in texts for word in set(_ARABIC_WORD.findall(text)))
    written: Counter = Counter()
    for word, count in found.items():
        for form in {word, word.removeprefix("و"), word.removeprefix("ال"), word.removeprefix("وال")}:
            written[form] += count
    best: dict[str, tuple[int, str]] = {}
    for form, count in written.items():
        word = normalise_text(form, "ar")
        if word in words:
            best[word] = max(best.get(word, (0, "")), (count, form))
    return {word: form for word, (_, form) in best.items()}
