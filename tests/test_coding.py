"""Coding by rules: what a user would miss. What the rule files promise by their examples: test_code_quality."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vocwb
from vocwb.errors import ProgrammeError
from vocwb.languages import LANGUAGES
from vocwb.programme import parse_programme, read_rules
from vocwb.schemas import empty_table
from vocwb.understand.coding import (
    CATEGORIES,
    add_bipolar,
    code_by_rules,
    code_mentions,
    parse_rules,
    score_polarity,
)
from vocwb.understand.rules import list_categories, read_examples

FOLDER = Path(vocwb.__file__).parent / "rules"
TEXTS = {language: (FOLDER / f"{language}.yml").read_text(encoding="utf-8") for language in LANGUAGES}
RULES = parse_rules(TEXTS)


def code(*verbatims, language="en", rules=RULES):
    ids = [f"f{number:03}" for number in range(len(verbatims))]
    return code_by_rules(
        pd.DataFrame({"feedback_id": ids, "language": language, "verbatim": list(verbatims)}), rules
    )


def one(verbatim, language="en"):
    return code(verbatim, language=language).iloc[0]


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
    assert set(code("A costume, a billion, and the delivered pricelessness")["category"]) == {"delivery"}
    assert one("每天 happy，像 badminton", "zh")[["category", "polarity"]].tolist() == [
        "other",
        "cannot tell",
    ]
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
    feedback = read_examples(TEXTS).rename(columns={"text": "verbatim"}).drop_duplicates("verbatim")
    feedback = feedback.assign(feedback_id=[f"f{n:03}" for n in range(len(feedback))])
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


@pytest.mark.parametrize(
    ("verbatim", "language", "places"),
    [
        (
            "The driver was very rude. But the parcel arrived in perfect condition!",
            "en",
            {"staff": ("The driver was very rude.", "negative"),
             "delivery": ("But the parcel arrived in perfect condition!", "positive")},
        ),
        (
            "店員的態度很親切，但是等了兩個小時才拿到包裹",
            "zh",
            {"staff": ("店員的態度很親切，", "positive"), "delivery": ("但是等了兩個小時才拿到包裹", "negative")},
        ),
        (
            "کارمندها خیلی مهربون بودن.\n\nولی قیمت‌ها واقعا گرونه",
            "fa",
            {"staff": ("کارمندها خیلی مهربون بودن.", "positive"), "price": ("ولی قیمت‌ها واقعا گرونه", "negative")},
        ),
        (
            "Персоналът е много любезен, но стаята беше много мръсна",
            "bg",
            {"staff": ("Персоналът е много любезен,", "positive"),
             "environment": ("но стаята беше много мръсна", "negative")},
        ),
    ],
)  # fmt: skip
def test_a_category_is_placed_where_it_is_spoken_of_with_the_feeling_there(verbatim, language, places):
    codes = code(verbatim, language=language).set_index("category")
    for category, (span, polarity) in places.items():
        row = codes.loc[category]
        assert verbatim[row["start"] : row["end"]] == span
        assert row["span_polarity"] == polarity
    assert codes["polarity"].nunique() == 1


def test_of_several_places_the_first_with_a_feeling_is_taken():
    text = "I wrote about the price in May. Your price is a rip off. The price was good once."
    row = code(text).set_index("category").loc["price"]
    assert (text[row["start"] : row["end"]], row["span_polarity"]) == ("Your price is a rip off.", "negative")


def test_what_has_no_place_has_no_span():
    row = one("I live here")
    assert row["category"] == "other" and row[["start", "end", "span_polarity", "probability"]].isna().all()


def test_a_span_lies_in_its_verbatim_whatever_it_says():
    texts = [
        "ＰＲＩＣＥ…  too  high!!!\n\n\n•service??",
        "price " * 300,
        "prıce İs İ\u0307 bad, delivery ß good",
        "价格😡。服务👍",
    ]
    for language in ("en", "zh", "bg"):
        codes = code(*texts, language=language).dropna(subset="start")
        for row in codes.itertuples():
            assert 0 <= row.start < row.end <= len(texts[int(row.feedback_id[1:])])


def test_a_topic_is_felt_in_its_own_span():
    verbatim = "The room was filthy, the breakfast delicious"
    opinions = pd.DataFrame({"feedback_id": ["f"], "language": "en", "verbatim": [verbatim]})
    mentions = pd.DataFrame(
        {
            "feedback_id": ["f", "f", "gone"],
            "topic": ["T2", "T1", "T1"],
            "start": [20, 0, 0],
            "end": [44, 20, 3],
        }
    )
    found = code_mentions(mentions, opinions, RULES)
    assert found[["topic", "start", "end", "polarity"]].values.tolist() == [
        ["T1", 0, 20, "negative"],
        ["T2", 20, 44, "positive"],
    ]
    pd.testing.assert_frame_equal(found, code_mentions(mentions[::-1], opinions, RULES))
    assert code_mentions(mentions.head(0), opinions, RULES).columns.tolist() == found.columns.tolist()


def test_the_bipolar_view_keeps_the_order_of_feelings():
    feelings = [
        ("negative", 5),
        ("negative", 2),
        ("neutral", 1),
        ("mixed", 4),
        ("positive", 1),
        ("positive", 4),
    ]
    codes = pd.DataFrame(
        [*feelings, ("cannot tell", None), ("positive", None)], columns=["polarity", "intensity"]
    )
    view = add_bipolar(codes.astype({"intensity": "Int64"}))["bipolar"]
    assert view.head(6).tolist() == [1, 2, 3, 3, 4, 5] and view.tail(2).isna().all()


def test_scores_have_the_sign_of_the_polarity_and_grow_with_it():
    texts = ["awful", "not awful", "the bus", "good", "very good", "good but awful", "a bit slow", "slow"]
    scores = score_polarity(iter(texts), RULES, language="en")
    assert scores.dtype == float and np.sign(scores).tolist() == [-1, 1, 0, 1, 1, 0, -1, -1]
    assert scores[4] > scores[3] > scores[1] and scores[7] < scores[6]
    assert score_polarity(["good"], RULES, language="other").tolist() == [0]


def test_a_weakening_word_lowers_the_intensity():
    for language, weak, plain, strong in (
        ("en", "a bit slow", "slow", "extremely slow"),
        ("fa", "یه کم کند بود", "کند بود", "خیلی کند بود"),
        ("ar", "بطيء شوي", "بطيء", "بطيء جدا"),
        ("bg", "леко бавно", "бавно", "много бавно"),
    ):
        levels = [one(text, language)["intensity"] for text in (weak, plain, strong)]
        assert levels == sorted(set(levels)), language


@pytest.mark.parametrize(
    ("latin", "cyrillic"),
    [
        ("mnogo dobar film", "много добър филм"),
        ("mnogo dobur hotel", "много добър хотел"),
        ("ujasno obslujvane, ne preporu4vam", "ужасно обслужване, не препоръчвам"),
        ("uzhasno obsluzhvane", "ужасно обслужване"),
        ("nqma problemi, vsi4ko e ok", "няма проблеми, всичко е ок"),
        ("dostavkata zakysnq", "доставката закъсня"),
        ("LOSHO KACHESTVO", "лошо качество"),
        ("6te se vyrna pak, strahoten personal", "ще се върна пак, страхотен персонал"),
    ],
)
def test_bulgarian_in_latin_letters_is_read_as_in_cyrillic(latin, cyrillic):
    columns = ["category", "polarity", "intensity", "ask"]
    wanted = code(cyrillic, language="bg")[columns]
    assert (wanted["polarity"] != "cannot tell").all()
    pd.testing.assert_frame_equal(code(latin, language="bg")[columns], wanted)


@pytest.mark.parametrize(
    ("simplified", "traditional"),
    [
        ("价格便宜，质量也不错", "價格便宜，質量也不錯"),
        ("服务态度恶劣，没人理", "服務態度惡劣，沒人理"),
        ("快递员很亲切，发货快", "快遞員很親切，發貨快"),
        ("卫生间很脏，里面有虫", "衛生間很髒，裏面有蟲"),
        ("手机卡顿，说明书看不懂", "手機卡頓，說明書看不懂"),
        ("退款太慢，后悔了", "退款太慢，後悔了"),
        ("为什么总是闪退？", "為什麼總是閃退？"),
        ("面条没味道，汤也凉了", "麵條沒味道，湯也涼了"),
    ],
)
def test_rules_in_either_chinese_script_find_the_other(simplified, traditional):
    columns = ["category", "polarity", "intensity", "ask", "start", "end", "span_polarity"]
    own = parse_rules({"zh": f"polarity: {{negative: [{simplified[:2]}], positive: [{traditional[-2:]}]}}"})
    for rules in (RULES, own):
        frames = [code(text, language="zh", rules=rules)[columns] for text in (simplified, traditional)]
        pd.testing.assert_frame_equal(*frames)
        assert (frames[0]["polarity"] != "cannot tell").all()


def test_an_address_says_nothing_and_a_face_does_not_begin_a_word():
    assert one("http://shop.com/great-price?x=1")[["category", "polarity", "ask"]].tolist()[:2] == [
        "other",
        "cannot tell",
    ]
    assert one("re:delivery")["polarity"] == "cannot tell" and one("ok :D")["polarity"] == "positive"


OWN = """
extends: true
category:
  parking: [car park*, parking]
  price: [ticket]
