"""Charts of topics: a map that can be read, and never a way in for what customers wrote."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import vl_convert
from sklearn.decomposition import PCA
from tables import HOSTILE

from vocwb.schemas import make_findings
from vocwb.share.charts import render_svg
from vocwb.share.charts_topics import LISTED, MOST_POINTS, chart_topic_trends, frame_chart, map_topics

NAMED = pd.DataFrame(
    {"topic": ["T0001", "T0002"], "name": ["Late parcels", "پیک بی‌ادب"], "theme": ["H01", "H02"]}
)


def make_points(count=60, texts=("My parcel came late.", "پیک خیلی بی‌ادب بود.")):
    vectors = np.random.default_rng(0).normal(size=(count, 8)) + 6 * np.arange(count)[:, None] % 2
    flat = PCA(2, random_state=0).fit_transform(vectors)
    return pd.DataFrame({
        "feedback_id": [f"f{number:05d}" for number in range(count)], "x": flat[:, 0], "y": flat[:, 1],
        "topic": [f"T000{1 + number % 2}" for number in range(count)], "language": ["en", "fa"] * (count // 2),
        "verbatim": [texts[number % len(texts)] for number in range(count)],
    })  # fmt: skip


def rows_of(chart, field):
    return next(rows for rows in chart.to_dict()["datasets"].values() if rows and field in rows[0])


def texts_of(svg):
    return re.findall(r"<text[^>]*>(.*?)</text>", re.sub(r"</?tspan[^>]*>", "", svg), re.S)


def test_a_map_shows_points_names_and_the_first_verbatims_even_where_it_is_a_still_picture():
    shown = texts_of(render_svg(map_topics(make_points(), NAMED).to_dict())["image/svg+xml"])
    assert any("Late parcels" in text for text in shown) and any("پیک بی‌ادب" in text for text in shown)
    assert sum("My parcel came late." in text or "پیک خیلی" in text for text in shown) == LISTED


def test_words_stand_in_the_data_and_nowhere_else():
    points = make_points(texts=HOSTILE).assign(language="en")
    specification = map_topics(points, NAMED.assign(name=HOSTILE[:2])).to_dict()
    outside = json.dumps(
        {key: value for key, value in specification.items() if key != "datasets"}, ensure_ascii=False
    )
    assert not [text for text in HOSTILE if text[:12] in outside]


def test_a_frame_cannot_be_left_by_what_stands_in_it():
    frame = frame_chart(map_topics(make_points(texts=HOSTILE), NAMED), title='"><script>', height=10)
    assert frame.count("<") == 4 and frame.count('"') == 8
    assert 'sandbox="allow-scripts"' in frame and "default-src &#39;none&#39;" in frame


def test_the_order_of_rows_changes_nothing():
    points = make_points(400)
    one, two = (
        map_topics(rows, NAMED, most=100).to_json()
        for rows in (points, points.sample(frac=1, random_state=3))
    )
    assert one == two


def test_more_points_than_can_be_told_apart_are_thinned_and_each_topic_keeps_its_share():
    points = make_points(MOST_POINTS * 2).assign(
        topic=lambda rows: np.where(rows.index % 10 == 0, "T0002", "T0001")
    )
    rows = pd.DataFrame(rows_of(map_topics(points, NAMED), "quote"))
    assert len(rows) == MOST_POINTS
    assert rows["shade"].value_counts(normalize=True).min() == pytest.approx(0.1, abs=0.005)


def test_a_point_far_out_does_not_press_the_others_together():
    points = make_points(200)
    points.loc[0, "x"] = 1e6
    x = pd.DataFrame(rows_of(map_topics(points, NAMED), "quote"))["x"]
    assert x.between(0, 1).all() and x.std() > 0.1


@pytest.mark.parametrize("change", [{"x": 1.0}, {"y": np.nan}, {"x": 1.0, "y": 1.0}])
def test_points_on_a_line_or_on_one_spot_are_still_a_map(change):
    assert "<svg" in render_svg(map_topics(make_points().assign(**change), NAMED).to_dict())["image/svg+xml"]


def test_no_points_are_an_empty_map():
    assert "<svg" in render_svg(map_topics(make_points().head(0), NAMED).to_dict())["image/svg+xml"]


def test_a_name_does_not_cover_that_of_a_larger_topic():
    points = make_points().assign(x=lambda rows: rows.index % 7, y=0.0)
    labels = rows_of(map_topics(points, NAMED), "short")
    assert [row["short"] for row in labels] == ["Late parcels"]


def test_topics_of_one_theme_have_one_colour():
    rows = rows_of(map_topics(make_points(), NAMED.assign(theme="H01")), "shade")
    assert len({row["shade"] for row in rows}) == 1
    assert len({row["shade"] for row in rows_of(map_topics(make_points(), NAMED), "shade")}) == 2


def test_long_verbatims_are_cut_at_their_end_whichever_way_they_run():
    long = {"en": "late parcel " * 60, "fa": "بسته دیر رسید " * 60, "zh": "包裹太慢" * 90}
    for language, text in long.items():
        row = rows_of(map_topics(make_points(2).assign(language=language, verbatim=text), NAMED), "lines")[0]
        lines = row["lines"].split("\n")
        assert len(lines) == 2 and lines[1].endswith("…")
        assert "".join(row["lines"].split()).removesuffix("…") in "".join(text.split())


def make_sizes():
    rows = [
        {"period": f"2025-{month:02d}", "subject": f"T{number:04d}", "measure": "share", "unit": "%",
         "value": float(number), "low": 0.5, "high": 9.0, "n": 100, "claim": "", "method": ""}
        for number in range(1, 4) for month in range(1, 5)
    ]  # fmt: skip
    return make_findings(rows, section="topics", month="2025-04")


def test_trends_stand_from_the_largest_to_the_smallest_with_their_intervals():
    named = pd.DataFrame({"topic": ["T0001", "T0002", "T0003"], "name": ["Late", "Late", "قیمت"]})
    rows = pd.DataFrame(rows_of(chart_topic_trends(make_sizes(), named), "interval"))
    shown = rows.drop_duplicates("place").sort_values("place")
    assert shown["short"].tolist() == ["\u2067قیمت\u2069", "Late T0002", "Late T0001"], (
        "two of one name are told apart"
    )
    assert set(rows["interval"]) == {"0.5 to 9.0"}
    assert len(rows_of(chart_topic_trends(make_sizes(), named, most=1), "interval")) == 4


def test_trends_of_nothing_are_still_a_chart():
    assert chart_topic_trends(make_sizes().head(0), NAMED).to_dict()["columns"] == 4


def test_a_map_is_drawn_by_vega_without_a_warning(capfd):
    vl_convert.vegalite_to_vega(map_topics(make_points(), NAMED).to_dict(), vl_version="6.4")
    assert "WARN" not in capfd.readouterr().err
