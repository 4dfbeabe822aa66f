"""The answers to scaled questions: one row a response, with its unit and its score."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vocwb.crosswalk import MEASURES
from vocwb.errors import SchemaError
from vocwb.schemas import unit_of

NPS = ("nps", "nps_1_10")
"""The metrics, and measures, of promoters less detractors."""

_NPS_ANSWERS = 30  # of them none above 6, where 9 and 10 are the most frequent answers, is no chance


def list_measures(question) -> tuple[str, ...]:
    """Return the measures of a question, the main one first: names of understand.registry.

    >>> from types import SimpleNamespace
    >>> list_measures(SimpleNamespace(low=0, high=100, metric="csat"))
    ('csat_mean',)
    """
    has_boxes = question.high - question.low <= 10
    return tuple(name for name in MEASURES[question.metric] if has_boxes or name != "csat_top2")


def score_unit(question) -> str:
    """Return the unit of a question's score: "points" for NPS, else the scale, as "1-5".

    >>> from types import SimpleNamespace
    >>> score_unit(SimpleNamespace(label="Satisfied?", low=1, high=5, metric="csat"))
    '1-5'
    """
    return "points" if question.metric in NPS else f"{question.low:g}-{question.high:g}"


def measure_unit(measure: str, question) -> str:
    """Return the unit of one measure of a question.

    >>> from types import SimpleNamespace
    >>> measure_unit("csat_top2", SimpleNamespace(low=1, high=5, metric="csat"))
    '%'
    """
    return "%" if measure == "csat_top2" else score_unit(question)


def score_scale(question) -> tuple[float, float]:
    """Return the lowest and the highest score that one response can have: -100 and 100 for nps.

    >>> from types import SimpleNamespace
    >>> score_scale(SimpleNamespace(low=1, high=5, metric="csat"))
    (1, 5)
    """
    return (-100, 100) if question.metric in NPS else (question.low, question.high)


def smallest_score(question, smallest: Mapping[str, float]) -> float:
    """Return the smallest difference of a question's score that matters to the programme.

    smallest: nps in points, mean in points of the scale; share, in percentage points, serves an index on 0-100.

    >>> from types import SimpleNamespace
    >>> smallest_score(SimpleNamespace(label="", low=0, high=10, metric="nps"), {"nps": 5, "mean": 0.2})
    5
    """
    kinds = dict.fromkeys(NPS, "nps") | {"cli_rescaled": "share"}
    return smallest[kinds.get(question.metric, "mean")]


def is_low_good(question) -> bool:
    """Return whether a low number is the good one; SchemaError where a question of effort does not declare it.

    >>> from types import SimpleNamespace
    >>> is_low_good(SimpleNamespace(label="Easy?", low=1, high=7, metric="ces", better="high"))
    False
    """
    better = getattr(question, "better", None)
    if question.metric == "ces" and better is None:
        raise SchemaError(
            f"“{question.label}” is of metric ces, and does not say which end of its scale is good.",
            "Effort is asked both ways: low is good of “How much effort?”, high of “It was easy”.",
            "Write better: low, or better: high, at the question in programme.yml.",
        )
    return better == "low"


def gather_answers(responses: pd.DataFrame, name: str, question) -> pd.DataFrame:
    """Return one row for each response that answered a question: response_id, month, unit, population, answer, score.

    Needs response_id, respondent_id, month and the question's column; population is "" where it is not known.
    A response is counted once, and the
    rows come in the order of response_id. score is the answer, but for nps and nps_1_10 100 for a promoter (9-10),
    -100 for a detractor (6 or less) and 0 between (Reichheld 2003, Harvard Business Review 81). Raises
    SchemaError for a question without a column and for an answer outside its scale.

    >>> from types import SimpleNamespace
    >>> question = SimpleNamespace(label="Recommend us?", low=0, high=10, metric="nps")
    >>> responses = pd.DataFrame({"response_id": ["a", "b", "c"], "respondent_id": [None, None, "p"],
    ...                           "month": "2025-01", "nps": [10, 6, None]})
    >>> gather_answers(responses, "nps", question)["score"].tolist()
    [100.0, -100.0]
    """
    if name not in responses:
        raise SchemaError(
            f"Question {name!r} has no column in the responses.",
            f"Columns: {', '.join(map(str, responses))}.",
            "Ingest again, or take the question out of programme.yml.",
        )
    kept = responses[responses[name].notna()].drop_duplicates("response_id").sort_values("response_id")
    answer = kept[name].astype(float)
    outside = kept[(answer < question.low) | (answer > question.high)]
    if len(outside):
        raise SchemaError(
            f"Question {name!r}: response {outside['response_id'].iloc[0]!r} has {outside[name].iloc[0]:g}.",
            f"The scale runs from {question.low:g} to {question.high:g}; {len(outside)} answers lie outside.",
            "Correct low and high of the question in programme.yml, or the raw file, and ingest again.",
        )
    score = answer
    if question.metric in NPS:
        score = pd.Series(np.select([answer >= 9, answer <= 6], [100.0, -100.0], 0.0), index=answer.index)
    columns = {
        "unit": unit_of(kept),
        "population": kept.get("population", ""),
        "answer": answer,
        "score": score,
    }
    return kept[["response_id", "month"]].assign(**columns).reset_index(drop=True)


def gather_index(responses: pd.DataFrame, index, questions: Mapping) -> pd.DataFrame:
    """Return one row for each response that answered every item of an index, as gather_answers returns them.

    Needs the columns of gather_answers for each question that index.questions names. answer and score are the mean
    of the items, each rescaled to 0-100 first; an item of which a low number is good is turned round.

    >>> from types import SimpleNamespace
    >>> items = {"buy": SimpleNamespace(low=0, high=10, metric="loyalty"),
    ...          "try": SimpleNamespace(low=1, high=5, metric="ces", better="low")}
    >>> responses = pd.DataFrame({"response_id": ["a", "b"], "respondent_id": None, "month": "2025-01",
    ...                           "buy": [5.0, 9.0], "try": [1.0, None]})
    >>> gather_index(responses, SimpleNamespace(questions=["buy", "try"]), items)["score"].tolist()
    [75.0]
    """
    found = None
    for name in index.questions:
        question = questions[name]
        answers = gather_answers(responses, name, question)
        share = (answers["answer"] - question.low) / (question.high - question.low)
        item = answers.assign(item=100 * (1 - share if is_low_good(question) else share))
        found = (
            item.rename(columns={"item": name})
            if found is None
            else found.merge(item[["response_id", "item"]].rename(columns={"item": name}), on="response_id")
        )
    means = found[list(index.questions)].mean(axis=1)
    return found[["response_id", "month", "unit", "population"]].assign(answer=means, score=means)


def gather_scores(responses: pd.DataFrame, name: str, question, questions: Mapping) -> pd.DataFrame:
    """Return the answers to a question, or those to all items of an index: see gather_answers and gather_index.

    >>> from types import SimpleNamespace
    >>> question = SimpleNamespace(label="", low=1, high=5, metric="csat")
    >>> responses = pd.DataFrame({"response_id": ["a"], "respondent_id": None, "month": "2025-01", "csat": [5.0]})
    >>> gather_scores(responses, "csat", question, {})["score"].tolist()
    [5.0]
    """
    if question.metric == "cli_rescaled":
        return gather_index(responses, question, questions)
    return gather_answers(responses, name, question)


def split_populations(answers: pd.DataFrame, responses: pd.DataFrame) -> list[tuple[dict, pd.DataFrame]]:
    """Return (place, answers) for each population that answered; place is empty where there is only one.

    answers: from gather_answers; responses: response_id and, where it is known, population. place: segment and level.

    >>> answers = pd.DataFrame({"response_id": ["a", "b"], "score": [1.0, 2.0]})
    >>> people = pd.DataFrame({"response_id": ["a", "b"], "population": ["all", "members"]})
    >>> [(place["level"], len(own)) for place, own in split_populations(answers, people)]
    [('all', 1), ('members', 1)]
    """
    if "population" not in responses:
        return [({}, answers)]
    known = responses.drop_duplicates("response_id").set_index("response_id")["population"]
    of = answers["response_id"].map(known).astype("str")
    if of.nunique() < 2:
        return [({}, answers)]
    return [
        ({"segment": "population", "level": level}, answers[of == level].assign(population=level))
        for level in sorted(of.dropna().unique())
    ]


def check_nps(answers: pd.DataFrame, name: str, question) -> None:
    """Raise SchemaError where 30 or more answers to a question of NPS are all 6 or less: it was asked on another scale.

    >>> from types import SimpleNamespace
    >>> question = SimpleNamespace(label="Recommend us?", low=0, high=10, metric="nps")
    >>> check_nps(pd.DataFrame({"answer": [6.0] * 30}), "nps", question)
    Traceback (most recent call last):
    ...
    vocwb.errors.SchemaError: Question 'nps': no answer above 6 in 30 answers: a 0-6 scale?
    It is declared as nps, on 0-10; promoters answer 9 or 10.
    Declare 'nps' in programme.yml on the scale that was asked, with metric: rating. If it was 0-10: so too, until \
somebody answers above 6.
    """
    if question.metric not in NPS or len(answers) < _NPS_ANSWERS or answers["answer"].max() > 6:
        return
    scale = f"{question.low:g}-{question.high:g}"
    raise SchemaError(
        f"Question {name!r}: no answer above 6 in {len(answers):,} answers: a 0-6 scale?",
        f"It is declared as {question.metric}, on {scale}; promoters answer 9 or 10.",
        f"Declare {name!r} in programme.yml on the scale that was asked, with metric: rating. If it was {scale}:"
        " so too, until somebody answers above 6.",
    )
