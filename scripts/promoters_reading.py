"""What models read of the sequences of each data set, and which genes Tasks 3 and 4 share."""

from nucleotune.contracts import read_examples
from nucleotune.files import write_json
from nucleotune.scripting import job
from nucleotune.studies.promoters.genes import in_task3
from nucleotune.studies.promoters.truncation import read_by

with job(snakemake.log[0]):
    params = snakemake.params
    paths = dict(zip(params.datasets, snakemake.input.examples, strict=True))
    facts = {}
    for name, path in paths.items():
        sequences = read_examples(path, columns=["sequence"])["sequence"]
        facts[name] = {
            "truncation": {
                method: read_by(
                    sequences,
                    params.models[params.limits[method]["model"]],
                    params.limits[method],
                    params.checkpoints.get(params.limits[method]["model"]),
                    params.downstream,
                )
                for method in params.methods[name]
            }
        }
        if name in params.task3:
            genes = read_examples(path, columns=["id", "gene_biotype"])
            other = read_examples(paths[params.task3[name]], columns=["id"])
            facts[name] |= in_task3(genes, other["id"])
    write_json(snakemake.output[0], facts)
