"""What the analyses of the RBP study find on proteins whose binding is known: the motif, and the 3'UTR."""

import csv

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from nucleotune.attention.profile import position_profile
from nucleotune.baselines import fit_predict
from nucleotune.genome.annotation import read_annotation, write_annotation
from nucleotune.models.load import build_classifier, load_model
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.plugins import load_method
from nucleotune.plugins import load_model as load_model_file
from nucleotune.simulate.paths import rbp_paths
from nucleotune.stages import ROOT
from nucleotune.studies.rbp.attention import FEWEST_BINS, Loaded, analyse_models
from nucleotune.studies.rbp.build import analysis_rows, regions_of, with_properties
from nucleotune.studies.rbp.readers import read_rbpsuite
from nucleotune.studies.rbp.sample import build_examples
from nucleotune.studies.rbp.toy import write_rbp_study
from nucleotune.training.fit import fit

pytestmark = pytest.mark.slow
PATHS = rbp_paths("toy")


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirror")
    write_rbp_study(folder, name="toy", seed=1, genes=150, per_class=700)
    return folder


def examples_of(mirror, rbp, per_class=700):
    places = read_rbpsuite(mirror / PATHS["rbpsuite"], rbp)
    examples, rest, _ = build_examples(places, per_class=per_class, seed=1, min_per_class=50)
    return examples, rest


@pytest.fixture(scope="module")
def trained(mirror, tmp_path_factory):
    """RBP -> predictions of the test rows and the trained model, as the attention analyses take it."""
    method = load_method("bert-rbp-tiny", [ROOT / "config"])
    method["training"] |= {"epochs": 12, "patience": 12}
    model = load_model_file(method["model"], [ROOT / "config"]) | {"checkpoint": None}
    found = {}
    for rbp in ("TOYM", "TOYU"):
        folder = tmp_path_factory.mktemp(rbp)
        result = fit(
            examples_of(mirror, rbp)[0],
            task="classes",
            method=method,
            model=model,
            seed=1,
            threads=1,
            state_dir=folder / "state",
            output_dir=folder / "model",
            labels=("unbound", "bound"),
        )
        classifier, description = load_model(folder / "model")
        tokenizer = make_tokenizer(description["model"], folder / "model")
        loaded = Loaded(classifier.eval(), description["model"], tokenizer, "right")
        found[rbp] = result.predictions.query("split == 'test'"), loaded
    return found


def untrained(loaded):
    return loaded._replace(classifier=build_classifier(loaded.model, seed=5).eval())


def test_the_model_beats_composition(mirror, trained):
    predictions, _ = trained["TOYM"]
    model = roc_auc_score(predictions["label"], predictions["score"])
    line, _ = fit_predict(
        "gc", examples_of(mirror, "TOYM")[0], train_splits=["train"], options={}, seed=1
    )
    line = line[line["split"] == "test"]
    assert roc_auc_score(line["label"], line["score"]) < 0.65
    assert model > 0.85


def test_attention_lies_on_the_motif_after_training_alone(mirror, trained):
    examples, _ = examples_of(mirror, "TOYM")
    rows = examples[(examples["split"] == "test") & (examples["label"] == 1)]
    with open(mirror / PATHS["truth_sites"]) as lines:
        sites = [row for row in csv.DictReader(lines, delimiter="\t") if row["rbp"] == "TOYM"]
    numbers = {record: number for number, record in enumerate(rows["id"])}
    inside = np.zeros((len(rows), 101), dtype=bool)
    for site in sites:
        if site["record"] in numbers:
            inside[numbers[site["record"]], int(site["start"]) : int(site["end"])] = True
    assert inside.any(axis=1).mean() > 0.9
    _, tuned = trained["TOYM"]

    def excess(loaded):
        values = position_profile(
            loaded.classifier,
            loaded.model,
            loaded.tokenizer,
            rows["id"].tolist(),
            rows["sequence"].tolist(),
            layers="all",
        )
        return values[inside].mean() / values[~inside].mean()

    assert excess(tuned) > 3
    assert 0.9 < excess(untrained(tuned)) < 1.1


def test_the_3utr_is_seen_by_heads_after_training_alone(mirror, trained, tmp_path):
    examples, rest = examples_of(mirror, "TOYU")
    rows = analysis_rows(examples, rest, 1000, 1)
    annotation = tmp_path / "annotation.parquet"
    gtf = read_annotation(mirror / PATHS["gtf"], extra=["transcript_support_level"])
    write_annotation(gtf, annotation)
    regions, counts = regions_of(rows, annotation, chain=mirror / PATHS["chain"])
    assert counts["carried_over"] > 0.9 * len(rows)
    _, tuned = trained["TOYU"]
    sequences = with_properties(rows, regions=regions, structures=None)
    models = {"after": tuned, "before": untrained(tuned)}
    summary = analyse_models(models, sequences, seed=1).summary
    region = summary[(summary["property"] == "region") & (summary["kind"] == "3'UTR")]
    found = region.set_index("model")
    # Heads have specialised (Figure 3a), and the most specialised one attends more to [CLS] the more often a sequence
    # is from a 3'UTR (3d); heads of random weights are all alike.
    assert found.loc["after", "cv"] > 0.03 > 0.003 > found.loc["before", "cv"]
    assert found.loc["after", "highest"] > 1.05 > 1.005 > found.loc["before", "highest"]
    assert found.loc["after", "spearman"] > 0.3
    # All samples share a few bins of attention, or the correlation is none: it must be one of the two.
    before = found.loc["before"]
    assert (np.isnan(before["spearman"]) and before["bins"] < FEWEST_BINS) or before[
        "spearman"
    ] <= 0.3


def test_regions_agree_with_the_simulation(mirror, tmp_path):
    places = read_rbpsuite(mirror / PATHS["rbpsuite"], "TOYU")
    annotation = tmp_path / "annotation.parquet"
    gtf = read_annotation(mirror / PATHS["gtf"], extra=["transcript_support_level"])
    write_annotation(gtf, annotation)
    regions, _ = regions_of(places, annotation, chain=mirror / PATHS["chain"])
    truth = pd.read_csv(mirror / PATHS["truth_records"], sep="\t")
    truth = truth[truth["rbp"] == "TOYU"].drop_duplicates("record").set_index("record")
    table = regions[regions["id"].isin(truth.index)]
    centres = table["regions"].str[50]
    expected = table["id"].map(truth["region"])
    known = expected.notna()
    assert known.sum() > 1000
    assert (centres[known] == expected[known]).all()
