"""What the report says of leaks between training and test, and of odd classes: sentences from a data card."""

from collections.abc import Iterable, Mapping
from typing import Any

from nucleotune.evaluation.titles import ALL_METRICS
from nucleotune.reporting.answer import main_metric
from nucleotune.reporting.facts import CLASS_TITLES, Card, share
from nucleotune.reporting.sampled import sampled
from nucleotune.reporting.tables import OTHER_DATA

#: Classes whose sizes differ by more than this factor are said to be unequal.
UNEQUAL = 1.1


def leaks(card: Card, rows: str, measured: Iterable[Mapping[str, Any]] = ()) -> list[str]:
    """Sentences on what training and test examples share; `rows` says what examples are ("transcripts").

    measured: metrics.json of each method, for what relatives of test rows in training are worth.
    What is not known is said so, and is never called none.
    """
    found = card["leakage"]
    unit = card.get("grouped_by", "gene")
    total = sum(
        sum(classes.values()) for part, classes in card["splits"].items() if "-" not in part
    )
    known = card.get("genes_known", card.get("places_known", total))
    return [
        *_shared_units(found, unit, rows, known, total),
        *_shared_sequences(found, rows),
        *_related(card, rows),
        *_worth(measured, rows),
        *_overlaps(card, found, unit, rows),
        *_identical(card, rows),
        *_composition(card, rows),
    ]


def noted(datasets: Iterable[Card], cards: Mapping[str, Card]) -> list[dict[str, Any]]:
    """Data sets with notes from their cards: on a split by genes, by how many are known, and on what was sampled away.

    datasets: as a study's rule file describes them; one without a card is left as it is. cards: by name. What is not
    comparable with the paper and had no note yet says so first.
    """
    result = []
    for one in datasets:
        note, card = one["note"], cards.get(one["name"], {})
        if drawn := sampled(card):
            reason = note or ("" if one["comparable"] else OTHER_DATA)
            note = "; ".join(filter(None, (reason, *drawn)))
        if one["split"] == "gene" and card:
            total = sum(n["n"] for n in card["classes"].values())
            unknown = total - card["genes_known"]
            said = (
                f"the gene of {unknown:,} of {total:,} transcripts is not known, so isoforms may be in two parts"
                if unknown
                else "no gene in two parts"
            )
            note = "; ".join(filter(None, (note, said)))
        result.append({**one, "note": note})
    return result


def _shared_units(found: Card, unit: str, rows: str, known: int, total: int) -> list[str]:
    genes, tested = found["genes_shared"], found["test_rows_with_gene_in_training"]
    if genes is None:
        of = (
            f"are known for {known:,} of {total:,} {rows}, but for none in training or for none in the test split"
            if known
            else "are not known"
        )
        what = "overlaps" if unit == "place" else f"{rows} of one {unit}"
        return [
            f"The {unit}s of these {rows} {of}, so {what} in the test split and in training were not counted, and"
            f" intervals are over single {rows}."
        ]
    if genes:
        have = f"{unit} has" if genes == 1 else f"{unit}s have"
        sentences = [
            f"{genes:,} {have} {rows} in the test split and in training: {tested:,} test {rows}"
            f" ({share(found['share'])}) belong to a {unit} seen in training, so the numbers flatter every"
            f" method that can remember a {unit}."
        ]
    else:
        none = f"No {unit} has" if known == total else f"None of the known {unit}s has"
        sentences = [f"{none} {rows} both in the test split and in training."]
    if known < total:
        sentences.append(
            f"The {unit} of {total - known:,} of {total:,} {rows} is not known: each counts as a separate"
            f" {unit}, and what they share with others was not counted."
        )
    return sentences


def _shared_sequences(found: Card, rows: str) -> list[str]:
    sentences = []
    if (same := found.get("test_rows_with_sequence_in_training")) is not None:
        sentences.append(
            f"{same:,} of the test {rows} have exactly the same sequence as one in training."
            if same
            else "No test example has the same sequence as one in training."
        )
    if (words := found.get("test_rows_with_word_in_training")) is not None:
        sentences.append(
            f"{words:,} of the test {rows} ({share(words / found['test_rows'])}) share {found['word']}"
            f" consecutive nt with one of training, on {found['strands']}: repeats, or homologues that a method"
            " can remember."
            if words
            else f"No test example shares {found['word']} consecutive nt with one of training, on"
            f" {found['strands']}."
        )
    return sentences


