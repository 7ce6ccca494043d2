"""From FASTA to examples: filters, counts, duplicates, splits and leaks."""

import numpy as np
import pandas as pd
import pytest

from nucleotune.contracts import check_examples
from nucleotune.errors import InputError
from nucleotune.plugins import read_schema, validate
from nucleotune.studies import lncrna
from nucleotune.studies.splits import leakage, split_groups, split_rows

FRACTIONS = {"pretrain": 0.4, "train": 0.3, "valid": 0.1, "test": 0.2}


def random_sequence(rng, length):
    return "".join(rng.choice(list("ACGT"), length))


def ensembl(name, gene, biotype, sequence, transcript_biotype=None):
    return (
        f">{name} ncrna chromosome:T:1:1:9:1 gene:{gene} gene_biotype:{biotype}"
        f" transcript_biotype:{transcript_biotype or biotype}\n{sequence}\n"
    )


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    coding = [
        ensembl(f"C{i}", f"GC{i // 3}", "protein_coding", random_sequence(rng, 120 + i))
        for i in range(90)
    ]
    coding += [
        ensembl("Cshort", "GS", "protein_coding", "ACG" * 33),
        ensembl("Cpad", "GP", "protein_coding", "N" + "ACG" * 60),
        coding[0],
    ]
    lncrna_records = [
        ensembl(f"L{i}", f"GL{i // 2}", "lncRNA", random_sequence(rng, 100 + i), "retained_intron")
        for i in range(60)
    ]
    lncrna_records += [ensembl("M", "GM", "miRNA", "ACGT" * 30)]
    paths = {"mRNA": tmp_path / "cds.fa", "lncRNA": tmp_path / "ncrna.fa"}
    paths["mRNA"].write_text("".join(coding))
    paths["lncRNA"].write_text("".join(lncrna_records))
    return {label: [path] for label, path in paths.items()}


@pytest.fixture
def species():
    value = {
        "title": "Test",
        "ensembl": {"release": 110, "species": "x", "assembly": "Y"},
        "noncoding": {"gene_biotypes": ["lncRNA"]},
    }
    return validate(value, read_schema("species"), "test.yaml")


def build(files, species, **changes):
    options = {
        "split": "paper",
        "min_length": 100,
        "balance": True,
        "fractions": FRACTIONS,
        "kept": [],
        "train_view": "full",
        "seed": 1,
    }
    return lncrna.build_examples(files, species, **{**options, **changes})


def test_waterfall_counts_every_record_and_example(files, species):
    examples, card = build(files, species)
    check_examples(examples)
    steps = {(s["class"], s["step"]): (s["kept"], s["dropped"]) for s in card["waterfall"]}
    assert steps == {
        ("mRNA", "in the files"): (93, 0),
        ("mRNA", "repeated records"): (92, 1),
        ("mRNA", "at least 100 nt"): (91, 1),
        ("mRNA", "letters ACGT only"): (90, 1),
        ("mRNA", "sampled to equal classes"): (60, 30),
        ("lncRNA", "in the files"): (61, 0),
        ("lncRNA", "gene_biotype lncRNA"): (60, 1),
        ("lncRNA", "at least 100 nt"): (60, 0),
        ("lncRNA", "letters ACGT only"): (60, 0),
        ("lncRNA", "sampled to equal classes"): (60, 0),
    }
    assert card["classes_before_sampling"]["mRNA"]["n"] == 90
    assert card["classes"]["mRNA"]["n"] == card["classes"]["lncRNA"]["n"] == 60
    assert card["classes"]["lncRNA"]["min_length"] == 100
    assert examples["label"].sum() == 60
    assert card["genes_known"] == 120


def test_length_is_inclusive_at_the_limit(files, species):
    examples, _ = build(files, species, min_length=150)
    lengths = examples["sequence"].str.len()
    assert lengths.min() == 150


