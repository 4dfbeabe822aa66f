"""Importance: which mentions, praise and complaint apart, go with a score when all are looked at together."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from vocwb import stats
from vocwb.explain.segments import split_by_language
from vocwb.schemas import make_findings
from vocwb.understand.metrics import (
    format_interval,
    format_value,
    gather_answers,
    name_period,
    score_unit,
    smallest_score,
)

COLLINEAR = 5.0
"""From this variance inflation on (Kutner et al. 2005 warn from 10, others from 5) mentions are hard to tell apart."""

_ORDERS, _RESAMPLES = 64, 400
_A_PREDICTOR = 10  # responses for each mention that is looked at
_SIDES = ("negative", "positive")
_OLS = "OLS, cluster-robust by respondent, Benjamini-Hochberg"
_LMG = "LMG (Lindeman, Merenda and Gold 1980), bootstrap by respondent"
_IMPACTS = {
    "impact_left_out": "mean of all less mean without it",
    "impact_gap": "mean of all less mean with it",
}


def weigh_drivers(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame, questions: Mapping,
    codes: pd.DataFrame, *, month: str, minimum: int, smallest: Mapping[str, float], seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on what mentions of each topic, negative and positive apart, go with, all taken together.

    Needs the columns of explain.segments.split_by_language, opinions also month and a column a question; codes:
    feedback_id, polarity, of one coder a verbatim. For each language and question the score (NPS -100..100) of a
    response is regressed on which topics it mentions, and how. Looked at are mentions by at least `minimum` and 30
    respondents, and as many without; the most frequent ones, one for ten responses at most. Subject is question and
    language ("nps:en"), level topic and side ("T0001:negative"). Four measures a mention:
    - "coefficient": points of the score with it against without it, the other mentions being equal; OLS,
      cluster-robust by respondent; p adjusted over all mentions together, verdict against `smallest`.
    - "importance": its part, in %, of the variance that all mentions explain (`share_variance`: LMG, so that the order
      does not matter), with a bootstrap interval over respondents. It has no sign, and is never below 0.
    - "impact_left_out": the mean of all less the mean of those without the topic, s (t - r) in points, which
      grows with how many mention it; "impact_gap": the mean of all less the mean of those with it, (1 - s) (r - t).
      Both are published as "impact", have opposite signs, and neither is an effect.
    The claim says where a mention is collinear (variance inflation of 5 or more), and that all of it is association.

    >>> from types import SimpleNamespace
    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "response_id": ["r"], "respondent_id": [None],
    ...                          "language": ["en"], "voice": ["customer"], "month": ["2025-01"], "nps": [3.0]})
    >>> codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "language": ["en"], "name": ["queue"]})
    >>> assigned = pd.DataFrame({"feedback_id": ["f"], "codebook_id": ["c"], "topic": ["T0001"]})
    >>> codes = pd.DataFrame({"feedback_id": ["f"], "polarity": ["negative"]})
    >>> question = SimpleNamespace(label="Recommend us?", low=0, high=10, metric="nps")
    >>> len(weigh_drivers(opinions, assigned, codebook, {"nps": question}, codes, month="2025-01", minimum=5,
    ...                   smallest={"nps": 5, "mean": 0.2}))
    0
    """
    feelings = codes.drop_duplicates("feedback_id").set_index("feedback_id")["polarity"]
    judged, told = [], []
    for heard, mentions, topics in split_by_language(opinions, assignments, codebook):
        language = codebook.set_index("topic").at[topics.index[0], "language"]
        side = mentions["feedback_id"].map(feelings)
        said = mentions.assign(side=side, topic=mentions["topic"].astype("str"))[side.isin(_SIDES).to_numpy()]
        for name, question in questions.items():
            answers = gather_answers(heard, name, question)
            found, looked_at = _lay_out(answers, said, minimum)
            if looked_at.empty or answers["score"].nunique() < 2:
                continue
            place = {"subject": f"{name}:{language}", "segment": "topic"}
            ids = said.groupby(["topic", "side"])["feedback_id"].agg(lambda rows: sorted(set(rows)))
            for row in _weigh_mentions(found, looked_at, answers, seed).to_dict("records"):
                row |= place | {"unit": score_unit(question), "feedback_ids": ids[row["topic"], row["side"]]}
                row |= {
                    "name": topics[row["topic"]],
                    "label": question.label or name,
                }
                judged.append(row | {"smallest": smallest_score(question, smallest)})
    if not judged:
        return make_findings([], section="importance", month=month)
    cells = pd.DataFrame(judged)
    cells = stats.judge_family(cells.assign(show="percentages"), smallest=cells["smallest"])
    for row in cells.to_dict("records"):
        told += _tell_mention(row)
    period = name_period(opinions["month"].unique())
    return make_findings([row | {"period": period} for row in told], section="importance", month=month)


