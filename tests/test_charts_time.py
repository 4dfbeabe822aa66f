"""Control charts: what lies outside is told by shape too, changes by a rule with its month, and no data runs."""

import json

import pandas as pd
from tables import HOSTILE

from vocwb.share.charts import render_svg
from vocwb.share.charts_time import chart_limits


def make_months(**changed):
    months = [f"2025-{month:02}" for month in range(1, 13)]
    rows = pd.DataFrame({
        "period": months, "value": [10.0] * 11 + [30.0], "centre": 12.0, "limit_low": 4.0, "limit_high": 20.0,
        "where": ["inside"] * 11 + ["above"], "changed": [month == "2025-03" for month in months], "label": HOSTILE[0],
        "number": "10.0%", "interval": HOSTILE[2], "count": "90", "limits": "4.0 to 20.0", "finding_id": "f",
    })  # fmt: skip
    return rows.assign(**changed)


def draw(rows):
    return render_svg(chart_limits(rows).to_dict())["image/svg+xml"]


def test_a_month_outside_has_another_shape_and_a_change_its_month():
    chart = chart_limits(make_months()).to_dict()
    point = next(layer for layer in chart["layer"] if "shape" in layer["encoding"])["encoding"]
    assert point["shape"]["scale"] == {"domain": ["inside", "above"], "range": ["circle", "triangle-up"]}
    assert len(set(point["color"]["scale"]["range"])) == 2
    assert "since Mar 2025" in draw(make_months())
    assert "since" not in draw(make_months(changed=False)) and "since Nov 2025" in draw(
        make_months(changed=[False] * 10 + [True, False])
    )


def test_a_missing_month_is_a_gap_and_nothing_is_still_a_chart():
    rows = make_months().drop(index=[4, 5])
    data = next(iter(chart_limits(rows).to_dict()["datasets"].values()))
    assert [row["value"] for row in data][3:7] == [10.0, None, None, 10.0]
    assert [row["where"] for row in data][4] is None
    assert "<svg" in draw(rows.head(0)) and "<svg" in draw(rows.head(1))
    few = make_months(limit_low=None, limit_high=None, where=None)
    assert "<svg" in draw(few)


def test_words_stand_in_the_data_alone():
    chart = chart_limits(make_months()).to_dict()
    outside = json.dumps(
        {key: value for key, value in chart.items() if key != "datasets"}, ensure_ascii=False
    )
    assert HOSTILE[0][:12] not in outside and HOSTILE[2][:12] not in outside
    assert "<script" not in draw(make_months())
