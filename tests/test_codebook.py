import hashlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from vocwb.errors import EncoderError
from vocwb.languages import LANGUAGES, ZWNJ, tokenise_text
from vocwb.schemas import OUTLIER, empty_table
from vocwb.understand.assignment import assign_topics
from vocwb.understand.codebook import fit_codebook
from vocwb.understand.encoders import encode_texts, fit_encoder

POOLS = {
    "en": [
        "parcel courier late delivery driver doorstep tracking van neighbour depot sorting weekend",
        "app login crash screen password update freezes phone button blank version sign",
        "refund money invoice charged bank card statement transfer amount fee twice account",
        "agent polite helpful answered friendly patient explained kind voice calm listened smiled",
    ],
    "fa": [
        "بسته پیک دیر ارسال راننده تحویل پیگیری همسایه انبار مرسوله کوچه تأخیر",
        "برنامه ورود صفحه رمز به‌روزرسانی گوشی هنگ نسخه دکمه سفید نصب پیامک",
        "پول فاکتور بانک کارت برگشت حساب مبلغ واریز کسر تومان کارمزد تراکنش",
        "پشتیبان مودب مهربان تلفن پاسخ‌گو صبور خوش‌برخورد توضیح محترم آرام همدل صمیمی",
    ],
    "ar": [
        "الطرد المندوب متأخر توصيل السائق الباب شحنة الجار مخزن تتبع سيارة موعد",
        "التطبيق دخول شاشة تحديث تعليق الهاتف رمز نسخة زر أبيض تثبيت حساب",
        "فلوس فاتورة البنك بطاقة استرداد مبلغ خصم تحويل رسوم مرتين كشف دفع",
        "الموظفة مهذبة لطيفة مكالمة صبورة متعاونة ترحيب شرح هادئة محترمة ابتسامة استماع",
    ],
    "bg": [
        "пратка куриер закъснение доставка шофьор врата проследяване съсед склад бус адрес график",
        "приложение вход екран парола обновяване телефон забива версия бутон бяло инсталиране код",
        "пари фактура банка карта възстановяване сметка сума превод такса двойно извлечение лев",
        "служителка учтива мила разговор търпелива любезна отзивчива обясни спокойна глас изслуша усмивка",
    ],
    "zh": [
        "包裹 快递 延迟 配送 司机 门口 物流 邻居 仓库 货车 地址 签收",
        "应用 登录 屏幕 密码 更新 手机 闪退 版本 按钮 白屏 安装 验证码",
        "退款 发票 银行 信用卡 金额 扣款 账单 转账 手续费 重复 账户 付款",
        "客服 礼貌 亲切 电话 耐心 热情 专业 解释 温柔 微笑 倾听 周到",
    ],
}
HOSTILE = [
    "</script><script>alert(1)</script>",
    "\x00\u202e{{7*7}}",
    "=cmd|' /C calc'!A0",
    "😡" * 50,
    "x" * 5000,
    "https://evil.example/a?b",
    ZWNJ,
]


def make_opinions(language, each=60, seed=1):
    """Verbatims of four planted topics, six words of a topic's pool each, and some that belong to none."""
    draw = np.random.default_rng(seed)
    rows = [
        (number, "、".join(words) if language == "zh" else " ".join(words))
        for number, pool in enumerate(POOLS[language])
        for words in (draw.choice(pool.split(), 6, replace=False) for _ in range(each + 5 * number))
    ]
    rows += [(-1, text) for text in HOSTILE]
    opinions = pd.DataFrame(rows, columns=["planted", "verbatim"])
    opinions["feedback_id"] = [
        hashlib.sha256(f"{language}{i}".encode()).hexdigest()[:32] for i in range(len(rows))
    ]
    months = [f"2025-{1 + i % 12:02}" for i in range(len(rows))]
    return opinions.assign(language=language, voice="customer", month=months).sample(frac=1, random_state=0)


def fit(opinions, language="en", **options):
    encoder = fit_encoder("tfidf-svd", opinions["verbatim"], language=language)
    vectors = encode_texts(encoder, opinions["verbatim"])
    options = {"language": language, "encoder_id": encoder.encoder_id, "codebook_id": "C1"} | options
    return fit_codebook(opinions, vectors, **options), vectors


@pytest.fixture(scope="module")
def fitted():
    made = {}
    for number, language in enumerate(LANGUAGES):
        opinions = make_opinions(language)
        codebook, vectors = fit(opinions, language, first_number=1 + 100 * number)
        made[language] = opinions, codebook, assign_topics(opinions, codebook, vectors)
    return made


languages = pytest.mark.parametrize("language", LANGUAGES)


@languages
def test_planted_topics_are_found_and_nothing_else(fitted, language):
    opinions, codebook, assignments = fitted[language]
    found = opinions.merge(assignments, on="feedback_id")
    planted = found[found["planted"] >= 0]
    named = planted[planted["topic"] != OUTLIER].groupby("topic")["planted"]
    purity = named.agg(lambda group: group.value_counts().iloc[0]).sum() / len(planted)
    assert purity >= 0.95
    assert set(named.agg(lambda group: group.mode()[0])) == {0, 1, 2, 3}
    assert len(codebook) <= 8
    assert set(found.loc[found["planted"] == -1, "topic"]) == {OUTLIER}


