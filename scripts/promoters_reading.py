"""What methods read of the sequences of each data set, and which genes Tasks 3 and 4 share."""

from nucleotune.contracts import read_examples
from nucleotune.files import write_json
from nucleotune.scripting import job
from nucleotune.studies.promoters.genes import in_task3
from nucleotune.studies.promoters.start_sites import tss_lost
from nucleotune.studies.reading import readings

with job(snakemake.log[0]):
    params = snakemake.params
    paths = dict(zip(params.datasets, snakemake.input.examples, strict=True))
    facts = {}
    for name, path in paths.items():
        sequences = read_examples(path, columns=["sequence"])["sequence"].tolist()
        methods = params.methods[name]
        reading = readings(sequences, methods, params.models, params.checkpoints)
        for method, one in methods.items():
            if model := one.get("model"):
                read = (one, params.models[model], params.checkpoints.get(model))
                reading[method]["tss_lost"] = tss_lost(sequences, *read, params.downstream)
        facts[name] = {"reading": reading}
        if name in params.task3:
            genes = read_examples(path, columns=["id", "gene_biotype"])
            other = read_examples(paths[params.task3[name]], columns=["id"])
            facts[name] |= in_task3(genes, other["id"])
    write_json(snakemake.output[0], facts)
