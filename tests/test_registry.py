"""The registry: every figure has one name, its definition, and the function that computes it."""

import importlib
import re
from typing import get_args

import pytest
from conftest import ROOT, SMALL

from vocwb.crosswalk import MEASURES, Index, Question
from vocwb.errors import ProgrammeError, SchemaError
from vocwb.explain.importance import impacts
from vocwb.programme import parse_programme
from vocwb.understand.registry import METRICS, SCORES, WEIGHTED, describe_metric, list_metrics

QUESTION = '  nps: {label: "Would you recommend us?", low: 0, high: 10, metric: nps}\n'


def declare(*lines: str) -> str:
    """The small programme with further questions."""
    return SMALL.replace(QUESTION, QUESTION + "".join(f"  {line}\n" for line in lines))


def test_every_variant_is_told_whole_and_once():
    table = list_metrics()
    assert table["name"].is_unique and table["label"].is_unique
    told = table.drop(columns="note")
    assert told.map(lambda cell: bool(cell.strip())).all(axis=None)
    for label in ("deflection rate", "CSAT", "CES", "CLI", "deflection"):
        assert label not in set(table["label"]), "what is published in several variants has no plain name"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_the_function_that_computes_a_metric_is_there(metric):
    module, _, name = metric.function.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_every_measure_of_a_question_is_defined():
    names = {metric.name for metric in METRICS}
    measures = {measure for several in MEASURES.values() for measure in several}
    assert measures | {f"{measure}{WEIGHTED}" for measure in measures} <= names
    assert set(SCORES) <= measures
    declared = get_args(Question.model_fields["metric"].annotation)
    assert {*declared, Index.metric} == set(MEASURES)


def test_an_unknown_metric_lists_those_there_are():
    with pytest.raises(SchemaError, match=r"no metric 'csat'(.|\n)*csat_mean, csat_top2(.|\n)*list_metrics"):
        describe_metric("csat")


def test_the_published_definitions_that_disagree_have_two_names():
    """Thematic's two impacts on NPS -40 of 10% and +35 of the rest: -7.5 by one, +67.5 by the other."""
    figures = impacts(0.10, -40, 35)
    assert figures == pytest.approx({"impact_left_out": -7.5, "impact_gap": 67.5})
    assert impacts(0.40, 20, 35) == pytest.approx({"impact_left_out": -6.0, "impact_gap": 9.0})
    for name in figures:
        assert "Neither is an effect" in describe_metric(name).note


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ces: {label: Easy, low: 1, high: 7, metric: ces}", "write 'better: high'"),
        ("csat: {label: Good, low: 1, high: 5, metric: csat, better: low}", "turn the numbers"),
        (
            "ten: {label: Recommend, low: 0, high: 10, metric: nps_1_10}",
            "nps_1_10 is of answers on 1-10, not 0-10",
        ),
        ("six: {label: Recommend, low: 0, high: 6, metric: nps}", "NPS is defined on 0-10 only, not 0-6"),
    ],
)
def test_a_question_whose_figure_would_be_ambiguous_is_refused(line, says):
    with pytest.raises(ProgrammeError) as error:
        parse_programme(declare(line), name="small")
    assert says in str(error.value) and f"questions.{line.partition(':')[0]}" in str(error.value)


def test_a_question_of_effort_and_a_non_standard_base_are_declared():
    lines = (
        "ces: {label: How much effort, low: 1, high: 5, metric: ces, better: low}",
        "ten: {label: Recommend, low: 1, high: 10, metric: nps_1_10}",
    )
    questions = parse_programme(declare(*lines), name="small").questions
    assert questions["ces"].better == "low"
    again = Question(**questions["ten"].model_dump())
    assert again.label == questions["ten"].label == "Recommend (asked on 1-10, a non-standard base of NPS)"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("indexes: {cli: {label: L, questions: [nps, buy]}}", "['buy'] not declared under questions"),
        ("indexes: {nps: {label: L, questions: [nps, csat]}}", "named as a question"),
        ("indexes: {cli: {label: L, questions: [nps]}}", "at least 2 items"),
        ("indexes: {plan: {label: L, questions: [nps, csat]}}", "these names are taken"),
    ],
)
def test_an_index_of_what_was_not_asked_is_refused(lines, says):
    text = declare("csat: {label: Good, low: 1, high: 5, metric: csat}").replace(
        "sources:", f"{lines}\nsources:"
    )
    with pytest.raises(ProgrammeError) as error:
        parse_programme(text, name="small")
    assert says in str(error.value)


def test_published_claims_that_nobody_could_trace_are_never_printed():
    claims = re.compile(
        r"\bAberdeen\b|\b86\s?%|\b15\s?[-–]\s?20\s?%|\b25\s?% (?:lower|less)|\b10x\b|\b55\s?%|\b23\s?% (?:lower|less)"
        r"|\b44\s?%|third of Americans|pay more"
    )
    texts = [
        *(ROOT / "vocwb").rglob("*.py"),
        *(ROOT / "vocwb").rglob("*.j2"),
        *(ROOT / "notebooks").rglob("*.ipynb"),
    ]
    for path in [*texts, ROOT / "README.md"]:
        assert not claims.search(path.read_text(encoding="utf-8")), path.name
