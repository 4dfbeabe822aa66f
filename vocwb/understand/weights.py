"""Scores as they would be if those who answered were spread as the population is, beside those of the answers."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats as distributions

from vocwb import stats
from vocwb.errors import SchemaError
from vocwb.schemas import make_findings
from vocwb.understand.answers import gather_scores, list_measures, measure_unit, split_populations
from vocwb.understand.metrics import collect_quotes, format_interval, format_value
from vocwb.understand.registry import WEIGHTED, describe_metric


def weigh_scores(
    responses: pd.DataFrame, feedback: pd.DataFrame, questions: Mapping, weights: Mapping[str, Mapping[str, float]], *,
    month: str, minimum: int, indexes: Mapping | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on the customers' scores of `month`, weighted to the population's shares of each segment.

    Needs the columns of metrics.compute_scores, and those that weights names: column (a segment, or population) ->
    level -> share of the population. Section "scores", measure such as "nps_weighted", segment the column;
    compared_value is the unweighted figure of the same answers. Answers without a known level are left out, which the
    claim says. Nothing is weighted, and the claim says why, where a declared level has fewer than `minimum`
    respondents (2 at least), or answers come from a level that is not declared. Populations are not pooled, unless
    they are what is weighted. Raises SchemaError for a column that is not there, and for a level that no response has.

    >>> from types import SimpleNamespace
    >>> question = SimpleNamespace(label="Satisfied?", low=1, high=5, metric="rating")
    >>> responses = pd.DataFrame({"response_id": [f"r{i:02}" for i in range(40)], "respondent_id": None,
    ...     "month": "2025-01", "voice": "customer", "duplicate_of": None, "plan": ["free"] * 30 + ["paid"] * 10,
    ...     "stars": [1.0, 3.0] * 15 + [4.0, 5.0] * 5})
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "response_id": ["r01"], "duplicate_of": [None]})
    >>> weigh_scores(responses, feedback, {"stars": question}, {"plan": {"free": 0.5, "paid": 0.5}}, month="2025-01",
    ...              minimum=5)[["measure", "value", "compared_value"]].values.tolist()
    [['rating_weighted', 3.25, 2.625]]
    """
    heard = responses[responses["duplicate_of"].isna() & responses["voice"].eq("customer")]
    said = feedback[feedback["duplicate_of"].isna()].groupby("response_id")["feedback_id"].agg(list)
    rows = []
    for column, shares in weights.items():
        levels = _read_levels(heard, column, shares)
        for name, question in (dict(questions) | dict(indexes or {})).items():
            answers = gather_scores(heard[heard["month"] == month], name, question, questions)
            if answers.empty:
                continue
            parts = [({}, answers)] if column == "population" else split_populations(answers, heard)
            for place, own in parts:
                own = own.assign(level=own["response_id"].map(levels).astype("str"))
                about = {"subject": name, "segment": column, "level": place.get("level"), "period": month}
                rows += [
                    about | _weigh_group(own, question, measure, column, shares, said, about, minimum)
                    for measure in list_measures(question)
                ]
    return make_findings(rows, section="scores", month=month)


def weigh_means(values, levels, shares: Mapping[str, float], clusters=None) -> tuple[float, float, float]:
    """Return the mean of values weighted to the shares of their levels, low and high.

    values, levels, clusters: one an answer; every level of shares occurs, and no other. The post-stratified mean (Holt
    and Smith 1979, JRSS A 142) with the cluster-robust variance within levels, and Welch-Satterthwaite degrees of
    freedom over them. low and high are NaN without spread, and where a level has fewer than two clusters.

    >>> [round(x, 3) for x in weigh_means([1, 3, 4, 5], ["a", "a", "b", "b"], {"a": 0.5, "b": 0.5})]
    [3.25, -0.209, 6.709]
    """
    mean, error, freedom, _ = _stratify(values, levels, shares, clusters)
    half = float(distributions.t.ppf(0.975, freedom)) * error
    return mean, mean - half, mean + half


def weigh_shares(hits, levels, shares: Mapping[str, float], clusters=None) -> tuple[float, float, float]:
    """Return the share (0..1) of hits weighted to the shares of their levels, low and high; see weigh_means.

    Wilson's interval at the effective n (Korn and Graubard 1998, Survey Methodology 24), never above that of the
    weights alone (Kish 1965), so that a level in which all are hits does not pass for one without error.

    >>> [round(x, 3) for x in weigh_shares([1, 1, 0, 0], ["a", "a", "b", "b"], {"a": 0.5, "b": 0.5})]
    [0.5, 0.15, 0.85]
    """
    share, error, _, size = _stratify(hits, levels, shares, clusters)
    if error > 0:
        size = min(size, share * (1 - share) / error**2)
    low, high = stats.share_interval(share * size, size)
    return share, float(low[0]), float(high[0])


