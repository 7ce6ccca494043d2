#!/usr/bin/env bash
set -euo pipefail
Rscript -e 'install.packages("LncFinder", repos = "https://cloud.r-project.org"); library(LncFinder)'
