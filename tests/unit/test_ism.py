"""In-silico mutagenesis against a loop over positions and bases; agreement of methods."""

import logging

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr

from nucleotune.attribution.agreement import agreement, mean_with_interval
from nucleotune.attribution.deeplift import deeplift
from nucleotune.attribution.ism import centred, mutagenesis, network_mutagenesis
from nucleotune.attribution.onehot import one_hot
from nucleotune.attribution.targets import count_target, profile_target
from nucleotune.errors import InputError
from nucleotune.models.heads import BPNet
from nucleotune.sequence.alphabet import BASES


def random_sequences(n, length, seed=0):
    letters = np.random.default_rng(seed).choice(list(BASES), size=(n, length))
    return ["".join(row) for row in letters]


def toy_score(sequence):
    return sequence.count("AAT") + 0.1 * sequence.count("G") - 0.5 * sequence.startswith("C")


def slow_effects(sequences, score):
    effects = np.zeros((len(sequences), len(sequences[0]), 4))
    for i, sequence in enumerate(sequences):
        for position in range(len(sequence)):
            for base, letter in enumerate(BASES):
                if sequence[position] in BASES:
                    mutant = sequence[:position] + letter + sequence[position + 1 :]
                    effects[i, position, base] = score(mutant, i) - score(sequence, i)
    return effects


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_mutagenesis_equals_a_loop(batch):
    sequences = [*random_sequences(3, 17), "AATNNAATCCGAATNAA"]
    sizes, seen = [], []

    def score(mutants, owners):
        assert len(mutants) == len(owners)
        sizes.append(len(mutants))
        seen.extend(mutants)
        return np.array(
            [toy_score(mutant) * (1 + i) for mutant, i in zip(mutants, owners, strict=True)]
        )

    effects = mutagenesis(sequences, score, batch=batch)
    expected = slow_effects(sequences, lambda sequence, i: toy_score(sequence) * (1 + i))
    assert effects == pytest.approx(expected, abs=1e-6)
    assert abs(effects).max() > 1 and max(sizes) <= batch
    # Originals once each, and every mutant once: 3 a nucleotide, none of N.
    assert len(seen) == 4 + 3 * (3 * 17 + 14)
    assert not set(seen[4:]) & set(sequences)


def test_lengths_differ():
    with pytest.raises(InputError, match="must have the same length"):
        mutagenesis(["ACG", "AC"], lambda mutants, owners: np.zeros(len(mutants)))


@pytest.mark.parametrize("target", [profile_target(), count_target(0)])
def test_network_path_equals_sequences(target):
    torch.manual_seed(0)
    network = BPNet(filters=6, layers=2, first_kernel=5, profile_kernel=7).eval()
    sequences = [*random_sequences(1, 12), "ACGTNNACGTAN"]
    x = one_hot(sequences)
    with torch.no_grad():
        weights = target.weights(network(torch.from_numpy(x)))

    @torch.no_grad()
    def score(sequence, i):
        outputs = network(torch.from_numpy(one_hot([sequence])))
        return float(target.value(outputs, weights[i : i + 1]))

    expected = slow_effects(sequences, score)
    for batch in (7, 100):
        effects = network_mutagenesis(network, x, target, batch=batch)
        assert effects == pytest.approx(expected, abs=1e-5)
    assert abs(expected).max() > 1e-3


def test_centred():
    effects = np.array([[[0.0, 1.0, 2.0, 5.0]]])
    assert centred(effects).tolist() == [[[-2.0, -1.0, 0.0, 3.0]]]


def test_agrees_with_deeplift_where_the_network_is_linear():
    torch.manual_seed(0)
    sequences = random_sequences(3, 30)
    x = one_hot(sequences)
    network = BPNet(filters=6, layers=2, first_kernel=5, profile_kernel=7).eval()
    network.activations = torch.nn.ModuleList(torch.nn.Identity() for _ in range(3))
    references = np.full((3, 1, 4, 30), 0.25, dtype=np.float32)
    linear = deeplift(network, x, references, count_target())
    found = centred(network_mutagenesis(network, x, count_target()))
    assert found == pytest.approx(linear.hypothetical, abs=1e-5)


def test_progress_is_logged(caplog):
    with caplog.at_level(logging.INFO):
        mutagenesis(["ACGT"], lambda mutants, owners: np.zeros(len(mutants)))
    assert "substitutions: 12 of 12 mutants" in caplog.text


def test_agreement():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(4, 25)), generator.integers(0, 4, size=(4, 25)).astype(float)
    b[2] = 1.0
    a[1, :5] = np.nan
    table = agreement(a, b)
    for i in (0, 1, 3):
        seen = slice(5, None) if i == 1 else slice(None)
        assert table["pearson"][i] == pytest.approx(pearsonr(a[i, seen], b[i, seen]).statistic)
        assert table["spearman"][i] == pytest.approx(spearmanr(a[i, seen], b[i, seen]).statistic)
    assert table.loc[2].isna().all()
    assert agreement(a, a)["pearson"].to_numpy() == pytest.approx(1.0)


def test_mean_with_interval():
    values = np.array([0.2, 0.4, np.nan, 0.9])
    found = mean_with_interval(values, seed=0)
    assert found["value"] == pytest.approx(0.5) and found["n"] == 3
    assert 0.2 <= found["ci_low"] < 0.5 < found["ci_high"] <= 0.9
    assert found == mean_with_interval(values, seed=0)
    assert mean_with_interval(np.array([np.nan]), seed=0)["n"] == 0
    wide, narrow = (
        mean_with_interval(np.random.default_rng(1).normal(size=n), seed=0) for n in (10, 1000)
    )
    assert wide["ci_high"] - wide["ci_low"] > 3 * (narrow["ci_high"] - narrow["ci_low"])
