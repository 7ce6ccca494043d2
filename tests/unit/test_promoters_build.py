"""Examples of the promoter study, built from the files of a simulated species as a run does."""

import copy
import csv
import gzip
import re
from pathlib import Path

import pandas as pd
import pytest

from nucleotune.config import load_run
from nucleotune.contracts import check_examples
from nucleotune.errors import InputError
from nucleotune.genome.annotation import read_annotation, write_annotation
from nucleotune.genome.expression import read_gct
from nucleotune.genome.genome_file import open_genome
from nucleotune.plugins import load_species
from nucleotune.simulate.paths import promoter_paths
from nucleotune.stages import ROOT
from nucleotune.studies.promoters.build import build_task
from nucleotune.studies.promoters.finish import window_starts
from nucleotune.studies.promoters.plan import PromoterDataset
from nucleotune.studies.promoters.protocol import settings_read, species_read
from nucleotune.studies.promoters.toy import write_promoter_study

NAMES = {"species": "toy_species", "assembly": "TOY1", "release": 110}
#: Names of files in a run -> in the simulator.
FILES = {
    "expression": "gtex",
    "promoters": "epd",
    "motifs": "epd_motifs",
    "gue_train": "gue_train",
    "gue_valid": "gue_dev",
    "gue_test": "gue_test",
}
COMPLEMENT = str.maketrans("ACGT", "TGCA")


class Toy:
    """A simulated species, unpacked and read as rules genome and annotation do."""

    def __init__(self, folder):
        mirror = folder / "mirror"
        self.summary = write_promoter_study(mirror, seed=1, genes=300, **NAMES)
        paths = {name: mirror / path for name, path in promoter_paths(**NAMES).items()}
        self.files = {name: str(paths[simulated]) for name, simulated in FILES.items()}
        self.files["genome"] = str(folder / "toy.fa")
        (folder / "toy.fa").write_bytes(gzip.decompress(paths["dna"].read_bytes()))
        self.files["annotation"] = str(folder / "toy.parquet")
        write_annotation(read_annotation(paths["gtf"]), self.files["annotation"])
        with open_genome(self.files["genome"]) as genome:
            self.genome = {name: genome[name][:] for name in genome.keys()}  # noqa: SIM118
        self.bed = [line.split() for line in paths["epd"].read_text().splitlines()]
        self.gtf = gzip.decompress(paths["gtf"].read_bytes()).decode().splitlines()

    def window(self, seqname, first, last, strand):
        """Bases `first` to `last` of a contig, both included, along `strand`."""
        sequence = self.genome[seqname][first : last + 1]
        return sequence if strand == "+" else sequence.translate(COMPLEMENT)[::-1]

    def genes(self):
        """Gene -> (contig, 0-based TSS, strand), by the lines of the GTF."""
        found = {}
        for fields in (line.split("\t") for line in self.gtf if not line.startswith("#")):
            if fields[2] == "gene":
                tss = int(fields[3 if fields[6] == "+" else 4]) - 1
                found[re.search(r'gene_id "(\w+)"', fields[8])[1]] = (fields[0], tss, fields[6])
        return found


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return Toy(tmp_path_factory.mktemp("toy"))


def build(
    toy, task, *, length=300, split="random", files=None, expected=None, block=None, **settings
):
    run = load_run(
        {
            "studies": ["promoters"],
            "promoters": {
                "species": ["toy"],
                "methods": ["gc"],
                "lengths": [300, 1000],
                **settings,
            },
        }
    )
    one = copy.deepcopy(load_species("toy", [ROOT / "config"]))
    for name, numbers in (expected or {}).items():
        one["promoters"][name]["expected"] = numbers
    one["promoters"] |= block or {}
    study = run["config"]["promoters"]
    dataset = PromoterDataset("toy", split, ("toy",), task=task, length=length)
    examples, card = build_task(
        toy.files if files is None else files,
        task=task,
        length=length,
        split=split,
        species=species_read(study, dataset, one),
        settings=settings_read(study, dataset, one),
    )
    check_examples(examples)
    assert set(examples["sequence"].str.len()) == {length}
    assert examples["sequence"].str.fullmatch("[ACGT]+").all()
    return examples, card


