"""Explain one trained model on some sequences of its data set."""

from nucleotune.attribution.contributions import judge, summarise, write_contributions
from nucleotune.attribution.explain import explain
from nucleotune.attribution.selection import SPLITS, with_most_reads, with_target
from nucleotune.contracts import read_examples
from nucleotune.devices import granted
from nucleotune.files import write_json
from nucleotune.frames import write_tsv
from nucleotune.profile_contracts import read_profile_examples
from nucleotune.scripting import job

with job(snakemake.log[0]), granted(snakemake.resources.devices) as device:
    settings, seed = snakemake.params.settings, int(snakemake.wildcards.seed)
    task, target = snakemake.params.task, snakemake.params.target
    examples, splits = snakemake.input.examples, SPLITS[settings["split"]]
    most = settings["max_sequences"]
    if task == "profiles":
        chosen = with_most_reads(read_profile_examples(examples, splits=splits), most)
    else:
        table, names = read_examples(examples, splits=splits), snakemake.params.names
        chosen = with_target(table, task, names, target, most, seed=seed)
        # Models of two classes may have been trained with those of other data sets, whose classes have other names.
        target = target if snakemake.wildcards.part else None
    explained = explain(
        snakemake.input.model,
        chosen,
        target=target,
        mutated=settings["mutagenesis"],
        seed=seed,
        device=device,
        threads=snakemake.threads,
    )
    write_contributions(snakemake.output.contributions, explained)
    judged = judge(explained)
    write_tsv(snakemake.output.agreement, judged)
    write_json(snakemake.output.summary, summarise(explained, judged, seed=seed))
