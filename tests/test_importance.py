"""Importance: figures against brute force and statsmodels, and what a planted driver and a bystander come out as."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from vocwb.explain.importance import impacts, share_variance, weigh_drivers
from vocwb.stats import EVIDENCE

NPS = SimpleNamespace(label="Recommend us?", low=0, high=10, metric="nps")
TOPICS = {"T0001": "Late parcels", "T0002": "Kind staff", "T0003": "Colours"}


def explain(x, y):
    return sm.OLS(y, sm.add_constant(x)).fit().rsquared if x.shape[1] else 0.0


def test_shares_are_the_mean_over_all_orders_of_what_each_adds_to_r2():
    draw = np.random.default_rng(5)
    x = draw.normal(size=(200, 4)) @ draw.normal(size=(4, 4))
    y = x @ [1.0, -0.5, 0.0, 0.3] + draw.normal(size=200)
    orders = np.array(list(permutations(range(4))))
    added = np.zeros(4)
    for order in orders:
        for place, one in enumerate(order):
            added[one] += explain(x[:, order[: place + 1]], y) - explain(x[:, order[:place]], y)
    both = np.corrcoef(np.column_stack([x, y]).T)
    shares = share_variance(both[:-1, :-1], both[:-1, -1], orders)
    np.testing.assert_allclose(shares, added / len(orders), atol=1e-10)
    assert shares.sum() == pytest.approx(explain(x, y), abs=1e-10)


def test_the_two_published_impacts_disagree_as_published():
    # The worked example of the two definitions: 10% at NPS -40 and the rest at +35; 40% at +20.
    first, second = impacts(0.1, -40, 35), impacts(0.4, 20, 35)
    assert [first["impact_left_out"], first["impact_gap"]] == pytest.approx([-7.5, 67.5])
    assert [second["impact_left_out"], second["impact_gap"]] == pytest.approx([-6.0, 9.0])


@pytest.fixture(scope="module")
def found():
    """900 responses: late parcels lower the score, kind staff lifts it, colours do neither and come with late ones."""
    draw = np.random.default_rng(11)
    late, kind = draw.random(900) < 0.3, draw.random(900) < 0.3
    colours = draw.random(900) < np.where(late, 0.4, 0.1)
    answer = np.clip(np.round(7 - 3.5 * late + 2 * kind + draw.normal(0, 1.5, 900)), 0, 10)
    ids = [f"r{number:04}" for number in range(900)]
    rows = [
        (one, f"{one}-{topic}", topic, side)
        for topic, said, side in (
            ("T0001", late, "negative"),
            ("T0002", kind, "positive"),
            ("T0003", colours, "negative"),
        )
        for one, there in zip(ids, said, strict=True)
        if there
    ]
    rows += [(one, f"{one}-none", "T0000", "neutral") for one in ids]
    said = pd.DataFrame(rows, columns=["response_id", "feedback_id", "topic", "polarity"])
    score = pd.Series(answer, ids)
    opinions = said[["response_id", "feedback_id"]].assign(
        respondent_id=None,
        language="en",
        voice="customer",
        month="2025-01",
        nps=said["response_id"].map(score),
    )
    codebook = pd.DataFrame(
        {"codebook_id": "c", "topic": list(TOPICS), "language": "en", "name": list(TOPICS.values())}
    )
    limits = {"month": "2025-01", "minimum": 5, "smallest": {"nps": 5, "mean": 0.2}}
    assigned = said[["feedback_id", "topic"]].assign(codebook_id="c")
    tables = opinions, assigned, codebook
    drivers = weigh_drivers(*tables, {"nps": NPS}, said[["feedback_id", "polarity"]], **limits)
    return (
        drivers,
        pd.DataFrame({"late": late, "kind": kind, "colours": colours}),
        score,
        tables,
        limits,
        said,
    )


def test_coefficients_are_those_of_statsmodels(found):
    drivers, mentions, answer, *_ = found
    score = np.select([answer >= 9, answer <= 6], [100.0, -100.0], 0.0)
    reference = sm.OLS(score, sm.add_constant(mentions.astype(float))).fit().params
    ours = drivers[drivers["measure"] == "coefficient"].set_index("level")["value"]
    np.testing.assert_allclose(
        ours[["T0001:negative", "T0002:positive", "T0003:negative"]],
        reference[["late", "kind", "colours"]],
        atol=1e-6,
    )


def test_what_moves_the_score_is_evidence_and_what_only_comes_with_it_is_not(found):
    drivers = found[0]
    verdict = drivers[drivers["measure"] == "coefficient"].set_index("level")["verdict"]
    assert verdict["T0001:negative"] == verdict["T0002:positive"] == EVIDENCE
    assert verdict["T0003:negative"] != EVIDENCE
    part = drivers[drivers["measure"] == "importance"].set_index("level")
    assert part["value"].idxmax() == "T0001:negative" and part["value"].sum() == pytest.approx(100)
    assert (part["low"] <= part["value"]).all() and (part["value"] <= part["high"]).all()
    assert drivers["claim"].str.contains("association|Not an effect|An association").all()


def test_it_comes_out_the_same_in_any_order_of_rows(found):
    drivers, _, _, (opinions, assigned, codebook), limits, said = found
    again = weigh_drivers(
        opinions.sample(frac=1, random_state=2), assigned.sample(frac=1, random_state=3), codebook, {"nps": NPS},
        said[["feedback_id", "polarity"]].sample(frac=1, random_state=4), **limits,
    )  # fmt: skip
    pd.testing.assert_frame_equal(drivers, again)


def test_rare_mentions_are_not_looked_at(found):
    _, _, _, (opinions, assigned, codebook), limits, said = found
    rare = assigned[assigned["topic"] == "T0002"]
    few = assigned.drop(rare.index[29:])
    drivers = weigh_drivers(
        opinions, few, codebook, {"nps": NPS}, said[["feedback_id", "polarity"]], **limits
    )
    assert "T0002:positive" not in set(drivers["level"])
