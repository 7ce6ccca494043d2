"""Batches: nothing lost, nothing twice, little padding."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nucleotune.sequence.kmers import encode_kmers
from nucleotune.training.batches import (
    MAX_PADDING,
    WINDOW_BATCHES,
    collate,
    epoch_batches,
    micro_batches,
)


def log_normal_lengths(n=1500, seed=0):
    return np.random.default_rng(seed).lognormal(6, 0.9, n).astype(np.int64).clip(10, 1536)


@pytest.mark.parametrize(("n", "batch_size"), [(1500, 64), (64, 64), (65, 64), (1, 64), (513, 1)])
def test_every_example_once(n, batch_size):
    batches = epoch_batches(log_normal_lengths(n), batch_size, seed=1, epoch=0)
    assert len(batches) == -(-n // batch_size)
    assert sorted(np.concatenate(batches)) == list(range(n))
    assert sorted(map(len, batches), reverse=True)[:-1] == [batch_size] * (len(batches) - 1)


def test_order_depends_on_seed_and_epoch_alone():
    lengths = log_normal_lengths()

    def order(seed, epoch):
        return np.concatenate(epoch_batches(lengths, 64, seed=seed, epoch=epoch)).tolist()

    first = order(1, 0)
    np.random.default_rng().random(5)
    assert order(1, 0) == first
    assert len({tuple(order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4


def test_batches_hold_like_lengths_in_no_order():
    lengths = log_normal_lengths()
    batches = epoch_batches(lengths, 32, seed=1, epoch=0)[:WINDOW_BATCHES]
    means = [lengths[batch].mean() for batch in batches]
    assert np.mean([np.ptp(lengths[batch]) for batch in batches]) < np.ptp(lengths) / 2
    assert means != sorted(means) and means != sorted(means, reverse=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("max_tokens", [1536, 4096, 65536])
def test_micro_batches_keep_their_bounds_on_any_batch(seed, max_tokens):
    """Also on batches drawn at random, the worst case for padding."""
    lengths = log_normal_lengths(seed=seed)
    indices = np.random.default_rng(seed).choice(len(lengths), 64, replace=False)
    parts = list(micro_batches(indices, lengths, max_tokens))
    assert sorted(np.concatenate(parts)) == sorted(indices)
    for part in parts:
        rectangle = len(part) * lengths[part].max()
        assert rectangle <= max_tokens
        assert 1 - lengths[part].sum() / rectangle <= MAX_PADDING


def test_micro_batches_are_as_large_as_they_may_be():
    lengths = np.array([100, 100, 90, 85, 80, 50])
    parts = [part.tolist() for part in micro_batches(np.arange(6), lengths, 10_000)]
    assert parts == [[0, 1, 2, 3, 4], [5]]  # 455 of 500; 505 of 600 would be 16 % padding
    assert [part.tolist() for part in micro_batches(np.arange(6), lengths, 200)] == [
        [0, 1],
        [2, 3],
        [4],
        [5],
    ]


def test_longer_than_allowed_stands_alone():
    parts = list(micro_batches(np.arange(3), np.array([50, 20, 20]), 40))
    assert [part.tolist() for part in parts] == [[0], [1, 2]]


def test_collate():
    tokenized = encode_kmers(["a", "b", "c"], ["ACGTAC", "ACG", "GGGGGG"], k=3)
    cpu = torch.device("cpu")
    for pad_id in (0, 1, 3):
        ids, mask = collate(replace(tokenized, pad_id=pad_id), np.array([1, 0]), cpu)
        assert ids.tolist() == [[2, 16, 3, *[pad_id] * 3], [2, 16, 50, 57, 23, 3]]
        assert mask.tolist() == [[1, 1, 1, 0, 0, 0], [1] * 6]
    ids, mask = collate(tokenized, np.array([2, 0]), cpu)
    assert mask is None and ids.tolist()[0] == [2, 68, 68, 68, 68, 3]
