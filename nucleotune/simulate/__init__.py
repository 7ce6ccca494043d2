"""The toy species: genes of known structure in the hosts' own formats, names and layout.

What is written here is read by the same rules that read real downloads, so nothing of the readers
is imported. `paths` is standard library only, for the Snakefile; `composition`, `loci` and `genes`
make sequences and places; each host has its writer.
"""
