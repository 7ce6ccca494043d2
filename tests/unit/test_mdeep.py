"""lncRNA_Mdeep: features against the authors' tool, the network against its Keras summary and a padded convolution."""

import itertools
import math
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from nucleotune.baselines.mdeep import fit
from nucleotune.baselines.mdeep_features import (
    Inputs,
    kmer_features,
    learn_hexamer_ratios,
    longest_orf_sequences,
    make_inputs,
    orf_features,
)
from nucleotune.baselines.mdeep_network import ConvolutionBranch, Mdeep, fit_network
from nucleotune.schemas import read_schema, validate
from nucleotune.sequence import hexamers
from nucleotune.sequence.fickett import TESTCODE, fickett_scores
from nucleotune.yaml_files import read_yaml

WORDS = ["".join(reversed(letters)) for letters in itertools.product("ACGT", repeat=6)]


def transcripts(n: int, seed: int, low: int = 1, high: int = 900) -> list[str]:
    """Random letters, poly(A) and Ns among them."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        letters = rng.choice(list("ACGTN"), rng.integers(low, high), p=[0.3, 0.2, 0.2, 0.29, 0.01])
        made.append("".join(letters) + "A" * int(rng.integers(0, 30)))
    return made


def golden_noise(number: int, length: int, gc: float) -> str:
    """Records g00 to g19 of the sequences that the tool was run on."""
    weights = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    return "".join(random.Random(1000 + number).choices("ACGT", weights, k=length))


# Sequence; the tool's ORF length, coverage and Fickett score; its number of 6-mers found and sum of their features.
GOLDEN = [
    (golden_noise(0, 220, 0.30), 72, 0.32727272727272727, 0.6994, 67, 0.9710144927536232),
    (golden_noise(2, 450, 0.45), 81, 0.18, 1.0311, 76, 0.9743589743589743),
    (golden_noise(5, 1500, 0.30), 159, 0.106, 0.5144, 148, 0.9679487179487178),
    (golden_noise(8, 4800, 0.50), 387, 0.080625, 0.7107, 362, 0.9947916666666665),
    (golden_noise(9, 800, 0.60), 426, 0.5325, 0.7734, 394, 0.9952718676122931),
    (golden_noise(19, 800, 0.60), 297, 0.37125, 0.6321, 277, 0.9897959183673469),
    ("CATG", 3, 0.75, 0.3299, 0, 0.0),  # the ORF is that of the tool's record g50; coverage is ours
    ("ACGACG", 0, 0.0, 0.0, 0, 0.0),
]


def test_features_equal_the_tool():
    sequences = [row[0] for row in GOLDEN]
    orfs = longest_orf_sequences(sequences)
    lengths = np.array([len(sequence) for sequence in sequences])
    table = orf_features(orfs, lengths, np.zeros(4096))
    np.testing.assert_allclose(table[:, :3], [row[1:4] for row in GOLDEN], rtol=1e-12, atol=0)
    kmers = kmer_features(orfs)
    assert [(row > 0).sum() for row in kmers] == [row[4] for row in GOLDEN]
    np.testing.assert_allclose(kmers.sum(axis=1), [row[5] for row in GOLDEN], rtol=1e-12, atol=0)


@pytest.mark.parametrize(("share", "entry"), [(22, 0.67), (20, 0.65), (18, 0.65), (10, 0.81)])
def test_fickett_content_lacks_the_threshold_of_19_percent(share, entry):
    sequence = "A" * share + "C" * (55 - share) + "G" * 30 + "T" * 15
    content = 0.11 * entry + 0.12 * 0.82 + 0.15 * 0.47 + 0.14 * 0.51
    position = 0.0
    for base, weight, row in zip("ACGT", TESTCODE.position_weights, TESTCODE.position, strict=True):
        counts = [sequence[phase::3].count(base) for phase in range(3)]
        value = max(counts) / (min(counts) + 1)
        at = next(i for i, t in enumerate(TESTCODE.position_thresholds) if value >= t)
        position += weight * row[at]
    assert fickett_scores([sequence], TESTCODE)[0] == pytest.approx(content + position, abs=1e-12)


def test_words_are_counted_as_str_count_does():
    sequences = [*transcripts(15, seed=1), "A" * 29, "ATATATATATATATAT" * 3, "ACGTA", "N"]
    expected = [[sequence.count(word) for word in WORDS] for sequence in sequences]
    assert hexamers.count_apart(sequences).tolist() == expected


@pytest.mark.parametrize("step", [1, 3])
def test_words_at_steps_equal_reference(step):
    sequences = transcripts(10, seed=2)
    expected = dict.fromkeys(WORDS, 0)
    for sequence in sequences:
        for i in range(0, len(sequence) - 5, step):
            if "N" not in sequence[i : i + 6]:
                expected[sequence[i : i + 6]] += 1
    assert hexamers.count_words(sequences, step).tolist() == list(expected.values())


def test_log_ratios():
    a, c, g, t = (base * 6 for base in "ACGT")
    # Coding: AAAAAA three times, CCCCCC once, in frame; noncoding: A once, G three times.
    ratios = hexamers.log_ratios([a, a, a, c + "NNN"], [a, g + "GG"])
    at = {word: ratios[WORDS.index(word)] for word in (a, c, g, t)}
    # CCCNNN and the like have no number; the coding words are 4, the noncoding 1 + 3.
    assert at[a] == pytest.approx(math.log((3 / 4) / (1 / 4)))
    assert (at[c], at[g]) == (1.0, -1.0)
    assert math.isnan(at[t])
    # In frame: AAAAAA, then AAAGGG, which neither has, then GGGGGG.
    scores = hexamers.mean_log_ratios([a + g, "AAAAA", "", t, "N" * 9], ratios)
    np.testing.assert_allclose(scores, [(at[a] - 1) / 2, 0, 0, -1, -1])


def test_hexamer_table_is_learnt_from_orfs_of_mrna_and_whole_lncrna():
    mrna, lncrna = "CCC" + "ATGGCCGCCTAA" + "CC", "GGGGGGGATGAAA"
    ratios = learn_hexamer_ratios([lncrna, mrna], np.array([1, 0]))
    positive = {word for word, ratio in zip(WORDS, ratios, strict=True) if ratio == 1}
    negative = {word for word, ratio in zip(WORDS, ratios, strict=True) if ratio == -1}
    assert positive == {"ATGGCC", "GCCGCC", "GCCTAA"}
    assert negative == {lncrna[i : i + 6] for i in range(len(lncrna) - 5)}


def test_inputs_hold_the_first_letters():
    inputs = make_inputs(["ACGTNACGTN", "GG"], np.zeros(4096), max_length=7)
    assert [letters.tolist() for letters in inputs.letters] == [[0, 1, 2, 3, 4, 0, 1], [2, 2]]
    assert (inputs.orf.dtype, inputs.kmers.dtype) == (np.float32, np.float32)
    assert inputs.kmers.shape == (2, 4096)


def numbers(module: torch.nn.Module) -> int:
    running = sum(b.numel() for name, b in module.named_buffers() if "running_" in name)
    return sum(parameter.numel() for parameter in module.parameters()) + running


def test_network_has_the_numbers_of_the_keras_model():
    network = Mdeep(3000)
    assert network.sizes() == {"total": 588_441, "trainable": 588_065}
    layers = [numbers(layer) for layer in network.kmers.layers]
    assert layers == [524_416, 0, 0, 8_256, 0, 0, 2_080, 0]
    assert [numbers(layer) for layer in network.orf.layers] == [20, 0, 16, 20, 0, 16]
    assert numbers(network.convolution.convolution) == 51_264
    assert numbers(network.convolution.norm) == 256
    assert [numbers(layer) for layer in network.fusion] == [400, 0, 1_616, 0, 64, 0, 17]


def test_initial_values_are_those_of_keras():
    network = Mdeep(3000)
    # Glorot: sqrt(6 / (inputs + outputs)); Keras counts a 4 x 200 kernel's 64 channels as 51,200 outputs.
    for layer, fan in (
        (network.kmers.layers[0], 4_096 + 128),
        (network.convolution.convolution, 800 + 51_200),
        (network.fusion[2], 100 + 16),
    ):
        limit = math.sqrt(6 / fan)
        assert 0.95 * limit < layer.weight.abs().max() <= limit
        assert not layer.bias.any()


class Padded(torch.nn.Module):
    """The convolution as the paper has it: one-hot letters padded with zeros, every window computed."""

    def __init__(self, branch: ConvolutionBranch, max_length: int) -> None:
        super().__init__()
        self.max_length = max_length
        self.convolution = torch.nn.Conv2d(1, 64, (4, 200))
        self.norm = torch.nn.BatchNorm1d(64, eps=1e-6, momentum=0.1)
        self.load_state_dict(branch.state_dict())

    def forward(self, batch: Inputs) -> torch.Tensor:
        one_hot = torch.zeros(len(batch.letters), 1, 4, self.max_length)
        for row, letters in zip(one_hot, batch.letters, strict=True):
            for position, code in enumerate(letters):
                if code < 4:
                    row[0, code, position] = 1
        return torch.relu(self.norm(self.convolution(one_hot)[:, :, 0])).amax(dim=2)


@pytest.fixture
def branches() -> tuple[ConvolutionBranch, Padded]:
    torch.manual_seed(3)
    branch = ConvolutionBranch(max_length=500)
    # Negative slopes, shifts and biases that let the padding win some maxima and lose others.
    for tensor in (branch.norm.weight, branch.norm.bias, branch.convolution.bias):
        torch.nn.init.normal_(tensor)
    return branch, Padded(branch, 500)


def batch_of(sequences: list[str]) -> Inputs:
    return make_inputs(sequences, np.zeros(4096), max_length=500)


# Shorter than the kernel, between, as long as the input, longer; nothing but N; one base.
LENGTHS_THAT_MATTER = [
    *("A", "N" * 300, "ACGT" * 40, "GATTACA" * 43, "CAGT" * 75 + "C"),
    *(("CCGATA" * 100)[:n] for n in (301, 302, 499, 500, 501)),
]


def test_convolution_without_padding_equals_padded(branches):
    branch, padded = branches
    first = batch_of([*LENGTHS_THAT_MATTER, *transcripts(30, seed=4)])
    direction = torch.randn(len(first.letters), 64)
    for module in branches:
        (module(first) * direction).sum().backward()
    for name, parameter in branch.named_parameters():
        if name == "convolution.bias":
            assert parameter.grad is None, "batch norm removes it in training"
            assert dict(padded.named_parameters())[name].grad.abs().max() < 1e-2
            continue
        expected = dict(padded.named_parameters())[name].grad
        scale = expected.abs().max()
        torch.testing.assert_close(parameter.grad / scale, expected / scale, rtol=0, atol=1e-4)
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(getattr(branch.norm, name), getattr(padded.norm, name))

    for module in branches:
        module.eval()
    second = batch_of([*transcripts(20, seed=5), *LENGTHS_THAT_MATTER])
    torch.testing.assert_close(branch(second), padded(second), rtol=1e-4, atol=1e-5)
    assert len(torch.unique(branch(second), dim=0)) > 20


@pytest.fixture
def one_thread():
    """Small matrices: on a busy machine, more threads spend their time waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def options(**changes) -> dict:
    stage = {"epochs": 1, "batch_size": 32}
    stages = dict.fromkeys(("orf", "kmers", "convolution", "fusion"), stage)
    return {"max_length": 300, **stages, **changes}


