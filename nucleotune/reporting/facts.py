"""What the report says of a data set in small tables: read from its data card, whatever the study.

A data card holds different facts for different tasks; those that are there are shown.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nucleotune.files import read_json

Card = Mapping[str, Any]

#: Genes that percentiles of expression are taken over, as `expression_classes` of a card names them.
UNIVERSES = {
    "all": "all genes of the expression file",
    "joined": "its protein-coding and lncRNA genes",
    "pool": "those of them with a promoter sequence",
}
_SIDES = {"right": "at the right", "left": "at the left", "centre": "at both ends"}
#: Names of classes as they are shown.
CLASS_TITLES = {"protein_coding": "protein-coding", "lncRNA": "lncRNA"}


def read_cards(
    paths: Iterable[str | Path], relatives: Iterable[str | Path] = ()
) -> dict[str, Card]:
    """Data cards by the name of their data set: `results/<study>/<dataset>/card.json`.

    relatives: of the same data sets, the files relatives.json; their content is then in the cards, as `related`.
    """
    cards = {Path(path).parent.name: read_json(path) for path in paths}
    for path in map(Path, relatives):
        cards[path.parent.name]["related"] = read_json(path)
    return cards


def tables(
    card: Card, titles: Mapping[str, str], *, beside_paper: bool = True
) -> list[dict[str, Any]]:
    """Tables of a data card: {"title", "head", "rows", "note"}, cells as strings; `titles` are those of methods.

    beside_paper: whether the data stand for those of a paper, whose counts are then also shown.
    """
    found = [_splits(card["splits"], _lost_windows(card.get("windows")))]
    if "policies" in card:
        found += [_divided(card), _odd_rows(card)]
    if "expression_classes" in card:
        found.append(_expression(card["expression_classes"], card["universe"], beside_paper))
    if "in_task3" in card:
        found.append(_in_task3(card["in_task3"], card["published"], beside_paper))
    if "ends" in card:
        found.append(_ends(card))
    if card.get("reading"):
        found.append(_reading(card["reading"], titles))
    return found


def share(value: float) -> str:
    """A share as per cent; one that is not 0 never reads 0."""
    return f"{100 * value:.1f} %" if value == 0 or value >= 0.001 else f"{100 * value:.1g} %"


def _lost_windows(counts: Mapping[str, int] | None) -> str:
    """How many places of the sources have no sequence, and why; nothing where none was looked up in a genome."""
    if not counts:
        return ""
    lost = counts["places"] - counts["windows"]
    return (
        f"Of {counts['places']:,} promoters looked up in the genome {lost:,} have no sequence:"
        f" {counts['unknown_contig']:,} on contigs missing from it, {counts['off_contig']:,} beyond the end of"
        f" their contig, {counts['not_acgt']:,} with letters other than ACGT."
    )


def _splits(splits: Mapping[str, Mapping[str, int]], note: str) -> dict[str, Any]:
    names = list(dict.fromkeys(name for classes in splits.values() for name in classes))
    order = ("pretrain", "train", "valid", "test")
    parts = [part for part in order if part in splits] + [p for p in splits if p not in order]
    rows = [[part, *(f"{splits[part].get(name, 0):,}" for name in names)] for part in parts]
    return _table(
        "Examples", ["Split", *(CLASS_TITLES.get(name, name) for name in names)], rows, note
    )


def _divided(card: Mapping[str, Any]) -> dict[str, Any]:
    """How rows came to their parts."""
    split = card["split"]
    rows = [["By", split["by"]], ["Seed", str(split["seed"])]]
    if "identity" in split:
        rows += [
            ["Related: identical letters of an alignment", share(split["identity"])],
            ["Related: covered of the shorter sequence", share(split["coverage"])],
        ]
    for key, title in (
        ("groups", "Groups or clusters"),
        ("largest", "Rows of the largest"),
        ("always_training", "Rows of those too large for another part, in training"),
    ):
        if key in split:
            rows.append([title, f"{split[key]:,}"])
    for part, names in split.get("chromosomes", {}).items():
        rows.append([f"Chromosomes, {part}", ", ".join(names)])
    return _table("How rows were divided", ["", ""], rows)


def _odd_rows(card: Mapping[str, Any]) -> dict[str, Any]:
    """What cleaning met, and what became of it."""
    policies, first = card["policies"], card["waterfall"][0]["step"]
    rows = [
        ["Sequences with different labels", f"{card['conflicts']:,}", policies["conflicts"]],
        ["Rows that repeat another", f"{card['duplicates']:,}", policies["duplicates"]],
        ["Sequences cut to the greatest length", f"{card['cut']:,}", policies["long"]],
        ["Sequences with U", f"{card['u_as_t']:,}", "read as T"],
        ["Sequences with N in the end", f"{card['with_n']:,}", f"letters: {policies['letters']}"],
    ]
    lost: dict[str, int] = {}
    for one in card["waterfall"]:
        if one["step"] != first:
            lost[one["step"]] = lost.get(one["step"], 0) + one["dropped"]
    rows += [[f"Dropped, {step}", f"{n:,}", ""] for step, n in lost.items()]
    for key, where in (
        ("unknown_contig", "on contigs missing from the genome"),
        ("off_contig", "beyond the end of their contig"),
    ):
        if n := card["places_lost"].get(key):
            rows.append([f"Places {where}", f"{n:,}", "dropped"])
    lengths = card["length"]
    note = f"Lengths: {lengths['min']:,} to {lengths['max']:,} nt, median {lengths['median']:,} nt."
    return _table("What became of odd rows", ["", "Found", "Policy"], rows, note)


def _expression(classes: Mapping[str, Any], used: str, beside_paper: bool) -> dict[str, Any]:
    """Genes of Task 3 by class and biotype, for each universe, beside the paper's."""

    def numbers(counts: Mapping[str, Mapping[str, int]]) -> Iterable[str]:
        return (
            f"{counts[name][biotype]:,}" for name in ("high", "low") for biotype in CLASS_TITLES
        )

    rows = []
    for name in (one for one in UNIVERSES if one in classes):
        counts, title = classes[name], UNIVERSES[name] + (" (used)" if name == used else "")
        size = f"{counts['genes_in_universe']:,}"
        rows.append([title, size, "all", *numbers(counts["classified"])])
        rows.append([title, size, "sampled", *numbers(counts["sampled"])])
    if beside_paper:
        rows.append(["paper (human)", "\u2013", "sampled", *numbers(classes["published"])])
    heads = [f"{name}, {title}" for name in ("high", "low") for title in CLASS_TITLES.values()]
    return _table(
        "Genes with high and low expression",
        ["Percentiles over", "Genes", "Shown", *heads],
        rows,
        "Above the 75th percentile (high) or at or below the 25th (low) in all tissues. Sampled: after drawing"
        " the larger class down to the size of the smaller one.",
    )


