"""What a configuration of the promoter study amounts to: data sets, methods, files and their addresses."""

import itertools

import pytest

from nucleotune.config import asked_methods, load_run
from nucleotune.plan.promoters import (
    described_promoter_methods,
    described_promoters,
    letters_read,
    promoter_datasets,
    promoter_files,
    promoter_methods,
    task_files,
)
from nucleotune.plugins import ROOT, load_model, load_species, read_schema, validate
from nucleotune.sequence.kmers import encode_kmers
from nucleotune.sequence.sixmers import encode_sixmers
from nucleotune.simulate.paths import simulated_paths
from nucleotune.sources.registry import read_registry

REGISTRY = read_registry(ROOT / "resources/sources.tsv")
SHIPPED = [ROOT / "config"]


def run(**study):
    study = {"species": ["toy"], "methods": ["gc"], **study}
    return load_run({"studies": ["promoters"], "promoters": study})


def datasets(**study):
    return promoter_datasets(run(**study)["config"])


def species(**block):
    return validate({"title": "X", **block}, read_schema("species"), "x.yaml")


def files(one, data_dir="."):
    return promoter_files(one, REGISTRY, data_dir)


def addresses(one):
    return {
        name: source.urls[0].removeprefix("https://") for name, (_, source) in files(one).items()
    }


# Data sets and methods


def test_only_task_3_comes_in_lengths():
    found = datasets(species=["toy", "human-110"], lengths=[300, 2000])
    tasks = ["task1", "task2", "task3-300", "task3-2000", "task4"]
    assert list(found) == [f"{name}_{t}_random" for name in ("toy", "human-110") for t in tasks]
    assert found["toy_task3-2000_random"].length == 2000
    assert {one.length for one in found.values() if one.task != "task3"} == {300}
    assert found["human-110_task4_random"].species == ("human-110",)
    assert not any(one.pooled for one in found.values())


def test_sequences_of_gue_have_no_chromosome_to_hold_out():
    splits = ["random", "chromosome"]
    assert list(datasets(splits=splits, lengths=[300])) == [
        *(f"toy_{t}_random" for t in ("task1", "task2", "task3-300", "task4")),
        *(f"toy_{t}_chromosome" for t in ("task3-300", "task4")),
    ]
    own = datasets(splits=splits, lengths=[300], positives="epd")
    assert len(own) == 8 and own["toy_task1_chromosome"].split == "chromosome"
    assert list(datasets(splits=["chromosome"], tasks=["task1"])) == []


def test_further_methods_go_where_one_table_asks_for_them():
    config = run(
        lengths=[300, 500],
        methods=["gc", "dnabert-3-tiny"],
        kmer_methods=["dnabert-3-tiny", "dnabert-4-tiny"],
        expression_methods=["biotype"],
        truncation_methods=["dnabert-6-tiny-left"],
    )["config"]
    common = ["gc", "dnabert-3-tiny"]
    found = {
        f"{one.task}-{one.length}": promoter_methods(config, one)
        for one in promoter_datasets(config).values()
    }
    assert found == {
        "task1-300": common,
        "task2-300": [*common, "dnabert-4-tiny"],
        "task3-300": [*common, "biotype"],
        "task3-500": [*common, "biotype", "dnabert-6-tiny-left"],
        "task4-300": common,
    }
    every = list(dict.fromkeys(itertools.chain.from_iterable(found.values())))
    assert asked_methods(config, ["promoters"]) == every


def test_only_the_papers_data_under_a_random_split_are_comparable():
    study = run(species=["human-110", "toy"], tasks=["task4"], splits=["random", "chromosome"])
    found = described_promoters(promoter_datasets(study["config"]), study["species"])
    assert [(one["name"], one["comparable"]) for one in found] == [
        ("human-110_task4_random", True),
        ("human-110_task4_chromosome", False),
        ("toy_task4_random", False),
        ("toy_task4_chromosome", False),
    ]
    assert found[0]["title"] == "Human (GRCh38, Ensembl 110), random split"
    assert found[0]["note"] == "" and found[1]["note"] == "whole chromosomes held out"
    assert found[3]["note"].startswith("simulated, ") and found[3]["note"].endswith("held out")
    assert all(one["published_as"] == "human" and one["task"] == "task4" for one in found)
    alone = described_promoters(datasets(tasks=["task4"]), study["species"])
    assert alone[0]["title"] == "Toy species (simulated)", "one split needs no mention"


def test_what_tables_say_of_a_method():
    names = ["biotype", "tfidf-tiny", "nt-tiny", "dnabert-5-tiny", "dnabert-6-tiny-centre"]
    study = run(methods=names)
    found = described_promoter_methods(names, study["methods"], study["models"])
    assert [one["kind"] for one in found] == ["reference", "baseline", *["language_model"] * 3]
    assert [one["kmer"] for one in found] == [None, None, None, 5, 6]
    assert [one["truncation"] for one in found] == [None, None, "right", "right", "centre"]
    assert [one["model"] for one in found] == [None, None, *names[2:4], "dnabert-6-tiny"]


