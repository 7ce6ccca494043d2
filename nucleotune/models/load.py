"""Build, save and load classifiers: stock transformers classes, safetensors weights, no remote code, no pickles.

A model directory is enough to predict with on another machine:

    model.safetensors   every weight of encoder and head; a LoRA adapter is merged into them
    config.json         transformers' own description, so that `from_pretrained` loads the directory, too
    vocab.txt, tokenizer_config.json   the tokenizer for transformers' BertTokenizer
    nucleotune.json     resolved model and method, truncation side, meaning of the labels, library versions
"""

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertForSequenceClassification

import nucleotune
from nucleotune.errors import InputError
from nucleotune.files import atomic_path, read_json, write_json
from nucleotune.models.spec import check_model
from nucleotune.models.tokenizers import vocabulary
from nucleotune.sequence.kmers import PAD

DESCRIPTION = "nucleotune.json"
WEIGHTS = "model.safetensors"


def build_classifier(model: dict[str, Any], *, seed: int) -> BertForSequenceClassification:
    """A new two-label classifier of the given model, weights drawn from `seed`; torch's own random state is kept.

    Under `torch.device("meta")` only shapes are made.

    Raises:
        InputError: the model's fields disagree, or its parameters are not as many as `parameters` says.
    """
    check_model(model)
    config = BertConfig(
        **model["architecture"], num_labels=2, pad_token_id=PAD, attn_implementation="sdpa"
    )
    config.architectures = ["BertForSequenceClassification"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = BertForSequenceClassification(config)
    found = count_parameters(classifier)["total"]
    if model["parameters"] is not None and found != model["parameters"]:
        raise InputError(
            f"model {model['title']!r}: its architecture has {found:,} parameters, but `parameters` says "
            f"{model['parameters']:,}; correct the one that is wrong (or set parameters: null)"
        )
    return classifier


def count_parameters(module: torch.nn.Module) -> dict[str, int]:
    """Number of parameters: `total` and `trainable`."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in module.parameters()]
    return {
        "total": sum(n for n, _ in sizes),
        "trainable": sum(n for n, trainable in sizes if trainable),
    }


def add_lora(
    classifier: BertForSequenceClassification,
    targets: list[str],
    *,
    rank: int,
    alpha: float,
    dropout: float,
    seed: int,
) -> torch.nn.Module:
    """Freeze the encoder, add LoRA matrices to its modules whose names end in one of `targets`, train the head whole.

    `merge_and_unload()` of the result gives a plain classifier back.

    Raises:
        InputError: a target names no module, or names one outside the encoder layers. BERT's pooler is a `dense`,
            too: a bare `dense` would adapt it unasked (`attention.output.dense`, `intermediate.dense` do not).
    """
    config = LoraConfig(
        task_type="SEQ_CLS",
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=_lora_modules(classifier, targets),
        modules_to_save=["classifier"],
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return get_peft_model(classifier, config)


def _lora_modules(classifier: BertForSequenceClassification, targets: list[str]) -> list[str]:
    """Full names of the linear modules that `targets` mean, checked."""
    linear = [
        name for name, part in classifier.named_modules() if isinstance(part, torch.nn.Linear)
    ]
    chosen = []
    for target in targets:
        named = [name for name in linear if name == target or name.endswith(f".{target}")]
        outside = [name for name in named if ".layer." not in name]
        if not named or outside:
            what = (
                f"also names {outside[0]!r}, outside the encoder layers"
                if outside
                else "names no linear module"
            )
            raise InputError(
                f"lora target {target!r} {what}; the model has: {', '.join(_suffixes(linear))}"
            )
        chosen.extend(named)
    return sorted(set(chosen))


def _suffixes(linear: list[str]) -> list[str]:
    """Module names of one encoder layer, without the layer's number."""
    return sorted(
        {name.split(".layer.")[1].partition(".")[2] for name in linear if ".layer." in name}
    )


def library_versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    libraries = ("torch", "transformers", "peft", "numpy")
    return {
        "nucleotune": nucleotune.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
    }


def save_model(
    directory: str | Path, classifier: BertForSequenceClassification, description: dict[str, Any]
) -> None:
    """Write a model directory, whole or not at all; `description` must hold the resolved `model`."""
    model = description["model"]
    weights = {
        name: tensor.detach().cpu().contiguous() for name, tensor in classifier.state_dict().items()
    }
    tokenizer_config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": False,  # transformers' default would turn every k-mer into [UNK]
        "model_max_length": model["max_tokens"],
    }
    with atomic_path(directory) as temporary:
        temporary.mkdir()
        # Not save_file(): it makes the file readable by its owner alone, which a shared project folder is not.
        (temporary / WEIGHTS).write_bytes(
            safetensors.torch.save(weights, metadata={"format": "pt"})
        )
        classifier.config.to_json_file(temporary / "config.json", use_diff=False)
        (temporary / "vocab.txt").write_text(
            "".join(f"{token}\n" for token in vocabulary(model["tokenizer"]))
        )
        write_json(temporary / "tokenizer_config.json", tokenizer_config)
        write_json(temporary / DESCRIPTION, description)


def load_model(directory: str | Path) -> tuple[BertForSequenceClassification, dict[str, Any]]:
    """Load a model directory: the classifier in evaluation mode on the CPU, and its description.

    Raises:
        InputError: a file is missing or broken, or weights are missing, superfluous or of another shape (lists them).
    """
    directory = Path(directory)
    for name in (DESCRIPTION, WEIGHTS):
        if not (directory / name).is_file():
            raise InputError(
                f"{directory}: no {name} there: not a model directory of nucleotune, or not a whole one"
            )
    description = read_json(directory / DESCRIPTION)
    classifier = build_classifier(description["model"], seed=0)
    try:
        weights = safetensors.torch.load_file(directory / WEIGHTS)
    except safetensors.SafetensorError as error:
        raise InputError(
            f"{directory / WEIGHTS}: broken file ({error}); copy or train the model again"
        ) from error
    load_weights(classifier, weights, directory / WEIGHTS)
    return classifier.eval(), description


def load_weights(
    module: torch.nn.Module, weights: dict[str, torch.Tensor], source: str | Path
) -> None:
    """Copy `weights` into `module`; every one must have its place and its shape, and no place may stay empty.

    transformers would leave a missing weight at its random initial value and only log it.
    """
    own = module.state_dict()
    problems = {
        "missing": sorted(own.keys() - weights.keys()),
        "unexpected": sorted(weights.keys() - own.keys()),
        "of another shape": sorted(
            k for k in own.keys() & weights.keys() if own[k].shape != weights[k].shape
        ),
    }
    if any(problems.values()):
        lists = "; ".join(
            f"{kind} ({len(keys)}): {', '.join(keys)}" for kind, keys in problems.items() if keys
        )
        raise InputError(f"{source}: weights do not fit the model. {lists}")
    module.load_state_dict(weights)


def weights_digest(directory: str | Path) -> str:
    """sha256 of the weights in a model directory."""
    with (Path(directory) / WEIGHTS).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
