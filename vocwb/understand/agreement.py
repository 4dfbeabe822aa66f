"""Agreement: how far two who coded the same verbatims coded them alike, beyond what chance would give."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import norm as normal

from vocwb.errors import VocwbError
from vocwb.stats import FEWEST_FOR_PERCENTAGES, TOO_FEW, TOO_FEW_TO_SHOW

HUMAN = "human:"
"""What the name of a coder begins with who is a person."""
ADJUDICATED, SETTLED = f"{HUMAN}adjudicated", f"{HUMAN}settled"
"""Codes that people made together, not one of them alone: of coding_sample.gather_human_codes and settle_codes."""
RERUN = " (rerun)"
NO_ASK = "none"
TOGETHER = " + "

RELIABLE, TENTATIVE, UNRELIABLE = "reliable", "tentative", "not reliable"
ALL_ALIKE, NO_VARIATION = "no disagreement", "no variation"

LEVELS = ("nominal", "ordinal", "interval")
_COLUMNS = ["language", "coder_a", "coder_b", "variable", "alpha", "low", "high", "n", "used", "agreed", "agreement",
            "verdict"]  # fmt: skip
_MOST_UNDEFINED = 0.025  # beyond it the 2.5% limit could lie among the resamples that have no alpha


def krippendorff_alpha(values, *, level: str) -> float:
    """Return Krippendorff's alpha of values, a row a unit and a column a coder; 1 is full agreement, 0 is chance.

    Missing values (NaN, None) are left out, and so are units that fewer than two have coded. NaN where nothing
    varies or no unit was coded twice. level: "nominal" (values are names), "ordinal" or "interval" (numbers);
    VocwbError for another. Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".

    >>> round(krippendorff_alpha([["a", "a"], ["b", "b"], ["b", "a"], ["a", None]], level="nominal"), 3)
    0.444
    """
    patterns, counts, known = _find_patterns(values, level)
    return float(_compute_alphas(patterns, counts[None, :].astype(float), known, level)[0])


def alpha_interval(values, *, level: str, seed: int, resamples: int = 1000) -> tuple[float, float, float]:
    """Return alpha, low and high (95%) of values as krippendorff_alpha takes them, by the bootstrap over units.

    BCa (Efron 1987, JASA 82) on resampled units (Zapf et al. 2016, BMC Medical Research Methodology 16:93). Units
    with the same codes are alike, so their numbers are drawn, and 2,000 units cost as little as 20. Limits are NaN
    where no resample differs, as in full agreement; all three are NaN where over 2.5% of the resamples have no
    alpha, which is so of a code that was used fewer than about four times.

    >>> values = [["a", "a"], ["b", "b"], ["a", "b"], ["b", "b"]] * 20
    >>> [round(x, 1) for x in alpha_interval(values, level="nominal", seed=1)]
    [0.5, 0.3, 0.7]
    """
    patterns, counts, known = _find_patterns(values, level)
    alpha = _compute_alphas(patterns, counts[None, :].astype(float), known, level)[0]
    if np.isnan(alpha):
        return np.nan, np.nan, np.nan
    size = counts.sum()
    drawn = np.random.default_rng(seed).multinomial(size, counts / size, size=resamples).astype(float)
    found = _compute_alphas(patterns, drawn, known, level)
    if np.isnan(found).mean() > _MOST_UNDEFINED:
        return np.nan, np.nan, np.nan
    found = found[~np.isnan(found)]
    if found.max() - found.min() < 1e-12:
        return float(alpha), np.nan, np.nan
    left_out = _compute_alphas(patterns, counts - np.eye(len(counts)), known, level)
    low, high = np.quantile(found, _place_limits(found, alpha, left_out, counts))
    return float(alpha), float(low), float(high)


def _place_limits(found: np.ndarray, alpha: float, left_out: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return which quantiles of the resamples are BCa's limits; left_out: alpha without one unit of each pattern."""
    below = ((found < alpha).sum() + (found == alpha).sum() / 2) / len(found)
    bias = normal.ppf(np.clip(below, 0.5 / len(found), 1 - 0.5 / len(found)))
    counts, left_out = counts[~np.isnan(left_out)], left_out[~np.isnan(left_out)]
    pulls = np.average(left_out, weights=counts) - left_out
    spread = (counts * pulls**2).sum() ** 1.5
    speed = (counts * pulls**3).sum() / (6 * spread) if spread > 0 else 0.0
    shift = bias + normal.ppf([0.025, 0.975])
    return normal.cdf(bias + shift / (1 - speed * shift))


