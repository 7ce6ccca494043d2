"""What a model is: one `config/models/<name>.yaml`, here as the dict that its schema has already validated.

title         for tables and reports
family        the stock transformers architecture: `bert`
tokenizer     {kind: kmer, k: 3}
max_tokens    longest input in tokens, [CLS] and [SEP] included
architecture  fields of the family's transformers config (vocab_size, hidden_size, num_hidden_layers, ...)
lora_targets  module name suffixes that LoRA adapts, long enough to name only what is meant
parameters    expected number of parameters with a two-label head, or null
licence, note for the reader
"""

from typing import Any

from nucleotune.errors import InputError

FAMILIES = ("bert",)

#: [PAD], [UNK], [CLS], [SEP], [MASK]
SPECIAL_TOKENS = 5


def check_model(model: dict[str, Any]) -> dict[str, Any]:
    """Return `model` if its fields agree with each other, else raise InputError naming the two that do not.

    A schema sees one key at a time; what it cannot see is checked here, before transformers would either accept it
    in silence or fail deep inside a kernel. The Snakefile comes here, too: standard library only.
    """
    title, architecture = model["title"], model["architecture"]
    if model["family"] not in FAMILIES:
        raise InputError(
            f"model {title!r}: family {model['family']!r}: expected one of {', '.join(FAMILIES)}"
        )
    kind = model["tokenizer"]["kind"]
    if kind != "kmer":
        raise InputError(f"model {title!r}: tokenizer kind {kind!r} is unknown: expected kmer")
    tokens = SPECIAL_TOKENS + 4 ** model["tokenizer"]["k"]
    if tokens > architecture["vocab_size"]:
        raise InputError(
            f"model {title!r}: its tokenizer has {tokens} tokens, but architecture.vocab_size is "
            f"{architecture['vocab_size']}; raise it to at least {tokens}"
        )
    if model["max_tokens"] > architecture["max_position_embeddings"]:
        raise InputError(
            f"model {title!r}: max_tokens {model['max_tokens']} is more than architecture.max_position_embeddings "
            f"{architecture['max_position_embeddings']}: positions after it have no embedding"
        )
    if architecture["hidden_size"] % architecture["num_attention_heads"]:
        raise InputError(
            f"model {title!r}: architecture.hidden_size {architecture['hidden_size']} is not a multiple of "
            f"num_attention_heads {architecture['num_attention_heads']}"
        )
    return model
