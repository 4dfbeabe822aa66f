"""What people code: the sample is the same for all and measures without bias; each code stands beside the others'."""

import pandas as pd
import pytest

from vocwb.schemas import check_table, hash_id
from vocwb.understand.coding_sample import (
    KEPT_SHARE,
    compare_people,
    draw_sample,
    gather_human_codes,
    keep_random,
    settle_codes,
)

SIZE = 600
IDS = [hash_id("verbatim", number) for number in range(SIZE)]
OPINIONS = pd.DataFrame({"feedback_id": IDS, "language": "en", "verbatim": "said"})
NOBODY = pd.DataFrame({"feedback_id": [], "coder": []}, dtype="str")


def code(coder, ids, category="price", polarity="negative", ask=None, **more):
    rows = {
        "feedback_id": list(ids),
        "coder": coder,
        "category": category,
        "polarity": polarity,
        "intensity": 3,
    }
    return pd.DataFrame(rows | {"ask": ask} | more).astype({"intensity": "Int64"})


def coders(*, differ=(), unsure=(), rare=()):
    """Codes of rules and learned on all verbatims, which differ on some, doubt some and name a rare code in some."""
    rules, learned = code("rules", IDS), code("learned", IDS, probability=0.9)
    learned.loc[learned["feedback_id"].isin(differ), "polarity"] = "positive"
    learned.loc[learned["feedback_id"].isin(unsure), "probability"] = 0.4
    both = pd.concat([rules, learned], ignore_index=True)
    both.loc[both["feedback_id"].isin(rare), "category"] = "environment"
    return both


def not_kept(number):
    return [one for one, kept in zip(IDS, keep_random(IDS), strict=True) if not kept][:number]


def ids_of(sample, kind):
    return set(sample.loc[sample["drawn_by"] == kind, "feedback_id"])


def test_everybody_gets_the_same_whatever_the_order_of_the_rows_and_while_people_code():
    codes = coders(differ=IDS[:90], unsure=IDS[90:180], rare=IDS[180:200])
    sample = draw_sample(OPINIONS, codes, most=40, seed=0)
    shuffled = draw_sample(
        OPINIONS.sample(frac=1, random_state=1), codes.sample(frac=1, random_state=2), most=40, seed=0
    )
    pd.testing.assert_frame_equal(sample, shuffled)
    coded = pd.concat([codes, code("human:Ada", sample["feedback_id"][:9], "staff", "positive")])
    pd.testing.assert_frame_equal(sample, draw_sample(OPINIONS, coded, most=40, seed=0))
    other = draw_sample(OPINIONS, codes, most=40, seed=1)
    assert set(other["feedback_id"]) != set(sample["feedback_id"])


def test_half_is_random_and_the_rest_is_what_coders_differ_on_doubt_or_seldom_say():
    differ, unsure, rare = (set(not_kept(120)[part]) for part in (slice(40), slice(40, 80), slice(80, 90)))
    sample = draw_sample(OPINIONS, coders(differ=differ, unsure=unsure, rare=rare), most=40, seed=0)
    assert len(sample) == sample["feedback_id"].nunique() == 40
    assert sample["drawn_by"].value_counts().to_dict() == {
        "random": 20, "disagreement": 7, "uncertain": 7, "rare": 6
    }  # fmt: skip
    assert ids_of(sample, "disagreement") <= differ
    assert ids_of(sample, "uncertain") <= unsure
    assert ids_of(sample, "rare") <= rare
    kinds = sample["drawn_by"].tolist()
    assert 5 < kinds[:20].count("random") < 15, "who stops half way has coded of both"


