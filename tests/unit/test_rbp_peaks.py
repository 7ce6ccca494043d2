"""Examples of the toy's peaks: no place and no gene on both sides, and what peaks of another assembly come to."""

import gzip

import pandas as pd
import pytest

from nucleotune.errors import InputError
from nucleotune.genome.annotation import read_annotation, write_annotation
from nucleotune.simulate.paths import rbp_paths
from nucleotune.studies.rbp import build as rbp_build
from nucleotune.studies.rbp.build import build_rbp
from nucleotune.studies.rbp.sample import overlapping
from nucleotune.studies.rbp.toy import write_rbp_study

PATHS = rbp_paths("toy")
LINES = ("K562", "HepG2")
SETTINGS = {
    "per_class": 15_000,
    "min_per_class": 50,
    "fractions": {"train": 0.64, "valid": 0.16, "test": 0.2},
    "seed": 1,
    "peaks": {"min_fold": 3, "min_p": 3, "length": 101, "min_distance": 101},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirror")
    write_rbp_study(folder, name="toy", seed=1, genes=150, per_class=300)
    annotation = folder / "annotation.parquet"
    gtf = read_annotation(folder / PATHS["gtf"], extra=["transcript_support_level"])
    write_annotation(gtf, annotation)
    genome = folder / "genome.fa"
    genome.write_bytes(gzip.decompress((folder / PATHS["dna"]).read_bytes()))
    peaks = {f"peaks_{n}": str(folder / PATHS[f"peaks_TOYM_{LINES[n]}"]) for n in range(2)}
    return {**peaks, "annotation": str(annotation), "genome": str(genome)}


@pytest.fixture
def halves(monkeypatch):
    """Each peak as two that touch, as peak callers often leave them: their windows overlap, they do not."""
    original = rbp_build.read_narrowpeak

    def read(path):
        table = original(path)
        middle = (table["start"] + table["end"]) // 2
        return pd.concat([table.assign(end=middle), table.assign(start=middle)])

    monkeypatch.setattr(rbp_build, "read_narrowpeak", read)


def build(files, split):
    rows = [{"cell_line": line} for line in LINES]
    return build_rbp(
        files, rbp="TOYM", form="narrowpeak", rows=rows, split=split, settings=SETTINGS
    )


def parts(examples):
    return [examples[examples["split"] == part] for part in ("test", "train")]


def test_no_test_window_overlaps_a_training_window(files, halves):
    examples, _, card = build(files, "locus")
    assert overlapping(*parts(examples)) == 0
    assert overlapping(*(examples[examples["split"] == p] for p in ("test", "valid"))) == 0
    assert card["leakage"]["test_rows_overlapping_training"] == card["leakage"]["genes_shared"] == 0
    assert card["grouped_by"] == "gene" and card["places_known"] == len(examples)
    sizes = pd.crosstab(examples["split"], examples["label"], normalize="columns")
    assert (sizes.sub([0.2, 0.64, 0.16], axis=0).abs() < 0.06).all(axis=None)


def test_random_rows_leak_and_the_card_says_so(files, halves):
    examples, _, card = build(files, "random")
    assert card["leakage"]["test_rows_overlapping_training"] == overlapping(*parts(examples)) > 0
    assert card["leakage"]["genes_shared"] > 0


def test_overlapping_peaks_of_cell_lines_are_one(files):
    examples, _, card = build(files, "locus")
    bound = examples[examples["label"] == 1].sort_values(["seqname", "strand", "start"])
    assert card["peaks"]["overlapping"] > 50
    assert bound.groupby(["seqname", "strand"])["start"].diff().min() > 20


def test_peaks_of_another_assembly_are_refused(files, monkeypatch):
    original = rbp_build.read_narrowpeak

    def shifted(path):
        table = original(path)
        return table.assign(start=table["start"] + 30_000, end=table["end"] + 30_000)

    monkeypatch.setattr(rbp_build, "read_narrowpeak", shifted)
    with pytest.raises(InputError, match="strong peaks on chromosomes, .*different assemblies"):
        build(files, "locus")
