"""RNA-binding proteins plugged in: peaks of a genome, and FASTA of one's own."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, snakemake

from nucleotune.contracts import read_examples

pytestmark = pytest.mark.slow


def test_peaks_become_pairs_of_sequences(tmp_path):
    """Peaks of two cell lines, cut from the genome; unbound places from the same genes, none near a peak."""
    done = "results/rbp/toy-peaks_TOYM/rbp-tfidf/metrics.json"
    snakemake(tmp_path, done, "--configfile", str(ROOT / "config/rbp.yaml"))
    examples = read_examples(tmp_path / "results/rbp/toy-peaks_TOYM/examples.parquet")
    assert set(examples["sequence"].str.len()) == {101}
    bound, unbound = (examples[examples["label"] == label] for label in (1, 0))
    assert abs(len(bound) - len(unbound)) <= 2 and len(bound) > 200
    for row in unbound.itertuples():
        same = bound[(bound["seqname"] == row.seqname) & (bound["strand"] == row.strand)]
        assert not ((same["start"] < row.end) & (row.start < same["end"])).any()
    card = json.loads((tmp_path / "results/rbp/toy-peaks_TOYM/card.json").read_text())
    assert card["peaks"]["peaks"] > len(bound)
    auroc = json.loads((tmp_path / done).read_text())["splits"]["test"]["auroc"]
    assert auroc["ci_low"] > 0.6, "the motif of TOYM is there"


def test_fasta_of_ones_own(tmp_path):
    rng = np.random.default_rng(0)
    letters = ["".join(rng.choice(list("ACGU"), 60)) for _ in range(400)]
    bound = [s[:20] + "UGUAAAUA" + s[28:] for s in letters[:200]]
    for name, sequences in (("bound", bound), ("unbound", letters[200:])):
        text = "".join(f">{name}{i}\n{s}\n" for i, s in enumerate(sequences))
        (tmp_path / f"{name}.fa").write_text(text)
    folder = tmp_path / "collections"
    folder.mkdir()
    (folder / "mine.yaml").write_text("title: Mine\nformat: fasta\nsheet: mine.tsv\n")
    (folder / "mine.tsv").write_text("rbp\tpositives\tnegatives\nPUM2\tbound.fa\tunbound.fa\n")
    (tmp_path / "run.yaml").write_text(
        f"studies: [rbp]\nplugins: [{tmp_path}]\ndata_dir: {tmp_path}\nrbp:\n  collections: [mine]\n"
        "  methods: [rbp-tfidf, gc]\n"
    )
    done = snakemake(tmp_path, "--configfile", str(tmp_path / "run.yaml"))
    assert "left out" not in done.stdout, "nothing of the demo's analyses"
    table = pd.read_csv(tmp_path / "results/tables/rbp_table_auroc.tsv", sep="\t")
    found = table.query("dataset == 'PUM2' and metric == 'auroc'").set_index("method")["measured"]
    assert found["k-mers + logistic regression"] > max(0.9, found["GC content only"])
    page = (tmp_path / "results/reports/rbp.html").read_text()
    assert "PUM2" in page and "as published" not in page, "the paper's means are of other data"
