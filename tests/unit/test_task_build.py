"""A task of one's own: what is read from each form, what becomes of bad rows, and how rows are divided."""

import gzip

import numpy as np
import pandas as pd
import pytest

from nucleotune.errors import InputError
from nucleotune.schemas import read_schema, validate
from nucleotune.sequence.alphabet import reverse_complement
from nucleotune.studies.related import nearest, related_shares
from nucleotune.studies.task.build import build_task
from nucleotune.studies.task.clean import clean
from nucleotune.studies.task.labels import with_labels
from nucleotune.studies.task.plan import computed_task, task_entries
from nucleotune.studies.task.plugin import checked_task
from nucleotune.studies.task.read import cut_sequences, read_rows
from nucleotune.studies.task.split import learning_share, split_task

TABLE = {"format": "table", "columns": {"sequence": "seq", "label": "y"}}
CLASSES = {"title": "T", "kind": "classes", "classes": ["a", "b"], **TABLE}
NUMBERS = {"title": "T", "kind": "numbers", **TABLE}


def a_task(folder, file, **keys):
    """A task of one or several files, as the builder gets it, and its files by key."""
    files = [file] if isinstance(file, dict | str) else file
    files = [{"path": one} if isinstance(one, str) else one for one in files]
    task = {"files": files, **keys}
    task = checked_task(validate(task, read_schema("task"), "t.yaml"), folder / "t.yaml")
    paths = {key: str(folder / one["path"]) for key, one in task_entries(task).items()}
    return computed_task(task), paths


def write(folder, name, text):
    (folder / name).write_text(text)
    return name


def rows_of(folder, file, **keys):
    task, paths = a_task(folder, file, **keys)
    return with_labels(read_rows(paths, task), task)


def sequences(n, length=60, seed=1):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(n)]


def random_table(folder, n=100, classes="ab", **columns):
    table = pd.DataFrame({"seq": sequences(n), "y": [classes[i % len(classes)] for i in range(n)]})
    table.assign(**columns).to_csv(folder / "t.tsv", sep="\t", index=False)
    return "t.tsv"


@pytest.mark.parametrize("ending", ["tsv", "csv", "tsv.gz", "parquet"])
def test_tables_of_any_form_give_the_same_rows(tmp_path, ending):
    table = pd.DataFrame({"name": ["x", "y"], "seq": ["ACGU", "ttga"], "y": ["b", "a"]})
    path = tmp_path / f"t.{ending}"
    if ending == "parquet":
        table.to_parquet(path)
    else:
        text = table.to_csv(sep="," if ending == "csv" else "\t", index=False)
        path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    keys = {**CLASSES, "columns": {"sequence": "seq", "label": "y", "id": "name"}}
    keys["format"] = "parquet" if ending == "parquet" else "table"
    rows = rows_of(tmp_path, path.name, **keys)
    assert rows[["id", "sequence", "label"]].values.tolist() == [["x", "ACGU", 1], ["y", "ttga", 0]]
    assert rows["line"].tolist() == ([1, 2] if ending == "parquet" else [2, 3])


def test_fasta_with_labels_in_headers_and_one_file_a_class(tmp_path):
    write(tmp_path, "h.fa", ">s1 class=b gene=G1\nAC\nGT\n>s2 class=a gene=G2\nTTTT\n")
    keys = {"title": "T", "kind": "classes", "classes": ["a", "b"], "format": "fasta"}
    header = r"^(?P<id>\S+) class=(?P<label>\w+) gene=(?P<group>\w+)"
    rows = rows_of(tmp_path, "h.fa", header=header, **keys)
    assert rows[["id", "label", "group", "sequence"]].values.tolist() == [
        ["s1", 1, "G1", "ACGT"],
        ["s2", 0, "G2", "TTTT"],
    ]
    write(tmp_path, "a.fa", ">p1\nAAAA\n")
    write(tmp_path, "b.fa", ">p2 more\nCCCC\n")
    files = [{"path": "a.fa", "class": "a"}, {"path": "b.fa", "class": "b"}]
    rows = rows_of(tmp_path, files, **keys)
    assert rows[["id", "label"]].values.tolist() == [["p1", 0], ["p2", 1]]
    with pytest.raises(
        InputError, match=r"h.fa: line 1: header 's1 class=b gene=G1' does not match"
    ):
        rows_of(tmp_path, "h.fa", header="kind=(?P<label>.)", **keys)


