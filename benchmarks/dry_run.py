"""Seconds that Snakemake needs to plan a grid of many species, methods and seeds; nothing is run.

    python benchmarks/dry_run.py [--species 10 50 154] [--seeds 1]

Each grid is written into a directory of its own and dry-run in a process of its own, as a user would. The largest one
has the shape of the papers' largest study: 154 data sets under nine methods. The last is that study itself:
config/paper-rbp.yaml with its shipped sheet, nine of its methods, attention analyses included.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET_SECONDS = 30.0
RBP_TARGET_SECONDS = 20.0
RBP_METHODS = (
    *("bert-rbp-3", "bert-rbp-4", "bert-rbp-5", "bert-rbp-6", "bert-baseline"),
    *("graphprot", "ideeps", "hocnnlb", "rbp-tfidf"),
)
BASELINES = ("cpc2", "plek", "tfidf", "length", "gc", "orf-length", "start-codon")
LANGUAGE_MODELS = ("lora-bert", "dnabert-3")


def write_grid(folder: Path, species: int, seeds: int) -> list[str]:
    """Write a run of `species` Ensembl species under nine methods into `folder`; return Snakemake's arguments for it.

    Two methods are language models: one of two stages, of which the first is trained on the pool of all species, and
    one that starts from published weights.
    """
    names = [f"s{number:03d}" for number in range(species)]
    (folder / "species").mkdir(parents=True)
    (folder / "methods").mkdir()
    for name in names:
        (folder / f"species/{name}.yaml").write_text(
            f"title: Species {name}\n"
            f"ensembl: {{release: 110, species: species_{name}, assembly: A1}}\n"
            "noncoding: {gene_biotypes: [lncRNA]}\n"
        )
    (folder / "methods/dnabert-3.yaml").write_text(
        "title: DNABERT (k = 3)\nkind: language_model\nmodel: dnabert-3\nadaptation: lora\n"
        "training: {epochs: 3, batch_size: 32, learning_rate: 2.0e-4}\n"
    )
    overlay = folder / "grid.yaml"
    overlay.write_text(
        f"studies: [lncrna]\nplugins: [{folder}]\noffline: false\nseeds: {list(range(1, seeds + 1))}\nlncrna:\n"
        f"  species: [{', '.join(names)}]\n  splits: [paper]\n"
        f"  methods: [{', '.join((*LANGUAGE_MODELS, *BASELINES))}]\n"
    )
    return ["--configfile", str(overlay), "--directory", str(folder)]


def count_jobs(species: int, seeds: int) -> dict[str, int]:
    """Jobs by rule of `write_grid`, counted by hand."""
    methods = len(LANGUAGE_MODELS) + len(BASELINES)
    return {
        "download": 2 * species + 3,  # two classes; three files of the published model
        "checkpoint": 1,
        "lncrna_examples": species,
        "lncrna_pool": 1,
        "finetune": len(LANGUAGE_MODELS) * species * seeds
        + seeds,  # and the first stage on the pool
        "baseline": len(BASELINES) * species * seeds,
        "evaluate": methods * species,
        "relatives": species,
        "compare": species,
        **{f"lncrna_table{number}": 1 for number in (1, 2, 3, 4, 6)},
        "lncrna_figure3": 1,
        "lncrna_figure4": 1,
        "study_report": 1,
        "overview": 1,
        "all": 1,
    }


def write_rbp_grid(folder: Path, seeds: int) -> list[str]:
    """Write the RBP study of 154 proteins under nine methods into `folder`; return Snakemake's arguments for it.

    The sequences, which a plan does not read, are an empty file.
    """
    sequences = folder / "rbpsuite/sequences.txt"
    sequences.parent.mkdir(parents=True)
    sequences.touch()
    overlay = folder / "grid.yaml"
    overlay.write_text(
        f"data_dir: {folder}\nseeds: {list(range(1, seeds + 1))}\nrbp: {{methods: [{', '.join(RBP_METHODS)}]}}\n"
    )
    files = [str(ROOT / "config/paper-rbp.yaml"), str(overlay)]
    return ["--configfile", *files, "--directory", str(folder)]


def count_rbp_jobs(proteins: int, seeds: int) -> dict[str, int]:
    """Jobs by rule of `write_rbp_grid`, counted by hand."""
    models, regions, structures, both = 5, 16, 9, 6
    return {
        "download": 3 + 4 * 3,  # annotation, genome and chain; three files of four published models
        "checkpoint": 4,
        "annotation": 1,
        "genome": 1,
        "rbp_examples": proteins,
        "rbp_structures": proteins,
        "rbp_regions": regions,
        "rbp_attention": regions + structures - both,
        "finetune_shared": models * -(-proteins // 10) * seeds,
        "take_finetuned": models * proteins * seeds,
        "baseline": (len(RBP_METHODS) - models) * proteins * seeds,
        "evaluate": len(RBP_METHODS) * proteins,
        "relatives": proteins,
        "compare": proteins,
        **{f"rbp_figure{number}": 1 for number in range(2, 6)},
        "rbp_table_auroc": 1,
        "rbp_table_comparison": 1,
        "study_report": 1,
        "overview": 1,
        "all": 1,
    }


def children_seconds() -> float:
    """CPU seconds of all ended child processes; on a shared machine steadier than elapsed time."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def dry_run(arguments: list[str], expected: int) -> tuple[float, float]:
    """Seconds, elapsed and of CPU, of a dry run; ends the benchmark where it plans other than `expected` jobs."""
    begin, cpu_begin = time.perf_counter(), children_seconds()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        + [*arguments, "--dry-run", "--quiet", "rules"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    seconds, cpu = time.perf_counter() - begin, children_seconds() - cpu_begin
    total = re.search(r"^total +(\d+)", done.stdout, re.M)
    if done.returncode or not total:
        sys.exit(done.stdout)
    if int(total[1]) != expected:
        sys.exit(f"expected {expected} jobs, found {total[1]}")
    return seconds, cpu


def main() -> int:
    """Time a dry run of each grid; 0 if the largest and the RBP study stay below their targets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--species", type=int, nargs="*", default=[10, 50, 154])
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    grids = [
        (f"{n} species", lambda folder, n=n: write_grid(folder, n, options.seeds),
         count_jobs(n, options.seeds), TARGET_SECONDS)
        for n in options.species
    ]  # fmt: skip
    grids.append(
        ("154 RBPs", lambda folder: write_rbp_grid(folder, options.seeds),
         count_rbp_jobs(154, options.seeds), RBP_TARGET_SECONDS)
    )  # fmt: skip
    print(
        f"{'grid':>12}{'seeds':>7}{'jobs':>8}{'seconds':>10}{'of CPU':>10}{'s/1,000 jobs':>17}{'target, s':>12}"
    )
    late = False
    for name, write, counts, target in grids:
        jobs = sum(counts.values())
        with tempfile.TemporaryDirectory() as folder:
            seconds, cpu = dry_run(write(Path(folder)), jobs)
        late |= seconds >= target
        rate = 1000 * seconds / jobs
        print(
            f"{name:>12}{options.seeds:>7}{jobs:>8,}{seconds:>10.1f}{cpu:>10.1f}{rate:>17.2f}{target:>12g}"
        )
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
