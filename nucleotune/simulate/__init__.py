"""The toy species: genes of known structure in the hosts' own formats, names and layout.

What is written here is read by the same rules that read real downloads, so nothing of the readers
is imported. `paths` is standard library only, for the Snakefile. Four parts that share no genes:

- transcripts: `composition`, `loci` and `genes` make sequences and places, `ensembl` writes them;
- the promoter study: `promoters`, `genome` and `expression` make it, `promoter_study` writes it;
- the poly(A) study: `polya`, `yeast` and `tifs` make it, `polya_study` writes it;
- the RBP study, with a genome of its own: `rbp_genes`, `rbp_genome`, `rbp_sites` and
  `rbp_assembly` make it, `gencode`, `encode` and `rbp_study` write it.
"""