def test_places_are_cut_from_the_genome_on_their_strand(tmp_path):
    contig = "".join(sequences(1, 200))
    write(tmp_path, "g.fa", f">chr1\n{contig}\n")
    write(tmp_path, "p.bed", "track x\n1\t10\t30\tp1\t0\t+\n1\t50\t80\tp2\t0\t-\n")
    keys = {"title": "T", "kind": "classes", "classes": ["a", "b"], "format": "bed"}
    keys |= {"genome": {"path": "g.fa"}, "columns": {"id": "name"}}
    task, files = a_task(tmp_path, {"path": "p.bed", "class": "a"}, **keys)
    rows, lost = cut_sequences(read_rows(files, task), tmp_path / "g.fa", task)
    assert rows["sequence"].tolist() == [contig[10:30], reverse_complement(contig[50:80])]
    assert rows["seqname"].tolist() == ["chr1", "chr1"] and rows["id"].tolist() == ["p1", "p2"]
    assert lost == {"unknown_contig": 0, "off_contig": 0}
    windowed = {**task, "window": 10}
    rows, _ = cut_sequences(read_rows(files, task), tmp_path / "g.fa", windowed)
    assert rows["sequence"].tolist() == [contig[15:25], reverse_complement(contig[60:70])]
    # The same places of a table that counts from 1.
    write(tmp_path, "p.tsv", "c\tfrom\tto\ts\ty\nchr1\t11\t30\t+\ta\nchr1\t51\t80\t-\tb\n")
    columns = {"seqname": "c", "start": "from", "end": "to", "strand": "s", "label": "y"}
    keys |= {"format": "table", "columns": columns, "first": 1}
    task, files = a_task(tmp_path, "p.tsv", **keys)
    rows, _ = cut_sequences(read_rows(files, task), tmp_path / "g.fa", task)
    assert rows["sequence"].tolist() == [contig[10:30], reverse_complement(contig[50:80])]
    far = write(
        tmp_path, "far.tsv", "c\tfrom\tto\ts\ty\nchr1\t11\t30\t+\ta\nchr1\t190\t230\t-\tb\n"
    )
    task, files = a_task(tmp_path, far, **keys)
    with pytest.raises(InputError, match=r"far.tsv: line 3: 1 of 2 places lie beyond"):
        cut_sequences(read_rows(files, task), tmp_path / "g.fa", task)


def test_rows_of_sequences_may_have_no_place(tmp_path):
    text = "seq\ty\tc\ts\te\nACGT\ta\tchr1\t4\t8\nACGA\tb\t\t\t\n"
    write(tmp_path, "t.tsv", text)
    columns = {"sequence": "seq", "label": "y", "seqname": "c", "start": "s", "end": "e"}
    rows = rows_of(tmp_path, "t.tsv", **{**CLASSES, "columns": columns})
    assert rows[["seqname", "start", "end", "strand"]].values.tolist() == [
        ["chr1", 4, 8, "+"],
        ["", -1, -1, ""],
    ]
    write(tmp_path, "t.tsv", text.replace("chr1\t4", "\t4"))
    with pytest.raises(InputError, match="line 2, column 'c': seqname ''; expected a chromosome"):
        rows_of(tmp_path, "t.tsv", **{**CLASSES, "columns": columns})


def test_several_labels_in_columns_of_their_own_or_in_one(tmp_path):
    write(tmp_path, "m.tsv", "seq\tliver\tbrain\nACGT\t1\t0\nTTTT\t\tyes\n")
    keys = {"title": "T", "kind": "labels", "format": "table"}
    rows = rows_of(
        tmp_path, "m.tsv", columns={"sequence": "seq", "label": ["liver", "brain"]}, **keys
    )
    assert rows["label:liver"].tolist() == [1, pd.NA]
    assert rows["label:brain"].tolist() == [0, 1]
    assert rows["label:liver"].dtype == "Int8"
    write(tmp_path, "l.tsv", "seq\tin\nACGT\tliver; brain\nTTTT\t\n")
    keys |= {"columns": {"sequence": "seq", "label": "in"}, "separator": ";"}
    rows = rows_of(tmp_path, "l.tsv", names=["brain", "liver"], **keys)
    assert rows[["label:brain", "label:liver"]].values.tolist() == [[1, 1], [0, 0]]
    with pytest.raises(InputError, match=r"l.tsv: line 2, column 'in': .*'liver' is no label"):
        rows_of(tmp_path, "l.tsv", names=["brain", "lever"], **keys)


