"""HOCNNLB: encoding against the authors' program, the network against Keras' numbers and a plain convolution."""

import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest
import torch

from nucleotune.baselines import fit_predict
from nucleotune.baselines.equal_length import base_codes
from nucleotune.baselines.hocnnlb_features import word_codes
from nucleotune.baselines.hocnnlb_network import Hocnnlb, WordConvolution
from nucleotune.contracts import check_predictions
from nucleotune.errors import InputError
from nucleotune.schemas import read_schema, validate
from nucleotune.yaml_files import read_yaml

SHAPE = {"filters": 16, "kernel": 20, "pool": 3, "dense": 8}
OPTIONS = {**SHAPE, "epochs": 2, "batch_size": 32}

# A sequence and the words that the program saw in it; 256: all words alike, 1/256 each.
GOLDEN_SEQUENCE = (
    "CAGAGCAGACAACTAAGTGCTATCAACTAGGCGAAAGCCGCCTGAGGTGCNA"
    "CTACAGTGTCGGGCTTCGAGGTTCCGACAAATAACTACGTTTCCCTTAA"
)
GOLDEN_WORDS = [
    *[256] * 10,
    *(
        72,
        34,
        137,
        36,
        146,
        72,
        33,
        132,
        16,
        65,
        7,
        28,
        112,
        194,
        11,
        46,
        185,
        231,
        156,
        115,
        205,
        52,
        208,
        65,
        7,
        28,
    ),
    *(
        114,
        202,
        41,
        166,
        152,
        96,
        128,
        2,
        9,
        37,
        150,
        89,
        101,
        151,
        94,
        120,
        226,
        138,
        43,
        174,
        185,
    ),
    *(256, 256, 256, 256),
    *(
        28,
        113,
        196,
        18,
        75,
        46,
        187,
        237,
        182,
        218,
        106,
        169,
        167,
        159,
        125,
        246,
        216,
        98,
        138,
        43,
        175,
        189,
        245,
        214,
    ),
    *(
        88,
        97,
        132,
        16,
        64,
        3,
        12,
        48,
        193,
        7,
        28,
        113,
        198,
        27,
        111,
        191,
        253,
        245,
        213,
        87,
        95,
        124,
        240,
    ),
    *[256] * 10,
]


def test_words_equal_the_program():
    codes = base_codes([GOLDEN_SEQUENCE], 101, "x")
    assert word_codes(codes, margin=10).tolist() == [GOLDEN_WORDS]


def test_words_equal_reference():
    rng = np.random.default_rng(1)
    sequences = ["".join(rng.choice(list("ACGTN"), 30, p=[0.24] * 4 + [0.04])) for _ in range(40)]
    number = {"".join(word): i for i, word in enumerate(itertools.product("ACGT", repeat=4))}
    expected = [[number.get(s[i : i + 4], 256) for i in range(27)] for s in sequences]
    assert word_codes(base_codes(sequences, 30, "x"), margin=0).tolist() == expected


