"""What would run for installed tools and for `calibrate_counts`; nothing is executed."""

from conftest import ROOT, job_counts, snakemake

PAPER = str(ROOT / "config/paper.yaml")


def plan(folder, *arguments):
    return job_counts(snakemake(folder, *arguments, "--dry-run", "--quiet", "rules").stdout)


def test_a_tool_runs_once_for_all_seeds(tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        "studies: [lncrna]\nseeds: [1, 2, 3]\n"
        "lncrna: {splits: [gene], methods: [plek-original, cpc2-original, gc]}\n"
    )
    counts = plan(tmp_path, "lncrna_table3", "--configfile", str(overlay))
    assert counts["original_input"] == 1
    assert counts["original_plek"] == counts["original_cpc2"] == 1
    assert counts["original"] == 6 and counts["baseline"] == 3


def test_calibration_counts_two_files_of_each_release_and_species(tmp_path):
    counts = plan(tmp_path, "calibrate_counts", "--configfile", PAPER)
    files = 7 * 2 * 2
    assert counts == {"download": files, "calibrate_release": files, "calibrate_counts": 1}
    assert plan(tmp_path, "fetch", "--configfile", PAPER) == {"download": 35, "fetch": 1}
