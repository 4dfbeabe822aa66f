"""Do intervals cover, do comparisons claim only what is there, are changes and alarms right: by simulation.

"coverage": the mean, over interval types and sizes n, of the share of 95% intervals that hold the true value, which is
drawn uniformly from 0.05 to 0.95 of the scale; "coverage_min" and "coverage_max": the lowest and the highest mean of a
type at an n; "by_type" has each. n counts answers; answers are beta-binomial on the scale, from nearly all alike to
nearly all at its ends; clustered ones come from people who give 1.7 each (geometric), a person's answers being the same
with odds of 1 to 1. Bootstrap intervals are too slow for many draws: what they cover more or less than scale_interval,
on the same draws, is added to what that covers on its many.

"fdr", "claimed_on_nothing", "power": segments compared as the product does (measure_cells). "claimed_on_nothing": of
2,000 programmes in which no segment differs (people with several opinions, topics from rare to common) those that claim
a difference, with the lower 95% limit ("_low"). Planted: 7,000 verbatims, ten levels of 700, 60 topics, 20 of the 600
cells at 10% against 5%: the mean share of false claims ("fdr", "fdr_low") and the share of the 20 found ("power").

"changes": of 24 months without a lasting change, in which an evident change is claimed, and with one of three standard
errors in the middle found. "alarms": programmes of 15 topics and 15 scores with 24 months behind: the share of
programme-months with any false alarm ("false", "false_low"), in all and by kind: months that vary by sampling alone,
months that vary beyond it (all alike, or some series only), a season. "found_first", "found_second": of lasting shifts
of four standard errors (of a month, with all that it varies) those that raise the alarm in the first month, or by the
second; of scores and topics of 5% and more. "apart": what the test does not claim: rare topics' shifts found, false
alarms where months hang together (first-order correlation 0.4).

"shrinkage": root mean squared error of small groups' shares, empirical Bayes to raw, and what its intervals cover.

Peers on the same draws: textbook intervals (Wald's by statsmodels, t, percentile bootstrap; "coverage_min" etc.), and
claims without correction (z tests at 5%), with Benjamini-Hochberg on those z tests.

    python benchmarks/truth.py --seed 0
"""

import argparse
import json
import time
import warnings

import numpy as np
import pandas as pd
from scipy import stats as distributions
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from vocwb import stats
from vocwb.alarms import warn_early
from vocwb.changes import CHANGE, judge_changes
from vocwb.explain.segments import measure_cells

SIZES = (20, 50, 100, 300, 1000, 5000)
BOOTSTRAPS = {50: 1000, 300: 600, 1000: 500, 5000: 300}
"""Draws of a bootstrap interval by n."""


def draw_answers(draw: np.random.Generator, n: int, steps: int, *, clustered: bool = False):
    """Return the true mean, n answers in 0..1 on a scale of so many steps, and who gave each."""
    mean, alike = draw.uniform(0.05, 0.95), draw.uniform(0.05, 0.9)
    strength = (1 - alike) / alike

    def answer(size: int) -> np.ndarray:
        chance = draw.beta(mean * strength, (1 - mean) * strength, size)
        return draw.binomial(steps, np.nan_to_num(chance, nan=0.5)) / steps

    answers = answer(n)
    people = np.arange(n)
    if clustered:
        people = np.repeat(np.arange(n), draw.geometric(0.6, n))[:n]
        answers = np.where(draw.random(n) < 0.5, answer(people[-1] + 1)[people], answers)
    return mean, answers, people


def _t_interval(values) -> tuple[float, float]:
    half = distributions.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


def cover_shares(draw, n: int, draws: int) -> dict:
    """Return which Wilson and Newcombe intervals, and which of Wald's, hold the true value."""
    truth = draw.uniform(0.05, 0.95, (2, draws))
    k = draw.binomial(n, truth)
    low, high = stats.share_interval(k[0], n)
    both = stats.compare_shares(k[0], n, k[1], n)
    wald = proportion_confint(k[0], n, method="normal")
    wald_both = confint_proportions_2indep(k[0], n, k[1], n, method="wald")
    difference = truth[0] - truth[1]
    return {
        "share": (low <= truth[0]) & (truth[0] <= high),
        "share_difference": (both["low"] <= difference) & (difference <= both["high"]),
        "peer share": (wald[0] <= truth[0]) & (truth[0] <= wald[1]),
        "peer share_difference": (wald_both[0] <= difference) & (difference <= wald_both[1]),
    }