def numbers(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_network_has_the_numbers_of_the_keras_model():
    network = Hocnnlb(101, **SHAPE)
    assert numbers(network.words) == 81_936
    assert [numbers(layer) for layer in network.rest if numbers(layer)] == [2_576, 1_032, 18]
    assert numbers(network) == 85_562
    widths = [99]
    values = torch.zeros(2, 16, 99)
    for layer in network.rest:
        values = layer(values)
        if values.shape[-1] != widths[-1]:
            widths.append(values.shape[-1])
    assert widths == [99, 33, 24, 8, 128, 8, 2]


def test_initial_values_are_those_of_keras():
    torch.manual_seed(1)
    network = Hocnnlb(101, **SHAPE)
    dense, output = (layer for layer in network.rest if isinstance(layer, torch.nn.Linear))
    for layer, fans in (
        (network.words, 20 * 256 + 20 * 16),
        (network.rest[3], 10 * 16 + 10 * 16),
        (dense, 128 + 8),
        (output, 8 + 2),
    ):
        limit = math.sqrt(6 / fans)
        assert 0.8 * limit < layer.weight.abs().max() <= limit
        assert not layer.bias.any()


def test_convolution_of_words_equals_that_of_one_hot_rows():
    torch.manual_seed(2)
    fast = WordConvolution(filters=5, kernel=6)
    torch.nn.init.normal_(fast.bias)
    slow = torch.nn.Conv1d(256, 5, 6)
    with torch.no_grad():
        slow.weight.copy_(fast.weight.permute(2, 1, 0))
        slow.bias.copy_(fast.bias)
    codes = torch.randint(0, 257, (7, 40))
    codes[codes > 250] = 256
    table = torch.cat([torch.eye(256), torch.full((1, 256), 1 / 256)])
    direction = torch.randn(7, 5, 35)
    outputs = [fast(codes), slow(table[codes].transpose(1, 2))]
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-5)
    for output in outputs:
        (output * direction).sum().backward()
    torch.testing.assert_close(fast.weight.grad.permute(2, 1, 0), slow.weight.grad)
    torch.testing.assert_close(fast.bias.grad, slow.bias.grad)


@pytest.fixture
def one_thread():
    """Small matrices: on a busy machine, more threads spend their time waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_examples(length: int = 60) -> pd.DataFrame:
    """Label 1 holds a motif, at different places."""
    rng = np.random.default_rng(5)
    sequences = ["".join(rng.choice(list("ACGT"), length)) for _ in range(320)]
    for i in range(1, 320, 2):
        at = i % (length - 13)
        sequences[i] = sequences[i][:at] + "TGCATGTTGCATG" + sequences[i][at + 13 :]
    splits = ["train"] * 200 + ["valid"] * 60 + ["test"] * 60
    rows = {"id": [f"r{i}" for i in range(320)], "sequence": sequences, "split": splits}
    return pd.DataFrame({**rows, "label": np.arange(320) % 2, "group": rows["id"]})


def run(examples, seed=1, **changes):
    options = {**OPTIONS, **changes}
    return fit_predict("hocnnlb", examples, train_splits=["train"], options=options, seed=seed)


@pytest.mark.usefixtures("one_thread")
def test_learns_a_motif(training_seed):
    predictions, info = run(make_examples(), training_seed, epochs=20)
    check_predictions(predictions)
    assert (predictions["predicted"] == predictions["label"]).mean() > 0.9
    assert (predictions["predicted"] == (predictions["score"] > 0.5)).all()
    assert json.loads(json.dumps(info, allow_nan=False)) == info
    assert info["rows_used"] == 200
    assert info["losses"]["train"] < 0.4


@pytest.mark.usefixtures("one_thread")
def test_seed_decides():
    examples = make_examples()
    first, again, other = (run(examples, seed)[0]["score"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_lengths_must_be_equal():
    examples = make_examples()
    examples.loc[3, "sequence"] = "ACGT" * 9
    message = rf"hocnnlb takes .* one length, found 60 nt .*, 36 nt \(1 rows\); '{examples['id'][3]}' has 36 nt"
    with pytest.raises(InputError, match=message):
        run(examples)


@pytest.mark.parametrize("shape", [SHAPE, {**SHAPE, "kernel": 6, "pool": 2}])
def test_the_shortest_sequence_is_named(shape):
    shortest = {20: 38, 6: 10}[shape["kernel"]]
    network = Hocnnlb(shortest, **shape).eval()
    assert network(base_codes(["A" * shortest], shortest, "x")).shape == (1, 2)
    with pytest.raises(InputError, match=f"{shortest} nt and more, found {shortest - 1} nt"):
        Hocnnlb(shortest - 1, **shape)


def test_defaults_are_the_authors():
    path = "config/methods/hocnnlb.yaml"
    method = validate(read_yaml(path), read_schema("baseline"), path)
    assert method["hocnnlb"] == {**SHAPE, "epochs": 100, "batch_size": 512}
