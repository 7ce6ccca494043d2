"""Seconds that Snakemake needs to plan a grid of many species, methods and seeds; nothing is run.

    python benchmarks/dry_run.py [--species 10 50 154] [--seeds 1]

Each grid is written into a directory of its own and dry-run in a process of its own, as a user would. The largest one
has the shape of the papers' largest study: 154 data sets under nine methods.
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
        "compare": species,
        **{f"lncrna_table{number}": 1 for number in range(1, 7)},
        "lncrna_figure3": 1,
        "lncrna_figure4": 1,
        "study_report": 1,
        "report": 1,
        "all": 1,
    }


def children_seconds() -> float:
    """CPU seconds of all ended child processes; on a shared machine steadier than elapsed time."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Time a dry run of each grid; 0 if the largest stays below the target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--species", type=int, nargs="+", default=[10, 50, 154])
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    seconds = 0.0
    print(f"{'species':>8}{'seeds':>7}{'jobs':>8}{'seconds':>10}{'of CPU':>10}{'s/1,000 jobs':>17}")
    for species in options.species:
        with tempfile.TemporaryDirectory() as folder:
            arguments = write_grid(Path(folder), species, options.seeds)
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
            print(done.stdout)
            return 1
        jobs, expected = int(total[1]), sum(count_jobs(species, options.seeds).values())
        if jobs != expected:
            print(f"expected {expected} jobs, found {jobs}")
            return 1
        print(
            f"{species:>8}{options.seeds:>7}{jobs:>8,}{seconds:>10.1f}{cpu:>10.1f}{1000 * seconds / jobs:>17.2f}"
        )
    print(f"target for the last grid: less than {TARGET_SECONDS:g} s")
    return 0 if seconds < TARGET_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
