"""What a configuration of the promoter study amounts to: data sets, methods, files and their addresses."""

import itertools

import pytest

from nucleotune.config import load_run
from nucleotune.errors import InputError
from nucleotune.plan.asked import asked_methods
from nucleotune.plugins import load_method, load_species
from nucleotune.schemas import read_schema, validate
from nucleotune.simulate.paths import simulated_paths
from nucleotune.sources.registry import read_registry
from nucleotune.stages import ROOT
from nucleotune.studies.promoters.plan import (
    described_promoter_methods,
    promoter_datasets,
    promoter_files,
    promoter_methods,
    task_files,
)
from nucleotune.studies.promoters.protocol import (
    PAPER,
    described_expression,
    described_promoters,
    settings_read,
    species_read,
)
from nucleotune.yaml_files import read_yaml

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
    with pytest.raises(
        InputError, match="task1 have no split 'chromosome' and no data set is left"
    ):
        run(splits=["chromosome"], tasks=["task1"])
    (note,) = run(splits=splits, tasks=["task1", "task3"])["notes"]
    assert note.startswith("promoters.splits: task1 have no split 'chromosome'")
    assert run(splits=splits, positives="epd")["notes"] == []


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
    asked = {"species": ["human-110", "toy"], "tasks": ["task4"], "n_per_class": 10_239}
    study = run(splits=["random", "chromosome"], **asked)
    found = described(study)
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
    alone = described(run(tasks=["task4"]))
    assert alone[0]["title"] == "Toy species (simulated)", "one split needs no mention"


def test_what_tables_say_of_a_method():
    names = ["biotype", "tfidf-tiny", "nt-tiny", "dnabert-5-tiny", "dnabert-6-tiny-centre"]
    study = run(methods=names, tasks=["task3"])
    found = described_promoter_methods(names, study["methods"], study["models"])
    assert [one["kind"] for one in found] == ["reference", "baseline", *["language_model"] * 3]
    assert [one["kmer"] for one in found] == [None, None, None, 5, 6]
    assert [one["truncation"] for one in found] == [None, None, "right", "right", "centre"]


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


def described(study):
    settings = study["config"]["promoters"]
    return described_promoters(promoter_datasets(study["config"]), study["species"], settings)


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, {}),
        ({"positives": "epd"}, {"task1": "positives", "task2": "positives"}),
        ({"margin": 0}, {"task2": "margin"}),
        ({"universe": "all"}, {"task3": "universe"}),
        ({"exclude_tissues": []}, {"task3": "exclude_tissues"}),
        ({"lengths": [300, 500]}, {"task3": "the longest of lengths"}),
        ({"pool": "gtex_joined", "n_per_class": 9}, {"task4": "pool, n_per_class"}),
        ({"drop_overlapping_promoters": True}, {"task4": "drop_overlapping_promoters"}),
        (
            {"fractions": {"train": 0.6, "valid": 0.2, "test": 0.2}},
            {"task3": "fractions", "task4": "fractions"},
        ),
        (
            {"downstream": 100, "tasks": ["task3", "task4"]},
            {"task3": "downstream", "task4": "downstream"},
        ),
        ({"seed": 7, "per_job": 3, "methods": ["dinucleotide"]}, {}),
    ],
)
def test_another_protocol_is_not_comparable_and_its_note_says_why(changes, keys):
    """Only where a task reads the setting: the other tasks stay comparable."""
    asked = {"species": ["human-110"], "lengths": [300, 2000], "n_per_class": 10_239, **changes}
    for one in described(run(**asked)):
        other = keys.get(one["task"])
        assert one["comparable"] == (other is None), one["name"]
        assert one["note"] == (f"settings that differ from the paper's: {other}" if other else "")


def test_paper_run_has_the_papers_settings():
    config = read_yaml(ROOT / "config/paper.yaml")
    study = load_run({"studies": ["promoters"], "promoters": config["promoters"]})
    by_split = {split: [] for split in ("random", "chromosome")}
    for one in described(study):
        by_split[one["split"]].append(one["comparable"])
    assert all(by_split["random"]) and not any(by_split["chromosome"])


def test_expression_table_stands_once_a_species_whatever_the_splits():
    asked = {"species": ["human-110"], "tasks": ["task3"], "splits": ["chromosome"]}

    def found(**changes):
        study = run(**asked, **changes)
        settings = study["config"]["promoters"]
        (one,) = described_expression(
            promoter_datasets(study["config"]), study["species"], settings
        )
        return one["title"], one["comparable"], one["note"]

    title = "Human (GRCh38, Ensembl 110)"
    assert found(lengths=[300]) == (title, True, "")
    note = "settings that differ from the paper's: exclude_tissues"
    assert found(exclude_tissues=[]) == (title, False, note)


