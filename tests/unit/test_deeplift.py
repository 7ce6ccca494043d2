"""DeepLIFT: networks whose contributions are known, and sums that add up."""

import numpy as np
import pytest
import torch
from torch import nn

from nucleotune.attribution.deeplift import deeplift, shuffled_references
from nucleotune.attribution.onehot import at_bases, base_codes, on_bases, one_hot
from nucleotune.attribution.targets import (
    count_target,
    number_of,
    output_target,
    output_weights,
    profile_target,
)
from nucleotune.errors import InputError
from nucleotune.models.heads import BPNet, ConvHead
from nucleotune.sequence.alphabet import BASES


def random_sequences(n, length, seed=0):
    letters = np.random.default_rng(seed).choice(list(BASES), size=(n, length))
    return ["".join(row) for row in letters]


class Linear(nn.Module):
    """Profile logits and one log count, both linear in the sequence."""

    def __init__(self, length):
        super().__init__()
        self.profile = nn.Linear(4 * length, 2 * length)
        self.counts = nn.Linear(4 * length, 2)

    def forward(self, signal):
        flat = signal.flatten(1)
        return self.profile(flat).view(len(signal), 2, -1), self.counts(flat)


def test_one_hot():
    codes = base_codes(["ACGT", "NTTA"])
    assert codes.tolist() == [[0, 1, 2, 3], [4, 3, 3, 0]]
    encoded = one_hot(["ACGT", "NTTA"])
    assert encoded[0].tolist() == np.eye(4).tolist()
    assert encoded[1].sum(axis=0).tolist() == [0, 1, 1, 1]
    with pytest.raises(InputError, match="sequence 1 .* has 3 nt"):
        one_hot(["ACGT", "ACG"])
    with pytest.raises(InputError, match="no sequence"):
        one_hot([])


def test_values_of_the_bases_that_are_there():
    x, values = one_hot(["CAT"]), np.array([[1.0, 2.0, 3.0]])
    expected = [[0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 3]]
    assert on_bases(values, x)[0].tolist() == expected
    assert at_bases(on_bases(values, x) + 5 * (1 - x.transpose(0, 2, 1)), x).tolist() == [[1, 2, 3]]


def test_linear_network():
    """Of a linear network a base's contribution is its weight less the mean weight of the references' bases."""
    torch.manual_seed(0)
    sequences = random_sequences(3, 12)
    x, references = one_hot(sequences), shuffled_references(sequences, count=5, seed=1)
    network = Linear(12).eval()
    found = deeplift(network, x, references, count_target(track=1))
    weights = network.counts.weight[1].detach().numpy().reshape(4, 12)
    for i in range(3):
        for position in range(12):
            mean = np.mean([weights[:, position] @ r[:, position] for r in references[i]])
            expected = weights[:, position] - mean
            assert found.hypothetical[i, position] == pytest.approx(expected, abs=1e-5)
            base = BASES.index(sequences[i][position])
            assert found.actual[i, position] == pytest.approx(expected[base], abs=1e-5)
    assert abs(found.delta).max() < 1e-5


