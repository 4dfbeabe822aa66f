"""The form of coding: blind until both have coded, keys that cannot be misread, and each one's code kept."""

import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from tables import HOSTILE

from vocwb.errors import DecisionError
from vocwb.share.codebook_values import add_row
from vocwb.share.coding_form import coding_form
from vocwb.share.coding_views import (
    ASKS,
    POLARITIES,
    agreement_html,
    coded_verbatim_html,
    read_keys,
    sides_html,
)
from vocwb.share.widgets import find_field
from vocwb.understand.agreement import measure_agreement
from vocwb.understand.coding_sample import gather_human_codes, keep_random

LOG = pd.DataFrame({name: [] for name in
                    ("decision_id", "kind", "subject", "value", "who", "when", "why", "replaces")})  # fmt: skip
CATEGORIES = ["price", "delivery", "staff", "other"]
SAMPLE = pd.DataFrame({
    "feedback_id": ["c", "a", "b"], "language": ["en", "fa", "en"],
    "verbatim": ["The parcel came late.", "سفارش دیر رسید", "A <b>rude</b> courier"],
})  # fmt: skip

HARMLESS = {
    "div",
    "pre",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "p",
    "b",
    "bdi",
    "h4",
    "details",
    "summary",
}


class Workshop:
    """One log, and a form for each who sits at it, as a notebook of each ties them."""

    def __init__(self, sample=SAMPLE, **options):
        self.log, self.sample, self.options = LOG, sample, options
        self.forms = {}

    def decide(self, **decision):
        self.log = add_row(self.log, decision)
        return int(self.log["decision_id"].max())

    def sit(self, who, **fields):
        """Return the form at which a person sits, opened anew."""
        form = coding_form(
            self.sample, CATEGORIES, self.log, self.decide, refresh=lambda: self.log, **self.options
        )
        fill(form, Who=who, **fields)
        return form

    def code(self, who, *typed):
        form = self.sit(who)
        for keys in typed:
            assert "Saved" in enter(form, keys)
        return form


def fill(form, **fields):
    for label, value in fields.items():
        find_field(form, label.replace("_", " ")).value = value


def enter(form, keys):
    """Type keys and press Enter: a browser tells of Enter first, and then of the text."""
    field = find_field(form, "Keys")
    field._handle_msg(
        {"content": {"data": {"method": "custom", "content": {"event": "submit"}}}, "buffers": []}
    )
    field.value = keys
    return message(form)


def click(form, label):
    find_field(form, label).click()
    return message(form)


def texts(form):
    """All that is to be read on the form, without what is hidden."""
    pending, found = [form], []
    for widget in pending:
        if widget.layout.display != "none":
            pending += getattr(widget, "children", ())
            found += [widget.value] if isinstance(getattr(widget, "value", None), str) else []
    return "\n".join(found)


def message(form):
    told = re.findall(r'<p role="status">(.*?)</p>', texts(form), re.DOTALL)
    return told[0] if told else ""


def values_of(log):
    return log[["subject", "who", "value"]].values.tolist()


def test_keys_alone_code_one_verbatim_after_another():
    workshop = Workshop()
    form = workshop.sit("Ada")
    assert "0 of 3 coded" in texts(form) and "came late" in texts(form)
    assert enter(form, "2 3 -4 c") == "Saved: Ada, coded as delivery + staff, negative, 4, complaint."
    assert "1 of 3 coded" in texts(form) and "سفارش" in texts(form) and 'dir="rtl"' in texts(form)
    enter(form, "۲ ؟")
    enter(form, "4 0 !2")
    assert values_of(workshop.log) == [
        [
            "c",
            "Ada",
            {"category": ["delivery", "staff"], "polarity": "negative", "intensity": 4, "ask": "complaint"},
        ],
        ["a", "Ada", {"category": ["delivery"], "polarity": "cannot tell", "intensity": None, "ask": None}],
        ["b", "Ada", {"category": ["other"], "polarity": "neutral", "intensity": 1, "ask": "request"}],
    ]
    assert find_field(form, "Who").value == "Ada"
    assert "3 of 3 coded" in texts(form) and "All of these are coded" in texts(form)
    assert "no verbatim" in enter(form, "1 +3") and len(workshop.log) == 3


