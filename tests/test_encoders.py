import json

import numpy as np
import pytest

from vocwb.errors import EncoderError
from vocwb.languages import LANGUAGES
from vocwb.understand.encoders import encode_texts, fit_encoder, load_encoder, load_encoders, save_encoder

WORDS = {
    "en": "parcel late courier refund money app login screen agent rude kind price",
    "fa": "بسته دیر پیک پول برگشت برنامه ورود صفحه پشتیبان بی‌ادب مهربان قیمت",
    "ar": "طرد متأخر مندوب استرداد فلوس تطبيق دخول شاشة موظف وقح لطيف سعر",
    "bg": "пратка закъсня куриер възстановяване пари приложение вход екран служител груб мил цена",
    "zh": "包裹 延迟 快递 退款 金额 应用 登录 屏幕 客服 粗鲁 亲切 价格",
}
languages = pytest.mark.parametrize("language", LANGUAGES)


def make_texts(language, count=120):
    draw = np.random.default_rng(3)
    return [" ".join(draw.choice(WORDS[language].split(), 4)) for _ in range(count)]


@languages
def test_vectors_have_length_one_and_do_not_depend_on_what_stands_beside(language):
    texts = make_texts(language)
    encoder = fit_encoder("tfidf-svd", texts, language=language)
    vectors = encode_texts(encoder, texts)
    assert vectors.dtype == np.float32 and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    alone = np.vstack([encode_texts(encoder, [text]) for text in texts[:10]])
    assert (alone == vectors[:10]).all()
    assert (encode_texts(encoder, texts[::-1])[::-1] == vectors).all()


def test_the_order_and_repetition_of_texts_do_not_change_the_encoder():
    texts = make_texts("en")
    first = fit_encoder("tfidf-svd", texts, language="en", seed=1)
    assert (
        fit_encoder("tfidf-svd", texts[::-1] + texts[:5], language="en", seed=1).encoder_id
        == first.encoder_id
    )
    assert fit_encoder("tfidf-svd", [*texts[1:], "other words"], language="en").encoder_id != first.encoder_id
    assert first.encoder_id.startswith("tfidf-svd-en-") and len(first.encoder_id.split("-")[-1]) == 12


def test_inflected_and_misspelt_words_are_nearer_than_others():
    texts = make_texts("en") + ["the couriers were delayed", "delaying couriers", "delayed courier"] * 10
    encoder = fit_encoder("tfidf-svd", texts, language="en")
    seen, inflected, other = encode_texts(encoder, ["delayed courier", "delays by couriers", "kind price"])
    assert seen @ inflected > 0.5 > seen @ other


@pytest.mark.parametrize(
    "texts", [[], [""], ["!!!", "123"], ["late"], ["late"] * 9, ["late", "late bus", "", "bus", "x"]]
)
def test_tiny_corpora_make_a_small_encoder(texts):
    encoder = fit_encoder("tfidf-svd", texts, language="en")
    vectors = encode_texts(encoder, [*texts, "late", "unheard-of"])
    assert vectors.shape == (len(texts) + 2, len(encoder.arrays["components"]))
    assert not vectors[-1].any()
    assert vectors[-2].any() == any("late" in text for text in texts)
    assert encode_texts(encoder, []).shape == (0, vectors.shape[1])


def test_a_text_without_a_known_word_is_a_row_of_zeros():
    encoder = fit_encoder("tfidf-svd", make_texts("en"), language="en")
    assert not encode_texts(encoder, ["", "😡", "the", "zzz qqq"]).any()


def test_a_saved_encoder_gives_the_same_vectors_and_the_same_bytes(tmp_path):
    texts = make_texts("fa")
    encoder = fit_encoder("tfidf-svd", texts, language="fa")
    path = save_encoder(encoder, tmp_path / "a")
    again = save_encoder(encoder, tmp_path / "b")
    assert path.read_bytes() == again.read_bytes()
    loaded = load_encoders([encoder.encoder_id] * 2, tmp_path / "a")[encoder.encoder_id]
    assert (encode_texts(loaded, texts) == encode_texts(encoder, texts)).all()
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == [
        f"{encoder.encoder_id}.json",
        f"{encoder.encoder_id}.npz",
    ]


def test_a_missing_encoder_is_refused_with_those_that_are_there(tmp_path):
    encoder = fit_encoder("tfidf-svd", make_texts("en"), language="en")
    save_encoder(encoder, tmp_path)
    with pytest.raises(EncoderError, match=encoder.encoder_id):
        load_encoder("tfidf-svd-en-000000000000", tmp_path)


def test_changed_pickled_or_cut_files_are_refused(tmp_path):
    encoder = fit_encoder("tfidf-svd", make_texts("en"), language="en")
    path = save_encoder(encoder, tmp_path)
    facts = json.loads(path.with_suffix(".json").read_text())
    facts["vocabulary"][0] = "other"
    path.with_suffix(".json").write_text(json.dumps(facts))
    with pytest.raises(EncoderError, match="were changed"):
        load_encoder(encoder.encoder_id, tmp_path)
    save_encoder(encoder, tmp_path)
    with path.open("wb") as stream:
        np.savez(stream, weights=np.array([object()]), components=np.zeros((1, 1)))
    with pytest.raises(EncoderError, match="cannot be read"):
        load_encoder(encoder.encoder_id, tmp_path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(EncoderError, match="cannot be read"):
        load_encoder(encoder.encoder_id, tmp_path)


def test_an_unknown_encoder_is_refused_with_the_known_ones_and_where_to_write_it():
    with pytest.raises(EncoderError, match=r"'bert'(.|\n)*tfidf-svd(.|\n)*programme.yml"):
        fit_encoder("bert", ["late"], language="en")
