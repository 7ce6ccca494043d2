"""Whether what a training found is found on another CPU, with other threads and from other seeds.

    python benchmarks/robustness.py [--seeds 1,2,3,4,5,6,7,8] [--threads 1,2] [--cpus plain,avx2,own] [--only toy]

Every setting is a process with its own instruction set (`--cpus`: `plain` without AVX, `avx2`, or `own`, all that this
CPU has) and number of threads. In each:

    toy      trains bpnet-tiny on the toy yeast as the default run does, from each seed, explains it and makes motifs;
             the bars are those of `tests/integration/test_polya_motifs.py` (`tests/bars.py`)
    tests    the tests under tests/unit that judge what a training found (marker `trained`), from each seed

A row a training, with what was found and the bars that it missed; exit status 1 if any was. `--only` takes one of both.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

#: What keeps libraries from instructions: torch's own code, MKL, oneDNN, and OpenBLAS of numpy and scipy.
CPUS = {
    "plain": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    },
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "MKL_CBWR": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    },
    "own": {},
}

SPECIES, METHOD = "toy-yeast", "bpnet-tiny"

#: Sequences that are explained, and those of them whose every substitution is tried, as in the default run.
EXPLAINED, MUTATED = 150, 30

SETTINGS = {"length": 300, "min_reads": 1}


def make_toy(folder: Path) -> None:
    """Examples of the toy yeast and what was planted in it, as rules simulate and polya_examples make them."""
    from nucleotune.genome.annotation import contig_names, read_annotation, write_annotation
    from nucleotune.plugins import load_species
    from nucleotune.profile_contracts import ProfileExamples, write_profile_examples
    from nucleotune.simulate.paths import polya_paths
    from nucleotune.studies.polya.build import build_polya
    from nucleotune.studies.polya.toy import write_polya_study

    species = load_species(SPECIES, [ROOT / "config"])
    names = {key: species["ensembl"][key] for key in ("species", "assembly", "release")}
    simulate = species["simulate"]
    write_polya_study(folder / "mirror", **names, seed=simulate["seed"], **simulate["polya"])
    paths = {name: folder / "mirror" / path for name, path in polya_paths(**names).items()}
    (folder / "toy.fa").write_bytes(gzip.decompress(paths["dna"].read_bytes()))
    gtf = paths["gtf"]
    write_annotation(read_annotation(gtf), folder / "toy.parquet", contig_names(gtf))
    files = {
        "genome": folder / "toy.fa",
        "annotation": folder / "toy.parquet",
        "ends_0": paths["tifseq"],
    }
    built = build_polya(
        {name: str(path) for name, path in files.items()},
        species=species["polya"],
        settings=SETTINGS,
    )
    examples = ProfileExamples(built.table, built.counts, built.tracks)
    write_profile_examples(folder / "examples.parquet", examples)
    paths["truth_polya_elements"].rename(folder / "elements.tsv")


def try_toy(toy: Path, folder: Path, seed: int, threads: int) -> dict:
    """Train, explain and make motifs once: what was found, by name, and the bars that were `missed`."""
    import bars
    import pandas as pd

    from nucleotune.attribution.explain import explain
    from nucleotune.attribution.meme import read_motifs
    from nucleotune.attribution.modisco import run_modisco
    from nucleotune.attribution.motifs import (
        by_element,
        composition,
        match_patterns,
        motif_table,
        seqlet_places,
    )
    from nucleotune.attribution.selection import SPLITS, with_most_reads
    from nucleotune.attribution.spacing import order_of_elements
    from nucleotune.attribution.words import gains_of_words
    from nucleotune.plugins import load_method
    from nucleotune.profile_contracts import read_profile_examples
    from nucleotune.training.fit import fit

    examples = toy / "examples.parquet"
    fit(
        read_profile_examples(examples),
        task="profiles",
        method=load_method(METHOD, [ROOT / "config"]),
        model=None,
        seed=seed,
        threads=threads,
        state_dir=folder / "state",
        output_dir=folder / "model",
    )
    chosen = with_most_reads(read_profile_examples(examples, splits=SPLITS["held-out"]), EXPLAINED)
    explained = explain(
        folder / "model", chosen, mutated=min(MUTATED, EXPLAINED), seed=seed, threads=threads
    )
    ratios = bars.contributions_of_elements(explained, pd.read_csv(toy / "elements.tsv", sep="\t"))
    known = read_motifs(ROOT / "resources/motifs/polya.meme")
    _, hypothetical = explained.for_motifs()
    patterns = run_modisco(explained.sequences, hypothetical, folder / "patterns.h5")
    matches = match_patterns(patterns, known, composition(explained.sequences))
    places = seqlet_places(patterns, matches, explained.sites)
    motifs = motif_table(patterns, matches, places, list(by_element(known)))
    order = order_of_elements(places, explained.sites, seed=seed)
    words = gains_of_words(explained, known)
    missed = []
    for bar, found in (
        (bars.elements_stand_out, ratios),
        (bars.motifs_are_found, motifs),
        (bars.order_is_found, order),
        (bars.words_contribute, words),
    ):
        try:
            bar(found)
        except (AssertionError, KeyError):
            missed.append(bar.__name__)
    table = words.set_index(["element", "begin"])["ci_low"]
    return {
        "ratios": ratios.astype(float).round(1).to_numpy().tolist(),
        "motifs": dict(zip(motifs["consensus"], motifs["element"], strict=True)),
        "seqlets": motifs.groupby("element")["seqlets"].sum().to_dict(),
        "order": int(order["n"].min()),
        "words": [
            round(float(table.get((element, begin), 0)), 2)
            for element, begins in bars.PLACES.items()
            for begin in begins
        ],
        "missed": missed,
    }


def run_toy(toy: Path, seeds: Sequence[int], threads: int) -> None:
    """A line of JSON a seed."""
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            print(
                json.dumps({"seed": seed, **try_toy(toy, Path(folder), seed, threads)}), flush=True
            )


def print_toy(line: str, setting: str) -> bool:
    """Print what one training found; whether all bars were passed."""
    found = json.loads(line)
    ratios = " ".join("/".join(map(str, row)) for row in found["ratios"])
    seqlets = ", ".join(f"{name or 'other'} {n}" for name, n in found["seqlets"].items())
    print(
        f"{setting}  seed {found['seed']}  ratios {ratios}  seqlets: {seqlets}  order n {found['order']}"
        f"  words {found['words']}  {'MISSED ' + ', '.join(found['missed']) if found['missed'] else 'all'}"
        f"  motifs {found['motifs']}",
        flush=True,
    )
    return not found["missed"]


def tests_of_trainings() -> list[str]:
    """Files of tests that judge what a training found."""
    files = sorted((ROOT / "tests/unit").glob("test_*.py"))
    return [str(path) for path in files if "training_seed" in path.read_text()]


def main() -> int:
    """Print a line a training; exit status 1 if a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    numbers = lambda text: [int(part) for part in text.split(",")]  # noqa: E731
    parser.add_argument("--seeds", type=numbers, default=list(range(1, 9)))
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--cpus", type=lambda text: text.split(","), default=list(CPUS))
    parser.add_argument("--only", choices=["toy", "tests"])
    parser.add_argument("--toy", type=Path, help=argparse.SUPPRESS)  # of a child process
    arguments = parser.parse_args()
    if arguments.toy:
        run_toy(arguments.toy, arguments.seeds, arguments.threads[0])
        return 0
    passed = True
    seeds = ",".join(map(str, arguments.seeds))
    with tempfile.TemporaryDirectory() as folder:
        if arguments.only != "tests":
            make_toy(Path(folder))
        for cpu in arguments.cpus:
            for threads in arguments.threads:
                setting = f"{cpu:5}  {threads} threads"
                environment = {
                    **os.environ,
                    **CPUS[cpu],
                    "OMP_NUM_THREADS": str(threads),
                    "OMP_WAIT_POLICY": "passive",
                    "NUCLEOTUNE_TRAINING_SEEDS": seeds,
                }
                if arguments.only != "tests":
                    command = [__file__, "--toy", folder, "--seeds", seeds]
                    with subprocess.Popen(
                        [sys.executable, *command, "--threads", str(threads)],
                        env=environment,
                        stdout=subprocess.PIPE,
                        text=True,
                    ) as child:
                        passed &= all([print_toy(line, setting) for line in child.stdout])
                    passed &= child.returncode == 0
                if arguments.only != "toy":
                    command = ["-m", "pytest", "-q", "-m", "trained", *tests_of_trainings()]
                    done = subprocess.run([sys.executable, *command], env=environment, cwd=ROOT)
                    print(f"{setting}  tests: {'passed' if done.returncode == 0 else 'FAILED'}")
                    passed &= done.returncode == 0
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
