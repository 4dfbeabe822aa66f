"""Terms: what tells topics apart in five languages, a name that reads well, and the measures of coherence."""

import math
import random

import numpy as np
import pytest
from bertopic.vectorizers import ClassTfidfTransformer
from scipy import sparse

from vocwb.languages import stop_words, tokenise_text
from vocwb.understand.inflection import group_forms
from vocwb.understand.terms import find_terms, find_terms_by_language, score_terms, suggest_name, weigh_terms

ENGLISH = [
    "customer service kept me on hold",
    "customer service hung up twice",
    "rude customer service again",
    "the boarding pass would not print",
    "boarding passes were printed wrong",
    "lost my boarding pass at the gate",
]


def find(texts, topics, language="en", **options):
    return find_terms(texts, [language] * len(texts), topics, **options)


def test_a_phrase_stands_for_the_words_it_explains():
    service, boarding = find(ENGLISH, [0, 0, 0, 1, 1, 1])
    assert service[0] == "customer service"
    assert "boarding pass" in boarding
    assert not {"customer", "service"} & set(service) and not {"boarding", "pass"} & set(boarding)


def test_words_that_only_meet_by_chance_make_no_phrase():
    texts = [
        "late flight",
        "late bus",
        "late train",
        "late parcel",
        "rude flight",
        "rude driver",
        "rude clerk",
    ]
    late, rude = find(texts * 2, [0, 0, 0, 0, 1, 1, 1] * 2)
    assert "late" in late and "rude" in rude
    assert not [term for term in late if term.startswith("late ")]


def test_words_apart_in_the_text_make_no_phrase():
    texts = ["customer, service", "customer. Service", "customer of the service"] * 2 + ["late bus"] * 3
    assert "customer service" not in find(texts, [0] * 6 + [1] * 3)[0]


@pytest.mark.parametrize(
    ("language", "texts", "shown", "not_shown"),
    [
        ("en", ["refunds late", "my refund", "a refund"], "refund", "refunds"),
        ("bg", ["куриерът закъсня", "груб куриер", "куриер и пак куриер"], "куриер", "куриерът"),
        ("bg", ["пратката липсва", "пратката е мокра", "тази пратка"], "пратката", "пратка"),
        ("fa", ["گوشی خوبیه", "گوشی‌ها گران", "این گوشی"], "گوشی", "گوشی‌ها"),
        ("fa", ["كيفيت بد", "کیفیت عالی", "کیفیتش کم"], "کیفیت", "کیفیتش"),
        ("ar", ["الخدمة سيئة", "خدمة ممتازة", "خدمات سيئة"], "خدمة", "خدمات"),
        ("ar", ["أسعار عالية", "الأسعار مرتفعة", "أسعارهم مبالغ"], "أسعار", "أسعارهم"),
    ],
)
def test_forms_of_a_word_are_shown_once_as_people_write_it(language, texts, shown, not_shown):
    other = {"en": "late bus", "bg": "добър филм", "fa": "رنگ سیاه", "ar": "مطعم نظيف"}[language]
    terms = find([*texts, *[other] * 3], [0, 0, 0, 1, 1, 1], language)[0]
    assert shown in terms and not_shown not in terms


def test_chinese_words_are_joined_without_a_space():
    texts = ["百度外卖很慢", "百度外卖太贵", "百度外卖不好", "南瓜粥好喝", "南瓜粥很甜", "南瓜粥便宜"]
    assert find(texts, [0, 0, 0, 1, 1, 1], "zh") == [["百度外卖"], ["南瓜粥"]]


def test_a_zwnj_stays_within_its_word():
    texts = ["کتاب‌خانه دور است", "کتاب‌خانه بسته", "رنگ سیاه", "رنگ سفید"]
    assert find(texts, [0, 0, 1, 1], "fa")[0] == ["کتاب‌خانه"]


@pytest.mark.parametrize("language", ["en", "fa", "ar", "bg", "zh"])
def test_no_stop_words_and_no_digits(language):
    stops = sorted(stop_words(language))
    words = {"en": "kettle", "fa": "کتری", "ar": "غلاية", "bg": "чайник", "zh": "水壺"}
    texts = [f"{stops[number]} {words[language]} 2024 a4 ۱۲۳ {stops[-1 - number]}" for number in range(20)]
    for terms in find(texts, [0] * 10 + [1] * 10, language):
        assert words[language] in terms
        assert not [
            term for term in terms if any(map(str.isdigit, term)) or not tokenise_text(term, language)
        ]


