"""A rerun that failed is not forgotten: what its job deleted is made again, and so is all that was made from it."""

from conftest import job_counts, snakemake

CONFIG = "studies: [lncrna]\nlncrna: {splits: [gene], methods: [gc, length]}\n"
DATASET = "results/lncrna/toy_gene"


def test_missing_intermediates_are_made_again(tmp_path):
    (tmp_path / "overlay.yaml").write_text(CONFIG)

    def run(*arguments):
        overlay = ["--configfile", str(tmp_path / "overlay.yaml")]
        return snakemake(tmp_path, *arguments, *overlay, check=False)

    def planned(target):
        return job_counts(run(target, "--dry-run", "--quiet", "rules").stdout)

    assert run("report").returncode == 0
    # Deleted by hand, or by Snakemake when a job fails.
    (tmp_path / DATASET / "gc/metrics.json").unlink()
    counts = planned("report")
    assert counts["evaluate"] == counts["lncrna_table3"] == counts["overview"] == 1
    assert {"baseline", "lncrna_examples"}.isdisjoint(counts)
    (tmp_path / DATASET / "gc/seed1/predictions.parquet").unlink()
    counts = planned("lncrna")
    assert counts["baseline"] == counts["evaluate"] == counts["compare"] == 1

    # By the file that a user gives: a job fails, the same command fails again, then all is made anew.
    source = next((tmp_path / "resources/downloads").rglob("*.ncrna.fa.gz"))
    whole = source.read_bytes()
    source.write_bytes(whole[:-50])
    for _ in range(2):
        done = run("lncrna", "--keep-going")
        assert done.returncode == 1 and "Nothing to be done" not in done.stdout, done.stdout
    assert not (tmp_path / DATASET / "examples.parquet").exists()
    # A table asked for alone is left as it is, which is said.
    output = run("lncrna_table1", "--dry-run").stdout
    assert f"{DATASET}/examples.parquet and " in output
    assert "missing, though files made from it are there: `snakemake lncrna` makes it" in output
    source.write_bytes(whole)
    counts = planned("all")
    assert counts["lncrna_examples"] == counts["lncrna_table1"] == 1
    assert counts["baseline"] == counts["evaluate"] == 2
    assert run("all").returncode == 0
    assert "Nothing to be done" in run("all", "report", "lncrna").stdout