def _stratify(values, levels, shares: Mapping, clusters) -> tuple[float, float, float, float]:
    """Return the weighted mean, its standard error and degrees of freedom, and the effective n of the weights."""
    values, levels = np.asarray(values, dtype=float), np.asarray(levels, dtype=object)
    codes = np.arange(len(values)) if clusters is None else pd.factorize(np.asarray(clusters))[0]
    mean, parts, spreads, freedoms, size = 0.0, np.zeros(len(values)), [], [], 0.0
    for level, share in shares.items():
        own, share = levels == level, share / sum(shares.values())
        groups, centre = len(np.unique(codes[own])), values[own].mean()
        mean += share * centre
        # What each cluster adds to the error of the level's mean, corrected as stats.mean_interval corrects it.
        correction = np.sqrt(groups / (groups - 1)) if groups > 1 else np.nan
        part = np.bincount(codes[own], weights=values[own] - centre, minlength=len(values))
        parts += part * share / own.sum() * correction
        spreads.append(np.sum((part * share / own.sum() * correction) ** 2))
        freedoms.append(groups - 1)
        size += share**2 / groups
    variance, spreads = np.sum(parts**2), np.array(spreads)
    if not variance > 1e-24 * (1 + mean**2):
        return float(mean), np.nan, np.nan, 1 / size
    freedom = np.sum(spreads) ** 2 / np.sum(spreads**2 / np.array(freedoms))
    return float(mean), float(np.sqrt(variance)), float(freedom), 1 / size


def _read_levels(heard: pd.DataFrame, column: str, shares: Mapping[str, float]) -> pd.Series:
    """Return the level of each response."""
    if column not in heard:
        raise SchemaError(
            f"weights: {column!r} is no column of the responses.",
            f"Columns: {', '.join(map(str, heard))}.",
            "Ingest again, or take it out of weights in programme.yml.",
        )
    known = heard.drop_duplicates("response_id").set_index("response_id")[column]
    if absent := sorted(set(shares) - set(known.dropna())):
        raise SchemaError(
            f"weights: no response has {column} {absent[0]!r}.",
            f"There are: {', '.join(sorted(known.dropna().unique())) or 'none'}.",
            "Write the level as the data has it, or take it out, so that the shares sum to 1 without it.",
        )
    return known


def _weigh_group(
    answers: pd.DataFrame, question, measure: str, column: str, shares: Mapping, said: pd.Series, about: dict,
    minimum: int,
) -> dict:  # fmt: skip
    """Return a finding's numbers and words on one question, weighted by one column."""
    metric, unit = describe_metric(f"{measure}{WEIGHTED}"), measure_unit(measure, question)
    what = f"{question.label or about['subject']}, {about['period']}: {metric.label}"
    what += f" ({about['level']})" if about["level"] else ""
    row = {"measure": metric.name, "unit": unit, "method": f"{metric.formula}; {metric.interval}"}
    row |= {"feedback_ids": [], "verdict": None}
    known = answers[answers["level"].notna()]
    if stats.show_level(known["unit"].nunique(), minimum) != "percentages":
        why = f"fewer than {stats.FEWEST_FOR_PERCENTAGES} respondents have a known {column}"
        return row | {"verdict": stats.TOO_FEW_TO_SHOW, "claim": f"{what}: not weighted, because {why}."}
    people = known.groupby("level")["unit"].nunique().reindex(list(shares), fill_value=0)
    fewest = max(minimum, 2)
    if few := people.index[people < fewest].tolist():
        why = f"fewer than {fewest} respondents are of {column} {', '.join(few)}"
        return row | {"verdict": stats.TOO_FEW, "claim": f"{what}: not weighted, because {why}."}
    if other := sorted(set(known["level"]) - set(shares)):
        why = f"the population's share of {column} {', '.join(other)} is not declared"
        return row | {"verdict": stats.TOO_FEW, "claim": f"{what}: not weighted, because {why}."}
    if measure == "csat_top2":
        hits = known["answer"] >= question.high - 1
        found = [100 * x for x in weigh_shares(hits, known["level"], shares, known["unit"])]
        plain = 100 * hits.mean()
    else:
        found = weigh_means(known["score"], known["level"], shares, known["unit"])
        plain = known["score"].mean()
    value, low, high = found
    left = len(answers) - len(known)
    claim = (
        f"{what} {format_value(value, unit)} ({format_interval(low, high, unit)}), n = {len(known):,}; by the"
        f" population's shares of {column}. Unweighted: {format_value(plain, unit)}."
        + (f" {left:,} answers without a known {column} are left out." if left else "")
    )
    return row | {
        "value": value, "low": low, "high": high, "n": len(known), "compared_value": plain, "claim": claim,
        "feedback_ids": collect_quotes(said, known),
    }  # fmt: skip
