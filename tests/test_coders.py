"""Coders: what ratings and people teach, what is said where that is too little, and whose code counts."""

import random
from types import SimpleNamespace

import pandas as pd
import pytest

from vocwb.schemas import check_table, empty_table
from vocwb.understand.coders import choose_codes, code_by_learning, gather_labels
from vocwb.understand.rules import parse_rules

NO_RULES = parse_rules({})
STARS = SimpleNamespace(label="Stars", low=1, high=5, metric="rating")
NPS = SimpleNamespace(label="NPS", low=0, high=10, metric="nps")
CES = SimpleNamespace(label="Effort", low=1, high=7, metric="ces")
SAID = {
    "positive": "lovely soft blanket|the colour is warm|arrived early and well packed|mother adores it|worth the money",
    "negative": "zip broke on day one|smells of glue|the seam came apart|nobody answers us|paid twice for nothing",
}


def make_codes(rows):
    frame = pd.DataFrame(rows).reindex(columns=list(empty_table("codes").columns))
    return check_table("codes", frame.astype({"intensity": "Int64", "start": "Int64", "end": "Int64"}))


def decide(feedback_id, coder, polarity):
    return {"feedback_id": feedback_id, "coder": coder, "category": "quality", "polarity": polarity}


def make_opinions(count, language="en", seed=1):
    lot = random.Random(seed)
    rows = []
    for number in range(count):
        side = lot.choice(list(SAID))
        words = lot.sample(SAID[side].split("|"), 2)
        rows.append({
            "feedback_id": f"{language}{number:05}", "response_id": f"r{number}", "respondent_id": f"p{number // 2}",
            "language": language, "month": f"2025-{1 + number % 6:02}", "verbatim": f"{words[0]}, {words[1]} {number}",
            "stars": {"positive": 5.0, "negative": 1.0}[side],
        })  # fmt: skip
    return pd.DataFrame(rows)


def test_scales_become_sides_and_effort_does_not():
    opinions = pd.DataFrame({
        "feedback_id": list("abcdefg"), "nps": [6, 7, 9, None, None, None, None], "stars": [5, 5, 5, 2, 3, 4, None],
        "effort": 7.0,
    })  # fmt: skip
    found = gather_labels(opinions, {"effort": CES, "nps": NPS, "stars": STARS}, empty_table("codes"))
    assert found["polarity"].tolist() == [
        "negative",
        "neutral",
        "positive",
        "negative",
        "neutral",
        "positive",
    ]
    assert set(found["truth"]) == {"rating"}


def test_what_people_settled_goes_before_stars():
    opinions = pd.DataFrame({"feedback_id": list("abc"), "stars": [5.0, 5.0, 5.0]})
    human = make_codes([
        decide("a", "human:Ada", "negative"), decide("b", "human:Ada", "negative"), decide("b", "human:Bo", "neutral"),
    ])  # fmt: skip
    found = gather_labels(opinions, {"stars": STARS}, human).set_index("feedback_id")
    assert found.loc["a"].tolist() == ["negative", "human"]
    assert found.loc["b"].tolist() == ["positive", "rating"]  # they differ and have not talked it over


@pytest.fixture(scope="module")
def learnt():
    opinions = make_opinions(400)
    rules = make_codes([decide(one, "rules", "cannot tell") for one in opinions["feedback_id"]])
    labels = gather_labels(opinions, {"stars": STARS}, empty_table("codes"))
    unrated = make_opinions(40, seed=9).assign(
        feedback_id=lambda rows: "new" + rows["feedback_id"], stars=None
    )
    both = pd.concat([opinions, unrated], ignore_index=True)
    more = make_codes([decide(one, "rules", "cannot tell") for one in unrated["feedback_id"]])
    codes = pd.concat([rules, more], ignore_index=True)
    return both, codes, labels, *code_by_learning(both, codes, labels, NO_RULES)


def test_words_that_no_rule_knows_are_learnt_from_the_stars(learnt):
    _, _, _, learned, quality = learnt
    truth = make_opinions(40, seed=9)["stars"].map({5.0: "positive", 1.0: "negative"}).tolist()
    new = learned[learned["feedback_id"].str.startswith("new")]
    assert (new["polarity"].to_numpy() == truth).mean() > 0.95
    counting = quality[quality["counts"]]
    assert set(counting["coder"]) == {"learned"} and (counting["macro_f1"] > 0.95).all()
    assert quality.loc[quality["coder"] == "rules", "macro_f1"].item() == 0
    assert learned["probability"].between(0, 1).all()


def test_it_is_the_same_in_any_order_of_rows(learnt):
    opinions, codes, labels, learned, quality = learnt
    shuffled = [frame.sample(frac=1, random_state=3) for frame in (opinions, codes, labels)]
    again, judged = code_by_learning(*shuffled, NO_RULES)
    pd.testing.assert_frame_equal(learned, again)
    pd.testing.assert_frame_equal(quality, judged)


def test_too_little_falls_back_to_the_rules_and_says_so():
    opinions = make_opinions(30, language="bg")
    rules = make_codes([decide(one, "rules", "negative") for one in opinions["feedback_id"]])
    learned, quality = code_by_learning(
        opinions, rules, gather_labels(opinions, {"stars": STARS}, empty_table("codes")), NO_RULES
    )
    assert learned.empty
    row = quality.iloc[0]
    assert row["coder"] == "rules" and row["counts"] and "too little" in row["way"] and row["n"] == 30
    chosen = choose_codes(rules, quality, opinions)
    assert set(chosen["coder"]) == {"rules"} and len(chosen) == 30


def test_people_count_first_and_each_language_has_its_coder():
    rows = [
        decide(one, coder, side)
        for one in ("a", "b")
        for coder, side in (("rules", "neutral"), ("learned", "negative"))
    ]
    codes = make_codes([*rows, decide("a", "human:Ada", "positive"), decide("c", "rules", "neutral")])
    opinions = pd.DataFrame({"feedback_id": list("abc"), "language": ["en", "en", "fa"]})
    place = {"variable": "polarity", "truth": "rating", "n": 200, "way": "by respondent"}
    counting = {"en": "learned", "fa": "rules"}
    quality = pd.DataFrame(
        [place | {"language": one, "coder": coder, "counts": True} for one, coder in counting.items()]
    )
    chosen = choose_codes(codes, quality, opinions).set_index("feedback_id")
    assert chosen["coder"].to_dict() == {"a": "human:settled", "b": "learned", "c": "rules"}
    assert chosen.loc["a", "polarity"] == "positive"
