"""A programme file that is wrong is refused with its file, line and key, and what to write instead."""

import stat

import pytest
from conftest import SMALL

from vocwb.errors import ProgrammeError
from vocwb.programme import parse_programme, read_key, read_programme


def line_of(text, part):
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("question: What goes wrong?", "queston: What goes wrong?", "'queston' is not a key here"),
        ("question: What goes wrong?", "question:", "'question' is empty"),
        ("goal: less_churn", "goal: churn", "goal: Input should be 'better_product'"),
        ("languages: [en]", "languages: [en, fr]", "languages.1"),
        ("    verbatims: {reason: reason}", "    verbatim: {reason: reason}", "'verbatim' is not a key here"),
        (
            "    columns: {id: id, date: date, respondent: customer}",
            "    columns: {id: id, dat: date}",
            "'dat'",
        ),
        ("low: 0, high: 10, metric: nps", "high: 10, metric: nps", "'questions.nps.low' is missing"),
        (
            "low: 0, high: 10, metric: nps",
            "low: 0, high: 6, metric: nps",
            "NPS is defined on 0-10 only, not 0-6",
        ),
        ("low: 0, high: 10, metric: nps", "low: 1, high: 10, metric: nps", "not 1-10"),
        ("low: 0, high: 10, metric: nps", "low: 10, high: 0, metric: rating", "low 10 must be below high 0"),
        ("    who_started: company", "    who_started: us", "'customer', 'company' or 'nobody'"),
        ("languages: [en]", "timezone: Europe/Sofa", "near: ['Europe/Sofia'"),
        ("goal: less_churn", "goal: less_churn\nname: other", "named by its folder"),
    ],
)
def test_a_wrong_key_is_named_with_its_line(old, new, says):
    text = SMALL.replace(old, new)
    assert text != SMALL
    with pytest.raises(ProgrammeError) as error:
        parse_programme(text, name="small", file="data/small/programme.yml")
    assert says in str(error.value)
    assert f"data/small/programme.yml line {line_of(text, new.splitlines()[-1].strip())}" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("answers: {nps: nps}", "answers: {csat: nps}", "answers ['csat'] not declared under questions"),
        ("    segments: {plan: plan}", "    segments: {region: plan}", "segments ['region'] not declared"),
        ("segments: {plan: Plan}", "segments: {month: Month}", "named ['month']: these names are taken"),
        ("    channel: survey\n", "", "no channel"),
        ("date: date, ", "", "no date column"),
    ],
)
def test_what_does_not_fit_together_is_refused(old, new, says):
    with pytest.raises(ProgrammeError, match=r"data/small/programme\.yml line"):
        parse_programme(SMALL.replace(old, new, 1), name="small", file="data/small/programme.yml")
    with pytest.raises(ProgrammeError) as error:
        parse_programme(SMALL.replace(old, new, 1), name="small")
    assert says in str(error.value)


@pytest.mark.parametrize("text", ["", "- a", "title: [", "title: a\ntitle: b", "\ttitle: a"])
def test_what_is_no_programme_is_refused(text):
    with pytest.raises(ProgrammeError, match=r"programme\.yml"):
        parse_programme(text, name="x")


def test_a_programme_that_is_not_there_names_those_that_are(small_programme):
    with pytest.raises(ProgrammeError, match=r"no programme 'smal'(.|\n)*Programmes: small"):
        read_programme("smal")


def test_the_key_is_made_once_and_only_for_its_owner(small_programme, vocwb_root):
    key = read_key(small_programme)
    assert len(key) == 64 and read_key(small_programme) == key
    mode = (vocwb_root / "data" / "small" / "respondent.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
