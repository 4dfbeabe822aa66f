from pathlib import Path

import pandas as pd
import pytest
import yaml

from vocwb.collect.language_id import identify_languages, read_language_name

ROOT = Path(__file__).parent.parent
FIVE = ["en", "fa", "ar", "bg", "zh"]


def identify(*texts, declared=FIVE):
    return identify_languages(pd.Series(texts, dtype="str"), declared).tolist()


@pytest.mark.parametrize("language", FIVE)
def test_sentences_of_the_five_languages(language):
    bank = yaml.safe_load(
        (ROOT / "data" / "sample" / "texts" / f"{language}.yml").read_text(encoding="utf-8")
    )
    texts = bank["filler"] + bank["generic_negative"] + bank["needs"] + bank["churn_unhappy"]
    found = pd.Series(identify(*texts))
    assert (found == language).mean() >= 0.99, [t for t, f in zip(texts, found, strict=True) if f != language]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("عالی", "fa"), ("ممنون", "fa"), ("ممتازة", "ar"), ("جيد جدا", "ar"), ("很好", "zh"), ("супер", "bg"),
        ("ok", "en"), ("Good", "en"), ("thanks a lot", "en"), ("App crashes", "en"),
        ("اپلیکیشن crash میکنه after update", "fa"),
        ("كيفيت محصول خيلي بد بود", "fa"),
    ],
)  # fmt: skip
def test_a_word_or_two(text, language):
    assert identify(text) == [language]


@pytest.mark.parametrize(
    "text",
    [
        "Le personnel est très aimable mais il y a trop d'attente en caisse",
        "Das Produkt ist leider kaputt angekommen",
        "La comida estaba muy buena", "Uygulama çok yavaş açılıyor", "배송이 너무 늦어요", "この商品はとても良いです",
        "Очень плохое качество, не рекомендую этот магазин", "یہ بہت اچھا ہے لیکن قیمت زیادہ ہے",
        "η εξυπηρέτηση ήταν κακή",
        "kheyli bad bood, aslan razi nistam az kharidam",
        "", "👍👍", "10/10", "https://example.com/good-shop", "@anna @ben",
    ],
)  # fmt: skip
def test_what_is_none_of_the_five_is_other(text):
    assert identify(text) == ["other"]


def test_addresses_and_handles_say_nothing_of_the_language():
    assert identify("@SomeShopName https://example.com/help/contact خیلی بد بود") == ["fa"]


def test_a_language_that_is_not_declared_is_other():
    assert identify("很好用", "fine, thanks", declared=["en"]) == ["other", "en"]


def test_the_index_is_kept_and_a_missing_text_is_other():
    found = identify_languages(pd.Series(["很好", None, "很好"], index=[5, 7, 9]), FIVE)
    assert found.to_dict() == {5: "zh", 7: "other", 9: "zh"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("en", "en"), ("EN-us", "en"), ("English (UK)", "en"), ("fa_IR", "fa"), ("Persian", "fa"), ("فارسی", "fa"),
        ("zh-Hant-TW", "zh"), ("cmn", "zh"), ("Bulgarian", "bg"), ("bul", "bg"), ("ara", "ar"), ("fr", "other"),
        ("German", "other"), ("und", None), ("", None), ("unknown", None),
    ],
)  # fmt: skip
def test_names_of_languages(name, code):
    assert read_language_name(name, FIVE) == code