@languages
def test_terms_are_whole_words_of_the_topic(fitted, language):
    _, codebook, _ = fitted[language]
    whole = {word for pool in POOLS[language] for word in pool.split()}
    spoken = {token for word in whole for token in tokenise_text(word, language)}
    for terms, name in zip(codebook["terms"], codebook["name"], strict=True):
        assert terms and len(set(terms)) == len(terms)
        assert {token for term in terms for token in tokenise_text(term, language)} <= spoken
        assert set(tokenise_text(name, language)) & spoken
    if language == "fa":
        assert "به‌روزرسانی" in {term for terms in codebook["terms"] for term in terms}


def test_arabic_terms_are_spelt_as_people_write_them(fitted):
    terms = {term for terms in fitted["ar"][1]["terms"] for term in terms}
    assert {"متعاونة", "بطاقة", "أبيض"} <= terms


@languages
def test_the_table_is_what_the_assignment_gives(fitted, language):
    opinions, codebook, assignments = fitted[language]
    first = 1 + 100 * list(LANGUAGES).index(language)
    assert codebook["topic"].tolist() == [f"T{first + i:04d}" for i in range(len(codebook))]
    assert codebook["size"].is_monotonic_decreasing
    sizes = assignments["topic"].value_counts()
    assert codebook.set_index("topic")["size"].to_dict() == sizes.drop(OUTLIER).to_dict()
    topic_of = assignments.set_index("feedback_id")["topic"]
    for row in codebook.itertuples():
        members = opinions[opinions["feedback_id"].map(topic_of) == row.topic]
        assert set(topic_of[row.examples]) == {row.topic} and 1 <= len(row.examples) <= 5
        assert row.first_seen == members["month"].min()
        assert np.linalg.norm(row.vector) == pytest.approx(1, abs=1e-4)
    fits = assignments[assignments["topic"] != OUTLIER].merge(codebook, on="topic")
    assert (fits["similarity"] >= fits["floor"]).all()
    verbatims = opinions.set_index("feedback_id")["verbatim"]
    assert (assignments["start"] == 0).all()
    assert (assignments["end"] == assignments["feedback_id"].map(verbatims.str.len())).all()


PROCESS = """
import hashlib, sys, pandas as pd
sys.path.insert(0, {tests!r})
from test_codebook import fit, make_opinions
opinions = make_opinions("fa").sort_values("verbatim")
codebook, vectors = fit(opinions, "fa", first_number=101)
print(hashlib.sha256(codebook.to_json().encode()).hexdigest())
"""


def test_another_process_and_another_row_order_give_the_same_bytes(fitted):
    code = PROCESS.format(tests=str(__import__("pathlib").Path(__file__).parent))
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == hashlib.sha256(fitted["fa"][1].to_json().encode()).hexdigest(), ran.stderr


def test_a_verbatim_keeps_its_topic_whatever_stands_beside_it(fitted):
    opinions, codebook, assignments = fitted["en"]
    encoder = fit_encoder("tfidf-svd", opinions["verbatim"], language="en")
    part = opinions.sample(20, random_state=5)
    alone = assign_topics(part, codebook, encode_texts(encoder, part["verbatim"]))
    kept = assignments[assignments["feedback_id"].isin(part["feedback_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, kept)


def test_a_fit_warns_of_nothing(recwarn):
    fit(make_opinions("en", each=15))
    assert [str(warning.message) for warning in recwarn if "vocwb" in warning.filename] == []


@pytest.mark.parametrize("count", [0, 1, 5, 29])
def test_too_few_verbatims_make_an_empty_codebook(count):
    opinions = make_opinions("en").head(count)
    codebook, vectors = fit(opinions)
    assert len(codebook) == 0
    assert set(assign_topics(opinions, codebook, vectors)["topic"]) <= {OUTLIER}


@pytest.mark.parametrize("text", ["late parcel", "!!!", "the"])
def test_many_equal_verbatims_do_not_crash(text):
    opinions = make_opinions("en").head(100).assign(verbatim=text)
    codebook, vectors = fit(opinions)
    assert len(codebook) <= 1
    assert len(assign_topics(opinions, codebook, vectors)) == 100


def test_voices_and_languages_do_not_share_topics(fitted):
    opinions, codebook, _ = fitted["en"]
    encoder = fit_encoder("tfidf-svd", opinions["verbatim"], language="en")
    vectors = encode_texts(encoder, opinions["verbatim"])
    for other in ({"voice": "employee"}, {"language": "bg"}, {"language": "other"}):
        assert set(assign_topics(opinions.assign(**other), codebook, vectors)["topic"]) == {OUTLIER}
    multilingual = assign_topics(opinions.assign(language="bg"), codebook.assign(language="multi"), vectors)
    assert set(multilingual["topic"]) > {OUTLIER}


def test_vectors_of_another_width_are_refused(fitted):
    opinions, codebook, _ = fitted["en"]
    with pytest.raises(EncoderError, match="tfidf-svd-en-"):
        assign_topics(opinions, codebook, np.ones((len(opinions), 3)))


def test_of_equally_similar_topics_the_first_id_is_taken():
    codebook = pd.DataFrame(
        {"codebook_id": "C1", "topic": ["T0002", "T0001"], "voice": "customer", "language": "en", "encoder_id": "e",
         "vector": [[1.0, 0.0], [1.0, 0.0]], "floor": 0.5}
    )  # fmt: skip
    opinions = pd.DataFrame({"feedback_id": ["f"], "verbatim": ["x"], "voice": "customer", "language": "en"})
    assert assign_topics(opinions, codebook, np.array([[1.0, 0.0]]))["topic"].tolist() == ["T0001"]


def test_nothing_to_assign_and_no_topics_give_an_empty_table():
    opinions = make_opinions("en").head(0)
    assert assign_topics(opinions, empty_table("codebook"), np.zeros((0, 2))).empty
