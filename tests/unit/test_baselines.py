import functools
import itertools
import json
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

from nucleotune import baselines
from nucleotune.baselines import fit_predict
from nucleotune.baselines.svm import fit_svm, search_grid
from nucleotune.contracts import check_examples, check_predictions
from nucleotune.errors import InputError
from nucleotune.schemas import read_schema
from nucleotune.sequence.composition import gc_content, phase_counts

SVM_OPTIONS = {"c_grid": [10.0], "gamma_grid": [0.1], "folds": 3, "max_train": 1_000}
OPTIONS = {
    "cpc2": SVM_OPTIONS,
    "plek": SVM_OPTIONS,
    "lncfinder": SVM_OPTIONS,
    "tfidf": {"ngram_ranges": [[3, 4]], "c_grid": [1.0]},
    "mdeep": {
        "max_length": 300,
        "orf": {"epochs": 20, "batch_size": 8},
        "kmers": {"epochs": 2, "batch_size": 16},
        "convolution": {"epochs": 2, "batch_size": 16},
        "fusion": {"epochs": 6, "batch_size": 8},
    },
    "graphprot": {
        **{"radius": 1, "distance": 4, "bitsize": 14, "sequence_only": True},
        **{"epochs": 10, "lambda": 1e-3},
    },
    "length": {},
    "gc": {},
    "orf_length": {},
    "start_codon": {},
    "dinucleotide": {},
    "biotype": {},
}
# Folding takes too long for these examples, and networks without padding need sequences of one length: see
# test_lncfinder.py, test_ideeps.py and test_hocnnlb.py; those of every kind of labels: test_rivals.py.
ELSEWHERE = (
    *("lncfinder_structure", "ideeps", "hocnnlb"),
    *("majority", "onehot", "cnn", "boosted"),
)
BASELINES = [name for name in baselines.MODULES if name not in ELSEWHERE]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """For `mdeep`: its matrices are small here, and more threads would wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def transcript(rng: np.random.Generator, coding: bool) -> str:
    """A GC-rich coding transcript that begins with a long ORF, or a shorter AT-rich one with none."""
    p = [0.2, 0.3, 0.3, 0.2] if coding else [0.3, 0.2, 0.2, 0.3]
    sequence = "".join(rng.choice(list("ACGT"), rng.integers(300, 450) + 250 * coding, p=p))
    if not coding:
        return sequence.replace("ATG", "ACG")
    codons = ["GCC", "CTG", "GAG", "AAG", "GGC"]
    orf = "ATG" + "".join(rng.choice(codons, 80)) + "TAA"
    return "ATG" + sequence[3:60] + orf + sequence[300:]


@pytest.fixture(scope="module")
def examples() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    splits = ["train"] * 120 + ["valid"] * 40 + ["test"] * 40
    labels = [i % 2 for i in range(len(splits))]
    return check_examples(
        pd.DataFrame(
            {
                "id": [f"t{i}" for i in range(len(splits))],
                "sequence": [transcript(rng, coding=label == 0) for label in labels],
                "label": labels,
                "split": splits,
                "group": [f"g{i}" for i in range(len(splits))],
                "gene_biotype": [("protein_coding", "lncRNA")[label] for label in labels],
            }
        )
    )


def run(baseline, examples, *, options=None, seed=1, train_splits=("train",)):
    options = OPTIONS[baseline] if options is None else options
    return fit_predict(baseline, examples, train_splits=train_splits, options=options, seed=seed)


@pytest.fixture(scope="module")
def fitted(examples):
    """Function: predictions of a baseline, its summary, and the warnings of the fit, which is done once."""

    @functools.cache
    def fit(baseline):
        with warnings.catch_warnings(record=True, action="always") as caught:
            return *run(baseline, examples), caught

    return fit


@pytest.mark.slow
@pytest.mark.parametrize("baseline", BASELINES)
def test_separates_an_easy_set(baseline, examples, fitted):
    predictions, info, _ = fitted(baseline)
    check_predictions(predictions)
    expected = examples[examples["split"] != "train"]
    assert predictions["id"].tolist() == expected["id"].tolist()
    assert predictions["label"].tolist() == expected["label"].tolist()
    assert (predictions["predicted"] == predictions["label"]).mean() > 0.9
    of_class = predictions.groupby("label")["score"].median()
    assert of_class[1] > of_class[0], "a higher score must mean label 1"
    threshold = 0 if baseline in ("cpc2", "plek", "lncfinder") else 0.5
    assert (predictions["predicted"] == (predictions["score"] > threshold)).all()
    assert json.loads(json.dumps(info, allow_nan=False)) == info
    assert info["rows_used"] == 120
    assert info["train_rows"] == {"label_0": 60, "label_1": 60}
    assert info["predicted_rows"] == {"test": 40, "valid": 40}
    assert set(info["seconds"]) == {"features", "fit", "predict"}


@pytest.mark.parametrize("baseline", BASELINES)
def test_same_seed_same_predictions(baseline, examples, fitted):
    options = OPTIONS[baseline]
    if "max_train" in options:
        options = {**options, "max_train": 40, "c_grid": [1.0, 10.0]}
        first, info = run(baseline, examples, options=options)
    else:
        first, info, _ = fitted(baseline)
    again, info_again = run(baseline, examples, options=options)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert {**info, "seconds": 0} == {**info_again, "seconds": 0}
    if "max_train" in options:
        other, _ = run(baseline, examples, options=options, seed=5)
        assert not np.array_equal(first["score"], other["score"]), "the seed draws the rows"


def test_predictions_do_not_depend_on_labels_of_scored_rows(examples, fitted):
    flipped = examples.copy()
    scored = flipped["split"] != "train"
    flipped.loc[scored, "label"] = 1 - flipped.loc[scored, "label"]
    for baseline in BASELINES:
        before, after = fitted(baseline)[0], run(baseline, flipped)[0]
        np.testing.assert_array_equal(before["score"], after["score"])


def test_other_splits_can_be_trained_on_too(examples):
    more = examples.copy()
    more.loc[more.index[:20], "split"] = "pretrain"
    assert run("gc", more)[1]["rows_used"] == 100
    assert run("gc", more, train_splits=("pretrain", "train"))[1]["rows_used"] == 120


def test_unknown_baseline_lists_the_known(examples):
    known = ", ".join(baselines.MODULES)
    with pytest.raises(InputError, match=f"'cpc3'.*{known}"):
        run("cpc3", examples, options={})


def test_training_on_a_scored_split_is_refused(examples):
    with pytest.raises(InputError, match="'valid' is scored"):
        run("gc", examples, train_splits=("train", "valid"))


@pytest.mark.parametrize("baseline", BASELINES)
def test_one_class_is_refused(baseline, examples):
    kept = examples[(examples["split"] != "train") | (examples["label"] == 1)]
    with pytest.raises(InputError, match="0 rows of label 0 and 60 of label 1"):
        run(baseline, kept)


def test_nothing_to_train_on_or_to_score_is_refused(examples):
    with pytest.raises(InputError, match="pretrain hold 0 rows"):
        run("gc", examples, train_splits=("pretrain",))
    with pytest.raises(InputError, match="valid or test"):
        run("gc", examples[examples["split"] == "train"])


def test_tfidf_chooses_by_auroc_on_the_valid_split(examples):
    # A quarter of the labels wrong: no combination is perfect.
    wrong = np.random.default_rng(0).random(len(examples)) < 0.25
    examples = examples.assign(label=examples["label"] ^ wrong)
    grid = {"ngram_ranges": [[1, 1], [4, 4], [3, 4]], "c_grid": [0.01, 10.0]}
    chosen, info = run("tfidf", examples, options=grid)
    alone, aurocs = {}, {}
    for n_grams, c in itertools.product(grid["ngram_ranges"], grid["c_grid"]):
        options = {"ngram_ranges": [n_grams], "c_grid": [c]}
        alone[*n_grams, c], info_alone = run("tfidf", examples, options=options)
        assert info_alone["valid_auroc"] is None
        valid = alone[*n_grams, c].query("split == 'valid'")
        aurocs[*n_grams, c] = roc_auc_score(valid["label"], valid["score"])
    assert len(set(aurocs.values())) > 1
    best = max(aurocs, key=aurocs.get)
    assert (*info["ngram_range"], info["C"]) == best
    assert info["valid_auroc"] == pytest.approx(aurocs[best])
    pd.testing.assert_frame_equal(chosen, alone[best])


def test_tfidf_choice_needs_both_classes_in_valid(examples):
    kept = examples[(examples["split"] != "valid") | (examples["label"] == 1)]
    with pytest.raises(InputError, match="both classes in split 'valid'"):
        run("tfidf", kept, options={"ngram_ranges": [[3, 3], [4, 4]], "c_grid": [1.0]})
    run("tfidf", kept)


def rings(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Label 1 in the middle of label 0: no line separates them."""
    x = np.random.default_rng(seed).uniform(-5, 5, (n, 2))
    return x, (np.hypot(*x.T) < 3).astype(int)


