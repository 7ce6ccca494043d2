"""Names of contigs, of which every source has its own: I, chrI, 1 and BK006935.2 are one chromosome of yeast."""

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import count, takewhile
from pathlib import Path

import pandas as pd

from nucleotune.errors import InputError

#: Largest share of rows (or of reads, where they are counted) on contigs that the genome has not.
MAX_UNKNOWN = 0.1

_MITOCHONDRION = frozenset(("m", "mt", "mito", "mtdna", "mitochondrion"))
_ROMAN = ((50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))

_log = logging.getLogger(__name__)


def names_in_genome(
    names: Iterable[str], contigs: Collection[str], aliases: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the genome's name of each of `names`; those that it has not are left out.

    Names are the same where they differ by "chr" and leading zeros (1, chr1, chr01), in what the mitochondrion is
    called (M, MT, Mito), or in that one counts I, II, III .. and the other 1, 2, 3 .. from one on without a gap. So the
    X of human or worm is no ten. Numerals are translated only where not one of them is found as it is.

    Args:
        names: of some source.
        contigs: of the genome.
        aliases: what some names, on either side, stand for: those of an NCBI GFF3 (`annotation.contig_names`), or a
            user's own map from the source's names to the genome's, which goes before all rules.
    """
    aliases, contigs = aliases or {}, list(dict.fromkeys(contigs))

    def key(name: str) -> str:
        return _bare(aliases.get(name, name))

    occurs = Counter(map(key, contigs))
    by_key = {key(contig): contig for contig in contigs if occurs[key(contig)] == 1}
    direct = {contig: contig for contig in contigs}
    names = list(dict.fromkeys(names))
    found = {name: direct.get(aliases.get(name, name), by_key.get(key(name))) for name in names}
    for ours, theirs in ((_roman, str), (str, _roman)):
        numbers = list(takewhile(lambda n, ours=ours: ours(n) in by_key, count(1)))
        numbered = {by_key[ours(n)] for n in numbers}
        if numbered.isdisjoint(found.values()):
            translated = {theirs(n): by_key[ours(n)] for n in numbers}
            found = {name: found[name] or translated.get(key(name)) for name in names}
    return {name: contig for name, contig in found.items() if contig}


def rename_contigs(
    table: pd.DataFrame,
    contigs: Collection[str],
    aliases: Mapping[str, str] | None = None,
    *,
    source: str | Path,
    genome: str | Path,
    weights: pd.Series | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Give column `seqname` of a table the genome's names (`names_in_genome`), as category.

    Rows on contigs that the genome has not (plasmids, spike-ins) are left out and logged. Returns the other rows, with
    their index, and the rows, or sums of `weights` (whole numbers), left out by contig. `source` and `genome` are the
    files, for messages. Raises InputError, with names of both, where these are more than MAX_UNKNOWN of all.
    """
    seqname = table["seqname"].astype("category")
    known = names_in_genome(map(str, seqname.cat.categories), contigs, aliases)
    renamed = seqname.map(known)
    amounts = pd.Series(1, table.index) if weights is None else weights
    lost = amounts[renamed.isna()].groupby(seqname[renamed.isna()], observed=True).sum()
    left_out = {str(name): int(n) for name, n in lost.sort_values(ascending=False).items()}
    total, unknown = int(amounts.sum()), sum(left_out.values())
    unit = "rows" if weights is None else "reads"
    if unknown > MAX_UNKNOWN * total or (len(table) and not known):
        raise InputError(
            f"{source}: {unknown} of {total} {unit} lie on contigs that {genome} has not: {_some(left_out)}; it has"
            f" {_some(contigs)}. Say what they are called there (a map of names, theirs: genome's), or leave them out"
        )
    if left_out:
        _log.warning(
            "%s: %d of %d %s lie on contigs that %s has not (%s) and are left out",
            *(source, unknown, total, unit, genome, _some(left_out)),
        )
    kept = table.assign(seqname=renamed.astype("str").astype("category"))
    return kept[renamed.notna()], left_out


def is_mitochondrion(name: str) -> bool:
    """Whether a contig's name is one of the usual ones of the mitochondrion: M, chrM, MT, Mito."""
    return _bare(name) == "MT"


def _bare(name: str) -> str:
    bare = re.sub(r"^chr(omosome)?[_ ]?(?=.)", "", name, flags=re.IGNORECASE)
    if bare.lower() in _MITOCHONDRION:
        return "MT"
    return bare.lstrip("0") or bare if bare.isdecimal() else bare


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