def _in_task3(
    counts: Mapping[str, Mapping[str, Any]], published: Mapping[str, Any], beside_paper: bool
) -> dict[str, Any]:
    printed, size = published["in_task3"], published["per_class"]
    rows = [
        [
            title,
            f"{one['n']:,}",
            share(one["share"]),
            f"{printed[name]:,}",
            share(printed[name] / size),
        ]
        for name, title in CLASS_TITLES.items()
        for one in [counts[name]]
    ]
    head = ["Genes", "Also in task 3", "Share", "Paper (human)", "Share"]
    shown = len(head) if beside_paper else 3
    return _table("Genes that are also in task 3", head[:shown], [row[:shown] for row in rows])


def _ends(card: Mapping[str, Any]) -> dict[str, Any]:
    """Whether 3' ends fit genome and annotation: the numbers behind the guards of the poly(A) study."""
    ends, orfs = card["ends"], card["intact_orfs"]
    at = ", ".join(f"{int(shift):+d}: {share(a)}" for shift, a in ends["share_of_a"].items())
    rows = [
        ["Reads after stop codons, on the strand of the gene", f"{ends['sense']:,}"],
        ["on the other strand", f"{ends['antisense']:,}"],
        ["A at 3' ends and next to them (nt downstream)", at],
        ["A in the sequences overall", share(ends["overall"])],
        ["Reads beyond the end of their contig, dropped", f"{card['reads_beyond_contigs']:,}"],
        [
            "on contigs missing from the genome, dropped",
            f"{sum(card['unknown_contigs']['reads'].values()):,}",
        ],
    ]
    if orfs:
        rows.append(["Transcripts that cover the ORF they are said to cover", share(orfs["share"])])
    off = f" Most A's are {ends['shift']:+d} nt from the given positions: they may be off."
    note = "If positions, strands and assembly are right, cleavage is at an A, at 0." + (
        off if ends["shift"] and ends["judged"] else ""
    )
    return _table("Do 3' ends fit the genome?", ["", ""], rows, note)


def in_words(read: Mapping[str, Any] | None) -> str:
    """What a method reads of the sequences (`studies.reading.read_by`), as a note; nothing where it is all at once."""
    if read is None:
        return ""
    if (most := read["windows"]["most"]) > 1:
        return f"reads up to {most} windows of a sequence"
    some, whole = read["median"]
    if read["read"] == 1:
        return ""
    return f"reads {some:,} of {whole:,} nt (medians), {share(read['read'])} of all"


def _reading(found: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]) -> dict[str, Any]:
    sides = _SIDES if any("tss_lost" in one for one in found.values()) else {}
    rows = []
    for method, one in found.items():
        (some, whole), windows = one["median"], one["windows"]
        rows.append(
            [
                titles.get(method, method),
                f"{one['max_tokens']:,}" if one["max_tokens"] else "any",
                f"{some:,} of {whole:,}",
                share(one["read"]),
                share(one["longer"]),
                "1"
                if windows["most"] == 1
                else f"{windows['mean']:.1f}, at most {windows['most']:,}",
                *(share(one["tss_lost"][side]) if "tss_lost" in one else "" for side in sides),
            ]
        )
    heads = [
        "Method",
        "Most tokens",
        "Reads (nt, medians)",
        "Of all nucleotides",
        "Longer sequences",
        "Windows",
        *(f"TSS lost, cut {at}" for at in sides.values()),
    ]
    note = (
        "Counted with each model's own tokenizer. Longer: share of the sequences that are longer than the method reads"
        " at once; they are cut, or read in several windows."
    )
    return _table("What methods read of the sequences", heads, rows, note)


def _table(title: str, head: list[str], rows: list[list[str]], note: str = "") -> dict[str, Any]:
    return {"title": title, "head": head, "rows": rows, "note": note}
