"""What the pages of the report are made of: files of a small made-up run, read and rendered."""

import json
import re

import pandas as pd
import pytest

from nucleotune.evaluation.paired import comparison_columns
from nucleotune.evaluation.titles import COMPARED
from nucleotune.reporting.deviations import deviations
from nucleotune.reporting.facts import share, tables
from nucleotune.reporting.figures import waterfall
from nucleotune.reporting.gather import gather_overview, gather_study
from nucleotune.reporting.leaks import leaks, noted
from nucleotune.reporting.page import render_overview, render_study
from nucleotune.studies.promoters.tables import page_titles

NAMES = ("toy_task3-1000_random", "toy_task4_random")
METHODS = {
    "bert": "language_model",
    "plm": "language_model",
    "tfidf": "baseline",
    "gc": "reference",
}
COUNTS = {"high": {"protein_coding": 26, "lncRNA": 3}, "low": {"protein_coding": 7, "lncRNA": 22}}


def dataset(name, task, length):
    return {
        "name": name,
        "species": "toy",
        "split": "random",
        "task": task,
        "length": length,
        "title": "Toy",
        "published_as": None,
        "comparable": False,
        "note": "made up",
    }


DATASETS = [dataset(NAMES[0], "task3", 1000), dataset(NAMES[1], "task4", 300)]


def facts(task):
    """What the facts of a study have of a data set, beside its card."""
    read = {
        "max_tokens": 512,
        "longer": 1.0,
        "read": 0.43,
        "median": [514, 1200],
        "windows": {"mean": 1.0, "most": 1},
        "tss_lost": {"right": 1.0, "left": 0.0, "centre": 0.25},
    }
    shared = {
        "in_task3": {name: {"n": 12, "share": 0.25} for name in ("protein_coding", "lncRNA")},
        "published": {"per_class": 1000, "in_task3": {"protein_coding": 400, "lncRNA": 1}},
    }
    return {"reading": {"tiny": read}} | (shared if task == "task4" else {})


def card(task):
    counts = {"genes_in_universe": 100, "classified": COUNTS, "sampled": COUNTS}
    extra = {
        "task3": {
            "universe": "joined",
            "expression_classes": {"joined": counts, "published": COUNTS},
        },
        "task4": {},
    }
    classes = ["high", "low"] if task == "task3" else ["protein_coding", "lncRNA"]
    step = {"step": "sampled", "kept": 29, "dropped": 4}
    return {
        "waterfall": [{"class": name, **step} for name in classes],
        "splits": {part: dict.fromkeys(classes, 10) for part in ("test", "train", "valid")},
        "leakage": {
            "genes_shared": 0,
            "test_rows_with_gene_in_training": 0,
            "share": 0.0,
            "test_rows_with_sequence_in_training": 3,
            "test_rows_overlapping_training": 7,
            "overlap_on": "either strand",
        },
        "places_known": 60,
        "windows": {
            "places": 70,
            "unknown_contig": 1,
            "off_contig": 2,
            "not_acgt": 7,
            "windows": 60,
        },
        "inputs": [{"path": "resources/annotation/toy.parquet", "bytes": 5, "sha256": "a" * 64}],
        **extra[task],
    }


def measured(dataset, method, auroc):
    values = {name: {"value": auroc, "ci_low": 0.5, "ci_high": 0.95} for name in ("auroc", "mcc")}
    content = {"dataset": dataset, "method": method, "n_test": 20, "seeds": [1]}
    less = {"rows": 14, "auroc": {"value": auroc**2}}
    content["without_relatives"] = {"identity": 0.5, "splits": {"test": less}}
    return content | {"splits": {"valid": values, "test": values}}


