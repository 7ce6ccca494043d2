"""A table of one's own, from CSV to the page, with a learning curve and classical methods."""

import os
import random
import subprocess

import pandas as pd
import pytest
import yaml
from conftest import snakemake
from forks import PYTHON
from matplotlib import image

METHODS = ["tfidf", "dinucleotide", "gc"]
TABLES = ("task_data", "task_performance", "task_comparison", "task_learning_curve")
FIGURES = ("task_curves", "task_confusion", "task_calibration", "task_learning_curve")


def write_table(path):
    """Sequences with GATTACA, and others; one of them twice, one with two labels."""
    letters = random.Random(1)
    lines = ["name,sequence,class"]
    for row in range(300):
        sequence = letters.choices("ACGT", k=60)
        if row % 2:
            sequence[20:27] = "GATTACA"
        lines.append(f"r{row},{''.join(sequence)},{('free', 'bound')[row % 2]}")
    again, other = lines[1].split(","), lines[2].split(",")
    lines += [f"again,{again[1]},{again[2]}", f"other,{other[1]},free"]
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.slow
def test_from_a_table_to_the_page(tmp_path):
    write_table(tmp_path / "mine.csv")
    init = [os.environ[PYTHON], "-m", "nucleotune", "init", "mine.csv", "--title", "Bound or free"]
    subprocess.run(init, check=True, cwd=tmp_path)
    run = yaml.safe_load((tmp_path / "my-run.yaml").read_text())
    run["task"] |= {"methods": METHODS, "learning_curve": [0.3]}
    (tmp_path / "my-run.yaml").write_text(yaml.safe_dump(run))
    with (tmp_path / "config/tasks/mine.yaml").open("a") as stream:
        stream.write("main_metric: auprc\nthreshold: mcc\n")
    done = snakemake(tmp_path, "--configfile", str(tmp_path / "my-run.yaml"))
    assert "task: No language model was compared with a baseline in this run." in done.stdout

    results = tmp_path / "results"
    tables = {name: pd.read_csv(results / f"tables/{name}.tsv", sep="\t") for name in TABLES}
    data = tables["task_data"]
    dropped = data[data["step"].str.startswith("dropped") & (data["metric"] == "rows")]
    assert dropped["measured"].tolist() == [2, 1], "both rows of two labels, and one of equal rows"
    performance = tables["task_performance"].set_index(["metric", "method"])["measured"]
    found = performance["auprc"]
    assert found.index[0].startswith("TF-IDF") and found.iloc[0] > found.iloc[2]
    assert tables["task_comparison"]["metric"].iloc[0] == "delta_auprc"
    curve = tables["task_learning_curve"]
    assert curve["training"].nunique() == 2 and set(curve["metric"]) == {"auprc"}
    for name in FIGURES:
        assert image.imread(results / f"figures/{name}.png")[..., :3].std() > 0.02, name

    page = (results / "reports/task.html").read_text()
    for said in (
        "Bound or free",
        "How rows were divided",
        "What became of odd rows",
        "relative in training",
    ):
        assert said in page, said
    assert "auprc" not in page.split("<details><summary>Configuration")[0], "titles, not names"
    again = snakemake(tmp_path, "--configfile", str(tmp_path / "my-run.yaml"), "--dry-run")
    assert "Nothing to be done" in again.stdout
