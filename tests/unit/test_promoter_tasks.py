"""Promoter study: sources, classes of expression, the four tasks, splits and data cards."""

import gzip

import numpy as np
import pandas as pd
import pytest

from nucleotune.baselines import fit_predict
from nucleotune.baselines.reference_lines import dinucleotide_features
from nucleotune.contracts import check_examples, write_examples
from nucleotune.errors import InputError
from nucleotune.evaluation.metrics import measure
from nucleotune.files import write_json
from nucleotune.genome.contigs import as_in_genome
from nucleotune.genome.windows import Windows
from nucleotune.studies.promoters import epd, gue
from nucleotune.studies.promoters import finish as promoters
from nucleotune.studies.promoters import genes as promoters_genes
from nucleotune.studies.promoters import tasks as promoters_tasks
from nucleotune.studies.promoters.build import build_task
from nucleotune.studies.promoters.expression_classes import (
    classify,
    describe_tpm,
    select_tissues,
    tissue_id,
)
from nucleotune.studies.promoters.protocol import SMALL_TISSUES
from nucleotune.studies.promoters.tables import BIOTYPE_MCC
from nucleotune.studies.splits import split_rows

FRACTIONS = {"train": 0.8, "valid": 0.1, "test": 0.1}
BIOTYPES = promoters_genes.BIOTYPES


def sequences(n, length, seed=0):
    letters = np.random.default_rng(seed).choice(list("ACGT"), (n, length))
    return ["".join(row) for row in letters]


def reverse_complement(sequence):
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def finish(table, card, task, **changes):
    options = {
        "split": "random",
        "fractions": FRACTIONS,
        "chromosomes": {},
        "seed": 1,
        "downstream": 50,
    }
    return promoters.finish(table, card, task=task, **{**options, **changes})


# GUE


def gue_files(tmp_path, rows=20):
    paths = {}
    for number, split in enumerate(("train", "valid", "test")):
        paths[split] = tmp_path / f"{split}.csv"
        lines = [f"{s},{i % 2}" for i, s in enumerate(sequences(rows, 300, number))]
        paths[split].write_text("\n".join(["sequence,label", *lines]) + "\n")
    return paths


def test_gue_keeps_its_own_split(tmp_path):
    table = gue.read_gue(gue_files(tmp_path), {"train": 20})
    examples, card = finish(table, {"waterfall": gue.gue_waterfall(table)}, "task1")
    assert examples["split"].tolist() == ["train"] * 20 + ["valid"] * 20 + ["test"] * 20
    assert card["splits"]["test"] == {"artificial": 10, "biological": 10}
    assert card["places_known"] == 0
    assert card["waterfall"][0] == {
        "class": "promoter",
        "step": "in GUE",
        "kept": 30,
        "dropped": 0,
    }
    with pytest.raises(InputError, match="no genomic position"):
        finish(table, {}, "task1", split="chromosome")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!DOCTYPE html>\n<p>quota</p>\n", "HTML page"),
        (
            "dna;y\nACGT;1\n",
            r"expected the header 'sequence,label' \(or .*class.*\), found 'dna;y'$",
        ),
        ("id,sequence,label\na,ACGT,1\n", "found 'id,sequence,label'$"),
        ("seq,sequence\nACGT,1\n", "found 'seq,sequence'$"),
        ("sequence,label\nACGT,2\n", r"line 2: label '2'; expected 0 or 1 \(sequence 'ACGT'\)"),
        ("sequence,label\n\nACGT,0\nAC-T,1\n", "line 4: letter '-'"),
        ("sequence,label\nACGT,0\n", "1 rows in split train, expected 2"),
        ("", "found an empty file"),
        ("sequence,label\n", "no rows after the header"),
        ("sequence,label\nACGT,0,7\nACGT,1,7\n", "line 2: 3 fields where the header has 2"),
        ("sequence,label\nACGT,0\nACGTA,1\n", "line 3: 5 nt, expected 4 as for all"),
        ("sequence,label\n,1\n", "line 2: no sequence before label 1"),
        ('sequence,label\nACGT,0\n"ACGT,1\nACGT,0\n', "line 3: broken quotes"),
        ("sequence,label\nACGTé,0\n", "line 2: letter 'é'"),
    ],
)
def test_gue_says_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "train.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        gue.read_gue({"train": path}, {"train": 2})


def test_sequences_that_length_or_a_lacking_class_would_tell_apart_are_refused(tmp_path):
    files = gue_files(tmp_path)
    table = gue.read_gue(files, {"positives": 30}, length=300, classes=(0, 1))
    assert len(table) == 60
    with pytest.raises(InputError, match="GUE: 30 rows with label 1, expected 26533"):
        gue.read_gue(files, {"positives": 26_533})
    with pytest.raises(InputError, match=r"train\.csv: line 2: 300 nt, expected 200"):
        gue.read_gue(files, length=200)
    header, *lines = files["test"].read_text().splitlines()
    short = [line if line.endswith("1") else "ACGT,0" for line in lines]
    files["test"].write_text("\n".join([header, *short]))
    gue.read_gue(files, length=300, classes=(1,))
    with pytest.raises(InputError, match=r"test\.csv: line 2: 4 nt, expected 300"):
        gue.read_gue(files, classes=(0, 1))
    files["valid"].write_text("\n".join([header, *(x for x in lines if x.endswith("1"))]))
    with pytest.raises(InputError, match=r"valid\.csv: no row with label 0; expected rows with"):
        gue.read_gue(files, classes=(0, 1))


