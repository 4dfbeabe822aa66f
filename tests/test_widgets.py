"""Widgets: a decision has a person and a reason, and a verbatim is shown and never run."""

import pandas as pd
import pytest
from tables import HOSTILE, make_tables

from vocwb.errors import DecisionError, VocwbError
from vocwb.share.widgets import (
    code_verbatims_form,
    find_field,
    five_whys_form,
    verbatim_html,
)


@pytest.fixture
def decided():
    return []


@pytest.fixture
def on_decide(decided):
    return lambda **decision: decided.append(decision)


def fill(form, **fields):
    for label, value in fields.items():
        find_field(form, label.replace("_", " ")).value = value
    find_field(form, "Save").click()
    return form.children[-1].value


PERSON = {"Who": "Ada", "Why_you_decide_so": "clearer"}


def test_nothing_is_saved_without_a_person_a_reason_or_what_is_said(on_decide, decided):
    tables = make_tables()
    form = five_whys_form(tables["causes"], tables["whys"], on_decide)
    assert "Write your why" in fill(form, **PERSON)
    assert "“Who”" in fill(form, **{"Why_does_this_happen?": "No forecast"}, Who="   ")
    assert "Why you decide so" in fill(form, Who="Ada", Why_you_decide_so="")
    assert not decided


def test_coding_goes_from_one_verbatim_to_the_next(on_decide, decided):
    feedback = pd.DataFrame(
        {"feedback_id": ["b", "a"], "language": ["en", "fa"], "verbatim": ["second", "اول"]}
    )
    form = code_verbatims_form(feedback, ["price", "delivery"], on_decide)
    assert (
        'dir="rtl"' in find_field(form, "Verbatim").value and "1 of 2" in find_field(form, "Verbatim").value
    )
    fill(form, Category="delivery", Polarity="negative", What_is_asked="complaint", **PERSON)
    assert "second" in find_field(form, "Verbatim").value
    fill(form, Polarity="cannot tell", What_is_asked="none")
    assert "no verbatim left" in fill(form)
    assert [(one["subject"], one["value"]) for one in decided] == [
        ("a", {"category": "delivery", "polarity": "negative", "intensity": 3, "ask": "complaint"}),
        ("b", {"category": "delivery", "polarity": "cannot tell", "intensity": None, "ask": None}),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_verbatim_is_text(text):
    assert verbatim_html(text, "en").count("<") == 2
    form = code_verbatims_form(
        pd.DataFrame({"feedback_id": ["a"], "language": ["en"], "verbatim": [text]}), ["x"], print
    )
    shown = find_field(form, "Verbatim").value
    assert "<script" not in shown and "<img" not in shown


def test_a_why_hangs_below_a_cause_or_a_why_and_dissent_stands_beside_it(on_decide, decided):
    tables = make_tables()
    form = five_whys_form(tables["causes"], tables["whys"], on_decide)
    ids = tables["feedback"]["feedback_id"].tolist()[:2]
    fill(form, Below="cause3", **{"Why_does_this_happen?": "No forecast"},
         Feedback_ids_that_speak_for_it=f" {ids[0]}\n{ids[1]} ", **PERSON)  # fmt: skip
    fill(
        form,
        Below="w1",
        **{"Why_does_this_happen?": "There is one", "I_disagree_with_it,_and_this_is_why": True},
        Who="Bo",
    )
    first, second = decided
    assert (
        first["kind"] == "why"
        and first["value"]["parent"] == "cause3"
        and first["value"]["evidence_for"] == ids
    )
    assert (
        "dissent" not in first["value"]
        and second["value"]["dissent"] is True
        and second["value"]["parent"] == "w1"
    )
    assert first["subject"] != second["subject"]


def test_two_people_who_say_the_same_keep_a_why_each(on_decide, decided):
    tables = make_tables()
    form = five_whys_form(tables["causes"], tables["whys"], on_decide)
    fill(form, **{"Why_does_this_happen?": "No forecast"}, **PERSON)
    fill(form, Who="Bo")
    assert len({one["subject"] for one in decided}) == 2


def test_what_the_store_refuses_is_told_and_the_form_stays():
    def refuse(**_):
        raise DecisionError("There is no <such> topic.", remedy="Choose another.")

    tables = make_tables()
    form = five_whys_form(tables["causes"], tables["whys"], refuse)
    message = fill(form, **{"Why_does_this_happen?": "No forecast"}, **PERSON)
    assert "Nothing was saved" in message and "&lt;such&gt;" in message and "Choose another" in message


def test_a_form_without_anything_to_decide_says_so():
    form = code_verbatims_form(make_tables()["feedback"].head(0), ["price"], print)
    assert find_field(form, "Save").disabled and "no verbatim" in form.children[-1].value


def test_an_unknown_field_is_named_with_those_there_are():
    with pytest.raises(VocwbError, match="Who"):
        find_field(code_verbatims_form(make_tables()["feedback"], ["price"], print), "Whom")
