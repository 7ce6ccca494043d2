"""From sequences of an RBP to examples: filters in order, sizes of the splits, leaks, data card."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from nucleotune.contracts import check_examples
from nucleotune.errors import InputError
from nucleotune.stages import ROOT
from nucleotune.studies.rbp.build import to_shape
from nucleotune.studies.rbp.sample import assemble_splits, build_card, build_examples, overlapping

PLACE = ["seqname", "start", "end", "strand"]


def table(sequences, labels, seqname=""):
    """A reader's table; with a seqname, places follow each other without overlap."""
    n = len(sequences)
    names = [f"s{i}" for i in range(n)]
    known = seqname != ""
    return pd.DataFrame(
        {
            "id": names,
            "sequence": sequences,
            "label": np.asarray(labels, dtype=np.int8),
            "group": names,
            "seqname": seqname,
            "start": np.arange(n) * 10 if known else -1,
            "end": np.arange(n) * 10 + 10 if known else -1,
            "strand": "+" if known else "",
        }
    )


def words(n, first=0):
    """`n` different sequences of 10 nt."""
    letters = np.array(list("ACGT"))
    digits = (np.arange(first, first + n)[:, None] // 4 ** np.arange(10)) % 4
    return ["".join(letters[row]) for row in digits]


def balanced(n):
    return table(words(2 * n), [1] * n + [0] * n)


def build(places, **changes):
    return build_examples(places, **{"seed": 3, "min_per_class": 5, **changes})


def sizes(examples):
    return {
        part: tuple(int(((examples["split"] == part) & (examples["label"] == i)).sum()) for i in (1, 0))
        for part in ("train", "valid", "test")
    }  # fmt: skip


def steps(counts):
    return [(s["class"], s["step"], s["kept"], s["dropped"]) for s in counts["waterfall"]]


def test_the_papers_sizes():
    examples, rest, counts = build(balanced(15_600))
    assert sizes(examples) == {"train": (9_600,) * 2, "valid": (2_400,) * 2, "test": (3_000,) * 2}
    assert rest["label"].value_counts().to_dict() == {0: 600, 1: 600}
    assert steps(counts)[-2:] == [
        ("positive", "sampled to at most 15,000", 15_000, 600),
        ("negative", "sampled to at most 15,000", 15_000, 600),
    ]


@pytest.mark.parametrize(
    "n, train, valid, test",
    [(10, 6, 2, 2), (13, 8, 2, 3), (12, 8, 2, 2), (100, 64, 16, 20), (5, 3, 1, 1)],
)
def test_smaller_sets_are_split_in_proportion(n, train, valid, test):
    examples, rest, _ = build(balanced(n))
    assert sizes(examples) == {"train": (train,) * 2, "valid": (valid,) * 2, "test": (test,) * 2}
    assert rest.empty


def test_each_filter_counts_and_the_first_of_equal_sequences_stays():
    a, b, c, d = words(4)
    extra = words(20, first=100)
    places = table(
        [a, b, "ACGTN", a, c, b, d, d, *extra],
        [1, 0, 1, 0, 1, 0, 0, 0, *([1] * 10), *([0] * 10)],
    )
    examples, rest, counts = build(places, per_class=11)
    assert steps(counts) == [
        ("positive", "in the files", 13, 0),
        ("negative", "in the files", 15, 0),
        ("positive", "letters ACGT only", 12, 1),
        ("negative", "letters ACGT only", 15, 0),
        ("positive", "each sequence once", 12, 0),
        ("negative", "each sequence once", 12, 3),
        ("positive", "sampled to at most 11", 11, 1),
        ("negative", "sampled to at most 11", 11, 1),
    ]
    assert counts["in_both_classes"] == 1
    kept = pd.concat([examples, rest])
    assert set(kept["id"]) == {"s0", "s1", "s4", "s6", *(f"s{i}" for i in range(8, 28))}
    assert not kept["id"].duplicated().any()


def test_examples_keep_contract_place_and_file_order():
    places = table(words(60), [0, 1] * 30, seqname="chr1")
    examples, rest, _ = build(places, per_class=20)
    check_examples(examples)
    assert list(examples.columns) == ["id", "sequence", "label", "split", "group", *PLACE]
    assert list(rest.columns) == ["id", "sequence", "label", "group", *PLACE]
    for part in (examples, rest):
        assert part["start"].is_monotonic_increasing
        pd.testing.assert_frame_equal(
            part[list(rest.columns)], places.set_index("id").loc[part["id"]].reset_index()
        )


def test_seed_decides_and_classes_do_not_depend_on_each_other():
    places = balanced(50)
    first, _, _ = build(places)
    again, _, _ = build(places)
    other, _, _ = build(places, seed=4)
    pd.testing.assert_frame_equal(first, again)
    assert (first["split"] != other["split"]).any()
    fewer, _, _ = build(places[(places["label"] == 1) | (places.index < 80)])
    positives = [t[t["label"] == 1].set_index("id")["split"] for t in (first, fewer)]
    pd.testing.assert_series_equal(*positives)


@pytest.mark.parametrize("n, least", [(19, 20), (2, 1)])
def test_too_few_rows(n, least):
    with pytest.raises(InputError, match=f"HNRNPX.*{n} negative sequences.*At least {least}"):
        build(
            table(words(40 + n), [1] * 40 + [0] * n), min_per_class=least, source="HNRNPX"
        )  # the other class has enough


def test_too_few_rows_tell_where_they_went():
    places = table([*words(30), *words(30), "ACGTN"], [1] * 30 + [0] * 31)
    with pytest.raises(InputError) as caught:
        build(places, source="RBP X (x.fa)")
    text = str(caught.value)
    assert text.startswith("RBP X (x.fa): 0 negative sequences")
    assert "31 in the files, 30 letters ACGT only, 0 each sequence once" in text
    assert "30 sequences are in both classes" in text
    assert "rbp.min_per_class" in text and "rbp.rbps" in text


def test_a_missing_class():
    with pytest.raises(InputError, match="0 negative sequences"):
        build(table(words(40), [1] * 40), min_per_class=0)


def given():
    """Train, valid and test tables whose ids are the same; some sequences stand in several of them."""
    sequences = words(100)
    labels = [1, 0] * 50
    train, valid, test = (
        table(sequences[a:b], labels[a:b]) for a, b in ((0, 60), (50, 80), (70, 100))
    )
    return {"train": train, "valid": valid, "test": test}  # fmt: skip


def test_of_given_splits_training_alone_is_sampled():
    parts = given()
    everything, _, _ = assemble_splits(parts, seed=1, min_per_class=5)
    examples, rest, counts = assemble_splits(parts, per_class=20, seed=1, min_per_class=5)
    assert sizes(examples) == {"train": (13, 13), "valid": (10, 10), "test": (15, 15)}
    assert set(examples["id"]) | set(rest["id"]) == set(everything["id"]) and len(rest) == 24
    assert "split" not in rest and rest["id"].str.startswith("train:").all()
    assert steps(counts)[-1] == ("negative", "training sampled to at most 13", 38, 12)
    again, _, _ = assemble_splits(parts, per_class=20, seed=1, min_per_class=5)
    assert again.equals(examples)


def test_given_splits_share_no_sequence_and_test_stays_whole():
    parts = given()
    examples, rest, counts = assemble_splits(parts, seed=1, min_per_class=5)
    check_examples(examples)
    assert sizes(examples) == {"train": (25, 25), "valid": (10, 10), "test": (15, 15)}
    assert counts["dropped_across_parts"] == {"train": 10, "valid": 10}
    assert steps(counts)[-4:] == [
        ("positive", "in one part only", 50, 10),
        ("negative", "in one part only", 50, 10),
        ("positive", "training sampled to at most 9,600", 50, 0),
        ("negative", "training sampled to at most 9,600", 50, 0),
    ]
    assert examples["sequence"].is_unique
    assert set(examples.loc[examples["split"] == "test", "sequence"]) == set(parts["test"]["sequence"])  # fmt: skip
    assert set(examples["group"]) == set(examples["id"])
    assert examples["id"].str.split(":").str[0].tolist() == examples["split"].tolist()
    assert rest.empty and list(rest.columns) == ["id", "sequence", "label", "group", *PLACE]


def test_validation_is_drawn_from_train_where_it_is_not_given():
    parts = given()
    del parts["valid"]
    examples, _, counts = assemble_splits(parts, valid=0.2, seed=1, min_per_class=5)
    assert sizes(examples) == {"train": (24, 24), "valid": (6, 6), "test": (15, 15)}
    assert counts["dropped_across_parts"] == {}
    assert (examples.loc[examples["split"] == "valid", "id"].str.startswith("train:")).all()


def test_given_splits_known_genes_stay_and_parts_are_checked():
    parts = given()
    parts["test"] = parts["test"].assign(group="geneA")
    examples, _, _ = assemble_splits(parts, seed=1, min_per_class=5)
    assert set(examples.loc[examples["split"] == "test", "group"]) == {"geneA"}
    with pytest.raises(InputError, match="parts dev, test; expected train, test"):
        assemble_splits({"dev": parts["valid"], "test": parts["test"]}, seed=1, min_per_class=5)


def test_same_sequence_of_the_other_class_leaves_training_too():
    sequences = words(40)
    parts = {
        "train": table(sequences[:30], [1, 0] * 15),
        "test": table([*sequences[30:], sequences[0]], [0, 1] * 5 + [0]),
    }
    examples, _, counts = assemble_splits(parts, seed=1, min_per_class=5)
    found = examples[examples["sequence"] == sequences[0]]
    assert found[["split", "label"]].to_numpy().tolist() == [["test", 0]]
    assert counts["in_both_classes"] == 1 and counts["dropped_across_parts"] == {"train": 1}


def test_card(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text("anything")
    places = table(words(60), [0, 1] * 30, seqname="chr1")
    places["end"] += 1  # each place overlaps the next
    examples, rest, counts = build(places, per_class=25)
    card = build_card("HNRNPX", examples, rest, counts, [path])
    parts = dict(zip(examples["start"] // 10, examples["split"], strict=True))
    shared = sum(
        part == "test" and "train" in (parts.get(i - 1), parts.get(i + 1))
        for i, part in parts.items()
    )
    assert 0 < shared < 10
    assert examples["group"].nunique() == 1, "one stretch of overlapping places"
    assert card == {
        "rbp": "HNRNPX",
        "waterfall": counts["waterfall"],
        "in_both_classes": 0,
        "grouped_by": "place",
        "classes": {"positive": 25, "negative": 25},
        "left_out": {"positive": 5, "negative": 5},
        "length": {"min": 10, "max": 10},
        "splits": {
            part: {"negative": n, "positive": n}
            for part, n in (("test", 5), ("train", 16), ("valid", 4))
        },
        "leakage": {
            "genes_shared": 1,
            "test_rows_with_gene_in_training": 10,
            "share": 1.0,
            "test_rows_overlapping_training": shared,
            "test_rows_with_sequence_in_training": 0,
            "test_rows_with_word_in_training": 0,
            "test_rows": 10,
            "word": 31,
            "strands": "the same strand",
        },
        "identical": {"rows": 0, "in_one_part": 0, "across_parts": 0, "in_both_classes": 0},
        "places_known": 50,
        "inputs": [
            {
                "path": str(path),
                "bytes": 8,
                "sha256": hashlib.sha256(b"anything").hexdigest(),
            }
        ],
    }


def test_without_places_overlaps_are_not_known(tmp_path, caplog):
    """Windows that overlap, as published ones do, without a word of where they are from: the words tell."""
    rng = np.random.default_rng(2)
    genome = "".join(rng.choice(list("ACGT"), 3100))
    windows = [genome[i * 50 : i * 50 + 100] for i in range(60)]
    path = tmp_path / "x.tsv"
    path.write_bytes(b"anything")
    examples, rest, counts = build(table(windows, [0, 1] * 30), source="HX")
    assert "HX: the position of 60 of 60 sequences is not known" in caplog.text
    card = build_card("HX", examples, rest, counts, [path])
    leakage = card["leakage"]
    assert card["places_known"] == 0
    for key in (
        "genes_shared",
        "test_rows_with_gene_in_training",
        "share",
        "test_rows_overlapping_training",
    ):
        assert leakage[key] is None
    test, train = (
        examples.loc[examples["split"] == part, "sequence"] for part in ("test", "train")
    )
    linked = sum(
        any(one[:50] == other[50:] or one[50:] == other[:50] for other in train) for one in test
    )
    assert leakage["test_rows_with_word_in_training"] == linked > 5
    assert leakage["test_rows_with_sequence_in_training"] == 0


def pairs(n):
    """Places in pairs that overlap by 2 nt: bound and unbound, then two pairs of one class, and so on."""
    places = table(words(2 * n), np.tile([1, 0, 1, 1, 0, 0], n)[: 2 * n], seqname="chr1")
    places["start"] = np.repeat(np.arange(n) * 100, 2) + np.tile([0, 8], n)
    return places.assign(end=places["start"] + 10)


def test_rows_are_grouped_by_locus():
    examples, _, counts = build(pairs(60))
    assert counts["grouped_by"] == "place" and examples["group"].nunique() == 60
    assert (examples.groupby("group")["start"].agg(lambda x: (x // 100).nunique()) == 1).all()
    nowhere, _, _ = build(balanced(30))
    assert (nowhere["group"] == nowhere["id"]).all()


def test_split_locus_leaves_no_overlap_and_keeps_shares():
    places = pairs(600)
    random, _, _ = build(places)
    locus, rest, _ = build(places, split="locus", per_class=500)

    def leaks(examples):
        return overlapping(*(examples[examples["split"] == part] for part in ("test", "train")))

    assert leaks(random) > 50 and leaks(locus) == 0
    for part, n in (("train", 320), ("valid", 80), ("test", 100)):
        assert all(abs(found - n) < 0.15 * n for found in sizes(locus)[part])
    assert len(locus) == 1000 and len(rest) == 200
    again, _, _ = build(places, split="locus", per_class=500)
    pd.testing.assert_frame_equal(locus, again)


def test_split_locus_keeps_genes_and_what_overlaps_them_together():
    places = pairs(60)
    places["group"] = np.repeat([f"g{i}" for i in range(40)], 3)  # genes of one and a half pairs
    examples, _, counts = build(places, split="locus")
    assert counts["grouped_by"] == "gene" and examples["group"].nunique() == 20
    assert (examples.groupby("group")["split"].nunique() == 1).all()


def test_split_locus_needs_places(caplog):
    places = pairs(30)
    places.loc[7, PLACE] = "", -1, -1, ""
    with pytest.raises(
        InputError,
        match=r"HX: split 'locus'.* 1 of 60 sequences .*'s7'; give headers.*split: random",
    ):
        build(places, split="locus", source="HX")
    assert "HX: the position of 1 of 60 sequences is not known" in caplog.text
    one = pairs(30).assign(group="g")
    with pytest.raises(InputError, match="HX: too few rows to split.* 60 rows in 1 groups"):
        build(one, split="locus", source="HX")


@pytest.mark.parametrize("seed", range(5))
def test_overlapping_equals_comparing_all_pairs(seed):
    rng = np.random.default_rng(seed)

    def places(n):
        start = rng.integers(0, 400, n)
        found = pd.DataFrame(
            {
                "seqname": rng.choice(["chr1", "chr2", "chr3", ""], n),
                "start": start,
                "end": start + rng.integers(1, 12, n),
                "strand": rng.choice(["+", "-"], n),
            }
        )
        found.loc[found["seqname"] == "", ["start", "end"]] = -1
        return found

    rows, others = places(60), places(40)
    others = others[others["seqname"] != "chr3"]
    slow = sum(
        any(
            a.seqname == b.seqname != "" and a.strand == b.strand and a.start < b.end and b.start < a.end
            for b in others.itertuples()
        )
        for a in rows.itertuples()
    )  # fmt: skip
    assert 0 < slow < 60
    assert overlapping(rows, others) == slow


def test_sequences_too_long_to_shape_are_named_for_graphprot_and_left_to_ideeps():
    examples = table(["ACGT" * 10, "ACGT" * 50], [0, 1])
    assert to_shape(examples, {}, "x") == []
    assert to_shape(examples, {"ideeps": "ideeps"}, "x") == ["ACGT" * 10]
    message = (
        "x.parquet: my-graphprot takes sequences of at most 150 nt, found 1 of 2 longer than that,"
        " such as 's1' with 200 nt"
    )
    with pytest.raises(InputError, match=message):
        to_shape(examples, {"ideeps": "ideeps", "my-graphprot": "graphprot"}, "x.parquet")


def test_list_of_rbpsuites_154_rbps():
    names = pd.read_csv(ROOT / "config/collections/rbpsuite-154.tsv", sep="\t")
    assert list(names.columns) == ["rbp"]
    assert len(names) == names["rbp"].nunique() == 154
    assert names["rbp"].is_monotonic_increasing
    # RBPs that the paper analyses by name.
    assert {"HNRNPK", "TIAL1", "EWSR1", "RBM22", "SRSF1", "TARDBP"} <= set(names["rbp"])
