"""Models of text classification as coders of polarity: ONNX folders with onnxruntime alone, or transformers.

    coders:
      fa: onnx:models/fa-sentiment            # a folder below the project: an .onnx file, tokenizer.json, config.json
      ar: transformers:CAMeL-Lab/bert-base-arabic-camelbert-da-sentiment
      zh: {model: onnx:models/zh, labels: {LABEL_0: negative, LABEL_1: positive}}

A name after `transformers:` in programme.yml is the permission to download that model, once, into `data/models`;
a folder is never downloaded. Texts are never sent anywhere.
"""

import importlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from scipy.special import softmax

from vocwb.errors import EncoderError, ProgrammeError
from vocwb.paths import project_root
from vocwb.schemas import check_table, empty_table
from vocwb.understand.hub_models import model_folder
from vocwb.understand.onnx_models import open_session, open_tokeniser
from vocwb.understand.rules import CANNOT_TELL, OTHER, POLARITIES

LIBRARIES = ("onnx", "transformers")
_MOST_PIECES = 512
_NAMES = {"pos": "positive", "neg": "negative", "neu": "neutral"}
_STARS = re.compile(r"([1-5])[ _-]?stars?")

Read = Callable[[str], np.ndarray | None]
"""Text -> the model's raw numbers, one a label; None for a text that holds nothing that the model knows."""


class HubCoder(NamedTuple):
    """A model that is ready: its name in `codes`, its labels as polarities, and what reads a text."""

    name: str
    polarities: tuple[str, ...]
    read: Read


def load_hub_coder(name: str, *, labels: Mapping[str, str] | None = None) -> HubCoder:
    """Return the model that a name such as "onnx:models/fa-sentiment" means, to code with by `code_by_model`.

    labels: the model's label -> polarity (one of `rules.POLARITIES`), for labels whose names do not say it; read of
    themselves are positive, negative, neutral, mixed (also pos, neg, neu, "very positive") and "1 star" to "5 stars".
    Raises EncoderError when a package, a folder or a file is missing, the model cannot be had, or does not sort
    texts under single labels; ProgrammeError when it has a label whose meaning is not known.

    >>> load_hub_coder("onnx:/nowhere")
    Traceback (most recent call last):
    vocwb.errors.EncoderError: There is no folder /nowhere for the coder 'onnx:/nowhere'.
    Put there the model's .onnx file, its tokenizer.json and its config.json, or mend the path: it starts from \
the project's root.
    """
    library, _, model = name.partition(":")
    if library not in LIBRARIES or not model.strip():
        raise EncoderError(
            f"There is no coder {name!r}.",
            f"Coders: {', '.join(f'{one}:FOLDER' for one in LIBRARIES)}, transformers:NAME.",
            "Write one of these under `coders` in programme.yml, as in `coders: {fa: onnx:models/fa-sentiment}`.",
        )
    opened = _open_folder if library == "onnx" else _open_transformers
    config, read = opened(name, model.strip())
    return HubCoder(f"model:{name}", _map_labels(name, config, labels or {}), read)


