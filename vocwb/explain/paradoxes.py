"""Differences that turn round when like is compared with like: Simpson's paradox, found and shown."""

from collections.abc import Callable, Iterator, Mapping
from itertools import permutations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from vocwb import stats
from vocwb.explain.hiding import find_hidden
from vocwb.explain.segments import split_by_language
from vocwb.schemas import describe_table, make_findings
from vocwb.understand.answers import gather_answers, score_unit
from vocwb.understand.metrics import collect_quotes, format_interval, format_value, name_period

_ROUGH = 1.6  # standard errors; what lies nearer to zero on a side can be no paradox


class _Outcomes(NamedTuple):
    """Whose answers (unit and segments), what they say (a row a row, a column a subject), and what that is called."""

    people: pd.DataFrame
    values: sparse.csr_array
    subjects: list[dict]
    quotes: Callable[[np.ndarray, int], list[str]]


def find_paradoxes(
    responses: pd.DataFrame, opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame,
    questions: Mapping, segments: Mapping[str, str], *, month: str, minimum: int,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on differences that turn round when like is compared with like.

    responses: response_id, respondent_id, month, voice, duplicate_of, and a column a question and segment; opinions,
    assignments and codebook: as measure_cells of explain.segments takes them. Looked at are each level of a segment
    against its rest, in the score of each question (customers' answers) and in the share that mentions each topic:
    over all, and within the levels of each other segment (stats.adjust_difference). A paradox (Simpson 1951, JRSS B
    13): both
    intervals exclude zero with opposite signs, and both are evident beside all else that was looked at: first the
    difference of like with like among all (Benjamini-Hochberg at 5%; what does not turn round counts with p = 1), then
    the difference over all among those. p is that of like with like, p_adjusted the larger of both. Both sides have 30
    units at least; what hiding.find_hidden names is left out.
    Measure "paradox", level "express, within area": value is the pooled difference; difference, low and high are
    those of like with like, in points of the score or percentage points. The claim says both, and the difference in
    each level that has 30 units on both sides. What it is made of stands in rows of its own, each with its interval:
    "paradox_over_all" of the same level, and "paradox_within", level "express, within area: city", of each such level.
    These have no verdict.

    >>> from types import SimpleNamespace
    >>> responses = pd.DataFrame({"response_id": [f"r{i:03}" for i in range(400)], "respondent_id": None,
    ...     "month": "2025-01", "voice": "customer", "duplicate_of": None,
    ...     "csat": [5, 4] * 20 + [4, 4, 4, 5] * 40 + [2, 3] * 80 + [2, 2, 2, 3] * 10,
    ...     "area": ["city"] * 200 + ["rural"] * 200,
    ...     "express": ["yes"] * 40 + ["no"] * 160 + ["yes"] * 160 + ["no"] * 40})
    >>> none = pd.DataFrame(columns=["feedback_id", "response_id", "respondent_id", "codebook_id", "topic", "language",
    ...                              "name", "voice", "area", "express"], dtype="str")
    >>> found = find_paradoxes(responses, none, none, none, {"csat": SimpleNamespace(label="", low=1, high=5,
    ...     metric="csat")}, {"area": "Area", "express": "Express"}, month="2025-01", minimum=5)
    >>> found.query("measure == 'paradox'")[["level", "value", "difference"]].round(2).values.tolist()
    [['no, within area', 0.95, -0.25], ['yes, within area', -0.95, 0.25]]
    """
    heard = responses[(responses["voice"] == "customer") & responses["duplicate_of"].isna()]
    outcomes = [
        *_gather_scores(heard, opinions, questions, segments),
        *_gather_mentions(opinions, assignments, codebook, segments),
    ]
    rows = [row for outcome in outcomes for row in _scan(outcome, segments, minimum)]
    if not rows:
        return make_findings([], section="segments", month=month)
    cells = pd.DataFrame(rows)
    cells["p_adjusted"] = stats.adjust_p(cells["p"])
    cells = cells[cells["p_adjusted"] <= 0.05].copy()
    cells["p_adjusted"] = np.maximum(cells["p_adjusted"], stats.adjust_p(cells.get("p_pooled", cells["p"])))
    cells = cells[cells["p_adjusted"] <= 0.05]
    told = [one for row in cells.to_dict("records") for one in _tell(row, segments)]
    method = "over all against Mantel-Haenszel weights, cluster-robust by respondent, Benjamini-Hochberg"
    cells = pd.DataFrame(told).assign(period=name_period(heard["month"].unique()), method=method)
    kept = [column for column in describe_table("findings").columns if column in cells]
    return make_findings(cells[kept], section="segments", month=month)


def _gather_scores(heard, opinions, questions, segments) -> Iterator[_Outcomes]:
    """Yield the answers to each question, beside the segments of who answered."""
    said = opinions.groupby("response_id")["feedback_id"].agg(list)
    known = heard.drop_duplicates("response_id").set_index("response_id")[list(segments)]
    for name, question in questions.items():
        answers = gather_answers(heard, name, question)
        people = answers[["response_id", "unit"]].join(known, on="response_id")
        subject = {"subject": name, "unit": score_unit(question), "name": question.label or name}
        yield _Outcomes(
            people, sparse.csr_array(answers[["score"]].to_numpy(dtype=float)), [subject],
            lambda inside, _, people=people: collect_quotes(said, people[inside]),
        )  # fmt: skip


def _gather_mentions(opinions, assignments, codebook, segments) -> Iterator[_Outcomes]:
    """Yield who mentions which topic, a language at a time; 100 for a mention. A unit counts once in its levels."""
    for heard, mentions, topics in split_by_language(opinions, assignments, codebook):
        keys = ["unit", *segments]
        people = heard[keys].drop_duplicates(ignore_index=True)
        rows = heard.groupby(keys, dropna=False, sort=False).ngroup()
        talk = mentions.assign(row=rows[mentions.index].to_numpy(), column=mentions["topic"].cat.codes)
        cells = talk[["row", "column"]].drop_duplicates()
        values = sparse.csr_array(
            (np.full(len(cells), 100.0), (cells["row"], cells["column"])), shape=(len(people), len(topics))
        )
        subjects = [
            {"subject": topic, "unit": "pp", "name": f"mentions of “{name}”"}
            for topic, name in topics.items()
        ]
        yield _Outcomes(
            people, values, subjects,
            lambda inside, column, talk=talk: talk.loc[
                (talk["column"] == column) & inside[talk["row"]], "feedback_id"
            ].tolist(),
        )  # fmt: skip


def _scan(outcome: _Outcomes, segments: Mapping[str, str], minimum: int) -> Iterator[dict]:
    """Yield a row for each level, other segment and subject; p is 1 where the difference does not turn round."""
    hidden = find_hidden(outcome.people, list(segments), minimum=minimum)
    for column, within in permutations(segments, 2):
        known = (outcome.people[column].notna() & outcome.people[within].notna()).to_numpy()
        people, values = outcome.people[known], outcome.values[known]
        strata, names = pd.factorize(people[within], sort=True)
        for level in sorted(people[column].unique()):
            inside = (people[column] == level).to_numpy()
            sides = people.loc[inside, "unit"].nunique(), people.loc[~inside, "unit"].nunique()
            if (column, level) in hidden or min(sides) < stats.FEWEST_FOR_PERCENTAGES:
                continue
            turning = _find_turning(values, inside, strata)
            for number, subject in enumerate(outcome.subjects):
                row = subject | {"segment": column, "level": level, "within": within, "p": 1.0}
                if turning[number]:
                    full = np.zeros(len(known), dtype=bool)
                    full[np.flatnonzero(known)[inside]] = True
                    open_levels = [one for one in sorted(set(strata)) if (within, names[one]) not in hidden]
                    row |= _compare(
                        values[:, [number]].toarray().ravel(),
                        inside,
                        strata,
                        people["unit"],
                        open_levels,
                        minimum,
                    )
                    row |= {"n": int(inside.sum()), "feedback_ids": outcome.quotes(full, number)}
                    for part in row["parts"]:
                        own = full.copy()
                        own[np.flatnonzero(known)[strata != part["stratum"]]] = False
                        part |= {"name": names[part["stratum"]], "feedback_ids": outcome.quotes(own, number)}
                yield row


def _find_turning(values: sparse.csr_array, inside: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Return which columns differ over all and within the strata with opposite signs, roughly beyond chance."""
    cells = 2 * strata + inside
    places = sparse.csr_array((np.ones(len(cells)), (cells, np.arange(len(cells)))))
    n = np.bincount(cells, minlength=places.shape[0])[:, None]
    sums, squares = (places @ values).toarray(), (places @ values.multiply(values)).toarray()
    if len(n) % 2:
        n, sums, squares = (np.vstack([part, np.zeros_like(part[:1])]) for part in (n, sums, squares))
    n, sums, squares = (part.reshape(-1, 2, part.shape[1]) for part in (n, sums, squares))

    def compare(n, sums, squares):
        means = sums / np.maximum(n, 1)
        errors = (squares / np.maximum(n, 1) - means**2) / np.maximum(n, 1)
        weights = n[:, 0] * n[:, 1] / np.maximum(n.sum(axis=1), 1)
        weights = weights / weights.sum()
        return (weights * (means[:, 1] - means[:, 0])).sum(axis=0), (weights**2 * errors.sum(axis=1)).sum(
            axis=0
        )

    both = (
        compare(n, sums, squares),
        compare(*(part.sum(axis=0, keepdims=True) for part in (n, sums, squares))),
    )
    far = [np.abs(difference) > _ROUGH * np.sqrt(error) for difference, error in both]
    return far[0] & far[1] & (both[0][0] * both[1][0] < 0)


def _compare(
    values: np.ndarray, inside: np.ndarray, strata: np.ndarray, units: pd.Series, open_levels: list[int], minimum: int
) -> dict:  # fmt: skip
    """Return both differences with their intervals, p, and the difference in each stratum that may be shown."""
    over_all = stats.adjust_difference(values, inside, None, units)
    like = stats.adjust_difference(values, inside, strata, units)
    turned = over_all[0] * like[0] < 0 and over_all[1] * over_all[2] > 0 and like[1] * like[2] > 0
    parts = []
    for stratum in open_levels:
        here = strata == stratum
        sides = [units[here & side].nunique() for side in (inside, ~inside)]
        if min(sides) >= stats.FEWEST_FOR_PERCENTAGES:
            difference, low, high, _ = stats.adjust_difference(values[here], inside[here], None, units[here])
            part = {"stratum": stratum, "difference": difference, "low": low, "high": high}
            parts.append(part | {"n": int((here & inside).sum()), "size": sum(sides)})
    left = units[~np.isin(strata, [part["stratum"] for part in parts])].nunique()
    if 0 < left < minimum:  # what is left of the total would be a group too small to show
        parts.remove(min(parts, key=lambda part: part["size"]))
    return {
        "value": over_all[0], "pooled": over_all[1:3], "difference": like[0], "low": like[1], "high": like[2],
        "p": like[3] if turned else 1.0, "p_pooled": over_all[3], "parts": parts,
    }  # fmt: skip


def _tell(row: dict, segments: Mapping[str, str]) -> list[dict]:
    """Return the finding of a paradox, and the findings that it is made of."""
    unit, within, parts = row["unit"], segments[row["within"]], row["parts"]
    where = f"{row['name']}: where {segments[row['segment']]} is {row['level']}"

    def say(difference, low, high) -> str:
        return f"{format_value(difference, unit, signed=True)} ({format_interval(low, high, unit)})"

    over_all, like = say(row["value"], *row["pooled"]), say(row["difference"], row["low"], row["high"])
    listed = "; ".join(
        f"{part['name']} {format_value(part['difference'], unit, signed=True)}" for part in parts
    )
    claim = (
        f"{where}, over all {over_all} against the rest; like compared with like, within each level of {within}, it is"
        f" {like}: the difference turns round{' (' + listed + ')' if parts else ''}. The groups differ in {within};"
        " which of the two figures answers the question is for people to say."
    )
    place = {name: row[name] for name in ("subject", "segment", "unit", "n", "feedback_ids")}
    place |= {"level": f"{row['level']}, within {row['within']}"}
    found = [
        place | {name: row[name] for name in ("value", "difference", "low", "high", "p", "p_adjusted")}
        | {"measure": "paradox", "verdict": stats.EVIDENCE, "claim": claim},
        place | {"measure": "paradox_over_all", "difference": row["value"], "low": row["pooled"][0],
                 "high": row["pooled"][1], "claim": f"{where}, over all: {over_all} against the rest."},
    ]  # fmt: skip
    for part in parts:
        own = {name: part[name] for name in ("difference", "low", "high", "n", "feedback_ids")}
        says = say(*(part[name] for name in ("difference", "low", "high")))
        claim = (
            f"{where} and {within} {part['name']}: {says} against the rest where {within} is {part['name']}."
        )
        level = f"{place['level']}: {part['name']}"
        found.append(place | own | {"measure": "paradox_within", "level": level, "claim": claim})
    return found
