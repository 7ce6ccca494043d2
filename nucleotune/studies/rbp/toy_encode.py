"""eCLIP peaks of toy RBPs as ENCODE serves them: narrowPeak files and the metadata table that lists them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nucleotune.files import file_digest
from nucleotune.simulate.formats import write_lines
from nucleotune.simulate.paths import CELL_LINES, encode_accession
from nucleotune.studies.rbp.toy_sites import CENTRE, Window

# The columns of ENCODE's metadata.tsv for eCLIP, in its order.
COLUMNS = (
    *("File accession", "File format", "File type", "File format type", "Output type"),
    *("File assembly", "Experiment accession", "Assay", "Donor(s)", "Biosample term id"),
    *("Biosample term name", "Biosample type", "Biosample organism", "Biosample treatments"),
    *("Biosample treatments amount", "Biosample treatments duration"),
    *("Biosample genetic modifications methods", "Biosample genetic modifications categories"),
    *("Biosample genetic modifications targets", "Biosample genetic modifications gene targets"),
    "Biosample genetic modifications site coordinates",
    *("Biosample genetic modifications zygosity", "Experiment target", "Library made from"),
    *("Library depleted in", "Library extraction method", "Library lysis method"),
    *("Library crosslinking method", "Library strand specific", "Experiment date released"),
    *("Project", "RBNS protein concentration", "Library fragmentation method"),
    *("Library size range", "Biological replicate(s)", "Technical replicate(s)", "Read length"),
    *("Mapped read length", "Run type", "Paired end", "Paired with", "Index of", "Derived from"),
    *("Size", "Lab", "md5sum", "dbxrefs", "File download URL", "Genome annotation", "Platform"),
    *("Controlled by", "File Status", "s3_uri", "Azure URL", "File analysis title"),
    *("File analysis status", "Audit WARNING", "Audit NOT_COMPLIANT", "Audit ERROR"),
)
BIOSAMPLES = {"K562": "EFO:0002067", "HepG2": "EFO:0001187"}

CELL_LINE_SHARE = (
    0.75  # how likely a bound window has its peak in a cell line; it has it in one at least
)
SECOND_SHIFT = 3  # bases the peak of the second cell line may lie aside
HALF_WIDTH = (12, 45)  # of a peak, its middle left out
WEAK_SHARE = 0.4  # of the strong peaks of a file: others below a threshold
THRESHOLD = 3.0  # of log2 fold change and of -log10 p
P_MAXIMUM = 400.0
ASSEMBLY, OLDER = "GRCh38", "hg19"
EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"


@dataclass(frozen=True)
class Peak:
    """A peak on the newer assembly; signal: log2 fold change over input; p: -log10 p."""

    seqname: str
    start: int
    end: int
    strand: str
    signal: float
    p: float

    @property
    def is_strong(self) -> bool:
        return self.signal >= THRESHOLD and self.p >= THRESHOLD


def draw_peaks(
    bound: Sequence[Window], others: Sequence[Window], rng: np.random.Generator
) -> dict[str, list[Peak]]:
    """Draw an RBP's peaks in each cell line: strong ones on bound windows, weak ones on some of the others."""
    drawn: dict[str, list[Peak]] = {cell_line: [] for cell_line in CELL_LINES}
    for window in bound:
        seen = [line for line in CELL_LINES if rng.random() < CELL_LINE_SHARE]
        seen = seen or [CELL_LINES[int(rng.integers(len(CELL_LINES)))]]
        for number, cell_line in enumerate(seen):
            shift = int(rng.integers(-SECOND_SHIFT, SECOND_SHIFT + 1)) if number else 0
            drawn[cell_line].append(_peak(window, shift, True, rng))
    for peaks in drawn.values():
        n_weak = min(round(WEAK_SHARE * len(peaks)), len(others))
        chosen = rng.choice(len(others), size=n_weak, replace=False)
        peaks += [_peak(others[i], 0, False, rng) for i in chosen]
        peaks.sort(key=lambda peak: (peak.seqname, peak.start, peak.end, peak.strand))
    return drawn