def cover_nps(draw, n: int, draws: int) -> dict:
    """Return which intervals of NPS hold it; passives take any part of what the score leaves."""
    score = draw.uniform(-0.9, 0.9, draws)
    passive = draw.uniform(0, 1, draws) * (1 - np.abs(score))
    shares = np.column_stack([(1 - passive + score) / 2, passive, (1 - passive - score) / 2])
    counts = draw.multinomial(n, shares).T
    found = {}
    for method in ("adjusted wald", "score"):
        _, low, high = stats.nps_interval(*counts, method=method)
        found[f"nps {method}"] = (low <= 100 * score) & (100 * score <= high)
    value, spread = (counts[0] - counts[2]) / n, (counts[0] + counts[2]) / n
    half = 1.96 * np.sqrt((spread - value**2) / n)
    return found | {"peer nps": (value - half <= score) & (score <= value + half)}


def cover_means(draw, n: int, draws: int) -> dict:
    """Return which intervals of means, of their differences, and of clustered answers hold the true value."""
    found = {}

    def keep(name: str, low: float, high: float, truth: float) -> None:
        found.setdefault(name, []).append(bool(low <= truth <= high))

    for _ in range(draws):
        for steps, (least, most) in ((4, (1, 5)), (10, (0, 10))):
            width = most - least
            mean, values, _ = draw_answers(draw, n, steps)
            _, low, high = stats.scale_interval(least + width * values, (least, most))
            keep(f"mean {least}-{most}", low, high, least + width * mean)
            keep(f"peer mean {least}-{most}", *_t_interval(values), mean)
        other, others, _ = draw_answers(draw, n, steps)
        keep("mean_difference", *stats.compare_on_scale(values, others, (0, 1))[1:3], mean - other)
        test = distributions.ttest_ind(values, others, equal_var=False).confidence_interval()
        keep("peer mean_difference", *test, mean - other)
        mean, values, people = draw_answers(draw, n, 4, clustered=True)
        keep("mean_clustered", *stats.scale_interval(values, (0, 1), people)[1:], mean)
        keep("peer mean_clustered", *_t_interval(values), mean)
        mean, values, people = draw_answers(draw, n, 1, clustered=True)
        keep("share_clustered", *stats.cluster_share_interval(values, people)[1:], mean)
        keep("peer share_clustered", *proportion_confint(values.sum(), n, method="normal"), mean)
        mean, values, people = draw_answers(draw, n, 2, clustered=True)
        keep(
            "nps_clustered",
            *stats.scale_interval(200 * values - 100, (-100, 100), people)[1:],
            200 * mean - 100,
        )
        normal = draw.normal(size=n)
        keep("mean_unbounded", *stats.mean_interval(normal)[1:], 0)
    return {name: np.array(held) for name, held in found.items()}


