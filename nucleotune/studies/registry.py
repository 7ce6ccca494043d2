"""The studies, by name; standard library only. A new study is a directory and a line here."""

from collections.abc import Mapping
from itertools import chain

from nucleotune.errors import InputError
from nucleotune.sources.registry import Source
from nucleotune.studies.base import Loaded
from nucleotune.studies.lncrna.study import STUDY as LNCRNA
from nucleotune.studies.polya.study import STUDY as POLYA
from nucleotune.studies.promoters.study import STUDY as PROMOTERS
from nucleotune.studies.rbp.study import STUDY as RBP

STUDIES = {"lncrna": LNCRNA, "promoters": PROMOTERS, "rbp": RBP, "polya": POLYA}


def genome_files(run: Loaded, registry: Mapping[str, Source]) -> dict[str, dict[str, str]]:
    """Genome and annotation, as they were fetched or given, of each species and collection that has them.

    Name -> `genome`, `annotation` -> path. Raises InputError where two owners of one name have different files.
    """
    found: dict[str, dict[str, str]] = {}
    owned = (STUDIES[study].genomes(run, registry) for study in run["config"]["studies"])
    for owner, files in chain.from_iterable(owned):
        for name in ("genome", "annotation"):
            if name in files:
                path, _ = files[name]
                known = found.setdefault(owner, {}).setdefault(name, path)
                if known != path:
                    raise InputError(
                        f"{owner!r} names two files for its {name}: {known} and {path}; give the species or collection "
                        "of one of them another name"
                    )
    return found
