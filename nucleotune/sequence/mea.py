"""Structures of maximum expected accuracy (MEA), and the table of all structures that the RBP study needs.

BERT-RBP took its structures from LinearPartition (Zhang et al. 2020, doi:10.1093/bioinformatics/btaa460) with the
parameters of CONTRAfold. Its licence forbids to pass it on, so it is used where the user has built it. ViennaRNA, which
is always there, computes the same structure from other energies: of LinearPartition's two modes it stands for the other
one (-V, 98 % equal structures), and labels 57 % of the nucleotides as CONTRAfold's parameters do. Which engine was used
is kept with the structures.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import RNA
from joblib import Parallel, delayed

from nucleotune.errors import InputError
from nucleotune.frames import read_metadata, read_parquet, write_parquet
from nucleotune.progress import Progress
from nucleotune.sequence.elements import element_string
from nucleotune.sequence.shreps import shape_representatives
from nucleotune.sequence.structure import fold_each

ENGINES = ("viennarna", "linearpartition")

#: What a pair weighs beside two unpaired nucleotides: default of LinearPartition, of ViennaRNA it is 1.
GAMMA = 3.0

#: LinearPartition's own default: partial structures kept at each position.
BEAM = 100

#: Of the shapes whose representatives GraphProt reads.
ABSTRACTION = 3

COLUMNS = ("sequence", "shreps", "elements")

_ENGINE_KEY = b"engine"

#: Sequences that one process of LinearPartition folds.
_CHUNK = 200


@dataclass(frozen=True)
class Structures:
    """Structures of sequences.

    table   one row per sequence: `sequence` (unique); `shreps`, dot-brackets of its shape representatives, the lowest
            energy first (`sequence.shreps`); `elements`, one letter of `elements.ELEMENTS` a nucleotide, of the MEA
            structure; None where the one or the other was not asked for
    engine  what made the MEA structures, in words
    """

    table: pd.DataFrame
    engine: str


def fold_all(
    shapes_of: Sequence[str],
    elements_of: Sequence[str],
    *,
    threads: int,
    engine: str = "viennarna",
    program: str = "linearpartition",
) -> Structures:
    """Shape representatives of some sequences and MEA structures of some (upper-case ACGTN), each distinct one once.

    `engine` is one of ENGINES and makes the MEA structures; `program` is where LinearPartition is, a path or a name on
    the PATH. Shape representatives come from ViennaRNA in any case. `threads` processes work in parallel; the result
    does not depend on them. Progress is logged. Raises InputError as `mea_structures` and `shape_representatives` do.
    """
    shaped, labelled = list(dict.fromkeys(shapes_of)), list(dict.fromkeys(elements_of))
    shreps = shape_representatives(shaped, abstraction=ABSTRACTION, threads=threads)
    found = mea_structures(labelled, engine=engine, program=program, threads=threads)
    by_sequence = dict(zip(shaped, shreps, strict=True))
    elements = dict(zip(labelled, map(element_string, found), strict=True))
    table = pd.DataFrame(
        [(one, by_sequence.get(one), elements.get(one)) for one in {**by_sequence, **elements}],
        columns=list(COLUMNS),
    )
    version = {
        "viennarna": f"ViennaRNA {RNA.__version__}",
        "linearpartition": f"LinearPartition-C, beam {BEAM}",
    }
    return Structures(table, f"{version[engine]}, MEA, gamma {GAMMA:g}")


def mea_structures(
    sequences: Sequence[str], *, engine: str, program: str = "linearpartition", threads: int = 1
) -> list[str]:
    """The MEA structure of every sequence in dot-bracket notation, see `fold_all`.

    Raises InputError for an unknown engine, and where LinearPartition is not there, fails or answers in another form.
    """
    if engine == "viennarna":
        return fold_each(_viennarna, sequences, threads=threads)
    if engine == "linearpartition":
        return _linearpartition(sequences, program, threads)
    raise InputError(f"engine {engine!r} is unknown: expected one of {', '.join(ENGINES)}")


def _viennarna(sequence: str) -> str:
    # In U, because ViennaRNA does not take T for U everywhere.
    compound = RNA.fold_compound(sequence.replace("T", "U"))
    _, energy = compound.mfe()
    # Boltzmann factors relative to the least free energy: else those of long sequences overflow.
    compound.exp_params_rescale(energy)
    compound.pf()
    structure, _ = compound.MEA(GAMMA)
    return structure


def _linearpartition(sequences: Sequence[str], program: str, threads: int) -> list[str]:
    path = shutil.which(program)
    if path is None:
        raise InputError(
            f"LinearPartition: no program {program!r}: build it from its source and give its path as"
            " rbp.linearpartition, or set rbp.folding: viennarna"
        )
    chunks = [sequences[i : i + _CHUNK] for i in range(0, len(sequences), _CHUNK)]
    structures: list[str] = []
    progress = Progress("LinearPartition", len(sequences), "sequences")
    jobs = (delayed(_run)(path, chunk) for chunk in chunks)
    for found in Parallel(n_jobs=threads, prefer="threads", return_as="generator")(jobs):
        structures += found
        progress.advance(len(found))
    return structures


def _run(path: str, sequences: Sequence[str]) -> list[str]:
    """The structures of `sequences` from one process, which reads one per line and takes T for U."""
    command = [path, "-M", "--gamma", str(GAMMA), "-b", str(BEAM)]
    text = "".join(f"{sequence}\n" for sequence in sequences)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(
            f"{' '.join(command)}: ended with status {done.returncode}: {done.stderr.strip()[-500:]}"
        )
    # Of each sequence it writes a number, the letters and the structure; only that holds no letter and no digit.
    found = [line for line in done.stdout.splitlines() if line and not line.strip("().")]
    if list(map(len, found)) != list(map(len, sequences)):
        raise InputError(
            f"{' '.join(command)}: expected a dot-bracket structure for each of {len(sequences)} sequences, of"
            f" the same length; found {len(found)}, in output that begins {done.stdout[:200]!r}"
        )
    return found


def write_structures(path: str | Path, structures: Structures) -> None:
    """Write structures as Parquet, atomically; the engine is in the file's metadata."""
    table = pa.Table.from_pandas(structures.table[list(COLUMNS)], preserve_index=False)
    metadata = {**table.schema.metadata, _ENGINE_KEY: structures.engine.encode()}
    write_parquet(path, table.replace_schema_metadata(metadata))


def read_structures(path: str | Path) -> Structures:
    """Read what `write_structures` wrote. Raises InputError for another file."""
    engine = read_engine(path)
    table = read_parquet(path, columns=COLUMNS)
    # Plain lists, as `shape_representatives` returns them.
    shreps = [None if one is None else list(one) for one in table["shreps"]]
    return Structures(table.assign(shreps=pd.Series(shreps, dtype=object)), engine)


def read_engine(path: str | Path) -> str:
    """What made the structures of a file, without reading them. Raises InputError for another file."""
    engine = read_metadata(path).get(_ENGINE_KEY)
    if engine is None:
        raise InputError(f"{path}: no engine in the file's metadata: not a table of structures")
    return engine.decode()
