"""Structures of maximum expected accuracy: ViennaRNA's and their definition, LinearPartition's output, the table."""

import stat

import numpy as np
import pandas as pd
import pytest
import RNA

from nucleotune.errors import InputError
from nucleotune.sequence.elements import element_string
from nucleotune.sequence.mea import (
    GAMMA,
    Structures,
    fold_all,
    mea_structures,
    read_structures,
    write_structures,
)

HAIRPIN = "GGGGGGAAAACCCCCC"


def random_sequences(n, length, seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(n)]


def probabilities(sequence):
    compound = RNA.fold_compound(sequence.replace("T", "U"))
    compound.exp_params_rescale(compound.mfe()[1])
    compound.pf()
    return np.array(compound.bpp())[1:, 1:]


def accuracy(structure, pairs):
    """Expected accuracy: 2 gamma P(i, j) of every pair, the probability to be unpaired of every other nucleotide."""
    unpaired = 1 - pairs.sum(0) - pairs.sum(1)
    opened, total = [], 0.0
    for i, sign in enumerate(structure):
        if sign == "(":
            opened.append(i)
        elif sign == ")":
            total += 2 * GAMMA * pairs[opened.pop(), i]
        else:
            total += unpaired[i]
    return total


def best_accuracy(pairs):
    """The highest expected accuracy of any structure, interval by interval."""
    n = len(pairs)
    unpaired = 1 - pairs.sum(0) - pairs.sum(1)
    best = np.zeros((n + 2, n + 2))  # of nucleotides i to j - 1
    for width in range(1, n + 1):
        for i in range(n - width + 1):
            j = i + width
            found = unpaired[i] + best[i + 1, j]
            for k in range(i + 1, j):
                inside, behind = best[i + 1, k], best[k + 1, j]
                found = max(found, 2 * GAMMA * pairs[i, k] + inside + behind)
            best[i, j] = found
    return best[0, n]


def test_no_structure_is_more_accurate():
    sequences = random_sequences(8, 36)
    found = mea_structures(sequences, engine="viennarna")
    assert any("(" in structure for structure in found)
    for sequence, structure in zip(sequences, found, strict=True):
        pairs = probabilities(sequence)
        # ViennaRNA leaves out pairs of the least probabilities.
        assert accuracy(structure, pairs) == pytest.approx(best_accuracy(pairs), rel=1e-3)


def test_gamma_is_that_of_the_study():
    """With ViennaRNA's own default of 1 fewer pairs are worth their while."""
    sequences = random_sequences(20, 60, seed=1)
    found = mea_structures(sequences, engine="viennarna")
    fewer = 0
    for sequence, structure in zip(sequences, found, strict=True):
        compound = RNA.fold_compound(sequence.replace("T", "U"))
        compound.exp_params_rescale(compound.mfe()[1])
        compound.pf()
        fewer += structure.count("(") - compound.MEA(1.0)[0].count("(")
    assert fewer > 0


def test_the_table_of_all_structures(tmp_path):
    others = random_sequences(3, 40)
    found = fold_all([HAIRPIN, others[0], HAIRPIN], [*others[1:], HAIRPIN], threads=1)
    assert list(found.table.columns) == ["sequence", "shreps", "elements"]
    assert found.table["sequence"].tolist() == [HAIRPIN, *others]
    assert found.table["elements"].isna().tolist() == [False, True, False, False]
    assert found.table["shreps"].isna().tolist() == [False, False, True, True]
    first = found.table.iloc[0]
    assert first["elements"] == element_string("((((((....))))))") == "SSSSSSHHHHSSSSSS"
    assert first["shreps"][0] == "((((((....))))))"
    assert found.engine == f"ViennaRNA {RNA.__version__}, MEA, gamma 3"
    write_structures(tmp_path / "structures.parquet", found)
    again = read_structures(tmp_path / "structures.parquet")
    pd.testing.assert_frame_equal(again.table, found.table)
    assert again.engine == found.engine
    assert all(isinstance(one, list) for one in again.table["shreps"][:2])


def test_threads_change_nothing():
    sequences = random_sequences(6, 30)
    assert mea_structures(sequences, engine="viennarna", threads=2) == mea_structures(
        sequences, engine="viennarna"
    )


#: Written as LinearPartition's README shows its output; every sequence gets a hairpin, or no pair if it is short.
PROGRAM = """#!/bin/sh
echo "$@" > "$0.arguments"
while read sequence; do
    echo "Log Partition Coefficient: 15.88268"
    echo "$sequence"
    case "$sequence" in
        *X*) echo "broken" >&2; exit 3 ;;
        *Y*) echo "((..))" ;;
        *) printf '%*s\\n' "${#sequence}" '' | sed 's/ /./g; s/^\\.\\./((/; s/\\.\\.$/))/' ;;
    esac
done
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "linearpartition"
    path.write_text(PROGRAM)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_output_of_linearpartition_is_read(program, monkeypatch):
    monkeypatch.setattr("nucleotune.sequence.mea._CHUNK", 2)
    sequences = ["ACGTACGTAC", "ACGTACG", "TTTTTTTTTTTTT", "GGGGGG", "ACGTA"]
    found = mea_structures(sequences, engine="linearpartition", program=str(program), threads=2)
    assert found == ["((......))", "((...))", "((.........))", "((..))", "((.))"]
    arguments = program.with_name("linearpartition.arguments").read_text()
    assert arguments == "-M --gamma 3.0 -b 100\n"
    table = fold_all([], sequences, threads=1, engine="linearpartition", program=str(program))
    assert table.table["elements"][0] == "SSHHHHHHSS"
    assert table.engine == "LinearPartition-C, beam 100, MEA, gamma 3"


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        (["ACGTACGT", "ACGX"], "ended with status 3: broken"),
        (["ACGTACGT", "ACGY"], "expected a dot-bracket structure for each of 2 sequences"),
    ],
)
def test_failures_of_linearpartition_are_told(program, sequences, message):
    with pytest.raises(InputError, match=message):
        mea_structures(sequences, engine="linearpartition", program=str(program))


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="no program '/nowhere/linearpartition': build it"):
        mea_structures(["ACGT"], engine="linearpartition", program="/nowhere/linearpartition")
    with pytest.raises(InputError, match="engine 'mfold' is unknown: expected one of viennarna"):
        mea_structures(["ACGT"], engine="mfold")
    pd.DataFrame({"sequence": ["A"]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(InputError, match="not a table of structures"):
        read_structures(tmp_path / "other.parquet")


def test_no_sequences(tmp_path):
    nothing = fold_all([], [], threads=1)
    assert nothing.table.empty
    write_structures(tmp_path / "empty.parquet", nothing)
    assert isinstance(read_structures(tmp_path / "empty.parquet"), Structures)
