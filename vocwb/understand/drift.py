"""Drift: topics whose members of this month lie farther from what the topic was fitted on."""

import numpy as np
import pandas as pd

from vocwb import stats

SMALLEST_DRIFT = 0.02
"""The smallest change of mean similarity that matters: a fiftieth of the scale of cosines."""


_COLUMNS = [
    "topic", "n", "fitted_n", "similarity", "fitted_similarity", "difference", "low", "high", "p", "shift", "show",
]  # fmt: skip


def measure_drift(
    assignments: pd.DataFrame, vectors: np.ndarray, fitted: pd.DataFrame, codebook: pd.DataFrame, *,
    smallest: float = SMALLEST_DRIFT,
) -> pd.DataFrame:  # fmt: skip
    """Return how far the month's members of each topic have moved from those that it was fitted on.

    assignments: the month's, feedback_id, topic, similarity and, where known, unit (respondent: intervals cluster
    by it), with `vectors`, a row each. fitted: topic, similarity (and unit) of the verbatims that the codebook was
    fitted on; topics accepted later: of the month they began in. codebook: topic, vector.
    A row a topic with members now: topic, n, fitted_n, similarity and fitted_similarity (mean cosine to the
    topic), difference with low, high, p (`stats.compare_means`: Welch's test, clustered), p_adjusted over the
    topics, verdict, and shift (1 - cosine of this month's centre and the topic's: 0 the same, up to 2).
    Where either side has under 30 members the verdict is "too few to show". A negative difference with
    evidence is drift: people speak of it in other words, or of something else beside it. Members are those
    that still fit, so drift is, if anything, understated. Sorted by difference, the greatest loss first.

    >>> rows = pd.DataFrame({"topic": "T0001", "similarity": np.linspace(0.4, 0.6, 40)})
    >>> fitted = rows.assign(similarity=rows["similarity"] + 0.3)
    >>> vectors = np.tile([0.6, 0.8], (40, 1))
    >>> found = measure_drift(rows, vectors, fitted, pd.DataFrame({"topic": ["T0001"], "vector": [[1.0, 0.0]]}))
    >>> found[["difference", "verdict", "shift"]].round(2).values.tolist()
    [[-0.3, 'evidence of a difference', 0.4]]
    """
    assignments = assignments.reset_index(drop=True)
    order = ["similarity", "unit"] if "unit" in assignments and "unit" in fitted else ["similarity"]
    rows = []
    for topic, vector in zip(codebook["topic"], codebook["vector"], strict=True):
        # Sums of numbers depend on their order in the last digit; sorting makes rows' order not matter.
        now = assignments[assignments["topic"] == topic].sort_values(order)
        before = fitted[fitted["topic"] == topic].sort_values(order)
        if now.empty:
            continue
        clusters = (now["unit"], before["unit"]) if len(order) == 2 else (None, None)
        difference, low, high, p = stats.compare_means(now["similarity"], before["similarity"], *clusters)
        centre = np.asarray(vectors, dtype=float)[now.index].sum(axis=0)
        cosine = centre @ np.asarray(vector) / max(np.linalg.norm(centre) * np.linalg.norm(vector), 1e-12)
        rows.append(
            {
                "topic": topic, "n": len(now), "fitted_n": len(before), "similarity": now["similarity"].mean(),
                "fitted_similarity": before["similarity"].mean(), "difference": difference, "low": low, "high": high,
                "p": p, "shift": round(float(1 - cosine), 4), "show": stats.show_level(min(len(now), len(before)), 0),
            }
        )  # fmt: skip
    judged = stats.judge_family(pd.DataFrame(rows, columns=_COLUMNS), smallest=smallest)
    return judged.sort_values(["difference", "topic"], ignore_index=True)