def rows(path):
    with open(path, newline="") as stream:
        return [(row["sequence"], int(row["label"])) for row in csv.DictReader(stream)]


# Tasks 1 and 2


def test_task_1_is_gue_row_by_row(toy):
    examples, card = build(toy, "task1")
    for split in ("train", "valid", "test"):
        part = examples[examples["split"] == split]
        assert list(zip(part["sequence"], part["label"], strict=True)) == rows(
            toy.files[f"gue_{split}"]
        )
    n = toy.summary["epd_tataless"]
    assert card["classes"] == {"artificial": n, "biological": n}
    assert card["places_known"] == 0 and card["windows"] == {}


def test_numbers_that_must_be_met(toy):
    gue = {part: len(rows(toy.files[f"gue_{part}"])) for part in ("train", "valid", "test")}
    n, tataless = toy.summary["epd"], toy.summary["epd_tataless"]
    epd = {"promoters": n, "tata": n - tataless, "non_tata": tataless}
    build(toy, "task1", expected={"gue": gue})
    build(toy, "task1", positives="epd", expected={"epd": epd})
    with pytest.raises(InputError, match=r"train\.csv: \d+ rows in split train, expected 42452"):
        build(toy, "task1", expected={"gue": {"train": 42_452}})
    with pytest.raises(InputError, match="EPDnew: .* expected 26533"):
        build(toy, "task1", positives="epd", expected={"epd": {"non_tata": 26_533}})


def test_promoters_of_epd_are_those_of_gue(toy):
    """Both are TSS-249 to TSS+50 of every promoter without a TATA box; only GUE's have lost their names."""
    from_gue, _ = build(toy, "task1")
    from_epd, card = build(toy, "task1", positives="epd")
    found = from_epd[from_epd["label"] == 1]
    assert sorted(found["sequence"]) == sorted(from_gue.loc[from_gue["label"] == 1, "sequence"])
    assert card["places_known"] == len(from_epd) == 2 * toy.summary["epd_tataless"]
    assert card["windows"]["windows"] == toy.summary["epd_tataless"]
    boxes = {name: (seqname, int(start), int(end)) for seqname, start, end, name, *_ in toy.bed}
    for row in found.itertuples():
        seqname, start, end = boxes[row.id]
        first, last = (start - 200, end - 1 + 40) if row.strand == "+" else (start - 40, end + 199)
        expected = toy.window(seqname.removeprefix("chr"), first, last, row.strand)
        assert row.sequence == expected


def test_artificial_sequences_made_from_epd_keep_dinucleotides_by_default(toy):
    def dinucleotides(sequence):
        return pd.Series([sequence[i : i + 2] for i in range(299)]).value_counts().to_dict()

    examples, _ = build(toy, "task1", positives="epd")
    pairs = examples.head(10), examples[examples["label"] == 0].head(10)
    for one, other in zip(*(part["sequence"] for part in pairs), strict=True):
        assert one != other and dinucleotides(one) == dinucleotides(other)
    plain, _ = build(toy, "task1", positives="epd", shuffle="mononucleotide")
    first = [plain.loc[plain["label"] == label, "sequence"].iloc[0] for label in (1, 0)]
    assert sorted(first[0]) == sorted(first[1])
    assert dinucleotides(first[0]) != dinucleotides(first[1])


