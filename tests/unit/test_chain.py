"""Chains against a walk over every base, and files that are none."""

import gzip

import numpy as np
import pandas as pd
import pytest

from nucleotune.errors import InputError
from nucleotune.genome.chain import lift, read_chain

COLUMNS = ["seqname", "start", "end", "strand"]


def random_chains(seed, n=12, size=600):
    """Text of a chain file, with what it says: [(score, tName, qName, qSize, qStrand, [(t, q, length), ...]), ...]."""
    rng = np.random.default_rng(seed)
    text, chains = "##matrix=axtChain 16 91\n", []
    for number in range(n):
        blocks, lines = [], []
        t = t_start = int(rng.integers(0, 60))
        q = q_start = int(rng.integers(0, 60))
        for left in reversed(range(int(rng.integers(1, 8)))):
            length = int(rng.integers(1, 40))
            blocks.append((t, q, length))
            t, q = t + length, q + length
            dt, dq = (
                [(0, 5), (7, 0), (1, 1), (13, 4), (0, 0)][rng.integers(0, 5)] if left else (0, 0)
            )
            lines.append(f"{length}\t{dt}\t{dq}" if left else f"{length}")
            t, q = t + dt, q + dq
        score = int(rng.integers(1, 6)) * 100
        names = [f"chr{rng.integers(1, 3)}", f"chr{rng.integers(1, 4)}"]
        strand = "+-"[rng.integers(0, 2)]
        fields = (*("chain", score, names[0], size, "+", t_start, t),
                  *(names[1], size, strand, q_start, q, number))  # fmt: skip
        text += " ".join(map(str, fields)) + "\n" + "\n".join(lines) + "\n\n"
        chains.append((score, *names, size, strand, blocks))
    return text, sorted(chains, key=lambda chain: -chain[0])


def slow_lift(chains, seqname, start, end, strand):
    """Walk over the bases of the place, chain after chain."""
    status = "unaligned"
    for _, name, to_name, size, to_strand, blocks in chains:
        if name != seqname:
            continue
        base = {t + i: q + i for t, q, length in blocks for i in range(length)}
        there = [base.get(position) for position in range(start, end)]
        if any(position is not None for position in there):
            status = "partly_aligned"
        if None in there or there != list(range(there[0], there[0] + end - start)):
            continue
        if to_strand == "-":
            there = [size - 1 - position for position in there]
            strand = {"+": "-", "-": "+"}[strand]
        return to_name, min(there), max(there) + 1, strand, "lifted"
    return "", -1, -1, "", status


@pytest.mark.parametrize("seed", range(5))
def test_lifts_what_a_walk_over_the_bases_lifts(tmp_path, seed):
    text, chains = random_chains(seed)
    path = tmp_path / "a.over.chain.gz"
    path.write_bytes(gzip.compress(text.encode()))
    rng = np.random.default_rng(100 + seed)
    start = rng.integers(0, 200, 800)
    places = pd.DataFrame(
        {
            "seqname": rng.choice(["chr1", "chr2", "chr9"], 800, p=[0.6, 0.3, 0.1]),
            "start": start,
            "end": start + rng.integers(1, 30, 800),
            "strand": rng.choice(["+", "-"], 800),
        },
        index=rng.permutation(800),
    )
    found = lift(read_chain(path), places)
    expected = [slow_lift(chains, *place) for place in places[COLUMNS].itertuples(index=False)]
    assert list(found.itertuples(index=False, name=None)) == expected
    assert found.index.equals(places.index)
    assert set(found["status"]) == {"lifted", "partly_aligned", "unaligned"}
    assert (found["strand"] != places["strand"])[found["status"] == "lifted"].any()


def test_a_hand_made_chain(tmp_path):
    path = tmp_path / "a.chain"
    path.write_text("chain 9 chr1 100 + 10 40 chrX 50 - 5 33 1\n20\t2\t0\n8\n")
    places = pd.DataFrame([("chr1", 10, 13, "+"), ("chr1", 29, 33, "-")], columns=COLUMNS)
    first, second = lift(read_chain(path), places).itertuples(index=False, name=None)
    # Position 5 of the - strand of 50 nt is position 44 of the + strand.
    assert first == ("chrX", 42, 45, "-", "lifted")
    assert second == ("", -1, -1, "", "partly_aligned")


GOOD = "chain 9 chr1 100 + 10 40 chrX 50 + 5 33 1\n20 2 0\n8\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no chains"),
        (
            "<html>404</html>\n",
            "line 1: found '<html>404</html>' where a chain line of 12 or 13 fields should begin",
        ),
        (GOOD.replace("20 2 0", "20 2"), "line 2: found '20 2' where a block should be"),
        (GOOD.replace("20 2 0", "20 2 x"), "line 2: 'x' is not a whole number"),
        (GOOD.replace("20 2 0", "20 2 9e18"), "line 2: '9e18' is not a whole number, or too large"),
        (GOOD.replace("chain 9", "chain nan"), "line 1: score 'nan'"),
        (GOOD.replace("20 2 0", "20 3 0"), "line 3: the sizes .* do not add up"),
        (GOOD.replace("chrX 50 + 5 33", "chrX 50 + 5 34"), "line 3: the sizes"),
        (GOOD.replace("100 +", "100 -"), "line 1: strands - and"),
        (GOOD.replace("100 +", "30 +"), "line 1: .* outside a contig"),
        (GOOD + GOOD[:-2], "the chain of line 4 has no last block"),
    ],
)
def test_what_is_no_chain_file_is_refused(tmp_path, text, message):
    path = tmp_path / "a.chain"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_chain(path)
