"""What a model is: one `config/models/<name>.yaml`, here as the dict that its schema has already validated.

title         for tables and reports
family        architecture, one of `models.families`
checkpoint    where published weights are and which files are taken, or null: random weights
tokenizer     {kind, k, species}; `kind` is one of
                kmer    overlapping k-mers, stride 1 (DNABERT); k: 3 to 6; with `species`, the name of a token that
                        follows [CLS] (SpeciesLM)
                sixmer  6-mers side by side (Nucleotide Transformer)
                single  one token a nucleotide
                file    the checkpoint's tokenizer.json, read by the tokenizers library (DNABERT-2)
max_tokens    longest input in tokens, special tokens included; a method may lower it (`as_read`)
architecture  fields of the family's transformers config (vocab_size, hidden_size, num_hidden_layers, ...), or null:
              those of the checkpoint
lora_targets  module name suffixes that LoRA adapts, long enough to name only what is meant
parameters    expected number of parameters with a two-label head, or null
licence, note for the reader
"""

from collections.abc import Mapping
from typing import Any

from nucleotune.errors import InputError
from nucleotune.models.architecture import resolve_architecture
from nucleotune.models.families import FAMILIES

TOKENIZER_KINDS = ("kmer", "sixmer", "single", "file")

#: Id of the padding token, by the tokenizer's kind; of kind `file`, the family says it.
PAD_IDS = {"kmer": 0, "sixmer": 1, "single": 0}

#: Token ids are kept as 16-bit numbers.
MAX_VOCABULARY = 2**16

#: `long` of a method: what becomes of sequences longer than its model reads. One without the key truncates them.
LONG = TRUNCATE, WINDOWS = ("truncate", "windows")
#: How outputs of a sequence's windows become its own, and the largest share of a window that the next one repeats.
POOLINGS, MOST_OVERLAP = ("mean", "max"), 0.9

ENCODER_NETWORKS = ("encoder_conv", "encoder_dilated")


def check_model(model: dict[str, Any]) -> dict[str, Any]:
    """Return `model` if its fields agree with each other, else raise InputError naming those that do not.

    A schema sees one key at a time; what it cannot see is checked here, before transformers would either accept it
    in silence or fail deep inside a kernel. The Snakefile comes here, too: standard library only. An architecture
    that is null is checked when the checkpoint has said what it is.
    """
    try:
        if model["family"] not in FAMILIES:
            raise InputError(f"family {model['family']!r}: expected one of {', '.join(FAMILIES)}")
        _check_tokenizer(model["tokenizer"])
        if model.get("checkpoint", {}) is None:
            _check_without_checkpoint(model["tokenizer"])
        if model["architecture"] is not None:
            _check_architecture(model)
    except InputError as error:
        raise InputError(f"model {model['title']!r}: {error}") from None
    return model


def as_read(model: dict[str, Any], method: Mapping[str, Any]) -> dict[str, Any]:
    """`model` with the `max_tokens` of a method that has its own; InputError where that is more than the model's."""
    limit = method.get("max_tokens")
    if limit is None:
        return model
    if limit > model["max_tokens"]:
        raise InputError(
            f"method {method['title']!r}: max_tokens {limit} is more than model {model['title']!r} reads; lower it to"
            f" at most {model['max_tokens']}"
        )
    return {**model, "max_tokens": limit}


def has_windows(method: Mapping[str, Any]) -> bool:
    """Whether a method reads sequences in windows that are longer than its model reads at once."""
    return method.get("long", TRUNCATE) == WINDOWS


def padding_id(model: dict[str, Any]) -> int:
    """Id of the padding token that `model` is built with."""
    return PAD_IDS.get(model["tokenizer"]["kind"], FAMILIES[model["family"]].pad_id)


