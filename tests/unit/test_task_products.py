"""Tables and figures of tasks of one's own, of each kind of labels, made of small predictions."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib import image
from test_page import context

from nucleotune.contracts import read_metrics, write_not_run, write_relatives
from nucleotune.evaluation.titles import ALL_METRICS
from nucleotune.files import write_json
from nucleotune.frames import write_tsv
from nucleotune.reporting.answer import answer
from nucleotune.reporting.headlines import headlines
from nucleotune.reporting.page import render_study
from nucleotune.reporting.tables import COLUMNS, render_table, write_table
from nucleotune.studies.task import tables, write
from nucleotune.studies.task.figures import RECALLS, _confusion, recall_curve
from nucleotune.tasks import compared, task_of

METHODS = [
    {"name": "bert", "title": "BERT", "kind": "language_model"},
    {"name": "svm", "title": "SVM", "kind": "baseline"},
    {"name": "gc", "title": "GC", "kind": "reference"},
    {"name": "gone", "title": "Gone", "kind": "baseline"},
]
METHODS = [{**one, "published_as": None, "comparable": False, "note": ""} for one in METHODS]
#: How much of the truth each method sees.
SKILL = {"bert": 1.5, "svm": 0.5, "gc": 0.0}
NAMES = {
    "two": ["free", "bound"],
    "three": ["neither", "donor", "branch"],
    "labels": ["liver", "brain"],
    "numbers": ["strength", "half-life"],
}
SPLITS = {"train": 80, "valid": 60, "test": 90, "test-far": 60}
BOOTSTRAP = {"resamples": 200, "confidence": 0.95, "seed": 1}


def kind_of(name):
    return name if name in ("labels", "numbers") else "classes"


def truth_of(name, rng, n):
    """Columns of the truth, and (n, parts) to predict."""
    names = NAMES[name]
    if kind_of(name) == "classes":
        label = np.arange(n) % len(names)
        return {"label": label}, np.eye(len(names))[label]
    if name == "labels":
        values = rng.integers(0, 2, (n, 2)).astype(float)
        shown = np.where(rng.random((n, 2)) < 0.1, np.nan, values)
        return {f"label:{one}": shown[:, i] for i, one in enumerate(names)}, values
    values = rng.normal(size=(n, 2))
    return {f"value:{one}": values[:, i] for i, one in enumerate(names)}, values


def predicted(name, wanted, skill, rng):
    names, noisy = NAMES[name], skill * wanted + rng.normal(size=wanted.shape)
    if name == "numbers":
        return {f"predicted:{one}": noisy[:, i] for i, one in enumerate(names)}
    if name == "labels":
        scores = 1 / (1 + np.exp(skill / 2 - noisy))
        found = {f"score:{one}": scores[:, i] for i, one in enumerate(names)}
        return found | {f"predicted:{one}": (scores[:, i] > 0.5) * 1 for i, one in enumerate(names)}
    shares = np.exp(noisy) / np.exp(noisy).sum(axis=1, keepdims=True)
    called = shares.argmax(axis=1)
    if len(names) == 2:
        return {"score": shares[:, 1], "predicted": called}
    return {"predicted": called} | {f"score:{k}": shares[:, k] for k in range(len(names))}


def card_of(name, share):
    sizes = {part: n if part != "train" else round(n * (share or 1)) for part, n in SPLITS.items()}
    names, kind = NAMES[name], kind_of(name)
    steps = [("in the files", 300, 0), ("each sequence once", 290, 10)]
    card = {
        "splits": {part: {"rows": n} for part, n in sizes.items()},
        "waterfall": [
            {"class": "rows", "step": step, "kept": kept, "dropped": lost}
            for step, kept, lost in steps
        ],
    }
    if kind == "classes":
        each = {part: {one: n // len(names) for one in names} for part, n in sizes.items()}
        card |= {
            "splits": each,
            "waterfall": [
                {"class": one, "step": step, "kept": kept // 2, "dropped": lost // 2}
                for step, kept, lost in steps
                for one in names
            ],
        }
    elif kind == "labels":
        one = {"present": 20, "absent": 15, "unknown": 3}
        card["labels"] = {part: dict.fromkeys(names, one) for part in sizes}
    else:
        card["numbers"] = {part: dict.fromkeys(names, {"median": 0.5}) for part in sizes}
    return card


def make_run(folder, name, threshold=None):
    """Files of a run on one task with a learning curve, and its described data sets."""
    kind, names = kind_of(name), NAMES[name]
    module, datasets = task_of(kind), []
    kinds = ("cards", "relatives", "metrics", "comparisons", "predictions")
    files = {one: [] for one in kinds}
    for share in (None, 0.25):
        dataset = name if share is None else f"{name}_train25"
        where = folder / dataset
        rng = np.random.default_rng(1)
        splits = [part for part, n in SPLITS.items() for _ in range(n)]
        columns, wanted = truth_of(name, rng, len(splits))
        ids = [f"r{i}" for i in range(len(splits))]
        sequences = ["".join(rng.choice(list("ACGT"), 20)) for _ in ids]
        examples = pd.DataFrame({"id": ids, "sequence": sequences, "split": splits, "group": ids})
        examples = examples.assign(**columns)
        more = {"classes": len(names)} if kind == "classes" else {}
        module.write_examples(where / "examples.parquet", examples, **more)
        # A fifth of the test rows have a relative, and all of the further ones.
        relatives = examples.loc[examples["split"].str.startswith("test"), ["id", "split"]]
        identity = np.where(relatives["split"] == "test", np.arange(len(relatives)) % 5 == 0, 1)
        write_relatives(where / "relatives.parquet", relatives.assign(identity=0.8 * identity))
        related = {"test": {"shares_at": {"50": 0.2, "70": 0.2}}, "test-far": {"shares_at": None}}
        write_json(where / "relatives.json", related)
        files["relatives"].append(str(where / "relatives.json"))
        judged = {
            "names": names,
            **({"threshold": "validation", "chosen_by": threshold} if threshold else {}),
        }
        paths = {}
        for method in METHODS:
            paths[method["name"]] = {}
            for seed in (1, 2):
                path = where / method["name"] / f"seed{seed}" / "predictions.parquet"
                if method["name"] == "gone":
                    write_not_run(path, "no tool")
                else:
                    skill = SKILL[method["name"]] * (1 if share is None else 0.1)
                    found = predicted(name, wanted, skill, rng)
                    table = examples[["id", "split"]].assign(**columns, **found)
                    module.write_predictions(path, table)
                paths[method["name"]][seed] = path
                if share is None:
                    files["predictions"].append(str(path))
            of = module.evaluate(
                where / "examples.parquet",
                paths[method["name"]],
                relatives=where / "relatives.parquet",
                bootstrap=BOOTSTRAP,
                source="t",
                **judged,
            )
            path = where / method["name"] / "metrics.json"
            write_json(path, {"dataset": dataset, "method": method["name"], **of})
            files["metrics"].append(str(path))
        compared_rows = module.compare(
            where / "examples.parquet", paths, against=["svm", "gc"], bootstrap=BOOTSTRAP, **judged
        )
        write_tsv(where / "comparison.tsv", compared_rows)
        write_json(where / "card.json", card_of(name, share))
        files["comparisons"].append(str(where / "comparison.tsv"))
        files["cards"].append(str(where / "card.json"))
        datasets.append(
            {
                "name": dataset,
                "title": "Toy" if share is None else "Toy (25 % of training)",
                "kind": kind,
                "names": names,
                "main_metric": compared(kind, len(names))[0],
                "threshold": threshold,
                "tests": ["far"],
                "share": share,
                "whole": name,
                "split": "random",
                "note": "simulated",
                "published_as": None,
                "comparable": False,
            }
        )
    whole = {"max_tokens": None, "longer": 0.0, "read": 1.0, "median": [20, 20]}
    whole["windows"] = {"mean": 1.0, "most": 1}
    cut = {**whole, "max_tokens": 12, "longer": 1.0, "read": 0.5, "median": [10, 20]}
    write_json(folder / "facts.json", {name: {"reading": {"bert": cut, "svm": whole, "gc": whole}}})
    files["reading"] = [str(folder / "facts.json")]
    return SimpleNamespace(**files), datasets


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    made = {}

    def of(name):
        if name not in made:
            made[name] = make_run(tmp_path_factory.mktemp(name), name)
        return made[name]

    return of


@pytest.mark.parametrize("name", NAMES)
def test_tables_of_every_kind(name, runs, tmp_path):
    files, datasets = runs(name)
    whole = datasets[:1]
    made = {
        "data": write.data(files, datasets=datasets),
        "performance": write.performance(files, datasets=whole, methods=METHODS),
        "comparison": write.comparison(files, datasets=whole, methods=METHODS),
        "learning_curve": write.learning_curve(files, datasets=datasets, methods=METHODS),
    }
    if name != "two":
        made["parts"] = write.parts(files, datasets=whole, methods=METHODS)
    for key, (table, texts) in made.items():
        assert list(table.columns[-len(COLUMNS) :]) == list(COLUMNS) and len(table), key
        html = render_table(table, **texts)
        assert "Status" not in html and "paper" not in html, key
        write_table(tmp_path / "t.tsv", tmp_path / "t.html", table, **texts)

    data = made["data"][0]
    found = data[(data["dataset"] == "Toy") & (data["step"] == "test")].set_index("metric")
    assert found.loc["rows", "measured"] == SPLITS["test"]
    assert found.loc["related:70", "measured"] == 0.2
    dropped = data[data["step"] == "dropped, each sequence once"].set_index("metric")
    assert dropped.loc["rows", "measured"] == (10 if name != "three" else 15)
    assert set(data.loc[data["dataset"] != "Toy", "step"]) == {"train"}

    main = whole[0]["main_metric"]
    performance = made["performance"][0]
    assert set(performance["part"]) == {"test", "far"} and performance["metric"].iloc[0] == main
    gone = performance[performance["method"] == "Gone"]
    assert set(gone["status"]) == {"not run"} and set(gone["note"]) == {"not run: no tool"}
    ran = performance[performance["method"] == "BERT"].set_index(["part", "metric"])
    far = ran.loc[("far", f"{main}_without_relatives")]
    assert far["note"].startswith("0 of 60 test rows have no relative in training: too few")
    assert far["status"] == "not comparable" and np.isnan(far["measured"]) and far["n_test"] == 0
    rest = ran.drop(index=("far", f"{main}_without_relatives"))
    assert rest[["measured", "ci_low", "ci_high"]].notna().all(axis=None)
    without = rest.loc[("test", f"{main}_without_relatives")]
    assert without["n_test"] == SPLITS["test"] * 4 // 5 < rest.loc[("test", main), "n_test"]
    assert without["measured"] != rest.loc[("test", main), "measured"]
    notes = performance.groupby("method")["note"].first()
    assert notes["BERT"] == "simulated; reads 10 of 20 nt (medians), 50.0 % of all"
    assert notes["SVM"] == "simulated"

    curve, texts = made["learning_curve"]
    assert set(curve["metric"]) == {main} and curve["training"].unique().tolist() == [
        f"{sum(card_of(name, share)['splits']['train'].values())} ({percent} %)"
        for share, percent in ((0.25, 25), (None, 100))
    ]
    assert "ahead of the best baseline from" in texts["caption"] and "(100 %)" in texts["caption"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_figures_of_every_kind(name, runs, tmp_path):
    files, datasets = runs(name)
    asked = {"datasets": datasets[:1], "methods": METHODS}
    drawn = ["scatter"] if name == "numbers" else ["curves", "calibration"]
    drawn += ["confusion"] if kind_of(name) == "classes" else []
    for key in drawn:
        getattr(write, key)(files, tmp_path / f"{key}.svg", **asked)
    write.learning_figure(files, tmp_path / "learning.svg", datasets=datasets, methods=METHODS)
    for key in (*drawn, "learning"):
        pixels = image.imread(tmp_path / f"{key}.png")
        assert min(pixels.shape[:2]) > 300 and pixels[..., :3].std() > 0.02, key


@pytest.mark.parametrize("name", NAMES)
def test_the_page_opens_with_an_answer_for_every_kind(name, runs):
    files, datasets = runs(name)
    metrics = read_metrics(files.metrics)
    comparisons = write._compared(files)
    (found,) = headlines(metrics, comparisons, datasets[:1], METHODS)
    main = datasets[0]["main_metric"]
    assert found["main"] == main and found[f"delta_{main}"] > 0
    assert found["contest"].verdict == "ahead"
    assert answer([found["contest"]]).startswith(
        "Toy: best language model BERT, best baseline SVM,"
    )
    del found["contest"]
    titles = {one["name"]: one["title"] for one in METHODS}
    shown = [{"dataset": "Toy", "table": comparisons[datasets[0]["name"]]}]
    page = render_study(context(headlines=[found], comparisons=shown, method_titles=titles))
    assert f"{ALL_METRICS[main]} difference" in page and f" {ALL_METRICS[main]} of " in page
    assert ("McNemar p" in page) == (kind_of(name) == "classes")
    assert "the language model is better" in page


def test_less_may_be_better():
    part = {"rmse": {"value": 0.5, "ci_low": 0.4, "ci_high": 0.6}}
    worse = {"rmse": {"value": 0.9, "ci_low": 0.8, "ci_high": 1.0, "constant": 1}}
    common = {"main_metric": "rmse", "n_test": 9, "seeds": [1]}
    metrics = {
        "t": {
            "bert": {**common, "splits": {"valid": part, "test": part}},
            "svm": {**common, "splits": {"valid": worse, "test": worse}},
        }
    }
    row = ["bert", "svm", -0.4, -0.5, -0.3, 0.01]
    columns = ["method", "against", "delta_rmse", "ci_low", "ci_high", "p_holm"]
    comparison = {"t": pd.DataFrame([row], columns=columns)}
    sets = [{"name": "t", "title": "T"}]
    (found,) = headlines(metrics, comparison, sets, METHODS)
    assert answer([found["contest"]]).endswith("not comparable, SVM predicts one number.")
    del worse["rmse"]["constant"]
    (found,) = headlines(metrics, comparison, sets, METHODS)
    assert answer([found["contest"]]) == (
        "T: best language model BERT, best baseline SVM, RMSE 0.500 against 0.900, difference -0.400 (-0.500 to"
        " -0.300), p = 0.01: the language model is ahead."
    )


def test_a_chosen_cut_off_is_that_of_the_confusion(tmp_path):
    files, datasets = make_run(tmp_path, "two", threshold="mcc")
    found = write._predictions(files, datasets[:1])["two"]["bert"]
    counts = _confusion(datasets[0], found)
    right = read_metrics(files.metrics)["two"]["bert"]["splits"]["test"]["accuracy"]["value"]
    assert np.trace(counts) / counts.sum() == pytest.approx(right)
    assert counts.tolist() != _confusion({**datasets[0], "threshold": None}, found).tolist()
    table = tables.performance_table(read_metrics(files.metrics), datasets[:1], METHODS, {})
    notes = table.loc[table["status"] != "not run", "note"]
    assert notes.str.contains("decides at the cut-off of the best MCC on validation").all()


def test_precision_at_each_recall():
    truth = np.array([True, False, True, False])
    curve = recall_curve(truth, np.array([[4.0, 3.0, 2.0, 1.0]]))
    assert curve[RECALLS <= 0.5].tolist() == [1.0] * int((RECALLS <= 0.5).sum())
    assert curve[-1] == pytest.approx(2 / 3)


def test_no_language_model_wins_nothing(runs):
    files, datasets = runs("two")
    rest = [one for one in METHODS if one["kind"] != "language_model"]
    _, texts = write.learning_curve(files, datasets=datasets, methods=rest)
    assert texts["caption"].endswith("No language model is in this run.")
    assert tables.TABLES["learning_curve"]["caption"] in texts["caption"]
