"""Counts of transcripts under every reading of the paper's filters."""

import itertools

import pandas as pd
import pytest

from nucleotune.config import load_run
from nucleotune.errors import InputError
from nucleotune.plan.run import Run
from nucleotune.sequence.fasta import read_fasta
from nucleotune.sequence.headers import parse_header
from nucleotune.simulate.paths import toy_paths
from nucleotune.stages import ROOT
from nucleotune.studies.lncrna import plan as lncrna_plan
from nucleotune.studies.lncrna.build import filter_transcripts, read_transcripts
from nucleotune.studies.lncrna.calibration import (
    ALTERNATIVE,
    TABLE_COLUMNS,
    compare_counts,
    count_readings,
    readings,
    result,
)
from nucleotune.studies.lncrna.toy import write_toy_species
from nucleotune.studies.registry import STUDIES

PUBLISHED = pd.read_csv(ROOT / "resources/published/lncrna_datasets.tsv", sep="\t")
NAMES = {"species": "toy_species", "assembly": "TOY1", "release": 110}
OWN = {
    "lncRNA": ("lncRNA genes", "all regions", "ACGT only", "any symbol", "repeats kept"),
    "mRNA": ("all biotypes", "all regions", "ACGT only", "any symbol", "repeats kept"),
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    sizes = {"coding_genes": 60, "lncrna_genes": 70, "small_rnas": 30}
    summary = write_toy_species(folder, seed=1, **NAMES, **sizes)
    paths = toy_paths(**NAMES)
    return {"lncRNA": folder / paths["ncrna"], "mRNA": folder / paths["cds"]}, summary


def slow(path, label, reading):
    """One reading, the obvious way: filter a list of records, then drop repeats."""
    biotypes, regions, letters, symbols, repeats = reading
    wanted = {"lncRNA": "lncRNA", "mRNA": "protein_coding"}[label]
    kept = []
    for record in read_fasta(path):
        fields = parse_header(record.header)
        kept += [record.sequence] * (
            len(record.sequence) >= 100
            and (not biotypes.endswith("genes") or fields["gene_biotype"] == wanted)
            and (not biotypes.endswith("transcripts") or fields["transcript_biotype"] == wanted)
            and (regions == "all regions" or not fields["seq_region"].startswith("CHR_"))
            and (letters == "any letter" or set(record.sequence) <= set("ACGT"))
            and (symbols == "any symbol" or fields["symbol"] is not None)
        )
    return len(kept) if repeats == "repeats kept" else len(set(kept))


@pytest.mark.parametrize("label", lncrna_plan.CLASSES)
def test_counts_equal_one_filter_after_the_other(toy, label):
    path = toy[0][label]
    counts = count_readings(path, label, min_length=100)
    assert list(counts) == readings(label) and len(set(counts)) == 48
    assert counts == {reading: slow(path, label, reading) for reading in readings(label)}
    # Every question must matter in these files, or the comparison above says little about it.
    for question in range(5):
        by_rest = {}
        for reading, count in counts.items():
            rest = reading[:question] + reading[question + 1 :]
            by_rest.setdefault(rest, set()).add(count)
        assert any(len(found) > 1 for found in by_rest.values()), f"question {question} is idle"


@pytest.mark.parametrize("label", lncrna_plan.CLASSES)
def test_one_reading_is_that_of_the_study(toy, label):
    table, _ = read_transcripts([toy[0][label]], None)
    filters = {"transcript_biotypes": None, "min_length": 100, "source": "toy"}
    biotypes = ["lncRNA"] if label == "lncRNA" else None
    kept, _ = filter_transcripts(table, label=label, gene_biotypes=biotypes, **filters)
    assert count_readings(toy[0][label], label, 100)[OWN[label]] == len(kept)


def test_minimum_length_is_that_of_the_configuration(toy):
    path = toy[0]["lncRNA"]
    everything = ("all biotypes", "all regions", "any letter", "any symbol", "repeats kept")
    assert count_readings(path, "lncRNA", 1)[everything] == sum(1 for _ in read_fasta(path))
    assert count_readings(path, "lncRNA", 10**6)[everything] == 0


def test_alternative_regions():
    """Names of Ensembl's human and mouse files, with and without the prefix CHR_."""
    for name in (
        "CHR_HSCHR6_MHC_QBL_CTG1",
        "CHR_HG76_PATCH",
        "HSCHR17_7_CTG4",
        "HG2412_PATCH",
        "CHR_MG153_PATCH",
        "CHR_MMCHR1_CHORI29_IDD5_1",
    ):
        assert ALTERNATIVE.search(name), name
    for name in ("1", "X", "MT", "KI270728.1", "GL000194.1", "JH584304.1", "2R", "VII"):
        assert not ALTERNATIVE.search(name), name


def test_other_headers_are_refused(tmp_path):
    path = tmp_path / "a.fa"
    path.write_text(">NR_1 a transcript\n" + "ACGT" * 50 + "\n")
    with pytest.raises(InputError, match=r"a\.fa: record 'NR_1 a transcript': not a header of Ens"):
        count_readings(path, "lncRNA", 100)


def counts(species, release, label, **numbers):
    """A result with two readings."""
    return result(species, release, label, {("x", "y"): numbers["xy"], ("x", "z"): numbers["xz"]})


def test_release_and_reading_that_fit_all_species_come_first():
    tables = [
        # x; y of 108 is exact for human and far off for mouse; x; z of 109 is near for both.
        counts("human", 108, "lncRNA", xy=59419, xz=50000),
        counts("mouse", 108, "lncRNA", xy=30000, xz=22583),
        counts("human", 109, "lncRNA", xy=70000, xz=59519),
        counts("mouse", 109, "lncRNA", xy=22583, xz=22500),
        counts("human", 109, "mRNA", xy=100000, xz=59419),
    ]
    table = compare_counts(tables, PUBLISHED, {"human": "human", "mouse": "mouse"})
    assert list(table.columns) == list(TABLE_COLUMNS) and len(table) == 10
    first = table.head(2)
    assert set(first["species"]) == {"human", "mouse"}
    assert set(first["release"]) == {109} and set(first["reading"]) == {"x; z"}
    assert dict(zip(first["species"], first["difference"], strict=True)) == {
        "human": 100,
        "mouse": -83,
    }
    assert list(table["class"])[-2:] == ["mRNA", "mRNA"]
    assert (table["count"] - table["published"] == table["difference"]).all()


def test_result_survives_its_file(tmp_path, toy):
    written = result("toy", 110, "lncRNA", count_readings(toy[0]["lncRNA"], "lncRNA", 100))
    written.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "t.tsv", sep="\t"), written)