def test_figures_on_the_random_part_hold_for_all_feedback_though_the_sample_seeks_the_hard_ones():
    """Coders differ on 60 of 600; the sample has far more of these, its random part a tenth, round after round."""
    differ = set(IDS[::10])
    codes = coders(differ=differ)
    done, drawn = [], []
    for seed in range(4):
        sample = draw_sample(OPINIONS, codes, most=100, seed=seed, done=done)
        done, drawn = [*done, *sample["feedback_id"]], [*drawn, sample]
    drawn = pd.concat(drawn)
    random = drawn[drawn["drawn_by"] == "random"]
    assert len(random) >= 200 and drawn["feedback_id"].is_unique
    assert all(keep_random(random["feedback_id"]))
    assert not any(keep_random(drawn.loc[drawn["drawn_by"] != "random", "feedback_id"]))
    share = random["feedback_id"].isin(differ).mean()
    assert abs(share - 0.1) < 0.045, "two standard errors of a share of 0.1 in 200"
    assert sum(keep_random(map(str, range(4000)))) == pytest.approx(KEPT_SHARE * 4000, abs=130)


def test_what_is_done_gives_way_to_others_and_the_rest_of_the_sample_stays():
    codes = coders(differ=IDS[:90])
    first = draw_sample(OPINIONS, codes, most=40, seed=0)
    done = first["feedback_id"][:10]
    second = draw_sample(OPINIONS, codes, most=40, seed=0, done=done)
    assert len(second) == 40 and not second["feedback_id"].isin(done).any()
    assert set(first["feedback_id"][10:]) <= set(second["feedback_id"])


def test_where_coders_say_nothing_all_are_random_and_a_small_pool_is_coded_whole():
    assert set(draw_sample(OPINIONS, NOBODY, most=40, seed=0)["drawn_by"]) == {"random"}
    few = OPINIONS.head(20)
    sample = draw_sample(few, NOBODY, most=40, seed=0)
    assert set(sample["feedback_id"]) == set(few["feedback_id"])
    assert ids_of(sample, "rest") == set(
        few["feedback_id"][[not one for one in keep_random(few["feedback_id"])]]
    )
    assert draw_sample(OPINIONS.head(0), NOBODY, most=40, seed=0).empty
    assert draw_sample(OPINIONS, coders(), most=0, seed=0).empty


def test_what_differs_most_comes_first():
    mild, strong = not_kept(40)[:20], not_kept(40)[20:23]
    codes = coders(differ=[*mild, *strong])
    codes.loc[codes["feedback_id"].isin(strong) & (codes["coder"] == "rules"), ["category", "ask"]] = [
        "staff",
        "request",
    ]
    sample = draw_sample(OPINIONS, codes, most=18, seed=0)
    assert set(strong) <= set(sample["feedback_id"])


def log(*rows):
    """A log of decisions on codes: who, subject, value and, where it takes one back, the number of that."""
    return pd.DataFrame([
        {"decision_id": number, "kind": "code", "subject": subject, "value": value, "who": who, "when": "", "why": "w",
         "replaces": taken[0] if taken else None}
        for number, (who, subject, value, *taken) in enumerate(rows, start=1)
    ]).astype({"replaces": "Int64"})  # fmt: skip


def value(category, polarity="negative", intensity=3, ask=None, **more):
    return {"category": category, "polarity": polarity, "intensity": intensity, "ask": ask} | more


def told(codes):
    return codes[["feedback_id", "coder", "category"]].values.tolist()


def test_each_persons_last_code_stands_beside_the_others():
    codes = gather_human_codes(log(
        ("Ada", "f", value(["price"])),
        ("Bo", "f", value(["staff", "price"])),
        ("Ada", "f", value(["delivery"])),
    ))  # fmt: skip
    assert told(codes) == [
        ["f", "human:Ada", "delivery"], ["f", "human:Bo", "price"], ["f", "human:Bo", "staff"]
    ]  # fmt: skip
    check_table("codes", codes)


