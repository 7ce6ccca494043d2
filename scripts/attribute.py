"""Explain one trained model on some sequences of its data set."""

from nucleotune.attribution.contributions import judge, summarise, write_contributions
from nucleotune.attribution.explain import explain
from nucleotune.attribution.selection import SPLITS, of_class_1, with_most_reads
from nucleotune.contracts import read_examples
from nucleotune.devices import granted
from nucleotune.files import write_json
from nucleotune.frames import write_tsv
from nucleotune.profile_contracts import read_profile_examples
from nucleotune.scripting import job

with job(snakemake.log[0]), granted(snakemake.resources.devices) as device:
    settings, seed = snakemake.params.settings, int(snakemake.wildcards.seed)
    examples, splits = snakemake.input.examples, SPLITS[settings["split"]]
    most = settings["max_sequences"]
    if snakemake.params.task == "profiles":
        chosen = with_most_reads(read_profile_examples(examples, splits=splits), most)
    else:
        chosen = of_class_1(read_examples(examples, splits=splits), most, seed=seed)
    explained = explain(
        snakemake.input.model,
        chosen,
        target=settings.get("target", "profile"),
        mutated=settings["mutagenesis"],
        seed=seed,
        device=device,
        threads=snakemake.threads,
    )
    write_contributions(snakemake.output.contributions, explained)
    judged = judge(explained)
    write_tsv(snakemake.output.agreement, judged)
    write_json(snakemake.output.summary, summarise(explained, judged, seed=seed))