def test_numbers_keep_their_unit_and_missing_ones_are_null(tmp_path):
    write(tmp_path, "n.csv", "seq,y,z\nACGT,1.5e1,NA\nTTTT,-2,3\n")
    keys = {**NUMBERS, "columns": {"sequence": "seq", "label": ["y", "z"]}, "names": ["rate", "z"]}
    rows = rows_of(tmp_path, "n.csv", **keys)
    assert rows["value:rate"].tolist() == [15, -2]
    assert np.isnan(rows["value:z"][0]) and rows["value:z"][1] == 3


@pytest.mark.parametrize(
    ("text", "keys", "message"),
    [
        (
            "seq\ty\nACGT\tc\n",
            {},
            r"t.tsv: line 2, column 'y': 'c' is no class of the task; expected a, b",
        ),
        ("seq\ty\nACGT\ta\nACXT\tb\n", {}, r"line 3, column 'seq': letter 'X' at position 3"),
        ("seq\ty\nACGT\t\n", {}, r"line 2: record 'line-2': no label; .*policies.unlabelled: drop"),
        ("seq\ty\n\ta\n", {}, r"line 2: record 'line-2': no sequence; .*policies.empty: drop"),
        ("s\ty\nA\ta\n", {}, r"t.tsv: no column 'seq' \(columns.sequence\); it has s, y"),
        ("seq\ty\nA\ta\textra\n", {}, r"line 2: expected 2 columns"),
        ("seq\ty\n", {}, "no rows below the header"),
        ("ACGTACGTACGTACGTACGTAC\ta\nA\ta\n", {}, "line 1 holds a sequence"),
        (
            "seq\ty\tp\nA\ta\ttrian\n",
            {"split": {"by": "given"}, "columns": {"sequence": "seq", "label": "y", "split": "p"}},
            "line 2, column 'p': 'trian' names no part",
        ),
        (
            "seq\ty\tn\nA\ta\tx\nC\tb\tx\n",
            {"columns": {"sequence": "seq", "label": "y", "id": "n"}},
            "line 3, column 'n': id 'x' is that of .*line 2",
        ),
        (
            "seq\ty\nACGT\ta\nACGT\tb\n",
            {"policies": {"conflicts": "error"}},
            "line 3: record 'line-3' has the sequence of .*line 2 and another label",
        ),
        ("seq\ty\nACGT\ta\n", {"max_length": 3}, r"line 2: record 'line-2': more than 3 nt"),
        (
            "seq\ty\nACRT\ta\n",
            {"policies": {"letters": "error"}},
            "letters other than A, C, G, T and U",
        ),
    ],
)
def test_bad_input_is_one_error_that_names_its_place(tmp_path, text, keys, message):
    write(tmp_path, "t.tsv", text)
    with pytest.raises(InputError, match=message):
        task, files = a_task(tmp_path, "t.tsv", **{**CLASSES, **keys})
        clean(with_labels(read_rows(files, task), task), task)


def cleaned(tmp_path, text, base=CLASSES, **keys):
    write(tmp_path, "t.tsv", text)
    task, files = a_task(tmp_path, "t.tsv", **{**base, **keys})
    return clean(with_labels(read_rows(files, task), task), task)


def test_policies_are_applied_and_counted(tmp_path):
    text = "seq\ty\nACGU\ta\nACGT\ta\nTTTT\ta\nTTTT\tb\nACRT\tb\n\ta\nAAAA\t\nGGGGGGGG\tb\n"
    policies = {"empty": "drop", "unlabelled": "drop", "long": "centre"}
    table, counts = cleaned(tmp_path, text, policies=policies, max_length=4)
    assert table[["sequence", "label"]].values.tolist() == [["ACGT", 0], ["ACNT", 1], ["GGGG", 1]]
    assert (counts["u_as_t"], counts["with_n"], counts["cut"]) == (1, 1, 1)
    assert (counts["conflicts"], counts["duplicates"]) == (1, 1)
    dropped = {(one["step"], one["class"]): one["dropped"] for one in counts["waterfall"]}
    assert dropped[("one label a sequence", "a")] == dropped[("one label a sequence", "b")] == 1
    assert dropped[("each sequence once", "a")] == 1
    assert dropped[("without: no sequence", "a")] == 1
    first, _ = cleaned(tmp_path, text, policies={**policies, "conflicts": "first"})
    assert first[["sequence", "label"]].values.tolist()[1] == ["TTTT", 0]
    kept, _ = cleaned(tmp_path, text, policies={**policies, "duplicates": "keep"})
    assert kept["sequence"].tolist().count("ACGT") == 2


