"""Files of models: tokenizer.json, vocab.txt, and the description in a model directory."""

import json
import tempfile
from functools import cache
from pathlib import Path

import tokenizers
from harness import REFUSED, UNDECIDED, Case
from mutations import ODD_CELLS, edit_lines, pack, plain_lines, sometimes
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing

from nucleotune.models.load import build_classifier, load_model, save_model
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.sequence.kmers import single_vocabulary

ODD = (
    *(*ODD_CELLS, None, True, False, -1, 0, 1, 3, 0.5, 1e300, float("nan")),
    *(2**31, 2**32, 2**63, 10**30, [], {}, ["x"], {"x": 1}),
)
SPECIAL = ("[UNK]", "[CLS]", "[SEP]", "[PAD]")


def model(kind, rows):
    return {
        "title": "tiny",
        "family": "bert",
        "tokenizer": {"kind": kind},
        "max_tokens": 16,
        "architecture": {
            "vocab_size": rows,
            "hidden_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 8,
            "max_position_embeddings": 16,
        },
        "parameters": None,
    }


def edited(rng, value, times):
    """A JSON value with odd values, lost and doubled keys somewhere in it."""
    value = json.loads(json.dumps(value))
    for _ in range(times):
        parent = value
        while True:
            keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(parent[key], dict | list) and parent[key] and sometimes(rng, 0.8):
                parent = parent[key]
                continue
            kind = rng.randrange(5)
            if kind == 0:
                del parent[key]
            elif kind == 1 and isinstance(parent, dict):
                parent[rng.choice(ODD_CELLS)] = parent[key]
            elif kind == 2 and isinstance(parent[key], int):
                parent[key] = rng.choice(
                    (parent[key] + 1, -parent[key], 10 * parent[key], float(parent[key]))
                )
            else:
                parent[key] = rng.choice(ODD)
            break
    return value


@cache
def published_tokenizer():
    letters = {token: i for i, token in enumerate((*SPECIAL, *"ACGTN", "AC", "ACG", "TT"))}
    merges = [("A", "C"), ("AC", "G"), ("T", "T")]
    backend = tokenizers.Tokenizer(BPE(vocab=letters, merges=merges, unk_token="[UNK]"))
    backend.add_special_tokens(list(SPECIAL))
    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return json.loads(backend.to_str())


def generate_tokenizer(rng):
    value = edited(rng, published_tokenizer(), rng.choice((0, 0, 1, 1, 2, 3)))
    text = json.dumps(value)
    if sometimes(rng, 0.05):
        text = text[: rng.randrange(len(text))]
    return {"tokenizer.json": pack(rng, text)}


def same_json(one, other):
    """Unlike Python, JSON tells 1 from true and from 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def run_tokenizer(path):
    tokenizer = make_tokenizer(model("file", 12), path)
    encoded = tokenizer.encode(["a", "b"], ["ACGTTN", "TTTTTTACACACGAA"], "right")
    return encoded.tokens.tolist()


def oracle_tokenizer(files):
    lines = plain_lines(files["tokenizer.json"])
    if lines is None:
        return REFUSED
    try:
        unchanged = same_json(json.loads("\n".join(lines)), published_tokenizer())
    except (ValueError, RecursionError):
        return REFUSED
    # ACG TT N; TT TT TT AC AC ACG A A
    return [1, 10, 11, 8, 2, 1, 11, 11, 11, 9, 9, 10, 4, 4, 2] if unchanged else UNDECIDED


def generate_vocabulary(rng):
    lines = [*single_vocabulary(), *(f"species_{i}" for i in range(rng.randrange(3)))]
    edit_lines(rng, lines, ("[PAD]", "A", "\u2028"))
    return {"vocab.txt": pack(rng, "".join(line + "\n" for line in lines))}


def oracle_vocabulary(files):
    lines = plain_lines(files["vocab.txt"])
    tokens = [line.strip() for line in lines or ()]
    while tokens and not tokens[-1]:
        tokens.pop()
    own = single_vocabulary()
    return tokens if tokens[: len(own)] == own else REFUSED


def run_vocabulary(path):
    return make_tokenizer(model("single", 16), path).vocabulary


@cache
def published_model():
    tiny = model("single", 16)
    description = {
        "model": tiny,
        "truncation": "right",
        "labels": {"0": "a", "1": "b"},
        "method": {"view": "transcript", "training": {"micro_batch_tokens": 64}},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        save_model(
            path, build_classifier(tiny, seed=1), description, tokenizer=make_tokenizer(tiny)
        )
        return {file.name: file.read_bytes() for file in path.iterdir()}


def generate_model(rng):
    files = dict(published_model())
    description = json.loads(files["nucleotune.json"])
    if sometimes(rng, 0.8):
        description.pop(
            "files", None
        )  # digests of the other files, which are not what is tried here
    files["nucleotune.json"] = json.dumps(
        edited(rng, description, rng.choice((0, 1, 1, 2)))
    ).encode()
    if sometimes(rng, 0.1):
        name = rng.choice(("model.safetensors", "vocab.txt"))
        data = files[name]
        files[name] = data[: rng.randrange(len(data))]
    return files


def run_model(path):
    built, description = load_model(path)
    return [sum(p.numel() for p in built.parameters()), description["model"]["title"]]


def oracle_model(files):
    names = ("model.safetensors", "vocab.txt")
    if any(files[name] != published_model()[name] for name in names):
        return UNDECIDED
    try:
        description, ours = (
            json.loads(each["nucleotune.json"]) for each in (files, published_model())
        )
    except (ValueError, RecursionError):
        return REFUSED
    if not isinstance(description, dict) or not same_json(description.get("model"), ours["model"]):
        return UNDECIDED
    if "files" in description or "task" in description:
        return UNDECIDED
    labels = description.get("labels", {})
    named = isinstance(labels, dict) and all(isinstance(name, str) for name in labels.values())
    if not named or (labels and (sorted(labels) != ["0", "1"] or labels["0"] == labels["1"])):
        return REFUSED
    # 16 tokens, 16 positions, 2 types, 8 wide: embeddings, layer, pooler, classifier
    return [34 * 8 + 16 + 4 * 72 + 16 + 2 * 72 + 16 + 72 + 18, "tiny"]


CASES = [
    Case("tokenizer", generate_tokenizer, run_tokenizer, oracle_tokenizer),
    Case("vocabulary", generate_vocabulary, run_vocabulary, oracle_vocabulary),
    Case("model description", generate_model, run_model, oracle_model),
]