def test_an_adjudicated_code_stands_beside_what_the_same_person_coded_alone_and_can_be_taken_back():
    rows = [
        ("Ada", "f", value(["price"])),
        ("Bo", "f", value(["staff"])),
        ("Ada", "f", value(["staff"], adjudicated=True)),
        ("Bo", "f", value(["delivery"], adjudicated=True)),
    ]
    assert told(gather_human_codes(log(*rows))) == [
        ["f", "human:Ada", "price"], ["f", "human:Bo", "staff"], ["f", "human:adjudicated", "delivery"]
    ]  # fmt: skip
    back = gather_human_codes(log(*rows, ("Bo", "f", None, 4)))
    assert told(back)[2] == ["f", "human:adjudicated", "staff"], "the earlier one stands again"
    gone = gather_human_codes(log(*rows, ("Bo", "f", None, 4), ("Ada", "f", None, 3), ("Ada", "f", None, 1)))
    assert told(gone) == [["f", "human:Bo", "staff"]]


def test_what_earlier_forms_and_careless_hands_wrote_is_read():
    codes = gather_human_codes(log(
        ("Ada", "a", value("price", ask="none")),
        ("Ada", "b", value([], intensity=9)),
        ("Ada", "c", {}),
    ))  # fmt: skip
    assert told(codes) == [
        ["a", "human:Ada", "price"], ["b", "human:Ada", "other"], ["c", "human:Ada", "other"]
    ]  # fmt: skip
    assert codes["ask"].isna().all() and codes["intensity"].tolist() == [3, pd.NA, pd.NA]
    assert codes["polarity"].tolist() == ["negative", "negative", "cannot tell"]
    check_table("codes", codes)
    none = gather_human_codes(log(("Ada", "f", value("price"))).head(0))
    assert none.empty and len(check_table("codes", none)) == 0


def test_people_differ_in_codes_and_not_by_one_step_of_intensity():
    compared = compare_people(gather_human_codes(log(
        ("Ada", "same", value(["price", "staff"], intensity=4)), ("Bo", "same", value(["staff", "price"], intensity=3)),
        ("Ada", "far", value(["price"], intensity=5)),
        ("Bo", "far", value(["price"], "mixed", intensity=3, ask="request")),
        ("Ada", "talked", value(["price"])), ("Bo", "talked", value(["staff"])),
        ("Bo", "talked", value(["staff"], adjudicated=True)),
        ("Ada", "alone", value(["price"])),
    ))).set_index("feedback_id")  # fmt: skip
    assert compared["differs"].to_dict() == {
        "alone": [], "far": ["polarity", "ask", "intensity"], "same": [], "talked": ["category"]
    }  # fmt: skip
    assert compared["people"].to_dict() == {"alone": 1, "far": 2, "same": 2, "talked": 2}
    assert compared["settled"].to_dict() == {"alone": True, "far": False, "same": True, "talked": True}
    assert compare_people(coders()).empty


def test_what_is_settled_is_the_adjudicated_code_or_the_one_that_all_gave():
    codes = gather_human_codes(log(
        ("Ada", "same", value(["price", "staff"], intensity=4)), ("Bo", "same", value(["staff", "price"], intensity=3)),
        ("Ada", "far", value(["price"])), ("Bo", "far", value(["staff"])),
        ("Ada", "talked", value(["price"])), ("Bo", "talked", value(["staff"])),
        ("Ada", "talked", value(["delivery", "other"], adjudicated=True)),
        ("Ada", "alone", value(["price"])),
    ))  # fmt: skip
    settled = settle_codes(pd.concat([codes, coders()]))
    assert told(settled) == [
        ["alone", "human:settled", "price"],
        ["same", "human:settled", "price"], ["same", "human:settled", "staff"],
        ["talked", "human:settled", "delivery"], ["talked", "human:settled", "other"],
    ]  # fmt: skip
    assert set(settled.loc[settled["feedback_id"] == "same", "intensity"]) == {3}
    pd.testing.assert_frame_equal(settled, settle_codes(codes.sample(frac=1, random_state=0)))
    check_table("codes", settled)