def test_what_is_typed_without_enter_is_filled_in_and_not_saved():
    workshop = Workshop()
    form = workshop.sit("Ada")
    fill(form, Keys="2 -4 c")
    assert workshop.log.empty and find_field(form, "Keys").value == ""
    assert find_field(form, "2 delivery").value and find_field(form, "Polarity").value == "negative"
    fill(form, Keys="+")
    assert (find_field(form, "2 delivery").value, find_field(form, "Intensity").value) == (True, 4)
    click(form, "Save")
    assert workshop.log["value"].iloc[0]["polarity"] == "positive"


def test_fields_alone_code_too_and_nothing_is_supposed():
    workshop = Workshop()
    form = workshop.sit("Ada")
    assert "Choose a category" in click(form, "Save")
    fill(form, **{"1 price": True, "4 other": True})
    assert "how it feels" in click(form, "Save")
    fill(form, Polarity="mixed")
    assert "how strongly" in click(form, "Save")
    fill(form, Intensity=2, What_is_asked="praise", Note=" thinks aloud ")
    assert "Saved" in click(form, "Save")
    assert workshop.log["value"].iloc[0] == {
        "category": ["price", "other"], "polarity": "mixed", "intensity": 2, "ask": "praise"
    }  # fmt: skip
    assert workshop.log["why"].iloc[0] == "thinks aloud" and find_field(form, "Note").value == ""
    empty = [find_field(form, label).value for label in ("1 price", "Polarity", "Intensity", "What is asked")]
    assert empty == [False, None, None, "none"]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("9 -4", "no category 9"),
        ("1 -7", "“-7”"),
        ("1 -4 late", "“late”"),
        ("1 !8", "“!8”"),
        ("<b>", "“&lt;b&gt;”"),
    ],
)
def test_keys_that_cannot_be_read_save_nothing_and_stay(keys, says):
    workshop = Workshop()
    form = workshop.sit("Ada")
    assert says in enter(form, keys)
    assert workshop.log.empty and find_field(form, "Keys").value == keys
    assert not find_field(form, "1 price").value, "not even what could be read"


def test_every_key_is_told_on_the_form_and_read():
    form = Workshop().sit("Ada")
    for label, keys in (("Polarity", POLARITIES), ("What is asked", ASKS)):
        assert [text for text, _ in find_field(form, label).options] == [
            f"{name} ({key})" for key, name in keys.items()
        ]
    for key, polarity in POLARITIES.items():
        assert read_keys(key, CATEGORIES)["polarity"] == polarity
    for place, (key, ask) in enumerate(ASKS.items()):
        assert read_keys(key, CATEGORIES) == read_keys(f"!{place}", CATEGORIES) == {"ask": ask}
    assert read_keys("１、٢，－３ ×", CATEGORIES)["category"] == ["price", "delivery"]


def test_nobody_saves_without_a_name_or_under_a_name_that_is_none():
    workshop = Workshop()
    assert "“Who”" in enter(workshop.sit("  "), "1 -3")
    assert "no person" in enter(workshop.sit("Adjudicated"), "1 -3")
    assert workshop.log.empty


def test_a_name_typed_otherwise_is_the_same_person():
    workshop = Workshop()
    workshop.code("Ada Lovelace", "1 -3")
    form = workshop.sit(" ada  lovelace")
    assert "1 of 3 coded" in texts(form)
    enter(form, "2 -3")
    assert set(workshop.log["who"]) == {"Ada Lovelace"}


def test_one_goes_back_and_corrects_the_own_code():
    workshop = Workshop()
    form = workshop.code("Ada", "1 -3")
    click(form, "Back")
    assert find_field(form, "1 price").value and find_field(form, "Intensity").value == 3
    enter(form, "2 -5")
    click(form, "Skip")
    assert "number 3" in texts(form) and "1 of 3 coded" in texts(form)
    codes = gather_human_codes(workshop.log)
    assert codes[["feedback_id", "category", "intensity"]].values.tolist() == [["c", "delivery", 5]]