def test_rescale_rule():
    """relu(2 - (number of A)) at three A, against references with one: the plain gradient would be 0."""

    class Saturated(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.relu = nn.Parameter(torch.ones(())), nn.ReLU()

        def forward(self, signal):
            number = signal[:, 0].sum(dim=1, keepdim=True) * self.scale
            return None, self.relu(2 - number)

    x, references = one_hot(["AAAC"]), one_hot(["ACCC", "CCCA"])[None]
    found = deeplift(Saturated(), x, references, count_target())
    # From 1 to 3 A the output falls by 1: half for each A more. Each reference has one A, at either end.
    assert found.values == pytest.approx([-1.0])
    assert found.actual[0] == pytest.approx([-0.25, -0.5, -0.5, 0.25])
    assert found.delta == pytest.approx([0.0], abs=1e-6)


@pytest.mark.parametrize("target", [profile_target(), profile_target(0), count_target()])
def test_completeness_of_bpnet(target):
    torch.manual_seed(1)
    sequences = random_sequences(5, 60)
    x, references = one_hot(sequences), shuffled_references(sequences, count=4, seed=0)
    network = BPNet(filters=8, layers=3).eval()
    found = deeplift(network, x, references, target)
    assert found.hypothetical.shape == (5, 60, 4) and found.actual.shape == (5, 60)
    with torch.no_grad():
        outputs = network(torch.from_numpy(x))
        weights = target.weights(outputs)
        at_reference = [
            target.value(network(torch.from_numpy(references[:, j])), weights) for j in range(4)
        ]
        expected = target.value(outputs, weights) - torch.stack(at_reference).mean(dim=0)
    assert found.values == pytest.approx(expected.numpy(), abs=1e-5)
    assert abs(found.values).min() > 1e-4
    assert abs(found.delta).max() < 1e-5


def test_functional_activations_are_seen_in_delta():
    """captum does not know torch.relu: contributions do not add up, and delta says so."""

    class Functional(BPNet):
        def forward(self, signal):
            x = torch.relu(self.first(signal))
            for layer in self.dilated:
                x = x + torch.relu(layer(x))
            return self.profile(x), self.counts(x.mean(dim=2))

    torch.manual_seed(1)
    sequences = random_sequences(3, 60)
    x, references = one_hot(sequences), shuffled_references(sequences, count=4, seed=0)
    network = Functional(filters=8, layers=3).eval()
    assert abs(deeplift(network, x, references, profile_target()).delta).min() > 1e-4


def test_shuffles_keep_dinucleotides():
    sequences = random_sequences(2, 50)
    references = shuffled_references(sequences, count=3, seed=0)
    assert references.shape == (2, 3, 4, 50)
    pairs = [
        np.einsum("ai,bi->ab", array[:, :-1], array[:, 1:])
        for array in (*one_hot(sequences), *references.reshape(6, 4, 50))
    ]
    for i in range(2):
        for j in range(3):
            assert (pairs[2 + 3 * i + j] == pairs[i]).all()
            assert (references[i, j] != one_hot(sequences)[i]).any()


def test_shuffles_are_of_each_sequence():
    references = shuffled_references(["AAAC", "GGGT"], count=2, seed=0)
    assert references[0, :, 2:].sum() == 0 and references[1, :, :2].sum() == 0


def test_profile_target():
    """The mean of logits weighted by probability less their plain mean; a number added to all changes nothing."""
    torch.manual_seed(0)
    logits, counts = torch.randn(2, 3, 7), torch.randn(2, 3)
    for shift in (0.0, 5.0):
        outputs = (logits + shift, counts)
        target = profile_target(2)
        value = target.value(outputs, target.weights(outputs))
        z = logits[:, 2]
        expected = (z.softmax(-1) * z).sum(-1) - z.mean(-1)
        assert torch.allclose(value, expected, atol=1e-5)
    target = profile_target()
    each = [profile_target(i) for i in range(3)]
    values = [t.value(outputs, t.weights(outputs)) for t in each]
    assert torch.allclose(
        target.value(outputs, target.weights(outputs)), torch.stack(values).mean(0), atol=1e-5
    )


def test_other_targets():
    logits, counts = torch.zeros(2, 3, 7), torch.tensor([[1.0, 2.0, 6.0], [0.0, 3.0, 0.0]])
    for target, expected in ((count_target(1), [2.0, 3.0]), (count_target(), [3.0, 1.0])):
        value = target.value((logits, counts), target.weights((logits, counts)))
        assert value.tolist() == pytest.approx(expected)

    class Output:
        logits = torch.tensor([[1.0, 3.0], [2.0, -1.0]])

    target = output_target(output_weights("classes", 2, 1))
    assert target.value(Output, target.weights(Output)).tolist() == [2.0, -3.0]


def test_targets_of_every_kind():
    """A class above the mean of the others, which adds nothing up to a constant; a label; a number in its unit."""
    assert output_weights("classes", 2, 1) == [-1, 1]
    assert output_weights("classes", 4, 2) == pytest.approx([-1 / 3, -1 / 3, 1, -1 / 3])
    assert output_weights("labels", 3, 1) == [0, 1, 0]
    assert output_weights("numbers", 2, 1, [5.0, 0.1]) == [0, 0.1]
    assert output_weights("numbers", 2, 1) == [0, 1]


def test_targets_by_name():
    assert number_of("m", "classes", ["a", "b"], None) == 1
    assert number_of("m", "numbers", ["a"], None) == 0
    assert number_of("m", "labels", ["a", "b", "c"], "b") == 1
    for names, target, found in (
        (["a", "b", "c"], None, "no target is named"),
        (["a", "b"], "c", "none of them is 'c'"),
    ):
        with pytest.raises(
            InputError, match=f"m: the model predicts classes, and {found}; .* a, b"
        ):
            number_of("m", "classes", names, target)


def test_activations_have_no_parameters():
    """Names in saved models are those of the layers alone."""
    names = {name.split(".")[0] for name in BPNet(filters=4, layers=2).state_dict()}
    assert names == {"first", "dilated", "profile", "counts"}
    assert sum(isinstance(module, nn.ReLU) for module in ConvHead(8).modules()) == 3