polarity:
  positive: [cheap, sick]
examples:
  - {text: "The car park was full", category: parking}
"""


def test_a_programme_extends_the_rules_and_its_own_count(tmp_path, monkeypatch):
    monkeypatch.setenv("VOCWB_ROOT", str(tmp_path))
    (tmp_path / "data" / "mine" / "rules").mkdir(parents=True)
    file = tmp_path / "data" / "mine" / "rules" / "en.yml"
    text = "title: T\nquestion: Q\ngoal: loyalty\nlanguages: [en, fa]\ncategories: {parking: Car park}\n"
    text += "sources: [{name: s, files: a.csv, channel: survey, mode: direct, who_started: company, undated: true,"
    known = parse_programme(text + " columns: {id: i}, verbatims: {v: V}}]", name="mine")

    def read(own):
        file.write_text(own, encoding="utf-8")
        return parse_rules(read_rules(known), categories=known.categories)

    rules = read(OWN)
    assert set(code("The parking was dirty", rules=rules)["category"]) == {"parking", "environment"}
    assert set(code("Parking", rules=RULES)["category"]) == {"environment"}
    assert code("sick!", rules=rules)["polarity"].tolist() == ["positive"]  # the own side counts
    assert code("سایت", language="fa", rules=rules)["category"].tolist() == ["usability"]
    assert list_categories(rules, known.categories) == {name: name for name in CATEGORIES} | {
        "parking": "Car park",
        "other": "other",
    }
    alone = read(OWN.replace("extends: true", ""))
    assert set(alone[alone["language"] == "en"]["value"]) == {"parking", "price", "positive"}
    with pytest.raises(ProgrammeError, match=r"'parking'(.|\n)*programme\.yml"):
        parse_rules(read_rules(known))
    with pytest.raises(ProgrammeError, match="line 4: not YAML"):
        read("extends: true\ncategory:\n  price: [a\n  staff: [b]")
    with pytest.raises(ProgrammeError, match="true or false"):
        read(OWN.replace("true", "'true'"))
    with pytest.raises(ProgrammeError, match="read_rules"):
        parse_rules({"en": OWN}, categories=["parking"])


@pytest.mark.parametrize(
    "wrong", ["categories: {other: Rest}", "categories: {parking: ''}", "categories: [parking]"]
)
def test_categories_that_cannot_be_are_refused_by_name(wrong):
    text = (
        f"title: T\nquestion: Q\ngoal: loyalty\n{wrong}\nsources: [{{name: s, files: a.csv, channel: survey,"
    )
    text += " mode: direct, who_started: company, undated: true, columns: {id: i}, verbatims: {v: V}}]"
    with pytest.raises(ProgrammeError, match=r"line 4(.|\n)*categories"):
        parse_programme(text, name="x")
