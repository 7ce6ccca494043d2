"""Another workflow uses this one as a module: everything of ours is found from where it lies."""

import subprocess
import sys

import pytest
from conftest import ROOT, job_counts

SNAKEFILE = """\
configfile: "config.yaml"


module nucleotune:
    snakefile:
        "{root}/Snakefile"
    config:
        config["nucleotune"]
{more}

use rule * from nucleotune exclude all


rule answer:
    default_target: True
    input:
        "results/tables/lncrna_table3.tsv",
        "results/reports/polya.html",
    output:
        "answer.txt",
    shell:
        "cat {{input}} > {{output}}"
"""

CONFIG = """\
nucleotune:
  studies: [lncrna, polya]
  lncrna: {species: [toy], splits: [gene], methods: [gc, cpc2-original, lora-bert-tiny]}
  polya:
    species: [toy-yeast]
    methods: [bpnet-tiny, average-profile]
    attribution: {methods: [bpnet-tiny]}
"""


def dry_run(folder, more=""):
    """A dry run of the other workflow, from its own directory and without our library on PYTHONPATH."""
    (folder / "workflow").mkdir()
    (folder / "workflow/Snakefile").write_text(SNAKEFILE.format(root=ROOT, more=more))
    (folder / "config.yaml").write_text(CONFIG)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--quiet", "rules"]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_another_workflow_takes_our_rules(tmp_path):
    done = dry_run(tmp_path)
    assert done.returncode == 0, done.stdout
    counts = job_counts(done.stdout)
    # The configuration is the user's, laid over the documented defaults; the demo has no part in it.
    asked = {"lncrna_table3": 1, "study_report": 1, "finetune": 4, "attribute": 1}
    assert {name: counts[name] for name in asked} == asked
    assert counts["answer"] == 1 and "promoters_examples" not in counts


@pytest.mark.parametrize("key", ["prefix: 'theirs'", "replace_prefix: {'results/': 'theirs/'}"])
def test_prefixes_are_refused(tmp_path, key):
    done = dry_run(tmp_path, f"    {key}\n")
    assert done.returncode == 1 and "takes no 'prefix' or 'replace_prefix'" in done.stdout
