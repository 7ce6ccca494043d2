"""Grids up to the size of the papers' largest study, 154 proteins: every job is planned, none twice."""

import importlib.util

import pytest
from conftest import ROOT, job_counts, snakemake

specification = importlib.util.spec_from_file_location("dry_run", ROOT / "benchmarks/dry_run.py")
dry_run = importlib.util.module_from_spec(specification)
specification.loader.exec_module(dry_run)


@pytest.mark.slow
@pytest.mark.parametrize("species, seeds, total", [(5, 3, 218), (40, 1, 896)])
def test_grid(tmp_path, species, seeds, total):
    """Total by hand, n species and s seeds: 2n + 3 downloads, 1 checkpoint, n + 1 examples, 9ns + s runs, 10n + 10."""
    arguments = dry_run.write_grid(tmp_path, species, seeds)
    counts = job_counts(snakemake(tmp_path, *arguments, "--dry-run", "--quiet", "rules").stdout)
    assert counts == dry_run.count_jobs(species, seeds)
    assert sum(counts.values()) == total


@pytest.mark.slow
def test_the_rbp_study_of_154_proteins(tmp_path):
    """config/paper-rbp.yaml with the shipped sheet: planned as counted by hand."""
    arguments = dry_run.write_rbp_grid(tmp_path, seeds=1)
    counts = job_counts(snakemake(tmp_path, *arguments, "--dry-run", "--quiet", "rules").stdout)
    assert counts == dry_run.count_rbp_jobs(154, 1)


@pytest.mark.slow
def test_the_papers_rbp_overlay_is_planned(tmp_path):
    dry_run.write_rbp_grid(tmp_path, seeds=1)
    one_seed = tmp_path / "seed.yaml"
    one_seed.write_text(f"seeds: [1]\ndata_dir: {tmp_path}\n")
    arguments = ["--configfile", str(ROOT / "config/paper-rbp.yaml"), str(one_seed)]
    counts = job_counts(snakemake(tmp_path, *arguments, "--dry-run", "--quiet", "rules").stdout)
    # Eleven methods, five of them language models.
    assert counts["evaluate"] == 11 * 154 and counts["baseline"] == 6 * 154
    assert counts["finetune_shared"] == 5 * 16 and counts["take_finetuned"] == 5 * 154
