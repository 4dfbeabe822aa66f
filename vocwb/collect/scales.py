"""Tells on which scale a column of scores was likely asked, and by which metric it is reported."""

import re
from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import parse_numbers
from vocwb.collect.column_words import is_question, means

_OF = r"(?:/|out of|из|от|из|از|من)\s*([\d٠-٩۰-۹]{1,3})(?:\D|$)"
_WORDED = re.compile(
    r"\b(?:very|extremely|somewhat|strongly|not at all|neither|completely|slightly|fairly)\b.{0,30}\b(?:satisf\w+"
    r"|dissatisf\w+|likely|unlikely|agree|disagree|easy|difficult|happy|unhappy|good|bad|poor)|\b(?:dis)?agree\b"
    r"|\bexcellent\b|\b(?:dis)?satisfied\b|\b(?:not )?recommended\b|промотьор|доволен|съгласен|很满意|滿意|满意|非常"
    r"|راضی|موافق|راض",
    re.I,
)
_IN_STARS = re.compile(r"(?i)\bstars\b|نجوم|ستاره|звезди|星级|星級|星数|星數")


class Scale(NamedTuple):
    """The ends of a scale, its metric, and by what it was told, with the doubt."""

    low: float
    high: float
    metric: str
    evidence: str
    doubt: str
    rank: float


def is_worded(values: pd.Series) -> bool:
    """Return whether few different answers stand for steps of a scale in words ("Very satisfied").

    >>> is_worded(pd.Series(["Very satisfied", "Dissatisfied", "Neither"]))
    True
    """
    different = values.dropna().unique()
    if not 3 <= len(different) <= 11 or parse_numbers(values).notna().mean() > 0.5:
        return False
    return sum(_WORDED.search(text) is not None for text in different) * 2 >= len(different)


def guess_scale(name: str, values: pd.Series) -> Scale | None:
    """Return the scale on which the answers of a column were likely asked, None if it is no column of scores.

    Needs the answers as text, missing ones left out. A column of two values, or of -1, 0 and 1, is a label
    and no score; so is what its name says to be a count, a class or a sentiment. NPS is told by the name
    and a scale that really reaches from 0 to 10 (Reichheld 2003): one that ends at 6 is never NPS, and 1-10
    is another scale.

    >>> guess_scale("How likely are you to recommend us?", pd.Series(list("0123456789") + ["10"]))[:3]
    (0, 10, 'nps')
    """
    numbers = parse_numbers(values)
    if len(values) == 0 or numbers.notna().mean() <= 0.95:
        return None
    shares = numbers.value_counts(normalize=True)
    seen = sorted(shares[shares >= 0.005].index)  # a few answers off the scale do not widen it
    other = (means(name, "count") or means(name, "class")) and not _IN_STARS.search(name)
    named = means(name, "score") and (not other or is_question(name))
    if not seen or seen[0] < 0 or len(seen) < 3 or (other and not named):
        return None
    top, whole = seen[-1], all(step == int(step) for step in seen)
    out_of = parse_numbers(values.astype("str").str.extract(_OF, expand=False).dropna())
    said = re.search(r"\b([01])\s?(?:-|–|to|до|تا|إلى|至|到)\s?(10|[4-7]|100)\b", name)
    exact = seen in ([1, 2, 3, 4, 5], [*range(11)], [*range(1, 11)], [1, 2, 3, 4, 5, 6, 7])
    if not named and not exact and not said and out_of.empty:
        return None
    if top > 100 or (top > 10 and (not named or (whole and len(seen) < 5))) or (len(seen) > 21 and not named):
        return None
    doubts = [] if named else ["its name does not say that it is a score"]
    evidence = f"values {seen[0]:g} to {top:g}" + (
        "" if whole else ", in half steps" if _halves(seen) else ", decimals"
    )
    low, high = (int(seen[0] >= 1), next(end for end in (5, 7, 10, 100) if top <= end))
    if top in (3, 4, 6) and whole and seen == [*range(int(seen[0]), int(top) + 1)] and len(values) >= 50:
        high = top
        doubts.append(f"no {top + 1:g} among {len(values)}: was the scale {low}-{top:g}?")
    if high == 7 and whole and (numbers > 5).mean() < 0.08:
        doubts.append(f"only {(numbers > 5).mean():.0%} are above 5: are 6 and 7 codes for no answer?")
    if said:
        low, high = int(said[1]), max(int(said[2]), high if top > int(said[2]) else 0)
    elif len(out_of) and out_of.nunique() == 1 and float(out_of.iloc[0]) >= top:
        high = float(out_of.iloc[0])
    metric = next((kind for kind in ("nps", "loyalty", "csat", "ces") if means(name, kind)), "rating")
    if high == 10 and seen[0] > 1 and not said:
        low = 0
        doubts.append("neither 0 nor 1 was given: was it 0-10 or 1-10?")
    if metric == "nps":
        low, high, metric, doubt = _settle_nps(numbers, low, high, said is not None)
        doubts += doubt
    elif (low, high) == (1, 10):
        doubts.append("1-10 is not the 0-10 of NPS")
    elif low == 0 and high == 5 and whole:
        doubts.append("does 0 mean no answer?")
    if (outside := shares[shares < 0.005].index).size and (outside.max() > high or outside.min() < low):
        doubts.append(
            f"a few answers are off it, like {outside.max() if outside.max() > high else outside.min():g}"
        )
    rank = 3 * means(name, "main_score") + 2 * (metric == "nps") + named
    return Scale(low, high, metric, evidence, "; ".join(doubts), rank)


def _settle_nps(
    numbers: pd.Series, low: float, high: float, said: bool
) -> tuple[float, float, str, list[str]]:
    """Take for NPS only what can be 0-10."""
    top, zeros, ones = numbers.max(), (numbers == 0).sum(), (numbers == 1).sum()
    if top <= 6 or high in (5, 6, 7):
        return low, high, "rating", [f"no answer above {top:g}: this is not the 0-10 scale of NPS"]
    if zeros == 0 and (ones > 2 or (said and low == 1)):
        return 1, 10, "rating", ["no 0 was ever given, and 1-10 is not the 0-10 of NPS: how was it asked?"]
    doubt = [] if zeros else ["no 0 was ever given: was it asked on 0-10?"]
    return 0, 10, "nps", doubt


def _halves(seen: list[float]) -> bool:
    return all(step * 2 == int(step * 2) for step in seen)
