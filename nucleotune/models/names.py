"""Names of the files in a model directory, apart from what reads them: no torch here."""

#: What the model is, how it was trained and what its labels mean.
DESCRIPTION = "nucleotune.json"

WEIGHTS = "model.safetensors"

#: `kind` in the description of a baseline's model directory.
BASELINE = "baseline"
