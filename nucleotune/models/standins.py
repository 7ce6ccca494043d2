"""Stand-ins for published checkpoints: real file names, key names, vocabularies and oddities; random weights.

With tiny sizes they let download, conversion, loading, fine-tuning and prediction run offline through the very code
that takes the real weights. Key names and shapes are written from the published ones, not taken from the classes that
load them, so that a class which renames its modules is found out.
"""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import tokenizers
import torch

from nucleotune.errors import InputError
from nucleotune.models.families import FAMILIES
from nucleotune.sequence.kmers import kmer_vocabulary, single_vocabulary
from nucleotune.sequence.sixmers import sixmer_vocabulary
from nucleotune.sources.hub import hub_sources
from nucleotune.sources.registry import local_path

#: Sizes of a stand-in; three heads, so that DNABERT-2's slopes are not those of a power of two.
TINY = {
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 96,
}

#: Standard deviation of the weights: ten times that of an untrained encoder, so that hidden states tell sequences
#: apart, as a trained one's do, and a head or an adapter has something to learn from.
SPREAD = 0.05

#: Some of SpeciesLM's species tokens; the others are made up.
SPECIES = (
    "candida_glabrata",
    "schizosaccharomyces_pombe",
    "kazachstania_africana_cbs_2517_gca_000304475",
    "pichia_kudriavzevii_gca_000764455",
)

#: Rows at the end of SpeciesLM's embedding that pad it to a multiple of 64.
_PADDING_ROWS = 40

#: Special tokens of DNABERT-2's tokenizer.json, in the order of their ids.
_BPE_SPECIAL = ("[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]")


def tiny(model: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `model` (with an architecture) with the sizes TINY; vocabulary and positions stay."""
    small = copy.deepcopy(dict(model))
    small["architecture"] |= TINY
    small["parameters"] = None
    return small


def standin_mirror(
    models: Mapping[str, Mapping[str, Any]], mirror: Path, *, seed: int = 1
) -> list[Path]:
    """Write the files of every model with a `checkpoint.hub` into `mirror`; return their paths.

    They lie under `huggingface.co/<repository>/resolve/<revision as written>/`, where a run with `mirrors:` and
    `offline: true` finds them.
    """
    written = []
    for name, model in models.items():
        if model["checkpoint"] is None or model["checkpoint"]["hub"] is None:
            continue
        for source in hub_sources(name, model).values():
            written.append(Path(mirror) / local_path(source.urls[0]))
        write_standin(model, written[-1].parent, seed=seed)
    return written


def write_standin(
    model: Mapping[str, Any], directory: Path, *, seed: int, old_names: bool = False
) -> dict[str, Path]:
    """Write the files named in `checkpoint.files` of `model` into `directory`: name -> path.

    Args:
        model: validated dict, see `models.spec`; its `architecture` gives the sizes.
        directory: made where it is not there.
        seed: of weights and of the tokenizer's training; same seed, same bytes.
        old_names: LayerNorm's parameters are called `gamma` and `beta`, and the file is of the format before PyTorch
            1.6, as in early BERTs.

    Raises:
        InputError: a file is not one that stand-ins know, or the vocabulary is too small for the tokenizer.
    """
    directory.mkdir(parents=True, exist_ok=True)
    family, written = FAMILIES[model["family"]], {}
    for name in model["checkpoint"]["files"]:
        path = written[name] = directory / Path(name).name
        if path.suffix in (".bin", ".safetensors"):
            renamed = family.renamed if old_names else None
            _write_weights(path, published_tensors(model, seed=seed), renamed)
        elif path.name == "config.json":
            # The family's oddities come first: what they contradict is the model's.
            fields = {**family.extras, **model["architecture"]}
            path.write_text(json.dumps(fields, indent=2, sort_keys=True) + "\n")
        elif path.name == "vocab.txt":
            path.write_text("\n".join(_vocabulary(model)) + "\n")
        elif path.name == "tokenizer.json":
            path.write_text(_bpe(model["architecture"]["vocab_size"], seed))
        else:
            raise InputError(f"model {model['title']!r}: stand-ins have no file {name!r}")
    return written


def published_shapes(model: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors in a published checkpoint of the model's family, tied ones included."""
    return FAMILIES[model["family"]].shapes(model["architecture"])


def published_tensors(model: Mapping[str, Any], *, seed: int) -> dict[str, torch.Tensor]:
    """Random tensors of `published_shapes`, and the position counter; the decoder is tied where the original's is."""
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in published_shapes(model).items():
        values = SPREAD * rng.standard_normal(shape, dtype=np.float32)
        is_scale = len(shape) == 1 and name.endswith(".weight")  # of a layer norm
        tensors[name] = torch.from_numpy(values + np.float32(is_scale))
    family = FAMILIES[model["family"]]
    for name, source in family.tied.items():
        tensors[name] = tensors[source]
    if family.counter:
        positions = torch.arange(model["architecture"]["max_position_embeddings"])[None]
        tensors[family.counter] = positions
    return tensors


def _write_weights(
    path: Path, tensors: dict[str, torch.Tensor], renamed: Mapping[str, str] | None
) -> None:
    """Write tensors; with `renamed` (old end of a name -> today's) as early BERTs were."""
    if path.suffix == ".safetensors":
        path.write_bytes(safetensors.torch.save({k: t.clone() for k, t in tensors.items()}))
        return
    for old, new in (renamed or {}).items():
        tensors = {
            f"{name.removesuffix(new)}{old}" if name.endswith(new) else name: tensor
            for name, tensor in tensors.items()
        }
    torch.save(tensors, path, _use_new_zipfile_serialization=renamed is None)


def _vocabulary(model: Mapping[str, Any]) -> list[str]:
    """All lines of the published vocab.txt."""
    tokenizer, rows = model["tokenizer"], model["architecture"]["vocab_size"]
    if tokenizer["kind"] == "sixmer":
        return sixmer_vocabulary()
    if tokenizer["kind"] == "single":
        return single_vocabulary()
    kmers = kmer_vocabulary(tokenizer["k"])
    if tokenizer["species"] is None:
        return kmers
    count = rows - len(kmers) - _PADDING_ROWS
    if count < len(SPECIES):
        raise InputError(
            f"model {model['title']!r}: architecture.vocab_size {rows} has no room for species"
        )
    made_up = (f"fungus_species_{i:04d}" for i in range(len(SPECIES), count))
    return [*kmers, *SPECIES, *made_up]


def _bpe(vocab_size: int, seed: int) -> str:
    """A tokenizer.json of DNABERT-2's kind, trained on random DNA."""
    rng = np.random.default_rng(seed)
    backend = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token=_BPE_SPECIAL[0]))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    backend.train_from_iterator(
        ("".join(rng.choice(list("ACGT"), 200)) for _ in range(2000)),
        tokenizers.trainers.BpeTrainer(
            vocab_size=vocab_size, special_tokens=list(_BPE_SPECIAL), show_progress=False
        ),
    )
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return backend.to_str(pretty=True) + "\n"
