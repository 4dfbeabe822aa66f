"""Groups on the page: both figures of a paradox side by side, words with their quotes, cells that say what they are."""

import json

import pandas as pd
import pytest
from tables import HOSTILE

from vocwb.schemas import empty_table, make_findings
from vocwb.share.charts import render_svg
from vocwb.share.charts_cells import chart_cells
from vocwb.share.rows import prepare_rows
from vocwb.share.sections_groups import label_groups, read_adjusted, read_paradoxes, read_stages, read_words
from vocwb.share.sections_time import read_movements

BASE = {"period": "2025-01", "claim": "", "method": "", "n": 90}


def prepare(rows, section="segments", **labels):
    findings = make_findings([BASE | row for row in rows], section=section, month="2025-01")
    labels = {"csat": "Satisfied?", "area": "Area", "late": "Late"} | labels
    return prepare_rows(findings, labels=labels | label_groups(findings, labels))


def no_quotes(row, most):
    return []


def make_paradox(level="express", sign=1):
    place = {"subject": "csat", "segment": "delivery", "unit": "1-5"}
    main = {"level": f"{level}, within area", "p_adjusted": 0.01}
    like = {"measure": "paradox", "value": -0.2 * sign, "difference": 0.5 * sign, "low": 0.5 * sign - 0.1,
            "high": 0.5 * sign + 0.1, "verdict": "evidence of a difference"}  # fmt: skip
    over = {
        "measure": "paradox_over_all",
        "difference": -0.2 * sign,
        "low": -0.2 * sign - 0.1,
        "high": -0.2 * sign + 0.1,
    }
    inner = [
        over | {"measure": "paradox_within", "level": f"{main['level']}: {area}"}
        | {"difference": 0.5 * sign, "low": 0.1, "high": 0.9}
        for area in ("city", "rural")
    ]  # fmt: skip
    return [place | main | like, place | main | over, *(place | row for row in inner)]


def test_a_paradox_shows_both_figures_and_each_level_once():
    rows = prepare([*make_paradox(), *make_paradox("standard", -1)])
    told = read_paradoxes(rows, no_quotes)
    assert len(told) == 1 and told[0]["group"] == "express" and told[0]["within"] == "“Area”"
    parts = told[0]["parts"]
    assert [part["number"] for part in parts] == ["−0.20", "+0.50", "+0.50", "+0.50"]
    names = [part["label"] for part in parts]
    assert names[0] == "over all" and "only city" in names
    assert [part["mark"] for part in parts][:2] == ["lower", "higher"]
    assert len({part["finding_id"] for part in parts}) == 4


def test_words_stand_by_group_and_language_the_surest_first():
    word = {
        "measure": "log_odds",
        "unit": "log odds",
        "segment": "area",
        "level": "rural",
        "compared_value": 2.0,
    }
    word |= {"value": 30.0, "difference": 2.0, "low": 1.0, "high": 3.0}
    rows = [word | {"subject": f"{language}:{text}", "p": p}
            for language, text, p in (("en", "gate", 0.1), ("en", "tractor", 0), ("fa", "تراکتور", 0.2))]  # fmt: skip
    told = read_words(prepare(rows), no_quotes)
    assert [(one["language"], [row["number"] for row in one["words"]]) for one in told] == [
        ("English", ["tractor", "gate"]), ("Persian", ["تراکتور"])
    ]  # fmt: skip
    assert told[0]["words"][0]["here"] == "30.0%" and told[0]["words"][0]["there"] == "2.0%"


def test_an_adjusted_difference_stands_beside_its_own_raw_one():
    row = {"subject": "late", "segment": "area", "unit": "pp", "low": 1.0, "high": 9.0}
    rows = prepare([
        row | {"measure": "difference", "level": "city", "difference": 8.0},
        row | {"measure": "difference_adjusted", "level": "city", "difference": 3.0},
        row | {"measure": "difference_adjusted", "level": "rural", "difference": 1.0},
    ])  # fmt: skip
    raw = rows[rows["measure"] == "difference"].to_dict("records")
    told = read_adjusted(rows, raw)
    assert [(one["number"], one["raw"]["number"]) for one in told] == [("+3.0 pp", "+8.0 pp")]


def make_stages():
    place = {"segment": "stage", "measure": "share", "subject": "T0001"}
    return prepare([
        place | {"level": "joining", "unit": "%", "value": 12.0, "low": 5.0, "high": 20.0},
        place | {"level": "buying", "unit": "count", "value": 3, "n": 20, "verdict": "too few to show"},
        place | {"level": "leaving", "unit": "%", "n": None, "verdict": "hidden"},
        place | {"level": "using", "unit": "%", "n": 0},
        place | {"measure": "heard", "subject": "all:fa", "level": "using", "unit": "count", "value": 0, "n": 0},
        place | {"measure": "hindering", "level": "joining", "unit": "%", "value": 9.0, "low": 5.0, "high": 20.0},
    ], "stages", T0001="دیر رسیدن سفارش")  # fmt: skip


def test_cells_say_what_they_are_and_stages_keep_their_order():
    codebook = empty_table("codebook").reindex([0]).assign(topic="T0001", language="fa")
    told = read_stages(make_stages(), codebook, ["joining", "using", "buying", "leaving"])
    strip = told[0]["strips"][0]
    assert told[0]["language"] == "Persian" and told[0]["empty"] == ["using"]
    assert [(row["level"], row["state"], row["number"]) for row in strip] == [
        ("joining", "share", "12.0%"), ("using", "empty", "–"), ("buying", "count", "3 of 20"),
        ("leaving", "hidden", "hidden"),
    ]  # fmt: skip
    stage, helps, hinders = told[0]["factors"][0]
    assert stage == "joining" and not helps and hinders[0]["number"] == "9.0%"


def test_a_heat_map_keeps_words_in_its_data_and_draws_empty_levels():
    rows = pd.DataFrame({"row": 0, "label": HOSTILE[0], "short": HOSTILE[0], "level": ["joining", "using"],
                         "value": [12.0, None], "number": ["12.0%", "–"], "state": ["share", "empty"]})  # fmt: skip
    chart = chart_cells(rows, levels=["joining", "using", "never"])
    outside = json.dumps({key: value for key, value in chart.to_dict().items() if key != "datasets"})
    svg = render_svg(chart.to_dict())["image/svg+xml"]
    assert HOSTILE[0][:12] not in outside and "<script" not in svg and "never" in svg and "12.0%" in svg
    assert "<svg" in render_svg(chart_cells(rows.head(0), levels=[]).to_dict())["image/svg+xml"]


@pytest.mark.parametrize(("difference", "said"), [(5.0, "rises"), (-5.0, "falls"), (None, "stands out")])
def test_an_alarm_is_told_with_its_quotes(difference, said):
    alarm = {"subject": "late", "measure": "early_warning", "unit": "%", "value": 20.0, "difference": difference,
             "verdict": "evidence of a change", "p_adjusted": 0.01}  # fmt: skip
    told = read_movements(prepare([alarm], "movements"), lambda row, most: ["quote"] * most)
    assert told["alarms"][0]["said"] == said and told["alarms"][0]["quotes"] == ["quote"] * 2
    assert told["summary"].startswith("Of 1 numbers, 1 stand out")