def _related(card: Card, rows: str) -> list[str]:
    """Test rows with relatives in training (`studies.related`), where the card says so."""
    if "related" not in card:
        return []
    found = card["related"]["test"]
    if found["reason"] is not None:
        return [f"Relatives of test {rows} in training were not counted: {found['reason']}."]
    shares = [f"{share(one)} at {least} %" for least, one in found["shares_at"].items()]
    return [
        f"Share of the test {rows} with a relative in training, by the identity of an alignment that covers"
        f" {100 * found['coverage']:g} % of the test row on {found['strands']}: {', '.join(shares)} (below 70 %"
        " relatives are found in part only)."
    ]


def _worth(measured: Iterable[Mapping[str, Any]], rows: str) -> list[str]:
    """How far the main metric of the methods is from that on all test rows where rows with a relative are left out."""
    ran = [one for one in measured if "without_relatives" in one]
    if not ran or ran[0]["without_relatives"]["splits"]["test"]["rows"] in (None, ran[0]["n_test"]):
        return []
    main = main_metric(ran[0])
    without = [one["without_relatives"]["splits"]["test"] for one in ran]
    pairs = [
        (one[main]["value"], whole["splits"]["test"][main]["value"])
        for one, whole in zip(without, ran, strict=True)
    ]
    differences = [one - whole for one, whole in pairs if None not in (one, whole)]
    of = f"the {without[0]['rows']:,} of {ran[0]['n_test']:,} test {rows} without one"
    if not differences:
        return [f"On {of} nothing was measured: {without[0][main]['reason']}."]
    least, most = (f"{end(differences):+.3f}" for end in (min, max))
    by = least if least == most else f"{least} to {most}, depending on the method"
    return [f"On {of}, {ALL_METRICS[main]} differs from that on all of them by {by}."]


def _overlaps(card: Card, found: Card, unit: str, rows: str) -> list[str]:
    if "test_rows_overlapping_training" not in found:
        return []
    over = found["test_rows_overlapping_training"]
    if over is None:
        # Said already where a group is a place.
        return [] if unit == "place" else ["Positions are not known, so overlaps were not counted."]
    if over:
        return [
            f"{over:,} of the test {rows} overlap one of training on"
            f" {found.get('overlap_on', 'the same strand')}: they come from neighbouring positions."
        ]
    known = card["places_known"]
    return [f"No test place overlaps one of training (places are known for {known:,} {rows})."]


def _identical(card: Card, rows: str) -> list[str]:
    sentences = []
    same = card.get("identical", {})
    if same.get("rows"):
        both = same.get("in_both_classes", 0)
        sentences.append(
            f"{same['rows']:,} {rows} share their sequence with another: {same['in_one_part']:,} sequences"
            f" occur several times in one part, {same['across_parts']:,} in several parts"
            + (f", {both:,} in both classes, where no method can be right" if both else "")
            + "."
        )
    if left := card.get("in_both_classes"):
        sentences.append(
            f"{left:,} sequences of the files are in both classes; each counts in the class where it comes first."
        )
    return sentences


def _composition(card: Card, rows: str) -> list[str]:
    """What is odd about the classes: their sizes, letters, and transcripts of another kind."""
    sentences = []
    sizes: dict[str, int] = {}
    if "classes" in card:
        for part, classes in card["splits"].items():
            for name, n in classes.items():
                sizes[name] = sizes.get(name, 0) + n * ("-" not in part)
    if len(sizes) > 1 and max(sizes.values()) > UNEQUAL * min(sizes.values()):
        numbers = ", ".join(f"{n:,} {CLASS_TITLES.get(name, name)}" for name, n in sizes.items())
        sentences.append(
            f"Classes are not equally large ({numbers}): calling everything the larger class already gives a"
            " high accuracy."
        )
    if n := card.get("with_n"):
        sentences.append(f"{n:,} {rows} contain letters other than A, C, G, T (N).")
    if others := card.get("not_coding"):
        numbers = ", ".join(f"{n:,} {name}" for name, n in others.items())
        sentences.append(
            f"{sum(others.values()):,} of the mRNAs found are not called protein-coding ({numbers}); choose"
            " with the key coding.transcript_biotypes of the species file."
        )
    return sentences