def code_by_model(
    feedback: pd.DataFrame, coder: HubCoder, *, codes: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return `codes` of a model: polarity of each verbatim and how probable the model holds it (0-1).

    feedback: feedback_id, verbatim. codes: those of the rules; their categories, with start and end, are taken
    over, and span_polarity is what the model reads in the span. Without them, and for verbatims that they lack, the
    category is "other": such a model tells how, not of what. Intensity and ask are empty. Labels with the same
    polarity are added up; a verbatim of nothing that the model knows is "cannot tell" without a probability. A text
    gets the same codes whatever stands beside it; what is longer than the model reads is cut.

    >>> coder = HubCoder("model:coin", ("negative", "positive"), lambda text: np.array([0.0, 0.0]))
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "verbatim": ["Late again"]})
    >>> code_by_model(feedback, coder)[["coder", "polarity", "probability"]].values.tolist()
    [['model:coin', 'positive', 0.5]]
    """
    found = feedback[["feedback_id", "verbatim"]].assign(category=OTHER, start=pd.NA, end=pd.NA)
    if codes is not None:
        places = codes[["feedback_id", "category", "start", "end"]].drop_duplicates(
            ["feedback_id", "category"]
        )
        found = found[["feedback_id", "verbatim"]].merge(places, "left", on="feedback_id")
        found["category"] = found["category"].fillna(OTHER)
    if found.empty:
        return empty_table("codes")
    found[["start", "end"]] = found[["start", "end"]].astype("Int64")
    bounds = zip(found["verbatim"], found["start"], found["end"], strict=True)
    spans = [None if pd.isna(start) else text[start:end] for text, start, end in bounds]
    texts = list(dict.fromkeys([*found["verbatim"], *(span for span in spans if span is not None)]))
    judged = dict(zip(texts, _judge_texts(coder, texts), strict=True))
    found["polarity"], found["probability"] = zip(*map(judged.get, found["verbatim"]), strict=True)
    found["span_polarity"] = [None if span is None else judged[span][0] for span in spans]
    found = found.assign(coder=coder.name, intensity=pd.NA, ask=None).drop(columns="verbatim")
    return check_table("codes", found.sort_values(["feedback_id", "category"], ignore_index=True))


def _judge_texts(coder: HubCoder, texts: Sequence[str]) -> list[tuple[str, float]]:
    """Return the likeliest polarity of each text and its probability; of equal ones the first of POLARITIES."""
    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        numbers = list(pool.map(coder.read, texts))
    values = [value for value in POLARITIES if value in coder.polarities]
    columns = np.array([[value == label for value in values] for label in coder.polarities], float)
    judged = []
    for raw in numbers:
        if raw is None:
            judged.append((CANNOT_TELL, np.nan))
            continue
        shares = (softmax(raw.astype("f8")) @ columns).round(4)
        judged.append((values[int(shares.argmax())], float(shares.max())))
    return judged


def _map_labels(name: str, config: dict, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return the polarity of each of the model's labels, in the order of its numbers."""
    known = {str(label).casefold(): value for label, value in labels.items()}
    own = [label for _, label in sorted((int(at), str(label)) for at, label in config["id2label"].items())]
    polarities = [known.get(label.casefold()) or _read_label(label.casefold()) for label in own]
    unknown = [label for label, value in zip(own, polarities, strict=True) if value is None]
    wrong = sorted({value for value in labels.values() if value not in POLARITIES})
    strange = sorted(label for label in labels if str(label).casefold() not in map(str.casefold, own))
    if unknown or wrong or strange:
        raise ProgrammeError(
            f"The labels of the coder {name!r} cannot be read: "
            + "; ".join(
                f"{what} {', '.join(map(repr, which))}"
                for what, which in (("what is", unknown), ("no polarity:", wrong), ("no label:", strange))
                if which
            )
            + ".",
            f"Its labels: {', '.join(own)}. Polarities: {', '.join(POLARITIES)}.",
            f"Write in programme.yml: {{model: {name!r}, labels: {{{(unknown or own)[0]}: negative, ...}}}}; "
            "what each means stands on the model's page.",
        )
    return tuple(polarities)


def _read_label(label: str) -> str | None:
    """Return the polarity that a label names, None where it names none."""
    if stars := _STARS.fullmatch(label):
        return {1: "negative", 2: "negative", 3: "neutral"}.get(int(stars[1]), "positive")
    word = label.removeprefix("very").strip(" _-")
    word = _NAMES.get(word, word)
    return word if word in POLARITIES else None


def _check_kind(name: str, config: dict) -> dict:
    """Return the settings of a model that sorts a text under one of several labels, else raise EncoderError."""
    several = config.get("problem_type") in ("multi_label_classification", "regression")
    if several or len(config.get("id2label") or {}) < 2:
        raise EncoderError(
            f"The coder {name!r} does not sort a text under one of several labels.",
            f"Its problem_type: {config.get('problem_type')}; its labels (id2label): {config.get('id2label')}.",
            "Take a model of text classification with labels such as negative, neutral, positive.",
        )
    return config