def test_same_seed_same_rows_other_seed_other_rows(files, species):
    first, again, other = (build(files, species, seed=seed)[0] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert set(first["id"]) != set(other["id"])


def test_gene_split_shares_no_gene_and_paper_split_does(files, species):
    by_gene, gene_card = build(files, species, split="gene")
    assert by_gene.groupby("group")["split"].nunique().max() == 1
    assert gene_card["leakage"] == {
        "genes_shared": 0,
        "test_rows_with_gene_in_training": 0,
        "share": 0.0,
    }
    _, card = build(files, species)
    assert card["leakage"]["genes_shared"] > 0


@pytest.mark.parametrize("split", ["paper", "gene"])
def test_split_sizes_and_stratification(files, species, split):
    examples, _ = build(files, species, split=split)
    shares = examples.groupby("label")["split"].value_counts(normalize=True).unstack()
    for part, fraction in FRACTIONS.items():
        assert shares[part].sub(fraction).abs().max() < 0.05


def test_no_lncrna_lists_the_biotypes_found(files, species):
    species["noncoding"]["gene_biotypes"] = ["lincRNA"]
    with pytest.raises(InputError) as caught:
        build(files, species)
    message = str(caught.value)
    assert "ncrna.fa: no record has gene_biotype lincRNA" in message
    assert "60  lncRNA" in message and "1  miRNA" in message
    assert "noncoding.gene_biotypes" in message


def test_same_id_other_sequence_is_refused(files, species):
    path = files["mRNA"][0]
    path.write_text(path.read_text() + ensembl("C1", "GC0", "protein_coding", "ACGT" * 50))
    with pytest.raises(InputError, match="id 'C1' stands for two different sequences.*'header'"):
        build(files, species)


def test_transcript_in_both_classes_is_refused(files, species):
    path = files["mRNA"][0]
    path.write_text(path.read_text() + ensembl("L3", "GC0", "protein_coding", "ACGT" * 50))
    with pytest.raises(InputError, match="'L3' stands in the coding and in the non-coding files"):
        build(files, species, balance=False)


def test_free_headers_need_a_pattern_when_first_words_repeat(tmp_path, files, species):
    rng = np.random.default_rng(3)
    own = tmp_path / "own.fa"
    own.write_text(
        "".join(
            f'>chr1\tCufflinks\texon\tgene_id "X{i // 2}"; transcript_id "T{i}";\n{random_sequence(rng, 150)}\n'
            for i in range(60)
        )
    )
    files["lncRNA"] = [own]
    species["noncoding"]["gene_biotypes"] = None
    with pytest.raises(InputError, match="id 'chr1' stands for two different sequences"):
        build(files, species)
    species["noncoding"]["header"] = r'gene_id "(?P<gene>[^"]+)"; transcript_id "(?P<id>[^"]+)"'
    examples, _ = build(files, species)
    ours = examples[examples["label"] == 1]
    assert set(ours["id"]) == {f"T{i}" for i in range(60)} and ours["group"].nunique() == 30


@pytest.mark.parametrize(
    "pattern, message",
    [
        ("(", "not a regular expression"),
        ("x", "needs a named group"),
        ("(?P<id>zzz)", "does not match"),
    ],
)
def test_bad_header_patterns(files, species, pattern, message):
    species["coding"]["header"] = pattern
    with pytest.raises(InputError, match=message):
        build(files, species)


def test_too_few_rows_to_split():
    with pytest.raises(InputError, match="part 'valid' would be empty|part .* would be empty"):
        split_rows(pd.Series([0, 1]), FRACTIONS, seed=0)


def test_split_groups_keeps_uneven_groups_whole():
    rng = np.random.default_rng(0)
    groups = pd.Series(rng.integers(0, 80, 1000)).astype(str)
    labels = groups.astype(int) % 2
    splits = split_groups(labels, groups, FRACTIONS, seed=0)
    assert splits.groupby(groups).nunique().max() == 1
    assert abs((splits == "test").mean() - 0.2) < 0.05
    assert leakage(splits, groups)["genes_shared"] == 0


def test_pool_keeps_ids_unique():
    one = pd.DataFrame(
        {"id": ["a"], "group": ["g"], "sequence": ["ACGT"], "label": [0], "split": ["train"]}
    )
    pooled = lncrna.pool_examples([("human", one), ("mouse", one)])
    assert list(pooled["id"]) == ["human:a", "mouse:a"]
    assert list(pooled["group"]) == ["human:g", "mouse:g"]
