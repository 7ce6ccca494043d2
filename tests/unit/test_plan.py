"""What a configuration amounts to: data sets, files and their addresses."""

from types import SimpleNamespace

import pytest

from nucleotune import plan
from nucleotune.config import load_run
from nucleotune.plugins import load_species
from nucleotune.schemas import read_schema, validate
from nucleotune.sources.registry import read_registry
from nucleotune.stages import ROOT
from nucleotune.studies.lncrna import plan as lncrna_plan

REGISTRY = read_registry(ROOT / "resources/sources.tsv")
SHIPPED = [ROOT / "config"]


def species(**keys):
    return validate({"title": "X", **keys}, read_schema("species"), "x.yaml")


def test_datasets_are_species_by_split_and_one_pool_a_split():
    run = load_run({"lncrna": {"species": ["human", "mouse"], "splits": ["paper", "gene"]}})
    datasets = lncrna_plan.lncrna_datasets(run["config"])
    assert list(datasets) == [
        "human_paper",
        "human_gene",
        "mouse_paper",
        "mouse_gene",
        "pooled_paper",
        "pooled_gene",
    ]
    assert datasets["pooled_gene"].species == ("human", "mouse") and datasets["pooled_gene"].pooled


def test_files_of_a_vertebrate():
    ((path, source),) = lncrna_plan.class_files(
        load_species("mouse", SHIPPED), "lncRNA", REGISTRY, "."
    )
    address = (
        "ftp.ensembl.org/pub/release-108/fasta/mus_musculus/ncrna/Mus_musculus.GRCm39.ncrna.fa.gz"
    )
    assert path == f"resources/downloads/{address}"
    assert source.urls[0] == f"https://{address}" and len(source.urls) > 2
    assert source.checksum == "bsdsum"


@pytest.mark.parametrize(
    "collection, folder", [("", ""), ("fungi_x_collection", "fungi_x_collection/")]
)
def test_files_of_a_species_of_ensembl_genomes(collection, folder):
    one = species(
        ensembl={
            "division": "fungi",
            "release": 57,
            "species": "candida_x",
            "assembly": "C1",
            "collection": collection,
        }
    )
    ((_, source),) = lncrna_plan.class_files(one, "mRNA", REGISTRY, ".")
    tail = f"release-57/fungi/fasta/{folder}candida_x/cds/Candida_x.C1.cds.all.fa.gz"
    assert source.urls[0].startswith("https://") and source.urls[0].endswith(tail)
    assert all(
        "//" not in url.removeprefix("https://").removeprefix("http://") for url in source.urls
    )


def test_own_files_are_local_or_downloads(tmp_path):
    one = species(
        coding={
            "files": [
                {"path": "a.fa"},
                {"urls": ["https://example.org/d/b.fa.gz"], "checksum": "none"},
            ]
        },
        noncoding={"files": [{"path": "/abs/c.fa"}]},
    )
    local, remote = lncrna_plan.class_files(one, "mRNA", REGISTRY, "data")
    assert local == ("data/a.fa", None)
    assert remote[0] == "resources/downloads/example.org/d/b.fa.gz" and remote[1].kind == "gzip"
    assert lncrna_plan.class_files(one, "lncRNA", REGISTRY, "data") == [("/abs/c.fa", None)]
    run = SimpleNamespace(species={"x": one}, config={"data_dir": "data"}, registry=REGISTRY)
    files = lncrna_plan.transcript_files(run, plan.Dataset("x_paper", "paper", ("x",)))
    assert [path for path, source in files.values() if source] == [remote[0]]


def test_only_the_papers_data_under_the_papers_split_are_comparable():
    run = load_run({"lncrna": {"species": ["human", "toy"], "splits": ["paper", "gene"]}})
    described = lncrna_plan.describe_datasets(
        lncrna_plan.lncrna_datasets(run["config"]), run["species"]
    )
    assert {one["name"]: one["comparable"] for one in described} == {
        "human_paper": True,
        "human_gene": False,
        "toy_paper": False,
        "toy_gene": False,
    }
    assert all(one["published_as"] == "human" for one in described)


def test_one_feature_baselines_are_reference_lines():
    names = ["cpc2", "gc", "lora-bert", "dinucleotide", "biotype"]
    run = load_run({"lncrna": {"methods": names}})
    described = plan.describe_methods(run["config"]["lncrna"]["methods"], run["methods"])
    kinds = ["baseline", "reference", "language_model", "reference", "reference"]
    assert [one["kind"] for one in described] == kinds


def test_models_are_fetched_for_methods_in_use_only():
    files = {
        "tuned": {"kind": "language_model", "model": "large", "start_from": "first"},
        "first": {"kind": "language_model", "model": "small", "start_from": None},
        "idle": {"kind": "language_model", "model": "other", "start_from": None},
        "line": {"kind": "baseline"},
    }
    methods = {"a": {"x": ["line"], "y": ["tuned", "line"]}, "b": {"z": []}}
    assert plan.used_models(methods, files) == {"large", "small"}
