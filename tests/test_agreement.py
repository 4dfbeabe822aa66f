"""Agreement: alpha is Krippendorff's, its interval covers, and what nobody coded counts as coded."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from vocwb.errors import VocwbError
from vocwb.understand.agreement import (
    LEVELS,
    alpha_interval,
    fold_codes,
    krippendorff_alpha,
    measure_agreement,
)

NONE = np.nan
# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", C: four observers, twelve units.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
    [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
]


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_krippendorffs_example_with_missing_values(level, alpha):
    assert krippendorff_alpha(np.transpose(OBSERVERS), level=level) == pytest.approx(alpha, abs=5e-4)


def test_alpha_is_that_of_krippendorffs_examples_of_two_observers():
    binary = list(zip("0100000010", "1110010000", strict=True))
    assert krippendorff_alpha(binary, level="nominal") == pytest.approx(0.095, abs=5e-4)
    named = list(zip("aabbdcccedda", "babbbccceddd", strict=True))
    assert krippendorff_alpha(named, level="nominal") == pytest.approx(0.692, abs=5e-4)


def write_out(values, level):
    """Alpha by the definition: a matrix of coincidences, one of expected ones, and a distance for each cell."""
    units = [[value for value in unit if value is not None] for unit in values]
    units = [unit for unit in units if len(unit) > 1]
    known = sorted({value for unit in units for value in unit})
    seen = np.zeros((len(known), len(known)))
    for unit in units:
        for one, other in permutations(range(len(unit)), 2):
            seen[known.index(unit[one]), known.index(unit[other])] += 1 / (len(unit) - 1)
    sums = seen.sum(axis=0)
    n = sums.sum()
    apart = np.zeros_like(seen)
    for one, first in enumerate(known):
        for other, second in enumerate(known):
            between = sums[min(one, other) : max(one, other) + 1].sum() - (sums[one] + sums[other]) / 2
            apart[one, other] = {
                "nominal": float(first != second),
                "ordinal": between**2 if one != other else 0,
                "interval": (first - second) ** 2,
            }[level]
    expected = (np.outer(sums, sums) * apart).sum()
    return np.nan if expected == 0 else 1 - (n - 1) * (seen * apart).sum() / expected


@given(
    some.lists(
        some.lists(some.sampled_from([None, 1, 2, 3, 5]), min_size=3, max_size=3), min_size=1, max_size=12
    )
)
def test_alpha_is_what_the_definition_says_for_any_values(values):
    for level in LEVELS:
        assert krippendorff_alpha(values, level=level) == pytest.approx(
            write_out(values, level), nan_ok=True, abs=1e-9
        )


def test_full_agreement_is_one_and_without_variation_there_is_no_alpha():
    for level in LEVELS:
        assert krippendorff_alpha([[1, 1], [2, 2], [2, 2], [5, None]], level=level) == 1
        assert np.isnan(krippendorff_alpha([[2, 2], [2, 2], [1, None]], level=level))
        assert np.isnan(krippendorff_alpha([[1, None], [None, 2]], level=level))
    with pytest.raises(VocwbError, match="nominal, ordinal, interval"):
        krippendorff_alpha([[1, 1]], level="ratio")


def draw_values(size, seed, *, copied):
    """Two coders who both see the true value with a share of `copied`, and else guess: alpha is copied squared."""
    lot = np.random.default_rng(seed)
    true = lot.choice(3, size=size, p=[0.6, 0.3, 0.1])
    coders = [
        np.where(lot.random(size) < copied, true, lot.choice(3, size=size, p=[0.6, 0.3, 0.1]))
        for _ in range(2)
    ]
    return np.stack(coders, axis=1)


def test_the_interval_holds_the_true_alpha_as_often_as_it_says():
    """300 samples of 60 units, true alpha 0.49: 95% is 285, and 270 is more than four standard errors below."""
    found = [
        alpha_interval(draw_values(60, seed, copied=0.7), level="nominal", seed=0, resamples=400)
        for seed in range(300)
    ]
    held = sum(low <= 0.49 <= high for _, low, high in found)
    assert 270 <= held <= 298
    assert abs(np.mean([alpha for alpha, _, _ in found]) - 0.49) < 0.02


def test_the_interval_is_the_same_in_any_order_and_narrows_with_n():
    values = draw_values(80, 1, copied=0.8)
    lot = np.random.default_rng(3)
    shuffled = lot.permuted(values[lot.permutation(80)], axis=1)
    for level in LEVELS:
        assert alpha_interval(values, level=level, seed=5) == alpha_interval(shuffled, level=level, seed=5)
    width = {size: np.ptp(alpha_interval(draw_values(size, 2, copied=0.8), level="nominal", seed=0)[1:])
             for size in (50, 2000)}  # fmt: skip
    assert width[2000] < width[50] / 4


def test_what_cannot_have_an_interval_has_none():
    alike = [[1, 1]] * 20 + [[2, 2]] * 20
    alpha, low, high = alpha_interval(alike, level="nominal", seed=0)
    assert alpha == 1 and np.isnan([low, high]).all()
    rare = [[1, 1]] * 98 + [[2, 2], [2, 1]]
    assert np.isnan(alpha_interval(rare, level="nominal", seed=0)).all()
    assert np.isnan(alpha_interval([[1, 1]] * 9, level="nominal", seed=0)).all()


def code(coder, *codes):
    """Codes of one coder, a text a verbatim: categories, polarity, intensity and ask, "." where there is none."""
    rows = []
    for number, text in enumerate(codes):
        categories, polarity, intensity, ask = text.split()
        rows += [
            {"feedback_id": f"f{number:03d}", "coder": coder, "category": one, "polarity": polarity,
             "intensity": None if intensity == "." else int(intensity), "ask": None if ask == "." else ask}
            for one in categories.split("+")
        ]  # fmt: skip
    return pd.DataFrame(rows).astype({"intensity": "Int64"})


def say_opinions(size, *languages):
    return pd.DataFrame({
        "feedback_id": [f"f{number:03d}" for number in range(size)],
        "language": [languages[number % len(languages)] for number in range(size)],
    })  # fmt: skip


def row_of(found, variable, **names):
    chosen = found[found["variable"] == variable]
    for name, value in names.items():
        chosen = chosen[chosen[name] == value]
    assert len(chosen) == 1
    return chosen.iloc[0]


ADA = [
    "price+staff negative 4 complaint",
    "other neutral 1 .",
    "delivery negative 5 .",
    "other positive 2 praise",
]
BO = ["price negative 4 complaint", "other neutral 1 .", "delivery negative 3 .", "other positive 2 ."]


def test_verbatims_in_which_nobody_found_anything_count_as_agreed():
    codes = pd.concat([code("human:Ada", *ADA * 10), code("human:Bo", *BO * 10)])
    found = measure_agreement(codes, say_opinions(40, "en"), seed=0)
    category, price = row_of(found, "category"), row_of(found, "category=price")
    assert (category["n"], category["agreed"]) == (40, 30), "half the same is another set"
    assert (price["n"], price["used"], price["agreed"]) == (40, 10, 40)
    other = row_of(found, "category=other")
    assert (other["used"], other["agreed"], other["verdict"]) == (20, 40, "no disagreement")
    ask = row_of(found, "ask")
    assert (ask["n"], ask["agreed"]) == (40, 30), "no ask is an answer too"
    named = [["complaint"] * 2, ["none"] * 2, ["none"] * 2, ["praise", "none"]] * 10
    assert ask["alpha"] == pytest.approx(krippendorff_alpha(named, level="nominal"))


def test_absence_of_a_code_is_a_value():
    codes = pd.concat([code("human:Ada", *ADA * 10), code("human:Bo", *BO * 10)])
    staff = row_of(measure_agreement(codes, say_opinions(40, "en"), seed=0), "category=staff")
    values = [[True, False], [False, False], [False, False], [False, False]] * 10
    assert staff["alpha"] == pytest.approx(krippendorff_alpha(values, level="nominal"))
    assert staff["alpha"] < 0 and staff["agreement"] == 75 and staff["verdict"] == "not reliable"


def test_intensity_is_ordinal_and_needs_both():
    codes = pd.concat([code("human:Ada", *ADA * 15), code("human:Bo", *BO * 14, *["price mixed . ."] * 4)])
    intensity = row_of(measure_agreement(codes, say_opinions(60, "en"), seed=0), "intensity")
    assert (intensity["n"], intensity["agreed"]) == (56, 42)
    values = [[4, 4], [1, 1], [5, 3], [2, 2]] * 14
    assert intensity["alpha"] == pytest.approx(krippendorff_alpha(values, level="ordinal"))
    assert intensity["low"] < intensity["alpha"] < intensity["high"]


def test_each_language_has_its_own_figures_and_a_few_verbatims_have_counts_alone():
    codes = pd.concat([code("human:Ada", *ADA * 15), code("human:Bo", *BO * 15)])
    opinions = say_opinions(60, "en", "en", "fa")
    found = measure_agreement(codes, opinions, seed=0)
    assert list(dict.fromkeys(found["language"])) == ["all", "en", "fa"]
    few = row_of(found, "polarity", language="fa")
    assert (few["n"], few["agreed"], few["verdict"]) == (20, 20, "too few to show")
    assert np.isnan([few["alpha"], few["low"], few["high"], few["agreement"]]).all()
    assert row_of(found, "polarity", language="en")["n"] == 40
    assert row_of(found, "polarity", language="all")["alpha"] == 1


def test_people_are_compared_with_one_another_and_with_coders_and_a_coder_with_its_rerun():
    codes = pd.concat([code(coder, *ADA * 10) for coder in ("human:Ada", "human:Bo", "rules", "learned")])
    rerun = code("learned", *ADA * 10)
    found = measure_agreement(codes, say_opinions(40, "en"), seed=0, rerun=rerun)
    assert list(dict.fromkeys(zip(found["coder_a"], found["coder_b"], strict=True))) == [
        ("human:Ada", "human:Bo"),
        ("human:Ada", "learned"),
        ("human:Ada", "rules"),
        ("human:Bo", "learned"),
        ("human:Bo", "rules"),
        ("learned", "learned (rerun)"),
    ]


def test_what_people_settled_is_compared_with_coders_and_never_with_these_people():
    codes = pd.concat([
        code(coder, *ADA * 10) for coder in ("human:Ada", "human:adjudicated", "human:settled", "rules")
    ])  # fmt: skip
    found = measure_agreement(codes, say_opinions(40, "en"), seed=0)
    assert set(zip(found["coder_a"], found["coder_b"], strict=True)) == {
        ("human:Ada", "rules"), ("human:settled", "rules"),
    }  # fmt: skip


def test_it_is_measured_on_the_verbatims_given_and_in_any_order():
    codes = pd.concat([code("human:Ada", *ADA * 15), code("rules", *BO * 15)])
    opinions = say_opinions(60, "en", "zh")
    found = measure_agreement(codes, opinions, seed=4)
    shuffled = measure_agreement(
        codes.sample(frac=1, random_state=1), opinions.sample(frac=1, random_state=2), seed=4
    )
    pd.testing.assert_frame_equal(found, shuffled)
    part = measure_agreement(codes, opinions.head(33), seed=4)
    assert row_of(part, "polarity", language="all")["n"] == 33


@pytest.mark.parametrize(
    ("copied", "verdict"), [(0.98, "reliable"), (0.3, "not reliable"), (0.88, "tentative")]
)
def test_the_verdict_follows_the_interval(copied, verdict):
    words = np.array(["price positive 3 .", "price negative 3 .", "price mixed 3 ."])
    values = draw_values(900, 6, copied=copied)
    codes = pd.concat([code("human:Ada", *words[values[:, 0]]), code("rules", *words[values[:, 1]])])
    found = row_of(measure_agreement(codes, say_opinions(900, "en"), seed=0), "polarity")
    assert found["verdict"] == verdict


def test_nothing_in_common_gives_no_row():
    codes = pd.concat([code("human:Ada", *ADA), code("rules", *ADA).assign(feedback_id="elsewhere")])
    codes = codes.drop_duplicates(["feedback_id", "coder", "category"])
    assert measure_agreement(codes, say_opinions(9, "en"), seed=0).empty
    assert measure_agreement(codes.head(0), say_opinions(9, "en"), seed=0).empty


def test_several_categories_are_one_row_in_one_spelling():
    folded = fold_codes(code("rules", "staff+price negative 4 .").sample(frac=1, random_state=0))
    assert folded["category"].tolist() == ["price + staff"] and folded["ask"].tolist() == ["none"]
