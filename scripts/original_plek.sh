#!/usr/bin/env bash
# Run the installed PLEK, or say in its output's place that it is not there.
set -euo pipefail
exec > "${snakemake_log[0]}" 2>&1
command=${snakemake_params[command]} output=${snakemake_output[0]}

if ! command -v "$command"; then
    echo "not run: $command is not installed (conda env: envs/plek.yaml)" | tee "$output"
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# PLEK ends with status 1 also when all went well, so its output is all there is to go by.
"$command" -fasta "${snakemake_input[fasta]}" -out "$scratch/plek" -thread "${snakemake[threads]}" ||
    echo "PLEK ended with status $?"
if ! [ -s "$scratch/plek" ]; then
    echo "Error: $command wrote no output"
    exit 1
fi
mv "$scratch/plek" "$output"
