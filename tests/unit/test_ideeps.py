"""iDeepS: structures and elements against the authors' program, the network against Keras' numbers and numpy."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import RNA
import torch

from nucleotune.baselines import fit_predict, ideeps
from nucleotune.baselines.equal_length import base_codes
from nucleotune.baselines.ideeps_features import fold_elements, make_inputs
from nucleotune.baselines.ideeps_network import BidirectionalLSTM, Convolution, Ideeps, fit_network
from nucleotune.contracts import check_predictions
from nucleotune.errors import InputError
from nucleotune.schemas import read_schema, validate
from nucleotune.sequence.structure import RNAFOLD, RNASHAPES, fold_sequences
from nucleotune.yaml_files import read_yaml

OPTIONS = {"epochs": 2, "batch_size": 16, "patience": 5, "threads": 1}

# Sequence, the structure that the program had from RNAshapes, the elements that it made of it.
GOLDEN = [
    (
        "ACGUCUCCUGCAGCUCUUGCAUAAUUAUAAAUCUGAGUUAUAGAAACGCCUUAAAGCGGUUCAUAACUCUUUUAAUACGAUUGUUGAUAAUAAUAGAUUUU",
        "........(((((...))))).......(((((((((((((.(((.(((......))).))))))))))..((((((....)))))).......)))))).",
        "FFFFFFFFSSSSSHHHSSSSSMMMMMMMSSSSSSSSSSSSSISSSISSSHHHHHHSSSISSSSSSSSSSMMSSSSSSHHHHSSSSSSMMMMMMMSSSSSST",
    ),
    (
        "CAACAGUCAAUCCCAGCUGCCGGCUUUAUCCCAUGCUAGAGGAAGUGAAAGACUUAUAUCCGUGAGGGCUGAAUUAGUGACGAAGAGAGCAAGAUUAUAGC",
        ".....((((....(((((...(((..........)))...(((.((((.....)))).))).....)))))......))))....................",
        "FFFFFSSSSIIIISSSSSMMMSSSHHHHHHHHHHSSSMMMSSSISSSSHHHHHSSSSISSSMMMMMSSSSSIIIIIISSSSTTTTTTTTTTTTTTTTTTTT",
    ),
    (
        "GUCUAACCUACCCCGGCCUCAGGGGCAUAAGGUGAUGGUACUAAGGACGCACGUUUCGGAUCGCCGGUAUCUGACGGACCGCCCUAAGAUAACUGAGGCCG",
        ".............(((((((((((((....((((....))))..((.((((.((.((((....)))).)).)).))..))))))........)))))))))",
        "FFFFFFFFFFFFFSSSSSSSSSSSSSMMMMSSSSHHHHSSSSMMSSISSSSISSISSSSHHHHSSSSISSISSISSIISSSSSSIIIIIIIISSSSSSSSS",
    ),
    (
        "GGAGGCCCAACACGGUUCGAAUACCCUACAAAAUCCCAUUUACAAAGGCAUGCCCAACUUCCUCACGUCGACCCGUACCCCGGGAAAAACGCAUUUGCUGA",
        "(((((........(((......))).....................((....))...))))).........((((.....))))......((....))...",
        "SSSSSMMMMMMMMSSSHHHHHHSSSMMMMMMMMMMMMMMMMMMMMMSSHHHHSSMMMSSSSSMMMMMMMMMSSSSHHHHHSSSSMMMMMMSSHHHHSSTTT",
    ),
]


@pytest.mark.parametrize(("sequence", "dot_bracket", "elements"), GOLDEN)
def test_structure_equals_the_program(sequence, dot_bracket, elements):
    sequence = sequence.replace("U", "T")
    assert fold_sequences([sequence], model=RNASHAPES)[0].dot_bracket == dot_bracket
    assert fold_elements([sequence], threads=1) == [elements]


def test_energies_of_one_model_do_not_touch_another():
    sequences = [sequence for sequence, *_ in GOLDEN]
    plain = [RNA.fold(sequence) for sequence in sequences]
    shapes = fold_sequences(sequences, model=RNASHAPES)
    folds = fold_sequences(sequences, model=RNAFOLD)
    assert [fold.dot_bracket for fold in folds] == [dot_bracket for dot_bracket, _ in plain]
    assert [fold.mfe for fold in folds] == [pytest.approx(mfe, abs=1e-3) for _, mfe in plain]
    assert folds != shapes
    assert [RNA.fold(sequence) for sequence in sequences] == plain
    assert fold_sequences(sequences, model=RNASHAPES) == shapes


def test_inputs_are_letters_and_elements_with_margins():
    inputs = make_inputs(base_codes(["ACGTN", "TTTTT"], 5, "x"), ["FTIHM", "SSSSS"])
    assert (inputs.shape, inputs.dtype) == ((2, 2, 15), np.uint8)
    assert inputs[0, 0].tolist() == [4] * 5 + [0, 1, 2, 3, 4] + [4] * 5
    assert inputs[0, 1].tolist() == [6] * 5 + [0, 1, 2, 3, 4] + [6] * 5
    assert inputs[1, :, 5:10].tolist() == [[3] * 5, [5] * 5]


def numbers(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_network_has_the_numbers_of_the_keras_model():
    network = Ideeps()
    layers = [network.letters, network.elements, network.recurrent, *network.rest]
    assert [numbers(layer) for layer in layers] == [656, 976, 12_544, 0, 2_080, 0, 66]
    assert numbers(network) == 16_322
    codes = torch.zeros(3, 111, dtype=torch.uint8)
    assert network.letters(codes).shape == network.elements(codes).shape == (3, 34, 16)


def test_initial_values_are_those_of_keras_1():
    torch.manual_seed(1)
    network = Ideeps()
    kernel, recurrent = network.recurrent.kernel, network.recurrent.recurrent
    for weight, limit in (
        (network.letters.convolution.weight, math.sqrt(6 / (64 + 640))),
        (network.elements.convolution.weight, math.sqrt(6 / (96 + 960))),
        *(
            (kernel[d, :, g * 32 : g * 32 + 32], math.sqrt(6 / 48))
            for d in (0, 1)
            for g in range(4)
        ),
        (network.rest[1].weight, math.sqrt(6 / 96)),
        (network.rest[3].weight, math.sqrt(6 / 34)),
    ):
        assert 0.9 * limit < weight.abs().max() <= limit
    for direction in range(2):
        for gate in range(4):
            matrix = recurrent[direction, :, gate * 32 : gate * 32 + 32]
            torch.testing.assert_close(matrix @ matrix.T, 1.21 * torch.eye(32))
    gates = network.recurrent.bias.reshape(2, 4, 32)
    assert (gates[:, 1] == 1).all() and not gates[:, [0, 2, 3]].any()
    for layer in (network.letters.convolution, network.elements.convolution, network.rest[1]):
        assert not layer.bias.any()


def slow_lstm(steps, kernel, recurrent, bias) -> np.ndarray:
    """Last output for one sequence in one direction, gate by gate as Keras 1 writes them."""
    hidden = len(recurrent)

    def hard(x):
        return np.clip(0.2 * x + 0.5, 0, 1)

    columns = [slice(g * hidden, (g + 1) * hidden) for g in range(4)]
    output, cell = np.zeros(hidden), np.zeros(hidden)
    for step in steps:
        z = [step @ kernel[:, c] + output @ recurrent[:, c] + bias[c] for c in columns]
        cell = hard(z[1]) * cell + hard(z[0]) * np.tanh(z[3])
        output = hard(z[2]) * np.tanh(cell)
    return output


def arrays(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: p.detach().numpy().astype(float) for name, p in module.named_parameters()}


def slow_bidirectional(lstm: BidirectionalLSTM, steps: np.ndarray) -> np.ndarray:
    weights = arrays(lstm)
    both = []
    for direction, order in ((0, 1), (1, -1)):
        kernel, recurrent = (weights[name][direction] for name in ("kernel", "recurrent"))
        both.append(slow_lstm(steps[::order], kernel, recurrent, weights["bias"][direction, 0, 0]))
    return np.concatenate(both)


def test_lstm_equals_reference():
    torch.manual_seed(2)
    lstm = BidirectionalLSTM(5, 7)
    torch.nn.init.normal_(lstm.bias)
    steps = 4 * torch.randn(6, 11, 5)  # large enough to close and open gates completely
    expected = [slow_bidirectional(lstm, row.numpy().astype(float)) for row in steps]
    np.testing.assert_allclose(lstm(steps).detach().numpy(), expected, atol=1e-5)


def slow_convolution(branch: Convolution, codes: np.ndarray, channels: int, unknown: float):
    """(34, 16) of one sequence of 101 nt."""
    one_hot = np.full((len(codes), channels), unknown)
    for position, code in enumerate(codes):
        if code < channels:
            one_hot[position] = np.arange(channels) == code
    weights = arrays(branch.convolution)
    values = np.empty((len(codes) - 9, 16))
    for position in range(len(values)):
        window = one_hot[position : position + 10].T
        values[position] = (weights["weight"] * window).sum(axis=(1, 2)) + weights["bias"]
    values = np.maximum(values, 0)
    return np.array([values[i : i + 3].max(axis=0) for i in range(0, len(values) - 2, 3)])


def test_network_equals_reference():
    torch.manual_seed(3)
    network = Ideeps().eval()
    sequences = [GOLDEN[0][0].replace("U", "T"), GOLDEN[1][0].replace("U", "N")]
    inputs = make_inputs(base_codes(sequences, 101, "x"), [GOLDEN[0][2], GOLDEN[1][2]])
    dense, output = arrays(network.rest[1]), arrays(network.rest[3])
    for row, logits in zip(inputs, network(inputs).detach().numpy(), strict=True):
        letters = slow_convolution(network.letters, row[0], 4, 0.25)
        elements = slow_convolution(network.elements, row[1], 6, 0.16)
        read = slow_bidirectional(network.recurrent, np.concatenate([letters, elements]))
        hidden = np.maximum(dense["weight"] @ read + dense["bias"], 0)
        np.testing.assert_allclose(logits, output["weight"] @ hidden + output["bias"], atol=1e-5)


def noise(n: int, length: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(n)]


def test_learns_what_only_the_structure_tells(training_seed):
    labels = np.arange(300) % 2
    letters = base_codes(noise(300, 31, seed=4), 31, "x")
    elements = [("F" * 8 + "S" * 5 + "H" * 5 + "S" * 5 + "T" * 8, "F" * 31)[i] for i in labels]
    inputs = make_inputs(letters, elements)
    options = {"epochs": 8, "batch_size": 16, "patience": 8}
    parts = (inputs[:200], labels[:200], inputs[200:], labels[200:])
    _, info = fit_network(*parts, options, training_seed)
    assert info["losses"]["valid"] < 0.2
    assert info["epochs"] == 8


@pytest.fixture(scope="module")
def examples() -> pd.DataFrame:
    """Label 1 holds a motif, at different places."""
    sequences = noise(320, 40, seed=5)
    for i in range(1, 320, 2):
        at = i % 23
        sequences[i] = sequences[i][:at] + "TGCATGTTGCATG" + sequences[i][at + 13 :]
    splits = ["train"] * 200 + ["valid"] * 60 + ["test"] * 60
    rows = {"id": [f"r{i}" for i in range(320)], "sequence": sequences, "split": splits}
    return pd.DataFrame({**rows, "label": np.arange(320) % 2, "group": rows["id"]})


def run(examples, seed=1, **changes):
    options = {**OPTIONS, **changes}
    return fit_predict("ideeps", examples, train_splits=["train"], options=options, seed=seed)


def test_learns_a_motif(examples, monkeypatch, training_seed):
    folded = []
    monkeypatch.setattr(
        ideeps,
        "fold_elements",
        lambda new, threads: folded.extend(new) or fold_elements(new, threads),
    )
    predictions, info = run(examples, training_seed, epochs=12)
    check_predictions(predictions)
    assert (predictions["predicted"] == predictions["label"]).mean() > 0.9
    assert (predictions["predicted"] == (predictions["score"] > 0.5)).all()
    assert json.loads(json.dumps(info, allow_nan=False)) == info
    assert (info["rows_used"], info["parameters"]) == (200, 16_322)
    assert sorted(folded) == sorted(examples["sequence"]), "each sequence is folded once"


def test_seed_decides_whatever_the_threads(examples):
    before = torch.get_num_threads()
    first, other = (run(examples, seed)[0]["score"] for seed in (1, 2))
    torch.set_num_threads(before + 1)
    again = run(examples, threads=2)[0]["score"]
    torch.set_num_threads(before)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_training_ends_with_the_validation_loss(examples, training_seed):
    flipped = examples.assign(label=examples["label"] ^ (examples["split"] == "valid"))
    _, info = run(flipped, training_seed, epochs=12, patience=0)
    assert info["epochs"] < 12


def test_lengths_must_be_equal(examples):
    shorter = examples.copy()
    shorter.loc[3, "sequence"] = "ACGT" * 9
    number = (shorter["split"] != "pretrain").sum()
    message = (
        rf"ideeps takes sequences of one length, found 40 nt \({number - 1} rows\), 36 nt \(1 rows\);"
        rf" '{shorter['id'][3]}' has 36 nt\. Cut"
    )
    with pytest.raises(InputError, match=message):
        run(shorter)
    shorter = examples.copy()
    shorter.loc[315, "sequence"] = "ACGT" * 11
    with pytest.raises(InputError, match=f"'{shorter['id'][315]}' has 44 nt"):
        run(shorter)


def test_validation_rows_are_needed(examples):
    with pytest.raises(InputError, match="split 'valid', which has no rows"):
        run(examples[examples["split"] != "valid"])


def test_defaults_are_the_authors():
    path = "config/methods/ideeps.yaml"
    method = validate(read_yaml(path), read_schema("baseline"), path)
    assert method["ideeps"] == {"epochs": 30, "batch_size": 50, "patience": 5}
