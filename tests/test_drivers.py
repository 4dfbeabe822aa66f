"""Which topics go with a score: the difference, clustered, judged together, never called a cause."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats as scipy_stats

from vocwb import stats
from vocwb.explain.drivers import rank_drivers

NPS = SimpleNamespace(label="Recommend us?", low=0, high=10, metric="nps")
CSAT = SimpleNamespace(label="Satisfied?", low=1, high=5, metric="csat")
OPTIONS = {"month": "2025-02", "minimum": 5, "smallest": {"share": 5, "nps": 5, "mean": 0.2}}


def make_tables(answers, mentions, *, people=None, language="en"):
    """mentions: boolean array, a row a response (with one verbatim each) and a column a topic."""
    size, mentions = len(answers), np.asarray(mentions, dtype=bool).reshape(len(answers), -1)
    opinions = pd.DataFrame(
        {
            "feedback_id": [f"f{i:05}" for i in range(size)], "response_id": [f"r{i:05}" for i in range(size)],
            "respondent_id": pd.Series(people if people is not None else [None] * size, dtype="str"),
            "language": language, "voice": "customer", "month": "2025-02", "score": np.array(answers, dtype=float),
        }
    )  # fmt: skip
    rows, topics = np.nonzero(np.column_stack([~mentions.any(axis=1), mentions]))
    assignments = pd.DataFrame(
        {"feedback_id": opinions["feedback_id"].to_numpy()[rows], "codebook_id": "c",
         "topic": [f"T{i:04}" for i in topics]}
    )  # fmt: skip
    names = [f"T{i + 1:04}" for i in range(mentions.shape[1])]
    return (
        opinions,
        assignments,
        pd.DataFrame({"codebook_id": "c", "topic": names, "language": "en", "name": names}),
    )


def test_a_driver_is_the_mean_with_the_topic_against_the_mean_without():
    rng = np.random.default_rng(0)
    answers = np.r_[rng.integers(1, 4, 60), rng.integers(2, 6, 200)]
    tables = make_tables(answers, np.arange(260) < 60)
    row = rank_drivers(*tables, {"score": CSAT}, **OPTIONS).squeeze()
    expected = stats.compare_on_scale(answers[:60], answers[60:], (1, 5))
    assert row[["difference", "low", "high", "p"]].tolist() == pytest.approx(list(expected))
    assert row[["value", "compared_value"]].tolist() == pytest.approx(
        [answers[:60].mean(), answers[60:].mean()]
    )
    assert row[["subject", "segment", "level", "n", "compared_n"]].tolist() == [
        "score",
        "topic",
        "T0001",
        60,
        200,
    ]
    assert len(row["feedback_ids"]) == 60 and row["unit"] == "1-5" and row["verdict"] == stats.EVIDENCE
    assert "go with a lower score" in row["claim"] and "cause" not in row["claim"]


def test_nps_drivers_are_in_points_and_cluster_by_person():
    rng = np.random.default_rng(1)
    answers, mention = np.repeat(rng.integers(0, 11, 100), 3), np.repeat(rng.random(100) < 0.4, 3)
    people = [f"p{i // 3}" for i in range(300)]
    row = rank_drivers(*make_tables(answers, mention, people=people), {"score": NPS}, **OPTIONS).squeeze()
    points = np.select([answers >= 9, answers <= 6], [100.0, -100.0], 0.0)
    once = stats.compare_on_scale(points[::3][mention[::3]], points[::3][~mention[::3]], (-100, 100))
    # Three copies of each person's answer are worth one.
    assert row[["difference", "low", "high", "p"]].tolist() == pytest.approx(list(once))
    assert row["unit"] == "points" and row["n"] == mention.sum()


def test_a_topic_of_another_population_does_not_borrow_its_score():
    """Members are content and speak of the topic, guests are neither; within each population it says nothing."""
    rng = np.random.default_rng(6)
    member = np.arange(600) < 300
    answers = np.clip(np.round(rng.normal(np.where(member, 4, 2.5), 0.8)), 1, 5)
    opinions, assignments, codebook = make_tables(answers, rng.random(600) < np.where(member, 0.6, 0.1))
    pooled = rank_drivers(opinions, assignments, codebook, {"score": CSAT}, **OPTIONS).squeeze()
    assert pooled["verdict"] == stats.EVIDENCE and pooled["difference"] > 0.7
    apart = opinions.assign(population=np.where(member, "members", "guests"))
    row = rank_drivers(apart, assignments, codebook, {"score": CSAT}, **OPTIONS).squeeze()
    assert row["verdict"] != stats.EVIDENCE and abs(row["difference"]) < 0.3
    assert "within each population, like compared with like:" in row["claim"]
    assert "within each population" not in pooled["claim"]


def test_nothing_is_claimed_when_scores_and_topics_are_unrelated():
    claims = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        people = rng.integers(0, 250, 500)
        answers = np.clip(rng.integers(1, 6, 250)[people] + rng.integers(-1, 2, 500), 1, 5)
        mentions = rng.random((500, 20)) < rng.gamma(1, 0.1, (250, 20)).clip(0, 1)[people]
        found = rank_drivers(
            *make_tables(answers, mentions, people=[f"p{i}" for i in people]), {"score": CSAT}, **OPTIONS
        )
        claims.append(found["verdict"].eq(stats.EVIDENCE).any())
        assert (found["p_adjusted"].dropna() >= found["p"].dropna()).all()
    assert scipy_stats.binomtest(sum(claims), 40).proportion_ci().low <= 0.05


def test_unanswered_responses_and_other_languages_do_not_count():
    opinions, assignments, codebook = make_tables(
        [1, 5] * 50 + [np.nan] * 40 + [3] * 40, np.arange(180) % 2 == 0
    )
    opinions.loc[140:, "language"] = "bg"
    row = rank_drivers(opinions, assignments, codebook, {"score": CSAT}, **OPTIONS).squeeze()
    assert (row["n"], row["compared_n"], len(row["feedback_ids"])) == (50, 50, 50)


def test_a_response_with_several_verbatims_counts_once():
    opinions, assignments, codebook = make_tables([1, 2, 4, 5] * 30, np.arange(120) < 60)
    again = opinions.assign(feedback_id="z" + opinions["feedback_id"])
    more = assignments.assign(feedback_id="z" + assignments["feedback_id"], topic="T0000")
    both = rank_drivers(
        pd.concat([opinions, again]), pd.concat([assignments, more]), codebook, {"score": CSAT}, **OPTIONS
    )
    assert_frame_equal(both, rank_drivers(opinions, assignments, codebook, {"score": CSAT}, **OPTIONS))


def test_rare_topics_show_counts_or_nothing():
    mentions = np.column_stack([np.arange(100) < 3, np.arange(100) < 20, np.arange(100) < 50])
    found = rank_drivers(*make_tables([1, 2, 4, 5] * 25, mentions), {"score": CSAT}, **OPTIONS).set_index(
        "level"
    )
    assert found.loc["T0001", "verdict"] == stats.HIDDEN and found.loc["T0001", "feedback_ids"] == []
    assert found.loc["T0001", ["n", "compared_n", "value", "difference"]].isna().all()
    assert found.loc["T0002", "verdict"] == stats.TOO_FEW_TO_SHOW and found.loc["T0002", "n"] == 20
    assert np.isnan(found.loc["T0002", "difference"]) and not np.isnan(found.loc["T0003", "difference"])


def test_row_order_changes_nothing():
    rng = np.random.default_rng(2)
    tables = make_tables(
        rng.integers(0, 11, 300),
        rng.random((300, 4)) < 0.3,
        people=[f"p{i}" for i in rng.integers(0, 200, 300)],
    )
    expected = rank_drivers(*tables, {"score": NPS}, **OPTIONS)
    shuffled = [frame.sample(frac=1, random_state=1) for frame in tables]
    assert_frame_equal(rank_drivers(*shuffled, {"score": NPS}, **OPTIONS), expected, check_exact=True)


def test_without_questions_or_topics_there_are_no_findings():
    opinions, assignments, codebook = make_tables([1, 2, 3], [1, 0, 1])
    assert rank_drivers(opinions, assignments, codebook, {}, **OPTIONS).empty
    assert rank_drivers(opinions, assignments, codebook.head(0), {"score": CSAT}, **OPTIONS).empty
