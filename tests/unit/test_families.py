"""Every family in the registry, from a stand-in of its published files to a trained model's directory."""

import json
import subprocess
import sys

import pytest
import torch

from nucleotune.models.adapters import add_lora, head_modules, merge_lora
from nucleotune.models.checkpoints import prepare_checkpoint
from nucleotune.models.families import FAMILIES
from nucleotune.models.load import build_masked_lm, load_model, load_pretrained, save_model
from nucleotune.models.spec import check_model
from nucleotune.models.standins import TINY, write_standin
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.plugins import load_model as load_model_file
from nucleotune.schemas import read_schema
from nucleotune.stages import ROOT


def make_model(family):
    """A tiny model with the fewest fields that the family asks for."""
    sizes = TINY | {"vocab_size": 69, "max_position_embeddings": 40}
    return {
        "title": family.name,
        "family": family.name,
        "checkpoint": {
            "hub": "a/b",
            "revision": "main",
            "path": None,
            "files": ["config.json", "pytorch_model.bin", "vocab.txt"],
        },
        "tokenizer": {"kind": "kmer", "k": 3, "species": None},
        "max_tokens": 32,
        "architecture": {key: sizes[key] for key in family.required} | dict(family.defaults),
        "parameters": None,
        "licence": "",
        "non_commercial": False,
    }


def test_the_schema_lists_every_family():
    assert read_schema("model")["properties"]["family"]["enum"] == list(FAMILIES)


def test_the_schema_has_every_field_and_choice():
    known = read_schema("model")["properties"]["architecture"]["properties"]
    for family in FAMILIES.values():
        assert set(family.fields) <= known.keys()
        for key, choices in family.choices.items():
            assert set(choices) <= set(known[key]["enum"])


def test_lora_targets_are_the_familys_where_the_model_file_has_none(tmp_path):
    (tmp_path / "models").mkdir()
    for family in FAMILIES.values():
        model = make_model(family)
        text = {key: model[key] for key in ("title", "family", "tokenizer", "max_tokens")}
        text["architecture"] = {key: model["architecture"][key] for key in family.required}
        (tmp_path / "models" / f"{family.name}.yaml").write_text(json.dumps(text))
        loaded = load_model_file(family.name, [tmp_path])
        assert loaded["lora_targets"] == list(family.lora_targets)


def test_the_registry_is_light():
    code = (
        "import sys, nucleotune.models.families;"
        "print(*{'torch', 'numpy', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_from_published_files_to_a_trained_model(tmp_path, family):
    model = check_model(make_model(family))
    files = write_standin(model, tmp_path / "published", seed=1, old_names=True)
    prepare_checkpoint("a", model, files, tmp_path / "checkpoint")
    encoder, report = load_pretrained(model, tmp_path / "checkpoint", seed=1)
    head = head_modules(encoder)
    assert head and report["loaded"]
    assert all(name.startswith(tuple(head)) for name in report["new"])
    adapted = add_lora(
        encoder, list(family.lora_targets), rank=2, alpha=4, dropout=0.0, seed=1, trained=head
    )
    trained, adapter = merge_lora(adapted)
    tokenizer = make_tokenizer(model, tmp_path / "checkpoint")
    save_model(tmp_path / "model", trained, {"model": model}, tokenizer=tokenizer, adapter=adapter)
    loaded, _ = load_model(tmp_path / "model")
    ids = torch.randint(5, 69, (2, 12), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(loaded(input_ids=ids).logits, trained.eval()(input_ids=ids).logits)


@pytest.mark.parametrize(
    "family", [f for f in FAMILIES.values() if f.classes().masked_lm], ids=lambda f: f.name
)
def test_tensors_of_the_stand_in_are_those_of_the_classes(family):
    model = make_model(family)
    own = {n: tuple(t.shape) for n, t in build_masked_lm(model, seed=1).state_dict().items()}
    assert own == family.shapes(model["architecture"])