def test_files_are_those_of_every_release_and_no_part_of_the_study():
    config = {"lncrna": {"species": ["human", "mouse"], "calibrate": {"releases": [107, 108]}}}
    run = Run.of(load_run(config), STUDIES)
    files = lncrna_plan.calibration_files(run)
    keys = itertools.product(["human", "mouse"], [107, 108], ["mRNA", "lncRNA"])
    assert list(files) == list(keys)
    path, source = files["mouse", 107, "lncRNA"]
    address = (
        "ftp.ensembl.org/pub/release-107/fasta/mus_musculus/ncrna/Mus_musculus.GRCm39.ncrna.fa.gz"
    )
    assert path == f"resources/downloads/{address}" and source.urls[0] == f"https://{address}"
    assert files["human", 108, "mRNA"][0] in run.downloads and path not in run.downloads
    assert {path for path, _ in files.values()} <= run.sources.keys()


def test_a_simulated_species_has_one_release():
    run = Run.of(load_run({"lncrna": {"species": ["toy"]}}), STUDIES)
    assert list(lncrna_plan.calibration_files(run)) == [
        ("toy", 110, "mRNA"),
        ("toy", 110, "lncRNA"),
    ]


def test_a_run_without_the_study_has_nothing_to_calibrate():
    promoters = {"species": ["human-110"], "methods": ["gc"]}
    run = Run.of(load_run({"studies": ["promoters"], "promoters": promoters}), STUDIES)
    assert run.sources == run.downloads
