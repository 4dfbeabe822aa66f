"""Models as coders of polarity: tiny ones that are made here, read by onnxruntime and by transformers."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from vocwb.errors import EncoderError, ProgrammeError
from vocwb.languages import LANGUAGES
from vocwb.programme import parse_programme
from vocwb.schemas import empty_table
from vocwb.understand.hub_coders import code_by_model, load_hub_coder
from vocwb.understand.rules import POLARITIES

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "kind", "late", "bus", "خوب", "بد", "快", "慢"]
# What each word adds to each label's number: negative, neutral, positive.
WEIGHTS = np.zeros((len(WORDS), 3), "f4")
for word, label in (("kind", 2), ("late", 0), ("bus", 1), ("خوب", 2), ("بد", 0), ("快", 2), ("慢", 0)):
    WEIGHTS[WORDS.index(word), label] = 2
SURE = 1 - 2 / (2 + np.exp(2))  # the softmax of (0, 0, 2)
LABELS = {"0": "NEG", "1": "neutral", "2": "Positive"}


def make_folder(folder, *, id2label=LABELS, weights=WEIGHTS, **config):
    """Write a model that adds up the numbers of a text's words, as repositories lay theirs out."""
    onnx, tokenizers = pytest.importorskip("onnx"), pytest.importorskip("tokenizers")
    helper, kind = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=kind.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["words", "wide"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "one"], ["logits"], keepdims=0),
    ]
    inputs = [
        helper.make_tensor_value_info(name, kind.INT64, ["texts", "pieces"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    outputs = [helper.make_tensor_value_info("logits", kind.FLOAT, ["texts", weights.shape[1]])]
    constants = [
        onnx.numpy_helper.from_array(array, name)
        for name, array in (("table", weights), ("last", np.array([2])), ("one", np.array([1])))
    ]
    graph = helper.make_graph(nodes, "sums", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "onnx").mkdir(parents=True)
    (folder / "onnx" / "model.onnx").write_bytes(model.SerializeToString())
    tokeniser = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokeniser.normalizer = tokenizers.normalizers.BertNormalizer()
    tokeniser.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokeniser.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokeniser.enable_padding(length=20)  # as some repositories ship it
    tokeniser.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"id2label": id2label, **config}))
    return folder


def make_feedback(*verbatims):
    ids = [f"f{number}" for number in range(len(verbatims))]
    return pd.DataFrame({"feedback_id": ids, "verbatim": list(verbatims)})


@pytest.fixture(scope="module")
def coder(tmp_path_factory):
    return load_hub_coder(f"onnx:{make_folder(tmp_path_factory.mktemp('models') / 'tiny')}")


def test_a_model_codes_the_polarity_in_any_script_with_its_probability(coder):
    codes = code_by_model(make_feedback("Kind", "late", "bus", "خوب", "慢"), coder)
    assert codes["polarity"].tolist() == ["positive", "negative", "neutral", "positive", "negative"]
    assert np.allclose(codes["probability"], SURE, atol=1e-4)
    assert codes["coder"].unique().tolist() == [coder.name] and coder.name.startswith("model:onnx:")
    assert (codes["category"] == "other").all() and codes["intensity"].isna().all()
    assert (codes.dtypes == empty_table("codes").dtypes).all()


def test_a_text_that_the_model_cannot_read_is_not_judged(coder):
    codes = code_by_model(make_feedback("zzz", "", " \n", "late zzz"), coder)
    assert codes["polarity"].tolist() == ["cannot tell"] * 3 + ["negative"]
    assert codes["probability"].isna().tolist() == [True] * 3 + [False]


def test_codes_do_not_depend_on_what_stands_beside_a_text(coder):
    texts = ["kind late late", "late", "kind " * 700, "", "bus خوب"]
    together = code_by_model(make_feedback(*texts), coder)
    for number, text in enumerate(texts):
        alone = code_by_model(make_feedback(text), coder).iloc[0]
        beside = together.set_index("feedback_id").loc[f"f{number}"]
        assert alone["polarity"] == beside["polarity"]
        assert np.isclose(alone["probability"], beside["probability"], equal_nan=True)


def test_categories_and_spans_of_the_rules_are_taken_over_and_judged_apart(coder):
    feedback = make_feedback("Kind driver. The bus was late", "kind")
    rules = empty_table("codes")
    rules = pd.concat(
        [
            rules,
            pd.DataFrame(
                {
                    "feedback_id": "f0", "coder": "rules", "category": ["staff", "delivery"],
                    "polarity": "mixed", "start": [0, 13], "end": [12, 29],
                }
            ),
        ]
    )  # fmt: skip
    codes = code_by_model(feedback, coder, codes=rules).set_index(["feedback_id", "category"])
    assert codes.loc[("f0", "staff"), "span_polarity"] == "positive"
    assert codes.loc[("f0", "delivery"), "span_polarity"] in (
        "negative",
        "neutral",
    )  # bus and late weigh the same
    assert codes.loc["f0", "polarity"].nunique() == 1
    assert codes.loc[("f1", "other"), "polarity"] == "positive" and len(codes) == 3


