"""How fast minilm-en encodes real feedback, against sentence-transformers on torch with the same weights.

Both encode the same texts in the same run, in turn, the best of --rounds counting; models are loaded and warm
before the clock starts. "cosine" compares the two vectors of each text (texts without any word piece that the
model knows have no vector here, and are left out: "nothing_known"). "batch_difference" is the largest difference
of a number in a vector between a text alone and the same text among all others. Equal texts are encoded once
here and each time there; --distinct leaves them out for both.

The floor, by arithmetic: a word piece costs a multiplication and an addition for each of 1.77 million weights in
each of 6 layers, 21.2 MFLOP, and 2 x 2 x 384 for each piece of its text and each layer; a text of 30 pieces 0.65
GFLOP. "floor" divides what this file needs by what all cores do together on the model's own largest product,
measured in the same run with onnxruntime: nothing that multiplies in float32 can be faster. One core with AVX-512
does some 250 GFLOP/s when it has the machine for itself, which makes about 390 such texts a second.

On a machine that others use, torch's threads wait for one another and ours do not, which flatters us: --threads 1
gives the ratio that load changes least.

The peer lives in an environment of its own, --peer-python, or one that is made at the first call in the user's
cache folder: some 1 GB with torch for CPU; where pip offers only torch for CUDA, with CUDA's packages, 6 GB.

    python benchmarks/encode.py --data reviews.csv --text review --limit 2000
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
from labelled import read_texts

from vocwb.understand.encoders import encode_texts, fit_encoder
from vocwb.understand.minilm import minilm_folder, open_minilm
from vocwb.understand.onnx_models import open_session

PEER = """
import json, sys, time
import numpy as np, sentence_transformers, torch
folder, texts, out = sys.argv[1:]
texts = json.load(open(texts))
torch.set_num_threads(THREADS)
model = sentence_transformers.SentenceTransformer(folder, device="cpu", local_files_only=True)
model.encode(texts[:64])
print(json.dumps([sentence_transformers.__version__, torch.__version__]), flush=True)
for line in sys.stdin:
    chosen = [texts[at] for at in json.loads(line)] or texts
    began = time.perf_counter()
    vectors = model.encode(chosen, normalize_embeddings=True, show_progress_bar=False)
    seconds = time.perf_counter() - began
    np.save(out, vectors)
    print(seconds, flush=True)
