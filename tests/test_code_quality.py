"""Trust in codes: rules against their examples and against people, and stars against words."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

import vocwb
from vocwb.errors import ProgrammeError
from vocwb.languages import LANGUAGES
from vocwb.understand.code_quality import (
    BAD_WITH_PRAISE,
    GOOD_WITH_BLAME,
    check_rules,
    list_disagreements,
    measure_rules,
)
from vocwb.understand.coding import code_by_rules
from vocwb.understand.rules import parse_rules, read_examples

FOLDER = Path(vocwb.__file__).parent / "rules"
TEXTS = {language: (FOLDER / f"{language}.yml").read_text(encoding="utf-8") for language in LANGUAGES}


def test_the_examples_of_our_rules_hold():
    failing = check_rules(TEXTS)
    assert failing.empty, failing.to_string()


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_rules_have_examples_of_what_they_are_not_too(language):
    examples = read_examples({language: TEXTS[language]})
    assert examples["holds"].sum() >= 20 and (~examples["holds"]).sum() >= 4


def test_an_example_that_does_not_hold_says_what_was_found():
    text = """
    category: {price: [fee*], staff: [crew]}
    polarity: {positive: [kind]}
    ask: {question: ["?"]}
    examples:
      - {text: "A feeble crew", category: [staff, price], not: price, polarity: negative, ask: question}
      - {text: "A kind crew?", category: staff, not: price, polarity: positive, ask: question}
      - {text: "Nothing here", category: other, polarity: cannot tell, ask: praise}
    """
    assert check_rules({"en": text}).values.tolist() == [
        ["en", "A feeble crew", "not category price", "price, staff"],
        ["en", "A feeble crew", "polarity negative", "cannot tell"],
        ["en", "A feeble crew", "ask question", "none"],
        ["en", "Nothing here", "ask praise", "none"],
    ]
    assert check_rules({"en": "category: {price: [fee*]}"}).empty


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ("{category: price}", ["example 1", "no text"]),
        ("good", ["example 1", "no text"]),
        ("{text: a, categry: price}", ["'categry'", "Did you mean 'category'?"]),
        ("{text: a, not: prices}", ["'prices'", "Did you mean 'price'?"]),
        ("{text: a, polarity: good}", ["'good'", "cannot tell"]),
    ],
)
def test_a_bad_example_is_refused_by_its_number(example, said):
    with pytest.raises(ProgrammeError) as error:
        check_rules({"en": f"category: {{price: [fee]}}\nexamples: [{example}]"})
    assert all(words in str(error.value) for words in ["rules/en.yml", *said])


RULES = parse_rules(
    {
        "en": "category: {price: [fee*, feet]}\npolarity: {positive: [kind], negative: [late]}\n"
        "negation: {before: [not]}\nask: {question: ['?']}",
        "fa": "category: {price: [گران]}",
    }
)


def make_said(*groups):
    """groups: (verbatim, how many, category and polarity that people gave, or None)."""
    rows, people = [], []
    for verbatim, count, given in groups:
        for _ in range(count):
            rows.append((f"f{len(rows):03}", "en", verbatim))
            if given:
                people.append((rows[-1][0], "human:a", *given, None))
    columns = ["feedback_id", "coder", "category", "polarity", "ask"]
    opinions = pd.DataFrame(rows, columns=["feedback_id", "language", "verbatim"])
    return opinions, pd.DataFrame(people, columns=columns)


def find(table, pattern):
    return table.set_index("pattern").loc[pattern]


def test_a_rule_shows_hits_precision_and_recall_with_intervals():
    opinions, people = make_said(
        ("A fee", 30, ("price", "negative")),
        ("Feed me", 10, ("other", "neutral")),
        ("Costs a lot", 20, ("price", "negative")),
        ("More fees", 7, None),
    )
    table = measure_rules(opinions, RULES, people)
    assert table[["language", "kind", "value", "pattern"]].equals(RULES)
    row = find(table, "fee*")
    assert row[["hits", "n", "right", "coded"]].tolist() == [47, 40, 30, 50]
    assert (row["precision"], row["recall"]) == (30 / 40, 30 / 50)
    for share, of in (("precision", 40), ("recall", 50)):
        wanted = proportion_confint(30, of, method="wilson")
        assert np.allclose(row[[f"{share}_low", f"{share}_high"]].astype(float), wanted)
    assert find(table, "گران")["hits"] == 0
    shuffled = measure_rules(opinions[::-1], RULES, people.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(table, shuffled)


def test_the_longest_pattern_counts_and_a_negated_word_does_not():
    opinions, people = make_said(
        ("My feet", 40, ("price", "neutral")), ("Not kind", 40, ("other", "negative"))
    )
    table = measure_rules(opinions, RULES, people)
    assert find(table, "feet")["hits"] == 40 and find(table, "fee*")["hits"] == 0
    assert find(table, "kind")["hits"] == 0 and find(table, "not")["hits"] == 40
    assert pd.isna(find(table, "not")["n"]) and np.isnan(find(table, "not")["precision"])


def test_shares_of_few_are_hidden_and_counts_of_fewer_too():
    opinions, people = make_said(("A fee", 29, ("price", "negative")), ("Late", 4, ("other", "negative")))
    table = measure_rules(opinions, RULES, people)
    few, fewer = find(table, "fee*"), find(table, "late")
    assert few[["n", "right", "coded"]].tolist() == [29, 29, 29] and few[["precision", "recall"]].isna().all()
    assert fewer["hits"] == 4 and fewer[["n", "right", "precision"]].isna().all()
    assert fewer["recall"] == 4 / 33  # 33 verbatims were coded negative


def test_people_who_differ_are_outvoted_and_other_coders_do_not_count():
    opinions, people = make_said(("A fee", 30, ("price", "negative")))
    against = people.assign(category="other", coder="human:b")
    both = pd.concat([people, against])
    assert find(measure_rules(opinions, RULES, both), "fee*")["precision"] == 1  # half of the coders
    third = pd.concat([both, against.assign(coder="human:c"), people.assign(coder="rules")])
    assert find(measure_rules(opinions, RULES, third), "fee*")["precision"] == 0
    assert find(measure_rules(opinions, RULES, people.assign(coder="learned")), "fee*")[["n"]].isna().all()


def test_our_rules_are_measured_in_every_language():
    said = read_examples(TEXTS).query("kind == 'category' and holds").rename(columns={"text": "verbatim"})
    said = said.drop_duplicates("verbatim").assign(
        feedback_id=lambda rows: [f"f{n}" for n in range(len(rows))]
    )
    rules = parse_rules(TEXTS)
    table = measure_rules(said, rules, code_by_rules(said, rules).assign(coder="human:a"), minimum=1)
    assert (table.groupby("language")["hits"].sum() > 20).all() and len(table) == len(rules)
    categories = table[table["kind"] == "category"].dropna(subset="n")
    assert (categories["right"] == categories["n"]).all()  # the people here agree with the rules


def test_stars_that_contradict_the_words_are_listed_strongest_first():
    scale = SimpleNamespace(low=0, high=10)
    answers = {"a": 0, "b": 2, "c": 3, "d": 8, "e": 10, "f": 10, "g": 1, "h": None}
    opinions = pd.DataFrame({"feedback_id": list(answers), "verbatim": "x", "nps": list(answers.values())})
    feelings = dict(
        zip(answers, ["positive"] * 3 + ["negative"] * 2 + ["positive", "mixed", "positive"], strict=True)
    )
    codes = pd.DataFrame(
        [
            (key, "rules", category, value, 5 if key == "b" else 2)
            for key, value in feelings.items()
            for category in "pq"
        ],
        columns=["feedback_id", "coder", "category", "polarity", "intensity"],
    )
    found = list_disagreements(opinions, codes, {"nps": scale})
    # 2 of 10 is the end of the lowest fifth, 3 is not; 8 begins the highest. b: |-0.6 - 1| = 1.6.
    assert found["feedback_id"].tolist() == ["b", "a", "e", "d"]
    assert found["strength"].tolist() == [1.6, 1.4, 1.4, 1.0]
    assert found["direction"].tolist() == [BAD_WITH_PRAISE] * 2 + [GOOD_WITH_BLAME] * 2
    assert found["n"].tolist() == [2, 2, 2, 2] and found["of"].tolist() == [3, 3, 3, 3]
    shuffled = list_disagreements(opinions[::-1], codes.sample(frac=1, random_state=1), {"nps": scale})
    pd.testing.assert_frame_equal(found, shuffled)


def test_coders_are_counted_apart_and_a_side_without_intensity_is_weak():
    opinions = pd.DataFrame({"feedback_id": ["a"], "verbatim": "x", "stars": [1]})
    codes = pd.DataFrame(
        {"feedback_id": "a", "coder": ["rules", "model:m"], "polarity": "positive", "intensity": [4, pd.NA]}
    )
    found = list_disagreements(opinions, codes, {"stars": SimpleNamespace(low=1, high=5)})
    assert found[["coder", "strength", "n"]].values.tolist() == [["rules", 1.8, 1], ["model:m", 1.2, 1]]
    assert list_disagreements(opinions, codes.head(0), {"stars": SimpleNamespace(low=1, high=5)}).empty


def test_a_scale_on_which_low_is_good_is_read_that_way():
    opinions = pd.DataFrame({"feedback_id": ["a", "b"], "verbatim": "x", "effort": [1, 7]})
    codes = pd.DataFrame(
        {"feedback_id": ["a", "b"], "coder": "rules", "polarity": "positive", "intensity": 3}
    )
    found = list_disagreements(opinions, codes, {"effort": SimpleNamespace(low=1, high=7, better="low")})
    assert found[["feedback_id", "direction"]].values.tolist() == [["b", BAD_WITH_PRAISE]]
