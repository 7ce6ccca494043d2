"""Tables of explained models, the sequences of Figure 7, and which models are explained at all."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib import image

from nucleotune.attribution.contributions import Explained, judge, summarise, write_contributions
from nucleotune.attribution.onehot import at_bases, on_bases, one_hot
from nucleotune.config import load_run
from nucleotune.errors import InputError
from nucleotune.files import write_json
from nucleotune.names import as_directories
from nucleotune.plan.attribution import attributed_runs, check_attribution, targets_of
from nucleotune.plan.run import Run
from nucleotune.reporting import write_explained
from nucleotune.reporting.attribution_texts import TABLES
from nucleotune.reporting.motifs import (
    drawn_positions,
    motifs_table,
    order_table,
    run_titles,
    summaries_table,
    tracks,
    typical,
)
from nucleotune.reporting.tables import render_table
from nucleotune.reporting.texts import read_texts
from nucleotune.studies.registry import STUDIES

RUN = ("Yeast", "BPNet")
LENGTH = 200


@pytest.fixture(scope="module")
def explained():
    letters = np.random.default_rng(0).choice(list("ACGT"), size=(9, LENGTH))
    x = one_hot(["".join(row) for row in letters])
    actual = np.zeros((9, LENGTH), dtype=np.float32)
    actual[3, 120:126] = 1
    return Explained(
        way="DeepLIFT",
        ids=np.array(list("abcdefghi")),
        sequences=x,
        hypothetical=on_bases(actual, x),
        actual=actual,
        values=np.arange(9.0),
        delta=np.zeros(9),
        mutated=np.array([3, 5]),
        effects=np.full((2, LENGTH, 4), 0.5, dtype=np.float32),
        sites=np.array([130] * 9),
    )


def motifs(**columns):
    row = {
        "pattern": "positive_0",
        "sign": "positive",
        "seqlets": 40,
        "consensus": "AATAAA",
        "element": "positioning",
        "motif": "positioning.1",
        "p": 0.01,
        "q": 0.02,
        "distance": -20.0,
        "distance_q1": -25.0,
        "distance_q3": -18.0,
    }
    return pd.DataFrame([row | columns])


def test_table_of_motifs():
    empty = motifs()[:0]
    unknown = motifs(pattern="negative_1", element=np.nan, q=0.8)
    alone = motifs(element=np.nan, motif=np.nan, p=np.nan, q=np.nan, distance=np.nan)
    table = motifs_table(
        {RUN: pd.concat([motifs(), unknown]), ("A", "B"): empty, ("C", "D"): alone}
    )
    assert table["motif"].unique().tolist() == ["positioning.1", "none", ""]
    assert table["pattern"].unique().tolist() == ["positive 0", "negative 1", "none found"]
    known = table[table["pattern"] == "positive 0"].groupby("dataset")["metric"].apply(list)
    assert known["Yeast"] == ["seqlets", "p", "q", "distance", "distance_q1", "distance_q3"]
    assert known["C"] == ["seqlets"]
    assert table.loc[table["pattern"] == "none found", "measured"].tolist() == [0]
    for study in ("polya", "rbp", "promoters"):
        assert "AATAAA" in render_table(table, **read_texts(study).motifs)


def test_table_of_order():
    order = pd.DataFrame(
        {
            "test": ["a before b", "b before c"],
            "n": [30, 0],
            "share": [0.9, np.nan],
            "control": [0.5, np.nan],
            "control_low": [0.4, np.nan],
            "control_high": [0.6, np.nan],
            "p": [0.001, np.nan],
        }
    )
    table = order_table({RUN: order})
    first = table.set_index(["test", "metric"]).loc[("a before b", "control")]
    assert first[["measured", "ci_low", "ci_high", "n_test"]].tolist() == [0.5, 0.4, 0.6, 30]
    assert (table.loc[table["test"] == "b before c", "status"] == "not run").all()
    assert "a before b" in render_table(table, **TABLES["order"])


def test_typical_sequences(explained):
    judged = pd.DataFrame(
        {
            "id": list("abcdefghi"),
            "value": 0.0,
            "pearson": [0.9, np.nan, 0.1, 0.5, 0.3, 0.7, np.nan, np.nan, np.nan],
        }
    )
    assert typical(judged, explained) == ["e", "d", "f"]
    assert typical(judged.dropna().head(1), explained) == ["a"]


def test_tracks(explained):
    seqlets = pd.DataFrame(
        [("positioning", 3, 119, 127), (np.nan, 3, 130, 138), ("site", 5, 119, 127)],
        columns=["element", "example", "start", "end"],
    ).assign(sign="positive")
    rows = tracks(RUN, explained, seqlets, ["d", "a", "not there"])
    assert [row.title.split(": ")[1] for row in rows] == ["DeepLIFT", "mutagenesis", "DeepLIFT"]
    first = rows[0]
    assert first.begin <= 119 and first.begin + len(first.sequence) >= 127
    assert first.contributions[120 - first.begin : 126 - first.begin].tolist() == [1] * 6
    expected = "".join("ACGT"[i] for i in explained.sequences[3].argmax(axis=0)[120:126])
    assert first.sequence[120 - first.begin : 126 - first.begin] == expected
    assert list(first.seqlets) == [(119, 127, "positioning")]
    assert (rows[1].contributions == 0.5).all()


def test_pictures_and_tables_of_a_task(explained, tmp_path):
    """Two labels, explained by substitutions; the second has a site at 120."""
    folder = tmp_path / "results/task/mine/cnn/seed1/attribution"
    described = {
        "datasets": [{"name": "mine", "title": "Mine", "names": ["a", "b c"]}],
        "methods": [{"name": "cnn", "title": "CNN"}],
    }
    paths = [folder / name / "contributions.npz" for name in ("a", "b-c")]
    everything = {"way": "mutagenesis", "mutated": np.arange(9), "delta": np.full(9, np.nan)}
    for path, size in zip(paths, (0.0, 1.0), strict=True):
        effects = np.zeros((9, LENGTH, 4))
        effects[:, 120] = size * (explained.sequences[:, :, 120] - 0.25)
        shown = {"effects": effects, "hypothetical": effects}
        one = replace(
            explained, **everything, **shown, actual=at_bases(effects, explained.sequences)
        )
        write_contributions(path, one)
        write_json(path.with_name("summary.json"), summarise(one, judge(one), seed=0))
    runs = run_titles("task", paths, described)
    assert runs == [("Mine: a", "CNN"), ("Mine: b c", "CNN")]
    first, second = drawn_positions(runs, paths)
    assert not first.means.any() and second.number == 9
    assert np.flatnonzero(second.means).tolist() == [120] and second.means[120] == 0.75
    given = {"study": "task", "described": described}
    write_explained.contributions(SimpleNamespace(contributions=paths), tmp_path / "a.svg", **given)
    assert image.imread(tmp_path / "a.png")[..., :3].std() > 0.02
    summaries = [path.with_name("summary.json") for path in paths]
    table, texts = write_explained.attribution_table(SimpleNamespace(summaries=summaries), **given)
    assert table["metric"].tolist() == ["sequences", "mutated"] * 2
    text = render_table(table, **texts)
    assert "Mine: b c" in text and "not comparable" not in text and "paper" not in text


def test_titles_of_runs():
    described = {
        "datasets": [{"name": "yeast", "title": "Yeast"}],
        "methods": [{"name": "bpnet", "title": "BPNet"}],
    }
    path = Path("results/polya/yeast/bpnet/seed1/attribution/motifs.tsv")
    assert run_titles("polya", [path], described) == [RUN]
    described["datasets"][0]["names"] = ["attribution", "5' end"]
    paths = [path.parent / name / path.name for name in ("attribution", "5-end")]
    assert run_titles("task", paths, described) == [
        ("Yeast: attribution", "BPNet"),
        ("Yeast: 5' end", "BPNet"),
    ]
    for study, name in (
        ("polya", "polya_figure7"),
        ("rbp", "rbp_motifs"),
        ("promoters", "promoters_motifs"),
    ):
        assert set(read_texts(study).figures[name]) == {"title", "caption"}
        assert set(read_texts(study).motifs) == {"title", "caption", "labels"}


def config(**attribution):
    methods = {"methods": ["bpnet-tiny", "average-profile"]}
    return {"studies": ["polya"], "polya": methods | {"attribution": attribution}}


def test_runs_that_are_explained():
    settings = load_run(config(methods=["bpnet-tiny"]))["config"]
    methods = {"a": ["bpnet-tiny", "x"], "b": ["x"]}

    def kind(dataset):
        return "profiles", []

    found = attributed_runs(settings, "polya", ["a", "b"], [], methods, kind)
    assert found == [("a", "bpnet-tiny", "")]
    methods["a-part"] = methods["a"]
    sets = ["a", "a-part"], ["a-part"]
    assert attributed_runs(settings, "polya", *sets, methods, kind) == found, (
        "not what stands aside"
    )
    named = load_run(config(methods=["bpnet-tiny"], datasets=["a-part"]))["config"]
    assert attributed_runs(named, "polya", *sets, methods, kind) == [("a-part", "bpnet-tiny", "")]
    assert attributed_runs({"lncrna": {}}, "lncrna", ["a"], [], methods, kind) == []
    assert attributed_runs(load_run(config())["config"], "polya", ["a"], [], methods, kind) == []
    wrong = load_run(config(methods=["bpnet-tiny"], datasets=["c"]))["config"]
    with pytest.raises(InputError, match="no data set 'c' in this run; known: a, b"):
        attributed_runs(wrong, "polya", ["a", "b"], [], methods, kind)


def task_run(tasks, **attribution):
    block = {"tasks": tasks, "methods": ["cnn"], "attribution": {"methods": ["cnn"], **attribution}}
    return Run.of(load_run({"studies": ["task"], "offline": True, "task": block}), STUDIES)


def test_every_class_label_and_number_is_explained():
    run = task_run(["toy-classes", "toy-labels", "toy-numbers"])
    assert [one.dataset + one.part for one in run.attributed["task"]] == [
        *("toy-classes/neither", "toy-classes/branch", "toy-classes/donor"),
        *("toy-labels/branch", "toy-labels/donor", "toy-numbers"),
    ]
    assert run.explained("task", "motifs.tsv")[2:] == [
        f"results/task/{folder}/motifs.tsv"
        for folder in (
            "toy-classes/cnn/seed1/attribution/donor",
            "toy-labels/cnn/seed1/attribution/branch",
            "toy-labels/cnn/seed1/attribution/donor",
            "toy-numbers/cnn/seed1/attribution",
        )
    ]
    assert {"task_attribution", "task_motif_table", "task_contributions"} < {
        one.name for one in run.products["task"]
    }


def test_targets_are_chosen_by_name():
    run = task_run(["toy-classes", "toy-labels", "toy-numbers"], targets=["donor", "strength"])
    assert [one.dataset + one.part for one in run.attributed["task"]] == [
        *("toy-classes/donor", "toy-labels/donor", "toy-numbers"),
    ]
    assert run.targets("task", "toy-classes") == {"/donor": "donor"}
    assert targets_of("classes", ["free", "bound"], {"targets": None}) == {"": "bound"}
    assert targets_of("labels", ["a b", "A/b"], {"targets": None}) == {
        "/a-b": "a b",
        "/A-b-1": "A/b",
    }


def test_an_unknown_target_is_told_before_training():
    with pytest.raises(InputError, match="targets: no 'donnor' on data sets toy-cl.*mean 'donor'"):
        task_run(["toy-classes", "toy-labels"], targets=["donnor"])
    with pytest.raises(InputError, match="no 'x' on data sets toy-numbers; expected strength"):
        task_run(["toy-numbers"], targets=["x"])


def test_directories_of_names():
    names = ["x-2", "x", "x!", "X?", "\u03b1", "\u03b2", "a.b", ".."]
    found = as_directories(names)
    assert list(found.values()) == names
    assert list(found)[:5] == ["x-2", "x", "x-2-2", "X-3", "target"]
    assert len({one.lower() for one in found}) == len(names) and "a-b" in found


@pytest.mark.parametrize(
    ("study", "methods", "settings", "message"),
    [
        ("task", ["majority"], {}, "'majority' does not look at the sequence"),
        ("task", ["cnn"], {"mutagenesis": 40}, "effects of substitutions.*at least max_sequences"),
        ("promoters", ["promoters-dnabert-2"], {"mutagenesis": 9}, "at least max_sequences"),
        (
            "promoters",
            ["promoters-dnabert-3"],
            {"mutagenesis": 40},
            "must be at least max_sequences .500",
        ),
        ("lncrna", ["lora-bert-orf"], {}, "view 'orf"),
    ],
)
def test_what_cannot_be_explained_is_told_before_training(study, methods, settings, message):
    block = {"methods": methods, "attribution": {"methods": methods, **settings}}
    if study == "lncrna":
        block.pop("attribution")  # of the study without attribution, by hand
        run = load_run({"studies": [study], study: block})
        run["config"][study]["attribution"] = {"methods": methods}
        with pytest.raises(InputError, match=message):
            check_attribution(run["config"], run["methods"], run["models"], "x")
    else:
        with pytest.raises(InputError, match=message):
            load_run({"studies": [study], study: block})


def test_profile_models_on_tokens_need_all_substitutions():
    methods = {"methods": ["specieslm-lora-tiny", "average-profile"]}
    attribution = {"methods": ["specieslm-lora-tiny"], "max_sequences": 50, "mutagenesis": 49}
    given = {"studies": ["polya"], "polya": methods | {"attribution": attribution}}
    with pytest.raises(InputError, match="polya.attribution.mutagenesis .49. must be at least"):
        load_run(given)
    attribution["mutagenesis"] = 50
    load_run(given)


def test_table_of_summaries():
    whole = {
        "way": "integrated gradients",
        "motifs_from": "mutagenesis",
        "sequences": 40,
        "mutated": 40,
        "completeness": {"largest": 0.2, "median": 0.01, "relative": 0.05},
        "agreement": {
            name: {"value": 0.8, "ci_low": 0.7, "ci_high": 0.9, "n": 39}
            for name in ("pearson", "spearman")
        },
    }
    alone = whole | {"mutated": 0, "agreement": {"pearson": None, "spearman": None}}
    table = summaries_table({RUN: whole, ("A", "B"): alone})
    first = table[table["dataset"] == "Yeast"].set_index("metric")
    assert first.loc["pearson", ["measured", "ci_low", "ci_high", "n_test"]].tolist() == [
        *(0.8, 0.7, 0.9, 39)
    ]
    assert first.loc["delta_relative", "measured"] == 0.05
    assert set(table["motifs_from"]) == {"mutagenesis"}
    text = render_table(table, **TABLES["attribution"])
    assert "Agreement (Spearman)" in text and "Motifs are made from" in text


def test_methods_that_cannot_be_explained():
    with pytest.raises(InputError, match="does not look at the sequence"):
        load_run(config(methods=["average-profile"]))
    run = load_run(config(methods=["bpnet"]))
    assert run["config"]["polya"]["attribution"]["methods"] == []
    assert "'bpnet' is left out" in run["notes"][0]
    with pytest.raises(InputError, match="did you mean 'bpnet-tiny'"):
        load_run(config(methods=["bpnet-tiny-"]))
