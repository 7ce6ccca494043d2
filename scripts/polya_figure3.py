"""Figure 3: observed and predicted profiles of test genes that a rule has chosen."""

import itertools

from nucleotune.profile_contracts import read_profile_examples, read_profile_predictions
from nucleotune.reporting.figures import method_styles
from nucleotune.scripting import job
from nucleotune.studies.polya.figures import profiles_figure, typical_genes

with job(snakemake.log[0]):
    datasets, methods = snakemake.params.datasets, snakemake.params.methods
    lines = [method["title"] for method in methods if method["kind"] == "reference"]
    runs = itertools.product(datasets, methods)
    paths = {
        (dataset["name"], method["title"]): path
        for (dataset, method), path in zip(runs, snakemake.input.predictions, strict=True)
    }
    genes, tracks = {}, {}
    for dataset, path in zip(datasets, snakemake.input.examples, strict=True):
        examples = read_profile_examples(path, splits=["test"])
        predictions = {
            method["title"]: read_profile_predictions(
                paths[dataset["name"], method["title"]], splits=["test"]
            )
            for method in methods
        }
        tracks[dataset["title"]] = examples.tracks
        genes[dataset["title"]] = typical_genes(examples, predictions, lines)
    styles = method_styles([method["title"] for method in methods], reference=lines)
    profiles_figure(genes, tracks, snakemake.output.svg, styles=styles)