def related(counted):
    rows = {"50": 6, "70": 4, "90": 0} if counted else None
    return {
        "rows_at": rows,
        "shares_at": rows and {least: n / 20 for least, n in rows.items()},
        "test_rows": 20,
        "coverage": 0.5,
        "strands": "either strand",
        "reason": None if counted else "no tool",
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Paths and parameters of a run of two data sets, with files of other configurations beside its own."""
    root = tmp_path_factory.mktemp("run")

    def write(path, text):
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text if isinstance(text, str) else json.dumps(text))
        return str(place)

    kinds = ("cards", "relatives", "comparisons", "metrics", "training", "fits")
    inputs = {kind: [] for kind in kinds}
    for one in DATASETS:
        name = one["name"]
        folder = f"results/promoters/{name}"
        inputs["cards"].append(write(f"{folder}/card.json", card(one["task"])))
        shares = {"test": related(counted=one["task"] == "task3")}
        inputs["relatives"].append(write(f"{folder}/relatives.json", shares))
        row = (
            "bert",
            "tfidf",
            -0.05,
            -0.1,
            0.01,
            0.2,
            0.2,
            0.0,
            -0.1,
            0.1,
            0.5,
            0.0,
            -0.1,
            0.1,
            0.5,
            0.5,
            "a note",
        )
        comparison = pd.DataFrame([row], columns=list(comparison_columns(COMPARED)))
        text = comparison.to_csv(sep="\t", index=False)
        inputs["comparisons"].append(write(f"{folder}/comparison.tsv", text))
        for method, auroc in (("bert", 0.8), ("tfidf", 0.85)):
            content = measured(name, method, auroc)
            inputs["metrics"].append(write(f"{folder}/{method}/metrics.json", content))
        content = {"dataset": name, "method": "plm", "splits": {}, "n_test": None, "seeds": []}
        content["not_run"] = "no weights"
        inputs["metrics"].append(write(f"{folder}/plm/metrics.json", content))
        log = "step\tsplit\tloss\n1\ttrain\t0.7\n2\tvalid\t0.6\n"
        inputs["training"].append(write(f"{folder}/bert/seed1/training.tsv", log))
        inputs["training"].append(write(f"{folder}/bert/seed1/training.json", {"steps": 2}))
        fit = {"rows_used": 20, "train_rows": {"train": 20}, "C": 2}
        inputs["fits"].append(write(f"{folder}/tfidf/seed1/fit.json", fit))
    found = {one["name"]: facts(one["task"]) for one in DATASETS}
    inputs["facts"] = [write("results/facts/promoters.json", found)]
    inputs["tables"] = [write("promoters_table1.html", "<p>Table 1</p>")]
    inputs["figures"] = [
        write("promoters_figure2.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    ]
    record = {"commit": "abc", "revision": "main", "hub": "someone/tiny", "path": None}
    write("checkpoints/tiny/checkpoint.json", record)
    inputs["checkpoints"] = [str(root / "checkpoints/tiny")]
    inputs["deviations"] = [write("deviations.md", DEVIATIONS)]
    meta = {"url": "https://a.org/genome.fa.gz", "from": "network", "size": 7, "sha256": "b" * 64}
    source = write("genome.fa.gz", "")
    write("genome.fa.gz.meta.json", meta)
    seconds = "s\tmax_rss\n{}\t100\n"
    for number, path in enumerate(
        (
            "evaluate/promoters.toy_task4_random.bert",
            "finetune/promoters.toy_task4_random.bert.seed1",  # of the time when it had a job of its own
            "finetune_shared/promoters.bert.seed1.job0",
            "evaluate/lncrna.toy_gene.bert",
            "evaluate/promoters.toy_task1_random.bert",
            "attention/promoters.toy_task4_random.bert.seed1",
            "annotation/toy",
            "simulate/toy",
        )
    ):
        write(f"benchmarks/{path}.tsv", seconds.format(2**number))
    jobs = {
        "names": [
            "promoters.toy_task4_random.bert",
            "promoters.toy_task4_random.bert.seed1",
            "promoters.bert.seed1.job0",
            "annotation/toy",
        ],
        "shared": ["promoters.toy_task4_random.bert.seed1"],
    }
    model = {"title": "Tiny", "licence": "MIT", "non_commercial": False, "note": ""}
    parameters = {
        "config": {"seeds": [1], "bootstrap": {"resamples": 100, "confidence": 0.95, "seed": 1}},
        "species": {},
        "methods": {name: {"title": name.upper()} for name in METHODS},
        "models": {"tiny": model},
    }
    methods = [
        {"name": name, "title": name.upper(), "kind": kind} for name, kind in METHODS.items()
    ]
    described = {"datasets": DATASETS, "methods": methods, "pools": {}}
    keywords = {"jobs": jobs, "benchmarks": str(root / "benchmarks")}
    return root, inputs, parameters, described, keywords, source


DEVIATIONS = """# Deviations

Preface.

## LoRA-BERT (study `lncrna`)

Of transcripts.

## lncRNA regulation (study `promoters`)

Of promoters, see [methods](methods.md) and [GTEx](https://gtexportal.org).

### Toy species

| a | b |
|---|---|
| c | d |

## Published models

Of models.
"""


@pytest.fixture(scope="module")
def context(run):
    _, inputs, parameters, described, keywords, source = run
    return gather_study("promoters", inputs, parameters, described, sources=[source], **keywords)


def test_the_page_of_the_promoter_study(context):
    html = " ".join(render_study(context).split())
    for text in (
        "Toy, task 3, 1000 bp, random split",
        "Figure 2. Attention along the promoter",
        "3 of the test sequences have exactly the same sequence as one in training.",
        "the test row on either strand: 30.0 % at 50 %, 20.0 % at 70 %, 0.0 % at 90 % (below",
        "On the 14 of 20 test sequences without one, AUROC differs from that on all of them by -0.160 to -0.128",
        "Relatives of test sequences in training were not counted: no tool.",
        '<td class="n">25.0 %</td>',
        "PLM did not run (Toy, task 3, 1000 bp, random split; Toy, task 4, 300 bp, random split): no weights.",
        "MCC 0.800 (0.500 to 0.950) against 0.850 (0.500 to 0.950).",
        "https://a.org/genome.fa.gz",
        "made of the files above",
        "someone/tiny, revision abc",
        "Table 1",
    ):
        assert text in html, text
    outside = re.findall(r"(?:src|href)=[\"'](?!data:|#|https://)([^\"']+)", html)
    assert outside == ["../report.html"]


def test_a_model_that_did_not_run_is_never_the_best(context):
    assert [one["method"] for one in context["headlines"]] == ["BERT", "BERT"]
    assert context["headlines"][0]["baseline"] == "TFIDF"


def test_benchmarks_are_those_of_the_jobs_of_this_run(context):
    seconds = {one["rule"]: one["total_s"] for one in context["benchmarks"]}
    assert seconds == {"evaluate": 1, "finetune_shared": 4, "attention": 32, "annotation": 64}


def test_the_overview_leads_to_each_study(run, context, tmp_path):
    _, inputs, parameters, _, keywords, _ = run
    findings = ("study", "title", "asked", "headlines", "not_run")
    paths = []
    for study in ("promoters", "lncrna"):
        paths.append(tmp_path / f"{study}.json")
        content = {key: context[key] for key in findings} | {"study": study}
        paths[-1].write_text(json.dumps(content, allow_nan=False))
    jobs = [keywords["jobs"], {"names": ["lncrna.toy_gene.bert"], "shared": []}]
    overview = gather_overview(
        paths, inputs["checkpoints"], parameters, jobs=jobs, benchmarks=keywords["benchmarks"]
    )
    html = render_overview(overview)
    assert re.findall(r"href=\"([^#\"]+)\"", html) == [
        "reports/promoters.html",
        "reports/lncrna.html",
    ]
    assert html.count("The best language model, BERT") == 4
    assert {one["rule"]: one["jobs"] for one in overview["benchmarks"]}["evaluate"] == 2
    assert "src=" not in html and "numpy" in html and "someone/tiny" in html


def test_deviations_are_those_of_the_study_and_of_the_models():
    html = deviations(DEVIATIONS, "promoters")
    assert "Of promoters, see methods and " in html and "Of models." in html
    assert "Of transcripts" not in html and "Preface" not in html
    assert '<a href="https://gtexportal.org">GTEx</a>' in html
    assert "<h3>Published models</h3>" in html and "<h4>Toy species</h4>" in html
    assert "<td>d</td>" in html
    assert deviations(DEVIATIONS, "task") == "", "a user's own table follows no paper"


SPLITS = {"train": {"a": 30, "b": 30}, "test": {"a": 20, "b": 20}, "test-kept90": {"a": 20}}
CLEAN = {"genes_shared": 0, "test_rows_with_gene_in_training": 0, "share": 0.0}
UNKNOWN = dict.fromkeys(CLEAN)


def test_leaks_say_what_is_known():
    leakage = {"genes_shared": 1, "test_rows_with_gene_in_training": 12, "share": 0.0123}
    shared, known = leaks({"leakage": leakage, "splits": SPLITS, "genes_known": 90}, "transcripts")
    assert shared.startswith("1 gene has transcripts in the test split and in training: 12 test")
    assert "(1.2 %)" in shared
    assert known.startswith("The gene of 10 of 100 transcripts is not known")
    (clean,) = leaks({"leakage": CLEAN, "splits": SPLITS}, "transcripts")
    assert clean == "No gene has transcripts both in the test split and in training."
    some, _ = leaks({"leakage": CLEAN, "splits": SPLITS, "genes_known": 90}, "transcripts")
    assert some.startswith("None of the known genes has transcripts both in the test split")
    leakage = CLEAN | {"test_rows_overlapping_training": 7}
    _, over = leaks({"leakage": leakage, "splits": SPLITS, "places_known": 100}, "sequences")
    assert over.startswith("7 of the test sequences overlap one of training on the same strand")


def test_what_is_not_known_is_never_called_none():
    card = {"leakage": UNKNOWN, "splits": SPLITS, "genes_known": 0}
    (genes,) = leaks(card, "transcripts")
    assert genes == (
        "The genes of these transcripts are not known, so transcripts of one gene in the test split and in training"
        " were not counted, and intervals are over single transcripts."
    )
    (some,) = leaks(card | {"genes_known": 60}, "transcripts")
    assert some.startswith(
        "The genes of these transcripts are known for 60 of 100 transcripts, but for none"
    )
    overlap = UNKNOWN | {"test_rows_overlapping_training": None}
    card = {"leakage": overlap, "splits": SPLITS, "places_known": 0}
    _, places = leaks(card, "sequences")
    assert places == "Positions are not known, so overlaps were not counted."
    (places,) = leaks(card | {"grouped_by": "place"}, "sequences")
    assert places.startswith("The places of these sequences are not known, so overlaps in the test")


def test_identical_sequences_and_odd_classes_are_said():
    found = {"test_rows": 40, "word": 31, "strands": "either strand"}
    found |= {"test_rows_with_sequence_in_training": 2, "test_rows_with_word_in_training": 10}
    same = {"rows": 5, "in_one_part": 1, "across_parts": 2, "in_both_classes": 1}
    card = {
        "leakage": CLEAN | found,
        "splits": {"train": {"a": 80, "b": 10}, "test": {"a": 20, "b": 20}},
        "classes": {"a": 100, "b": 30},
        "identical": same,
        "in_both_classes": 3,
        "with_n": 4,
        "not_coding": {"retained_intron": 6, "TEC": 1},
    }
    _, equal, word, identical, both, sizes, letters, others = leaks(card, "sequences")
    assert equal == "2 of the test sequences have exactly the same sequence as one in training."
    assert word.startswith("10 of the test sequences (25.0 %) share 31 consecutive nt with one")
    assert word.endswith("on either strand: repeats, or homologues that a method can remember.")
    assert identical.startswith(
        "5 sequences share their sequence with another: 1 sequences occur several"
    )
    assert "2 in several parts, 1 in both classes" in identical
    assert both.startswith("3 sequences of the files are in both classes")
    assert sizes.startswith("Classes are not equally large (100 a, 30 b)")
    assert letters == "4 sequences contain letters other than A, C, G, T (N)."
    assert "7 of the mRNAs found are not called protein-coding (6 retained_intron, 1 TEC)" in others
    clean = CLEAN | found | dict.fromkeys(list(found)[-2:], 0)
    said = leaks({"leakage": clean, "splits": SPLITS, "classes": {"a": 50, "b": 50}}, "sequences")
    assert said[1:] == [
        "No test example has the same sequence as one in training.",
        "No test example shares 31 consecutive nt with one of training, on either strand.",
    ]


def test_notes_call_genes_apart_only_where_all_are_known():
    datasets = [
        {"name": "x_gene", "split": "gene", "note": "a note"},
        {"name": "y_gene", "split": "gene", "note": ""},
        {"name": "x_paper", "split": "paper", "note": "a note"},
    ]
    classes = {"mRNA": {"n": 600}, "lncRNA": {"n": 600}}
    cards = {
        "x_gene": {"classes": classes, "genes_known": 1200},
        "y_gene": {"classes": classes, "genes_known": 180},
    }
    assert [one["note"] for one in noted(datasets, cards)] == [
        "a note; no gene in two parts",
        "the gene of 1,020 of 1,200 transcripts is not known, so isoforms may be in two parts",
        "a note",
    ]


def test_tables_of_a_card():
    examples, expression, cuts = tables(card("task3") | facts("task3"), {"tiny": "Tiny"})
    assert examples["note"] == (
        "Of 70 promoters looked up in the genome 10 have no sequence: 1 on contigs missing from it, 2 beyond the end"
        " of their contig, 7 with letters other than ACGT."
    )
    assert examples["rows"] == [[part, "10", "10"] for part in ("train", "valid", "test")]
    assert expression["rows"][0] == [
        "its protein-coding and lncRNA genes (used)",
        "100",
        "all",
        "26",
        "3",
        "7",
        "22",
    ]
    assert expression["rows"][-1][0] == "paper (human)"
    read = ["514 of 1,200", "43.0 %", "100.0 %", "1"]
    assert cuts["rows"] == [["Tiny", "512", *read, "100.0 %", "0.0 %", "25.0 %"]]
    _, again, _ = tables(card("task4") | facts("task4"), {})
    assert again["rows"][1] == ["lncRNA", "12", "25.0 %", "1", "0.1 %"]
    for table in (examples, expression, cuts, again):
        assert all(len(row) == len(table["head"]) for row in table["rows"])


def test_a_species_of_ones_own_is_not_shown_beside_the_paper():
    _, expression, _ = tables(card("task3") | facts("task3"), {}, beside_paper=False)
    assert all("paper" not in row[0] for row in expression["rows"])
    _, again, _ = tables(card("task4") | facts("task4"), {}, beside_paper=False)
    assert again["head"] == ["Genes", "Also in task 3", "Share"]
    assert again["rows"][1] == ["lncRNA", "12", "25.0 %"]


def test_a_small_share_never_reads_as_none():
    assert [share(value) for value in (0.0, 0.00004, 0.5)] == ["0.0 %", "0.004 %", "50.0 %"]


def test_titles_hold_task_length_and_split_once():
    one = dataset("x", "task3", 300)
    assert page_titles([one | {"title": "Toy, random split"}, one | {"name": "y"}]) == {
        name: "Toy, task 3, 300 bp, random split" for name in ("x", "y")
    }


def test_waterfalls_of_any_classes_are_drawn_in_colours_of_their_own(tmp_path):
    """Task 3 has two biotypes and two classes of expression; text is outlines, so colours tell that bars are there."""
    names = ("protein_coding", "lncRNA", "high", "low")
    steps = [{"class": name, "step": "all", "kept": 5, "dropped": 2} for name in names]
    waterfall({"waterfall": steps}, tmp_path / "w.svg", rows="sequences")
    text = (tmp_path / "w.svg").read_text().lower()
    assert all(colour in text for colour in ("#e69f00", "#0072b2", "#009e73", "#d55e00"))


def test_ends_that_fit_the_genome():
    """The numbers behind the guards of the poly(A) study stand on its page, and a shift is told."""
    ends = {
        "sense": 1000,
        "antisense": 390,
        "share_of_a": {"-1": 0.64, "0": 0.06},
        "overall": 0.33,
        "shift": -1,
        "judged": True,
    }
    found = card("task4") | {
        "ends": ends,
        "intact_orfs": {"share": 0.995},
        "reads_beyond_contigs": 7,
        "unknown_contigs": {"reads": {"2-micron": 9}},
    }
    (table,) = (one for one in tables(found, {}) if "ends" in one["title"])
    cells = dict(table["rows"])
    assert cells["Reads after stop codons, on the strand of the gene"] == "1,000"
    assert "-1: 64.0 %, +0: 6.0 %" in cells["A at 3' ends and next to them (nt downstream)"]
    assert {"390", "7", "9", "99.5 %"} <= set(cells.values())
    assert "may be off" in table["note"]
    found["ends"] = ends | {"shift": 0}
    assert not any("may be off" in one["note"] for one in tables(found | {"intact_orfs": None}, {}))
