"""What people decided to do, and how much each action could reach."""

import datetime

import pandas as pd

from vocwb import stats
from vocwb.errors import DecisionError
from vocwb.schemas import check_table, empty_table, make_findings
from vocwb.understand.metrics import format_interval, format_value
from vocwb.understand.registry import SCORES

EFFORTS = {"process": "a change of process", "small": "small development", "full": "full development"}
CHOICES = {
    "effort": tuple(EFFORTS),
    "status": ("planned", "running", "done", "dropped"),
    "target_kind": ("question", "topic", "category"),
    "expected": ("higher", "lower"),
}
_REQUIRED = ("title", "owner", *CHOICES, "registered_on", "starts_on", "target")

_WHERE = {"question": ("scores", "staff"), "topic": ("topics", "staff"), "category": ("topics", "root_cause")}
_MEASURES = ("share", *SCORES)


def list_actions(decisions: pd.DataFrame) -> pd.DataFrame:
    """Return the `actions` table of the decisions that stand (decisions.fold_decisions).

    Needs decision_id, kind, subject and value; other kinds than "action" are passed over. The subject is the
    action's id, and value holds title, owner, effort (process, small, full), status (planned, running, done,
    dropped), registered_on and starts_on (YYYY-MM-DD), target_kind (question, topic, category), target,
    expected (higher, lower), and may hold authority, cost and finding_id. Raises DecisionError for a field
    that is missing or says something else, naming the action and the field.

    >>> value = dict(title="Open a second desk", owner="A. Ivanova", effort="process", status="planned",
    ...              registered_on="2025-01-10", starts_on="2025-02-01", target_kind="topic", target="T0001",
    ...              expected="lower")
    >>> decisions = pd.DataFrame({"decision_id": [7], "kind": "action", "subject": "A1", "value": [value]})
    >>> list_actions(decisions)[["action_id", "effort", "decision_id"]].values.tolist()
    [['A1', 'process', 7]]
    """
    rows = [
        _read_action(decision.subject, decision.value) | {"decision_id": decision.decision_id}
        for decision in decisions[decisions["kind"] == "action"].itertuples()
    ]
    if not rows:
        return empty_table("actions")
    return check_table("actions", pd.DataFrame(rows).sort_values("action_id"))


def _read_action(action: str, value: dict) -> dict:
    for field in _REQUIRED:
        if value.get(field) in (None, ""):
            raise DecisionError(
                f"Action {action!r} lacks {field!r}.",
                f"It has: {', '.join(value) or 'nothing'}.",
                f"Record the action again with {field!r}.",
            )
    for field, choices in CHOICES.items():
        if value[field] not in choices:
            raise DecisionError(
                f"Action {action!r}: {field!r} is {value[field]!r}.",
                f"It can be: {', '.join(choices)}.",
                "Record the action again with one of these.",
            )
    row = {"action_id": action} | {field: value[field] for field in _REQUIRED}
    row |= {field: value.get(field) for field in ("authority", "finding_id")}
    try:
        field = "cost"
        row[field] = None if value.get(field) is None else float(value[field])
        for field in ("registered_on", "starts_on"):
            row[field] = datetime.date.fromisoformat(value[field]).isoformat()
    except (TypeError, ValueError) as error:
        raise DecisionError(
            f"Action {action!r}: {field!r} is {value[field]!r}.",
            "Dates are written as 2025-01-31, a cost as a number.",
            f"Record the action again with such a {field!r}.",
        ) from error
    return row


def rank_actions(actions: pd.DataFrame, findings: pd.DataFrame, *, month: str | None = None) -> pd.DataFrame:
    """Return findings on how far each action that is not dropped could reach, widest reach first.

    actions: the table; findings: the month's, of which the sections topics, scores and staff are read. Reach
    is the latest share (%), NPS (points) or mean of the target, with its interval, n and feedback: an
    association, no promise of an effect. Shares come first, largest first, then scores, worst first; then the
    smaller effort. Without such a number the verdict is "too few to say". month: of the report; the findings'
    own if not given ("all" if there are none).

    >>> action = dict(action_id="A1", title="Second desk", owner="A", effort="process", status="planned",
    ...               target_kind="topic", target="T0001", cost=None)
    >>> share = dict(period="2025-01", subject="T0001", measure="share", unit="%", value=12.0, low=10.0,
    ...              high=14.0, n=900, claim="", method="")
    >>> findings = make_findings([share], section="topics", month="2025-01")
    >>> print(rank_actions(pd.DataFrame([action]), findings)["claim"].item())
    Second desk (A, planned, a change of process): its target T0001 stands at 12.0% \
(95% interval 10.0 to 14.0, n = 900) in 2025-01; an association, no promise of an effect.
    """
    month = month or (findings["month"].iloc[0] if len(findings) else "all")
    known = findings[
        findings["measure"].isin(_MEASURES) & findings["segment"].isna() & findings["value"].notna()
    ]
    known = known.sort_values(["period", "finding_id"])
    ranked = []
    for action in actions[actions["status"] != "dropped"].sort_values("action_id").to_dict("records"):
        of_target = known["subject"].eq(action["target"])
        reach = known[of_target & known["section"].isin(_WHERE[action["target_kind"]])].tail(1)
        is_score = action["target_kind"] == "question"
        value = reach["value"].item() if len(reach) else None
        place = (
            value is None,
            is_score,
            value if is_score else -(value or 0),
            list(EFFORTS).index(action["effort"]),
        )
        ranked.append((place, _describe_reach(action, reach, month)))
    rows = [row for _, row in sorted(ranked, key=lambda pair: pair[0])]
    return make_findings(rows, section="actions", month=month)


def _describe_reach(action: dict, reach: pd.DataFrame, month: str) -> dict:
    cost = "" if pd.isna(action["cost"]) else f", cost {action['cost']:,.0f}"
    who = f"{action['title']} ({action['owner']}, {action['status']}, {EFFORTS[action['effort']]}{cost})"
    target = f"its target {action['target']}"
    if reach.empty:
        missing = f"no share or score of {target} is shown up to {month}, so its reach is not known"
        return {
            "period": month, "subject": action["action_id"], "measure": "reach", "unit": "%",
            "verdict": stats.TOO_FEW, "method": "no number of the target", "feedback_ids": [],
            "claim": f"{who}: {missing}.",
        }  # fmt: skip
    row = reach.iloc[0]
    reached, interval = (
        format_value(row["value"], row["unit"]),
        format_interval(*row[["low", "high", "unit"]]),
    )
    return row[["period", "value", "low", "high", "n", "unit", "feedback_ids"]].to_dict() | {
        "subject": action["action_id"], "measure": "reach", "method": f"{row['measure']} of the target",
        "claim": f"{who}: {target} stands at {reached} ({interval}, n = {row['n']:,}) in {row['period']};"
        " an association, no promise of an effect.",
    }  # fmt: skip