def test_examples_depend_on_what_their_task_reads_and_no_more():
    def read(**changes):
        study = run(splits=["random", "chromosome"], positives="epd", **changes)
        settings = study["config"]["promoters"]
        return {
            name: settings_read(settings, one, study["species"]["toy"])
            for name, one in promoter_datasets(study["config"]).items()
        }

    before = read()
    changes = {
        "universe": ("all", "task3"),
        "margin": (5, "task2"),
        "shuffle": ("mononucleotide", "task1"),
        "n_per_class": (50, "task4"),
        "chromosomes": ({"test": ["3"]}, "chromosome"),
        "lengths": ([300, 500, 2000], "nothing"),
        "methods": (["dinucleotide"], "nothing"),
        "per_job": (4, "nothing"),
    }
    for key, (value, where) in changes.items():
        after = read(**{key: value})
        changed = {name for name in after if after[name] != before.get(name, after[name])}
        assert changed == {name for name in after if where in name}, key
    assert set(PAPER) == set().union(*before.values()) & set(PAPER), "no key is never read"


def test_titles_of_a_species_are_not_read_by_its_examples():
    study = run(tasks=["task1", "task4"])
    toy = study["species"]["toy"]
    for one in promoter_datasets(study["config"]).values():
        found = species_read(study["config"]["promoters"], one, toy)
        renamed = {**toy, "title": "Y", "note": "other", "comparable": True, "coding": {}}
        assert species_read(study["config"]["promoters"], one, renamed) == found
        assert set(found) == {"aliases", "biotypes", "expected"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"downstream": 300, "positives": "epd"},
            "300 nt after the TSS do not fit in promoters of 300",
        ),
        (
            {"downstream": 150, "lengths": [100, 300], "tasks": ["task3"]},
            "150 nt after the TSS do not fit in promoters of 100 nt",
        ),
        ({"downstream": 20}, r"sequences of GUE \(task1, task2\) end 50 nt after the TSS"),
        ({"methods": ["gc", "biotype"]}, "promoters.methods: method 'biotype' reads .* task1"),
        (
            {"kmer_methods": ["biotype"]},
            "promoters.kmer_methods: method 'biotype' reads the gene's biotype, which task2",
        ),
    ],
)
def test_settings_that_do_not_fit_stop_before_any_job(changes, message):
    with pytest.raises(InputError, match=message):
        run(**changes)


def test_biotype_is_a_method_of_task_3():
    assert run(methods=["biotype"], tasks=["task3"])["notes"] == []
    assert run(expression_methods=["biotype"])["notes"] == []


def test_lengths_without_300_say_what_is_left_out():
    (note,) = run(lengths=[500], tasks=["task3"])["notes"]
    assert note == "promoters.lengths: without 300 Figure 2 is left out, and Task 3 of Table 2"
    assert run(lengths=[500], tasks=["task4"])["notes"] == []


def test_a_method_reads_at_most_what_its_model_does(tmp_path):
    text = (ROOT / "config/methods/promoters-nt-70.yaml").read_text()
    assert load_method("promoters-nt-70", SHIPPED)["max_tokens"] == 70
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods/long.yaml").write_text(text.replace("max_tokens: 70", "max_tokens: 1001"))
    asked = {"plugins": [str(tmp_path)], "promoters": {"methods": ["long"]}}
    with pytest.raises(InputError, match="1001 is more than .* reads; lower it to at most 1000"):
        load_run({"studies": ["promoters"], **asked})


def test_unknown_numbers_that_must_be_met_are_refused():
    for block in (
        {"epd": {"folder": "a", "name": "b", "expected": {"promoter": 1}}},
        {"gue": {"repository": "a", "commit": "b", "expected": {"dev": 1}}},
        {"gtex": {"release": "v8", "name": "b", "expected": {"gene": 1}}},
    ):
        with pytest.raises(InputError, match="unknown key .*expected"):
            species(promoters=block)
    expected = load_species("human-110", SHIPPED)["promoters"]
    assert expected["gtex"]["expected"] == {"genes": 56_200, "tissues": 54, "kept": 49}
    assert expected["gue"]["expected"]["positives"] == expected["epd"]["expected"]["non_tata"]


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
    study = {"positives": positives, "pool": "gtf"}
    expression = ("genome", "annotation", "expression")
    assert task_files("task3", study) == expression
    assert task_files("task4", study) == expression[:2], "all genes of the annotation"
    assert task_files("task4", {**study, "pool": "gtex_joined"}) == expression
    gue = ("gue_train", "gue_valid", "gue_test")
    epd = ("genome", "promoters", "motifs")
    expected = {"gue": (gue, (*gue, "genome", "promoters")), "epd": (epd, epd)}
    assert (task_files("task1", study), task_files("task2", study)) == expected[positives]