@pytest.mark.parametrize("positives", ["gue", "epd"])
def test_task_2_sets_promoters_beside_the_genome_far_from_them(toy, positives):
    examples, card = build(toy, "task2", positives=positives, margin=700)
    n = toy.summary["epd_tataless"]
    assert card["classes"] == {"non-promoter": n, "promoter": n}
    windows = []
    for seqname, start, end, _, _, strand, *_ in toy.bed:
        tss = int(start) + 49 if strand == "+" else int(end) - 50
        first = tss - 249 if strand == "+" else tss - 50
        windows.append((seqname.removeprefix("chr"), first, first + 300))
    for row in examples[examples["label"] == 0].itertuples():
        place = re.fullmatch(r"(\w+):(\d+)-(\d+)\(([+-])\)", row.id)
        seqname, first, end, strand = place[1], int(place[2]), int(place[3]), place[4]
        assert row.sequence == toy.window(seqname, first, end - 1, strand)
        assert all(
            first >= their_end + 700 or end + 700 <= their_start
            for name, their_start, their_end in windows
            if name == seqname
        )
    if positives == "gue":
        for split in ("train", "valid", "test"):
            part = examples[examples["split"] == split]
            given = {s for s, label in rows(toy.files[f"gue_{split}"]) if label == 1}
            assert set(part.loc[part["label"] == 1, "sequence"]) == given
            assert part["label"].mean() == 0.5
    else:
        assert card["places_known"] == len(examples)


def test_a_single_file_of_labelled_sequences_is_split_anew(toy):
    files, own = {"gue_train": toy.files["gue_train"]}, {"gue": None}
    examples, card = build(toy, "task1", files=files, block=own)
    found = rows(files["gue_train"])
    assert list(zip(examples["sequence"], examples["label"], strict=True)) == found
    shares = examples["split"].value_counts() / len(found)
    assert shares.round(2).to_dict() == {"train": 0.8, "valid": 0.1, "test": 0.1}
    for part in card["splits"].values():
        assert set(part) == {"artificial", "biological"}
    again, _ = build(toy, "task1", files=files, block=own)
    other, _ = build(toy, "task1", files=files, block=own, seed=2)
    assert (examples["split"] == again["split"]).all()
    assert (examples["split"] != other["split"]).any()
    two = files | {"gue_test": toy.files["gue_test"]}
    kept, _ = build(toy, "task1", files=two)
    assert set(kept["split"]) == {"train", "test"}, "a split that is given is kept"


def test_chromosomes_can_be_held_out_where_places_are_known(toy):
    for task in ("task1", "task2"):
        examples, card = build(
            toy, task, positives="epd", split="chromosome", chromosomes={"test": ["3"]}
        )
        assert examples.groupby("seqname")["split"].nunique().max() == 1
        assert set(examples.loc[examples["split"] == "test", "seqname"]) == {"3"}
        assert card["leakage"]["genes_shared"] == 0
        with pytest.raises(InputError, match="files of GUE have none"):
            build(toy, task, split="chromosome", splits=["random", "chromosome"])


# Tasks 3 and 4


def test_lengths_of_task_3_share_genes_splits_and_the_tss(toy):
    short, card = build(toy, "task3")
    long, cut = build(toy, "task3", length=1000)
    for column in ("id", "label", "split", "gene_biotype"):
        assert short[column].tolist() == long[column].tolist()
    genes = toy.genes()
    for near, far in zip(short.itertuples(), long.itertuples(), strict=True):
        seqname, tss, strand = genes[near.id]
        first, last = (tss - 949, tss + 50) if strand == "+" else (tss - 50, tss + 949)
        assert far.sequence == toy.window(seqname, first, last, strand)
        assert near.sequence == far.sequence[-300:]
    assert card["classes"]["high"] == card["classes"]["low"] == len(short) / 2
    assert len(card["tissues"]) == 49 and card["places_known"] == len(short)
    assert far.sequence[-51:] == near.sequence[-51:]


