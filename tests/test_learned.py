"""The learned coder: what it must get right whatever it is trained on, and the sequences that it reads."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from vocwb.errors import ProgrammeError
from vocwb.understand.learned import fit_coder, predict_codes
from vocwb.understand.rules import parse_rules
from vocwb.understand.text_features import count_grams, fit_grams, locate_grams, share_unseen, split_texts

# Praise, blame, and what they are about: enough to make distinct texts of both sides in each language.
WORDS = {
    "en": ("very good", "not good", ["room", "food", "staff", "price", "bed", "view", "bar", "lift"]),
    "fa": ("خیلی خوب بود", "اصلا خوب نبود", ["اتاق", "غذا", "قیمت", "کیفیت", "رنگ", "ارسال", "بسته", "جنس"]),
    "ar": (
        "جميل جدا",
        "ليس جميل",
        ["المكان", "الاكل", "السعر", "الخدمة", "الفندق", "الموظف", "الطعم", "الجو"],
    ),
    "bg": ("много добър", "не е добър", ["филм", "звук", "край", "актьор", "хотел", "курс", "екип", "план"]),
    "zh": ("很好吃", "不好吃", ["面条", "米饭", "牛肉", "蔬菜", "水果", "蛋糕", "饺子", "鸡蛋"]),
}


def make_texts(language, n=160, *, flipped=0.0, seed=0):
    """Return n texts and their labels, a share of which is wrong by chance."""
    praise, blame, things = WORDS[language]
    draw = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        side = draw.integers(2)
        first, second = draw.choice(things, 2, replace=False)
        texts.append(f"{first} {(blame, praise)[side]}, {second}")
        labels.append(("negative", "positive")[side ^ int(draw.random() < flipped)])
    return texts, labels


@pytest.mark.parametrize("language", WORDS)
def test_it_reads_negation_in_each_language(language):
    praise, blame, things = WORDS[language]
    coder = fit_coder(*make_texts(language), language=language)
    found = predict_codes(coder, [f"{things[0]} {praise}", f"{things[0]} {blame}"])
    assert found["label"].tolist() == ["positive", "negative"]
    assert (found["probability"] > 0.8).all()


def test_rules_tell_of_words_that_no_example_had():
    rules = parse_rules(
        {"en": "{polarity: {positive: [superb, very good], negative: [dreadful]}, negation: {before: [not]}}"}
    )
    texts = ["a jetty of superb", "a jetty of dreadful", "a jetty of not superb"]
    for known in (rules, None):
        coder = fit_coder(*make_texts("en", flipped=0.1), language="en", rules=known)
        superb, dreadful, not_superb = predict_codes(coder, texts)["p_positive"]
        assert (superb > 0.5 > max(dreadful, not_superb)) == (known is not None)


def test_the_order_of_the_rows_changes_nothing():
    texts, labels = make_texts("en", flipped=0.2)
    order = np.random.default_rng(1).permutation(len(texts))
    ways = [
        predict_codes(fit_coder(said, given, language="en"), texts)
        for said, given in ((texts, labels), ([texts[i] for i in order], [labels[i] for i in order]))
    ]
    pd.testing.assert_frame_equal(*ways, check_exact=True)


def test_one_text_gets_the_same_code_in_any_company():
    coder = fit_coder(*make_texts("zh", flipped=0.1), language="zh")
    texts = ["面条很好吃", "", "不好", "abc", "米饭不好吃，蛋糕很好吃"]
    alone = pd.concat([predict_codes(coder, [text]) for text in texts], ignore_index=True)
    pd.testing.assert_frame_equal(predict_codes(coder, texts), alone)
    assert predict_codes(coder, []).columns.tolist() == alone.columns.tolist()


def test_probabilities_are_as_often_right_as_they_say():
    coder = fit_coder(*make_texts("en", 600, flipped=0.2), language="en")
    texts, labels = make_texts("en", 1000, flipped=0.2, seed=9)
    found = predict_codes(coder, texts)
    assert np.allclose(found[["p_negative", "p_positive"]].sum(axis=1), 1)
    right = (found["label"] == labels).mean()
    assert abs(found["probability"].mean() - right) < 0.05


def test_a_rare_class_is_not_given_up():
    """One in ten, and half of its texts look like the others: the likelier class would always be the common one."""
    texts = ["late"] * 60 + ["parcel"] * 440 + ["late"] * 60
    labels = ["angry"] * 60 + ["calm"] * 500
    found = predict_codes(fit_coder(texts, labels, language="en"), ["late", "parcel"])
    assert found["label"].tolist() == ["angry", "calm"]


def test_many_classes():
    words = ["delivery", "price", "staff", "billing", "returns"]
    texts = [f"{word} {other}" for word in words for other in ("was on my mind", "again", "once more")] * 8
    labels = [text.split()[0] for text in texts]
    coder = fit_coder(texts, labels, language="en")
    found = predict_codes(coder, words)
    assert found["label"].tolist() == words
    assert np.allclose(found[[f"p_{label}" for label in coder.labels]].sum(axis=1), 1)


def test_a_class_with_too_few_texts_is_named_and_never_given():
    texts, labels = make_texts("en")
    coder = fit_coder([*texts, *["so so"] * 9], [*labels, *["neutral"] * 9], language="en")
    assert coder.left_out == ("neutral",)
    assert "neutral" not in set(predict_codes(coder, ["so so", *texts])["label"])


def test_one_class_cannot_be_learned():
    with pytest.raises(ProgrammeError, match="1 classes"):
        fit_coder(["fine"] * 50, ["positive"] * 50, language="en")
    with pytest.raises(ProgrammeError, match="no language"):
        fit_coder(["fine"] * 50, ["positive"] * 50, language="xx")


def test_grams_are_those_that_stand_twice():
    texts = ["the late late bus", "a late bus", "the bus"]
    sequences = [text.split() for text in texts]
    grams = fit_grams(sequences, orders=2)
    found = count_grams(grams, locate_grams(grams, sequences), len(texts)).toarray()
    laid = [["<", *sequence, ">"] for sequence in sequences]
    pairs = [Counter(pairwise(words)) for words in laid]
    # "a" stands once: it is unknown, and so is each pair with it.
    kept = [pair for pair, n in sum(pairs, Counter()).items() if n > 1 and "a" not in pair]
    wanted = sorted(tuple(row[pair] for row in pairs) for pair in kept)
    assert sorted(map(tuple, found[:, grams.n_units :].T.astype(int))) == wanted


def test_grams_that_stood_in_the_own_fold_alone_are_unseen():
    sequences = [["bus", "late"], ["bus", "late"], ["bus", "rude"], ["bus", "rude"]]
    grams = fit_grams(sequences, orders=3)
    shares = share_unseen(grams, locate_grams(grams, sequences), 4, folds=np.array([0, 0, 1, 1]))
    assert shares.tolist() == [0.5, 0.5, 0.5, 0.5]
    assert share_unseen(grams, locate_grams(grams, sequences), 4).tolist() == [0, 0, 0, 0]


def test_spaced_languages_are_read_as_words_and_letters_and_chinese_as_characters():
    assert split_texts(["Not good :-("], "en")[0][0] == [["not", "good", ":-("]]
    assert [orders for _, orders in split_texts(["x"], "bg")] == [3, 5]
    assert split_texts(["不好"], "zh") == [(["不好"], 4)]
