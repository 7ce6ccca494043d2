"""Grids up to the size of the papers' largest study, 154 proteins: every job is planned, none twice."""

import importlib.util
from pathlib import Path

from conftest import ROOT, job_counts, snakemake
from planned import jobs, run_of

specification = importlib.util.spec_from_file_location("dry_run", ROOT / "benchmarks/dry_run.py")
dry_run = importlib.util.module_from_spec(specification)
specification.loader.exec_module(dry_run)


def planned(arguments):
    """Jobs of the configuration files among Snakemake's arguments, as the library knows them."""
    files = [Path(one) for one in arguments if one.endswith(".yaml")]
    return jobs(run_of(*files)) | {"all": 1}


def test_snakemake_plans_what_the_library_knows(tmp_path):
    """By hand, n species and s seeds: 2n + 3 downloads, 1 checkpoint, n + 1 examples, 9ns + s runs, 11n + 10."""
    arguments = dry_run.write_grid(tmp_path, species=5, seeds=3)
    counts = job_counts(snakemake(tmp_path, *arguments, "--dry-run", "--quiet", "rules").stdout)
    assert counts == planned(arguments) == dry_run.count_jobs(5, 3)
    assert sum(counts.values()) == 223


def test_a_grid_of_154_species(tmp_path):
    arguments = dry_run.write_grid(tmp_path, species=154, seeds=1)
    assert planned(arguments) == dry_run.count_jobs(154, 1)


def test_the_rbp_study_of_154_proteins(tmp_path):
    """config/paper-rbp.yaml with the shipped sheet, as counted by hand."""
    arguments = dry_run.write_rbp_grid(tmp_path, seeds=1)
    assert planned(arguments) == dry_run.count_rbp_jobs(154, 1)


def test_the_papers_rbp_overlay(tmp_path):
    dry_run.write_rbp_grid(tmp_path, seeds=1)
    counts = jobs(run_of("paper-rbp", seeds=[1], data_dir=str(tmp_path)))
    # Eleven methods, five of them language models.
    assert counts["evaluate"] == 11 * 154 and counts["baseline"] == 6 * 154
    assert counts["finetune_shared"] == 5 * 16 and counts["take_finetuned"] == 5 * 154
