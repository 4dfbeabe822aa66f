"""Every interval, test and verdict in the product; intervals are 95% ones (they are made in vocwb.intervals)."""

import numpy as np
import pandas as pd
from scipy import special
from scipy import stats as distributions
from statsmodels.stats.multitest import multipletests

from vocwb.intervals import (
    bootstrap_interval,
    cluster_share_interval,
    compare_means,
    compare_on_scale,
    compare_shares,
    effective_counts,
    effective_size,
    mean_interval,
    nps_interval,
    scale_interval,
    share_interval,
)

__all__ = [
    "EVIDENCE", "FEWEST_FOR_PERCENTAGES", "HIDDEN", "NO_EVIDENCE", "TOO_FEW", "TOO_FEW_TO_SHOW", "VERDICTS",
    "adjust_difference", "adjust_p",
    "beta_binomial_likelihood", "bootstrap_interval", "cluster_share_interval", "compare_means", "compare_on_scale",
    "compare_shares", "effective_counts", "effective_size", "give_verdict", "judge_family", "mean_interval",
    "nps_interval", "scale_interval", "share_interval", "show_level", "shrink_shares",
]  # fmt: skip

VERDICTS = ("evidence of a difference", "no evidence of a difference", "too few to say")
EVIDENCE, NO_EVIDENCE, TOO_FEW = VERDICTS

HIDDEN = "hidden"
TOO_FEW_TO_SHOW = "too few to show"
FEWEST_FOR_PERCENTAGES = 30


def show_level(n: int, minimum: int = 5) -> str:
    """Return what may be shown of a group of n: "hidden", "counts" or, from 30 on, "percentages".

    >>> [show_level(n) for n in (4, 5, 29, 30)]
    ['hidden', 'counts', 'counts', 'percentages']
    """
    if not n >= minimum:
        return "hidden"
    return "percentages" if n >= FEWEST_FOR_PERCENTAGES else "counts"


def adjust_difference(values, inside, strata=None, clusters=None) -> tuple[float, float, float, float]:
    """Return mean of `values` inside less outside, low, high and p, like compared with like: within each stratum.

    values: numbers, or 0 and 1; inside: true or false; strata: what is held equal (None: nothing); clusters: whose
    values are alike. All of one length. The strata's differences are weighted by n1 n0 / (n1 + n0), Mantel and
    Haenszel's weights, so that of 0 and 1 it is their risk difference; it is the coefficient of `inside` in a
    regression with an intercept for each stratum, and has the cluster-robust t interval of statsmodels' OLS. Strata
    with one side only add nothing. NaN where no stratum has both sides.

    >>> values, inside = [1, 0, 0, 0, 1, 1, 1, 0], [True, True, False, False] * 2
    >>> round(adjust_difference(values, inside, ["a"] * 4 + ["b"] * 4)[0], 2)
    0.5
    """
    strata = np.zeros(len(values), dtype=int) if strata is None else pd.factorize(np.asarray(strata))[0]
    sizes = np.bincount(strata)
    # What is left when each stratum has its own mean.
    x, y = (
        part - (np.bincount(strata, weights=part) / np.maximum(sizes, 1))[strata]
        for part in (np.asarray(inside, dtype=float), np.asarray(values, dtype=float))
    )
    own = np.arange(len(x)) if clusters is None else pd.factorize(np.asarray(clusters))[0]
    room, groups = x @ x, own.max(initial=-1) + 1
    freedom = len(x) - np.count_nonzero(sizes) - 1
    if room < 1e-12 or groups < 2 or freedom < 1:
        return (np.nan,) * 4
    difference = x @ y / room
    parts = np.bincount(own, weights=x * (y - difference * x)) / room
    error = np.sqrt(parts @ parts * groups / (groups - 1) * (len(x) - 1) / freedom)
    if not error > 1e-12:
        return float(difference), np.nan, np.nan, np.nan
    half = distributions.t.ppf(0.975, groups - 1) * error
    p = 2 * distributions.t.sf(abs(difference) / error, groups - 1)
    return float(difference), float(difference - half), float(difference + half), float(p)


def beta_binomial_likelihood(k, n, share, alike) -> np.ndarray:
    """Return the log likelihood of k of n, but for a constant, where true shares vary around `share`.

    alike: the intraclass correlation, above 0 and below 1: the beta distribution's a + b is 1 / alike - 1. Arrays that
    go together by broadcasting (Skellam 1948, JRSS B 10).

    >>> round(float(beta_binomial_likelihood(1, 2, 0.5, 0.5) - beta_binomial_likelihood(0, 2, 0.5, 0.5)), 3)
    -1.099
    """
    strength = 1 / alike - 1
    a, b, log = share * strength, (1 - share) * strength, special.gammaln
    return log(k + a) - log(a) + log(n - k + b) - log(b) - log(n + a + b) + log(a + b)


