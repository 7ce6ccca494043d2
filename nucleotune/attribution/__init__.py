"""Which nucleotides a model's output is due to, and the motifs that they make up."""
