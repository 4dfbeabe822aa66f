"""Personas: in, out or not known; compared with all who are not in them; and never a way to a small group."""

import pandas as pd
import pytest

from vocwb.errors import ProgrammeError
from vocwb.explain.personas import REST, hide_personas, mark_personas
from vocwb.explain.segments import compare_segments, measure_cells
from vocwb.programme import parse_programme

YOUNG = {"Young guest": {"plan": ["guest"], "age": ["18", "20"]}}


def make_tables(size=120):
    ids = [f"f{row:03}" for row in range(size)]
    opinions = pd.DataFrame({
        "feedback_id": ids, "response_id": ids, "respondent_id": None, "language": "en", "voice": "customer",
        "month": "2025-01", "plan": ["guest", "member"] * (size // 2), "age": ["18", "18", "20", "60"] * (size // 4),
    })  # fmt: skip
    topic = ["T0001" if row % 4 == 0 else "T0000" for row in range(size)]
    assigned = opinions[["feedback_id"]].assign(codebook_id="c", topic=topic)
    return (
        opinions,
        assigned,
        pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "language": "en", "name": "late"}),
    )


def test_who_is_in_out_or_not_known():
    frame = pd.DataFrame(
        {"plan": ["guest", "guest", "member", "guest", None], "age": ["18", "60", None, None, "20"]}
    )
    marked = mark_personas(frame, YOUNG)["persona: Young guest"]
    assert marked.fillna("?").tolist() == ["Young guest", REST, REST, "?", "?"]


def test_a_persona_is_compared_with_all_who_are_not_in_it():
    personas = {"Young guest": {"plan": ["guest"], "age": ["18"]}, "Elder": {"age": ["60"]}}
    cells = measure_cells(*make_tables(), [], minimum=5, smallest={"share": 5}, personas=personas).set_index(
        "level"
    )
    assert set(cells["segment"]) == {"persona"} and set(cells.index) == set(personas)
    assert cells.loc["Young guest", ["k", "n", "rest_k", "compared_n"]].tolist() == [30, 30, 0, 90]
    assert cells.loc["Elder", ["k", "n", "rest_k", "compared_n"]].tolist() == [0, 30, 30, 90]
    found = compare_segments(*make_tables(), {"plan": "Plan"}, month="2025-01", minimum=5, smallest={"share": 5},
                             personas=personas, pairs=[["plan", "age"]])  # fmt: skip
    assert {"plan", "plan x age", "persona"} == set(found["segment"])
    assert "where Persona is Elder" in found.set_index("level").loc["Elder", "claim"]


def test_a_persona_that_would_tell_of_a_small_group_is_hidden():
    """32 guests, 30 of them young: both shown would tell of the 2 that are not."""
    plan, age = ["guest"] * 32 + ["member"] * 60, ["18"] * 30 + ["60"] * 62
    heard = mark_personas(pd.DataFrame({"unit": range(92), "plan": plan, "age": age}), YOUNG)
    assert ("persona: Young guest", "Young guest") in hide_personas(heard, YOUNG, ["plan"], set(), minimum=5)
    assert hide_personas(heard, YOUNG, ["plan"], {("plan", "guest"), ("plan", "member")}, minimum=5) == set()
    two = YOUNG | {"Guest": {"plan": ["guest"]}}
    hidden = hide_personas(mark_personas(heard, two), two, [], set(), minimum=5)
    assert {column for column, _ in hidden} == {"persona: Young guest"}


PROGRAMME = """
title: T
question: Why?
goal: loyalty
segments: {plan: Plan, region: Region}
KEYS
sources: [{name: mail, files: m.csv, channel: mail, who_started: customer, mode: direct, undated: true, stage: support,
           verbatims: {comment: text}}]
"""


def parse(keys):
    return parse_programme(PROGRAMME.replace("KEYS", keys), name="t")


def test_the_programme_names_pairs_personas_and_what_to_adjust_for():
    known = parse(
        "pairs: [[plan, region]]\npersonas: {Fan: {plan: gold, region: [n, s]}}\nadjust_for: [region]"
    )
    assert (
        known.pairs == [["plan", "region"]] and known.adjust_for == ["region"] and known.stages == ["support"]
    )
    assert known.personas == {"Fan": {"plan": ["gold"], "region": ["n", "s"]}}
    assert (
        known.group_labels["plan x region"] == "Plan x Region" and known.group_labels["persona"] == "Persona"
    )


def test_the_journey_gives_the_order_of_stages_and_those_that_nobody_hears():
    assert parse("journey: [awareness, support, leaving]").stages == ["awareness", "support", "leaving"]
    assert parse("journey: [leaving]").stages == ["leaving", "support"]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("pairs: [[plan, market]]", r"pairs: \['plan', 'market'\] names 'market', which is no segment.*plan, region"),
        ("pairs: [[plan, plan]]", "one segment twice"),
        ("pairs: [[plan, region], [region, plan]]", "stands twice"),
        ("pairs: [[plan]]", "pairs"),
        ("personas: {Fan: {tenure: long}}", "personas: 'Fan' names 'tenure', which is no segment.*plan, region"),
        ("personas: {Fan: {}}", "'Fan' has no rule"),
        ("adjust_for: [age]", "adjust_for: it names 'age', which is no segment"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(keys, says):
    with pytest.raises(ProgrammeError, match=says):
        parse(keys)