def test_a_topic_of_two_languages_has_terms_of_both():
    texts = ["late parcel", "late parcel", "late parcel", "پست دیر", "پست دیر", "kind staff", "kind staff"]
    languages = ["en", "en", "en", "fa", "fa", "en", "en"]
    topics = [0, 0, 0, 0, 0, 1, 1]
    by_language = find_terms_by_language(texts, languages, topics)
    assert by_language[0]["fa"] and by_language[0]["en"] == ["late parcel"]
    assert set(by_language[1]) == {"en"}
    assert set(find_terms(texts, languages, topics)[0]) == {*by_language[0]["en"], *by_language[0]["fa"]}


def test_the_order_of_rows_does_not_matter():
    rows = list(zip(ENGLISH * 3, [0, 0, 0, 1, 1, 1] * 3, strict=True))
    first = find(*zip(*rows, strict=True))
    random.Random(1).shuffle(rows)
    assert find(*zip(*rows, strict=True)) == first


def test_no_texts_and_topics_without_words():
    assert find_terms([], [], []) == []
    assert find(["the of", "12 34"], [0, 2]) == [[], [], []]
    assert find(["late", "bus"], [-1, -1]) == []


def test_the_weights_are_bertopics():
    counts = sparse.csr_matrix(np.random.default_rng(3).integers(0, 9, (4, 30)))
    theirs = ClassTfidfTransformer(reduce_frequent_words=True).fit_transform(counts)
    ours = weigh_terms(counts)
    # Its average of words a topic is cut to a whole number.
    np.testing.assert_allclose(ours.toarray(), theirs.toarray(), rtol=0.01)


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", "deliver delivered delivering delivers"),
        ("bg", "филм филмът филма филми филмите"),
        ("bg", "добър добра добро добри добрата"),
        ("fa", "قیمت قیمتش قیمت‌ها"),
        ("ar", "خدمه خدمات خدمتهم"),
    ],
)
def test_forms_share_a_key(language, forms):
    keys = group_forms(dict.fromkeys(forms.split(), 2), language)
    assert len(set(keys.values())) == 1, keys


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fa", "کفش کف"),
        ("fa", "بازی باز"),
        ("ar", "مكان مكه"),
        ("bg", "филм фирма"),
        ("zh", "服務 服務費"),
        ("en", "staff stuff"),
    ],
)
def test_other_words_do_not(language, words):
    keys = group_forms(dict.fromkeys(words.split(), 2), language)
    assert len(set(keys.values())) == 2, keys


@pytest.mark.parametrize(
    ("language", "terms", "texts", "name"),
    [
        ("en", ["complaints"], ["I have no complaints", "no complaints at all", "No complaints"], "No complaints"),
        ("en", ["money", "value"], ["great value for money", "poor value for money"], "Value for money"),
        ("ar", ["نظافة", "ناحية"], ["من ناحية النظافة سيء", "من ناحية النظافة جيد"], "ناحية النظافة"),
        ("zh", ["退款"], ["退款申請很久", "退款申請沒下文"], "退款申請"),
        ("en", ["late", "parcel"], ["late", "parcel"], "Late, parcel"),
        ("fa", ["دیر", "پست"], ["دیر", "پست"], "دیر، پست"),
        ("en", [], ["👍", "👍", "ok"], "👍"),
    ],
)  # fmt: skip
def test_a_name_reads_well(language, terms, texts, name):
    assert suggest_name(terms, texts, language) == name


def test_names_are_unique():
    texts = ["late parcel"] * 3
    names: list[str] = []
    for _ in range(4):
        names.append(suggest_name(["late", "parcel", "rain"], texts, "en", taken=names))
    assert names == ["Late parcel", "Late parcel, rain", "Late parcel (2)", "Late parcel (3)"]


def test_npmi_by_hand():
    # p(a) = 3/4, p(b) = 2/4, p(a, b) = 2/4: log(0.5 / 0.375) / -log(0.5)
    found = score_terms([["ale", "bun"]], ["ale bun", "ale bun", "ale", "cake"], ["en"] * 4)
    assert found.npmi == pytest.approx(math.log(0.5 / 0.375) / -math.log(0.5), abs=1e-4)
    assert score_terms([["ale", "cake"]], ["ale", "cake"], ["en"] * 2).npmi == -1
    assert score_terms([["ale", "bun"]], ["ale bun", "tea"], ["en"] * 2).npmi == 1


def test_a_phrase_is_scored_as_its_words():
    texts = ["late parcel", "late bus", "parcel"]
    assert score_terms([["late parcel"]], texts, ["en"] * 3) == score_terms(
        [["late", "parcel"]], texts, ["en"] * 3
    )


def test_diversity_is_the_share_of_distinct_words():
    assert score_terms([["a1", "b1"], ["a1", "c1"]], ["x"], ["en"]).diversity == 0.75
    assert all(math.isnan(value) for value in score_terms([], ["x"], ["en"]))
