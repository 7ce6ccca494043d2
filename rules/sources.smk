"""Fetching external files: the only rule that uses the network (runs on the login node, as a local rule).

REQUIRED INPUTS: resources/sources.tsv; with `offline: true` the directories named in `mirrors`
OUTPUTS: resources/downloads/<host>/<path> and <path>.meta.json, laid out as `wget -x` does
"""

from nucleotune.plan import DOWNLOADS


localrules:
    download,
    fetch,


rule fetch:
    input:
        list(RUN.downloads),


rule download:
    input:
        lambda wildcards: RUN.simulated.get(f"{DOWNLOADS}/{wildcards.path}", []),
    output:
        file=f"{DOWNLOADS}/{{path}}",
        meta=f"{DOWNLOADS}/{{path}}.meta.json",
    log:
        "logs/download/{path}.log",
    wildcard_constraints:
        path=r".+(?<!\.meta\.json)",
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=lambda wildcards, attempt: 240 * attempt,
        download=1,
    params:
        source=lambda wildcards: vars(RUN.sources[f"{DOWNLOADS}/{wildcards.path}"]),
        mirrors=RUN.config["mirrors"],
        offline=RUN.config["offline"],
    message:
        "Fetching {wildcards.path}"
    script:
        "../scripts/download.py"
