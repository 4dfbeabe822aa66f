"""The warning of a new domain: given for texts about other things, and not for more of the same."""

import numpy as np
import pytest

from vocwb.understand.domains import measure_novelty
from vocwb.understand.learned import fit_coder

FIELDS = {
    "en": (
        "room bed breakfast lobby pool towel view suite desk lift",
        "app crash login update screen button bug phone ad ping",
    ),
    "fa": (
        "اتاق تخت صبحانه لابی استخر حوله منظره پذیرش آسانسور هتل",
        "برنامه نصب ورود صفحه دکمه گوشی تبلیغ رمز شارژ باتری",
    ),
    "ar": (
        "غرفة سرير فطور مسبح منشفة اطلالة استقبال مصعد فندق حمام",
        "تطبيق تحديث دخول شاشة زر هاتف اعلان رمز شحن بطارية",
    ),
    "bg": (
        "стая легло закуска басейн кърпа гледка асансьор хотел баня лоби",
        "програма срив вход екран бутон телефон реклама парола батерия код",
    ),
    "zh": (
        "房间 床铺 早餐 大堂 泳池 毛巾 风景 前台 电梯 酒店",
        "软件 闪退 登录 更新 屏幕 按钮 手机 广告 密码 电池",
    ),
}


def write_texts(words, n, seed):
    draw = np.random.default_rng(seed)
    return [" ".join(draw.choice(words.split(), 5)) for _ in range(n)]


@pytest.fixture(scope="module")
def coders():
    return {
        language: fit_coder(write_texts(own, 200, 1), ["a", "b"] * 100, language=language)
        for language, (own, _) in FIELDS.items()
    }


@pytest.mark.parametrize("language", FIELDS)
def test_other_things_are_a_new_domain_and_the_same_are_not(coders, language):
    own, other = FIELDS[language]
    assert measure_novelty(coders[language], write_texts(other, 40, 2)).is_new_domain
    assert not measure_novelty(coders[language], write_texts(own, 40, 2)).is_new_domain


def test_more_of_the_same_seldom_warns():
    """The limit of false alarms that is promised, one in ten, on texts with many rare words."""
    draw = np.random.default_rng(5)
    words = [f"w{rank}" for rank in range(5000)]
    weights = 1 / np.arange(1, 5001)
    texts = [" ".join(draw.choice(words, 8, p=weights / weights.sum())) for _ in range(2300)]
    coder = fit_coder(texts[:300], ["a", "b"] * 150, language="en")
    alarms = [measure_novelty(coder, texts[at : at + 50]).is_new_domain for at in range(300, 2300, 50)]
    assert np.mean(alarms) <= 0.1


def test_nothing_is_said_of_nothing(coders):
    for texts in ([], [""], ["  ", "bed"]):
        found = measure_novelty(coders["en"], texts)
        assert not found.is_new_domain and np.isnan(found.shift)


def test_the_order_of_the_texts_changes_nothing(coders):
    texts = write_texts(" ".join(FIELDS["en"]), 60, 3)
    assert measure_novelty(coders["en"], texts) == pytest.approx(measure_novelty(coders["en"], texts[::-1]))
