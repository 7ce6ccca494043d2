"""Patterns from synthetic contributions: planted motifs come back, each on its own strand."""

import modiscolite
import numpy as np
import pytest

from nucleotune.attribution.modisco import SETTINGS, run_modisco, write_inputs
from nucleotune.attribution.patterns import read_patterns
from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import BASES

QUICK = SETTINGS | {"n_leiden_runs": 2}

#: AATAAA and TTTATT are each other's reverse complement, TATATA is its own.
PLANTED = {"TATATA": (14, 22), "AATAAA": (34, 44), "TTTATT": (54, 61)}
N, LENGTH = 100, 80


def simulate(sign=1, seed=0):
    """One-hot sequences with each motif, its contributions of 0.5 a base in noise, and where it was planted."""
    generator = np.random.default_rng(seed)
    codes = generator.choice(4, size=(N, LENGTH), p=[0.33, 0.17, 0.17, 0.33])
    hypothetical = generator.normal(0, 0.02, (N, LENGTH, 4))
    places = {}
    for motif, (low, high) in PLANTED.items():
        bases = np.array([BASES.index(letter) for letter in motif])
        places[motif] = generator.integers(low, high, size=N)
        for i, begin in enumerate(places[motif]):
            positions = begin + np.arange(len(bases))
            codes[i, positions] = bases
            hypothetical[i, positions] -= 0.1 * sign
            hypothetical[i, positions, bases] += 0.6 * sign
    return np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1), hypothetical, places


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    sequences, hypothetical, places = simulate()
    path = tmp_path_factory.mktemp("modisco") / "results" / "patterns.h5"
    return run_modisco(sequences, hypothetical, path, settings=QUICK), places, path


@pytest.mark.slow
def test_planted_motifs_come_back(found):
    patterns, places, _ = found
    assert sorted(patterns.table["consensus"]) == sorted(PLANTED)
    assert set(patterns.table["sign"]) == {"positive"}
    for row in patterns.table.itertuples():
        members = patterns.seqlets[patterns.seqlets["pattern"] == row.pattern]
        assert row.seqlets == len(members) > 30
        begins = places[row.consensus][members["example"]]
        assert (members["start"] + row.core_start == begins).all()
        assert (members["end"] - members["start"] == len(patterns.ppm[row.pattern])).all()
        assert row.contribution == pytest.approx(members["contribution"].mean())
        assert 2.7 < row.contribution < 3.3
        core = patterns.core(row.pattern)
        ends = patterns.cwm[row.pattern][core], patterns.ppm[row.pattern][core]
        chosen = [BASES.index(letter) for letter in row.consensus]
        assert ends[0][np.arange(6), chosen] == pytest.approx(0.5, abs=0.02)
        assert ends[1][np.arange(6), chosen] == pytest.approx(1.0)


def test_no_reverse_complements(found):
    """With both strands, as modisco-lite has it, the same data give seqlets that were turned."""
    patterns, *_ = found
    assert not patterns.seqlets["is_revcomp"].any()
    sequences, hypothetical, _ = simulate()
    both, _ = modiscolite.tfmodisco.TFMoDISco(
        np.ascontiguousarray(sequences.transpose(0, 2, 1)),
        hypothetical.astype(np.float32),
        **QUICK,
    )
    assert any(seqlet.is_revcomp for pattern in both for seqlet in pattern.seqlets)


def test_file_is_read_back(found):
    patterns, _, path = found
    again = read_patterns(path)
    assert again.table.equals(patterns.table) and again.seqlets.equals(patterns.seqlets)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_negative_patterns_and_order(tmp_path):
    sequences, hypothetical, _ = simulate(sign=-1)
    table = run_modisco(sequences, hypothetical, tmp_path / "a.h5", settings=QUICK).table
    assert set(table["sign"]) == {"negative"} and (table["contribution"] < -2.7).all()
    assert table["pattern"].tolist() == [f"negative_{i}" for i in range(len(table))]


def test_too_few_seqlets(tmp_path):
    sequences, hypothetical, _ = simulate()
    patterns = run_modisco(sequences[:10], hypothetical[:10], tmp_path / "a.h5", settings=QUICK)
    assert patterns.table.empty and patterns.seqlets.empty and not patterns.ppm
    columns = ["pattern", "sign", "seqlets", "consensus", "core_start", "core_end", "contribution"]
    assert patterns.table.columns.tolist() == columns


def test_inputs_as_the_command_reads_them(tmp_path):
    sequences, hypothetical, _ = simulate()
    write_inputs(tmp_path / "inputs", sequences, hypothetical)
    ours = [np.load(tmp_path / "inputs" / f"{name}.npz") for name in ("sequences", "attributions")]
    assert (ours[0]["arr_0"] == sequences).all()
    assert ours[1]["arr_0"] == pytest.approx(hypothetical.transpose(0, 2, 1), abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 5}, "no setting 'window'"),
        ({"one_hot": 5}, "no setting 'one_hot'"),
        ({"flank_size": 0}, "at least 1 nt"),
        ({"sliding_window_size": 79}, "not longer than the sequences, 80 nt"),
    ],
)
def test_settings_are_checked(tmp_path, settings, message):
    sequences, hypothetical, _ = simulate()
    with pytest.raises(InputError, match=message):
        run_modisco(sequences, hypothetical, tmp_path / "a.h5", settings=settings)
    assert not list(tmp_path.iterdir())


def test_shapes_are_checked(tmp_path):
    sequences, hypothetical, _ = simulate()
    with pytest.raises(InputError, match=r"expected \(100, 80, 4\)"):
        run_modisco(sequences, hypothetical.transpose(0, 2, 1), tmp_path / "a.h5")


def test_another_modisco_is_refused(tmp_path, monkeypatch):
    sequences, hypothetical, _ = simulate()
    monkeypatch.delattr(modiscolite.gapped_kmer, "_gkmer_inputs_loop")
    before = modiscolite.util.get_2d_data_from_patterns
    with pytest.raises(InputError, match="install modisco-lite 3.0.0"):
        run_modisco(sequences, hypothetical, tmp_path / "a.h5")
    assert modiscolite.util.get_2d_data_from_patterns is before


@pytest.mark.parametrize(
    ("change", "why"), [(lambda h: 0 * h, "all contributions are 0"), (np.abs, "have one sign")]
)
def test_a_model_that_says_nothing_has_no_patterns(tmp_path, caplog, change, why):
    sequences, hypothetical, _ = simulate()
    patterns = run_modisco(sequences, change(hypothetical), tmp_path / "m.h5", settings=QUICK)
    assert patterns.table.empty and patterns.seqlets.empty
    assert read_patterns(tmp_path / "m.h5").table.empty
    assert "no patterns: " in caplog.text and why in caplog.text


def test_contributions_that_are_not_finite_are_refused(tmp_path):
    sequences, hypothetical, _ = simulate()
    hypothetical[7, 3, 1] = np.nan
    with pytest.raises(
        InputError, match=r"contributions of 1 of 100 sequences .* number 7, from 0"
    ):
        run_modisco(sequences, hypothetical, tmp_path / "m.h5", settings=QUICK)
    assert not (tmp_path / "m.h5").exists()