@pytest.mark.parametrize(
    "text",
    [
        "sequence,label\nacgun,1\nACGTA,0\n",
        "Label , SEQ\n1,acgun\n0,ACGTA\n",
        '"Sequence","Class"\t\n"ACGTN","1"\n\n"ACGTA",0\t\n',
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("packed", [False, True])
def test_csv_as_it_is_saved(tmp_path, text, end, packed):
    data = ("\ufeff" + text.replace("\n", end)).encode()
    path = tmp_path / ("train.csv" if packed else "train.csv.gz")  # the name says nothing
    path.write_bytes(gzip.compress(data) if packed else data)
    table = gue.read_gue({"train": path})
    assert table["sequence"].tolist() == ["ACGTN", "ACGTA"]
    assert table["label"].tolist() == [1, 0] and table["id"].tolist() == ["train-1", "train-2"]


def test_a_sequence_of_both_classes_is_counted(tmp_path, caplog):
    files = gue_files(tmp_path)
    table = gue.read_gue(files)
    _, card = finish(table, {}, "task1")
    assert card["identical"]["in_both_classes"] == 0 and not caplog.text
    sequence = table["sequence"][0]
    with files["valid"].open("a") as stream:
        stream.write(f"{sequence},{1 - table['label'][0]}\n")
    settings = {"positives": "gue", "seed": 1, "downstream": 50, "fractions": FRACTIONS}
    _, card = build_task(
        {f"gue_{part}": str(path) for part, path in files.items()},
        task="task1",
        length=300,
        split="random",
        species={"expected": {"gue": None}},
        settings=settings,
    )
    assert card["identical"]["in_both_classes"] == 1
    assert f"1 sequences are in both classes, such as '{sequence[:10]}" in caplog.text


# EPDnew

BED = """chr1 166839300 166839360 POGK_2 900 + 166839349 166839360
chr1 166876246 166876306 TADA1_1 900 - 166876246 166876257
chr2 1000 1060 HLA-A_1 900 +
chr2\t3000\t3060\tHLA-A_2\t900\t-
"""
#: Not in the usual order.
MOTIFS = """#Name\tInr\tGC-box\tTATA-box\tCCAAT-box
POGK_2\t1\t1\t0\t1
TADA1_1\t0\t0\t0\t0
HLA-A_1\t0\t0\t1\t0
HLA-A_2\t1\t0\t0\t0
"""


def epd_files(tmp_path, bed=BED, motifs=MOTIFS):
    (tmp_path / "epd.bed").write_text(bed)
    with gzip.open(tmp_path / "motifs.txt.gz", "wt") as stream:
        stream.write(motifs)
    return epd.read_promoters(tmp_path / "epd.bed"), epd.read_motifs(tmp_path / "motifs.txt.gz")


def test_tss_of_both_strands_and_motifs_by_name(tmp_path):
    table, motifs = epd_files(tmp_path)
    assert table["position"].tolist() == [166839349, 166876256, 1049, 3010]
    assert table["group"].tolist() == ["POGK", "TADA1", "HLA-A", "HLA-A"]
    kept, waterfall = epd.without_tata(table, motifs, {"promoters": 4, "tata": 1, "non_tata": 3})
    assert kept["id"].tolist() == ["POGK_2", "TADA1_1", "HLA-A_2"]
    assert [(step["kept"], step["dropped"]) for step in waterfall] == [(4, 0), (3, 1)]


def test_beds_of_one_base_at_the_tss(tmp_path):
    """As most have them: the place itself on both strands, names that are none, columns 7 and 8 for drawing."""
    path = tmp_path / "tss.bed"
    path.write_bytes(
        b"\xef\xbb\xbfbrowser position chr1\r\ntrack name=x\r\n# chrom\r\n"
        b"chr1\t1049\t1050\tTP53_1\t900\t+\t0\t0\t\r\ntracks\t9\t10\t.\t0\t-\t\t\r\nchr2\t0\t1\tNM_000014\t0\t-\r\n"
    )
    table = epd.read_promoters(path)
    assert list(table.itertuples(index=False, name=None)) == [
        ("TP53_1", "chr1", 1049, "+", "TP53"),
        ("tracks:9(-)", "tracks", 9, "-", "tracks:9(-)"),
        ("NM_000014", "chr2", 0, "-", "NM_000014"),
    ]


def test_a_tss_is_the_same_from_its_box_and_alone(tmp_path):
    box, tss = tmp_path / "box.bed", tmp_path / "tss.bed"
    box.write_text("chr1 51 111 A_1 0 + 100 111\nchr1 90 150 B_1 0 - 90 101\n")
    tss.write_text("chr1 100 101 A_1 0 +\nchr1 100 101 B_1 0 -\n")
    assert epd.read_promoters(box).equals(epd.read_promoters(tss))


def test_numbers_of_the_real_files_are_required_only_when_asked_for(tmp_path):
    table, motifs = epd_files(tmp_path)
    epd.without_tata(table, motifs)
    with pytest.raises(InputError, match="4 promoters, expected 29598"):
        epd.without_tata(table, motifs, epd.HUMAN_006)
    with pytest.raises(
        InputError, match="'expected' names 'nontata'; known are promoters, tata, non_tata"
    ):
        epd.without_tata(table, motifs, {"nontata": 3})
    assert epd.HUMAN_006["promoters"] - epd.HUMAN_006["tata"] == epd.HUMAN_006["non_tata"] == 26533


@pytest.mark.parametrize(
    ("bed", "motifs", "message"),
    [
        ("chr1 0 61 A_1 0 +\n", MOTIFS, "line 1: 61 bp"),
        ("chr1 0 60 A_1 0 .\n", MOTIFS, "strand '.'"),
        ("chr1 0 60 A_1 0 + 48 60\n", MOTIFS, "elsewhere than at 49"),
        ("chr1 0 60\n", MOTIFS, "3 columns"),
        ("chr1 5 5 A_1 0 +\n", MOTIFS, "line 1: 0 bp"),
        ("chr1 -100 -40 A_1 0 +\n", MOTIFS, "line 1: coordinate '-100'"),
        ("chr1 1_0 7_0 A_1 0 +\n", MOTIFS, "line 1: coordinate '1_0'"),
        (f"chr1 {10**19} {10**19 + 1} A_1 0 +\n", MOTIFS, "line 1: coordinate '10000"),
        ("chr1\t0\t1\t\t0\t+\n", MOTIFS, "line 1: no name"),
        (BED + BED, MOTIFS, "line 5: promoter 'POGK_2' occurs twice"),
        (BED, MOTIFS.replace("GC-box", "Inr"), "column 'Inr' occurs twice"),
        ("", MOTIFS, "no promoters"),
        (BED, MOTIFS.replace("1\t1\t0\t1", "1\t1\t0"), "line 2: expected 0 or 1"),
        (BED, MOTIFS.replace("TATA-box", "box"), "expected one column for the TATA box"),
        (BED, MOTIFS.replace("HLA-A_2", "HLA-B_2"), "no row for promoter 'HLA-A_2'"),
    ],
)
def test_epd_says_what_is_wrong(tmp_path, bed, motifs, message):
    with pytest.raises(InputError, match=message):
        epd.without_tata(*epd_files(tmp_path, bed, motifs))


def test_contigs_are_renamed_both_ways():
    names = pd.Series(["chr1", "chrM", "chrUn_KI270742v1", "chr1"])
    assert as_in_genome(names, ["1", "2", "MT"]).tolist() == ["1", "MT", names[2], "1"]
    ensembl = pd.Series(["1", "MT", "X"])
    assert as_in_genome(ensembl, ["chr1", "chrM", "X"]).tolist() == ["chr1", "chrM", "X"]


# Tasks 1 and 2


@pytest.fixture
def positives():
    n = 60
    table = pd.DataFrame(
        {
            "id": [f"G{i // 2}_{i % 2 + 1}" for i in range(n)],
            "seqname": [str(i % 12) for i in range(n)],
            "position": np.arange(n) * 1000,
            "strand": "+",
            "group": [f"G{i // 2}" for i in range(n)],
        }
    )
    windows = pd.DataFrame({"id": table["id"][::-1], "sequence": sequences(n, 300)}).iloc[1:]
    return promoters_tasks.promoter_sequences(table, windows, [])


@pytest.mark.parametrize("kept", ["mononucleotide", "dinucleotide"])
def test_artificial_sequences_are_shuffles_of_their_promoter(positives, kept):
    table, card = promoters_tasks.artificial(*positives, kept, seed=2)
    assert [step["kept"] for step in card["waterfall"]] == [59, 59]
    assert card["waterfall"][0]["dropped"] == 1
    pairs = table.assign(of=table["id"].str.removesuffix(":shuffled")).pivot(
        index="of", columns="label", values=["sequence", "group", "seqname"]
    )
    assert (pairs["group"][0] == pairs["group"][1]).all()
    same = pairs["sequence"].map(lambda one: (sorted(one), one[-1] + one[0]))
    ends = (same[0].str[1] == same[1].str[1]).mean()
    assert (same[0].str[0] == same[1].str[0]).all()
    assert (pairs["sequence"][0] != pairs["sequence"][1]).all()
    assert (ends == 1) if kept == "dinucleotide" else (ends < 0.5)


def test_random_split_leaks_alternative_promoters_and_chromosomes_do_not(positives, tmp_path):
    table, card = promoters_tasks.artificial(*positives, "mononucleotide", seed=2)
    by_row, leaky = finish(table, card, "task1")
    write_examples(tmp_path / "examples.parquet", by_row)
    write_json(tmp_path / "card.json", leaky)
    assert leaky["leakage"]["genes_shared"] > 0
    assert leaky["leakage"]["test_rows_with_sequence_in_training"] == 0
    assert leaky["splits"]["test"] == {"artificial": 6, "biological": 6}
    assert leaky["places_known"] == len(by_row)
    held_out, _ = finish(table, card, "task1", split="chromosome")
    assert held_out.groupby("seqname")["split"].nunique().max() == 1
    artificial, biological = (held_out.loc[held_out["label"] == i, "split"] for i in (0, 1))
    assert artificial.tolist() == biological.tolist()
    # Alternative promoters lie on neighbouring "chromosomes" here; on real ones they share theirs.
    table["seqname"] = table["group"]
    assert finish(table, card, "task1", split="chromosome")[1]["leakage"]["genes_shared"] == 0


def test_identical_sequences_in_training_are_counted(positives):
    table, _ = promoters_tasks.artificial(*positives, "mononucleotide", seed=2)
    table["split"] = "train"
    table.loc[[0, 1, 2, 3, 59, 60], "split"] = "test"
    table.loc[[57, 58, 116, 117], "split"] = "valid"
    table.loc[10, "sequence"] = table.loc[0, "sequence"]
    table.loc[11, "sequence"] = reverse_complement(table.loc[1, "sequence"])
    _, card = finish(table, {}, "task1")
    assert card["leakage"]["test_rows_with_sequence_in_training"] == 2
    assert card["leakage"]["test_rows_with_word_in_training"] == 2
    assert card["leakage"]["strands"] == "either strand"
    assert card["identical"] == {
        "rows": 4,
        "in_one_part": 0,
        "across_parts": 2,
        "in_both_classes": 0,
    }


def test_identical_sequences_stay_in_one_part_of_a_random_split(positives):
    table, card = promoters_tasks.artificial(*positives, "mononucleotide", seed=2)
    table.loc[1:20:2, "sequence"] = table.loc[0:19:2, "sequence"].tolist()
    table.loc[21:30, "sequence"] = table.loc[31:40, "sequence"].map(reverse_complement).tolist()
    table.loc[59, "sequence"] = table.loc[0, "sequence"]
    examples, found = finish(table, card, "task1")
    assert found["identical"] == {
        "rows": 41,
        "in_one_part": 20,
        "across_parts": 0,
        "in_both_classes": 1,
    }
    assert found["leakage"]["test_rows_with_sequence_in_training"] == 0
    pair = examples.set_index("id")["split"]
    assert pair[table["id"][21]] == pair[table["id"][31]]


def test_a_random_split_of_different_sequences_is_drawn_by_row(positives):
    table, card = promoters_tasks.artificial(*positives, "mononucleotide", seed=2)
    examples, _ = finish(table, card, "task1")
    by_row = split_rows(table["label"], FRACTIONS, seed=1)
    assert examples["split"].tolist() == by_row.tolist()


def test_genes_of_task_3_are_split_alike_whatever_is_equal(positives):
    table, card = promoters_tasks.artificial(*positives, "mononucleotide", seed=2)
    before, _ = finish(table, card, "task3")
    table.loc[1:40:2, "sequence"] = table.loc[0:39:2, "sequence"].tolist()
    after, counted = finish(table, card, "task3")
    assert before["split"].tolist() == after["split"].tolist()
    assert counted["identical"]["across_parts"] > 0


def test_a_part_without_a_class_is_refused(positives):
    table, card = promoters_tasks.artificial(*positives, "mononucleotide", seed=2)
    table["split"] = np.where(table["label"] == 1, "train", "test")
    table.loc[:3, "split"] = "valid"
    with pytest.raises(InputError, match=r"task1: 118 sequences: part 'train' has no artificial"):
        finish(table, card, "task1")


def test_places_that_are_not_known_are_not_counted(tmp_path):
    table = gue.read_gue(gue_files(tmp_path))
    chosen = table[table["label"] == 1]
    both, _ = promoters_tasks.random_negatives(chosen, [], windows(30), 50, 3)
    for rows, task in ((table, "task1"), (both, "task2")):
        _, card = finish(rows, {}, task)
        assert card["places_known"] == 0
        for key in (
            "genes_shared",
            "test_rows_with_gene_in_training",
            "share",
            "test_rows_overlapping_training",
        ):
            assert card["leakage"][key] is None


def test_negatives_follow_the_splits_of_the_promoters(positives, tmp_path):
    table = gue.read_gue(gue_files(tmp_path))
    chosen = table[table["label"] == 1]
    negatives = windows(30)
    both, card = promoters_tasks.random_negatives(
        chosen, gue.gue_waterfall(chosen), negatives, 50, 3
    )
    examples, _ = finish(both, card, "task2")
    counts = examples.groupby(["split", "label"]).size()
    assert counts.tolist() == [10] * 6
    assert [step["class"] for step in card["waterfall"]] == ["promoter", *["non-promoter"] * 4]
    steps = {step["step"]: (step["kept"], step["dropped"]) for step in card["waterfall"][1:]}
    assert steps == {
        "random places": (50, 0),
        "far from promoters": (39, 11),
        "ACGT only": (32, 7),
        "apart from each other": (30, 2),
    }
    with pytest.raises(InputError, match="30 non-promoter sequences for 59"):
        promoters_tasks.random_negatives(*positives, negatives, 50, 3)
    examples, card = finish(
        *promoters_tasks.random_negatives(*positives, windows(59), 50, 3),
        "task2",
        split="chromosome",
    )
    assert "start" not in examples
    assert card["places_known"] == len(examples) == 118


def windows(n):
    """Random windows, of which the first lies on the + strand at 1,000 and the second on the - strand at 2,000."""
    table = pd.DataFrame({"id": [f"n{i}" for i in range(n)], "sequence": sequences(n, 300, 9)})
    start = (np.arange(n) + 1) * 1000
    strand = np.where(np.arange(n) % 2, "-", "+")
    table = table.assign(seqname=[str(i % 12) for i in range(n)], start=start, strand=strand)
    counts = {"tries": n + 20, "excluded": 11, "not_acgt": 7, "overlapping": 2, "windows": n}
    return Windows(table.assign(end=table["start"] + 300), counts)


def test_position_of_a_non_promoter_is_where_a_promoter_has_its_tss(positives):
    table, _ = promoters_tasks.random_negatives(*positives, windows(59), 50, 3)
    negatives = table[table["label"] == 0]
    assert negatives["position"].tolist()[:2] == [1000 + 249, 2000 + 50]
    starts = promoters.window_starts(negatives, 300, 50)
    assert starts.tolist() == windows(59).table["start"].tolist()


def test_test_rows_whose_place_overlaps_training_equal_a_slow_reference():
    rng = np.random.default_rng(3)
    n = 150
    rows = pd.DataFrame(
        {
            "sequence": sequences(n, 30),
            "seqname": rng.choice(["1", "2", None], n, p=[0.5, 0.4, 0.1]),
            "strand": rng.choice(["+", "-"], n),
            "split": rng.choice(["train", "valid", "test"], n, p=[0.4, 0.2, 0.4]),
        }
    )
    rows["position"] = rng.integers(50, 3000, n).astype(float)
    rows.loc[rows["seqname"].isna(), "position"] = np.nan
    expected = 0
    placed = rows[rows["seqname"].notna()]
    first = placed["position"] - np.where(placed["strand"] == "+", 19, 10)
    for i in placed.index[placed["split"] == "test"]:
        expected += any(
            placed["seqname"][i] == placed["seqname"][j] and abs(first[i] - first[j]) < 30
            for j in placed.index[placed["split"] == "train"]
        )
    assert promoters.overlapping_training(rows, 10) == expected > 5
    assert promoters.overlapping_training(rows[["sequence", "split"]], 10) is None
    assert promoters.overlapping_training(rows[rows["seqname"].isna()], 10) is None
    # One base apart or not, on either strand: + covers 81 to 110, - covers 111 to 140 and then 110 to 139.
    for position, overlap in ((121, 0), (120, 1)):
        two = pd.DataFrame(
            {
                "sequence": ["A" * 30] * 2,
                "seqname": "1",
                "strand": ["+", "-"],
                "split": ["train", "test"],
                "position": [100, position],
            }
        )
        assert promoters.overlapping_training(two, 10) == overlap


def test_shuffled_promoters_have_no_place_that_could_overlap(positives):
    table, card = promoters_tasks.artificial(*positives, "mononucleotide", seed=2)
    table["split"] = np.where(table["label"] == 1, "train", "test")
    table.loc[[0, 1, 2, 59, 60], "split"] = "valid"
    table.loc[10, "split"], table.loc[69, "split"] = "test", "train"
    _, card = finish(table, card, "task1")
    assert card["leakage"]["test_rows_overlapping_training"] == 0
    table["split"] = np.where(np.arange(len(table)) % 2, "train", "test")
    table.loc[1, ["seqname", "position"]] = table.loc[0, ["seqname", "position"]].to_numpy()
    _, card = finish(table, card, "task1")
    assert card["leakage"]["test_rows_overlapping_training"] == 1


# Task 3


def test_tissue_names_of_both_forms():
    assert tissue_id("Brain - Spinal cord (cervical c-1)") == "Brain_Spinal_cord_cervical_c-1"
    table = pd.DataFrame({"gene_version": [1], "Liver": [1.0]} | {t: [2.0] for t in SMALL_TISSUES})
    assert list(select_tissues(table, SMALL_TISSUES).columns) == ["Liver"]
    by_id = table.rename(columns=tissue_id)
    assert list(select_tissues(by_id, SMALL_TISSUES).columns) == ["Liver"]
    with pytest.raises(InputError, match="'Kidney' does not exist; tissues: Liver"):
        select_tissues(table, ["Kidney"])
    with pytest.raises(InputError, match="no tissue"):
        select_tissues(table[["gene_version"]], [])


def test_classes_equal_a_slow_reference():
    rng = np.random.default_rng(5)
    base = rng.gamma(0.3, 30, (200, 1)) * (rng.random((200, 1)) < 0.7)
    tpm = pd.DataFrame(base * rng.uniform(0.8, 1.2, (200, 5)), index=[f"g{i}" for i in range(200)])
    classes, zeros = classify(tpm.iloc[:150], tpm)
    assert zeros == 5
    expected = []
    for gene in range(150):
        high = all(tpm.iat[gene, t] > tpm[t].quantile(0.75) for t in range(5))
        low = all(tpm.iat[gene, t] <= tpm[t].quantile(0.25) for t in range(5))
        expected.append("high" if high else "low" if low else "")
    assert classes.tolist() == expected
    assert {"high", "low", ""} == set(expected)


def test_tpm_of_biotypes_is_over_genes_and_tissues():
    tpm = pd.DataFrame({"a": [1.0, 2, 5], "b": [3.0, 6, 7]}, index=["x", "y", "z"])
    described = describe_tpm(
        tpm, pd.Series({"z": "lncRNA", "x": "protein_coding", "y": "protein_coding"})
    )
    assert described["protein_coding"] == {
        "genes": 2,
        "tissues": 2,
        "mean": 3.0,
        "sd": np.std([1, 2, 3, 6]),
    }
    assert described["lncRNA"]["mean"] == 6.0


@pytest.fixture
def genome():
    """400 genes; protein-coding ones are mostly expressed, lncRNA genes mostly silent; 20 are miRNA genes."""
    rng = np.random.default_rng(7)
    n = 400
    biotype = np.array(["protein_coding"] * 200 + ["lncRNA"] * 180 + ["miRNA"] * 20)
    genes = pd.DataFrame(
        {
            "gene_id": [f"ENSG{i}" for i in range(n)],
            "gene_version": rng.integers(1, 4, n),
            "gene_name": [None] * 10 + [f"N{i}" for i in range(10, n)],
            "gene_biotype": pd.Categorical(biotype),
            "seqname": pd.Categorical(rng.choice(list("ABCDEFGHIJ"), n)),
            "tss": rng.integers(3000, 10**7, n),
            "strand": rng.choice(["+", "-"], n),
        }
    )
    level = np.where(biotype == "protein_coding", 40, 1) * rng.gamma(1, 1, n)
    level *= rng.random(n) < np.where(biotype == "protein_coding", 0.8, 0.4)
    tissues = {f"T{t}": level * rng.uniform(0.7, 1.4, n) for t in range(6)}
    expression = pd.DataFrame(
        {"gene_version": genes["gene_version"] + (rng.random(n) < 0.25), **tissues}
    ).set_axis(pd.Index(genes["gene_id"], name="gene_id"))
    windows = pd.DataFrame({"id": genes["gene_id"], "sequence": sequences(n, 2000)})
    return genes, expression.drop("ENSG3"), windows.drop(index=5)


def task3(genome, **changes):
    options = {"length": 300, "exclude_tissues": ["T5"], "universe": "joined", "seed": 1}
    genes, *others = genome
    genes = genes[genes["gene_biotype"].isin(BIOTYPES)]
    return promoters_genes.expression_genes(genes, *others, **{**options, **changes})


def test_expression_card_counts_every_universe(genome, tmp_path):
    table, card = task3(genome)
    examples, card = finish(table, card, "task3")
    write_examples(tmp_path / "examples.parquet", examples)
    write_json(tmp_path / "card.json", card)
    assert card["tissues"] == ["T0", "T1", "T2", "T3", "T4"]
    counts = card["expression_classes"]
    assert [counts[name]["genes_in_universe"] for name in ("all", "joined", "pool")] == [
        399,
        379,
        378,
    ]
    for name in ("all", "joined", "pool"):
        sampled = {key: sum(value.values()) for key, value in counts[name]["sampled"].items()}
        classified = {key: sum(v.values()) for key, v in counts[name]["classified"].items()}
        assert sampled["high"] == sampled["low"] == min(classified.values()) > 20
    high = counts["published"]["high"]
    assert sum(high.values()) == sum(counts["published"]["low"].values()) == 2772
    found = table.groupby(["expression", "gene_biotype"]).size()
    assert found["high", "protein_coding"] == counts["joined"]["sampled"]["high"]["protein_coding"]
    assert (table["label"] == (table["expression"] == "high")).all()
    assert table["id"].is_unique
    assert "ENSG3" not in table["id"].values
    steps = {(s["class"], s["step"]): (s["kept"], s["dropped"]) for s in card["waterfall"]}
    assert steps["protein_coding", "in the expression file"] == (199, 1)
    assert steps["protein_coding", "promoter in the genome"] == (198, 1)
    assert card["leakage"]["test_rows_overlapping_training"] == 0
    assert card["tpm"]["protein_coding"]["genes"] == 199


def test_lengths_share_genes_and_splits_and_the_tss(genome):
    short, long = (
        finish(*task3(genome, length=length), "task3")[0].set_index("id") for length in (300, 2000)
    )
    assert (short["split"] == long["split"]).all()
    assert (short["sequence"] == long["sequence"].str[-300:]).all()
    assert long["sequence"].str.len().eq(2000).all()
    with pytest.raises(InputError, match="shorter than 2001"):
        task3(genome, length=2001)


def test_a_universe_without_a_class_says_so(genome):
    genes, expression, windows = genome
    # A high gene in one tissue is low in the next.
    tissues = [name for name in expression.columns if name.startswith("T")]
    for place, name in enumerate(tissues):
        expression[name] = np.roll(np.linspace(0, 9, len(expression)), 70 * place)
    with pytest.raises(InputError, match="no gene of high expression in all 5 tissues"):
        task3((genes, expression, windows))
    with pytest.raises(InputError, match="'genes'; expected one of all, joined, pool"):
        task3(genome, universe="genes")


# Task 4


def task4(genome, **changes):
    genes, expression, windows = genome
    options = {
        "length": 300,
        "pool": "gtf",
        "expression": expression,
        "n_per_class": None,
        "drop_overlapping_promoters": False,
        "downstream": 50,
        "seed": 1,
    }
    genes = genes[genes["gene_biotype"].isin(BIOTYPES)]
    return promoters_genes.biotype_genes(genes, windows, **{**options, **changes})


def test_pools_and_overlap_with_task_3(genome):
    sizes = {}
    for pool in promoters_genes.POOLS:
        table, card = task4(genome, pool=pool)
        dropped = sum(s["dropped"] for s in card["waterfall"] if s["step"] != "sampled")
        sizes[pool] = 380 - dropped
        assert set(table["gene_biotype"]) == set(BIOTYPES)
        assert (table["label"] == (table["gene_biotype"] == "protein_coding")).all()
        assert table["label"].mean() == 0.5
    genes, expression, _ = genome
    versions = expression["gene_version"].reindex(genes["gene_id"]).to_numpy()
    same = (versions == genes["gene_version"]) & genes["gene_biotype"].isin(BIOTYPES)
    same[genes["gene_id"] == "ENSG5"] = False
    assert sizes == {"gtf": 379, "gtex_joined": 378, "gtex_version_exact": int(same.sum())}
    assert sizes["gtex_version_exact"] < 330
    everything, card = task4(genome)
    present = {"ENSG0", "ENSG1", "ENSG3"} & set(everything["id"])
    found = promoters_genes.in_task3(everything, ["ENSG0", "ENSG1", "ENSG3", "ENSG399", "ENSG5"])
    assert found["in_task3"]["protein_coding"] == {"n": len(present), "share": len(present) / 180}
    assert found["in_task3"]["lncRNA"] == {"n": 0, "share": 0}
    assert found["published"]["in_task3"] == {"protein_coding": 2546, "lncRNA": 2022}


def test_asked_number_of_genes_is_drawn_or_refused(genome):
    table, card = task4(genome, n_per_class=100)
    assert table.groupby("gene_biotype").size().tolist() == [100, 100]
    assert card["waterfall"][-1] == {
        "class": "lncRNA",
        "step": "sampled",
        "kept": 100,
        "dropped": 80,
        "sampled_by": "promoters.n_per_class",
    }
    with pytest.raises(InputError, match="10239 genes of each class requested"):
        task4(genome, n_per_class=10_239)
    with pytest.raises(InputError, match="needs an expression file"):
        task4(genome, pool="gtex_joined", expression=None)


def test_no_promoter_left_is_said_with_what_is_known(genome):
    genes, expression, windows = genome
    with pytest.raises(
        InputError,
        match="380 protein-coding and lncRNA genes 379 are in the expr.*none.* 1 promoters",
    ):
        task3((genes, expression, windows[windows["id"] == "ENSG3"]))
    coding = windows[windows["id"].isin(genes["gene_id"][:200])]
    with pytest.raises(InputError) as error:
        task4((genes, expression, coding))
    assert "pool 'gtf' has no promoter of lncRNA genes" in str(error.value)
    assert "lncRNA, promoter in the genome: 0" in str(error.value)
    assert "null" not in str(error.value)


def test_genes_without_any_biotype_are_refused(genome):
    genes = genome[0].assign(gene_biotype=pd.Categorical([None] * 400))
    names = {name: [name] for name in BIOTYPES}
    with pytest.raises(
        InputError, match=r"no gene has a biotype \(attribute gene_biotype, gene_type or biotype\)"
    ):
        promoters_genes.named_biotypes(genes, names)


def test_biotypes_of_an_older_annotation_are_named(genome):
    genes = genome[0]
    old = genes["gene_biotype"].astype(str).to_numpy()
    old[200:290], old[290:380] = "lincRNA", "antisense_RNA"
    genes = genes.assign(gene_biotype=pd.Categorical(old))
    names = {"protein_coding": ["protein_coding"], "lncRNA": ["lincRNA", "antisense_RNA"]}
    named = promoters_genes.named_biotypes(genes, names)
    assert named["gene_id"].tolist() == genes["gene_id"].tolist()[:380]
    assert named["gene_biotype"].value_counts().to_dict() == {"protein_coding": 200, "lncRNA": 180}
    table, _ = task4((named, *genome[1:]))
    assert table["label"].mean() == 0.5 and len(table) == 360
    plain = {"protein_coding": ["protein_coding"], "lncRNA": ["lncRNA"]}
    with pytest.raises(InputError) as error:
        promoters_genes.named_biotypes(genes, plain)
    assert "no gene of biotype lncRNA; found protein_coding (200), " in str(error.value)
    assert "promoters.biotypes.lncRNA of the species file" in str(error.value)


def test_ids_of_two_kinds_are_named(genome):
    genes, expression, _ = genome
    files = {"annotation": "genes.gtf", "expression": "tpm.gct"}
    promoters_genes.check_joined(genes, expression, files)
    promoters_genes.check_joined(genes, expression.head(20), files)
    promoters_genes.check_joined(genes.head(20), expression, files)
    half = pd.concat([expression.iloc[:190], expression.iloc[190:].add_prefix("X", axis=0)])
    with pytest.raises(InputError, match=r"tpm.gct: 190 of the 400 .* expected at least 50%"):
        promoters_genes.check_joined(genes, half, files)
    with pytest.raises(InputError) as error:
        promoters_genes.check_joined(genes, expression.add_prefix("X", axis=0), files)
    message = str(error.value)
    assert message.startswith("tpm.gct: 0 of the 400 protein-coding and lncRNA genes of genes.gtf")
    assert "it has XENSG0, XENSG1, XENSG2, the annotation ENSG0, ENSG1, ENSG2" in message


def test_overlapping_promoters_equal_a_slow_reference(genome):
    genes = genome[0].rename(columns={"tss": "position"})
    genes["position"] = genes["position"] // 200
    places = []
    for row in genes.itertuples():
        first = row.position - (249 if row.strand == "+" else 50)
        places.append((row.seqname, first, first + 300))
    expected = [
        any(i != j and a[0] == b[0] and a[1] < b[2] and b[1] < a[2] for j, b in enumerate(places))
        for i, a in enumerate(places)
    ]
    found = promoters_genes.overlapping(genes, 300, 50)
    assert found.tolist() == expected
    assert 0.1 < found.mean() < 0.9
    crowded = (genome[0].assign(tss=genome[0]["tss"] // 200), *genome[1:])
    table, _ = task4(crowded, drop_overlapping_promoters=True)
    assert not promoters_genes.overlapping(table, 300, 50).any()


# Splits by chromosome


def test_given_chromosomes_are_held_out(genome):
    table, card = task4(genome)
    chosen = {"test": ["A", "B"], "valid": ["C"]}
    examples, _ = finish(table, card, "task4", split="chromosome", chromosomes=chosen)
    found = examples.groupby("split")["seqname"].unique().map(sorted).to_dict()
    assert found == {"test": ["A", "B"], "valid": ["C"], "train": list("DEFGHIJ")}
    free, _ = finish(table, card, "task4", split="chromosome")
    again, _ = finish(table, card, "task4", split="chromosome")
    assert free["split"].tolist() == again["split"].tolist()
    shares = free["split"].value_counts(normalize=True)
    assert 0.05 < shares["test"] < 0.15
    assert 0.05 < shares["valid"] < 0.15
    for wrong, message in (
        ({"test": ["Z"]}, "'Z', to be held out, is not there; chromosomes: A, B"),
        ({"test": ["A"], "valid": ["A"]}, "'A', to be held out, is given twice"),
        ({"test": list("ABCDEFGHIJ")}, "lacks a class"),
    ):
        with pytest.raises(InputError, match=message):
            finish(table, card, "task4", split="chromosome", chromosomes=wrong)


# Reference lines


def test_biotype_alone_reaches_the_mcc_that_the_counts_of_the_paper_imply():
    counts = promoters_genes.PAPER_CLASSES
    rows = [
        (biotype, int(name == "high"))
        for name, found in counts.items()
        for biotype, n in found.items()
        for _ in range(n)
    ]
    test = pd.DataFrame(rows, columns=["gene_biotype", "label"])
    examples = pd.concat([test.assign(split=part) for part in ("train", "test")], ignore_index=True)
    examples = check_examples(
        examples.assign(
            id=examples.index.astype(str), group=examples.index.astype(str), sequence="ACGT"
        )
    )
    predictions, info = fit_predict("biotype", examples, train_splits=["train"], options={}, seed=1)
    measured = measure(predictions["label"], predictions["score"], predictions["predicted"])
    assert measured["mcc"][0] == pytest.approx(BIOTYPE_MCC, abs=0.0005)
    assert info["rows_used"] == 5544
    without = examples.drop(columns="gene_biotype")
    with pytest.raises(InputError, match="biotype: reads column 'gene_biotype'"):
        fit_predict("biotype", without, train_splits=["train"], options={}, seed=1)


def test_dinucleotide_shuffles_hide_from_the_dinucleotide_line(positives):
    np.testing.assert_array_equal(
        dinucleotide_features(["ACGTN", "A", "AAA"])[:, [0, 1, 6, 11]],
        [[0, 1 / 3, 1 / 3, 1 / 3], [0, 0, 0, 0], [1, 0, 0, 0]],
    )
    hidden, _ = promoters_tasks.artificial(*positives, "dinucleotide", seed=2)
    seen, _ = promoters_tasks.artificial(*positives, "mononucleotide", seed=2)
    for table, equal in ((hidden, True), (seen, False)):
        parts = [dinucleotide_features(table.loc[table["label"] == i, "sequence"]) for i in (0, 1)]
        assert np.array_equal(*parts) == equal