def shrink_shares(k, n) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the share of each group in the light of the others, with low and high: arrays in 0..1, like k and n.

    k of n: a row a group, a column a matter (topic); each column is taken by itself. Empirical Bayes: the groups'
    true shares are taken as drawn from a beta distribution, whose mean and intraclass correlation are weighed by how
    well they explain all the groups (a grid, of which the correlation's root has a flat prior); estimate and limits
    are those of the mixture of beta-binomial posteriors, the limits by a beta of its mean and variance (Kass and
    Steffey 1989, JASA 84: so that not knowing the prior widens them). Small groups are drawn towards the others, large
    ones hardly; NaN where all groups are empty.

    >>> shrunk, low, high = shrink_shares([[3], [60], [10]], [[5], [300], [100]])
    >>> shrunk.round(2).ravel().tolist()
    [0.36, 0.2, 0.11]
    """
    k, n = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    total = np.where(n.sum(axis=0) > 0, n.sum(axis=0), np.nan)
    share = (k.sum(axis=0) + 0.5) / (total + 1)
    plain = share * (1 - share)
    chi_square = np.sum((k - n * share) ** 2 / np.maximum(n, 1), axis=0) / plain
    over = np.maximum(1, chi_square / np.maximum(np.count_nonzero(n, axis=0) - 1, 1))
    error = np.sqrt(over / (plain * (total + 1)))  # of the logit
    shares = special.expit(special.logit(share) + error * np.linspace(-3, 3, 9)[:, None, None])
    alike = np.geomspace(1 / (total + 1), 0.9, 16)
    k, n = k[:, None, None], n[:, None, None]
    log = beta_binomial_likelihood(k, n, shares, alike).sum(axis=0)
    weights = np.exp(log - log.max(axis=(0, 1))) * np.sqrt(shares * (1 - shares) * alike)
    weights = weights / weights.sum(axis=(0, 1))
    strength = 1 / alike - 1
    means = (k + shares * strength) / (n + strength)
    mean = (weights * means).sum(axis=(1, 2))
    inner = means * (1 - means) / (n + strength + 1)
    variance = (weights * (inner + (means - mean[:, None, None]) ** 2)).sum(axis=(1, 2))
    size = mean * (1 - mean) / variance - 1
    low, high = (distributions.beta.ppf(q, mean * size, (1 - mean) * size) for q in (0.025, 0.975))
    return mean, low, high


def adjust_p(p, *, method: str = "fdr_bh") -> np.ndarray:
    """Return p adjusted for the number of comparisons made together; NaN stays NaN.

    method: of statsmodels' multipletests: "fdr_bh" (Benjamini and Hochberg 1995, JRSS B 57), so that few of what is
    claimed is wrong, or "holm" (Holm 1979, Scand. J. Statistics 6), so that with 95% nothing is.

    >>> adjust_p([0.01, 0.04, float("nan"), 0.03]).round(3).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    p = np.array(p, dtype=float)
    known = ~np.isnan(p)
    if known.any():
        p[known] = multipletests(p[known], method=method)[1]
    return p


def give_verdict(
    low: float, high: float, *, smallest: float, p_adjusted: float | None = None, q: float = 0.05
) -> str:
    """Return one of VERDICTS for a difference whose interval is low..high.

    smallest: the smallest difference that matters, in the unit of low and high. Evidence needs an interval
    without zero and, where p_adjusted is given, p_adjusted <= q. Otherwise a half-width above smallest means
    too few to say. Without an interval (NaN) it is too few to say.

    >>> give_verdict(-1, 9, smallest=3), give_verdict(-1, 2, smallest=3), give_verdict(1, 9, smallest=3)
    ('too few to say', 'no evidence of a difference', 'evidence of a difference')
    """
    if np.isnan(low) or np.isnan(high):
        return TOO_FEW
    if (low > 0 or high < 0) and (p_adjusted is None or p_adjusted <= q):
        return EVIDENCE
    return TOO_FEW if (high - low) / 2 > smallest else NO_EVIDENCE


def judge_family(cells: pd.DataFrame, *, smallest, q: float = 0.05) -> pd.DataFrame:
    """Return comparisons made together with p_adjusted and verdict, and without what may not be shown.

    cells: one row a comparison, with low, high, p and show (from show_level, of the smaller side), and any
    of value, compared_value, difference, n, compared_n. Only rows with show "percentages" are compared; the
    others lose their numbers, and those with "hidden" also n, compared_n and feedback_ids. smallest: a
    number, or one a row. Adds p_adjusted and verdict, drops show.

    >>> cells = pd.DataFrame({"low": [1.0, 1.0], "high": [5.0, 5.0], "p": [0.01, 0.01], "n": [99, 3],
    ...                       "show": ["percentages", "hidden"]})
    >>> judge_family(cells, smallest=2)[["n", "p_adjusted", "verdict"]].values.tolist()
    [[99.0, 0.01, 'evidence of a difference'], [nan, nan, 'hidden']]
    """
    cells = cells.reset_index(drop=True)
    shown, hidden = cells["show"].eq("percentages"), cells["show"].eq("hidden")
    numbers = [c for c in ("value", "compared_value", "difference", "low", "high", "p") if c in cells]
    cells[numbers] = cells[numbers].astype(float).where(shown, axis=0)
    counts = [c for c in ("n", "compared_n") if c in cells]
    cells[counts] = cells[counts].astype(float).mask(hidden, axis=0)
    if "feedback_ids" in cells:
        cells["feedback_ids"] = cells["feedback_ids"].where(~hidden, hidden.map(lambda _: []))
    cells["p_adjusted"] = adjust_p(cells["p"])
    matters = np.broadcast_to(np.asarray(smallest, dtype=float), len(cells))
    judged = zip(cells["low"], cells["high"], matters, cells["p_adjusted"], cells["show"], strict=True)
    words = {"hidden": HIDDEN, "counts": TOO_FEW_TO_SHOW}
    cells["verdict"] = [
        words.get(show) or give_verdict(low, high, smallest=least, p_adjusted=p, q=q)
        for low, high, least, p, show in judged
    ]
    return cells.drop(columns="show")
