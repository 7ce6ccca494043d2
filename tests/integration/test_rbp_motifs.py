"""The rules of attribution on a classifier of another study."""

import pandas as pd
import pytest
from conftest import snakemake

pytestmark = pytest.mark.slow

CONFIG = """
studies: [rbp]
rbp:
  rbps: [TOYM]
  methods: [bert-rbp-tiny, gc]
  per_class: 200
  min_per_class: 50
  attribution: {methods: [bert-rbp-tiny], max_sequences: 12, mutagenesis: 12}
"""


def test_an_rbp_model_is_explained(tmp_path):
    (tmp_path / "own.yaml").write_text(CONFIG)
    targets = [f"results/tables/rbp_{name}.html" for name in ("attribution", "motifs")]
    targets.append("results/figures/rbp_motifs.svg")
    done = snakemake(tmp_path, *targets, "--configfile", str(tmp_path / "own.yaml"))
    assert "TOYM: positive sampled to 200 of" in done.stdout, "said at the end of the run"
    (explained,) = tmp_path.glob("results/rbp/*/bert-rbp-tiny/seed1/attribution")
    agreement = pd.read_csv(explained / "agreement.tsv", sep="\t")
    assert len(agreement) == 12 and agreement["pearson"].notna().all()
    table = pd.read_csv(tmp_path / "results/tables/rbp_attribution.tsv", sep="\t")
    assert set(table["motifs_from"]) == {"mutagenesis"}
    assert (explained / "modisco" / "attributions.npz").is_file()