def test_one_sees_nothing_of_another_until_both_have_coded():
    workshop = Workshop()
    workshop.code("Ada", "1 -5 c", "2 -5 c")
    form = workshop.sit("Bo")
    assert "Ada" not in texts(form) and "0 of 3" in texts(form)
    assert not find_field(form, "1 price").value and find_field(form, "Polarity").value is None
    fill(form, What_to_do="Talk over")
    assert "Nothing to talk over" in texts(form) and "Ada" not in texts(form)
    fill(form, What_to_do="Code alone")
    enter(form, "3 -5 c")
    fill(form, What_to_do="Talk over")
    assert "Ada" in texts(form) and "0 of 1 talked over" in texts(form) and "came late" in texts(form)
    assert "سفارش" not in texts(form)


def test_who_codes_none_may_lead_the_talk_and_who_codes_may_not_peep():
    workshop = Workshop()
    workshop.code("Ada", "1 -5", "2 -5", "3 -5")
    workshop.code("Bo", "3 -5", "1 -5")
    workshop.code("Cy", "1 -5")
    assert "0 of 2 talked" in texts(
        workshop.sit("Dee", What_to_do="Talk over", I_lead_the_talk_and_code_none_of_these=True)
    )
    assert "Ada" not in texts(workshop.sit("Dee", What_to_do="Talk over"))
    form = workshop.sit("Cy", What_to_do="Talk over", I_lead_the_talk_and_code_none_of_these=True)
    assert "0 of 1 talked" in texts(form)
    assert "Ada" not in texts(
        workshop.sit("", What_to_do="Talk over", I_lead_the_talk_and_code_none_of_these=True)
    )


def test_what_differs_is_talked_over_and_decided_beside_what_each_had_coded():
    workshop = Workshop()
    workshop.code("Ada", "1 2 -5 c", "2 -3", "3 -5")
    workshop.code("Bo", "2 *3 c", "2 -2", "3 +5")
    form = workshop.sit("Bo", What_to_do="Talk over")
    assert "Category: differs" in texts(form) and "What is asked: differs" not in texts(form)
    shared = [
        find_field(form, label).value for label in ("1 price", "2 delivery", "Polarity", "What is asked")
    ]
    assert shared == [False, True, None, "complaint"], "it begins with what both have said"
    assert "Why you decide so" in enter(form, "-4")
    fill(form, Why_you_decide_so="the price was not meant")
    assert click(form, "Save") == "Saved: Bo, adjudicated as delivery, negative, 4, complaint."
    assert "1 of 2 talked over" in texts(form) and "courier" in texts(form)
    last = workshop.log.iloc[-1]
    assert last["value"] == {
        "category": ["delivery"], "polarity": "negative", "intensity": 4, "ask": "complaint", "adjudicated": True
    }  # fmt: skip
    codes = gather_human_codes(workshop.log)
    assert codes.loc[codes["feedback_id"] == "c", "coder"].tolist() == [
        "human:Ada", "human:Ada", "human:Bo", "human:adjudicated"
    ]  # fmt: skip


def test_who_has_seen_what_another_coded_changes_the_own_code_no_more():
    workshop = Workshop()
    workshop.code("Ada", "1 -5", "2 -3")
    workshop.code("Bo", "2 -5", "2 -3")
    form = workshop.sit("Ada", What_to_do="Talk over")
    fill(form, What_to_do="Code alone")
    click(form, "Back")
    assert "number 2" in texts(form) and "Saved" in enter(form, "2 -4"), "nobody has seen this one"
    click(form, "Back"), click(form, "Back")
    assert "number 1" in texts(form) and "talked over" in enter(form, "2 -5")
    talk = workshop.sit("Bo", What_to_do="Talk over")
    fill(talk, Why_you_decide_so="clear")
    enter(talk, "2 -5")
    late = workshop.sit("Ada")
    click(late, "Back"), click(late, "Back")
    assert "number 1" in texts(late) and "talked over" in enter(late, "2 -5"), (
        "though this page never showed it"
    )
    assert [row["category"] for row in workshop.log["value"]][:2] == [["price"], ["delivery"]]


