"""Tables and figures of every study: entries that the Snakefile can trust, asked without starting Snakemake."""

import inspect
import json
from importlib import import_module

import pytest

from nucleotune.config import load_run
from nucleotune.plan.run import Run
from nucleotune.stages import ROOT
from nucleotune.studies.base import KINDS
from nucleotune.studies.registry import STUDIES
from nucleotune.yaml_files import read_yaml

CONFIGURATIONS = ["demo", *STUDIES, "paper"]


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def run(request):
    return Run.of(load_run(read_yaml(ROOT / f"config/{request.param}.yaml")), STUDIES)


def all_products(run):
    return [product for study in run.datasets for product in STUDIES[study].products(run)]


def test_names_and_files_are_their_own(run):
    products = all_products(run)
    names = [product.name for product in products]
    paths = [path for product in products for path in product.outputs(run.place).values()]
    assert len(names) == len(set(names)) and len(paths) == len(set(paths))
    for product in products:
        folder, endings = KINDS[product.kind]
        assert list(product.outputs(run.place)) == list(endings) and product.title
        assert all(
            path.startswith(f"results/{folder}/") for path in product.outputs(run.place).values()
        )


def test_functions_take_what_they_are_given(run):
    """The name resolves, and its signature takes the arguments; what travels through Snakemake is JSON."""
    for product in all_products(run):
        module, _, name = product.make.partition(":")
        function = getattr(import_module(module), name)
        given = ("files", "a.svg") if product.kind == "figure" else ("files",)
        inspect.signature(function).bind(*given, **product.arguments)
        assert json.loads(json.dumps(product.arguments)) == product.arguments
        for needed in product.needs.values():
            assert isinstance(needed, str) or all(isinstance(path, str) for path in needed)


def test_a_study_shows_what_it_has_data_for():
    lncrna = load_run({"lncrna": {"species": ["human"]}})
    shown = {p.name: p.shown for p in all_products(Run.of(lncrna, STUDIES))}
    assert shown["lncrna_table4"] and shown["lncrna_figure4"]
    assert not shown["lncrna_table5"] and not shown["lncrna_figure5"]  # of the mouse


def test_files_of_a_run_have_its_name():
    run = Run.of(load_run({"run_name": "mine"}), STUDIES)
    (product, *_) = STUDIES["lncrna"].products(run)
    assert product.outputs(run.place)["tsv"] == "results/runs/mine/tables/lncrna_table1.tsv"


def test_every_fills_what_a_data_set_is_given():
    """Against loops that say it plainly."""
    run = Run.of(load_run(read_yaml(ROOT / "config/demo.yaml") | {"seeds": [1, 2]}), STUDIES)
    pattern = "{study}/{dataset}/{method}/{seed}"
    for study in run.datasets:
        expected = []
        for dataset in run.shown[study]:
            for method in run.assigned[study][dataset]:
                for seed in (1, 2):
                    expected.append(f"{study}/{dataset}/{method}/{seed}")
        assert run.every(pattern, study) == expected
        assert run.every("{study}/{dataset}/{method}", study) == [p[:-2] for p in expected[::2]]
        few = run.every(pattern, study, methods=run.language_models)
        assert few == [path for path in expected if path.split("/")[2] in run.language_models]
    assert not any("pooled" in path for path in run.every(pattern, "lncrna"))