def share_variance(xx: np.ndarray, xy: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Return each predictor's share of R², averaged over the orders in which predictors may enter: LMG.

    xx (p, p): correlations of the predictors; xy (p,): with the outcome; orders (m, p): permutations. Over all
    orders it is the measure of Lindeman, Merenda and Gold 1980, which is the Shapley value of R²; a random part of
    them, each with its reverse, estimates it (Castro et al. 2009). The shares sum to R².

    >>> share_variance(np.eye(2), np.array([0.6, 0.3]), np.array([[0, 1], [1, 0]])).round(2).tolist()
    [0.36, 0.09]
    """
    steps = np.linalg.cholesky(xx[orders[:, :, None], orders[:, None, :]])
    # With the predictors made orthogonal in their order, each adds the square of its correlation with the outcome.
    added = np.linalg.solve(steps, xy[orders][..., None])[..., 0] ** 2
    total = np.zeros(len(xy))
    np.add.at(total, orders.ravel(), added.ravel())
    return total / len(orders)


def impacts(share: float, inside: float, outside: float) -> dict[str, float]:
    """Return both figures that are published as a topic's "impact" on a mean: impact_left_out and impact_gap.

    share s (0..1) of responses that mention it, their mean t, and the mean r of the rest. Left out: s (t - r), of
    Thematic's help and of Kapiche; gap: (1 - s) (r - t), of Thematic's article.

    >>> {name: round(value, 1) for name, value in impacts(0.1, -40, 35).items()}
    {'impact_left_out': -7.5, 'impact_gap': 67.5}
    """
    return {"impact_left_out": share * (inside - outside), "impact_gap": (1 - share) * (outside - inside)}


def _lay_out(answers: pd.DataFrame, said: pd.DataFrame, minimum: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Return which response (row) has which mention (column), and topic and side of the columns."""
    rows = pd.Index(answers["response_id"]).get_indexer(said["response_id"])
    said = said.assign(row=rows)[rows >= 0]
    counts = (
        said.groupby(["topic", "side"]).agg(units=("unit", "nunique"), n=("row", "nunique")).reset_index()
    )
    fewest = max(minimum, stats.FEWEST_FOR_PERCENTAGES)
    enough = counts[(counts["units"] >= fewest) & (answers["unit"].nunique() - counts["units"] >= fewest)]
    most = len(answers) // _A_PREDICTOR
    kept = enough.sort_values(["n", "topic", "side"], ascending=[False, True, True]).head(most)
    kept = kept.sort_values(["topic", "side"], ignore_index=True)
    found = np.zeros((len(answers), len(kept)))
    columns = pd.MultiIndex.from_frame(kept[["topic", "side"]]).get_indexer(
        pd.MultiIndex.from_frame(said[["topic", "side"]])
    )
    found[said["row"].to_numpy()[columns >= 0], columns[columns >= 0]] = 1
    # Mentions that always come together cannot be told apart: the first of them stands for all.
    first = np.unique(found, axis=1, return_index=True)[1]
    order = np.sort(first)
    return found[:, order], kept.iloc[order].reset_index(drop=True)


def _weigh_mentions(
    found: np.ndarray, looked_at: pd.DataFrame, answers: pd.DataFrame, seed: int
) -> pd.DataFrame:
    score = answers["score"].to_numpy()
    units = pd.factorize(answers["unit"], sort=True)[0]
    design = np.column_stack([np.ones(len(score)), found])
    fitted = OLS(score, design).fit(cov_type="cluster", cov_kwds={"groups": units}, use_t=True)
    limits = fitted.conf_int()[1:]
    draw = np.random.default_rng(seed)
    orders = np.array([draw.permutation(found.shape[1]) for _ in range(_ORDERS // 2)])
    orders = np.concatenate([orders, orders[:, ::-1]])
    xx, xy = _correlate(found, score, np.ones(len(score)))
    parts = share_variance(xx, xy, orders)
    again = []
    for _ in range(_RESAMPLES):
        weights = np.bincount(
            draw.integers(units.max() + 1, size=units.max() + 1), minlength=units.max() + 1
        )[units]
        share = share_variance(*_correlate(found, score, weights.astype(float)), orders)
        again.append(share / share.sum())
    lowest, highest = np.quantile(again, [0.025, 0.975], axis=0)
    means = [
        impacts(column.mean(), score[column > 0].mean(), score[column == 0].mean()) for column in found.T
    ]
    return looked_at[["topic", "side"]].assign(
        n=len(score), difference=fitted.params[1:], low=limits[:, 0], high=limits[:, 1], p=fitted.pvalues[1:],
        importance=100 * parts / parts.sum(), importance_low=100 * lowest, importance_high=100 * highest,
        inflation=np.diag(np.linalg.inv(xx)), r2=parts.sum(), **pd.DataFrame(means),
    )  # fmt: skip


def _correlate(found: np.ndarray, score: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted correlations among the columns and with the score; a little is added to the diagonal."""
    weights = weights / weights.sum()
    columns = np.column_stack([found, score])
    columns = columns - weights @ columns
    spread = (columns * weights[:, None]).T @ columns
    # A mention that a resample lacks has no variance, and explains nothing.
    scale = np.sqrt(np.maximum(np.diag(spread), 1e-12))
    correlations = spread / scale[:, None] / scale
    xx = correlations[:-1, :-1]
    np.fill_diagonal(xx, 1 + 1e-8)
    return xx, correlations[:-1, -1]


def _tell_mention(row: dict) -> list[dict]:
    """Return the findings on one mention: coefficient, importance and both impacts."""
    unit, name = row["unit"], row["label"]
    who = f"{row['side'].capitalize()} mentions of “{row['name']}”"
    span = format_interval(row["low"], row["high"], unit)
    claim = (
        f"{who}: {format_value(row['difference'], unit, signed=True)} of “{name}” beside the other mentions ({span}),"
        f" n = {row['n']:,} responses, {row['verdict']}. An association: it does not say that mending it would move"
        " the score."
    )
    if row["inflation"] >= COLLINEAR:
        unsure = f"(variance inflation {row['inflation']:.1f}): its part is unsure."
        claim = f"{claim} It often comes with others {unsure}"
    span = format_interval(row["importance_low"], row["importance_high"], "%")
    part = (
        f"{who}: {row['importance']:.0f}% of what all mentions explain of “{name}” ({span}); together they explain"
        f" {row['r2']:.0%} of its variance. An association."
    )
    kept = {column: row[column] for column in ("subject", "segment", "feedback_ids", "n")}
    kept |= {"level": f"{row['topic']}:{row['side']}", "unit": unit}
    judged = {column: row[column] for column in ("difference", "low", "high", "p", "p_adjusted", "verdict")}
    shared = {
        "value": row["importance"],
        "low": row["importance_low"],
        "high": row["importance_high"],
        "unit": "%",
    }
    told = [
        kept
        | judged
        | {"measure": "coefficient", "value": row["difference"], "claim": claim, "method": _OLS},
        kept | shared | {"measure": "importance", "claim": part, "method": _LMG},
    ]
    for measure, words in _IMPACTS.items():
        figure = format_value(row[measure], unit, signed=True)
        said = {"claim": f"{who}: {words}: {figure}. Not an effect.", "method": words}
        told.append(kept | said | {"measure": measure, "value": row[measure]})
    return told
