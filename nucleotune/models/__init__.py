"""Nucleotide language models: what a model is (spec), its tokens (tokenizers), how it is built, saved and loaded (load).

Knows nothing of examples, studies or training.
"""
