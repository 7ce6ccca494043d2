"""What a user's files seem to hold: a guess for each key of a task file, with what it rests on.

Nothing is guessed in silence: each guess is a `Guess`, whose `why` is printed and written beside the key.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.delimited import finite_number, records, split_cells, whole_number, whole_numbers
from nucleotune.errors import InputError, did_you_mean
from nucleotune.sequence.fasta import read_letters
from nucleotune.studies.task.labels import MISSING, PRESENT
from nucleotune.studies.task.plugin import BED, PLACE
from nucleotune.studies.task.read import SEPARATORS, read_parquet_texts, read_texts
from nucleotune.text import read_lines

#: Names of columns, in lower case, the likelier ones first.
NAMES = {
    "sequence": ("sequence", "seq", "sequences", "dna", "rna", "dna_sequence"),
    "label": ("label", "labels", "class", "target", "y", "category", "value", "score"),
    "id": ("id", "name", "seq_id", "identifier", "transcript", "transcript_id"),
    "group": ("group", "gene", "gene_id", "gene_name", "cluster", "family", "locus"),
    "split": ("split", "fold", "part", "set", "subset"),
    "seqname": ("chrom", "chr", "seqname", "chromosome", "contig", "seq_region"),
    "start": ("start", "chromstart", "begin", "from"),
    "end": ("end", "chromend", "stop", "to"),
    "strand": ("strand",),
}
#: Parts of data by what files and cells call them.
PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}
#: Classes are taken for such up to so many; and a separator stands between labels of no more.
MOST_CLASSES = 20
#: Of two classes, what the one that is not looked for is called, and the one that is; lower case.
NEGATIVE = frozenset(
    (
        *(
            "0",
            "-1",
            "-",
            "no",
            "n",
            "non",
            "not",
            "none",
            "false",
            "f",
            "negative",
            "negatives",
            "neg",
        ),
        *(
            "control",
            "controls",
            "ctrl",
            "background",
            "absent",
            "off",
            "random",
            "shuffled",
            "decoy",
        ),
    )
)
POSITIVE = frozenset(
    ("1", "+", "yes", "y", "true", "t", "positive", "positives", "pos", "present", "on", "case")
)
#: What may stand between several labels in a cell.
LABEL_SEPARATORS = (";", "|", ",")

_SEQUENCE = re.compile("[ACGTUNRYKMSWBDHV]+", re.IGNORECASE)
_FIELD = re.compile(r"(?<![\w])([A-Za-z_]\w*)[=:]([^\s;,|]+)")


@dataclass
class Look:
    """What was found: keys of a task file, why, and what else a user should know."""

    keys: dict[str, Any] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, key: str, value: Any, why: str) -> None:
        """A key of the task file (`columns.id`: one of its block) and what it rests on."""
        block, _, inner = key.rpartition(".")
        (self.keys.setdefault(block, {}) if block else self.keys)[inner] = value
        self.why[key] = why


def look(files: Sequence[Path], asked: Mapping[str, Any]) -> Look:
    """Guess what some files hold.

    asked: what the user says of it and overrules a guess: `kind`, `sequence`, `label` (a list), `id`, `group`,
    `separator`, `genome`. Raises InputError where files are of several forms, and where it cannot be told which column
    holds the sequences or the labels.
    """
    found = Look()
    forms = {path: form_of(path) for path in files}
    if len(set(forms.values())) > 1:
        said = ", ".join(f"{path} ({form})" for path, form in forms.items())
        raise InputError(
            f"files of several forms: {said}; give files of one form, or start with one of them"
        )
    form = forms[files[0]]
    found.take("format", form, "by its first lines")
    looks = {"fasta": _look_at_fasta, "bed": _look_at_bed}
    looks.get(form, _look_at_table)(files, asked, found)
    _files(files, found)
    _kind(asked, found)
    return found


def form_of(path: Path) -> str:
    """Form of a file by its name and first line: fasta, parquet, bed or table. InputError for none of them."""
    name = path.name.lower().removesuffix(".gz")
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    if name.endswith((".xlsx", ".xls")):
        raise InputError(f"{path}: a spreadsheet; save it as TSV or CSV")
    first = next((line for _, line in read_lines(path) if line.strip()), "")
    if not first:
        raise InputError(f"{path}: the file is empty; expected a table, FASTA or BED")
    if first.startswith(">"):
        return "fasta"
    line = next((line for _, line in records(path)), "")
    cells = split_cells(line)
    if len(cells) > 2 and None not in (whole_number(cells[1]), whole_number(cells[2])):
        return "bed"
    return "table"


def letters_of(sequences: Iterable[str]) -> dict[str, int]:
    """How many sequences hold lower case, U, N and other codes, of those that do."""
    series = pd.Series(list(sequences), dtype=object)
    patterns = {"lower case": "[a-z]", "U": "[Uu]", "N": "[Nn]", "other codes": "[^ACGTUNacgtun]"}
    counts = {name: int(series.str.contains(one).sum()) for name, one in patterns.items()}
    return {name: n for name, n in counts.items() if n}


def _look_at_table(files: Sequence[Path], asked: Mapping[str, Any], found: Look) -> None:
    read = read_parquet_texts if found.keys["format"] == "parquet" else read_texts
    tables = [read(path) for path in files]
    for path, table in zip(files, tables, strict=True):
        if list(table) != list(tables[0]):
            raise InputError(
                f"{path}: columns {', '.join(table)}; those of {files[0]} are {', '.join(tables[0])}: give files with"
                " the same columns"
            )
    table = pd.concat(tables, ignore_index=True)
    if found.keys["format"] == "table":
        head = next(line for _, line in read_lines(files[0]) if line.strip())
        between = next((one for one in SEPARATORS if one in head), "\t")
        said = {"\t": "tabs", ",": "commas", ";": "semicolons"}[between]
        found.why["format"] = f"a header line with {said} between {len(table.columns)} columns"
    names = {name.lower(): name for name in reversed(list(table))}
    left = dict.fromkeys(table)

    def take(key: str, name: str, why: str) -> None:
        found.take(f"columns.{key}", name, why)
        left.pop(name, None)

    for key in ("sequence", "id", "group"):
        if asked.get(key):
            _known(asked[key], table, key, files[0])
            take(key, asked[key], f"as --{key} says")
    label = list(asked.get("label") or [])
    for name in label:
        _known(name, table, "label", files[0])
        left.pop(name, None)
    for key in PLACE:
        name = next((names[one] for one in NAMES[key] if names.get(one) in left), None)
        if name is not None and _is_place(key, table[name]):
            take(key, name, "by its name and cells")
    if "columns.sequence" not in found.why:
        _sequence_column(table, left, take, found, asked, files[0])
    for name in list(left):
        parts = {cell.casefold() for cell in table[name].unique()}
        if "columns.split" not in found.why and len(parts) > 1 and parts <= PARTS.keys():
            take("split", name, f"its cells are {', '.join(sorted(parts))}")
    if not label:
        label = _label_columns(table, left, files[0], found)
    else:
        found.why["columns.label"] = "as --label says"
    found.take("columns.label", label if len(label) > 1 else label[0], found.why["columns.label"])
    for name in label:
        left.pop(name, None)
    for key in ("id", "group"):
        for name in list(left):
            unique = table[name].is_unique and (table[name] != "").all()
            if f"columns.{key}" in found.why or name.lower() not in NAMES["id"] + NAMES["group"]:
                continue
            if key == "id" and unique:
                take("id", name, "its cells are all different")
            elif key == "group" and not unique and name.lower() in NAMES["group"]:
                take("group", name, f"by its name; {table[name].nunique():,} of them")
    if left:
        found.notes.append(f"columns that are not read: {', '.join(left)}")
    if {"columns.start", "columns.sequence"} <= found.why.keys():
        _first_base(table, found)
    columns = found.keys["columns"]
    found.keys["columns"] = {key: columns[key] for key in NAMES if key in columns}
    found.keys["_labels"] = {name: table[name] for name in label}


def _sequence_column(table, left, take, found: Look, asked: Mapping[str, Any], path: Path) -> None:
    """The column of sequences: nothing but nucleotide codes, and of several the one with the longest."""
    scores = {}
    for name in left:
        cells = table[name][table[name] != ""]
        if (
            len(cells)
            and cells.str.fullmatch(_SEQUENCE).mean() > 0.95
            and cells.str.len().median() >= 5
        ):
            scores[name] = (name.lower() in NAMES["sequence"], float(cells.str.len().median()))
    if scores:
        name = max(scores, key=lambda one: scores[one])
        others = [one for one in scores if one != name]
        also = f"; so does {', '.join(others)}" if others else ""
        take("sequence", name, f"holds nothing but nucleotide codes{also}")
        return
    if all(f"columns.{key}" in found.why for key in ("seqname", "start", "end")):
        if not asked.get("genome"):
            raise InputError(
                f"{path}: no column of sequences, but places; give the FASTA file of their genome with --genome, or"
                " name the column of sequences with --sequence"
            )
        found.take("genome", {"path": str(asked["genome"])}, "as --genome says")
        return
    raise InputError(
        f"{path}: no column holds sequences (nucleotide codes only, 5 nt or more); its columns are"
        f" {', '.join(table)}: name it with --sequence"
    )


def _label_columns(
    table: pd.DataFrame, left: Mapping[str, None], path: Path, found: Look
) -> list[str]:
    """The column or columns of the label among those that are left."""
    by_name = [name for name in left if name.lower() in NAMES["label"]]
    if len(by_name) == 1:
        found.why["columns.label"] = "by its name"
        return by_name
    may_be = [
        name
        for name in left
        if name.lower() not in NAMES["id"] + NAMES["group"] and table[name].nunique() > 1
    ]
    flags = [name for name in may_be if {*table[name].str.lower()} <= PRESENT.keys() | set(MISSING)]
    if len(flags) > 1 and len(flags) == len(may_be):
        found.why["columns.label"] = "each holds 0 and 1, or nothing"
        return flags
    likely = [
        name for name in may_be if _is_number(table[name]) or table[name].nunique() <= MOST_CLASSES
    ]
    if len(likely) == 1:
        found.why["columns.label"] = "the only one left with numbers or few different cells"
        return likely
    raise InputError(
        f"{path}: which column is the label? {', '.join(may_be) or 'None'} may be; name it with --label (several times"
        " for several labels or numbers)"
    )


def _first_base(table: pd.DataFrame, found: Look) -> None:
    """Whether places count from 0 or 1, by the lengths of sequences; places that fit neither are not read."""
    columns = found.keys["columns"]
    start, end = (whole_numbers(table[columns[key]])[0] for key in ("start", "end"))
    length = table[columns["sequence"]].str.len().to_numpy()
    for first in (0, 1):
        if (end - start + first == length).all():
            found.take(
                "first",
                first,
                f"{columns['end']} - {columns['start']} fits the lengths of the sequences",
            )
            return
    left = [columns.pop(key) for key in ("start", "end", "strand") if key in columns]
    found.notes.append(
        f"{', '.join(left)}: are not read, the places have other lengths than the sequences"
    )


def _look_at_fasta(files: Sequence[Path], asked: Mapping[str, Any], found: Look) -> None:
    read = {path: list(read_letters(path)) for path in files}
    headers = [header for rows in read.values() for header, _, _ in rows]
    found.why["format"] = "its first line starts with '>'"
    first = [header.split(maxsplit=1)[0] for header in headers]
    fields = pd.DataFrame([dict(_FIELD.findall(header)) for header in headers]).fillna("")
    label = (asked.get("label") or [None])[0]
    if label is None:
        label = next((one for one in fields if one.lower() in NAMES["label"]), None)
    if label is not None and label in fields:
        pattern = rf"^(?P<id>\S+).*?\b{re.escape(label)}[=:](?P<label>[^\s;,|]+)"
        if label in dict(_FIELD.findall(first[0])):
            pattern = rf"\b{re.escape(label)}[=:](?P<label>[^\s;,|]+)"
        found.take("header", pattern, f"headers have a field {label!r}")
        found.keys["_labels"] = {"label": fields[label]}
        return
    if len(files) > 1 and label is None:
        found.keys["_by_file"] = True
        stems = [stem(path) for path in files]
        owners = [name for name, rows in zip(stems, read.values(), strict=True) for _ in rows]
        found.take("header", None, "the class is that of the file")
        found.keys["_labels"] = {"label": pd.Series(owners)}
        return
    fields_said = ", ".join(fields) or "none"
    raise InputError(
        f"{files[0]}: where is the label? Give a file a class, or name the field of the headers that holds it with"
        f" --label (fields found: {fields_said}; first header: {headers[0][:80]!r})"
    )


def _look_at_bed(files: Sequence[Path], asked: Mapping[str, Any], found: Look) -> None:
    if not asked.get("genome"):
        raise InputError(
            f"{files[0]}: places (BED); give the FASTA file of their genome with --genome"
        )
    found.take("genome", {"path": str(asked["genome"])}, "as --genome says")
    rows = [(stem(path), split_cells(line)) for path in files for _, line in records(path)]
    width = min(len(cells) for _, cells in rows)
    names = [*BED, *(str(n) for n in range(len(BED) + 1, width + 1))][:width]
    found.why["format"] = f"its second and third column are positions; {width} columns"
    label = list(asked.get("label") or [])
    if label:
        for name in label:
            if name not in names:
                raise InputError(
                    f"{files[0]}: no column {name!r} (--label); BED has {', '.join(names)}"
                )
        found.take("columns.label", label if len(label) > 1 else label[0], "as --label says")
        cells = {name: pd.Series([c[names.index(name)] for _, c in rows]) for name in label}
        found.keys["_labels"] = cells
        return
    if len(files) > 1:
        found.keys["_by_file"] = True
        found.keys["_labels"] = {"label": pd.Series([name for name, _ in rows])}
        return
    raise InputError(
        f"{files[0]}: which column is the label? Name it with --label ({', '.join(names[3:])}), or give a file a class"
    )


def stem(path: Path) -> str:
    """Name of a file without its endings."""
    name = path.name
    for ending in (".gz", ".bgz"):
        name = name.removesuffix(ending)
    return name.rsplit(".", 1)[0] if "." in name.strip(".") else name


def _files(files: Sequence[Path], found: Look) -> None:
    """One entry a file: with its class, or with its part where all names say one."""
    parts = [
        next(
            (PARTS[word] for word in re.split(r"[^a-z]+", stem(path).lower()) if word in PARTS),
            None,
        )
        for path in files
    ]
    entries: list[dict[str, Any]] = [{"path": str(path)} for path in files]
    if found.keys.pop("_by_file", False):
        entries = [{**one, "class": stem(path)} for one, path in zip(entries, files, strict=True)]
        found.take("files", entries, "each file is a class, named after it")
        return
    if len(files) > 1 and None not in parts and {"train", "test"} <= set(parts):
        entries = [{**one, "split": part} for one, part in zip(entries, parts, strict=True)]
        found.take("files", entries, "their names say the part")
        return
    found.take("files", entries, "put together in this order" if len(files) > 1 else "")


def _kind(asked: Mapping[str, Any], found: Look) -> None:
    """What is predicted, and the names of classes or labels."""
    labels: dict[str, pd.Series] = found.keys.pop("_labels")
    cells = pd.concat(labels.values(), ignore_index=True)
    known = cells[~cells.str.lower().isin(MISSING)]
    distinct = known.nunique()
    kind, why = asked.get("kind"), "as --kind says"
    separator = asked.get("separator")
    if kind is None:
        if len(labels) > 1:
            flags = set(known.str.lower()) <= PRESENT.keys()
            kind = "labels" if flags else "numbers"
            why = "several columns of 0 and 1" if flags else "several columns of numbers"
        elif separator:
            kind, why = "labels", "as --separator says"
        elif _is_number(known) and (distinct > MOST_CLASSES or not _is_whole(known)):
            kind, why = "numbers", f"{distinct:,} different numbers"
        elif distinct <= MOST_CLASSES:
            kind, why = "classes", f"{cells[cells != ''].nunique()} different cells"
            if _is_number(known) and distinct > 2:
                why += "; if they are counts or grades, say --kind numbers"
        elif separator := _separator(known):
            kind = "labels"
            why = f"cells are lists of a few names between {separator!r}"
        else:
            raise InputError(
                f"{found.keys['files'][0]['path']}: {distinct:,} different texts as labels"
                f" ({', '.join(known.unique()[:3])}, ...), too many for classes;"
                " is it the right column (--label)? Else say --kind classes"
            )
    if kind == "classes":
        # A reader of classes takes an empty cell alone as unknown.
        known = cells[cells != ""]
        if words := [one for one in known.unique() if one.lower() in MISSING]:
            why += f"; {' and '.join(map(repr, words))} taken as a class: leave cells empty where the class is unknown"
        if known.nunique() < 2:
            said = f"all labels are {known.iloc[0]!r}" if len(known) else "no row has a label"
            raise InputError(
                f"{found.keys['files'][0]['path']}: {said}; expected two classes or more: is it the right column"
                " (--label)?"
            )
    found.take("kind", kind, why)
    if kind == "classes":
        found.take("classes", *_in_order(known.value_counts()))
    if kind == "labels" and len(labels) == 1 and (separator := separator or _separator(known)):
        found.take("separator", separator, "stands between labels")
        names = {one.strip() for cell in known.unique() for one in cell.split(separator)} - {""}
        found.take("names", sorted(names), "all that occur")


def _in_order(counts: pd.Series) -> tuple[list[str], str]:
    """Classes in order, and the reason. Of two the second is looked for: by its name, else the rarer one.

    counts: rows by class.
    """
    classes = sorted(counts.index, key=lambda one: (finite_number(one) or 0, one))
    if len(classes) != 2:
        return classes, "in the order of their names"
    first, second = classes
    negative = _is_negative(first, second), _is_negative(second, first)
    if negative == (False, True):
        return [second, first], f"{first!r} is looked for, by the names"
    if negative == (True, False) or _is_number(counts.index.to_series()):
        return classes, f"{second!r} is looked for, by the names"
    if counts[first] != counts[second]:
        rare, common = sorted(classes, key=lambda one: counts[one])
        return [common, rare], f"{rare!r} is looked for, it is the rarer one"
    return classes, f"{second!r} is looked for, for no better reason than the order of the names"


def _is_negative(name: str, other: str) -> bool:
    """Whether the names of two classes say that the first is what is not looked for: no and yes, unbound and bound."""
    name, other = name.lower(), other.lower()
    if re.sub(r"^(non|not|no|un|in)[-_ ]?", "", name) == other:
        return True
    return _says(name, NEGATIVE) or _says(other, POSITIVE)


def _says(name: str, words: frozenset[str]) -> bool:
    return name in words or any(len(one) > 1 and one in words for one in re.split("[^a-z]+", name))


def _separator(cells: pd.Series) -> str | None:
    for separator in LABEL_SEPARATORS:
        if cells.str.contains(separator, regex=False).mean() < 0.05:
            continue
        names = {one.strip() for cell in cells.unique() for one in cell.split(separator)}
        if len(names) <= 10 * MOST_CLASSES and len(names) < cells.nunique():
            return separator
    return None


def _is_number(cells: pd.Series) -> bool:
    known = [one for one in cells.unique() if one.lower() not in MISSING]
    return bool(known) and all(finite_number(one) is not None for one in known)


def _is_whole(cells: pd.Series) -> bool:
    return all(whole_number(one) is not None for one in cells.unique())


def _is_place(key: str, cells: pd.Series) -> bool:
    if key in ("start", "end"):
        return all(whole_number(one) is not None for one in cells.iloc[:1000])
    if key == "strand":
        return set(cells.unique()) <= {"+", "-", ".", "", "1", "-1"}
    return True


def _known(name: str, table: pd.DataFrame, option: str, path: Path) -> None:
    if name not in table:
        hint = did_you_mean(name, list(table), f"it has {', '.join(table)}")
        raise InputError(f"{path}: no column {name!r} (--{option}); {hint}")
