"""The words that set a segment apart: the published formula, planted words, and nothing where there is nothing."""

import numpy as np
import pandas as pd
import pytest

from vocwb.explain.contrasts import contrast_words, weigh_words

SEGMENTS = {"device": "Device"}


def make_opinions(texts, devices, *, people=None, language="en") -> pd.DataFrame:
    size = len(texts)
    return pd.DataFrame(
        {
            "feedback_id": [f"f{row:05}" for row in range(size)], "response_id": [f"r{row:05}" for row in range(size)],
            "respondent_id": pd.Series(people if people is not None else [None] * size, dtype="str"),
            "language": language, "voice": "customer", "month": "2025-01", "verbatim": pd.Series(texts, dtype="str"),
            "device": pd.Series(devices, dtype="str"),
        }
    )  # fmt: skip


def find(opinions):
    return contrast_words(opinions, SEGMENTS, month="2025-01", minimum=5)


def test_weigh_words_is_the_formula_of_monroe_colaresi_and_quinn():
    """Political Analysis 2008, section 3.3 and 3.4: alpha of a word is its share of all words times alpha_0."""
    k, rest_k = np.array([12.0, 40.0, 3.0]), np.array([5.0, 300.0, 40.0])
    found = weigh_words(k, rest_k)
    alpha_0 = 0.1 * 55
    for row in range(3):
        alpha = alpha_0 * (k[row] + rest_k[row]) / 400
        here, there = (
            np.log((y + alpha) / (n + alpha_0 - y - alpha)) for y, n in ((k[row], 55), (rest_k[row], 345))
        )
        error = np.sqrt(1 / (k[row] + alpha) + 1 / (rest_k[row] + alpha))
        assert found.loc[row, "log_odds"] == pytest.approx(here - there, abs=1e-8)
        assert found.loc[row, "high"] - found.loc[row, "low"] == pytest.approx(2 * 1.959964 * error, abs=1e-5)


def draw_texts(seed: int, size: int, planted=None) -> list[str]:
    rng = np.random.default_rng(seed)
    words = np.array([f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(120)])
    chances = 1 / np.arange(1, 121)
    texts = [" ".join(rng.choice(words, 6, p=chances / chances.sum())) for _ in range(size)]
    odds = np.zeros(size) if planted is None else planted
    return [f"{text} crash" if rng.random() < p else text for text, p in zip(texts, odds, strict=True)]


def test_the_planted_word_is_found_with_its_verbatims():
    devices = np.where(np.arange(600) % 3 == 0, "android", "web")
    opinions = make_opinions(draw_texts(0, 600, np.where(devices == "android", 0.3, 0.03)), devices)
    found = find(opinions)
    row = found[found["subject"] == "en:crash"].squeeze()
    here = opinions["verbatim"].str.contains("crash") & (opinions["device"] == "android")
    assert row["level"] == "android" and row["low"] > 0 and row["n"] == 200
    assert row["feedback_ids"] == opinions.loc[here, "feedback_id"].tolist()
    assert row["value"] == pytest.approx(100 * here.sum() / 200) and len(found) <= 2
    pd.testing.assert_frame_equal(find(opinions.sample(frac=1, random_state=1)), found)


def test_nothing_is_claimed_of_devices_alike():
    claims = 0
    for seed in range(40):
        devices = np.random.default_rng(seed + 100).choice(["android", "web", "ios"], 400)
        claims += len(find(make_opinions(draw_texts(seed, 400), devices))) > 0
    assert claims <= 5


def test_one_who_says_it_often_counts_once():
    texts = ["crash again"] * 40 + ["all fine here"] * 160
    people = ["p0"] * 40 + [f"p{row}" for row in range(1, 161)]
    found = find(make_opinions(texts, ["android"] * 100 + ["web"] * 100, people=people))
    assert not found["subject"].str.contains("crash").any()


def test_other_scripts_are_cut_into_words_and_small_levels_left_out():
    opinions = make_opinions(["快递太慢了", "客服很好"] * 60, ["android", "web"] * 60, language="zh")
    assert {"zh:快递", "zh:客服"} <= set(find(opinions)["subject"])
    few = make_opinions(["slow app"] * 20 + ["fine shop"] * 80, ["android"] * 20 + ["web"] * 80)
    assert find(few).empty and find(opinions.head(0)).empty
