#!/usr/bin/env bash
# Run the installed LncFinder, or say in its output's place that it is not there.
set -euo pipefail
exec > "${snakemake_log[0]}" 2>&1
command=${snakemake_params[command]} output=${snakemake_output[0]}

if ! "$command" -e 'q(status = !requireNamespace("LncFinder", quietly = TRUE))'; then
    echo "not run: the R package LncFinder is not installed (conda env: envs/lncfinder.yaml)" | tee "$output"
    exit 0
fi
"$command" "${snakemake_input[script]}" "${snakemake_input[fasta]}" "$output" "${snakemake_params[model]}" \
    "${snakemake[threads]}"
