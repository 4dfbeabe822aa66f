"""Charts: drawn from findings alone, and never a way in for what customers wrote."""

import json
import re

import altair as alt
import nbformat
import numpy as np
import pandas as pd
import papermill
import pytest
from tables import HOSTILE, MONTH, make_tables

from vocwb.errors import ReportError
from vocwb.schemas import make_findings
from vocwb.share.charts import (
    bundle_script,
    chart_bars,
    chart_differences,
    chart_html,
    chart_shares,
    chart_trend,
    enable_renderer,
    escape_json,
    number_html,
    render_svg,
)
from vocwb.share.rows import (
    format_number,
    join_label,
    name_month,
    prepare_rows,
    shorten_label,
    tally_verdicts,
)
from vocwb.stats import VERDICTS


def make_rows(labels=HOSTILE, measure="share", unit="%"):
    rows = [
        {"period": f"2025-{number + 1:02d}", "subject": f"T{number:04d}", "measure": measure, "unit": unit,
         "value": 10.0 + number, "difference": 5.0 - number, "low": 2.0, "high": 30.0, "n": 100,
         "claim": "", "method": "", "verdict": [*VERDICTS, None][number % 4]}
        for number in range(len(labels))
    ]  # fmt: skip
    names = {row["subject"]: label for row, label in zip(rows, labels, strict=True)}
    return prepare_rows(make_findings(rows, section="topics", month=MONTH), labels=names)


CHARTS = [chart_shares, chart_differences, chart_bars, chart_trend]


def strings_outside_data(specification):
    """Every text of a specification but its data: where Vega may look for a field, an expression or a signal."""
    bare = {key: value for key, value in specification.items() if key != "datasets"}
    return json.dumps(bare, ensure_ascii=False)


@pytest.mark.parametrize("draw", CHARTS)
def test_data_stands_in_the_data_and_nowhere_else(draw):
    specification = draw(make_rows()).to_dict()
    outside = strings_outside_data(specification)
    assert not [text for text in HOSTILE if text[:12] in outside]
    assert all(set(row) == set(specification["datasets"][name][0])
               for name, rows in specification["datasets"].items() for row in rows)  # fmt: skip


@pytest.mark.parametrize("draw", CHARTS)
def test_a_chart_cannot_end_its_script_element(draw):
    figure = chart_html(draw(make_rows()), title=HOSTILE[0], description=HOSTILE[1])
    assert figure.count("<script") == figure.count("</script") == 1
    assert "<img" not in figure and "\u2028" not in figure.split("</script>")[0]
    specification = re.search(r'class="spec">(.*?)</script>', figure, re.S)[1]
    assert json.loads(specification) == draw(make_rows()).to_dict()


@pytest.mark.parametrize("draw", CHARTS)
def test_a_chart_of_nothing_and_of_one_row_is_still_a_chart(draw):
    for rows in (make_rows([]), make_rows(["one"])):
        assert "<svg" in render_svg(draw(rows).to_dict())["image/svg+xml"]


def test_shares_stand_from_the_largest_to_the_smallest_and_what_fits_no_topic_last():
    rows = make_rows(["a", "b", "c"]).assign(last=[False, False, True])
    data = next(iter(chart_shares(rows).to_dict()["datasets"].values()))
    assert [row["label"] for row in data] == ["b", "a", "c"]


def test_a_verdict_is_told_by_shape_and_by_colour():
    layers = chart_shares(make_rows()).to_dict()["layer"]
    point = next(layer for layer in layers if "shape" in layer["encoding"])["encoding"]
    domain = point["shape"]["scale"]["domain"]
    assert domain == ["higher", "lower", "no evidence of a difference", "too few to say", "not compared"]
    looks = list(
        zip(*(point[channel]["scale"]["range"] for channel in ("shape", "color", "fill")), strict=True)
    )
    assert len(set(looks)) == len(domain)
    colours_apart = {shape: fill for shape, _, fill in looks[:2]}
    assert len(colours_apart) == 2


