"""Coding by rules: which categories a verbatim is about, how it feels, how strongly, and what it asks for."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from vocwb.languages import describe_language
from vocwb.schemas import check_table, empty_table
from vocwb.understand.matching import Finder, Hit, make_finder
from vocwb.understand.rules import CANNOT_TELL as CANNOT_TELL
from vocwb.understand.rules import CATEGORIES as CATEGORIES
from vocwb.understand.rules import KINDS as KINDS
from vocwb.understand.rules import OTHER as OTHER
from vocwb.understand.rules import parse_rules as parse_rules
from vocwb.understand.spans import split_spans

GROUPS = (("category",), ("polarity", "negation", "intensifier"), ("ask",))
"""The kinds of rule that are matched together: "good value", which is about price, does not swallow "good"."""

_REACH = {"before": 3, "after": 2, "strong": 2, "weak": 2}
_FACTORS = {"strong": 2.0, "weak": 0.5}
_TURNED = 0.75
_CLAUSE_END = re.compile(r"[.!?,;…。、،؛؟\n]")

Weight = tuple[Hit, str, float]
"""A word that feels, its side ("positive" or "negative") after negations, and how much it weighs."""


Place = tuple[int | None, int | None, str | None]
"""Where a verbatim speaks of a category: start, end and the polarity there."""
NOWHERE: Place = (None, None, None)


class Reading(NamedTuple):
    """What rules find in a verbatim; intensity is None if it cannot be told, ask if there is none."""

    places: dict[str, Place]
    polarity: str
    intensity: int | None
    ask: str | None


class _Found(NamedTuple):
    """A text in the spelling in which it was searched, and the rules found in it."""

    text: str
    categories: list[Hit]
    feelings: list[Hit]
    asks: list[Hit]
    weights: list[Weight]


def code_by_rules(feedback: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Return `codes` of coder "rules": a row for each verbatim and category found, "other" where none is.

    feedback: feedback_id, language, verbatim. rules: as `parse_rules` returns them.
    A verbatim has one polarity, intensity and ask, repeated on its rows. Polarity: words count 1, 2 beside
    an intensifier, half beside a weakening one, and turn round at 0.75 under a negation (at most 3 words before,
    2 after, in the same clause); "mixed" where the weaker side weighs over half of the stronger. Without such words
    a complaint is negative and praise positive, while a neutral word, a request or a question is "neutral"; else,
    and in languages without rules, "cannot tell". Intensity: 1 + the stronger side's weight + exclamation marks
    (2 at most), from 1 to 5, 1 for neutral, empty where cannot tell. Ask: the first found of request,
    complaint, praise, question. start, end: the sentence or clause (`spans.split_spans`) that speaks of the category;
    of several the first whose own polarity can be told, which is span_polarity; empty for "other" and for what stands
    in no single one. probability is empty: rules give none. Method: lexicon with negation and intensifiers, after
    Taboada et al. 2011, "Lexicon-based methods for sentiment analysis", Computational Linguistics 37(2).

    >>> rules = parse_rules({"en": "{category: {price: [price*]}, polarity: {negative: [unfair]}}"})
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "language": ["en"], "verbatim": ["Unfair prices!"]})
    >>> code_by_rules(feedback, rules)[["category", "polarity", "intensity", "start", "end"]].values.tolist()
    [['price', 'negative', 3, 0, 14]]
    """
    rows = []
    for language, group in feedback.groupby("language", sort=True):
        read = _make_reader(rules, language)
        for feedback_id, verbatim in zip(group["feedback_id"], group["verbatim"], strict=True):
            places, *whole = read(verbatim)
            rows += [
                (feedback_id, "rules", category, *whole, *place, None) for category, place in places.items()
            ]
    if not rows:
        return empty_table("codes")
    codes = pd.DataFrame(rows, columns=list(empty_table("codes").columns))
    codes = codes.astype(dict.fromkeys(("intensity", "start", "end"), "Int64"))
    return check_table("codes", codes.sort_values(["feedback_id", "category"], ignore_index=True))


