"""Widgets: a decision has a person and a reason, and a verbatim is shown and never run."""

import pytest
from tables import HOSTILE, make_tables

from vocwb.errors import DecisionError, VocwbError
from vocwb.share.widgets import find_field, five_whys_form, verbatim_html


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


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_verbatim_is_text(text):
    assert verbatim_html(text, "en").count("<") == 2


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
    tables = make_tables()
    form = five_whys_form(tables["causes"].head(0), tables["whys"].head(0), print)
    assert find_field(form, "Save").disabled and "no cause" in form.children[-1].value


def test_an_unknown_field_is_named_with_those_there_are():
    tables = make_tables()
    with pytest.raises(VocwbError, match="Who"):
        find_field(five_whys_form(tables["causes"], tables["whys"], print), "Whom")