def write_peaks(path: Path, label: str, peaks: Sequence[Peak], track_line: bool) -> None:
    """Write a narrowPeak file of eCLIP, gzipped: score 1000 or 200, log2 fold change, -log10 p, no q, no summit."""
    lines = [f'track type=narrowPeak name="{label}"'] if track_line else []
    for peak in peaks:
        score = 1000 if peak.is_strong else 200
        place = f"{peak.seqname}\t{peak.start}\t{peak.end}\t{label}\t{score}\t{peak.strand}"
        lines.append(f"{place}\t{peak.signal:.5f}\t{peak.p:.5f}\t-1\t-1")
    write_lines(path, lines)


def write_manifest(path: Path, name: str, files: Mapping[tuple[str, str], Path]) -> None:
    """Write ENCODE's metadata table of the peak files, by RBP and cell line.

    The assemblies go by the names that rows are chosen by in ENCODE's tables. An experiment has more rows than the one
    to take: peaks of either replicate alone, of the older assembly, and the same peaks as bigBed. Those files are not
    written, and their md5sum is that of nothing.
    """
    lines = ["\t".join(COLUMNS)]
    for (rbp, cell_line), file in files.items():
        for words, format_, on, replicates in (
            ((), "bed narrowPeak", ASSEMBLY, "1, 2"),
            (("replicate 1",), "bed narrowPeak", ASSEMBLY, "1"),
            (("replicate 2",), "bed narrowPeak", ASSEMBLY, "2"),
            (("older",), "bed narrowPeak", OLDER, "1, 2"),
            (("bigBed",), "bigBed narrowPeak", ASSEMBLY, "1, 2"),
        ):
            accession = encode_accession("FF", name, rbp, cell_line, *words)
            kind = format_.split()[0]
            suffix = "bed.gz" if kind == "bed" else kind
            row = {
                "File accession": accession,
                "File format": format_,
                "File type": kind,
                "File format type": "narrowPeak",
                "Output type": "peaks",
                "File assembly": on,
                "Experiment accession": encode_accession("SR", name, rbp, cell_line),
                "Assay": "eCLIP",
                "Biosample term id": BIOSAMPLES[cell_line],
                "Biosample term name": cell_line,
                "Biosample type": "cell line",
                "Biosample organism": "Homo sapiens",
                "Experiment target": f"{rbp}-human",
                "Library made from": "RNA",
                "Project": "ENCODE",
                "Biological replicate(s)": replicates,
                "Technical replicate(s)": ", ".join(f"{n}_1" for n in replicates.split(", ")),
                "Size": str(file.stat().st_size if not words else 0),
                "Lab": "Gene Yeo, UCSD",
                "md5sum": file_digest(file, "md5") if not words else EMPTY_MD5,
                "File download URL": (
                    f"https://www.encodeproject.org/files/{accession}/@@download/{accession}.{suffix}"
                ),
                "File Status": "released",
            }
            lines.append("\t".join(row.get(column, "") for column in COLUMNS))
    write_lines(path, lines)


def _peak(window: Window, shift: int, is_strong: bool, rng: np.random.Generator) -> Peak:
    middle = window.place[0] + CENTRE + shift
    half = int(rng.integers(*HALF_WIDTH))
    signal, p = THRESHOLD + rng.exponential(1.5), THRESHOLD + rng.exponential(12.0)
    if not is_strong:  # below one of the thresholds
        if rng.random() < 0.7:
            signal = rng.uniform(0.2, 0.95) * THRESHOLD
        else:
            p = rng.uniform(0.3, 0.95) * THRESHOLD
    start, end, place = middle - half, middle + half + 1, window.gene.place
    return Peak(place.contig, start, end, place.sign, float(signal), min(float(p), P_MAXIMUM))
