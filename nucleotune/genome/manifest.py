"""Which files of eCLIP peaks there are: ENCODE's table of an experiment's files, or one's own."""

import logging
import re
from itertools import dropwhile
from pathlib import Path

import pandas as pd

from nucleotune.delimited import table_of
from nucleotune.errors import InputError
from nucleotune.text import read_lines

MANIFEST_COLUMNS = ("accession", "rbp", "cell_line", "md5")

_URL = "https://www.encodeproject.org/files/{0}/@@download/{0}.bed.gz"

#: ENCODE's names of columns by ours.
_ENCODE = {
    "accession": "File accession",
    "experiment": "Experiment accession",
    "rbp": "Experiment target",
    "cell_line": "Biosample term name",
    "md5": "md5sum",
    "url": "File download URL",
    "format": "File format",
    "assembly": "File assembly",
    "replicates": "Biological replicate(s)",
}

_log = logging.getLogger(__name__)


def read_manifest(path: str | Path) -> pd.DataFrame:
    """Read which files of peaks there are: ENCODE's `metadata.tsv`, or your own table.

    Of ENCODE's table, those rows count that are narrowPeak on GRCh38 of both replicates together ("1, 2"), one for each
    experiment: files of one replicate are clusters without a threshold. Where an experiment has several, the first by
    accession is taken, and a line of the log says so. One's own is a TSV with columns `accession`, `rbp`, `cell_line`
    and `md5`, and each of its rows counts.

    Returns columns `accession`, `rbp` (as in TIAL1), `cell_line`, `md5` and `url`, sorted by rbp, cell line and
    accession. Raises InputError for a table of another kind, one without such files, an accession that occurs twice and
    an md5 that is none.
    """
    lines = ((number, line) for number, line in read_lines(path) if line.strip())
    # A manifest saved from the portal may begin with the address that it was made from.
    lines = dropwhile(lambda one: one[1].lstrip('" ').startswith(("http", "#")), lines)
    table = table_of(path, lines, separators="\t")
    own, encode = set(MANIFEST_COLUMNS), set(_ENCODE.values())
    if encode <= set(table.columns):
        table = _one_per_experiment(
            path, table[list(_ENCODE.values())].set_axis(list(_ENCODE), axis=1)
        )
    elif not own <= set(table.columns):
        raise InputError(
            f"{path}: expected a TSV with the columns {', '.join(MANIFEST_COLUMNS)}, or ENCODE's metadata.tsv with"
            f" {', '.join(_ENCODE.values())}; found {', '.join(table.columns[:8])}"
        )
    if "url" not in table:
        table["url"] = table["accession"].map(_URL.format)
    for name in ("accession", "rbp", "cell_line"):
        if (empty := table[name] == "").any():
            raise InputError(f"{path}: line {table.index[empty.argmax()]}: a row has no {name}")
    if table["accession"].duplicated().any():
        name = table.loc[table["accession"].duplicated(), "accession"].iloc[0]
        raise InputError(f"{path}: accession {name} occurs twice; keep one of its rows")
    wrong = ~table["md5"].str.fullmatch("[0-9a-f]{32}")
    if wrong.any():
        row = table[wrong].iloc[0]
        raise InputError(
            f"{path}: line {row.name}: {row['accession']}: md5 {row['md5']!r}; expected 32 hexadecimal digits"
        )
    columns = [*MANIFEST_COLUMNS, "url"]
    return table[columns].sort_values(["rbp", "cell_line", "accession"], ignore_index=True)


def _one_per_experiment(path: str | Path, files: pd.DataFrame) -> pd.DataFrame:
    """Of all of ENCODE's files, one of both replicates for each experiment, on GRCh38."""
    both = files["replicates"].map(lambda text: sorted(re.findall("[0-9]+", text)) == ["1", "2"])
    both = both.astype(bool)  # which that of no rows is not
    right = (files["format"] == "bed narrowPeak") & (files["assembly"] == "GRCh38")
    if not (both & right).any():
        found = files[["format", "assembly", "replicates"]].value_counts().head(5).to_dict()
        raise InputError(
            f"{path}: no file that is bed narrowPeak, GRCh38, of replicates '1, 2'; found (with their number) {found}"
        )
    chosen = files[both & right].sort_values("accession")
    several = chosen[chosen["experiment"].duplicated()]
    if len(several):
        _log.warning(
            "%s: %d experiments, such as %s, have several files of both replicates; the first by accession is used",
            *(path, several["experiment"].nunique(), several["experiment"].iloc[0]),
        )
    chosen = chosen.drop_duplicates("experiment")
    return chosen.assign(rbp=chosen["rbp"].str.removesuffix("-human"))
