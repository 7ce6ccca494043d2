"""Attention from [CLS] along the test promoters of a trained model, with two controls."""

from pathlib import Path

from nucleotune.attention.controls import profiles_with_controls
from nucleotune.contracts import read_examples
from nucleotune.devices import granted
from nucleotune.frames import write_tsv
from nucleotune.scripting import job
from nucleotune.training.compute import resolve_device

with job(snakemake.log[0]), granted(snakemake.resources.devices) as device:
    table, peaks = profiles_with_controls(
        read_examples(snakemake.input.examples, splits=["test"]),
        Path(snakemake.input.model),
        Path(snakemake.input.checkpoint),
        downstream=snakemake.params.downstream,
        seed=snakemake.params.sampling_seed,
        resamples=snakemake.params.bootstrap["resamples"],
        confidence=snakemake.params.bootstrap["confidence"],
        device=resolve_device(device, snakemake.threads),
    )
    for found, output in (
        (table, snakemake.output.profiles),
        (peaks, snakemake.output.peaks),
    ):
        write_tsv(output, found)