def test_protocol_of_the_paper():
    """Section 3.2; epochs are those of GUE's script, which the paper does not state."""
    config = load_run(
        {"studies": ["promoters"], "promoters": {"species": ["toy"], "methods": ["promoters-nt"]}}
    )
    nt = config["methods"]["promoters-nt"]
    assert nt["adaptation"] == "lora" and nt["training"]["learning_rate"] == 1e-4
    assert [nt["lora"][key] for key in ("rank", "alpha", "dropout")] == [8, 16, 0.05]
    names = [f"promoters-dnabert-{name}" for name in ("2", "3", "4", "5", "6", "3-left")]
    full = run(methods=names)["methods"]
    assert {full[name]["adaptation"] for name in names} == {"full"}
    assert {full[name]["training"]["learning_rate"] for name in names} == {3e-5}
    for method in (nt, *full.values()):
        shared = [method["training"][key] for key in ("batch_size", "warmup_steps", "epochs")]
        assert shared == [32, 50, 4] and method["training"]["weight_decay"] == 0.01


@pytest.mark.parametrize(
    "model", ["dnabert-3", "dnabert-6", "dnabert-4-tiny", "nt-500m-human", "nt-tiny"]
)
def test_letters_read_are_those_of_the_tokenizers(model):
    """A sequence of so many letters is read whole, one letter more is cut."""
    loaded = load_model(model, SHIPPED)
    (n,) = letters_read({model: loaded}).values()
    limit = loaded["max_tokens"]
    sequences = ["A" * n, "A" * (n + 1)]
    if loaded["tokenizer"]["kind"] == "kmer":
        found = encode_kmers(["a", "b"], sequences, k=loaded["tokenizer"]["k"], max_tokens=limit)
    else:
        found = encode_sixmers(["a", "b"], sequences, max_tokens=limit)
    assert found.truncated.tolist() == [False, True]


def test_letters_of_tokens_that_differ_in_length_are_not_known():
    models = {name: load_model(name, SHIPPED) for name in ("dnabert-2", "dnabert-3")}
    assert letters_read(models) == {"dnabert-3": 512}


# Files


def test_files_of_the_paper():
    found = files(load_species("human-110", SHIPPED))
    assert all(
        path == f"resources/downloads/{source.urls[0][8:]}" for path, source in found.values()
    )
    assert addresses(load_species("human-110", SHIPPED)) == {
        "genome": "ftp.ensembl.org/pub/release-110/fasta/homo_sapiens/dna/"
        "Homo_sapiens.GRCh38.dna.primary_assembly.fa.gz",
        "annotation": "ftp.ensembl.org/pub/release-110/gtf/homo_sapiens/Homo_sapiens.GRCh38.110.gtf.gz",
        "expression": "storage.googleapis.com/adult-gtex/bulk-gex/v8/rna-seq/"
        "GTEx_Analysis_2017-06-05_v8_RNASeQCv1.1.9_gene_median_tpm.gct.gz",
        "promoters": "epd.expasy.org/ftp/epdnew/H_sapiens/006/Hs_EPDnew_006_hg38.bed",
        "motifs": "epd.expasy.org/ftp/epdnew/H_sapiens/006/db/promoter_motifs.txt",
        **{
            f"gue_{part}": "huggingface.co/datasets/fm4bio-ning/GUE_public/resolve/"
            f"53d2868a851e78c02e069bb23a9a9b28af3d653f/prom_300_notata/{file}.csv"
            for part, file in {"train": "train", "valid": "dev", "test": "test"}.items()
        },
    }


def test_files_of_the_toy_are_those_that_are_simulated():
    toy = load_species("toy", SHIPPED)
    assert set(addresses(toy).values()) <= set(simulated_paths(toy))


def test_a_species_has_the_files_that_its_blocks_name():
    ensembl = {"division": "plants", "release": 57, "species": "zea_mays", "assembly": "Z1"}
    one = species(ensembl=ensembl, promoters={"dna": "toplevel"})
    found = addresses(one)
    assert set(found) == {"genome", "annotation"}
    tail = "release-57/plants/fasta/zea_mays/dna/Zea_mays.Z1.dna.toplevel.fa.gz"
    assert found["genome"].endswith(tail)
    epd = {"folder": "Z_mays/001", "name": "Zm_EPDnew_001_Z1", "expected": {"promoters": 3}}
    assert set(files(species(promoters={"epd": epd}))) == {"promoters", "motifs"}
    assert files(species(promoters={})) == {}


def test_own_files_come_before_downloads():
    ensembl = {"release": 110, "species": "mus_musculus", "assembly": "GRCm39"}
    own = {"expression": "tpm.gct", "gue_train": "/abs/task1.csv"}
    found = files(species(ensembl=ensembl, promoters={"files": own}), "data")
    assert found["expression"] == ("data/tpm.gct", None)
    assert found["gue_train"] == ("/abs/task1.csv", None)
    assert found["genome"][1] is not None and set(found) == {*own, "genome", "annotation"}


@pytest.mark.parametrize("positives", ["gue", "epd"])
def test_a_task_asks_for_what_it_reads(positives):
    expression = ("genome", "annotation", "expression")
    assert task_files("task3", positives) == task_files("task4", positives) == expression
    gue = ("gue_train", "gue_valid", "gue_test")
    epd = ("genome", "promoters", "motifs")
    expected = {"gue": (gue, (*gue, "genome", "promoters")), "epd": (epd, epd)}
    assert (task_files("task1", positives), task_files("task2", positives)) == expected[positives]
