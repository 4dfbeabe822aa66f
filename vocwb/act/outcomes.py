"""Did it help: the target of each action before and after it started."""

from collections.abc import Mapping
from itertools import chain

import pandas as pd

from vocwb import stats
from vocwb.schemas import join_responses, make_findings, unit_of
from vocwb.understand.metrics import (
    compare_answers,
    compare_mentions,
    describe_difference,
    gather_answers,
    name_period,
    smallest_score,
)

MIN_MONTHS = 2
"""A single month on a side cannot be told from the ordinary change of one month to the next."""


def judge_outcomes(
    actions: pd.DataFrame, responses: pd.DataFrame, feedback: pd.DataFrame, assignments: pd.DataFrame,
    questions: Mapping, *, month: str, smallest: Mapping[str, float], minimum: int = 5, window: int = 6,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on the target of each action that has started, after its start against before.

    actions: the table, dropped ones are passed over; responses and feedback as in the store; assignments of
    all the months compared. Before: up to `window` months before the month of starts_on; after: from that
    month on, up to `window` months and up to `month`. Measure "difference" is after minus before: of the mean
    score for a question (customers' answers, or employees' if only they answered), and for a topic of the
    share, in percentage points, among units (respondents where known; one counts once a month) with feedback
    that was assigned, in the languages in which the topic occurs. Clustered by respondent; p is adjusted over
    the actions. Under two months with data on a side, or without a series for the target, the verdict is "too
    few to say". A before and after without a control group: an association. Undated programmes ("all") have
    no before, hence no rows. smallest: share and nps in points, mean in points of the scale.

    >>> from types import SimpleNamespace
    >>> question = SimpleNamespace(label="Recommend us?", low=0, high=10, metric="nps")
    >>> action = dict(action_id="A1", title="Second desk", status="running", registered_on="2025-02-01",
    ...               starts_on="2025-03-01", target_kind="question", target="nps", expected="higher")
    >>> months = ["2025-01", "2025-02", "2025-03", "2025-04"]
    >>> responses = pd.DataFrame({"response_id": [f"r{i:03}" for i in range(200)], "respondent_id": None,
    ...     "month": [m for m in months for _ in range(50)], "voice": "customer", "duplicate_of": None,
    ...     "nps": [2.0, 9.0] * 50 + [9.0] * 99 + [3.0]})
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "response_id": ["r001"], "duplicate_of": [None]})
    >>> assignments = pd.DataFrame({"feedback_id": [], "codebook_id": [], "topic": []})
    >>> found = judge_outcomes(pd.DataFrame([action]), responses, feedback, assignments, {"nps": question},
    ...                        month="2025-04", smallest={"share": 5, "nps": 5, "mean": 0.2})
    >>> found[["difference", "verdict"]].values.tolist()
    [[98.0, 'evidence of a difference']]
    """
    started = actions["starts_on"].str[:7].le(month) & actions["status"].ne("dropped")
    if month == "all" or not started.any():
        return make_findings([], section="outcomes", month=month)
    dated = responses[responses["duplicate_of"].isna() & responses["month"].ne("all")]
    opinions = join_responses(feedback, dated)
    judged, unjudged = [], []
    for action in actions[started].sort_values("action_id").to_dict("records"):
        question = questions.get(action["target"]) if action["target_kind"] == "question" else None
        if question:
            series = _question_series(dated, opinions, action["target"], question)
        elif action["target_kind"] == "topic":
            series = _topic_series(opinions, assignments, action["target"])
        else:
            series = pd.DataFrame({"month": [], "unit": [], "score": [], "feedback_ids": []})
        after, before = (
            series[series["month"].isin(w)] for w in _windows(action["starts_on"], month, window)
        )
        row = {"subject": action["action_id"], "measure": "difference", "period": month}
        months = [side["month"].nunique() for side in (after, before)]
        if min(months) < MIN_MONTHS:
            unjudged.append(row | _describe_unjudged(action, *months))
            continue
        if question:
            row |= compare_answers(after, before, question, minimum=minimum)
        else:
            row |= compare_mentions(after, before, minimum=minimum)
        row["period"] = f"{name_period(after['month'])} vs {name_period(before['month'])}"
        row["feedback_ids"] = sorted(chain(*after["feedback_ids"].dropna(), *before["feedback_ids"].dropna()))
        row["smallest"] = smallest_score(question, smallest) if question else smallest["share"]
        judged.append(row | {"action": action, "what": question.label if question else action["target"]})
    if judged:
        cells = pd.DataFrame(judged)
        cells = stats.judge_family(cells, smallest=cells["smallest"])
        cells["claim"] = [_describe_outcome(row) for row in cells.to_dict("records")]
        judged = cells.drop(columns=["smallest", "action", "what", "within"], errors="ignore").to_dict(
            "records"
        )
    return make_findings(judged + unjudged, section="outcomes", month=month)


def _windows(starts_on: str, month: str, window: int) -> tuple[list[str], list[str]]:
    """Return the months after (with the first) and before the start."""
    start = pd.Period(starts_on[:7], freq="M")
    after = [str(start + step) for step in range(window)]
    return [name for name in after if name <= month], [str(start - step) for step in range(1, window + 1)]


def _one_voice(frame: pd.DataFrame) -> pd.DataFrame:
    customers = frame[frame["voice"] == "customer"]
    return frame if customers.empty else customers


def _question_series(responses: pd.DataFrame, opinions: pd.DataFrame, name: str, question) -> pd.DataFrame:
    answers = gather_answers(_one_voice(responses[responses[name].notna()]), name, question)
    said = opinions.groupby("response_id")["feedback_id"].agg(list)
    return answers.assign(feedback_ids=said.reindex(answers["response_id"]).to_numpy())


def _topic_series(opinions: pd.DataFrame, assignments: pd.DataFrame, topic: str) -> pd.DataFrame:
    """Return a row for each unit and month: score 100 where it mentions the topic, else 0, and where."""
    carriers = assignments[assignments["topic"] == topic]
    looked_at = assignments.loc[assignments["codebook_id"].isin(carriers["codebook_id"]), "feedback_id"]
    heard = _one_voice(opinions[opinions["feedback_id"].isin(looked_at)])
    mentions = heard[heard["feedback_id"].isin(carriers["feedback_id"])]
    heard = heard[heard["language"].isin(mentions["language"])]
    people = heard.assign(unit=unit_of(heard))[["month", "unit"]].drop_duplicates()
    said = mentions.assign(unit=unit_of(mentions)).groupby(["month", "unit"])["feedback_id"].agg(list)
    people = people.sort_values(["month", "unit"]).merge(
        said.rename("feedback_ids").reset_index(), on=["month", "unit"], how="left"
    )
    return people.assign(score=100.0 * people["feedback_ids"].notna())


def _name_action(action: dict) -> str:
    late = action["registered_on"] > action["starts_on"]
    return f"{action['title']} (since {action['starts_on']}{', registered only afterwards' if late else ''})"


def _describe_unjudged(action: dict, after: int, before: int) -> dict:
    target = f"{action['target_kind']} {action['target']}"
    return {
        "unit": "%", "verdict": stats.TOO_FEW, "method": "before against after", "feedback_ids": [],
        "claim": f"{_name_action(action)}: {target} has {before} months before and {after} after the start,"
        f" and {MIN_MONTHS} on each side are needed; {stats.TOO_FEW}.",
    }  # fmt: skip


def _describe_outcome(row: dict) -> str:
    action = row["action"]
    after, before = row["period"].split(" vs ")
    what = f"{_name_action(action)}, {row['what']}"
    claim = describe_difference(row, what=what, here=f"after ({after})", there=f"before ({before})")
    if row["verdict"] == stats.EVIDENCE:
        moved = "higher" if row["difference"] > 0 else "lower"
        way = "in the expected direction" if moved == action["expected"] else "against the expected direction"
        return f"{claim} It moved {way} ({moved}); an association, no control group."
    return f"{claim} Expected: {action['expected']}; an association at most, no control group."