def test_numbers_of_one_sequence_become_their_mean(tmp_path):
    text = "seq\ty\nACGT\t1\nACGT\t3\nTTTT\t5\nTTTT\t5\n"
    table, counts = cleaned(tmp_path, text, NUMBERS, policies={"conflicts": "mean"})
    assert table[["sequence", "value:y"]].values.tolist() == [["ACGT", 2], ["TTTT", 5]]
    assert counts["conflicts"] == 1


def test_of_equal_rows_the_one_in_the_test_part_stays(tmp_path):
    text = "seq\ty\tp\nACGT\ta\ttrain\nACGT\ta\ttest\nTTTT\tb\tdev\nTTTT\tb\ttrain\n"
    columns = {"sequence": "seq", "label": "y", "split": "p"}
    table, _ = cleaned(tmp_path, text, columns=columns, split={"by": "given"})
    assert table[["sequence", "split"]].values.tolist() == [["ACGT", "test"], ["TTTT", "valid"]]


def divided(tmp_path, file, base=CLASSES, **keys):
    task, files = a_task(tmp_path, file, **{**base, **keys})
    table, _ = clean(with_labels(read_rows(files, task), task), task)
    table, counts = split_task(table, task, source="t")
    return table, counts, task


def test_random_parts_hold_each_class_in_the_same_shares(tmp_path):
    table, counts, _ = divided(
        tmp_path, random_table(tmp_path, classes="aab"), split={"by": "random"}
    )
    sizes = table.groupby(["split", "label"]).size()
    assert sizes["train", 0] == 47 and sizes["train", 1] == 23
    assert sizes["test", 0] == 13 and sizes["test", 1] == 7
    assert counts["groups_known"] == 0 and (table["group"] == table["id"]).all()
    again, _, _ = divided(tmp_path, "t.tsv", split={"by": "random"})
    assert again.equals(table)
    other, _, _ = divided(tmp_path, "t.tsv", split={"by": "random", "seed": 2})
    assert (other["split"] != table["split"]).any()


def test_random_parts_of_numbers_hold_each_tenth(tmp_path):
    file = random_table(tmp_path, y=[str(i**2) for i in range(100)])
    table, _, _ = divided(tmp_path, file, NUMBERS, split={"by": "random"})
    tenth = np.sqrt(table["value:y"]).astype(int) // 10
    assert (table.groupby([tenth, "split"]).size().unstack() == [2, 7, 1]).all(axis=None)


def test_no_group_or_chromosome_is_in_two_parts(tmp_path):
    file = random_table(
        tmp_path, g=[f"g{i // 4}" for i in range(100)], c=[f"chr{i % 10}" for i in range(100)]
    )
    columns = {"sequence": "seq", "label": "y", "group": "g", "seqname": "c"}
    table, counts, _ = divided(tmp_path, file, columns=columns, split={"by": "group"})
    assert (table.groupby("group")["split"].nunique() == 1).all()
    assert counts["grouped_by"] == "group" and counts["groups_known"] == 100
    table, counts, _ = divided(tmp_path, file, columns=columns, split={"by": "chromosome"})
    assert (table.groupby("seqname")["split"].nunique() == 1).all()
    assert [len(counts["split"]["chromosomes"][part]) for part in ("train", "valid", "test")] == [
        7,
        1,
        2,
    ]
    asked = {"valid": ["3"], "test": ["chr1", "2"]}
    table, _, _ = divided(
        tmp_path, file, columns=columns, split={"by": "chromosome", "chromosomes": asked}
    )
    assert set(table.loc[table["split"] == "test", "seqname"]) == {"chr1", "chr2"}
    assert set(table.loc[table["split"] == "valid", "seqname"]) == {"chr3"}
    asked["valid"] = ["chr77"]
    with pytest.raises(InputError, match="no rows on 'chr77'"):
        divided(tmp_path, file, columns=columns, split={"by": "chromosome", "chromosomes": asked})


