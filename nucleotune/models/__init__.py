"""Nucleotide language models: what a model is, its tokens, how it is built, saved and loaded.

Knows nothing of examples, studies or training.
"""
