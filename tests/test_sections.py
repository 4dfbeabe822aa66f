"""Sections of the report, as a reader sees them."""

import pandas as pd

from vocwb.schemas import check_table, empty_table
from vocwb.share.sections import tell_trust


def test_how_far_a_coder_is_trusted_is_told_by_language_and_a_new_domain_by_channel():
    place = {"language": "en", "variable": "polarity", "truth": "rating", "n": 200}
    good = {"accuracy": 0.81, "macro_f1": 0.7, "low": 0.65, "high": 0.75, "ece": 0.01}
    new = {"coder": "rules", "truth": "none", "way": "a new domain", "counts": True}
    rows = [
        place | good | {"coder": "learned", "way": "by respondent", "counts": True},
        place | good | {"coder": "rules", "way": "all labels", "counts": False},
        place | good | {"coder": "learned", "variable": "category price", "way": "by respondent", "counts": True},
        place | new | {"channel": "sms_reply"}, place | new | {"channel": "call"},
        place | {"language": "fa", "n": 9, "coder": "rules", "way": "too little to learn from", "counts": True},
    ]  # fmt: skip
    quality = check_table(
        "quality",
        pd.DataFrame(rows).reindex(columns=list(empty_table("quality"))).astype({"classes": "Int64"}),
    )
    told = tell_trust(quality)
    assert told["English"][0].startswith(
        "Counted: the learned coder, by respondent: right in 81% of 200 verbatims"
    )
    assert told["English"][1].startswith("Beside it: the rules")
    assert told["English"][2].startswith("But in call, sms reply: the rules.") and len(told["English"]) == 3
    assert told["Persian"] == ["Counted: the rules (too little to learn from)."]