def families(folder, n=30, members=3, length=200):
    """Families of sequences that differ in one letter of ten."""
    rng = np.random.default_rng(5)
    rows = []
    for number, founder in enumerate(sequences(n, length)):
        for _ in range(members):
            letters = np.array(list(founder))
            places = rng.choice(length, length // 10, replace=False)
            letters[places] = rng.choice(list("ACGT"), len(places))
            rows.append(("".join(letters), "ab"[number % 2], f"f{number}"))
    table = pd.DataFrame(rows, columns=["seq", "y", "family"])
    table.to_csv(folder / "f.tsv", sep="\t", index=False)
    return table


def test_related_sequences_stay_in_one_part(tmp_path):
    table = families(tmp_path)
    task, files = a_task(tmp_path, "f.tsv", **CLASSES, split={"by": "similarity"})
    examples, card = build_task(files, task=task)
    family = table.set_index("seq")["family"]
    parts = examples.groupby(examples["sequence"].map(family))["split"].nunique()
    assert len(parts) == 30 and (parts == 1).all()
    assert (examples.groupby("group").size() == 3).all() and card["grouped_by"] == "cluster"
    assert card["split"]["groups"] == 30 and card["split"]["largest"] == 3
    assert related(examples)["rows_at"] == {"50": 0, "70": 0, "90": 0}
    assert card["leakage"]["genes_shared"] == 0
    task, files = a_task(tmp_path, "f.tsv", **CLASSES, split={"by": "random"})
    examples, card = build_task(files, task=task)
    assert related(examples)["shares_at"]["70"] > 0.8
    assert card["leakage"]["genes_shared"] is None


def related(examples):
    found, reason = nearest(examples, both_strands=True)
    return related_shares(found, reason, both_strands=True)["test"]


def test_places_that_overlap_stay_in_one_part(tmp_path):
    """Windows that share a tenth of their bases: too little for an alignment that covers half of one."""
    contig = sequences(1, 20_000)[0]
    write(tmp_path, "g.fa", f">chr1\n{contig}\n")
    starts = [1000 * pair + shift for pair in range(19) for shift in (0, 90)]
    lines = [f"chr1\t{s}\t{s + 100}\t{'ab'[i // 2 % 2]}" for i, s in enumerate(starts)]
    write(tmp_path, "p.bed", "\n".join([*lines, ""]))
    keys = {"title": "T", "kind": "classes", "classes": ["a", "b"], "format": "bed"}
    keys |= {"genome": {"path": "g.fa"}, "columns": {"label": "name"}}
    task, files = a_task(tmp_path, "p.bed", **keys)
    examples, card = build_task({**files, "genome": str(tmp_path / "g.fa")}, task=task)
    assert card["split"]["groups"] == 19 and card["leakage"]["test_rows_overlapping_training"] == 0
    assert (examples.groupby(examples["start"] // 1000)["split"].nunique() == 1).all()


def test_a_cluster_too_large_for_a_part_is_for_training(tmp_path):
    large = families(tmp_path, n=1, members=30)
    pd.concat(
        [large, pd.DataFrame({"seq": sequences(70, 200, seed=9), "y": list("ab") * 35})]
    ).to_csv(tmp_path / "f.tsv", sep="\t", index=False)
    table, counts, _ = divided(tmp_path, "f.tsv", split={"by": "similarity"})
    assert counts["split"]["always_training"] == counts["split"]["largest"] == 30
    assert table["split"].value_counts().to_dict() == {"train": 70, "test": 20, "valid": 10}
    families(tmp_path, n=1, members=90)
    with pytest.raises(InputError, match="too large for validation or test .*raise split.identity"):
        divided(tmp_path, "f.tsv", split={"by": "similarity"})


def test_given_parts_stay_and_validation_is_cut_from_training(tmp_path):
    file = random_table(tmp_path, p=["train"] * 80 + ["test"] * 20)
    columns = {"sequence": "seq", "label": "y", "split": "p"}
    table, _, _ = divided(tmp_path, file, columns=columns, split={"by": "given"})
    assert table["split"].value_counts().to_dict() == {"train": 70, "test": 20, "valid": 10}
    assert (table["split"].iloc[80:] == "test").all()


def test_files_of_parts_and_further_test_sets(tmp_path):
    rows = sequences(100)
    for name, chosen in {"tr": rows[:60], "te": rows[60:80], "more": rows[75:100]}.items():
        pd.DataFrame({"seq": chosen, "y": (list("ab") * 50)[: len(chosen)]}).to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    files = [{"path": "tr.csv", "split": "train"}, {"path": "te.csv", "split": "test"}]
    tests = {"more": {"path": "more.csv"}}
    task, paths = a_task(tmp_path, files, **CLASSES, split={"by": "given"}, tests=tests)
    examples, card = build_task(paths, task=task)
    sizes = examples["split"].value_counts()
    assert (
        sizes["test"] == 20 and sizes["test-more"] == 25 and sizes["train"] + sizes["valid"] == 60
    )
    assert examples["id"].is_unique and examples["id"].iloc[-1] == "test_0:line-26"
    assert list(card["splits"]) == ["train", "valid", "test", "test-more"]


def test_a_learning_curve_is_nested_and_keeps_every_class(tmp_path):
    table, _, task = divided(
        tmp_path, random_table(tmp_path, classes="aaab"), split={"by": "random"}
    )
    smaller = {
        share: set(learning_share(table, share, task)["id"]) for share in (0.01, 0.1, 0.5, 1)
    }
    assert smaller[0.01] < smaller[0.1] < smaller[0.5] < smaller[1] == set(table["id"])
    for share, kept in smaller.items():
        rows = table[table["id"].isin(kept)]
        assert (rows["split"] != "train").sum() == (table["split"] != "train").sum()
        counts = rows[rows["split"] == "train"]["label"].value_counts().to_dict()
        assert (
            counts
            == {0.01: {0: 1, 1: 1}, 0.1: {0: 5, 1: 2}, 0.5: {0: 27, 1: 9}, 1: {0: 53, 1: 18}}[share]
        )


def test_examples_and_card_of_each_kind(tmp_path):
    random_table(tmp_path, z=[str(i % 3 == 0 and 1 or 0) for i in range(100)])
    split = {"by": "random"}
    task, files = a_task(tmp_path, "t.tsv", **CLASSES, split=split)
    examples, card = build_task(files, task=task, share=0.5)
    assert list(examples) == ["id", "sequence", "label", "split", "group"]
    assert examples["label"].dtype == "int8" and set(examples["label"]) == {0, 1}
    assert card["splits"]["test"] == {"a": 10, "b": 10} and card["training_share"] == 0.5
    assert card["splits"]["train"] == {"a": 18, "b": 18}
    assert card["length"] == {"min": 60, "median": 60, "max": 60}
    keys = {"title": "T", "kind": "labels", "format": "table", "split": split}
    random_table(
        tmp_path, y=["10"[i % 2] for i in range(100)], z=["110 "[i % 4].strip() for i in range(100)]
    )
    task, files = a_task(
        tmp_path, "t.tsv", columns={"sequence": "seq", "label": ["y", "z"]}, **keys
    )
    examples, card = build_task(files, task=task)
    assert list(examples) == ["id", "sequence", "label:y", "label:z", "split", "group"]
    assert examples["label:z"].dtype == "Int8" and card["labels"]["test"]["z"]["unknown"] == 5
    task, files = a_task(tmp_path, "t.tsv", **{**NUMBERS, "split": split})
    examples, card = build_task(files, task=task)
    assert examples["value:y"].dtype == "float64"
    assert card["numbers"]["test"]["y"]["known"] == card["splits"]["test"]["rows"] == 20


def test_a_part_without_a_class_stops(tmp_path):
    file = random_table(tmp_path, p=["train"] * 80 + ["test"] * 20)
    table = pd.read_csv(tmp_path / file, sep="\t")
    table.loc[80:, "y"] = "a"
    table.to_csv(tmp_path / file, sep="\t", index=False)
    columns = {"sequence": "seq", "label": "y", "split": "p"}
    task, files = a_task(tmp_path, file, **{**CLASSES, "columns": columns}, split={"by": "given"})
    with pytest.raises(
        InputError,
        match=r"part 'test' \(20 rows\) has no row of class 'b' \(\d+ in 'train'; \d+ in 'valid'\)",
    ):
        build_task(files, task=task)


def test_classes_and_labels_without_training_rows_stop(tmp_path):
    file = random_table(tmp_path, p=["train"] * 60 + ["valid"] * 20 + ["test"] * 20)
    table = pd.read_csv(tmp_path / file, sep="\t")
    table.loc[:59, "y"] = "a"
    table.to_csv(tmp_path / file, sep="\t", index=False)
    columns = {"sequence": "seq", "label": "y", "split": "p"}
    keys = {**CLASSES, "columns": columns, "classes": ["a", "b", "c"]}
    task, files = a_task(tmp_path, file, **keys, split={"by": "given"})
    n = table["y"].eq("b").groupby(table["p"]).sum()
    message = (
        rf"part 'train' \(60 rows\) has no row of class 'b' \({n['valid']} in 'valid'; {n['test']} in 'test'\) and"
        r" has no row of class 'c' \(none in any part\)"
    )
    with pytest.raises(InputError, match=message):
        build_task(files, task=task)