def test_longest_promoter_decides_which_genes_there_are(toy):
    """Genes near the end of a contig have no promoter of 2,000 nt, so none of 300 nt either."""
    _, near = build(toy, "task3", lengths=[300])
    _, far = build(toy, "task3", lengths=[300, 20_000])
    assert far["windows"]["off_contig"] > near["windows"]["off_contig"]
    assert far["windows"]["windows"] < near["windows"]["windows"]
    # Task 4 has 300 nt alone, whatever the lengths of Task 3.
    four, _ = build(toy, "task4", lengths=[300])
    same, _ = build(toy, "task4", lengths=[300, 20_000])
    pd.testing.assert_frame_equal(four, same)


def test_task_4_draws_as_many_genes_of_both_biotypes(toy):
    examples, card = build(toy, "task4")
    assert (examples["label"] == (examples["gene_biotype"] == "protein_coding")).all()
    assert card["classes"]["lncRNA"] == card["classes"]["protein_coding"] > 100
    genes = toy.genes()
    for row in examples.head(40).itertuples():
        seqname, tss, strand = genes[row.id]
        first, last = (tss - 249, tss + 50) if strand == "+" else (tss - 50, tss + 249)
        assert row.sequence == toy.window(seqname, first, last, strand)
    assert "expression" not in card["waterfall"][-1]["step"]
    fewer, _ = build(toy, "task4", n_per_class=50, pool="gtex_version_exact")
    assert fewer["label"].value_counts().to_dict() == {0: 50, 1: 50}
    with pytest.raises(InputError, match="10239 genes of each class requested") as error:
        build(toy, "task4", n_per_class=10_239)
    assert str(error.value).startswith(toy.files["annotation"])


@pytest.mark.parametrize("task", ["task3", "task4"])
def test_genes_by_chromosome(toy, task):
    held_out = {"test": ["X"], "valid": ["2"]}
    examples, card = build(toy, task, split="chromosome", chromosomes=held_out)
    assert card["split"] == "chromosome"
    by_split = examples.groupby("split")["seqname"].unique()
    assert list(by_split["test"]) == ["X"] and list(by_split["valid"]) == ["2"]
    assert {"X", "2"}.isdisjoint(by_split["train"])
    free, _ = build(toy, task, split="chromosome")
    assert free.groupby("seqname")["split"].nunique().max() == 1
    with pytest.raises(InputError, match="chromosome '9', to be held out, is not there"):
        build(toy, task, split="chromosome", chromosomes={"test": ["9"]})


def test_a_file_that_is_not_there_is_named(toy, tmp_path):
    nowhere = str(tmp_path / "nowhere")
    for task, name in (("task1", "gue_test"), ("task2", "genome"), ("task3", "expression")):
        with pytest.raises(InputError, match=nowhere):
            build(toy, task, files=toy.files | {name: nowhere})


def test_task_4_of_all_genes_needs_no_expression(toy):
    examples, _ = build(toy, "task4")
    files = {name: toy.files[name] for name in ("genome", "annotation")}
    pd.testing.assert_frame_equal(build(toy, "task4", files=files)[0], examples)
    with pytest.raises(InputError, match="needs an expression file"):
        build(toy, "task4", files=files, pool="gtex_joined")


def test_numbers_of_gtex_that_must_be_met(toy):
    genes = len(read_gct(toy.files["expression"]))
    found = {"genes": genes, "tissues": 54, "kept": 49}
    build(toy, "task3", expected={"gtex": found})
    for key, name in (("genes", "genes"), ("tissues", "tissues"), ("kept", "tissues kept")):
        with pytest.raises(InputError, match=f"{found[key]} {name}, expected 7"):
            build(toy, "task3", expected={"gtex": {key: 7}})
    # Tissues kept are those of the paper only where it is followed.
    build(toy, "task3", expected={"gtex": {"kept": 49}}, exclude_tissues=[])


