"""`nucleotune init`: what is guessed of each kind of file, what is written, and what is never replaced."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nucleotune import __main__
from nucleotune.errors import InputError
from nucleotune.stages import ROOT
from nucleotune.studies.task.build import build_task
from nucleotune.studies.task.init import init
from nucleotune.studies.task.look import _in_order, form_of, look
from nucleotune.studies.task.plan import computed_task, task_entries
from nucleotune.studies.task.plugin import load_task
from nucleotune.studies.task.suggest import most_letters, suggest_methods
from nucleotune.yaml_files import read_yaml


@pytest.fixture(autouse=True)
def in_a_directory_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def sequences(n, length=80, seed=1):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(n)]


def table(name="data.tsv", n=120, **columns):
    frame = pd.DataFrame({"seq": sequences(n), **columns})
    frame.to_csv(name, sep="," if ".csv" in name else "\t", index=False)
    return name


def found(*files, **asked):
    return look([Path(one) for one in files], asked)


def built(name="data"):
    """Examples and card of what init wrote."""
    task = load_task(name, [ROOT / "config", "config"])
    files = {key: entry["path"] for key, entry in task_entries(task).items()}
    return build_task(files, task=computed_task(task))


def test_a_table_of_classes(capsys):
    file = table("data.csv", target=["donor", "acceptor", "neither"] * 40, note=["x y"] * 120)
    assert __main__.main(["init", file]) == 0
    said = capsys.readouterr().out
    for text in (
        "data.csv: 120 rows",
        "column 'seq': holds nothing but nucleotide codes  [--sequence]",
        "column 'target': by its name  [--label]",
        "3 classes: acceptor (40), donor (40), neither (40)",
        "all 80 nt",
        "A, C, G, T only",
        "0 rows repeat another",
        "columns that are not read: note",
        "--cores 2 --configfile my-run.yaml",
        f"--snakefile {ROOT}",
    ):
        assert text in said, text
    task = read_yaml("config/tasks/data.yaml")
    assert task["kind"] == "classes" and task["classes"] == ["acceptor", "donor", "neither"]
    assert task["columns"] == {"sequence": "seq", "label": "target"}
    assert task["split"] == {"by": "similarity"} and "policies" not in task
    run = read_yaml("my-run.yaml")
    assert run["studies"] == ["task"] and run["plugins"] == ["config"]
    assert run["task"]["tasks"] == ["data"] and "tfidf" in run["task"]["methods"]
    examples, card = built()
    assert len(examples) == 120 and card["classes"]["donor"] == 40


def test_nothing_is_replaced_unless_asked_for(capsys):
    file = table(y=["a", "b"] * 60)
    init([Path(file)], gpu=False)
    before = Path("config/tasks/data.yaml").read_text()
    assert __main__.main(["init", file]) == 1
    assert "config/tasks/data.yaml is there already; give another --name" in capsys.readouterr().err
    assert __main__.main(["init", file, "--name", "other"]) == 1
    assert "my-run.yaml is there already; give another --output" in capsys.readouterr().err
    assert __main__.main(["init", file, "--name", "other", "-o", "second.yaml"]) == 0
    assert __main__.main(["init", file, "--overwrite", "--title", "Mine"]) == 0
    after = Path("config/tasks/data.yaml").read_text()
    assert before != after and "title: Mine   # as --title says" in after


def test_numbers_with_places_groups_and_conflicts(capsys):
    rng = np.random.default_rng(2)
    start = np.arange(120) * 1000
    columns = {
        "gene": [f"g{i}" for i in range(120)],
        "chrom": [f"chr{i % 8}" for i in range(120)],
        "start": start,
        "end": start + 80,
        "strand": "+",
        "rate": rng.normal(size=120).round(3),
    }
    file = table(**columns)
    assert __main__.main(["init", file]) == 0
    said = capsys.readouterr().out
    assert "numbers: 1" in said and "rate from" in said and "count from 0" in said
    task = read_yaml("config/tasks/data.yaml")
    assert task["columns"]["label"] == "rate" and task["columns"]["id"] == "gene"
    assert task["columns"]["seqname"] == "chrom" and task["first"] == 0
    assert task["split"] == {"by": "chromosome"}  # 8 chromosomes, and no relatives
    examples, _ = built()
    assert examples["value:rate"].notna().all() and examples["id"].iloc[0] == "g0"
    frame = pd.read_csv(file, sep="\t").assign(gene=[f"g{i // 3}" for i in range(120)])
    frame = pd.concat([frame, frame.iloc[:1].assign(rate=9.5)])
    frame.to_csv(file, sep="\t", index=False)
    assert __main__.main(["init", file, "--overwrite"]) == 0
    task = read_yaml("config/tasks/data.yaml")
    assert task["columns"]["group"] == "gene" and task["split"] == {"by": "group"}
    assert task["policies"] == {"conflicts": "mean"}
    assert "1 sequences have rows with different labels: policy 'mean'" in capsys.readouterr().out


def test_several_labels():
    flags = np.random.default_rng(3).integers(0, 2, (120, 2))
    keys = found(table(liver=flags[:, 0], brain=flags[:, 1])).keys
    assert keys["kind"] == "labels" and keys["columns"]["label"] == ["liver", "brain"]
    lists = [
        ";".join(n for n, one in zip(("liver", "brain", "skin"), row, strict=True) if one)
        for row in np.random.default_rng(4).integers(0, 2, (120, 3))
    ]
    keys = found(table(label=lists), separator=";").keys
    assert keys["kind"] == "labels" and keys["separator"] == ";"
    assert keys["names"] == ["brain", "liver", "skin"]


def test_counts_may_be_classes_or_numbers():
    file = table(count=[str(i % 5) for i in range(120)])
    assert found(file).keys["kind"] == "classes"
    assert "say --kind numbers" in found(file).why["kind"]
    assert found(file, kind="numbers").keys["kind"] == "numbers"


def test_a_class_may_be_called_na(capsys):
    file = table(target=["NA", "none", "donor"] * 40)
    assert __main__.main(["init", file]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "classes: 3 different cells; 'NA' and 'none' taken as a class: leave cells empty where the class is unknown"
        in said
    )
    _, card = built()
    assert card["classes"] == {"NA": 40, "donor": 40, "none": 40}


def test_one_class_is_no_question():
    with pytest.raises(InputError, match="all labels are 'a'; expected two classes or more"):
        found(table(target=["a"] * 120), kind="classes")


def test_rna_and_odd_rows(capsys):
    frame = pd.DataFrame(
        {"seq": [one.replace("T", "U") for one in sequences(100)], "y": ["a", "b"] * 50}
    )
    frame.loc[0, "seq"], frame.loc[1, "y"], frame.loc[2, "seq"] = "", "", frame.loc[3, "seq"]
    frame.to_csv("data.tsv", sep="\t", index=False)
    assert __main__.main(["init", "data.tsv"]) == 0
    said = capsys.readouterr().out
    assert "U in 99" in said and "one: U: RNA" in said
    assert "1 rows have no sequence, 1 no label: left out and counted" in said
    task = read_yaml("config/tasks/data.yaml")
    assert task["policies"] == {"conflicts": "drop", "empty": "drop", "unlabelled": "drop"}
    assert task["strands"] == "one"
    _, card = built()
    assert card["conflicts"] == 1 and card["waterfall"][0]["kept"] == 50


def test_files_of_parts_of_classes_and_fasta():
    for name in ("my_train.csv", "my_test.csv"):
        table(name, y=["a", "b"] * 60)
    keys = found("my_train.csv", "my_test.csv").keys
    assert [one["split"] for one in keys["files"]] == ["train", "test"]
    for name in ("acceptor.fa", "donor.fa"):
        Path(name).write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(sequences(60))))
    keys = found("acceptor.fa", "donor.fa").keys
    assert [one["class"] for one in keys["files"]] == ["acceptor", "donor"]
    assert keys["classes"] == ["acceptor", "donor"]
    with pytest.raises(InputError, match="where is the label"):
        found("donor.fa")
    rows = [f">s{i} class={'ab'[i % 2]} gene=g{i}\n{s}\n" for i, s in enumerate(sequences(60))]
    Path("one.fa").write_text("".join(rows))
    assert __main__.main(["init", "one.fa"]) == 0
    examples, _ = built("one")
    assert examples["label"].tolist()[:2] == [0, 1] and examples["id"].iloc[0] == "s0"


def test_places_of_a_genome():
    Path("g.fa.gz").write_bytes(gzip.compress(f">chr1\n{sequences(1, 5000)[0]}\n".encode()))
    lines = [
        f"chr1\t{i * 80}\t{i * 80 + 60}\tp{i}\t0\t{'+-'[i % 2]}\t{'ab'[i % 2]}" for i in range(60)
    ]
    Path("p.bed").write_text("\n".join([*lines, ""]))
    with pytest.raises(InputError, match="--genome"):
        found("p.bed")
    assert (
        __main__.main(["init", "p.bed", "--genome", "g.fa.gz", "--label", "7", "--split", "random"])
        == 0
    )
    task = read_yaml("config/tasks/p.yaml")
    assert task["format"] == "bed" and task["genome"] == {"path": "g.fa.gz"}
    assert task["columns"] == {"label": "7"} and task["split"] == {"by": "random"}
    assert not list(Path().glob("g.fa*i"))  # nothing is left beside the genome


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("a\tb\n1\t2\n", "no column holds sequences"),
        (
            "seq\tp\tq\nACGTACGT\t1.5\tx\nACGTACGA\t2.5\ty\n",
            "which column is the label. p, q may be",
        ),
        ("ACGTACGTACGTACGTACGTAA\t1\nACGTACGTACGTACGTACGTAC\t0\n", "line 1 holds a sequence"),
    ],
)
def test_what_cannot_be_told_is_asked_for(text, message):
    Path("x.tsv").write_text(text)
    with pytest.raises(InputError, match=message):
        found("x.tsv")


def test_forms():
    for name, text in {"a.txt": ">x\nA\n", "b": "chr1\t1\t2\n", "c": "seq,y\nA,1\n"}.items():
        Path(name).write_text(text)
    assert [form_of(Path(one)) for one in ("a.txt", "b", "c")] == ["fasta", "bed", "table"]
    with pytest.raises(InputError, match="a spreadsheet"):
        Path("d.xlsx").write_text("x")
        form_of(Path("d.xlsx"))


def suggested(lengths, gpu):
    return {one.name: one for one in suggest_methods(pd.Series(lengths), gpu=gpu)}


def test_methods_by_length_and_machine():
    found = suggested([300, 400, 500], gpu=True)
    taken = [name for name, one in found.items() if one.taken]
    models = ["dnabert-6", "dnabert-6-probe", "dnabert-6-random", "dnabert-2", "dnabert-2-probe"]
    assert taken[:7] == [*models, "nt-lora", "nt-probe"], "one without pre-training is enough"
    assert "reads 515 nt, cuts no sequence" in found["dnabert-6"].why
    assert "not for commercial use" in found["nt-lora"].why
    assert "length" in found and "onehot" not in found and found["cnn"].taken
    long = suggested([5000] * 5, gpu=True)
    windows = ["dnabert-6-windows", "dnabert-2-windows"]
    models = [*windows, "nt-lora", "nt-probe"]
    assert [name for name, one in long.items() if one.taken][:4] == models
    assert "reads all, 100.0% of the sequences in several windows" in long[windows[0]].why
    assert not long["dnabert-6-tiny-windows"].taken
    assert "dnabert-6-windows" not in found
    assert "cuts 100.0% of the sequences" in long["dnabert-2"].why and not long["dnabert-2"].taken
    middle = suggested([1500] * 5, gpu=True)
    assert middle["dnabert-2-random"].taken and not middle["dnabert-6-random"].taken
    assert most_letters({"max_tokens": 512, "tokenizer": {"kind": "kmer", "k": 6}}, {}) == 515
    assert most_letters({"max_tokens": 1000, "tokenizer": {"kind": "sixmer"}}, {}) == 5994


def test_without_a_gpu_the_run_ends_in_minutes():
    small = suggested([400] * 2000, gpu=False)
    taken = [name for name, one in small.items() if one.taken]
    assert taken == ["tfidf", "cnn", "boosted", "dinucleotide", "gc", "majority", "onehot"]
    assert "needs a GPU" in small["dnabert-6"].why
    assert suggested([600] * 9, gpu=False)["dnabert-6-windows"].why.endswith("windows; needs a GPU")
    large = suggested([400, 401] * 30_000, gpu=False)
    assert not large["cnn"].taken and "takes some 25 minutes on these rows" in large["cnn"].why
    assert large["tfidf"].taken and suggested([400, 401] * 30_000, gpu=True)["cnn"].taken


@pytest.mark.parametrize(
    ("counts", "classes", "why"),
    [
        ({"yes": 5, "no": 9}, ["no", "yes"], "'yes' is looked for, by the names"),
        ({"bound": 9, "control": 5}, ["control", "bound"], "'bound' is looked for, by the names"),
        ({"Coding": 9, "non-coding": 5}, ["non-coding", "Coding"], "'Coding' is looked"),
        ({"positive_set": 9, "zzz": 5}, ["zzz", "positive_set"], "'positive_set' is looked"),
        ({"1": 9, "0": 5}, ["0", "1"], "'1' is looked for"),
        ({"1": 9, "-1": 5}, ["-1", "1"], "'1' is looked for"),
        (
            {"enhancer": 20, "promoter": 100},
            ["promoter", "enhancer"],
            "'enhancer' is looked for, it is the rarer",
        ),
        ({"b": 5, "a": 5}, ["a", "b"], "'b' is looked for, for no better reason"),
        ({"c": 5, "a": 1, "b": 9}, ["a", "b", "c"], "in the order of their names"),
    ],
)
def test_of_two_classes_the_second_is_looked_for(counts, classes, why):
    found, said = _in_order(pd.Series(counts))
    assert found == classes and said.startswith(why)


def test_what_is_looked_for_is_said(capsys):
    file = table(y=["active", "inactive", "inactive"] * 40)
    assert __main__.main(["init", file]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "order inactive, active: 'active' is looked for, by the names; AUPRC" in said
    assert read_yaml("config/tasks/data.yaml")["classes"] == ["inactive", "active"]
