"""Sequences as such: alphabet, FASTA, k-mers, open reading frames. Knows nothing of studies or methods."""
