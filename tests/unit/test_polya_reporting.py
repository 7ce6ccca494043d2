"""Tables 3 and 4 and figures 3 and 6 of the poly(A) study."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import image
from scipy.stats import pearsonr

from nucleotune.plan import describe_methods
from nucleotune.plugins import load_method
from nucleotune.profile_contracts import ProfileExamples, ProfilePredictions
from nucleotune.reporting.tables import render_table
from nucleotune.stages import ROOT
from nucleotune.studies.polya.figures import loss_figure, profiles_figure, typical_genes
from nucleotune.studies.polya.tables import (
    HYPERPARAMETERS,
    TABLES,
    polya_table3,
    polya_table4,
    searches_of,
)

PUBLISHED = ROOT / "resources" / "published"
NAMES = ["bpnet", "specieslm-lora", "specieslm-frozen", "average-profile"]
FILES = {name: load_method(name, [ROOT / "config"]) for name in NAMES}
METHODS = describe_methods(NAMES, FILES)
YEAST = {
    "name": "yeast",
    "title": "Yeast",
    "published_as": "yeast",
    "comparable": True,
    "note": "",
}
TOY = {**YEAST, "name": "toy", "title": "Toy", "comparable": False, "note": "simulated"}

#: As these networks have them with two tracks: 110 K, 92.5 M and 104 M, trainable 2.4 M and 13.8 M.
COUNTS = {
    "bpnet": (111_428, 111_428),
    "specieslm-lora": (92_540_164, 2_373_892),
    "specieslm-frozen": (104_116_998, 13_847_044),
}


def find(table, **keys):
    for name, value in keys.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def training(best_steps=(300, 330)):
    """4,801 training sequences in batches of 32 are 151 steps."""
    return {
        name: [
            {
                "examples": {"train": 4801, "valid": 500},
                "parameters": {"total": total, "trainable": trainable},
                "best_step": step,
            }
            for step in best_steps
        ]
        for name, (total, trainable) in COUNTS.items()
    }


def table3(datasets=(YEAST,), found=None):
    published = pd.read_csv(PUBLISHED / "polya_hyperparameters.tsv", sep="\t")
    logs = {dataset["name"]: training() for dataset in datasets}
    return polya_table3(published, FILES, logs, found or {}, datasets, METHODS)


def test_the_method_files_have_the_papers_hyper_parameters():
    table = table3()
    assert set(table["method"]) == {"BPNet", "SpeciesLM + LoRA", "SpeciesLM, frozen"}
    printed = table[table["published"].notna()]
    assert set(printed["status"]) == {"reached"}
    assert set(HYPERPARAMETERS) - set(printed["metric"]) == {"best_epoch"}
    lora = table[table["method"] == "SpeciesLM + LoRA"].set_index("metric")["measured"]
    assert lora[["filters", "filters_2", "filters_3", "layers"]].tolist() == [512, 256, 128, 4]
    assert lora["best_epoch"] == pytest.approx(315 / 151)
    html = render_table(table, **TABLES[3])
    assert "Learning rate (10^-4)" in html and "0.590" in html


def test_other_data_are_not_comparable():
    table = table3([TOY])
    assert set(table["status"]) == {"not comparable", "not run"}
    missing = table[table["status"] == "not run"]
    assert set(missing["dataset"]) == {"Yeast (as published)"}
    assert set(missing["method"]) == {"BPNet", "SpeciesLM+LoRA", "SpeciesLM"}
    render_table(table, **TABLES[3])


def test_what_a_search_found_stands_beside():
    best = {
        "value": 700.0,
        "trial": 3,
        "parameters": {"training.learning_rate": 2e-3, "sizes.filters": 128, "sizes.layers": 6},
        "trials": 20,
    }
    found = {"yeast": {"bpnet": best | {"examples": "a"}}}
    assert not searches_of(found, {"yeast": "b"})["yeast"]
    table = table3(found=searches_of(found, {"yeast": "a"}))
    found = {"method": "BPNet", "values": "found by search (20 trials)"}
    assert find(table, metric="learning_rate", **found)["measured"] == 20
    assert find(table, metric="layers", **found)["measured"] == 6
    filters = find(table, metric="filters", **found)
    assert (filters["measured"], filters["published"], filters["status"]) == (128, 64, "above")
    assert find(table, metric="batch_size", **found)["measured"] == 32
    # Parameters and epochs were counted of the configured network.
    own = table[table["values"] == found["values"]]
    assert not {"parameters", "trainable", "best_epoch"} & set(own["metric"])
    configured = {"method": "BPNet", "values": "configured"}
    assert find(table, metric="filters", **configured)["measured"] == 64
    assert FILES["bpnet"]["sizes"]["filters"] == 64


def content(**values):
    test = {
        name: {"value": value, "ci_low": value - 0.02, "ci_high": value + 0.02}
        for name, value in values.items()
    }
    return {"splits": {"test": test}, "n_test": 400, "seeds": [1, 2]}


METRICS = {
    "bpnet": content(
        pearson_median=0.73,
        pearson_mean=0.6,
        auprc=0.7,
        auroc=0.93,
        loss=939.2,
        count_pearson=0.3,
        auprc_5nt=0.8,
        auroc_5nt=0.95,
    ),
    "average-profile": content(
        pearson_median=0.2,
        pearson_mean=0.2,
        auprc=0.1,
        auroc=0.6,
        loss=2000.0,
        count_pearson=0.0,
        auprc_5nt=0.2,
        auroc_5nt=0.7,
    ),
}
COMPARISON = pd.DataFrame(
    [
        {
            "method": "bpnet",
            "against": "average-profile",
            "delta_pearson_median": 0.53,
            "ci_low": 0.5,
            "ci_high": 0.56,
            "wilcoxon_p": 1e-9,
        }
    ]
)


def table4(dataset):
    published = pd.read_csv(PUBLISHED / "polya.tsv", sep="\t")
    name = dataset["name"]
    return polya_table4(published, {name: METRICS}, {name: COMPARISON}, [dataset], METHODS)


def test_metrics_stand_beside_the_papers():
    table = table4(YEAST)
    bpnet = {"dataset": "Yeast", "method": "BPNet"}
    statuses = {
        "pearson_median": "reached",
        "pearson_mean": "below",
        "auprc": "above",
        "auroc": "reached",
        "loss": "reached",
        "count_pearson": "not comparable",
        "auprc_5nt": "not comparable",
        "auroc_5nt": "not comparable",
    }
    for metric, status in statuses.items():
        found = find(table, metric=metric, **bpnet)
        assert (found["status"], found["n_test"], found["seeds"]) == (status, 400, 2)
    assert find(table, metric="loss", **bpnet)["published"] == 939.203
    difference = find(table, metric="delta_pearson_median", **bpnet)
    assert difference[["measured", "ci_low", "ci_high"]].tolist() == [0.53, 0.5, 0.56]
    assert find(table, metric="wilcoxon_p", **bpnet)["measured"] == 1e-9
    line = table[table["method"] == "Average profile"]
    assert line["published"].isna().all() and "delta_pearson_median" not in set(line["metric"])
    absent = table[table["dataset"] == "Yeast (as published)"]
    assert set(absent["method"]) == {"SpeciesLM+LoRA", "SpeciesLM"}
    assert set(absent["status"]) == {"not run"}
    html = render_table(table, **TABLES[4])
    assert "AUPRC (5 nt)" in html and "0.950" in html
    assert "Difference from the average profile" in html and "0.8 profile loss" in html


def test_metrics_of_other_data_are_not_comparable():
    table = table4(TOY)
    assert set(table.loc[table["dataset"] == "Toy", "status"]) == {"not comparable"}
    assert set(table.loc[table["status"] == "not run", "method"]) == {
        *("BPNet", "SpeciesLM+LoRA", "SpeciesLM"),
    }


N, LENGTH, TRACKS = 21, 40, ("glucose", "galactose")


@pytest.fixture
def genes():
    """Examples, and predictions that are the better the higher the number of the gene."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(3, (N, 2, LENGTH))
    counts[::2] *= 10  # the others have too few reads to be shown
    table = pd.DataFrame(
        {
            "id": [f"g{i}" for i in range(N)],
            "sequence": "A" * LENGTH,
            "split": "test",
            "group": [f"g{i}" for i in range(N)],
            "seqname": "VII",
            "start": np.arange(N) * 100,
            "end": np.arange(N) * 100 + LENGTH,
            "strand": "+",
        }
    )
    shape = rng.random((N, 2, LENGTH)) * 20
    weight = np.linspace(0.1, 0.95, N)[:, None, None]
    mixed = weight * counts / counts.mean(2, keepdims=True) + (1 - weight) * shape / 10
    profiles = (mixed / mixed.sum(2, keepdims=True)).astype(np.float32)
    order = rng.permutation(N)
    flat = np.full((N, 2, LENGTH), 1 / LENGTH, dtype=np.float32)
    rows = table.iloc[order][["id", "split"]].reset_index(drop=True)
    predictions = {
        # A faithful language model predicts a few positions less.
        "Model": ProfilePredictions(rows, profiles[order, :, :-5], np.zeros((N, 2)), TRACKS),
        "Line": ProfilePredictions(rows, flat, np.zeros((N, 2)), TRACKS),
    }
    return ProfileExamples(table, counts, TRACKS), predictions, profiles


