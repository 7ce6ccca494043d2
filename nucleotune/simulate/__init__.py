"""The toy species: genes with known structure, written in the hosts' own formats, file names and directory layout.

What is written here is read by the same rules that read real downloads, so nothing of the readers is imported.
`paths` is standard library only, for the Snakefile; `composition` and `genes` make sequences; each host has its writer.
"""
