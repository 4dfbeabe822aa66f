"""Feelings and categories by language: counted as topics are, never pooled, and never from too few."""

import pandas as pd

from vocwb.stats import EVIDENCE, HIDDEN, TOO_FEW_TO_SHOW
from vocwb.understand.feelings import size_feelings

SMALLEST = {"share": 5}


def make(counts):
    """Opinions and codes from (month, language, polarity) -> count, one respondent each."""
    rows = [key for key, count in counts.items() for _ in range(count)]
    ids = [f"f{number:05}" for number in range(len(rows))]
    opinions = pd.DataFrame(rows, columns=["month", "language", "polarity"]).assign(
        feedback_id=ids, response_id=ids, respondent_id=ids, voice="customer"
    )
    return opinions.drop(columns="polarity"), opinions[["feedback_id", "polarity"]].assign(category="price")


def size(opinions, codes, month="2025-02"):
    found = size_feelings(opinions, codes, month=month, minimum=5, smallest=SMALLEST)
    return found[found["section"] == "feelings"].set_index(["subject", "period", "measure"])


def test_a_rise_of_discontent_is_evidence_in_its_language_alone():
    before = {("2025-01", code, side): 100 for code in ("en", "fa") for side in ("negative", "positive")}
    now = {("2025-02", "en", "negative"): 150, ("2025-02", "en", "positive"): 50,
           ("2025-02", "fa", "negative"): 100, ("2025-02", "fa", "positive"): 100}  # fmt: skip
    found = size(*make(before | now))
    assert found.loc[("negative:en", "2025-02", "share"), "value"] == 75
    assert found.loc[("negative:en", "2025-02 vs before", "difference"), "verdict"] == EVIDENCE
    assert found.loc[("negative:fa", "2025-02 vs before", "difference"), "verdict"] != EVIDENCE


def test_few_are_counted_and_fewer_are_hidden():
    found = size(*make({("2025-02", "en", "negative"): 20, ("2025-02", "bg", "negative"): 4}))
    assert found.loc[("negative:en", "2025-02", "share"), "verdict"] == TOO_FEW_TO_SHOW
    assert found.loc[("negative:bg", "2025-02", "share"), "verdict"] == HIDDEN
    assert found.loc[("negative:bg", "2025-02", "share"), "feedback_ids"] == []


def test_one_person_who_says_both_counts_in_both_and_once_in_each():
    opinions, codes = make({("2025-02", "en", "negative"): 40, ("2025-02", "en", "positive"): 40})
    opinions["respondent_id"] = [f"p{number % 40}" for number in range(80)]
    found = size(opinions, codes)
    assert found.loc[("negative:en", "2025-02", "share"), ["value", "n"]].tolist() == [100, 40]


def test_staff_and_other_languages_are_left_out():
    opinions, codes = make({("2025-02", "en", "negative"): 40})
    assert size(opinions.assign(voice="employee"), codes).empty
    assert size(opinions.assign(language="other"), codes).empty
