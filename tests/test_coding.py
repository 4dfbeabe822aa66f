"""Coding by rules: what the rule files promise by their examples, and what a user would miss."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import vocwb
from vocwb.errors import ProgrammeError
from vocwb.languages import LANGUAGES
from vocwb.schemas import empty_table
from vocwb.understand.coding import CATEGORIES, code_by_rules, parse_rules

FOLDER = Path(vocwb.__file__).parent / "rules"
TEXTS = {language: (FOLDER / f"{language}.yml").read_text(encoding="utf-8") for language in LANGUAGES}
RULES = parse_rules(TEXTS)
EXAMPLES = [
    pytest.param(language, example, id=f"{language}-{number}")
    for language, text in TEXTS.items()
    for number, example in enumerate(yaml.safe_load(text)["examples"])
]


def code(*verbatims, language="en", rules=RULES):
    ids = [f"f{number:03}" for number in range(len(verbatims))]
    return code_by_rules(
        pd.DataFrame({"feedback_id": ids, "language": language, "verbatim": list(verbatims)}), rules
    )


def one(verbatim, language="en"):
    return code(verbatim, language=language).iloc[0]


@pytest.mark.parametrize(("language", "example"), EXAMPLES)
def test_the_examples_of_a_rule_file_hold(language, example):
    codes = code(example["text"], language=language)
    assert example["category"] in set(codes["category"])
    assert set(codes["polarity"]) == {example["polarity"]}
    if example["category"] == "other":
        assert len(codes) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_rules_of_every_kind_and_category(language):
    own = RULES[RULES["language"] == language]
    assert set(own.loc[own["kind"] == "category", "value"]) == set(CATEGORIES)
    assert set(own["kind"]) == {"category", "polarity", "negation", "intensifier", "ask"}
    assert (own[own["kind"] == "polarity"]["value"].value_counts()[["positive", "negative"]] >= 60).all()


@pytest.mark.parametrize(
    ("language", "plain", "turned"),
    [
        ("en", "the room is clean", "the room is not very clean"),
        ("en", "it is helpful", "it isn’t helpful"),
        ("fa", "از خریدم راضی هستم", "از خریدم راضی نیستم"),
        ("fa", "جنسش محکم بود", "جنسش محکم نبود"),
        ("ar", "الأكل لذيذ", "الأكل مش لذيذ"),
        ("ar", "الخدمة جيدة", "الخدمة ليست جيدة"),
        ("bg", "доволен съм", "не съм доволен"),
        ("zh", "我满意", "我不满意"),
        ("zh", "東西好吃", "東西不怎麼好吃"),
    ],
)
def test_a_negation_turns_the_polarity(language, plain, turned):
    assert one(plain, language)["polarity"] == "positive"
    assert one(turned, language)["polarity"] == "negative"


def test_a_negation_ends_at_its_clause_and_turns_one_word():
    assert one("No, it was good")["polarity"] == "positive"
    assert one("not expensive but good")["polarity"] == "positive"
    assert one("nothing to say about all of this long story good")["polarity"] == "positive"


def test_intensity_grows_with_emphasis_and_is_empty_where_polarity_is_unknown():
    weak, plain, strong, loud = (
        one(text)["intensity"] for text in ("not bad", "good", "very good", "very good!!")
    )
    assert weak < plain < strong < loud <= 5
    assert one("good 😊 great love it!!!!!!!")["intensity"] == 5
    assert pd.isna(one("I live here")["intensity"])


@pytest.mark.parametrize(
    ("verbatim", "ask"),
    [
        ("Could you add a dark mode?", "request"),
        ("I want to complain about this", "complaint"),
        ("Well done to the team", "praise"),
        ("When is it open?", "question"),
        ("The sky over the town", None),
    ],
)
def test_what_a_verbatim_asks_for(verbatim, ask):
    found = one(verbatim)["ask"]
    assert found == ask if ask else pd.isna(found)


def test_a_verbatim_has_one_row_for_each_category():
    codes = code("Cheap, but the courier was rude and my refund never came")
    assert {"price", "delivery", "staff", "returns"} <= set(codes["category"])
    assert codes["polarity"].nunique() == 1 and not codes["category"].duplicated().any()


def test_words_are_not_found_inside_other_words():
    assert set(code("A costume, a billion, and a pricelessness of goodness")["category"]) == {"price"}
    assert one("the goodwill of badminton")["polarity"] == "cannot tell"


def test_spelling_does_not_hide_a_word():
    assert one("TERRIBLE")["polarity"] == one("ｔｅｒｒｉｂｌｅ")["polarity"] == "negative"
    assert one("good😊")["intensity"] > one("good")["intensity"]
    for text in ("بی‌کیفیت", "بی کیفیت", "بیکیفیت"):
        assert one(text, "fa")["polarity"] == "negative"
    assert one("وبالسعر", "ar")["category"] == "price"
    assert one("كما أن لما", "ar")["polarity"] == "cannot tell"


def test_a_word_that_also_stresses_keeps_its_own_meaning():
    assert one("беше ужасно", "bg")["polarity"] == "negative"
    assert one("ужасно добър", "bg")["polarity"] == "positive"


def test_a_hostile_verbatim_of_a_megabyte_is_coded():
    assert one("not good very bad " * 60_000)["polarity"] == "negative"


def test_a_language_without_rules_cannot_be_told():
    english = RULES[RULES["language"] == "en"]
    for language, rules in (("other", RULES), ("bg", english)):
        codes = code("good прекрасно", language=language, rules=rules)
        assert codes[["category", "polarity"]].values.tolist() == [["other", "cannot tell"]]
        assert codes["intensity"].isna().all() and codes["ask"].isna().all()


def test_no_feedback_gives_an_empty_table_of_the_right_types():
    codes = code_by_rules(empty_table("feedback"), RULES)
    assert codes.empty and (codes.dtypes == empty_table("codes").dtypes).all()


def test_the_result_does_not_depend_on_the_order_of_rows_or_rules():
    rows = [
        (f"f{n}", language, example["text"])
        for n, (language, example) in enumerate(p.values for p in EXAMPLES)
    ]
    feedback = pd.DataFrame(rows, columns=["feedback_id", "language", "verbatim"])
    expected = code_by_rules(feedback, RULES)
    shuffled = code_by_rules(feedback.sample(frac=1, random_state=1), RULES.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(expected, shuffled)


@given(texts=st.lists(st.text(min_size=1), min_size=1), language=st.sampled_from([*LANGUAGES, "other"]))
@settings(max_examples=40, deadline=None)
def test_any_text_gets_codes_that_fit_the_schema(texts, language):
    codes = code(*texts, language=language)
    assert len(codes) and codes["intensity"].dropna().between(1, 5).all()
    assert (codes["intensity"].isna() == (codes["polarity"] == "cannot tell")).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("polarty: {positive: [good]}", ["'polarty'", "polarity"]),
        ("category: {prices: [price]}", ["category.prices", "'price'"]),
        ("polarity: {positive: [good, '']}", ["polarity.positive", "empty"]),
        ("polarity: {positive: ['*']}", ["polarity.positive", "empty"]),
        ("polarity: {positive: ['g*d']}", ["polarity.positive", "inside"]),
        ("negation: {before: [no]}", ["negation.before", "quotes"]),
        ("polarity: {positive: good}", ["polarity.positive", "list"]),
        ("polarity: [good]", ["polarity", "value"]),
        ("polarity: {positive: [good], positive: [nice]}", ["'positive'", "twice"]),
        ("polarity: {positive: [fine], negative: [FINE]}", ["polarity.negative", "'FINE'"]),
        ("polarity: {positive: [good", ["not YAML", "line"]),
        ("", ["empty"]),
    ],
)
def test_a_bad_rule_file_is_refused_by_language_key_and_remedy(text, said):
    with pytest.raises(ProgrammeError) as error:
        parse_rules({"en": text})
    assert "rules/en.yml" in str(error.value) and error.value.remedy
    for words in said:
        assert words in str(error.value)


def test_rules_of_a_language_that_there_is_not_are_refused():
    with pytest.raises(ProgrammeError, match="'xx'"):
        parse_rules({"xx": "polarity: {positive: [good]}"})
