"""What an installation compiles ahead: every function that numba compiles, for the types of real runs.

Each test runs a program of its own, since here other tests have called these functions with other types.
"""

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

START = """
import importlib, pkgutil
import numpy as np
from numba.core.dispatcher import Dispatcher
import nucleotune
from nucleotune import warm
from nucleotune.evaluation import areas

folders = [nucleotune.__path__[0] + "/" + name for name in ("sequence", "genome", "evaluation", "baselines")]
functions = {areas._compiled()}
for module in pkgutil.iter_modules(folders):
    folder = module.module_finder.path.rsplit("/", 1)[1]
    found = vars(importlib.import_module(f"nucleotune.{folder}.{module.name}")).values()
    functions |= {value for value in found if isinstance(value, Dispatcher)}
#: Others are compiled as parts of these.
inner = {name for function in functions for name in function.py_func.__code__.co_names}
called = [function for function in functions if function.py_func.__name__ not in inner]
for step in warm.STEPS:
    if step is not warm.motifs:
        step()
warmed = {function: set(function.signatures) for function in called}
"""

REAL_CALLS = """
import gzip
import yaml
from nucleotune.baselines import graphprot, lncfinder, mdeep_features, plek
from nucleotune.evaluation.label_metrics import label_measure
from nucleotune.evaluation.metrics import measure
from nucleotune.evaluation.number_metrics import number_measure
from nucleotune.evaluation.profile_metrics import measure_profiles, score_genes
from nucleotune.genome.annotation import read_annotation
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.sequence.structure import fold_sequences

generator = np.random.default_rng(1)
rnas = ["".join(generator.choice(list("ACGT"), length)) for length in generator.integers(60, 90, 12)]
labels = generator.permutation(12) % 2
options = yaml.safe_load("{radius: 1, distance: 4, bitsize: 14, abstraction: 3, threads: 1, epochs: 2, lambda: 0.001}")
for sequence_only in (False, True):
    graphprot.fit(rnas, labels, {**options, "sequence_only": sequence_only}, 1)[0]

with gzip.open("a.gff3.gz", "wt") as stream:
    stream.write("##gff-version 3\\n")
    for gene in range(9):
        stream.write(f"1\\ttoy\\tgene\\t{gene + 1}\\t99\\t.\\t-\\t.\\tID=gene:{gene};gene_id={gene}\\n")
read_annotation("a.gff3.gz")

plek.features(rnas)
lncfinder.features(rnas, lncfinder.hexamer_frequencies(rnas, labels))
folds = fold_sequences(rnas)
lncfinder.structure_features(rnas, folds, lncfinder.structure_frequencies(rnas, folds, labels))
mdeep_features.make_inputs(rnas, mdeep_features.learn_hexamer_ratios(rnas, labels), 50)
for name in ("dnabert-6-tiny", "nt-tiny"):
    model = yaml.safe_load(open(f"{ROOT}/config/models/{name}.yaml"))
    make_tokenizer(model).encode([str(i) for i in range(12)], rnas, "right")

weights = generator.integers(1, 3, (5, 12))
scores = generator.random((12, 3))
measure(labels, scores[:, 0], scores[:, 0] > 0.5, weights)
label_measure(np.stack([labels] * 3, axis=1).astype(float), scores, scores > 0.5, list("abc"))(weights.astype(float))
number_measure(scores, scores[::-1], list("abc"))(weights.astype(float))
counts = generator.integers(0, 9, (12, 2, 40)) * generator.integers(0, 2, (12, 2, 40))
profiles = generator.random((12, 2, 40))
measure_profiles(score_genes(counts * 50, profiles / profiles.sum(axis=2, keepdims=True), scores[:, :2]), weights)
"""

END = """
for function in called:
    name = function.py_func.__module__ + "." + function.py_func.__name__
    if not warmed[function]:
        print(name, "is not reached")
    for types in set(function.signatures) - warmed[function]:
        print(name, "is compiled again for", types)
print(len(called), "functions")
"""


def run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert not done.returncode, done.stderr
    return done.stdout


def test_what_real_runs_call_has_been_compiled(tmp_path, forked):
    said = run(f"ROOT = {str(ROOT)!r}\n{START}{REAL_CALLS}{END}", tmp_path).splitlines()
    assert said[-1].endswith(" functions") and int(said[-1].split()[0]) >= 12
    assert said[:-1] == []


def test_installation_goes_on_where_nothing_can_be_kept(tmp_path, forked):
    lost = "from functools import partial; lost = partial(open, 'a/b', 'w')"
    said = run(f"{lost}; from nucleotune import warm; warm.STEPS = (lost,); warm.main()", tmp_path)
    assert (
        said.startswith("Functions are not compiled ahead, jobs compile them when they start: ")
        and "a/b" in said
    )