def test_labels_of_the_same_polarity_are_added_up(tmp_path):
    stars = {str(at): f"{at + 1} star{'s' if at else ''}" for at in range(5)}
    weights = np.zeros((len(WORDS), 5), "f4")
    weights[WORDS.index("late")] = [
        1,
        1,
        1.5,
        0,
        0,
    ]  # three stars alone is likeliest, but one or two are likelier
    folder = make_folder(tmp_path / "stars", id2label=stars, weights=weights)
    codes = code_by_model(make_feedback("late"), load_hub_coder(f"onnx:{folder}"))
    whole = 2 * np.exp(1) + np.exp(1.5) + 2
    assert codes["polarity"].tolist() == ["negative"]
    assert np.isclose(codes["probability"][0], 2 * np.exp(1) / whole, atol=1e-4)


def test_labels_that_say_nothing_need_their_meaning_from_programme_yml(tmp_path):
    folder = make_folder(tmp_path / "m", id2label={str(at): f"LABEL_{at}" for at in range(3)})
    meant = {"LABEL_0": "positive", "LABEL_1": "neutral", "LABEL_2": "negative"}
    text = "title: T\nquestion: Q\ngoal: loyalty\nsources: [{name: s, files: a.csv, channel: survey, mode: direct,"
    text += " who_started: company, undated: true, columns: {id: i}, verbatims: {v: V}}]\ncoders:\n"
    known = parse_programme(f"{text}  fa: {{model: 'onnx:{folder}', labels: {json.dumps(meant)}}}", name="x")
    coder = load_hub_coder(known.coders["fa"].model, labels=known.coders["fa"].labels)
    assert code_by_model(make_feedback("kind"), coder)["polarity"].tolist() == ["negative"]
    assert parse_programme(f"{text}  en: onnx:{folder}", name="x").coders["en"].labels == {}
    with pytest.raises(ProgrammeError, match=r"'LABEL_0'(.|\n)*positive, negative(.|\n)*labels:"):
        load_hub_coder(f"onnx:{folder}")
    with pytest.raises(ProgrammeError, match="no label: 'LABEL_9'"):
        load_hub_coder(f"onnx:{folder}", labels={**meant, "LABEL_9": "mixed"})
    with pytest.raises(ProgrammeError, match="no polarity: 'good'"):
        load_hub_coder(f"onnx:{folder}", labels={**meant, "LABEL_0": "good"})
    with pytest.raises(ProgrammeError, match="labels"):
        parse_programme(f"{text}  fa: {{model: 'onnx:x', labels: {{LABEL_0: good}}}}", name="x")
    assert set(LANGUAGES) >= set(known.coders) and set(meant.values()) <= set(POLARITIES)


def test_what_is_missing_is_said_with_how_to_get_it(tmp_path):
    with pytest.raises(EncoderError, match=r"no folder(.|\n)*tokenizer\.json"):
        load_hub_coder(f"onnx:{tmp_path}/none")
    folder = make_folder(tmp_path / "a")
    (folder / "config.json").unlink()
    with pytest.raises(EncoderError, match=r"config\.json(.|\n)*optimum-cli"):
        load_hub_coder(f"onnx:{folder}")
    folder = make_folder(tmp_path / "b")
    (folder / "onnx" / "model.onnx").write_bytes(b"half")
    with pytest.raises(EncoderError, match="cannot be read"):
        load_hub_coder(f"onnx:{folder}")
    for name in ("onnx:", "bert", "hub:x"):
        with pytest.raises(EncoderError, match=r"no coder(.|\n)*transformers:NAME(.|\n)*programme\.yml"):
            load_hub_coder(name)


def test_a_model_of_another_kind_is_refused(tmp_path):
    several = make_folder(tmp_path / "a", problem_type="multi_label_classification")
    with pytest.raises(EncoderError, match="one of several labels"):
        load_hub_coder(f"onnx:{several}")
    two = make_folder(tmp_path / "b", id2label={"0": "negative", "1": "positive"})
    with pytest.raises(EncoderError, match=r"3 numbers(.|\n)*2 labels"):
        load_hub_coder(f"onnx:{two}")


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(EncoderError, match=r"pip install transformers torch(.|\n)*onnx:FOLDER"):
        load_hub_coder("transformers:someone/sentiment")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_transformers_reads_a_folder_of_its_own(tmp_path):
    transformers, torch = pytest.importorskip("transformers"), pytest.importorskip("torch")
    make_folder(tmp_path / "onnx")
    config = transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=32, id2label={0: "negative", 1: "positive"},
    )  # fmt: skip
    torch.manual_seed(3)
    network = transformers.BertForSequenceClassification(config).eval()
    network.save_pretrained(tmp_path / "tiny")
    tokeniser = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(tmp_path / "onnx" / "tokenizer.json"), unk_token="[UNK]", pad_token="[PAD]",
        cls_token="[CLS]", sep_token="[SEP]", model_max_length=32,
    )  # fmt: skip
    tokeniser.save_pretrained(tmp_path / "tiny")
    coder = load_hub_coder(f"transformers:{tmp_path / 'tiny'}")
    codes = code_by_model(make_feedback("late bus", "zzz", "kind " * 90), coder)
    with torch.no_grad():
        logits = network(torch.tensor([[2, WORDS.index("late"), WORDS.index("bus"), 3]])).logits[0]
    assert codes["polarity"][0] == ("negative", "positive")[int(logits.argmax())]
    assert np.isclose(codes["probability"][0], float(torch.softmax(logits, 0).max()), atol=1e-4)
    assert codes["polarity"][1] == "cannot tell" and codes["polarity"][2] in ("negative", "positive")
