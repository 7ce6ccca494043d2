"""What of a model is trained: all of it, LoRA matrices and the head, or the head alone.

The head is everything behind the encoder's last hidden state: the pooler, where the encoder has one, and the
classifier. It is trained whole in every case: checkpoints of language models hold no classifier and often no pooler,
and a random layer that nobody trains would stand between encoder and classifier.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from transformers import PreTrainedModel

from nucleotune.errors import InputError
from nucleotune.files import write_json

ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"

#: A module of one encoder layer: what stands before the layer's number, and what after it.
_IN_LAYER = re.compile(r"^(?P<stack>.+?)\.\d+\.(?P<name>.+)$")


class Adapter(NamedTuple):
    """A trained LoRA adapter with its head, apart from the encoder it belongs to, as peft writes it.

    weights  tensors by peft's key names: LoRA matrices, the head, biases if they were trained
    config   JSON values of peft's adapter_config.json
    """

    weights: dict[str, torch.Tensor]
    config: dict[str, Any]


def head_modules(classifier: PreTrainedModel) -> list[str]:
    """Names of the modules of the head that hold parameters."""
    prefix = classifier.base_model_prefix
    names = [
        name
        for name, part in classifier.named_children()
        if name != prefix and any(True for _ in part.parameters())
    ]
    pooler = getattr(getattr(classifier, prefix), "pooler", None)
    return names if pooler is None else [f"{prefix}.pooler", *names]


def heads_in_fp32(classifier: PreTrainedModel) -> PreTrainedModel:
    """Let the head compute in fp32 also where autocast has the encoder compute in less, in place; return `classifier`.

    A bf16 logit near 4 moves in steps of 1/32: confident examples would tie, in every curve and rank.
    """
    for name in head_modules(classifier):
        classifier.get_submodule(name).register_forward_pre_hook(_leave_autocast)
    return classifier


def _leave_autocast(
    module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]
) -> tuple[torch.Tensor, ...]:
    """Turn autocast off up to the end of the `with torch.autocast` around: the head ends the forward pass."""
    torch.set_autocast_enabled(inputs[0].device.type, False)
    return tuple(each.float() for each in inputs)


def freeze_encoder(classifier: PreTrainedModel) -> PreTrainedModel:
    """Leave only the head's parameters trainable, in place; return `classifier`."""
    classifier.requires_grad_(False)
    for name in head_modules(classifier):
        classifier.get_submodule(name).requires_grad_(True)
    return classifier


def add_lora(
    model: PreTrainedModel,
    targets: list[str],
    *,
    rank: int,
    alpha: float,
    dropout: float,
    seed: int,
    bias: str = "none",
    trained: Iterable[str] = (),
) -> PeftModel:
    """Freeze `model` and add LoRA matrices (Hu et al. 2022) to its linear modules whose names end in one of `targets`.

    Args:
        model: changed in place.
        targets: module name suffixes, long enough to name only modules of encoder layers.
        rank: columns of the first matrix, rows of the second.
        alpha: the update is alpha / rank times their product.
        dropout: of what enters them.
        seed: of the first matrix; the second begins with zeros.
        bias: `none`, or `all` to train every bias of the model, too.
        trained: names of modules that are trained whole (see `head_modules`).

    Raises:
        InputError: a target names no module, or names one outside the encoder layers. BERT's pooler is a `dense`,
            too: a bare `dense` would adapt it unasked (`attention.output.dense`, `intermediate.dense` do not).
    """
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        bias=bias,
        target_modules=_lora_modules(model, targets),
        modules_to_save=list(trained) or None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return get_peft_model(model, config)


def _lora_modules(model: PreTrainedModel, targets: list[str]) -> list[str]:
    """Full names of the linear modules that `targets` mean, checked."""
    linear = [name for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)]
    chosen = []
    for target in targets:
        named = [name for name in linear if name == target or name.endswith(f".{target}")]
        outside = [name for name in named if not _IN_LAYER.match(name)]
        if not named or outside:
            what = (
                f"also names {outside[0]!r}, outside the encoder layers"
                if outside
                else "names no linear module"
            )
            inside = {match["name"] for name in linear if (match := _IN_LAYER.match(name))}
            raise InputError(
                f"lora target {target!r} {what}; the model has: {', '.join(sorted(inside))}"
            )
        chosen.extend(named)
    return sorted(set(chosen))


def merge_lora(adapted: PeftModel) -> tuple[PreTrainedModel, Adapter]:
    """The plain model with the adapter's updates added to its weights, and the adapter by itself.

    `adapted` is used up.
    """
    weights = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in sorted(get_peft_model_state_dict(adapted).items())
    }
    config = adapted.peft_config["default"].to_dict() | {"inference_mode": True}
    plain = {key: sorted(v) if isinstance(v, set) else v for key, v in config.items()}
    return adapted.merge_and_unload(), Adapter(weights, plain)


def save_adapter(directory: Path, adapter: Adapter) -> None:
    """Write `adapter` into the new `directory`, in the layout that `peft.PeftModel.from_pretrained` reads."""
    directory.mkdir()
    (directory / ADAPTER_WEIGHTS).write_bytes(
        safetensors.torch.save(adapter.weights, metadata={"format": "pt"})
    )
    write_json(directory / ADAPTER_CONFIG, adapter.config)
