"""A rerun that failed is not forgotten: what its job deleted is made again, and so is all that was made from it."""

import shutil

from conftest import job_counts, snakemake

CONFIG = "studies: [lncrna]\nlncrna: {splits: [gene], methods: [gc, length]}\n"
DATASET = "results/lncrna/toy_gene"


def test_missing_intermediates_are_made_again(tmp_path):
    (tmp_path / "overlay.yaml").write_text(CONFIG)

    def run(*arguments):
        overlay = ["--configfile", str(tmp_path / "overlay.yaml")]
        return snakemake(tmp_path, *arguments, *overlay, check=False)

    def planned(*targets):
        output = run(*targets, "--dry-run", "--quiet", "rules").stdout
        return {} if "Nothing to be done" in output else job_counts(output)

    assert run().returncode == 0
    assert planned() == planned("lncrna") == planned("report") == {}
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / DATASET, kept, copy_function=shutil.copy2)

    def lose(*names):
        for name in names:
            (tmp_path / DATASET / name).unlink()

    def restore():
        shutil.copytree(kept, tmp_path / DATASET, copy_function=shutil.copy2, dirs_exist_ok=True)

    # As Snakemake leaves it when the job of a rerun fails: its outputs are gone, the tables are there.
    lose("examples.parquet", "card.json")
    for targets in ([], ["lncrna"], ["report"]):
        counts = planned(*targets)
        assert counts["lncrna_examples"] == 1 and counts["baseline"] == counts["evaluate"] == 2
        assert counts["lncrna_table3"] == 1
    table = run("lncrna_table3", "--dry-run").stdout
    assert f"{DATASET}/examples.parquet and 1 more: missing" in table
    assert "`snakemake lncrna` makes it again" in table
    restore()
    for lost, redone in (
        ("gc/seed1/predictions.parquet", {"baseline": 1, "evaluate": 1, "compare": 1}),
        ("gc/metrics.json", {"evaluate": 1}),
        ("comparison.tsv", {"compare": 1}),
    ):
        lose(lost)
        for targets in ([], ["lncrna"], ["report"]):
            counts = planned(*targets)
            assert counts.items() >= redone.items(), (lost, targets)
            assert "lncrna_examples" not in counts
        assert (f"{lost}: missing" in run("lncrna_table1", "-n").stdout) == ("tsv" not in lost)
        restore()
    assert planned() == {}

    # And for real, by the file that a user gives: a job fails, the same command fails again, then all is made anew.
    source = next((tmp_path / "resources/downloads").rglob("*.ncrna.fa.gz"))
    whole = source.read_bytes()
    source.write_bytes(whole[:-50])
    for _ in range(2):
        done = run("lncrna")
        assert done.returncode == 1 and "Nothing to be done" not in done.stdout
    source.write_bytes(whole)
    assert run("lncrna").returncode == 0 and planned("lncrna") == {}
