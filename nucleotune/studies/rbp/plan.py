"""What the RBP study consists of, worked out from its configuration and sheets alone; standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nucleotune.names import by_name
from nucleotune.plan import DOWNLOADS, Dataset, remote_source
from nucleotune.plan.run import Run, read_forms
from nucleotune.sources.registry import Source, local_path, resolve
from nucleotune.studies.base import Files

#: What labels 0 and 1 mean.
LABELS = ("unbound", "bound")


@dataclass(frozen=True)
class RbpDataset(Dataset):
    """One RBP of a collection; `rows` are those of the collection's sheet."""

    collection: str = ""
    rbp: str = ""

    @property
    def owner(self) -> str:
        """Whose genome and annotation it is read from: its collection."""
        return self.collection


def listed_rbps(run: Run) -> dict[str, RbpDataset]:
    """All data sets `<collection>_<rbp>` of the sheets, in their order."""
    datasets = [
        RbpDataset(f"{name}_{rbp}", "", (), collection=name, rbp=rbp)
        for name in run.config["rbp"]["collections"]
        for rbp in dict.fromkeys(row["rbp"] for row in run.collections[name]["rows"])
    ]
    return by_name(datasets, "a collection and an RBP")


def rbp_datasets(run: Run) -> dict[str, RbpDataset]:
    """Those of them that the run has (`rbp.rbps`)."""
    rbps = run.config["rbp"]["rbps"]
    return {name: one for name, one in listed_rbps(run).items() if rbps is None or one.rbp in rbps}


def collection_of(run: Run, dataset: str) -> Mapping[str, Any]:
    """The collection file of a data set."""
    return run.collections[run.datasets["rbp"][dataset].collection]


def rbp_rows(collection: Mapping[str, Any], rbp: str) -> list[dict[str, str]]:
    """Rows of a collection's sheet about one RBP: several for peaks, else one."""
    return [row for row in collection["rows"] if row["rbp"] == rbp]


def rbp_files(run: Run, dataset: RbpDataset) -> Files:
    """Files that a data set is built from: name -> (path, source); the source is None for a local file.

    Names: `sequences`; `positives`, `negatives`; `train`, `valid`, `test`; or `peaks_<n>` of the n-th row with
    `annotation` and `genome`.
    """
    collection, data_dir = run.collections[dataset.collection], run.config["data_dir"]
    rows = rbp_rows(collection, dataset.rbp)
    if collection["format"] == "rbpsuite":
        return {"sequences": _place(collection["sequences"], data_dir)}
    if collection["format"] == "narrowpeak":
        peaks = {}
        for number, row in enumerate(rows):
            source = resolve(run.registry["encode_peaks"], accession=row["accession"])
            if "md5" in row:
                source = replace(source, checksum=f"md5:{row['md5']}")
            peaks[f"peaks_{number}"] = (f"{DOWNLOADS}/{local_path(source.urls[0])}", source)
        regions = region_files(run, dataset.collection)
        return peaks | {name: regions[name] for name in ("annotation", "genome")}
    (row,) = rows
    columns = ("sequences", "positives", "negatives", "train", "valid", "test")
    return {name: _cell(row[name], data_dir) for name in columns if name in row}


def region_files(run: Run, collection: str) -> Files:
    """Files that a collection's transcript regions are read from: annotation, and where named genome and chain."""
    regions = run.collections[collection]["regions"] or {}
    return {name: _place(file, run.config["data_dir"]) for name, file in regions.items() if file}


def region_paths(run: Run, dataset: str) -> dict[str, str]:
    """What the transcript regions of an RBP's sequences are read from: name -> path."""
    owner = run.datasets["rbp"][dataset].owner
    return read_forms(owner, region_files(run, owner))


def _place(file: Mapping[str, Any], data_dir: str) -> tuple[str, Source | None]:
    if file["path"]:
        return str(Path(data_dir) / file["path"]), None
    source = remote_source(file, "collection file", plain="text")
    return f"{DOWNLOADS}/{local_path(source.urls[0])}", source


def _cell(value: str, data_dir: str) -> tuple[str, Source | None]:
    if "://" in value:
        return _place({"path": None, "urls": [value], "checksum": "none"}, data_dir)
    return str(Path(data_dir) / value), None


def analysed(run: Run, dataset: RbpDataset, kind: str) -> bool:
    """Whether `kind`, `regions` or `structures`, of a data set is analysed; regions need an annotation."""
    attention = run.config["rbp"]["attention"]
    if attention["method"] is None:
        return False
    if kind == "regions" and not run.collections[dataset.collection]["regions"]:
        return False
    return (
        dataset.rbp in attention[{"regions": "region_rbps", "structures": "structure_rbps"}[kind]]
    )


def analysis_input(run: Run, dataset: str, kind: str) -> str | list[str]:
    """Regions or structures of a data set; [] where they are not analysed."""
    wanted = analysed(run, run.datasets["rbp"][dataset], kind)
    return f"results/rbp/{dataset}/{kind}.parquet" if wanted else []


def analysed_checkpoint(run: Run) -> str | list[str]:
    """The checkpoint that the analysed model started from: the model before fine-tuning; [] without analysis."""
    method = run.config["rbp"]["attention"]["method"]
    return f"resources/checkpoints/{run.methods[method]['model']}" if method else []


def attended(run: Run) -> list[str]:
    """Data sets whose models' attention is analysed."""
    return [
        name
        for name, one in run.datasets["rbp"].items()
        if analysed(run, one, "regions") or analysed(run, one, "structures")
    ]


def reads_structures(method: Mapping[str, Any]) -> bool:
    """Whether a method (its file) reads structures that are folded once for all of them."""
    if method["kind"] != "baseline":
        return False
    graphprot = method["graphprot"]
    return method["baseline"] == "ideeps" or (
        method["baseline"] == "graphprot"
        and not graphprot["sequence_only"]
        and graphprot["abstraction"] == 3
    )


def described_rbps(
    datasets: Mapping[str, RbpDataset], collections: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What tables and figures say of each data set, in order."""
    several = len({dataset.collection for dataset in datasets.values()}) > 1
    result = []
    for dataset in datasets.values():
        one = collections[dataset.collection]
        # The paper splits at random: whole places are another, harder question.
        locus = one["split"] == "locus"
        result.append(
            {
                "name": dataset.name,
                "species": dataset.collection,
                "split": one["split"],
                "rbp": dataset.rbp,
                "collection": dataset.collection,
                "title": f"{dataset.rbp}, {one['title']}" if several else dataset.rbp,
                "published_as": one["published_as"],
                "comparable": one["comparable"] and not locus,
                "note": "; ".join(filter(None, (one["note"], "no place in two parts" * locus))),
            }
        )
    return result