def test_a_month_without_a_number_is_a_gap_and_not_a_line():
    rows = [{"period": period, "subject": "nps", "measure": "nps", "unit": "points",
             "value": 1.0,
             "low": 0.0, "high": 2.0, "n": 50, "claim": "", "method": ""}
            for period in ("2025-01", "2025-04")]  # fmt: skip
    chart = chart_trend(prepare_rows(make_findings(rows, section="scores", month="2025-04")))
    data = next(iter(chart.to_dict()["datasets"].values()))
    assert [row["value"] for row in data] == [1.0, None, None, 1.0]


def test_a_trend_of_two_numbers_is_refused():
    rows = make_rows(["NPS", "mean"]).assign(period=MONTH)
    with pytest.raises(ReportError, match="T0000, T0001"):
        chart_trend(rows)


def test_the_table_below_a_chart_holds_every_number_with_interval_n_and_finding():
    rows = make_rows(["Late", "Rude"])
    figure = chart_html(chart_shares(rows), title="T", description="D")
    for row in rows.to_dict("records"):
        assert f'data-finding="{row["finding_id"]}">{row["number"]}</button>' in figure
    assert "2.0 to 30.0" in figure and figure.count("<caption>") == 1


def test_hidden_and_too_few_say_so():
    assert "hidden" in number_html({"finding_id": "f", "number": "", "verdict": "hidden"})
    assert "data-finding" not in number_html({"finding_id": "f", "number": "", "verdict": "hidden"})
    assert "too few to show" in number_html({"finding_id": "f", "number": "", "verdict": "too few to show"})


def test_json_is_the_same_after_escaping():
    value = [*HOSTILE, {"a": None, "b": 1.5}]
    assert json.loads(escape_json(value)) == value
    assert not set("<>&\u2028\u2029") & set(escape_json(value))
    with pytest.raises(ValueError):
        escape_json([np.nan])


def test_the_bundle_cannot_be_ended_and_asks_for_nothing():
    assert "</script" not in bundle_script().lower() and "<!--" not in bundle_script()


def test_the_still_picture_holds_hostile_words_as_text_only():
    for draw in CHARTS:
        svg = render_svg(draw(make_rows()).to_dict())["image/svg+xml"]
        assert "<script" not in svg and "<img" not in svg and "<foreignObject" not in svg


def test_a_notebook_keeps_the_still_picture_through_papermill(tmp_path):
    code = (
        "import altair as alt, pandas as pd\nfrom vocwb.share.charts import enable_renderer\nenable_renderer()\n"
        f"alt.Chart(pd.DataFrame({{'x': {HOSTILE!r}}})).mark_bar().encode(y='x:N', x='count()')"
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, tmp_path / "in.ipynb")
    papermill.execute_notebook(str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), progress_bar=False)
    saved = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    nbformat.validate(saved)
    data = saved.cells[0].outputs[0].data
    assert set(data) == {"image/svg+xml", "text/plain"} and "<script" not in data["image/svg+xml"]


def test_the_renderer_is_put_in_place():
    before = alt.renderers.active
    enable_renderer()
    assert alt.renderers.active == "vocwb"
    alt.renderers.enable(before or "default")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.04, "%", "0.0%"),
        (-0.04, "pp", "+0.0 pp"),
        (-12.5, "points", "−12.5"),
        (3.456, "1-5", "3.46"),
        (12345, "count", "12,345"),
    ],
)
def test_numbers_are_written_one_way(value, unit, text):
    assert format_number(value, unit) == text


def test_labels_are_cut_without_losing_their_direction():
    assert len(shorten_label("w" * 500)) < 60
    assert shorten_label("سلام " * 50).startswith("\u2067") and shorten_label("سلام " * 50).endswith(
        "…\u2069"
    )
    assert join_label("تأخر", "web") == "\u2067تأخر\u2069 · web"


def test_months_are_named():
    assert name_month("2025-01..2025-11") == "January 2025 to November 2025"
    assert name_month("turn 7") == "turn 7"


def test_the_tally_adds_up():
    findings = prepare_rows(make_tables()["findings"])
    compared = findings[findings["measure"].eq("difference")]
    numbers = [int(word.replace(",", "")) for word in re.findall(r"\b\d[\d,]*\b", tally_verdicts(findings))]
    assert numbers[0] == len(compared) == sum(numbers[1:])


def test_prepare_rows_keeps_every_finding():
    findings = make_tables()["findings"]
    pd.testing.assert_series_equal(prepare_rows(findings)["finding_id"], findings["finding_id"])