def _check_tokenizer(tokenizer: dict[str, Any]) -> None:
    kind = tokenizer["kind"]
    if kind not in TOKENIZER_KINDS:
        raise InputError(
            f"tokenizer kind {kind!r} is unknown: expected one of {', '.join(TOKENIZER_KINDS)}"
        )
    if kind == "kmer" and tokenizer.get("k") not in (3, 4, 5, 6):
        raise InputError(
            f"tokenizer.k {tokenizer.get('k')}: kind 'kmer' needs a k-mer length of 3, 4, 5 or 6"
        )
    for key in ("k", "species"):
        if kind != "kmer" and tokenizer.get(key) is not None:
            raise InputError(
                f"tokenizer.{key} belongs to kind 'kmer', but kind is {kind!r}; leave it out"
            )


def _check_without_checkpoint(tokenizer: dict[str, Any]) -> None:
    for found, key, name in (
        (tokenizer["kind"] == "file", "tokenizer kind 'file'", "tokenizer.json"),
        (tokenizer.get("species") is not None, "tokenizer.species", "vocab.txt"),
    ):
        if found:
            raise InputError(
                f"{key} is read from the checkpoint's {name}, but `checkpoint` is null"
            )


def _check_architecture(model: dict[str, Any]) -> None:
    family = model["family"]
    architecture = resolve_architecture(family, model["architecture"])
    tokens, rows = _tokenizer_size(model["tokenizer"]), architecture["vocab_size"]
    if tokens > rows:
        raise InputError(
            f"its tokenizer has {tokens} tokens, but architecture.vocab_size is {rows}; raise it to at least {tokens}"
        )
    if rows > MAX_VOCABULARY:
        raise InputError(
            f"architecture.vocab_size {rows} is more than {MAX_VOCABULARY}, the most that is supported"
        )
    positions = architecture.get("max_position_embeddings")
    usable = FAMILIES[family].positions(architecture, padding_id(model))
    if usable is not None and model["max_tokens"] > usable:
        why = (
            ""
            if usable == positions
            else f" less {positions - usable} that {family} keeps for padding"
        )
        raise InputError(
            f"max_tokens {model['max_tokens']} is more than architecture.max_position_embeddings {positions}{why}: "
            f"positions after it have no embedding; lower max_tokens to at most {usable}"
        )
    if architecture["hidden_size"] % architecture["num_attention_heads"]:
        raise InputError(
            f"architecture.hidden_size {architecture['hidden_size']} is not a multiple of num_attention_heads "
            f"{architecture['num_attention_heads']}"
        )


def _tokenizer_size(tokenizer: dict[str, Any]) -> int:
    """Rows that the token embedding must have at least; of kind `file`, only the file can tell."""
    if tokenizer["kind"] == "kmer":
        return 5 + 4 ** tokenizer["k"] + (tokenizer.get("species") is not None)
    # The published six-mer vocabulary has two more, <eos> and <bos>, for which the published embedding has no rows.
    return {"sixmer": 4 + 4**6 + 5, "single": 5 + 5, "file": 0}[tokenizer["kind"]]


def check_profile_method(method: dict[str, Any], model: dict[str, Any] | None) -> None:
    """Raise InputError if `method` and the encoder's `model` do not fit each other."""
    title, encoder = method["title"], method["network"] in ENCODER_NETWORKS
    if encoder != (model is not None) or encoder != (method["adaptation"] is not None):
        raise InputError(
            f"method {title!r}: network {method['network']!r} needs "
            + (
                "a `model` and an `adaptation`"
                if encoder
                else "`model` and `adaptation` to be null"
            )
        )
    if encoder and model["tokenizer"]["kind"] != "kmer":
        raise InputError(
            f"method {title!r}: a profile is read off overlapping k-mers, but the tokenizer of model "
            f"{model['title']!r} is of kind {model['tokenizer']['kind']!r}"
        )
    if method["faithful"] and not encoder:
        raise InputError(
            f"method {title!r}: `faithful` is about an encoder's k-mers, and it has none"
        )
