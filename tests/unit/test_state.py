"""The state of an unfinished training, when disks fail."""

import os
import random

import pytest
import torch

from nucleotune.training.state import STATE, load_state, save_state

CONTENT = {"step": 3, "weights": {"a": torch.arange(500.0)}, "rows": [{"loss": 0.5}]}


def test_no_damage_is_trained_on_and_none_stops_a_training(tmp_path):
    """Whatever bit flips and wherever the file is cut: nothing is raised, and what is loaded is what was saved."""
    save_state(tmp_path, "d", CONTENT)
    whole = (tmp_path / STATE).read_bytes()
    chance = random.Random(1)
    refused = 0
    for i in range(400):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        if i % 4 == 0:
            damaged = damaged[: chance.randrange(len(whole))]
        (tmp_path / STATE).write_bytes(damaged)
        found = load_state(tmp_path, "d")
        if found is None:
            refused += 1
            continue
        weights = found.pop("weights")
        assert torch.equal(weights["a"], CONTENT["weights"]["a"])
        assert found == {"digest": "d", "step": 3, "rows": [{"loss": 0.5}]}
    assert refused > 300, "most of the file is content"


@pytest.mark.parametrize("content", [b"", b"half", [1, 2], {"digest": "d"}, {"step": 3}])
def test_damaged_state_is_put_aside_and_named(tmp_path, caplog, content):
    if isinstance(content, bytes):
        (tmp_path / STATE).write_bytes(content)
    else:
        torch.save(content, tmp_path / STATE)
    assert load_state(tmp_path, "d") is None
    assert f"{tmp_path / STATE} is damaged" in caplog.text and "starts anew" in caplog.text
    assert os.listdir(tmp_path) == [f"{STATE}.damaged"]
    save_state(tmp_path, "d", CONTENT)
    assert load_state(tmp_path, "d")["step"] == 3


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_full_disk_ends_no_training(tmp_path, caplog, size):
    save_state(tmp_path, "d", CONTENT)
    # Where the next state is written before it takes the place of the old one: on a device that is always full.
    (tmp_path / f".{STATE}.{os.getpid()}.tmp").symlink_to("/dev/full")
    save_state(tmp_path, "d", {"step": 4, "weights": {"a": torch.zeros(size)}})
    assert "cannot be saved" in caplog.text and "No space left on device" in caplog.text
    assert os.listdir(tmp_path) == [STATE] and load_state(tmp_path, "d")["step"] == 3
    save_state(tmp_path, "d", {"step": 4})
    assert load_state(tmp_path, "d")["step"] == 4
