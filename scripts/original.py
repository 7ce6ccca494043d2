"""Predictions from the output of an installed tool, or a note that it did not run."""

from nucleotune.baselines.original import (
    describe,
    predictions,
    reason_not_run,
    rows_to_score,
)
from nucleotune.contracts import write_not_run, write_predictions
from nucleotune.files import write_json
from nucleotune.scripting import job

with job(snakemake.log[0]) as log:
    tool, output = snakemake.params.tool, snakemake.input.output
    reason = reason_not_run(output)
    if reason:
        log.warning("not run: %s", reason)
        write_not_run(snakemake.output.predictions, reason)
        write_json(snakemake.output.summary, describe(tool, f"not run: {reason}"))
    else:
        table, summary = predictions(tool, output, rows_to_score(snakemake.input.examples))
        write_predictions(snakemake.output.predictions, table)
        write_json(snakemake.output.summary, summary)
