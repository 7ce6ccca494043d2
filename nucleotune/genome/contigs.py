"""Names of contigs, of which every source has its own: I, chrI, 1 and BK006935.2 are one chromosome of yeast."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import count, takewhile
from pathlib import Path

import pandas as pd

from nucleotune.errors import InputError

#: Largest share of rows (or of reads, where they are counted) on contigs that the genome lacks.
MAX_UNKNOWN = 0.1

_MITOCHONDRION = frozenset(("m", "mt", "mito", "mtdna", "mitochondrion"))
#: GL, KI and the like: accessions of scaffolds, of which chromosomes (CM, BK, AE, CP, NC_) have none.
_NO_CHROMOSOME = re.compile(
    r"_(random|alt|fix|decoy)$|_hap\d*$|^(chr)?Un([_.]|$)|^(chr)?EBV$|^hs37d5$|^NC_007605|^HLA-|^ERCC-"
    r"|^(CHR_)?(HG|HSCHR)\w*\d|^(chr)?(GL|JH|KB|KI|KN|KQ|KV|KZ|ML|MU|AABR|JAAG)\d{5,}|^N[TW]_\d|scaffold",
    re.IGNORECASE,
)
_ROMAN = ((50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))

_log = logging.getLogger(__name__)


def names_in_genome(
    names: Iterable[str], contigs: Collection[str], aliases: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the genome's name of each of `names`; those that it lacks are left out.

    Names are the same where they differ by "chr" and leading zeros (1, chr1, chr01), in what the mitochondrion is
    called (M, MT, Mito), or in that one counts I, II, III .. and the other 1, 2, 3 .. from one on without a gap. So the
    X of human or worm is no ten. Numerals are translated only where not one of them is found as it is. Upper and lower
    case are one (chrvii, CHR1) where no two contigs of the genome differ by it alone.

    Args:
        names: of some source.
        contigs: of the genome.
        aliases: what some names, on either side, stand for: those of an NCBI GFF3 (`annotation.contig_names`), or a
            user's own map from the source's names to the genome's, which goes before all rules.
    """
    aliases, contigs = aliases or {}, list(dict.fromkeys(contigs))

    def key(name: str) -> str:
        return _bare(aliases.get(name, name))

    def folded(name: str) -> str:
        return key(name).casefold()

    direct = {contig: contig for contig in contigs}
    by_key, by_folded = _only_ones(contigs, key), _only_ones(contigs, folded)
    found = {
        name: direct.get(aliases.get(name, name))
        or by_key.get(key(name))
        or by_folded.get(folded(name))
        for name in names
    }
    for ours, theirs in ((_roman, str), (str, _roman)):
        numerals = map(str.casefold, map(ours, count(1)))
        numbered = [by_folded[one] for one in takewhile(by_folded.__contains__, numerals)]
        if not set(numbered) & set(found.values()):
            translated = {theirs(n).casefold(): one for n, one in enumerate(numbered, start=1)}
            found = {name: found[name] or translated.get(folded(name)) for name in found}
    return {name: contig for name, contig in found.items() if contig}


def as_in_genome(seqnames: pd.Series, contigs: Iterable[str]) -> pd.Series:
    """Contigs by the genome's names for them (`names_in_genome`); a name that it lacks stays as it is."""
    seqnames = seqnames.astype(str)
    known = names_in_genome(seqnames.unique(), list(contigs))
    return seqnames.map({name: known.get(name, name) for name in seqnames.unique()})


def is_chromosome(name: str) -> bool:
    """Whether a contig may be a chromosome or an organelle by its name, in any species.

    No: what UCSC calls `_random`, `_alt`, `_fix`, `_hap` and `Un`, decoys and viruses that human genomes for mapping
    hold, patches (HG.., HSCHR..), and scaffolds and patches by their accession.
    """
    return not _NO_CHROMOSOME.search(name)


def _only_ones(contigs: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    """Contigs by their key, without those that share one."""
    occurs = Counter(map(key, contigs))
    return {key(contig): contig for contig in contigs if occurs[key(contig)] == 1}


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

    Rows on contigs that the genome lacks (plasmids, spike-ins) are left out and logged. Returns the other rows, with
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
            f"{source}: {unknown} of {total} {unit} are on contigs missing from {genome}: {_some(left_out)}; it"
            f" has {_some(contigs)}. Give their names there (a map of names, theirs: genome's), or leave them out"
        )
    if left_out:
        _log.warning(
            "%s: %d of %d %s are on contigs missing from %s (%s) and are left out",
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