SVM = {"scale": (-1.0, 1.0), "folds": 3, "max_train": 10_000, "seed": 0}


def test_svm_learns_what_no_line_can():
    model, info = fit_svm(*rings(400, 0), c_grid=[10.0], gamma_grid=[1.0], **SVM)
    x, y = rings(400, 1)
    assert ((model.decision_function(x) > 0) == y).mean() > 0.95
    assert (info["C"], info["gamma"], info["cv_accuracy"]) == (10.0, 1.0, None)
    assert 0 < info["n_support"] < 400


def test_svm_takes_the_best_point_of_the_grid():
    x, y = rings(300, 0)
    _, info = fit_svm(x, y, c_grid=[0.001, 100.0], gamma_grid=[1e-6, 1.0], **SVM)
    assert (info["C"], info["gamma"]) == (100.0, 1.0)
    assert 0.9 < info["cv_accuracy"] <= 1


def test_svm_search_is_scikit_learns_and_says_how_far_it_is(caplog):
    x, y = rings(120, 2)
    grid = {"svc__C": [0.001, 1.0, 100.0], "svc__gamma": [1e-6, 0.1, 1.0]}
    splitter = StratifiedKFold(3, shuffle=True, random_state=5)
    model = make_pipeline(MinMaxScaler(), SVC())
    with caplog.at_level("INFO"):
        best, accuracy = search_grid(model, grid, x, y, splitter)
    expected = GridSearchCV(model, grid, scoring="accuracy", cv=splitter).fit(x, y)
    assert best == expected.best_params_ and accuracy == expected.best_score_
    assert len(caplog.messages) == 9
    means = expected.cv_results_["mean_test_score"]
    assert caplog.messages[1].startswith("SVM, grid: 2 of 9 points, ")
    assert caplog.messages[1].endswith(f"; C 0.001, gamma 0.1: accuracy {means[1]:.4f}")
    assert "0:00 min to go" in caplog.messages[8]


