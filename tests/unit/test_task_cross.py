"""Models of one task on the test rows of another: which rows are left out, and what the matrix says."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import image

from nucleotune.baselines import fit_predict
from nucleotune.sequence.alphabet import reverse_complement
from nucleotune.studies.task import tables
from nucleotune.studies.task.cross import cross_tests, unseen_rows
from nucleotune.studies.task.figures import matrix_figure
from nucleotune.tasks import task_of

BOOTSTRAP = {"resamples": 50, "confidence": 0.95, "seed": 1}
RELATED = {"identity": 0.8, "coverage": 0.5, "both_strands": True}
CLASSES = ["at", "even", "gc"]
METHOD = {"name": "gc", "title": "GC", "note": ""}


def examples_of(seed, kind="classes", turned=False):
    """Rows whose class or number is that of their GC content, or its opposite."""
    rng = np.random.default_rng(seed)
    label = np.arange(90) % 3
    share = (0.2 + 0.3 * (2 - label if turned else label))[:, None]
    letters = np.where(
        rng.random((90, 60)) < share,
        rng.choice(list("GC"), (90, 60)),
        rng.choice(list("AT"), (90, 60)),
    )
    table = pd.DataFrame(
        {
            "id": [f"r{n}" for n in range(90)],
            "sequence": ["".join(row) for row in letters],
            "split": np.repeat(["train", "valid", "test"], 30),
            "group": [f"r{n}" for n in range(90)],
        }
    )
    if kind == "classes":
        return table.assign(label=label.astype("int8"))
    return table.assign(**{"value:gc": label + rng.normal(0, 0.1, 90)})


def fitted(folder, examples, kind, names):
    """Examples, predictions and model of a method, as the workflow has them."""
    folder.mkdir()
    options = {"train_splits": ["train"], "options": {}, "seed": 1, "labels": names, "kind": kind}
    predictions, _ = fit_predict("gc", examples, **options, output_dir=folder / "model")
    more = {"classes": len(names)} if kind == "classes" else {}
    task_of(kind).write_examples(folder / "examples.parquet", examples, **more)
    task_of(kind).write_predictions(folder / "predictions.parquet", predictions)
    return (
        folder / "examples.parquet",
        {1: folder / "predictions.parquet"},
        {1: folder / "model"},
    )


def test_rows_with_relatives_among_those_seen_are_left_out_and_counted():
    """The very same sequence, its reverse complement, and one with a few other letters; not those of test rows."""
    own, other = examples_of(1), examples_of(2)
    first, second, third, tested = own["sequence"].iloc[[0, 31, 2, 70]]
    changed = "".join(
        {"A": "C", "C": "A"}.get(x, x) if n % 20 == 0 else x for n, x in enumerate(third)
    )
    other.loc[60:63, "sequence"] = [first, reverse_complement(second), changed, tested]
    rows, counts = unseen_rows(own, other, **RELATED)
    assert counts == {"test_rows": 30, "left_out": 3, "identical": 2 + (changed == third)}
    assert rows["id"].tolist() == [f"r{n}" for n in range(63, 90)]
    _, counts = unseen_rows(own, other, **(RELATED | {"both_strands": False}))
    assert counts["identical"] == 1 + (changed == third)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_what_holds_in_one_task_and_not_in_the_other(tmp_path, kind):
    """A method that learnt that GC means `gc` is right on a like task, and wrong where it means the opposite."""
    names = CLASSES if kind == "classes" else ["gc"]
    main = "macro_auroc" if kind == "classes" else "pearson"
    sets = {
        "a": examples_of(1, kind),
        "like": examples_of(2, kind),
        "not": examples_of(3, kind, True),
    }
    files = {name: fitted(tmp_path / name, one, kind, names) for name, one in sets.items()}
    shared = {"kind": kind, "judged": {"names": names}, "related": RELATED, "bootstrap": BOOTSTRAP}
    crosses, metrics = [], {}
    for name, (examples, predictions, models) in files.items():
        others = {other: files[other][0] for other in files if other != name}
        found = cross_tests(examples, predictions, models, others, **shared)
        crosses.append({"dataset": name, "method": "gc", "tests": found})
        evaluated = task_of(kind).evaluate(
            examples, predictions, names=names, bootstrap=BOOTSTRAP, source="own"
        )
        metrics[name] = {"gc": evaluated}
    # A second way: a model's predictions on the rows themselves are those that the method had for its own test set.
    again = cross_tests(*files["a"], {"itself": files["a"][0]}, **shared)["itself"]
    assert again["splits"]["test"][main] == metrics["a"]["gc"]["splits"]["test"][main]
    assert again["n_test"] == 30 and again["left_out"] == 0

    datasets = [
        {"name": name, "title": name.upper(), "kind": kind, "names": names, "main_metric": main}
        for name in sets
    ]
    cells = tables.crossed_cells(metrics, crosses)
    table = tables.matrix_table(cells, datasets, [METHOD])
    values = table[table["metric"] == main].set_index(["trained", "tested"])["measured"]
    assert len(values) == 9
    assert min(values["A", "A"], values["A", "LIKE"], values["NOT", "NOT"]) > 0.8
    assert max(values["A", "NOT"], values["NOT", "LIKE"]) < 0.6
    assert set(table["metric"]) == {main, "left_out", "identical"}
    matrix_figure(cells, datasets, [METHOD], tmp_path / "matrix.svg")
    assert image.imread(tmp_path / "matrix.png")[..., :3].std() > 0.05


def test_a_cell_without_a_number_says_why(tmp_path):
    two = examples_of(1).query("label != 1").reset_index(drop=True)
    two = two.assign(label=(two["label"] == 2).astype("int8"))
    files = fitted(tmp_path / "a", two, "classes", ["at", "gc"])
    (tmp_path / "a/fit.json").write_text('{"mode": "original"}')
    other = two.assign(sequence=[reverse_complement(one)[::-1] for one in two["sequence"]])
    path, _, _ = fitted(tmp_path / "b", other, "classes", ["at", "gc"])
    judged = {"names": ["at", "gc"]}
    found = cross_tests(
        *files, {"b": path}, kind="classes", judged=judged, related=RELATED, bootstrap=BOOTSTRAP
    )
    assert found["b"]["test_rows"] == 20
    datasets = [
        {"name": name, "title": name, "kind": "classes", **judged, "main_metric": "auroc"}
        for name in "ab"
    ]
    crosses = [{"dataset": "a", "method": "gc", "tests": found}]
    table = tables.matrix_table(
        tables.crossed_cells({"a": {}, "b": {}}, crosses), datasets, [METHOD]
    )
    assert table["note"].iloc[0].startswith("not run: ") and np.isnan(table["measured"].iloc[0])
    assert "an installed tool made these predictions" in table["note"].iloc[0]