def code_mentions(mentions: pd.DataFrame, opinions: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Return how each topic is spoken of in its own span: feedback_id, topic, start, end, polarity, intensity.

    mentions: feedback_id, topic, start, end; opinions: feedback_id, language, verbatim; mentions of verbatims that
    are not among the opinions are left out. Polarity and intensity are those of `code_by_rules` for the span read
    alone. Sorted by feedback_id and topic.

    >>> rules = parse_rules({"en": "polarity: {positive: [kind], negative: [cold]}"})
    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "language": ["en"], "verbatim": ["Cold food, kind staff"]})
    >>> mentions = pd.DataFrame({"feedback_id": "f", "topic": ["T1", "T2"], "start": [0, 11], "end": [10, 21]})
    >>> code_mentions(mentions, opinions, rules)[["topic", "polarity"]].values.tolist()
    [['T1', 'negative'], ['T2', 'positive']]
    """
    columns = ["feedback_id", "topic", "start", "end"]
    spans = mentions[columns].merge(opinions[["feedback_id", "language", "verbatim"]], on="feedback_id")
    spans = spans.drop_duplicates().sort_values(columns, ignore_index=True)
    readers = {language: _make_reader(rules, language) for language in spans["language"].unique()}
    places = zip(spans["language"], spans["verbatim"], spans["start"], spans["end"], strict=True)
    found = [readers[language](verbatim[start:end]) for language, verbatim, start, end in places]
    return spans[columns].assign(
        polarity=pd.Series([one.polarity for one in found], dtype="str"),
        intensity=pd.array([one.intensity for one in found], dtype="Int64"),
    )


def add_bipolar(codes: pd.DataFrame) -> pd.DataFrame:
    """Return codes with `bipolar`, polarity and intensity on one scale: 1 very negative, 3 neither, 5 very positive.

    Needs polarity and intensity. Positive of intensity 4 and 5 is 5 and below 4, negative likewise 1 and 2, neutral
    and mixed 3; empty where the polarity cannot be told or a side has no intensity. It is a view, never stored: how
    the articles that ask for "1 to 5" meant it, on one scale or two, cannot be told from them.

    >>> codes = pd.DataFrame({"polarity": ["negative", "mixed", "positive"], "intensity": [5, 5, 2]})
    >>> add_bipolar(codes)["bipolar"].tolist()
    [1, 3, 4]
    """
    side = codes["polarity"].map({"positive": 1, "negative": -1}).astype("Int64")
    steps = 1 + (codes["intensity"].astype("Int64") >= 4).astype("Int64")
    neither = codes["polarity"].isin(["neutral", "mixed"])
    return codes.assign(bipolar=(3 + side * steps).mask(neither, 3))


def score_polarity(texts: Iterable[str], rules: pd.DataFrame, *, language: str) -> np.ndarray:
    """Return how positive each text is by its words: the weight of the positive side minus the negative, float64.

    Weights are those of `code_by_rules`; 0 where both sides weigh the same, where no word is found, and in a
    language without rules.

    >>> rules = parse_rules({"en": "{polarity: {positive: [good]}, negation: {before: [not]}}"})
    >>> score_polarity(["good", "not good", "a bus"], rules, language="en").tolist()
    [1.0, -0.75, 0.0]
    """
    own = rules[(rules["language"] == language) & rules["kind"].isin(GROUPS[1])]
    if own.empty:
        return np.zeros(len(list(texts)))
    choose, spaced = make_finder([own], language), describe_language(language).spaced
    scores = []
    for verbatim in texts:
        finder = choose(verbatim)
        text = finder.spell(verbatim)
        sides = _sum_sides(weigh_words(text, finder.find(text)[0], spaced=spaced))
        scores.append(sides["positive"] - sides["negative"])
    return np.array(scores, dtype=float)


def weigh_words(text: str, hits: list[Hit], *, spaced: bool = True) -> list[Weight]:
    """Return the words that feel among the hits of a text, each with its side after negations and its weight.

    text: as `matching.make_finder` returns it with the hits. spaced: whether the language writes spaces, so that
    distances are counted in words, not in characters.

    >>> weigh_words("not good", [(0, 3, "before", "not"), (4, 8, "positive", "good")])
    [((4, 8, 'positive', 'good'), 'negative', 0.75)]
    """
    words = [hit for hit in hits if hit[2] in ("positive", "negative")]
    starts = [word[0] for word in words]
    turned, factors = set(), [1.0] * len(words)

    def is_near(left: int, right: int, reach: int) -> bool:
        distance = text.count(" ", left, right) if spaced else right - left
        return distance <= reach and not _CLAUSE_END.search(text, left, right)

    for start, end, value, _ in hits:
        if value not in _REACH:
            continue
        # Only the nearest word of each side counts: "not expensive but good" praises twice.
        following, preceding = bisect_left(starts, end), bisect_left(starts, start) - 1
        near = []
        if value != "after" and following < len(words) and is_near(end, starts[following], _REACH[value]):
            near.append(following)
        if value != "before" and preceding >= 0 and is_near(words[preceding][1], start, _REACH[value]):
            near.append(preceding)
        for place in near:
            if value in _FACTORS:
                factors[place] = _FACTORS[value]
            else:
                turned.add(place)
    other = {"positive": "negative", "negative": "positive"}
    return [
        (word, other[word[2]], _TURNED) if place in turned else (word, word[2], factors[place])
        for place, word in enumerate(words)
    ]


def _sum_sides(weights: list[Weight]) -> dict[str, float]:
    sides = {"positive": 0.0, "negative": 0.0}
    for _, side, weight in weights:
        sides[side] += weight
    return sides


def _make_reader(rules: pd.DataFrame, language: str) -> Callable[[str], Reading]:
    """Return verbatim -> what the rules of its language find in it."""
    own = rules[rules["language"] == language]
    if own.empty:
        return lambda _: Reading({OTHER: NOWHERE}, CANNOT_TELL, None, None)
    choose = make_finder([own[own["kind"].isin(kinds)] for kinds in GROUPS], language)
    spaced = describe_language(language).spaced

    def search(finder: Finder, text: str) -> _Found:
        categories, feelings, asks = finder.find(text)
        return _Found(text, categories, feelings, asks, weigh_words(text, feelings, spaced=spaced))

    @cache
    def read(verbatim: str) -> Reading:
        finder = choose(verbatim)
        found = search(finder, finder.spell(verbatim))
        whole = _judge(found)
        if not found.categories:
            return Reading({OTHER: NOWHERE}, *whole)
        places = dict.fromkeys(sorted({hit[2] for hit in found.categories}), NOWHERE)
        spans = split_spans(verbatim, language)
        if len(spans) == 1:
            return Reading(dict.fromkeys(places, (*spans[0], whole[0])), *whole)
        text, bounds = "", []
        for at, (start, end) in enumerate(spans):
            text += " " if at and start > spans[at - 1][1] else ""
            bounds.append((len(text), len(text := text + finder.spell(verbatim[start:end]))))
        found = found if text == found.text else search(finder, text)
        return Reading(places | _place_categories(found, spans, bounds), *whole)

    return read


def _place_categories(
    found: _Found, spans: list[tuple[int, int]], bounds: list[tuple[int, int]]
) -> dict[str, Place]:
    """Return where each category is spoken of; bounds are those of the spans in the text as it was searched."""
    places: dict[str, Place] = {}
    for span, (left, right) in zip(spans, bounds, strict=True):
        categories, *others = ([hit for hit in hits if left <= hit[0] < right] for hits in found[1:4])
        if not categories:
            continue
        weights = [weight for weight in found.weights if left <= weight[0][0] < right]
        polarity = _judge(_Found(found.text[left:right], categories, *others, weights))[0]
        for category in {hit[2] for hit in categories}:
            if category not in places or places[category][2] == CANNOT_TELL != polarity:
                places[category] = (*span, polarity)
    return places


def _judge(found: _Found) -> tuple[str, int | None, str | None]:
    """Return polarity, intensity and ask of a text."""
    asked = {hit[2] for hit in found.asks}
    ask = next((value for value in KINDS["ask"] if value in asked), None)
    sides = _sum_sides(found.weights)
    weak, strong = sorted(sides.values())
    if not strong and ask in ("complaint", "praise"):
        sides["negative" if ask == "complaint" else "positive"] = strong = 1
    if not strong:
        neutral = ask or any(hit[2] == "neutral" for hit in found.feelings)
        return ("neutral", 1, ask) if neutral else (CANNOT_TELL, None, ask)
    polarity = "mixed" if weak > strong / 2 else max(sides, key=sides.__getitem__)
    return polarity, min(5, int(1 + strong + min(2, found.text.count("!")))), ask