def test_genes_are_chosen_by_rule(genes):
    examples, predictions, profiles = genes
    chosen = typical_genes(examples, predictions, ["Line"])
    # Slowly: all with many reads (g0, g2 ..), by their correlation.
    pearson = {
        i: np.mean([pearsonr(examples.counts[i, t, :-5], profiles[i, t, :-5])[0] for t in range(2)])
        for i in range(0, N, 2)
    }
    ranked = sorted(pearson, key=pearson.get)
    assert [gene.title.split()[0] for gene in chosen] == [f"g{ranked[i]}" for i in (1, 5, 9)]
    worst, middle, best = chosen
    assert f"mean correlation {pearson[ranked[5]]:.2f} (50th percentile)" in middle.title
    np.testing.assert_array_equal(best.counts, examples.counts[ranked[9]])
    np.testing.assert_allclose(best.predicted["Model"], profiles[ranked[9], :, :-5])
    assert worst.pearson["Model"].mean() == pytest.approx(pearson[ranked[1]])
    assert (worst.pearson["Line"] == 0).all()


def drawn(draw, folder):
    paths = [folder / name / "figure.svg" for name in "ab"]
    for path in paths:
        draw(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert np.ptp(image.imread(paths[0].with_suffix(".png"))) > 0.5
    return Path(paths[0]).read_text()


def test_profiles_are_drawn(genes, tmp_path):
    examples, predictions, _ = genes
    shown = {"Toy": typical_genes(examples, predictions, ["Line"])}
    drawn(lambda path: profiles_figure(shown, {"Toy": TRACKS}, path), tmp_path)
    both = {**shown, "Other": typical_genes(examples, predictions, [])}
    profiles_figure(both, dict.fromkeys(both, TRACKS), tmp_path / "both.svg")
    one, two = (image.imread(path) for path in (tmp_path / "a/figure.png", tmp_path / "both.png"))
    assert 1.9 < two.shape[0] / one.shape[0] < 2.1


def test_losses_are_drawn(tmp_path):
    rows = [
        {"epoch": epoch, "split": split, "loss": 100 / (1 + epoch) + 5 * (epoch > 3)}
        for epoch in range(1, 6)
        for split in ("train", "valid")
    ]
    line = [{"epoch": 0.0, "split": split, "loss": 90.0} for split in ("train", "valid")]
    histories = {"Toy": {"Model": [pd.DataFrame(rows)] * 2, "Line": [pd.DataFrame(line)]}}
    drawn(lambda path: loss_figure(histories, path), tmp_path)
