"""From FASTA to examples: filters, counts, duplicates, splits and leaks."""

import numpy as np
import pandas as pd
import pytest

from nucleotune.contracts import check_examples
from nucleotune.errors import InputError
from nucleotune.schemas import read_schema, validate
from nucleotune.studies.leaks import leakage
from nucleotune.studies.lncrna import build as lncrna
from nucleotune.studies.splits import split_groups, split_rows

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
        "test_rows_with_sequence_in_training": 0,
        "test_rows_with_word_in_training": 0,
        "test_rows": (by_gene["split"] == "test").sum(),
        "word": 31,
        "strands": "the same strand",
    }
    assert not any(gene_card["identical"].values())
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
    with pytest.raises(InputError, match="id 'C1' is used for two different sequences.*'header'"):
        build(files, species)


def test_transcript_in_both_classes_is_refused(files, species):
    path = files["mRNA"][0]
    path.write_text(path.read_text() + ensembl("L3", "GC0", "protein_coding", "ACGT" * 50))
    with pytest.raises(InputError, match="'L3' is in the coding and in the non-coding files"):
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
    with pytest.raises(InputError, match="id 'chr1' is used for two different sequences"):
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


def test_pool_keeps_ids_unique_and_what_is_known():
    one = pd.DataFrame(
        {
            "id": ["a", "b"],
            "group": ["g", "b"],
            "sequence": ["ACGT", "ACCT"],
            "label": [0, 1],
            "split": ["train", "test"],
        }
    )
    species = [
        ("human", one, {"genes_known": 2}),
        ("mouse", one, {"genes_known": 1}),
        ("fly", one, {"genes_known": 0}),
    ]
    pooled, known = lncrna.pool_examples(species)
    assert list(pooled["id"][:3]) == ["human:a", "human:b", "mouse:a"]
    assert list(pooled["group"][:3]) == ["human:g", "human:b", "mouse:g"]
    assert known.tolist() == [True, True, True, False, False, False]
    card = lncrna.split_card(pooled, known)
    assert card["genes_known"] == 3 and card["leakage"]["genes_shared"] == 0
    assert card["identical"]["rows"] == 6 and card["identical"]["in_one_part"] == 2
    assert lncrna.split_card(pooled, known & False)["leakage"]["share"] is None


