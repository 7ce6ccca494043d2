"""What the library asks of a family of encoders; standard library only, read by the Snakefile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

#: Names and shapes of tensors.
Shapes = dict[str, tuple[int, ...]]

#: Fields that every family has, and needs.
SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
)


class Classes(NamedTuple):
    """The classes that a family is built from; `masked_lm` is None where it has no such head here."""

    config: "type[PreTrainedConfig]"
    classification: "type[PreTrainedModel]"
    masked_lm: "type[PreTrainedModel] | None"


@dataclass(frozen=True)
class Family:
    """All that is special to a family.

    name           `family` of a model file
    classes        imports its classes, in jobs only: from transformers or a module of this package
    required       fields of `architecture` that it cannot do without
    defaults       its other fields. Their defaults say what they hold: true or false, a share (a float), one of
                   `choices` (a text), else a size
    choices        values of fields that are a choice
    fixed          fields of a published config.json in which it has no choice
    settings       of its configuration class, beside `architecture`
    pad_id         id of the padding token in the tokenizer.json of its published model (tokenizer kind `file`; other
                   kinds have their own, which every family takes)
    by_padding     whether it counts positions by the padding token's id in config.json, which must be the tokenizer's
    positions      of an architecture and the padding token's id: tokens that there are positions for; None: no limit
    lora_targets   what LoRA adapts where the model file does not say
    gated          whether its feed-forward layers have a gate: a third matrix
    shapes         of an architecture: names and shapes of all tensors in a published checkpoint, tied ones included
    tied           of these, name -> name of the tensor that it repeats
    counter        name of the counter of positions in a published checkpoint, if it has one
    extras         what a published config.json holds beside the sizes; some of it would run code, or is wrong
    optional       beginnings of names, behind the prefix of the encoder, that a checkpoint may lack. The pooler serves
                   the classifier only
    computed       ends of names in old checkpoints that are no weights but numbers the model computes
    renamed        ends of names in old checkpoints -> today's
    """

    name: str
    classes: Callable[[], Classes]
    required: tuple[str, ...]
    defaults: Mapping[str, Any]
    fixed: Mapping[str, Any]
    pad_id: int
    positions: Callable[[Mapping[str, Any], int], int | None]
    lora_targets: tuple[str, ...]
    shapes: Callable[[Mapping[str, Any]], Shapes]
    tied: Mapping[str, str]
    counter: str | None
    extras: Mapping[str, Any]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    gated: bool = False
    by_padding: bool = False
    optional: tuple[str, ...] = ("pooler.",)
    computed: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields of its `architecture`."""
        return (*self.required, *self.defaults)


def linear(name: str, outputs: int, inputs: int) -> Shapes:
    """Tensors of a linear layer."""
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm(name: str, size: int) -> Shapes:
    """Tensors of a layer norm."""
    return {f"{name}.weight": (size,), f"{name}.bias": (size,)}


def stock_layer(layer: str, hidden: int, inner: int) -> Shapes:
    """What layers of transformers' Bert and Esm have in common."""
    return {
        **linear(f"{layer}.attention.self.query", hidden, hidden),
        **linear(f"{layer}.attention.self.key", hidden, hidden),
        **linear(f"{layer}.attention.self.value", hidden, hidden),
        **linear(f"{layer}.attention.output.dense", hidden, hidden),
        **linear(f"{layer}.intermediate.dense", inner, hidden),
        **linear(f"{layer}.output.dense", hidden, inner),
    }
