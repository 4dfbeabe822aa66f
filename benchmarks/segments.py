"""Is a segment comparison fast enough to play with: against a loop over groups, with one test a cell by statsmodels.

A simulated programme of --rows verbatims by fewer respondents, with --levels levels of one segment and --topics
topics, is made and kept in memory, as after loading. "ours": measure_cells of the product, with all that it gives
(shares, intervals, effect sizes, adjusted p, shrunk shares, verdicts, quotes). Peer: pandas and statsmodels as one
writes it down, a groupby over the levels, within it a loop over the topics, and for each cell Newcombe's interval, the
two-sample z test and Cohen's h; then one Benjamini-Hochberg. Both count a respondent once; their shares and intervals
must agree. "seconds" are the best of --times runs of ours after a first one ("seconds_first"), and one run of the peer.
"ratios": the peer's seconds to ours.

    python benchmarks/segments.py --seed 0
"""

import argparse
import json
import time

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_effectsize, proportions_ztest
from truth import make_programme

from vocwb.explain.segments import measure_cells
from vocwb.schemas import unit_of


def loop_over_cells(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame
) -> pd.DataFrame:
    """Return level, topic, share, interval and adjusted p of each cell."""
    heard = opinions[opinions["feedback_id"].isin(assignments["feedback_id"])]
    heard = heard.assign(unit=unit_of(heard))
    talk = assignments.merge(heard[["feedback_id", "unit", "level"]], on="feedback_id")
    total = heard.groupby("level")["unit"].nunique()
    rows = []
    for level, own in talk.groupby("level"):
        rest = talk[talk["level"] != level]
        n, rest_n = total[level], total.sum() - total[level]
        for topic in codebook["topic"]:
            k = own.loc[own["topic"] == topic, "unit"].nunique()
            rest_k = len(rest.loc[rest["topic"] == topic, ["level", "unit"]].drop_duplicates())
            low, high = confint_proportions_2indep(k, n, rest_k, rest_n, method="newcomb")
            p = proportions_ztest([k, rest_k], [n, rest_n])[1]
            rows.append((level, topic, k / n, low, high, proportion_effectsize(k / n, rest_k / rest_n), p))
    cells = pd.DataFrame(rows, columns=["level", "topic", "share", "low", "high", "h", "p"])
    return cells.assign(p_adjusted=multipletests(cells["p"], method="fdr_bh")[1])


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--levels", type=int, default=10)
    parser.add_argument("--topics", type=int, default=60)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = np.random.default_rng(options.seed)
    people = draw.integers(0, options.rows * 3 // 4, options.rows)
    levels = draw.integers(0, options.levels, people.max() + 1)[people]
    rates = np.exp(draw.uniform(np.log(0.005), np.log(0.08), (1, options.topics))).repeat(
        options.rows, axis=0
    )
    tables = make_programme(draw, levels, rates, people)
    del rates

    took = []
    for _ in range(options.times + 1):
        began = time.perf_counter()
        ours = measure_cells(*tables, ["level"], minimum=5, smallest={"share": 5})
        took.append(time.perf_counter() - began)
    began = time.perf_counter()
    peer = loop_over_cells(*tables)
    peer_took = time.perf_counter() - began
    both = ours.merge(peer, on=["level", "topic"], suffixes=("", "_peer"))
    assert len(both) == len(peer) and np.allclose(both["value"], 100 * both["share"])
    both = both[both["left_out"].map(len) == 0]
    assert np.allclose(both["low"], 100 * both["low_peer"], atol=1e-6)
    seconds = min(took[1:])
    result = {
        "benchmark": "segments", "data": "simulated", "n": options.rows, "seed": options.seed, "cells": len(peer),
        "ours": {"seconds": round(seconds, 3), "seconds_first": round(took[0], 3)},
        "peers": {"groupby_statsmodels": {"seconds": round(peer_took, 3)}},
        "ratios": {"speed": round(peer_took / seconds, 1)},
    }  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
