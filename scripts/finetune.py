"""Train one language model on one data set, from scratch or from an earlier stage's weights."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

from nucleotune.contracts import read_examples, write_predictions
from nucleotune.files import atomic_path, write_json
from nucleotune.scripting import job
from nucleotune.training.finetune import finetune
from nucleotune.training.state import remove_state

with job(snakemake.log[0]):
    state = Path(snakemake.params.state)
    trained = finetune(
        read_examples(snakemake.input.examples),
        method=snakemake.params.method,
        model=snakemake.params.model,
        seed=int(snakemake.wildcards.seed),
        threads=snakemake.threads,
        start_from=Path(snakemake.input.start_from) if snakemake.input.start_from else None,
        checkpoint=Path(snakemake.input.checkpoint) if snakemake.input.checkpoint else None,
        state_dir=state,
        output_dir=Path(snakemake.output.model),
    )
    write_predictions(snakemake.output.predictions, trained.predictions)
    with atomic_path(snakemake.output.training) as path:
        trained.training_rows.to_csv(path, sep="\t", index=False)
    write_json(snakemake.output.summary, trained.summary)
    remove_state(state)
