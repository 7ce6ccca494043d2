"""Figure 8: contributions along a few sequences that a rule has chosen, and the order of the elements in all."""

from nucleotune.attribution.contributions import read_contributions
from nucleotune.frames import read_tsv
from nucleotune.reporting.attribution import Places, elements_figure
from nucleotune.reporting.motifs import run_titles, tracks, typical
from nucleotune.scripting import job

with job(snakemake.log[0]):
    files, chosen, rows, places = snakemake.input, {}, [], []
    runs = run_titles("polya", files.contributions, snakemake.params.described)
    for run, *paths in zip(
        runs,
        files.contributions,
        files.agreement,
        files.seqlets,
        files.words,
        files.order,
        strict=True,
    ):
        explained = read_contributions(paths[0])
        agreement, seqlets, words, order = (read_tsv(path) for path in paths[1:])
        # All models of a data set are shown on the same sequences.
        if run[0] not in chosen:
            chosen[run[0]] = typical(agreement, explained)
        rows += tracks(run, explained, seqlets, chosen[run[0]])
        places.append(Places(", ".join(run), seqlets, words, order))
    elements_figure(rows, places, snakemake.params.length, snakemake.output.svg)
