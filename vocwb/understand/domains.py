"""Has the coder met such texts before: a warning of a new domain, computed without labels."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from vocwb.understand.learned import Coder
from vocwb.understand.text_features import locate_grams, share_unseen, split_texts

SMALLEST_SHIFT = 0.2
"""In standard deviations: what Cohen 1988 calls a small effect. Below it no warning is given, however many texts."""
_CERTAIN = 1.645  # one-sided, 95%


class Novelty(NamedTuple):
    """How new texts are to a coder.

    unseen: mean share (0-1) of their words, in Chinese of pairs of characters, that the coder had not learned from;
    expected: the same for texts of its own domain, held out while it was fitted; shift: the difference in standard
    deviations between those; low: its lower limit (95%, one-sided), which must pass SMALLEST_SHIFT for a new domain.
    """

    n: int
    unseen: float
    expected: float
    shift: float
    low: float
    is_new_domain: bool


def measure_novelty(coder: Coder, texts: Iterable[str]) -> Novelty:
    """Return whether texts come from another domain than those that the coder learned from.

    A word that a coder has not learned cannot tell it anything, and what it has learned of the others may not hold
    where people speak of other things; the share of unseen words says so without a label. Texts without words are
    left out. With under two texts that have words there is no verdict: NaN, and False.

    >>> from vocwb.understand.learned import fit_coder
    >>> texts = ["good tea", "bad tea", "good strong coffee", "bad weak coffee"] * 10
    >>> coder = fit_coder(texts, ["1", "0"] * 20, language="en")
    >>> measure_novelty(coder, ["my flight left late", "they lost our luggage"]).is_new_domain
    True
    """
    sequences = split_texts([text for text in texts if text.strip()], coder.language)[0][0]
    mean, spread = coder.unseen
    if len(sequences) < 2:
        return Novelty(len(sequences), np.nan, mean, np.nan, np.nan, False)
    shares = share_unseen(coder.grams[0], locate_grams(coder.grams[0], sequences), len(sequences))
    spread = max(spread, 1 / len(coder.grams[0].units))
    error = np.hypot(shares.std(ddof=1) / np.sqrt(len(shares)), spread / np.sqrt(coder.n))
    shift, low = ((shares.mean() - mean - margin) / spread for margin in (0.0, _CERTAIN * error))
    return Novelty(
        len(shares), float(shares.mean()), mean, float(shift), float(low), bool(low > SMALLEST_SHIFT)
    )
