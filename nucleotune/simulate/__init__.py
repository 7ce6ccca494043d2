"""What the toys of the studies share: real formats, a genome to lay genes on, and paths in a mirror.

What is written is read by the same rules that read real downloads, so nothing of the readers is imported. `paths` is
standard library only, for the Snakefile. A study's own genes, and what is planted in them, stand in its `toy*.py`.
"""
