"""Look for relatives of a data set's test rows in all that methods may have learnt from."""

from nucleotune.contracts import read_examples, write_relatives
from nucleotune.files import write_json
from nucleotune.scripting import job
from nucleotune.studies.related import nearest, related_shares

with job(snakemake.log[0]):
    both_strands = snakemake.params.both_strands
    columns = ["id", "sequence", "split"]
    pool = snakemake.input.get("pool")
    pretraining = read_examples(pool, columns, splits=["pretrain"])["sequence"] if pool else ()
    found, reason = nearest(
        read_examples(snakemake.input.examples, columns),
        pretraining,
        further=snakemake.params.further,
        both_strands=both_strands,
        threads=snakemake.threads,
    )
    write_relatives(snakemake.output.relatives, found, reason)
    shares = related_shares(found, reason, both_strands=both_strands)
    write_json(snakemake.output.shares, shares)
