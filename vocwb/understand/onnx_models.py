"""Transformers in ONNX form: texts to vectors with onnxruntime, without padding, on every core."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
from tqdm import tqdm

_UNKNOWN = ("[UNK]", "<unk>")


class OnnxModel(NamedTuple):
    """A session, its tokeniser, how word pieces become one vector ("mean" or "cls"), and how many run at once.

    prompt: what the model's makers put before each text. batch: about how many word pieces go into one run;
    1 is one text a run, for models whose numbers depend on the other texts of a run, as quantised ones do.
    """

    session: object
    tokeniser: object
    pooling: str
    prompt: str = ""
    batch: int = 1


def open_session(model: bytes | Path):
    """Return an onnxruntime session that uses one thread a run: runs go side by side, which wastes less.

    >>> open_session(Path("model.onnx"))  # doctest: +SKIP
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # its builds for Windows have them on
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(model) if isinstance(model, Path) else model, options, providers=["CPUExecutionProvider"]
    )


def open_tokeniser(path: Path, *, most: int):
    """Return the tokeniser of a `tokenizer.json` that cuts a text after `most` word pieces and does not pad.

    >>> open_tokeniser(Path("tokenizer.json"), most=256)  # doctest: +SKIP
    """
    from tokenizers import Tokenizer

    tokeniser = Tokenizer.from_file(str(path))
    tokeniser.enable_truncation(most)
    tokeniser.no_padding()
    return tokeniser


def encode_with_onnx(model: OnnxModel, texts: Sequence[str]) -> np.ndarray:
    """Return a float32 row of length 1 for each text, of zeros for one that has no known word piece.

    Texts of one run have the same number of word pieces, so that none is padded: no work is wasted, and the
    others of a run cannot change a text's vector.

    >>> encode_with_onnx(model, ["late bus"])  # doctest: +SKIP
    """
    pieces = _cut_texts(model, texts)
    runs = _plan_runs(np.array([len(one) for one in pieces], int), model.batch)
    vectors = np.zeros((len(texts), _encode_run(model, [[0]]).shape[1]), "f4")
    with (
        ThreadPoolExecutor(joblib.cpu_count()) as pool,
        tqdm(total=sum(map(len, runs)), desc="encoding", disable=None, leave=False) as bar,
    ):
        found = pool.map(lambda run: _encode_run(model, [pieces[at] for at in run]), runs)
        for run, rows in zip(runs, found, strict=True):
            vectors[run] = rows
            bar.update(len(run))
    return vectors


def _cut_texts(model: OnnxModel, texts: Sequence[str]) -> list[np.ndarray]:
    """Return the ids of each text's word pieces, none where the model knows none of them."""
    unknown = {model.tokeniser.token_to_id(piece) for piece in _UNKNOWN}
    found = []
    for start in range(0, len(texts), 1000):
        # A lone surrogate, half of a character that was cut in two, is not text for the tokeniser.
        clean = [
            model.prompt + text.encode("utf-8", "replace").decode("utf-8") if text.strip() else ""
            for text in texts[start : start + 1000]
        ]
        for one in model.tokeniser.encode_batch(clean):
            marked = zip(one.ids, one.special_tokens_mask, strict=True)
            known = any(piece not in unknown and not mark for piece, mark in marked)
            found.append(np.array(one.ids if known else [], "i4"))
    return found


def _plan_runs(lengths: np.ndarray, batch: int) -> list[np.ndarray]:
    """Return the texts' positions by run, each of one length; long ones first, so that no core waits at the end."""
    order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
    groups = np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1) if len(order) else []
    sizes = [max(1, batch // lengths[group[0]]) for group in groups]
    return [
        group[at : at + size]
        for group, size in zip(groups, sizes, strict=True)
        for at in range(0, len(group), size)
    ]


def _encode_run(model: OnnxModel, pieces: Sequence) -> np.ndarray:
    """Return the vectors of texts that have the same number of word pieces."""
    values = {"input_ids": np.array(pieces), "attention_mask": np.ones(np.shape(pieces), int)}
    feed = {
        one.name: values.get(one.name, np.zeros(np.shape(pieces), int)).astype(
            "i4" if one.type == "tensor(int32)" else "i8"
        )
        for one in model.session.get_inputs()
    }
    names = [one.name for one in model.session.get_outputs()]
    wanted = "sentence_embedding" if "sentence_embedding" in names else names[0]
    states = model.session.run([wanted], feed)[0].astype("f8")
    # numpy adds the rows of a text in their order; onnxruntime's own mean depends on how many texts there are.
    pooled = states if states.ndim == 2 else states[:, 0] if model.pooling == "cls" else states.mean(axis=1)
    lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
    return (pooled / np.where(lengths > 0, lengths, 1)).astype("f4")
