"""Which topics go with high or low scores: an association, never a cause."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vocwb import stats
from vocwb.explain.segments import split_by_language
from vocwb.schemas import make_findings
from vocwb.understand.metrics import (
    compare_answers,
    describe_difference,
    gather_answers,
    name_period,
    smallest_score,
)


def rank_drivers(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame, questions: Mapping, *,
    month: str, minimum: int, smallest: Mapping[str, float],
) -> pd.DataFrame:  # fmt: skip
    """Return findings on the score of responses that mention a topic against those that do not.

    Needs the columns of explain.segments.split_by_language, opinions also month and a column a question
    (name -> label, low, high, metric). Both sides are customers' responses with a verbatim in the language of
    the topic. One row a question and topic: subject is the question, segment "topic" and level the topic's
    id; measure "difference": value and compared_value are mean scores (for nps -100..100 points), low and
    high the interval of the difference, clustered by respondent, and within each population where there are several.
    p is adjusted over all rows together.
    feedback_ids: the feedback that mentions the topic. smallest: nps in points, mean in points of the scale.

    >>> from types import SimpleNamespace
    >>> question = SimpleNamespace(label="Recommend us?", low=0, high=10, metric="nps")
    >>> opinions = pd.DataFrame({"feedback_id": [f"f{i:03}" for i in range(80)], "respondent_id": None,
    ...     "response_id": [f"r{i:03}" for i in range(80)], "month": "2025-01", "language": "en",
    ...     "voice": "customer", "nps": [2.0, 10.0] * 35 + [7.0] * 10})
    >>> codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "language": "en", "name": "queue"})
    >>> assignments = opinions[["feedback_id"]].assign(codebook_id="c", topic=["T0001", "T0000"] * 40)
    >>> found = rank_drivers(opinions, assignments, codebook, {"nps": question}, month="2025-01", minimum=5,
    ...                      smallest={"nps": 5, "mean": 0.2})
    >>> found[["subject", "level", "value", "compared_value", "verdict"]].values.tolist()
    [['nps', 'T0001', -87.5, 87.5, 'evidence of a difference']]
    """
    rows = []
    for heard, mentions, topics in split_by_language(opinions, assignments, codebook):
        said = dict(tuple(mentions.groupby("topic", observed=True)))
        for name, question in questions.items():
            answers = gather_answers(heard, name, question)
            answers = answers[["response_id", "score", "population"]].assign(
                unit=pd.factorize(answers["unit"])[0]
            )
            places = pd.Index(answers["response_id"])
            for topic, topic_name in topics.items():
                talk = said.get(topic, mentions.head(0))
                talk = talk[talk[name].notna()]
                mention = np.zeros(len(answers), dtype=bool)
                mention[places.get_indexer(talk["response_id"])] = True
                rows.append(
                    compare_answers(answers[mention], answers[~mention], question, minimum=minimum)
                    | {
                        "subject": name,
                        "segment": "topic",
                        "level": topic,
                        "feedback_ids": talk["feedback_id"].tolist(),
                    }
                    | {"smallest": smallest_score(question, smallest), "topic_name": topic_name}
                )
    if not rows:
        return make_findings([], section="drivers", month=month)
    cells = pd.DataFrame(rows)
    cells = stats.judge_family(cells, smallest=cells["smallest"])
    cells["claim"] = [_describe_driver(row, questions[row["subject"]]) for row in cells.to_dict("records")]
    cells = cells.drop(columns=["smallest", "topic_name", "within"])
    return make_findings(
        cells.assign(period=name_period(opinions["month"].unique())), section="drivers", month=month
    )


def _describe_driver(row: dict, question) -> str:
    topic, what = f"“{row['topic_name']}”", question.label or row["subject"]
    here, there = f"in responses that mention {topic}", "in those that do not"
    claim = describe_difference(row, what=what, here=here, there=there)
    if row["verdict"] != stats.EVIDENCE:
        return claim
    side = "lower" if row["difference"] < 0 else "higher"
    return f"{claim} Mentions of {topic} go with a {side} score, which does not say why."