def test_expression_of_other_ids_is_refused(toy, tmp_path):
    path = tmp_path / "other.gct"
    text = Path(toy.files["expression"]).read_bytes()
    text = gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text
    head, genes = text.splitlines()[:3], text.splitlines()[3:]
    path.write_bytes(b"\n".join([*head, *(b"X" + line for line in genes)]))
    with pytest.raises(
        InputError, match=r"other\.gct: 0 of the \d+ protein-coding and lncRNA genes"
    ):
        build(toy, "task3", files=toy.files | {"expression": str(path)})


def test_most_of_the_genome_is_not_lost_without_a_word(toy, tmp_path):
    """Half of the contigs have other names: aliases mend it."""
    lines = Path(toy.files["genome"]).read_text().splitlines()
    names = [line[1:].split()[0] for line in lines if line.startswith(">")]
    half = {name: f"scaffold_{name}" for name in names[: len(names) // 2 + 1]}
    genome = tmp_path / "renamed.fa"
    genome.write_text(
        "\n".join(
            f">{half.get(line[1:].split()[0], line[1:])}" if line.startswith(">") else line
            for line in lines
        )
    )
    files = toy.files | {"genome": str(genome)}
    for task, asked in (("task4", {}), ("task1", {"positives": "epd"}), ("task2", {})):
        with pytest.raises(InputError, match=r"are on contigs missing from .*renamed\.fa"):
            build(toy, task, files=files, **asked)
    here, card = build(toy, "task4", files=files, block={"aliases": half})
    assert card["windows"]["unknown_contig"] == 0
    assert set(here["seqname"]) <= {half.get(name, name) for name in names}, "the genome's names"
    there, _ = build(toy, "task4")
    assert here["sequence"].tolist() == there["sequence"].tolist()


def test_a_masked_genome_leaves_no_promoter(toy, tmp_path):
    genome = tmp_path / "masked.fa"
    lines = Path(toy.files["genome"]).read_text().splitlines()
    genome.write_text(
        "".join((line if line[0] == ">" else "N" * len(line)) + "\n" for line in lines)
    )
    files = toy.files | {"genome": str(genome)}
    for task, asked in (("task3", {}), ("task4", {}), ("task1", {"positives": "epd"})):
        with pytest.raises(
            InputError,
            match=r"masked\.fa: no promoter is left of \d+ positions: 0 on contigs .* masked by N",
        ) as error:
            build(toy, task, files=files, **asked)
        places, off, masked = (
            int(re.search(pattern, str(error.value))[1])
            for pattern in (
                r"of (\d+) positions",
                r"missing from the genome, (\d+) too",
                r"nt, (\d+) with",
            )
        )
        assert places == off + masked and masked > 0


def test_negatives_lie_apart_and_the_card_says_how_they_were_drawn(toy):
    examples, card = build(toy, "task2", positives="epd")
    negatives = examples[examples["label"] == 0].assign(
        start=lambda rows: window_starts(rows, 300, 50)
    )
    for _, rows in negatives.groupby("seqname"):
        assert (rows["start"].sort_values().diff().dropna() >= 300).all()
    named = negatives["id"].str.extract(r":(\d+)-")[0].astype(int)
    assert named.tolist() == negatives["start"].tolist()
    steps = {s["step"]: s for s in card["waterfall"] if s["class"] == "non-promoter"}
    n = toy.summary["epd_tataless"]
    assert list(steps)[-1] == "apart from each other"
    assert steps["apart from each other"]["kept"] == n
    assert steps["far from promoters"]["dropped"] > 0
    assert card["leakage"]["test_rows_overlapping_training"] >= 0


def test_length_must_not_tell_task_2(toy, tmp_path):
    path = tmp_path / "short.csv"
    with open(toy.files["gue_test"]) as stream:
        header, *lines = stream.read().splitlines()
    path.write_text("\n".join([header, *(line[100:] for line in lines)]))
    with pytest.raises(InputError, match=r"short\.csv: line \d+: 200 nt, expected 300"):
        build(toy, "task2", files=toy.files | {"gue_test": str(path)})