def measure_agreement(
    codes: pd.DataFrame, opinions: pd.DataFrame, *, seed: int, rerun: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return how far people agree with each other and with each coder, and a coder with its rerun, a row a variable.

    codes: as schemas' table of that name, of several coders; opinions: feedback_id and language of the verbatims to
    measure on. Figures are for all feedback only where these were drawn at random: give
    `opinions[keep_random(opinions["feedback_id"])]` (coding_sample) where others were coded too. rerun: codes of the
    same coders made a second time, named with " (rerun)". Adjudicated codes are left out, being those of hard cases
    only; settled ones are compared with coders that are no people, since people made them.

    Columns: language ("all" beside the single ones where there are several), coder_a, coder_b, variable, alpha, low,
    high (95%), n (verbatims both coded), used (of these, where either used the code), agreed (where both say the
    same), agreement (percent) and verdict. variable: "category" (the whole set, so that half the same is another),
    "category=price" (named or not), "polarity", "polarity=negative", "ask" (none is an ask too) and "intensity"
    (ordinal; n is where both gave one). A verbatim in which a coder found nothing counts: its category is "other".

    verdict: "reliable" where low is 0.8 or more, "tentative" from 0.667, "not reliable" where high is below that
    (Krippendorff 2004, Content Analysis, 11.4), else "too few to say"; "no disagreement" and "no variation" where
    alpha has no interval or is not defined; below 30 verbatims "too few to show", with counts alone.

    >>> codes = pd.DataFrame({"feedback_id": list("abab"), "coder": ["human:Ada"] * 2 + ["rules"] * 2,
    ...                       "category": "price", "polarity": ["negative", "positive", "negative", "neutral"],
    ...                       "intensity": 3, "ask": None})
    >>> opinions = pd.DataFrame({"feedback_id": ["a", "b"], "language": "en"})
    >>> found = measure_agreement(codes, opinions, seed=0).set_index("variable")
    >>> found.loc[["polarity"], ["coder_a", "coder_b", "n", "agreed", "verdict"]].values.tolist()
    [['human:Ada', 'rules', 2, 1, 'too few to show']]
    """
    both = [codes] if rerun is None else [codes, rerun.assign(coder=rerun["coder"] + RERUN)]
    told = pd.concat([fold_codes(part[part["feedback_id"].isin(opinions["feedback_id"])]) for part in both])
    told = told.merge(opinions[["feedback_id", "language"]], on="feedback_id", validate="many_to_one")
    by_coder = {coder: rows.set_index("feedback_id") for coder, rows in told.groupby("coder", sort=True)}
    rows = []
    for first, second in list_pairs(by_coder):
        pair = by_coder[first].join(by_coder[second], how="inner", suffixes=("_a", "_b")).sort_index()
        languages = sorted(pair["language_a"].unique())
        for language in [*(["all"] if len(languages) > 1 else []), *languages]:
            part = pair if language == "all" else pair[pair["language_a"] == language]
            for variable, level, values in _list_variables(part):
                names = {"language": language, "coder_a": first, "coder_b": second, "variable": variable}
                rows.append(names | _judge_pair(values, level, variable, seed))
    return pd.DataFrame(rows, columns=_COLUMNS)


def list_pairs(coders: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of coders whose agreement tells something: people with each other and with each coder.

    >>> list_pairs(["rules", "human:Bo", "human:Ada", "rules (rerun)", "human:settled"])
    [('human:Ada', 'human:Bo'), ('human:Ada', 'rules'), ('human:Bo', 'rules'), ('human:settled', 'rules'), \
('rules', 'rules (rerun)')]
    """
    coders = sorted(set(coders) - {ADJUDICATED})
    first = [coder for coder in coders if not coder.endswith(RERUN)]
    people = [coder for coder in first if coder.startswith(HUMAN)]
    alone = [coder for coder in people if coder != SETTLED]
    others = [coder for coder in first if not coder.startswith(HUMAN)]
    pairs = [*combinations(alone, 2), *((person, other) for person in people for other in others)]
    return pairs + [(coder, coder + RERUN) for coder in first if coder + RERUN in coders]


def fold_codes(codes: pd.DataFrame) -> pd.DataFrame:
    """Return one row a verbatim and coder: feedback_id, coder, category (all of them), polarity, intensity, ask.

    Categories are joined by " + ", in alphabetical order; no ask is "none". The rest is of the whole verbatim, and
    stands on each of its rows.

    >>> codes = pd.DataFrame({"feedback_id": "a", "coder": "rules", "category": ["price", "delivery"],
    ...                       "polarity": "negative", "intensity": 4, "ask": None})
    >>> fold_codes(codes).values.tolist()
    [['a', 'rules', 'delivery + price', 'negative', 4, 'none']]
    """
    keys = ["feedback_id", "coder"]
    rows = codes.sort_values([*keys, "category"]).astype({"intensity": "Int64"})
    rows = rows.assign(ask=rows["ask"].astype("str").fillna(NO_ASK))
    folded = rows.drop_duplicates(keys)[[*keys, "category", "polarity", "intensity", "ask"]].set_index(keys)
    several = rows[rows.duplicated(keys, keep=False)].groupby(keys)["category"].agg(TOGETHER.join)
    folded.loc[several.index, "category"] = several
    return folded.reset_index()


def _list_variables(pair: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Return name, level and both coders' values of each variable of the verbatims that both have coded."""
    found = []
    for name, level in (
        ("category", "nominal"),
        ("polarity", "nominal"),
        ("intensity", "ordinal"),
        ("ask", "nominal"),
    ):
        values = pair[[f"{name}_a", f"{name}_b"]].set_axis(["a", "b"], axis=1)
        found.append((name, level, values.dropna()))
        if name in ("category", "polarity"):
            split = values.apply(lambda column: column.str.split(TOGETHER, regex=False))
            for code in sorted({one for column in split for words in split[column] for one in words}):
                named = {column: [code in words for words in split[column]] for column in split}
                found.append((f"{name}={code}", "nominal", pd.DataFrame(named, index=values.index)))
    return found


def _judge_pair(values: pd.DataFrame, level: str, variable: str, seed: int) -> dict:
    n, agreed = len(values), int((values["a"] == values["b"]).sum())
    used = int(values.any(axis=1).sum()) if "=" in variable else n
    row = {
        "alpha": np.nan,
        "low": np.nan,
        "high": np.nan,
        "n": n,
        "used": used,
        "agreed": agreed,
        "agreement": np.nan,
    }
    if n < FEWEST_FOR_PERCENTAGES:
        return row | {"verdict": TOO_FEW_TO_SHOW}
    alpha, low, high = alpha_interval(values.to_numpy(), level=level, seed=seed)
    row |= {"alpha": alpha, "low": low, "high": high, "agreement": 100 * agreed / n}
    if np.isnan(alpha):
        return row | {"verdict": NO_VARIATION if len(pd.unique(values.to_numpy().ravel())) < 2 else TOO_FEW}
    if np.isnan(low):
        return row | {"verdict": ALL_ALIKE}
    verdict = (
        RELIABLE if low >= 0.8 else TENTATIVE if low >= 0.667 else UNRELIABLE if high < 0.667 else TOO_FEW
    )
    return row | {"verdict": verdict}


def _find_patterns(values, level: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the different rows of values as numbers of their values (-1: missing), how often each is, and the values.

    Coders are interchangeable, so each row is sorted; units that fewer than two have coded are left out.
    """
    if level not in LEVELS:
        raise VocwbError(f"There is no level {level!r}.", f"Levels: {', '.join(LEVELS)}.")
    frame = pd.DataFrame(values)
    numbers, known = pd.factorize(frame.to_numpy().ravel(), sort=True)
    numbers = np.sort(numbers.reshape(frame.shape), axis=1)
    numbers = numbers[(numbers >= 0).sum(axis=1) >= 2]
    patterns, counts = np.unique(numbers, axis=0, return_counts=True)
    return patterns, counts, np.asarray(known)


def _compute_alphas(patterns: np.ndarray, drawn: np.ndarray, known: np.ndarray, level: str) -> np.ndarray:
    """Return alpha of each row of drawn, which says how many units have each pattern.

    alpha = 1 - (n - 1) * sum of o_ck d_ck / sum of n_c n_k d_ck (Krippendorff 2011, C), where d is the square of a
    distance between places: the values themselves (interval), or the middle of the ranks that each value takes up
    (ordinal), so that no matrix of values by values is needed.
    """
    given = patterns >= 0
    weights = 2 / (given.sum(axis=1) - 1)
    members = np.zeros((len(patterns), len(known)))
    at, place = np.nonzero(given)
    np.add.at(members, (at, patterns[at, place]), 1)
    totals = drawn @ members
    n = totals.sum(axis=1)
    if level == "nominal":
        expected = n**2 - (totals**2).sum(axis=1)
    else:
        places = totals.cumsum(axis=1) - totals / 2 if level == "ordinal" else known.astype(float)[None, :]
        places = np.broadcast_to(places, totals.shape)
        with np.errstate(invalid="ignore"):
            middle = (totals * places).sum(axis=1, keepdims=True) / n[:, None]
        expected = 2 * n * (totals * (places - middle) ** 2).sum(axis=1)
    observed = np.zeros(len(drawn))
    for one, other in combinations(range(patterns.shape[1]), 2):
        both = given[:, one] & given[:, other]
        first, second = patterns[both, one], patterns[both, other]
        apart = (first != second) if level == "nominal" else (places[:, first] - places[:, second]) ** 2
        observed += (drawn[:, both] * apart) @ weights[both]
    varies = (totals > 0).sum(axis=1) > 1
    return 1 - np.divide((n - 1) * observed, expected, out=np.full(len(n), np.nan), where=varies)