def cover_bootstrap(draw, n: int, draws: int, *, many: int = 20_000) -> dict:
    """Return coverage of the bootstrap and of the percentile peer, with scale_interval as the control variate."""
    held = {"bootstrap": [], "bootstrap_clustered": [], "peer bootstrap": []}
    for number in range(draws):
        for name in ("bootstrap", "bootstrap_clustered"):
            clustered = name != "bootstrap"
            if clustered and number >= draws // 2:
                continue
            mean, values, people = draw_answers(draw, n, 10, clustered=clustered)
            control = stats.scale_interval(values, (0, 1), people)
            held_control = control[1] <= mean <= control[2]
            _, low, high = stats.bootstrap_interval(
                values, np.mean, clusters=people if clustered else None, seed=number
            )
            held[name].append(int(low <= mean <= high) - int(held_control))
            if not clustered:
                means = draw.choice(values, (999, n)).mean(axis=1)
                low, high = np.quantile(means, [0.025, 0.975])
                held["peer bootstrap"].append(int(low <= mean <= high) - int(held_control))
    controls = {}
    for clustered in (False, True):
        tries = max(many // 5, many // (1 + n // 200))
        hits = 0
        for _ in range(tries):
            mean, values, people = draw_answers(draw, n, 10, clustered=clustered)
            _, low, high = stats.scale_interval(values, (0, 1), people)
            hits += low <= mean <= high
        controls[clustered] = hits / tries
    return {name: np.mean(own) + controls["clustered" in name] for name, own in held.items()}


def measure_coverage(draw, part: float) -> tuple[dict, dict]:
    """Return {type: {n: coverage}} of ours and of the peers."""
    found: dict[str, dict[int, float]] = {}
    for n in SIZES:
        held = cover_shares(draw, n, int(20_000 * part)) | cover_nps(draw, n, int(20_000 * part))
        held |= cover_means(draw, n, int(max(800, 3000 if n < 1000 else 1500) * part))
        for name, own in held.items():
            found.setdefault(name, {})[n] = float(np.mean(own))
    for n, draws in BOOTSTRAPS.items():
        for name, own in cover_bootstrap(
            draw, n, max(20, int(draws * part)), many=int(20_000 * part)
        ).items():
            found.setdefault(name, {})[n] = float(own)
    ours = {name: own for name, own in found.items() if not name.startswith("peer ")}
    return ours, {name[5:]: own for name, own in found.items() if name.startswith("peer ")}


def make_programme(draw, levels: np.ndarray, rates: np.ndarray, people: np.ndarray | None = None):
    """Return opinions, assignments and codebook; rates: how often each opinion (row) mentions each topic (column)."""
    size, topics = rates.shape
    opinions = pd.DataFrame(
        {
            "feedback_id": [f"f{row:06}" for row in range(size)], "response_id": [f"r{row:06}" for row in range(size)],
            "respondent_id": pd.Series([None] * size if people is None else [f"p{one}" for one in people], dtype="str"),
            "language": "en", "voice": "customer", "level": pd.Series([f"l{own}" for own in levels], dtype="str"),
        }
    )  # fmt: skip
    mentions = draw.random(rates.shape) < rates
    rows, columns = np.nonzero(np.column_stack([~mentions.any(axis=1), mentions]))
    assignments = pd.DataFrame(
        {"feedback_id": opinions["feedback_id"].to_numpy()[rows], "codebook_id": "c",
         "topic": [f"T{column:04}" for column in columns]}
    )  # fmt: skip
    names = [f"T{topic:04}" for topic in range(1, topics + 1)]
    codebook = pd.DataFrame({"codebook_id": "c", "topic": names, "language": "en", "name": names})
    return opinions, assignments, codebook


def claim(cells: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return which cells ours claims, and which z tests do, without and with Benjamini-Hochberg."""
    share = (cells["k"] + cells["rest_k"]) / (cells["n"] + cells["compared_n"])
    error = np.sqrt(share * (1 - share) * (1 / cells["n"] + 1 / cells["compared_n"]))
    difference = cells["k"] / cells["n"] - cells["rest_k"] / cells["compared_n"]
    p = 2 * distributions.norm.sf(np.abs(difference) / np.maximum(error, 1e-12))
    return {
        "ours": cells["verdict"].eq(stats.EVIDENCE).to_numpy(), "z_uncorrected": p <= 0.05,
        "z_corrected": multipletests(p, method="fdr_bh")[0],
    }  # fmt: skip


def judge_families(draw, nothing: int, planted: int) -> dict[str, dict]:
    """Return claims on nothing, false discoveries and power of each way."""
    options = {"minimum": 5, "smallest": {"share": 5}}
    ways = ("ours", "z_uncorrected", "z_corrected")
    empty = dict.fromkeys(ways, 0)
    for _ in range(nothing):
        size, topics = int(draw.integers(300, 1200)), int(draw.integers(10, 40))
        people = draw.integers(0, size * 2 // 3, size)
        chances = draw.dirichlet(np.full(int(draw.integers(2, 9)), 2.0))
        common = np.exp(draw.uniform(np.log(0.004), np.log(0.3), topics))
        taste = draw.gamma(2.0, common / 2, (people.max() + 1, topics)).clip(0, 0.9)
        levels = draw.choice(len(chances), size, p=chances)[people]  # a level belongs to a person
        cells = measure_cells(*make_programme(draw, levels, taste[people], people), ["level"], **options)
        cells = cells[cells["p"].notna()] if len(cells) else cells
        if len(cells):
            for way, own in claim(cells).items():
                empty[way] += own.any()
    false, found = ({way: [] for way in ways} for _ in range(2))
    levels = np.repeat(np.arange(10), 700)
    for _ in range(planted):
        cell = draw.choice(600, 20, replace=False)
        rates = np.full((10, 60), 0.05)
        rates.flat[cell] = 0.10
        cells = measure_cells(*make_programme(draw, levels, rates[levels]), ["level"], **options)
        place = cells["level"].str[1:].astype(int) * 60 + cells["topic"].str[1:].astype(int) - 1
        real = place.isin(cell).to_numpy()
        for way, own in claim(cells).items():
            false[way].append((own & ~real).sum() / max(own.sum(), 1))
            found[way].append((own & real).sum() / 20)
    return {
        way: {
            "claimed_on_nothing": empty[way] / nothing,
            "claimed_on_nothing_low": distributions.binomtest(int(empty[way]), nothing).proportion_ci().low,
            "fdr": np.mean(false[way]),
            "fdr_low": np.mean(false[way]) - 1.96 * np.std(false[way], ddof=1) / np.sqrt(planted),
            "power": np.mean(found[way]),
        }
        for way in ways
    }


def measure_shrinkage(draw, programmes: int) -> dict:
    """Return the error of small groups' shares, shrunk to raw, and what the shrunk intervals cover."""
    errors, held = [], []
    for _ in range(programmes):
        n = draw.integers(5, 200, (8, 1))
        mean, alike = draw.uniform(0.02, 0.4, 20), draw.choice([0.002, 0.02, 0.1], 20)
        truth = draw.beta(mean * (1 - alike) / alike, (1 - mean) * (1 - alike) / alike, (8, 20))
        k = draw.binomial(n, truth)
        shrunk, low, high = stats.shrink_shares(k, n)
        small = np.broadcast_to(n < 30, k.shape)
        errors.append([((shrunk - truth)[small] ** 2).sum(), ((k / n - truth)[small] ** 2).sum()])
        held.append(((low <= truth) & (truth <= high))[small])
    ours, raw = np.sum(errors, axis=0)
    return {"rmse_ratio": float(np.sqrt(ours / raw)), "coverage": float(np.concatenate(held).mean())}


def name_months(count: int) -> list[str]:
    """Return so many months from January 2023 on."""
    return pd.period_range("2023-01", periods=count, freq="M").astype(str).tolist()


def draw_months(
    draw, shape: tuple[int, int], *, kind: str, shift: float = 0.0, rare: bool = False, begins: int = 24
):
    """Return two tables of series, scores and topics, and how each month varies.

    kind: "plain" (sampling alone), "varying" (months vary as much again), "some" (a third of the series do, twice as
    much), "season" (November and December higher by 3 standard errors in half of them), "linked" (correlation 0.4 of
    neighbours).
    shift: in standard errors of a month, from month `begins` on, in every series.
    """
    series, months = shape
    beyond = {"varying": np.ones(series), "some": np.where(np.arange(series) % 3, 0.0, 2.0)}
    ratio = beyond.get(kind, np.zeros(series))[:, None]
    after = np.arange(months) >= begins
    season = (
        3.0 * (np.arange(months) % 12 >= 10) * (np.arange(series) % 2)[:, None] if kind == "season" else 0.0
    )
    noise = draw.normal(size=shape)
    if kind == "linked":
        for month in range(1, months):
            noise[:, month] = 0.4 * noise[:, month - 1] + np.sqrt(1 - 0.16) * noise[:, month]
    errors = np.exp(draw.normal(0, 0.2, shape))
    values = noise * np.sqrt(errors**2 + ratio**2) + season + shift * after * np.sqrt(1 + ratio**2)
    name = np.repeat([f"s{one:02}" for one in range(series)], months)
    month = np.tile(name_months(months), series)
    scores = pd.DataFrame(
        {"series": "score " + name, "month": month, "value": 50 + values.ravel(), "error": errors.ravel()}
    )
    n = np.maximum(20, draw.poisson(np.exp(draw.normal(np.log(500), 0.2, shape))))
    base = draw.uniform(0.005, 0.02, (series, 1)) if rare else draw.uniform(0.05, 0.3, (series, 1))
    error = np.sqrt(base * (1 - base) / 500)
    chance = base + error * (season + shift * after * np.sqrt(1 + ratio**2))
    if kind == "linked":
        chance = np.clip(base + error * noise, 0.001, 0.95)
    alike = ratio**2 / (499 + ratio**2)
    strength = (1 - alike) / np.maximum(alike, 1e-9)
    chance = np.where(ratio > 0, draw.beta(chance * strength, (1 - chance) * strength), chance)
    topics = pd.DataFrame(
        {"series": "topic " + name, "month": month, "k": draw.binomial(n, chance).ravel(), "n": n.ravel()}
    )
    return scores, topics


def judge_alarms(draw, programmes: int) -> dict:
    """Return false alarms by kind of programme, and how soon shifts are found."""
    false = {}
    for kind in ("plain", "varying", "some", "season", "linked"):
        alarms, months = [], 36 if kind == "season" else 28  # of a season its own months, too
        for _ in range(programmes):
            table = pd.concat(draw_months(draw, (15, months), kind=kind))
            alarms += [warn_early(table, month=month)["alarm"].any() for month in name_months(months)[-4:]]
        false[kind] = alarms
    linked = false.pop("linked")
    every = np.concatenate(list(false.values()))
    found = {}
    for label, rare in (("", False), ("rare ", True)):
        for kind in ("plain", "varying"):
            for _ in range(max(2, programmes // 6)):
                table = pd.concat(draw_months(draw, (15, 26), kind=kind, shift=4.0, rare=rare))
                # Each series is judged as the one that moves among 30: Holm's first step.
                looks = [
                    warn_early(table, month=month).set_index("series")["p"] for month in name_months(26)[24:]
                ]
                alarm = pd.concat(looks, axis=1) * len(looks[0]) <= 0.05
                for what, own in alarm.groupby(alarm.index.str[:5]):
                    if not rare or what == "topic":
                        found.setdefault(f"{label}{what}s", []).append(own.to_numpy())
    found = {name: np.concatenate(own) for name, own in found.items()}
    common = np.concatenate([found["scores"], found["topics"]])
    return {
        "false": float(every.mean()),
        "false_low": float(distributions.binomtest(int(every.sum()), len(every)).proportion_ci().low),
        "false_by_kind": {kind: float(np.mean(own)) for kind, own in false.items()},
        "programme_months": len(every),
        "found_first": float(common[:, 0].mean()), "found_second": float(common.any(axis=1).mean()),
        "found_second_scores": float(found["scores"].any(axis=1).mean()),
        "found_second_topics": float(found["topics"].any(axis=1).mean()),
        "apart": {
            "found_second_rare_topics": float(found["rare topics"].any(axis=1).mean()),
            "false_where_months_hang_together": float(np.mean(linked)),
        },
    }  # fmt: skip


def judge_change_points(draw, series: int) -> dict:
    """Return claims of change where there is none, and whether one of 3 standard errors is found, and where."""
    claims, found = [], []
    for kind in ("plain", "varying", "season"):
        for table in draw_months(draw, (series, 24), kind=kind):
            # Each series alone: its own p decides.
            claims += judge_changes(table, smallest=1e9)["p"].le(0.05).tolist()
    for table in draw_months(draw, (series, 24), kind="varying", shift=3.0, begins=12):
        found.append(judge_changes(table, smallest=1e9))
    found = pd.concat(found)
    hit = found[found["p"] <= 0.05]
    near = hit["month"].isin(name_months(24)[11:14])
    return {
        "claimed_on_nothing": float(np.mean(claims)),
        "claimed_on_nothing_low": float(distributions.binomtest(int(np.sum(claims)), len(claims)).proportion_ci().low),
        "power": len(hit) / len(found), "within_a_month": float(near.mean()),
        "families_claiming_in_30": float(np.mean([
            judge_changes(draw_months(draw, (30, 24), kind="plain")[0], smallest=1e9)["verdict"].eq(CHANGE).any()
            for _ in range(max(2, series // 5))
        ])),
    }  # fmt: skip


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--part", type=float, default=1.0, help="of the draws: 0.1 for a quick look, whose figures are rough"
    )
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    began = time.perf_counter()
    draws = [np.random.default_rng([options.seed, number]) for number in range(5)]
    covered, peer_covered = measure_coverage(draws[0], options.part)
    families = judge_families(draws[1], max(50, int(2000 * options.part)), max(3, int(40 * options.part)))
    ours = families.pop("ours") | {
        "changes": judge_change_points(draws[2], max(20, int(150 * options.part))),
        "alarms": judge_alarms(draws[3], max(5, int(60 * options.part))),
        "shrinkage": measure_shrinkage(draws[4], max(20, int(400 * options.part))),
    }

    def sum_up(by_type: dict) -> dict:
        every = [value for own in by_type.values() for value in own.values()]
        return {
            "coverage": np.mean(every), "coverage_min": min(every), "coverage_max": max(every), "by_type": by_type,
        }  # fmt: skip

    result = {
        "benchmark": "truth", "data": "simulated", "n": int(2000 * options.part), "seed": options.seed,
        "ours": sum_up(covered) | ours, "peers": {"textbook": sum_up(peer_covered)} | families,
        "ratios": {"power_to_z_corrected": ours["power"] / max(families["z_corrected"]["power"], 1e-9)},
        "seconds": time.perf_counter() - began,
    }  # fmt: skip
    print(
        json.dumps(
            json.loads(json.dumps(result, default=float), parse_float=lambda text: round(float(text), 4))
        )
    )


if __name__ == "__main__":
    main()
