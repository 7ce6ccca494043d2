"""What the attention of one RBP's models goes to: before and after fine-tuning, and from random weights."""

from pathlib import Path

from nucleotune.contracts import read_examples
from nucleotune.devices import granted
from nucleotune.frames import read_parquet
from nucleotune.scripting import job
from nucleotune.sequence.mea import read_structures
from nucleotune.studies.rbp.attention import analyse_models, load_models
from nucleotune.studies.rbp.build import analysis_rows, with_properties
from nucleotune.studies.rbp.findings import write_findings
from nucleotune.training.compute import resolve_device

with job(snakemake.log[0]), granted(snakemake.resources.devices) as device:
    files, params = snakemake.input, snakemake.params
    rows = analysis_rows(
        read_examples(files.examples),
        read_parquet(files.rest),
        params.max_sequences,
        params.sampling_seed,
    )
    rows = with_properties(
        rows,
        regions=read_parquet(files.regions) if files.regions else None,
        structures=read_structures(files.structures).table if files.structures else None,
    )
    models = load_models(
        Path(files.model),
        Path(files.checkpoint),
        Path(files.random_model) if files.random_model else None,
        seed=params.sampling_seed,
        device=resolve_device(device, snakemake.threads),
    )
    findings = analyse_models(models, rows, seed=params.sampling_seed)
    write_findings(findings, **snakemake.output)
