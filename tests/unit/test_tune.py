"""The search of hyper-parameters: what it draws, what it finds, how it goes on."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from nucleotune.errors import InputError
from nucleotune.profile_contracts import ProfileExamples, examples_digest
from nucleotune.schemas import read_schema, validate
from nucleotune.search_space import settings_digest
from nucleotune.stages import ROOT
from nucleotune.training import tune as module
from nucleotune.training.gates import Diverged
from nucleotune.training.tune import search, tune_profile, write_tuned
from nucleotune.yaml_files import read_yaml

SPACE = {
    "training.learning_rate": {"low": 1e-5, "high": 1e-1, "log": True},
    "sizes.layers": {"low": 1, "high": 9},
    "sizes.filters": [8, 16, 32],
}


def bowl(parameters):
    """Lowest at a rate of 1e-3, six layers, 16 filters."""
    rate = math.log10(parameters["training.learning_rate"])
    layers, filters = parameters["sizes.layers"], parameters["sizes.filters"]
    return (rate + 3) ** 2 + 0.1 * (layers - 6) ** 2 + (filters != 16)


def test_finds_the_bottom_and_stays_in_the_space(tmp_path):
    tuned = search(bowl, SPACE, trials=40, seed=1, journal=tmp_path / "j")
    table = tuned.trials
    assert list(table.columns) == ["trial", "value", "seconds", *SPACE]
    assert len(table) == 40 and tuned.best["trials"] == 40
    rate = table["training.learning_rate"]
    assert rate.between(1e-5, 1e-1).all() and (rate < 1e-3).sum() > 5 and (rate > 1e-3).sum() > 5
    assert set(table["sizes.layers"]) <= set(range(1, 10))
    assert set(table["sizes.filters"]) == {8, 16, 32}
    assert tuned.best["value"] == table["value"].min() < 0.5
    row = table.iloc[tuned.best["trial"]]
    assert all(row[key] == value for key, value in tuned.best["parameters"].items())
    # It has learned where to look: later trials are better than the first, which are drawn blindly.
    assert table["value"][-15:].mean() < 0.5 * table["value"][:10].mean()


def test_goes_on_after_an_interruption(tmp_path):
    whole = search(bowl, SPACE, trials=16, seed=1, journal=tmp_path / "whole")
    calls = []

    def killed(parameters):
        calls.append(parameters)
        if len(calls) == 13:
            raise KeyboardInterrupt
        return bowl(parameters)

    with pytest.raises(KeyboardInterrupt):
        search(killed, SPACE, trials=16, seed=1, journal=tmp_path / "broken")
    done = search(killed, SPACE, trials=16, seed=1, journal=tmp_path / "broken")
    assert len(calls) == 17 and calls[12] == calls[13]  # the trial that was cut off is done again
    pd.testing.assert_frame_equal(
        whole.trials.drop(columns="seconds"), done.trials.drop(columns="seconds")
    )
    assert whole.best == done.best
    again = search(killed, SPACE, trials=16, seed=1, journal=tmp_path / "broken")
    assert len(calls) == 17 and again.best == done.best


def test_seeds_differ(tmp_path):
    first, second = (
        search(bowl, SPACE, trials=3, seed=s, journal=tmp_path / "j").trials for s in (1, 2)
    )
    assert not np.allclose(first["value"], second["value"])


def test_divergence_is_a_bad_trial(tmp_path):
    def diverging(parameters):
        if parameters["sizes.filters"] == 8:
            raise Diverged("too fast")
        return bowl(parameters)

    tuned = search(diverging, SPACE, trials=12, seed=1, journal=tmp_path / "j")
    assert (tuned.trials["value"].isna() == (tuned.trials["sizes.filters"] == 8)).all()
    assert tuned.trials["value"].isna().any() and tuned.best["parameters"]["sizes.filters"] != 8
    always = {"sizes.filters": [8]}
    with pytest.raises(InputError, match="every trial of the search diverged"):
        search(diverging, always, trials=2, seed=1, journal=tmp_path / "always")


@pytest.mark.parametrize(
    "changed",
    [{"space": SPACE | {"sizes.filters": [8]}}, {"seed": 2}, {"rests_on": {"examples": "others"}}],
)
def test_trials_of_another_search_are_not_counted(tmp_path, caplog, changed):
    given = {"space": SPACE, "trials": 3, "seed": 1, "rests_on": {"examples": "these"}}
    first = search(bowl, **given, journal=tmp_path / "j")
    calls = []

    def counted(parameters):
        calls.append(parameters)
        return bowl(parameters)

    assert not caplog.records
    search(counted, **(given | changed), journal=tmp_path / "j")
    assert len(calls) == 3 and "the search starts anew" in caplog.text
    assert search(counted, **given, journal=tmp_path / "j").best == first.best
    assert len(calls) == 3


def test_choices_may_be_lists(tmp_path):
    space = {"sizes.widths": [[64, 32], [8]], "training.batch_size": [8, 16.5, "a", True]}
    tuned = search(
        lambda one: len(one["sizes.widths"]), space, trials=8, seed=1, journal=tmp_path / "j"
    )
    assert tuned.best["parameters"]["sizes.widths"] == [8] and tuned.best["value"] == 1
    assert {type(one) for one in tuned.trials["training.batch_size"]} <= {int, float, str, bool}
    write_tuned(tuned, tmp_path / "t.tsv", tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text())["parameters"]["sizes.widths"] == [8]


def test_tunes_a_profile_model(tmp_path):
    rng = np.random.default_rng(0)
    sequences = rng.choice(list("ACGT"), (40, 40))
    table = pd.DataFrame(
        {
            "id": [f"g{i}" for i in range(40)],
            "sequence": ["".join(row) for row in sequences],
            "split": ["train"] * 24 + ["valid"] * 8 + ["test"] * 8,
            "group": [f"g{i}" for i in range(40)],
            "seqname": "I",
            "start": 0,
            "end": 40,
            "strand": "+",
        }
    )
    counts = rng.poisson(np.where(sequences == "T", 3.0, 0.1))[:, None].repeat(2, axis=1)
    path = ROOT / "config" / "methods" / "bpnet-tiny.yaml"
    method = validate(read_yaml(path), read_schema("profile_model"), path)
    method["sizes"] |= {"filters": 8, "layers": 1, "profile_kernel": 5}
    method["training"] |= {"epochs": 2}
    arguments = {
        "method": method,
        "model": None,
        "space": {"training.learning_rate": {"low": 1e-6, "high": 1e-1, "log": True}},
        "trials": 4,
        "seed": 1,
        "threads": 1,
        "device": "cpu",
        "state_dir": tmp_path / "state",
    }
    examples = ProfileExamples(table, counts, ("ypd", "gal"))
    tuned = tune_profile(examples, **arguments)
    assert (tmp_path / "state" / module.JOURNAL).is_file()
    assert not (tmp_path / "state" / "training").exists()
    assert tuned.trials["value"].nunique() == 4
    write_tuned(tuned, tmp_path / "trials.tsv", tmp_path / "best.json")
    best = json.loads((tmp_path / "best.json").read_text())
    assert best == tuned.best
    rows = pd.read_csv(tmp_path / "trials.tsv", sep="\t")
    assert rows["value"].min() == pytest.approx(best["value"])
    assert (
        rows["training.learning_rate"][best["trial"]]
        == best["parameters"]["training.learning_rate"]
    )
    with pytest.raises(InputError, match="'training.rate' cannot be searched"):
        tune_profile(examples, **arguments | {"space": {"training.rate": [1]}})
    assert best["examples"] == examples_digest(examples)
    assert best["settings"] == settings_digest(method, None, arguments["space"], 1)
    # The state was not removed: other counts are another search, and it is made anew.
    others = ProfileExamples(table, counts + 1, ("ypd", "gal"))
    again = tune_profile(others, **arguments)
    assert again.best["examples"] != best["examples"]
    assert (again.trials["value"] != tuned.trials["value"]).all()


def test_trials_are_compared_by_the_same_loss():
    """Whatever weights a trial was trained with: those of the study."""
    rows = pd.DataFrame(
        [
            (0, "valid", 9.0, 90.0, 9.0),
            (4, "train", 1.0, 10.0, 1.0),
            (4, "valid", 0.1, 20.0, 5.0),
        ],
        columns=["step", "split", "loss", "profile_loss", "count_loss"],
    )
    trained = module.Fitted(None, rows, {"best_step": 4})
    assert module._validation_loss(trained) == pytest.approx(0.8 * 20 + 0.2 * 5)
