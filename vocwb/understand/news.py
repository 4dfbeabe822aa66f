"""News: what a month says that the codebook does not hold, in words for everybody."""

import pandas as pd

from vocwb import stats
from vocwb.schemas import make_findings, unit_of
from vocwb.understand.metrics import format_interval

_TERMS = 5


def tell_news(
    proposals: pd.DataFrame, drift: pd.DataFrame, mentions: pd.DataFrame, opinions: pd.DataFrame,
    codebook: pd.DataFrame, *, month: str, minimum: int, minimum_staff: int | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on the topics that a month proposes, and on those that drift with evidence.

    proposals and drift: the month's tables; mentions: feedback_id, topic; opinions: feedback_id, response_id,
    respondent_id, voice, month; codebook: topic, name, voice. Measure "proposed": value and n count respondents
    (verbatims where nobody is known), subject is the first five terms. Measure "drift": value is the difference of
    the members' mean cosine to their topic from that at the fit, with its interval; topics that drew nearer are no
    news. A group below `minimum` (staff: `minimum_staff`) is left out. feedback_ids: the members.

    >>> from vocwb.schemas import empty_table
    >>> nothing = [empty_table(name) for name in ("proposals", "drift", "mentions")]
    >>> opinions = pd.DataFrame({"feedback_id": [], "respondent_id": [], "response_id": [], "voice": [], "month": []})
    >>> len(tell_news(*nothing, opinions, empty_table("codebook"), month="2025-01", minimum=5))
    0
    """
    opinions = opinions[opinions["month"] == month]
    units = pd.Series(unit_of(opinions).to_numpy(), index=opinions["feedback_id"].to_numpy())
    names = dict(zip(codebook["topic"], codebook["name"], strict=True))
    fewest = {"customer": minimum, "employee": minimum_staff or minimum}
    rows = [
        _tell_proposal(row, units, names) | {"voice": row["voice"]} for row in proposals.to_dict("records")
    ]
    voices = dict(zip(codebook["topic"], codebook["voice"], strict=True))
    moved = drift[
        drift["verdict"].eq(stats.EVIDENCE) & (drift["difference"] < 0) & drift["topic"].isin(list(names))
    ]
    spoken = mentions[mentions["feedback_id"].isin(units.index)]
    members = spoken.sort_values("feedback_id").groupby("topic")["feedback_id"].agg(list)
    for row in moved.to_dict("records"):
        ids = list(dict.fromkeys(members.get(row["topic"], [])))
        rows.append(_tell_drift(row, ids, units, names) | {"voice": voices[row["topic"]]})
    shown = pd.DataFrame([row for row in rows if row["n"] >= fewest[row["voice"]]])
    if len(shown):
        again = shown.groupby(["subject", "measure"]).cumcount()
        shown["subject"] += [f" ({count + 1})" if count else "" for count in again]
        staff = shown.pop("voice").eq("employee")
        shown = shown.assign(
            period=month, segment=staff.map({True: "voice"}), level=staff.map({True: "employee"})
        )
    return make_findings(shown, section="news", month=month)


def _tell_proposal(row: dict, units: pd.Series, names: dict[str, str]) -> dict:
    ids, terms = list(row["feedback_ids"]), " · ".join(list(row["terms"])[:_TERMS])
    people = int(units[ids].nunique())
    near = names.get(row["nearest_topic"], row["nearest_topic"])
    claim = (
        f"“{terms}”: {people:,} gave feedback that lies close together, where before there was"
        f" {row['earlier_share']:.0%} as much. Nearest is “{near}”. It is a topic once people accept it."
    )
    return {
        "subject": terms, "measure": "proposed", "unit": "count", "value": people, "n": people, "claim": claim,
        "p_adjusted": row["p_adjusted"], "feedback_ids": ids,
        "method": "density this month against before, tested on the half that did not find it, Benjamini-Hochberg",
    }  # fmt: skip


def _tell_drift(row: dict, ids: list[str], units: pd.Series, names: dict[str, str]) -> dict:
    span = format_interval(row["low"], row["high"], "similarity")
    claim = (
        f"“{names[row['topic']]}” drifts: what is said of it lies farther from the topic than when it was fitted, mean"
        f" similarity {row['similarity']:.2f} against {row['fitted_similarity']:.2f} (difference"
        f" {row['difference']:.2f}, {span})."
    )
    return {
        "subject": row["topic"], "measure": "drift", "unit": "similarity", "value": row["difference"],
        "low": row["low"], "high": row["high"], "n": int(units[ids].nunique()), "difference": row["difference"],
        "p": row["p"], "p_adjusted": row["p_adjusted"], "verdict": row["verdict"], "claim": claim, "feedback_ids": ids,
        "method": "Welch's test of mean cosines, clustered by respondent, Benjamini-Hochberg",
    }  # fmt: skip