def test_svm_cap_draws_both_classes_alike():
    x, y = rings(1_000, 0)
    assert y.mean() < 0.4
    options = {**SVM, "max_train": 200}
    model, info = fit_svm(x, y, c_grid=[10.0], gamma_grid=[1.0], **options)
    assert (info["rows_available"], info["rows_used"]) == (1_000, 200)
    uncapped = fit_svm(x, y, c_grid=[10.0], gamma_grid=[1.0], **{**SVM, "max_train": 1_000})[1]
    assert (uncapped["rows_available"], uncapped["rows_used"]) == (1_000, 1_000)


def test_svm_scales_by_the_training_rows_without_clipping():
    x, y = rings(100, 0)
    model, _ = fit_svm(x, y, c_grid=[1.0], gamma_grid=[1.0], **SVM)
    scaled = model[0].transform(np.array([x.min(axis=0), x.max(axis=0), 2 * x.max(axis=0)]))
    np.testing.assert_allclose(scaled[:2], [[-1, -1], [1, 1]])
    assert (scaled[2] > 1).all()


def test_svm_grid_needs_a_row_of_each_class_in_each_fold():
    x, y = np.arange(10.0)[:, None], np.array([1] + [0] * 9)
    with pytest.raises(InputError, match="needs 3 training rows of each class, found 1"):
        fit_svm(x, y, c_grid=[1.0, 2.0], gamma_grid=[1.0], **SVM)


def test_gc_line_sees_one_class_between_two_parts_of_the_other():
    rng = np.random.default_rng(2)
    gc = np.where(np.arange(400) % 2, 0.5, rng.choice([0.35, 0.65], 400))
    examples = pd.DataFrame(
        {
            "id": [str(i) for i in range(400)],
            "sequence": [
                "".join(rng.choice(list("ACGT"), 300, p=[(1 - g) / 2, g / 2, g / 2, (1 - g) / 2]))
                for g in gc
            ],
            "label": np.arange(400) % 2,
            "split": ["train"] * 300 + ["test"] * 100,
            "group": "",
        }
    )
    predictions, _ = run("gc", examples)
    assert (predictions["predicted"] == predictions["label"]).mean() > 0.9


def test_composition():
    # Phases: A..T..A, C..N, G..A
    expected = [[2, 0, 0, 1], [0, 1, 0, 0], [1, 0, 1, 0]]
    assert phase_counts(["ACGTNAA"]).tolist() == [expected]
    np.testing.assert_allclose(gc_content(["GGCC", "ATGN", "NN", "ACGT"]), [1, 1 / 3, 0, 0.5])


@pytest.mark.parametrize("baseline", BASELINES)
def test_no_warnings(baseline, fitted):
    assert not list(map(str, fitted(baseline)[2]))


def test_the_schema_lists_every_baseline():
    names = read_schema("baseline")["properties"]["baseline"]["enum"]
    assert sorted(names) == sorted(baselines.MODULES)
    assert all(baselines.find_baseline(name).settings is not None for name in names)
