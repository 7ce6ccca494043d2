#!/usr/bin/env bash
# Run the installed CPC2, or say in its output's place that it is not there.
set -euo pipefail
exec > "${snakemake_log[0]}" 2>&1
command=${snakemake_params[command]} output=${snakemake_output[0]}

if ! command -v "$command"; then
    echo "not run: $command is not installed (conda env: envs/cpc2.yaml)" | tee "$output"
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# CPC2 adds .txt to the name that it is given, and leaves other files beside it.
"$command" -i "${snakemake_input[fasta]}" -o "$scratch/cpc2"
mv "$scratch/cpc2.txt" "$output"
