"""Fold the sequences of one RBP, each once, for the methods and analyses that read structures."""

from nucleotune.contracts import read_examples
from nucleotune.frames import read_parquet
from nucleotune.scripting import job
from nucleotune.sequence.mea import fold_all, write_structures
from nucleotune.studies.rbp.build import analysis_rows, to_shape

with job(snakemake.log[0]) as log:
    params = snakemake.params
    examples = read_examples(snakemake.input.examples)
    rest = read_parquet(snakemake.input.rest)
    analysed = analysis_rows(examples, rest, params.max_sequences, params.seed)["sequence"].tolist()
    structures = fold_all(
        to_shape(examples, params.for_methods, snakemake.input.examples),
        analysed if params.for_analysis else [],
        threads=snakemake.threads,
        engine=params.engine,
        program=params.program,
    )
    log.info("%d sequences, %s", len(structures.table), structures.engine)
    write_structures(snakemake.output[0], structures)