def motif_set(n: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Random letters without ATG, so without an ORF; label 1 holds a motif somewhere."""
    rng = np.random.default_rng(seed)
    sequences, labels = [], np.arange(n) % 2
    for label in labels:
        letters = rng.choice(list("ACGT"), rng.integers(150, 300))
        if label:
            at = rng.integers(0, 100)
            letters[at : at + 45] = list("TTGACATAGGCCTTAACCGGCACAC" + "TTTGTCCGATTGGAACCTCA")
        sequences.append("".join(letters).replace("ATG", "ACG"))
    return sequences, labels


@pytest.mark.usefixtures("one_thread")
def test_learns_a_motif_that_only_the_convolution_sees(training_seed):
    sequences, labels = motif_set(240, seed=6)
    stage = {"epochs": 12, "batch_size": 16}
    settings = options(convolution=stage, fusion={"epochs": 8, "batch_size": 16})
    score, info = fit(sequences[:160], labels[:160], settings, training_seed)
    probabilities = score(sequences[160:])
    assert ((probabilities > 0.5) == labels[160:]).mean() > 0.9
    assert info["losses"]["convolution"] < 0.4
    assert probabilities.min() >= 0 and probabilities.max() <= 1
    alone = np.concatenate([score(sequences[160:170]), score(sequences[170:])])
    np.testing.assert_allclose(alone, probabilities, atol=1e-5)


@pytest.mark.usefixtures("one_thread")
def test_every_stage_trains_its_branch_and_fusion_trains_all():
    sequences, labels = transcripts(64, seed=7), np.arange(64) % 2
    inputs = make_inputs(sequences, learn_hexamer_ratios(sequences, labels), 300)
    network, info = fit_network(inputs, labels, options(), seed=2)
    torch.manual_seed(2)
    untrained = dict(Mdeep(300).named_parameters())
    for name, parameter in network.named_parameters():
        moved = not torch.equal(parameter.cpu(), untrained[name])
        assert moved == (name != "convolution.convolution.bias"), name
    assert set(info["losses"]) == {"orf", "kmers", "convolution", "fusion"}


@pytest.mark.usefixtures("one_thread")
def test_seed_decides():
    sequences, labels = transcripts(64, seed=8), np.arange(64) % 2
    scores = [fit(sequences, labels, options(), seed)[0](sequences) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.allclose(scores[0], scores[2])


def test_defaults_are_the_papers():
    path = "config/methods/mdeep.yaml"
    method = validate(read_yaml(path), read_schema("baseline"), path)
    stage = {"epochs": 10, "batch_size": 128}
    assert method["mdeep"] == {
        "max_length": 3000,
        "orf": stage,
        "kmers": stage,
        "convolution": {"epochs": 20, "batch_size": 64},
        "fusion": stage,
    }


def test_other_baselines_do_not_import_torch():
    code = "import sys, nucleotune.baselines; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