def _open_folder(name: str, model: str) -> tuple[dict, Read]:
    folder = project_root() / model
    if not folder.is_dir():
        raise EncoderError(
            f"There is no folder {folder} for the coder {name!r}.",
            remedy="Put there the model's .onnx file, its tokenizer.json and its config.json, or mend the path: "
            "it starts from the project's root.",
        )
    graphs = sorted(folder.rglob("*.onnx"))
    usual = [path for path in (folder / "model.onnx", folder / "onnx" / "model.onnx") if path in graphs]
    graph = (usual or graphs)[:1] if usual or len(graphs) == 1 else []
    missing = [file for file in ("tokenizer.json", "config.json") if not (folder / file).is_file()]
    if not graph or missing:
        there = ", ".join(str(path.relative_to(folder)) for path in graphs) or "none"
        raise EncoderError(
            f"The folder {folder} of the coder {name!r} needs tokenizer.json, config.json and one .onnx file, "
            "or model.onnx.",
            f"ONNX files there: {there}; missing: {', '.join(missing) or 'nothing else'}.",
            "Take them from the model's repository, or export them with: "
            "optimum-cli export onnx --task text-classification.",
        )
    config = _check_kind(name, _read_json(folder / "config.json"))
    most = _read_json(folder / "tokenizer_config.json").get("model_max_length") or _MOST_PIECES
    try:
        tokeniser = open_tokeniser(folder / "tokenizer.json", most=int(min(most, _MOST_PIECES)))
        session = open_session(graph[0])
        outputs = [one.name for one in session.get_outputs()]
        wanted = "logits" if "logits" in outputs else outputs[0]
        labels = _run(session, wanted, tokeniser.encode("a").ids or [0]).size
    except Exception as error:  # onnxruntime and tokenizers raise classes of their own
        raise EncoderError(
            f"The coder {name!r} cannot be read from {folder}: {error}.",
            remedy="Take model.onnx, tokenizer.json and config.json again from where they came from.",
        ) from error
    if labels != len(config["id2label"]):
        raise EncoderError(
            f"The coder {name!r} gives {labels} numbers a text.",
            f"Its config.json names {len(config['id2label'])} labels.",
            "Take model.onnx and config.json of one model, exported for text classification.",
        )
    unknown = {tokeniser.token_to_id(piece) for piece in ("[UNK]", "<unk>")}

    def read(text: str) -> np.ndarray | None:
        pieces = tokeniser.encode(text)
        marked = zip(pieces.ids, pieces.special_tokens_mask, strict=True)
        if not any(piece not in unknown and not mark for piece, mark in marked):
            return None
        return _run(session, wanted, pieces.ids)

    return config, read


def _run(session, wanted: str, pieces: Sequence[int]) -> np.ndarray:
    """Return what a model says of one text; alone, so that no other text can change it."""
    values = {"input_ids": [pieces], "attention_mask": np.ones((1, len(pieces)))}
    feed = {
        one.name: np.asarray(values.get(one.name, np.zeros((1, len(pieces))))).astype(
            "i4" if one.type == "tensor(int32)" else "i8"
        )
        for one in session.get_inputs()
    }
    return session.run([wanted], feed)[0].reshape(-1)


def _read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _open_transformers(name: str, model: str) -> tuple[dict, Read]:
    try:
        library, torch = map(importlib.import_module, ("transformers", "torch"))
    except ImportError as error:
        raise EncoderError(
            f"The coder {name!r} needs the packages transformers and torch, which cannot be imported: {error}.",
            remedy="Install them with: .venv/bin/pip install transformers torch\n"
            "Or write onnx:FOLDER, a folder with the model's ONNX file, tokenizer.json and config.json, which "
            "needs no package.",
        ) from error
    folder = project_root() / model
    where = str(folder) if folder.is_dir() else model

    def load(is_local: bool):
        options = {"cache_dir": str(model_folder()), "local_files_only": is_local}
        network = library.AutoModelForSequenceClassification.from_pretrained(where, **options)
        return library.AutoTokenizer.from_pretrained(where, **options), network.float().eval()

    try:
        try:
            tokeniser, network = load(True)
        except Exception:
            tokeniser, network = load(
                False
            )  # the files are not here: the name is the permission to fetch them
    except Exception as error:  # the library raises its own, and those of the network
        raise EncoderError(
            f"The model of the coder {name!r} is not in {model_folder()} and cannot be downloaded: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}.",
            remedy="Run once where there is a network: .venv/bin/python -c "
            f'"from vocwb.understand.hub_coders import load_hub_coder; load_hub_coder({name!r})"\n'
            f"and copy {model_folder()} here; or write the folder of a model that you have.",
        ) from error
    config = _check_kind(name, network.config.to_dict())
    most = int(min(tokeniser.model_max_length, _MOST_PIECES))

    def read(text: str) -> np.ndarray | None:
        pieces = tokeniser(text, truncation=True, max_length=most, return_tensors="pt")
        known = set(pieces["input_ids"][0].tolist()) - {tokeniser.unk_token_id, *tokeniser.all_special_ids}
        if not known:
            return None
        with torch.no_grad():
            return network(**pieces).logits[0].numpy()

    return config, read
