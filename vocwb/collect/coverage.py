"""Who was heard, and through what: counts of a month's responses, with what is absent shown as nought."""

import pandas as pd

from vocwb.schemas import join_responses, make_findings

DIMENSIONS = {
    "channel": "channel",
    "mode": "way of listening",
    "who_started": "who started",
    "population": "population",
    "stage": "journey stage",
    "voice": "voice",
    "language": "language",
}
"""What coverage is counted by, with the words that a reader sees."""


def measure_coverage(responses: pd.DataFrame, feedback: pd.DataFrame, *, month: str) -> pd.DataFrame:
    """Return findings (section "coverage"): responses of `month` by channel, mode, stage, language and so on.

    Needs the tables `responses` and `feedback` of all months: a value that occurs in another month and not in
    this one is a finding of nought. Language counts verbatims, the others responses; duplicates are left out.
    value is a count (unit "count") and n the total that it is part of; a count of what arrived is exact, so
    it has no interval, and says nothing of those who were silent.

    >>> responses = pd.DataFrame({"response_id": ["a", "b"], "month": ["2025-01", "2025-02"], "channel": ["sms", "web"],
    ...     "mode": "direct", "who_started": "company", "population": "all", "stage": None, "voice": "customer",
    ...     "duplicate_of": None})
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "response_id": ["a"], "language": ["en"], "duplicate_of": None})
    >>> found = measure_coverage(responses, feedback, month="2025-02")
    >>> found.loc[found["subject"] == "channel", ["level", "value", "n"]].values.tolist()
    [['web', 1.0, 1], ['sms', 0.0, 1]]
    """
    opinions = join_responses(feedback, responses)
    kept = responses[responses["duplicate_of"].isna()]
    said = opinions.groupby("response_id")["feedback_id"].agg(list)
    rows = []
    for dimension, words in DIMENSIONS.items():
        frame, noun = (opinions, "verbatims") if dimension == "language" else (kept, "responses")
        levels = frame[dimension].fillna("not given")
        now = frame["month"] == month
        counts = levels[now].value_counts().reindex(sorted(levels.unique()), fill_value=0)
        for level, count in counts.sort_values(ascending=False, kind="stable").items():
            here = frame[now & (levels == level)]
            ids = (
                here["feedback_id"]
                if dimension == "language"
                else said.reindex(here["response_id"]).dropna().explode()
            )
            rows.append(
                {
                    "period": month,
                    "subject": dimension,
                    "measure": "count",
                    "segment": dimension,
                    "level": level,
                    "value": count,
                    "n": int(now.sum()),
                    "unit": "count",
                    "claim": f"{count:,} of {now.sum():,} {noun} in {month}: {words} {level}.",
                    "method": "count of what arrived, without duplicates",
                    "feedback_ids": sorted(ids),
                }
            )
    return make_findings(rows, section="coverage", month=month)
