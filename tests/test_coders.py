"""Coders: what ratings and people teach, what is said where that is too little, and whose code counts."""

import random
from types import SimpleNamespace

import pandas as pd
import pytest

from vocwb.schemas import check_table, empty_table
from vocwb.understand.coders import choose_codes, code_by_learning, gather_labels
from vocwb.understand.rules import OTHER, parse_rules

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


def make_opinions(count, language="en", seed=1, channel="review"):
    lot = random.Random(seed)
    rows = []
    for number in range(count):
        side = lot.choice(list(SAID))
        words = lot.sample(SAID[side].split("|"), 2)
        rows.append({
            "feedback_id": f"{language}{number:05}", "response_id": f"r{number}", "respondent_id": f"p{number // 2}",
            "language": language, "channel": channel, "month": f"2025-{1 + number % 6:02}",
            "verbatim": f"{words[0]}, {words[1]} {number}",
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
    return both, codes, labels, *code_by_learning(both, codes, labels, empty_table("codes"), NO_RULES)


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
    again, judged = code_by_learning(*shuffled, empty_table("codes"), NO_RULES)
    pd.testing.assert_frame_equal(learned, again)
    pd.testing.assert_frame_equal(quality, judged)


def test_too_little_falls_back_to_the_rules_and_says_so():
    opinions = make_opinions(30, language="bg")
    rules = make_codes([decide(one, "rules", "negative") for one in opinions["feedback_id"]])
    learned, quality = code_by_learning(
        opinions,
        rules,
        gather_labels(opinions, {"stars": STARS}, empty_table("codes")),
        empty_table("codes"),
        NO_RULES,
    )
    assert learned.empty
    row = quality.iloc[0]
    assert row["coder"] == "rules" and row["counts"] and "too little" in row["way"] and row["n"] == 30
    chosen = choose_codes(rules, quality, opinions)
    assert set(chosen["coder"]) == {"rules"} and len(chosen) == 30


def test_in_a_channel_of_another_domain_the_rules_count():
    rated, same = make_opinions(400), make_opinions(60, seed=5).assign(stars=None)
    calls = make_opinions(60, seed=6, channel="call").assign(
        stars=None,
        verbatim=[f"my router drops the line every evening since May, ticket {n}" for n in range(60)],
    )
    opinions = pd.concat(
        [
            rated,
            same.assign(feedback_id="s" + same["feedback_id"]),
            calls.assign(feedback_id="c" + calls["feedback_id"]),
        ],
        ignore_index=True,
    )
    ruled = make_codes([decide(one, "rules", "negative") for one in opinions["feedback_id"]])
    none = empty_table("codes")
    labels = gather_labels(opinions, {"stars": STARS}, none)
    learned, quality = code_by_learning(opinions, ruled, labels, none, NO_RULES)
    new = quality.dropna(subset="channel")
    assert new[["channel", "coder", "n"]].values.tolist() == [["call", "rules", 60]] and new["counts"].all()
    assert "new domain" in new["way"].item() and new["macro_f1"].isna().all()
    chosen = choose_codes(pd.concat([ruled, learned]), quality, opinions).set_index("feedback_id")["coder"]
    assert set(chosen[calls["feedback_id"].radd("c")]) == {"rules"}
    assert set(chosen.drop(calls["feedback_id"].radd("c"))) == {"learned"}


def test_a_category_that_people_coded_often_is_learned_and_one_that_they_coded_seldom_is_not():
    opinions = make_opinions(300)
    none = empty_table("codes")
    ruled = make_codes(
        [decide(one, "rules", "cannot tell") | {"category": OTHER} for one in opinions["feedback_id"]]
    )
    broken = opinions["verbatim"].str.contains("zip|seam")
    kinds = broken.map({True: "quality", False: "service"})
    kinds[:10] = "price"
    human = make_codes([
        decide(one, "human:Ada", "negative") | {"category": kind}
        for one, kind in zip(opinions["feedback_id"][:200], kinds[:200], strict=True)
    ])  # fmt: skip
    labels = gather_labels(opinions, {"stars": STARS}, none)
    learned, quality = code_by_learning(opinions, ruled, labels, human, NO_RULES)
    judged = quality[quality["variable"].str.startswith("category")]
    assert set(judged["variable"]) == {"category quality", "category service"}
    assert set(judged.loc[judged["counts"], "coder"]) == {"learned"} and judged["truth"].eq("human").all()
    found = learned[200:].groupby("feedback_id")["category"].agg(set)
    later = opinions[200:].set_index("feedback_id").index
    assert (found.reindex(later).map(lambda one: "quality" in one) == broken[200:].to_numpy()).mean() > 0.9
    assert not learned.duplicated(["feedback_id", "category"]).any()
    assert set(learned["feedback_id"]) == set(opinions["feedback_id"]) and "price" not in set(
        learned["category"]
    )


def test_people_count_first_and_each_language_has_its_coder():
    rows = [
        decide(one, coder, side)
        for one in ("a", "b")
        for coder, side in (("rules", "neutral"), ("learned", "negative"))
    ]
    codes = make_codes([*rows, decide("a", "human:Ada", "positive"), decide("c", "rules", "neutral")])
    opinions = pd.DataFrame({"feedback_id": list("abc"), "language": ["en", "en", "fa"], "channel": "review"})
    place = {"channel": None, "variable": "polarity", "truth": "rating", "n": 200, "way": "by respondent"}
    counting = {"en": "learned", "fa": "rules"}
    quality = pd.DataFrame(
        [place | {"language": one, "coder": coder, "counts": True} for one, coder in counting.items()]
    )
    chosen = choose_codes(codes, quality, opinions).set_index("feedback_id")
    assert chosen["coder"].to_dict() == {"a": "human:settled", "b": "learned", "c": "rules"}
    assert chosen.loc["a", "polarity"] == "positive"