def test_one_language_can_be_coded_alone():
    form = Workshop().sit("Ada", Language="fa")
    assert "0 of 1 coded" in texts(form) and "سفارش" in texts(form)


def test_agreement_is_shown_on_the_random_part_and_on_the_sample_apart():
    ids = [f"f{number}" for number in range(130)]
    sample = pd.DataFrame({"feedback_id": ids, "language": "en", "verbatim": "said"})
    workshop = Workshop(sample)
    typed = ["1 -5 c", "2 +3", "4 0"]
    for who in ("Ada", "Bo"):
        for number, subject in enumerate(ids):
            code = read_keys(typed[(number + (who == "Bo" and number % 4 == 0)) % 3], CATEGORIES) | {
                "ask": None
            }
            workshop.decide(kind="code", subject=subject, value=code, who=who, why="w")
    form = workshop.sit("Ada", What_to_do="Agreement")
    random = sample[keep_random(sample["feedback_id"])]
    codes = gather_human_codes(workshop.log)
    for part in (random, sample):
        row = measure_agreement(codes, part, seed=0).set_index("variable").loc["polarity"]
        told = f"{row['agreed']} of {len(part)} ({row['agreement']:.0f}%)"
        assert told in texts(form) and f"{row['alpha']:.2f} ({row['low']:.2f} to {row['high']:.2f})" in texts(
            form
        )
    assert "said" not in texts(form).split("</style>")[-1]


def test_agreement_of_few_is_counts():
    workshop = Workshop()
    for who in ("Ada", "Bo"):
        workshop.code(who, "1 -5", "2 -3", "4 0")
    shown = texts(workshop.sit("Ada", What_to_do="Agreement"))
    assert "3 of 3" in shown and "too few to show" in shown and "%)" not in shown.replace("(95%)", "")
    assert "No two people" in texts(Workshop().sit("Ada", What_to_do="Agreement"))


def test_what_the_store_refuses_is_told_and_the_fields_stay():
    def refuse(**_):
        raise DecisionError("There is no <room>.", remedy="Wait.")

    form = coding_form(SAMPLE, CATEGORIES, LOG, refuse)
    fill(form, Who="Ada")
    told = enter(form, "1 -3")
    assert "Nothing was saved" in told and "&lt;room&gt;" in told and "Wait" in told
    assert find_field(form, "1 price").value and "number 1" in texts(form)


def test_without_verbatims_the_form_says_so():
    assert "no verbatim to code" in texts(Workshop(SAMPLE.head(0)).sit("Ada"))


def test_categories_are_shown_as_the_programme_calls_them():
    decided = []
    form = coding_form(
        SAMPLE, {"parking": "Car park", "other": "other"}, LOG, lambda **one: decided.append(one)
    )
    fill(form, Who="Ada", **{"1 Car park": True})
    enter(form, "-3")
    assert decided[0]["value"]["category"] == ["parking"]


def test_a_code_that_the_form_does_not_know_leaves_a_field_empty():
    workshop = Workshop()
    workshop.decide(
        kind="code", subject="c", value={"category": "gone", "polarity": "sad"}, who="Ada", why="w"
    )
    form = workshop.sit("Ada")
    click(form, "Back")
    assert find_field(form, "Polarity").value is None and "how it feels" not in message(form)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_customer_or_of_a_name_runs(text):
    sides = {text: {"category": [text], "polarity": text}}
    found = pd.DataFrame([{
        "language": "en", "coder_a": text, "coder_b": text, "variable": f"category={text}", "alpha": 1.0, "low": 1.0,
        "high": 1.0, "n": 1, "used": 1, "agreed": 1, "agreement": 100.0, "verdict": text,
    }])  # fmt: skip
    row = {"verbatim": text, "language": "en"}
    for html in (coded_verbatim_html(row), sides_html(sides, []), agreement_html(found, text)):
        page = BeautifulSoup(html, "html.parser")
        assert {tag.name for tag in page.find_all()} <= HARMLESS
        assert not [name for tag in page.find_all() for name in tag.attrs if name.startswith("on")]
    assert BeautifulSoup(coded_verbatim_html(row), "html.parser").get_text() == text