"""


def make_peer() -> Path:
    """Return the Python of the peer's environment in the user's cache folder, made if it is not there."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vocwb" / "peer"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    imports = [str(python), "-c", "import sentence_transformers"]
    if python.exists() and subprocess.run(imports, capture_output=True).returncode == 0:
        return python
    print(f"making the peer's environment in {folder}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    # A build for CPU, where pip is offered one; elsewhere what there is.
    cpu = subprocess.run([*pip, "--no-deps", "torch==2.13.0+cpu"], capture_output=True).returncode == 0
    subprocess.run([*pip, "torch==2.13.0+cpu" if cpu else "torch", "sentence-transformers"], check=True)
    return python


def measure_cores(threads: int) -> float:
    """Return the FLOP/s that all cores do together on 512 word pieces times the widest weights (384 x 1536)."""
    from onnx import TensorProto, helper, numpy_helper

    draw = np.random.default_rng(0)
    rows, table = draw.normal(size=(512, 384)).astype("f4"), draw.normal(size=(384, 1536)).astype("f4")
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [512, width])
        for name, width in (("rows", 384), ("product", 1536))
    ]
    node = helper.make_node("MatMul", ["rows", "table"], ["product"])
    graph = helper.make_graph(
        [node], "product", ends[:1], ends[1:], [numpy_helper.from_array(table, "table")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session, best = open_session(model.SerializeToString()), 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(20):
            began = time.perf_counter()
            list(pool.map(lambda _: [session.run(None, {"rows": rows}) for _ in range(20)], range(threads)))
            best = max(best, threads * 20 * 2 * rows.size * 1536 / (time.perf_counter() - began))
    return best


def count_operations(texts: list[str]) -> tuple[float, float]:
    """Return the FLOP that these texts need in all, and their mean number of word pieces."""
    pieces = np.array([len(one.ids) for one in open_minilm().tokeniser.encode_batch(texts)], float)
    weights = 6 * (4 * 384 * 384 + 2 * 384 * 1536)
    return float((2 * weights * pieces + 6 * 2 * 2 * 384 * pieces**2).sum()), float(pieces.mean())


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--limit", type=int, default=2000, help="so many texts, drawn by --seed; 0 for all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--distinct", action="store_true", help="leave out repeated texts")
    parser.add_argument(
        "--threads", type=int, default=joblib.cpu_count(), help="for both; all cores if not given"
    )
    parser.add_argument("--peer-python", type=Path, help="a Python that can import sentence_transformers")
    options = parser.parse_args()
    texts = read_texts(options.data, options.text).tolist()
    texts = list(dict.fromkeys(texts)) if options.distinct else texts
    draw = np.random.default_rng(options.seed)
    if options.limit and len(texts) > options.limit:
        texts = [texts[at] for at in draw.choice(len(texts), options.limit, replace=False)]
    some = draw.choice(len(texts), min(100, len(texts)), replace=False).tolist()
    threads = options.threads
    os.environ["LOKY_MAX_CPU_COUNT"] = str(threads)  # what vocwb's encoder asks joblib for
    encoder = fit_encoder("minilm-en", [], language="en")
    encode_texts(encoder, texts[:64])

    rates, seconds = [], {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory() as folder:
        listed, out = Path(folder) / "texts.json", Path(folder) / "vectors.npy"
        listed.write_text(json.dumps(texts))
        peer = subprocess.Popen(
            [str(options.peer_python or make_peer()), "-c", PEER.replace("THREADS", str(threads)),
             str(minilm_folder()), str(listed), str(out)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

        def ask(chosen: list[int]) -> tuple[float, np.ndarray]:
            peer.stdin.write(json.dumps(chosen) + "\n")
            peer.stdin.flush()
            return float(peer.stdout.readline()), np.load(out)

        versions = json.loads(peer.stdout.readline())
        for _ in range(options.rounds):
            rates.append(measure_cores(threads))
            began = time.perf_counter()
            vectors = encode_texts(encoder, texts)
            seconds["ours"].append(time.perf_counter() - began)
            spent, theirs = ask([])
            seconds["theirs"].append(spent)
        theirs_alone = np.vstack([ask([at])[1] for at in some])
        peer.stdin.close()
        peer.wait()
    alone = np.vstack([encode_texts(encoder, [texts[at]]) for at in some])
    is_known = vectors.any(axis=1)
    cosine = (vectors[is_known].astype("f8") * theirs[is_known]).sum(axis=1)
    operations, pieces = count_operations(list(dict.fromkeys(texts)))
    rates.append(measure_cores(threads))
    rate = max(rates)
    best = {name: min(values) for name, values in seconds.items()}
    result = {
        "benchmark": "encode",
        "data": options.data.name,
        "n": len(texts),
        "distinct": len(set(texts)),
        "pieces_a_text": round(pieces, 1),
        "threads": threads,
        "ours": {
            "seconds": round(best["ours"], 2),
            "per_second": round(len(texts) / best["ours"], 1),
            "batch_difference": float(np.abs(vectors[some] - alone).max()),
            "nothing_known": int((~is_known).sum()),
        },
        "peers": {
            "sentence-transformers": {
                "seconds": round(best["theirs"], 2),
                "per_second": round(len(texts) / best["theirs"], 1),
                "batch_difference": float(np.abs(theirs[some] - theirs_alone).max()),
                "versions": versions,
            }
        },
        "ratios": {
            "per_second": round(best["theirs"] / best["ours"], 2),
            "cosine_mean": round(float(cosine.mean()), 7),
            "cosine_min": round(float(cosine.min()), 7),
        },
        "floor": {
            "gflop_a_text": round(operations / len(set(texts)) / 1e9, 3),
            "gflop_per_second": round(rate / 1e9),
            "seconds": round(operations / rate, 2),
            "ours_over_floor": round(best["ours"] * rate / operations, 2),
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