def bare(path):
    """The same records with ids alone as headers."""
    lines = [
        line.split()[0] if line.startswith(">") else line for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")


def test_split_gene_needs_genes(files, species):
    species["noncoding"]["gene_biotypes"] = None
    for paths in files.values():
        bare(paths[0])
    with pytest.raises(
        InputError,
        match=r"cds.fa, .*ncrna.fa: split 'gene'.* known for 0 of 122 .*'header'.*'paper'",
    ):
        build(files, species, split="gene")
    examples, card = build(files, species)
    assert card["genes_known"] == 0 and card["classes"]["mRNA"]["genes"] is None
    assert [card["leakage"][key] for key in ("genes_shared", "share")] == [None, None]
    assert (examples["group"] == examples["id"]).all()


def test_split_gene_says_of_how_many_the_gene_is_not_known(files, species, caplog):
    species["noncoding"]["gene_biotypes"] = None
    bare(files["lncRNA"][0])
    examples, card = build(files, species, split="gene")
    assert card["genes_known"] == 61
    said = "the gene of 61 of 122 transcripts is not known (0 of 61 mRNA, 61 of 61 lncRNA)"
    assert said in caplog.text
    coding = examples[examples["label"] == 0]
    assert coding.groupby("group")["split"].nunique().max() == 1
    assert card["leakage"]["genes_shared"] == 0 and card["leakage"]["share"] == 0.0


def test_transcripts_of_one_sequence_stay_in_one_part_of_a_gene_split(files, species):
    path = files["mRNA"][0]
    records = path.read_text().split(">")[1:]
    # Of genes 0 to 29 every other one gets an isoform that is a transcript of the next gene.
    copies = [
        ensembl(f"copy{i}", f"GC{i // 3 + 1}", "protein_coding", records[i].split("\n")[1])
        for i in range(0, 84, 6)
    ]
    path.write_text(path.read_text() + "".join(copies))
    examples, card = build(files, species, split="gene", balance=False)
    assert examples.groupby("sequence")["split"].nunique().max() == 1
    assert card["identical"] == {
        "rows": 28,
        "in_one_part": 14,
        "across_parts": 0,
        "in_both_classes": 0,
    }
    joined = examples[examples["id"].isin(["C0", "copy0", "C3"])]
    assert set(joined["group"]) == {"GC0"}
    _, card = build(files, species, balance=False)
    by_row = card["leakage"]
    assert card["identical"]["across_parts"] > 0, "the paper's split is drawn by row"
    assert by_row["test_rows_with_sequence_in_training"] > 0
    assert (
        by_row["test_rows_with_word_in_training"] >= by_row["test_rows_with_sequence_in_training"]
    )


def test_sequences_of_both_classes_are_counted(files, species):
    path = files["lncRNA"][0]
    sequence = files["mRNA"][0].read_text().split("\n")[1]
    path.write_text(path.read_text() + ensembl("same", "GX", "lncRNA", sequence))
    _, card = build(files, species, balance=False)
    assert card["identical"]["in_both_classes"] == 1 and card["identical"]["rows"] == 2


def test_transcripts_that_do_not_code_are_counted_among_the_coding_ones(files, species, caplog):
    path = files["mRNA"][0]
    rng = np.random.default_rng(8)
    others = [
        ensembl(f"N{i}", "GC0", "protein_coding", random_sequence(rng, 150), kind)
        for i, kind in enumerate(["retained_intron", "nonsense_mediated_decay", "retained_intron"])
    ]
    path.write_text(path.read_text() + "".join(others))
    said = "3 of the 93 mRNAs are not called protein-coding: 2 retained_intron, 1"
    _, card = build(files, species)
    assert card["not_coding"] == {"retained_intron": 2, "nonsense_mediated_decay": 1}
    warned = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert not warned, "that is Ensembl's own file"
    species["coding"]["files"] = [{"path": str(path)}]
    build(files, species)
    (warned,) = (one.getMessage() for one in caplog.records if one.levelname == "WARNING")
    assert said in warned
    caplog.clear()
    species["coding"]["transcript_biotypes"] = ["protein_coding"]
    _, card = build(files, species)
    assert card["not_coding"] == {} and "protein-coding" not in caplog.text


def test_kinds_are_the_genes_where_only_those_are_known():
    table = pd.DataFrame(
        {
            "transcript_biotype": ["mRNA", "partial mRNA", "CDS", None, None, None],
            "gene_biotype": ["x", None, None, "pseudogene", "protein_coding", None],
        }
    )
    assert lncrna.not_coding(table) == {"pseudogene": 1}


def test_headers_without_biotypes_ask_for_a_pattern(files, species):
    bare(files["lncRNA"][0])
    with pytest.raises(InputError, match=r"No header names one .*'L0'.*noncoding\.header"):
        build(files, species)


def test_a_part_without_a_class_is_refused(tmp_path, species):
    rng = np.random.default_rng(1)
    paths = {}
    for label, name, genes in (("mRNA", "C", 30), ("lncRNA", "L", 3)):
        path = tmp_path / f"{name}.fa"
        path.write_text(
            "".join(
                ensembl(f"{name}{i}", f"G{name}{i % genes}", "lncRNA", random_sequence(rng, 120))
                for i in range(30)
            )
        )
        paths[label] = [path]
    with pytest.raises(InputError, match=r"split 'gene': part '\w+' has no lncRNA \(rows: .*mRNA"):
        build(paths, species, split="gene")
    build(paths, species)
