"""What a study is, and what its tables and figures are; standard library only, read by the Snakefile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nucleotune.plan import Dataset
    from nucleotune.plan.run import Run
    from nucleotune.sources.registry import Source

#: Name -> (path, source), the source being None for a local file.
Files = dict[str, "tuple[str, Source | None]"]

#: Kind of a product -> its folder and the endings of its files.
KINDS = {"table": ("tables", ("tsv", "html")), "figure": ("figures", ("svg", "png"))}


@dataclass(frozen=True)
class Product:
    """A table or a figure: one entry, made by the one rule of rules/products.smk.

    name       of the target and the rule: lncrna_table3
    title      what the terminal says while it is made
    make       function that makes it, imported in the job only: "nucleotune.studies.lncrna.write:table3"; of a table
               it takes the input files and `arguments` and returns the table and its texts (`write_table`), of a
               figure also the SVG's path, and draws it there
    needs      input files, by name
    arguments  of `make`: JSON values
    kind       "table" or "figure"
    file       name of its files where that is not `name`
    shown      whether its study asks for it; else it is made only when asked for by name, and says that it is empty
    """

    name: str
    title: str
    make: str
    needs: Mapping[str, str | Sequence[str]]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "table"
    file: str | None = None
    shown: bool = True

    def outputs(self, place: Callable[[str], str]) -> dict[str, str]:
        """Ending -> path; `place` says where a run keeps its tables and figures (`Run.place`)."""
        folder, endings = KINDS[self.kind]
        return {ending: place(f"{folder}/{self.file or self.name}.{ending}") for ending in endings}


@dataclass(frozen=True)
class Study:
    """What differs from study to study.

    datasets       of a run: name -> data set, in table order
    methods        of a configuration and a data set, in the order of the tables' rows
    labels         of a data set: names of its classes, labels or targets, in order
    files          of a run and a data set, what it is built from
    task           of a data set, the kind of its labels, one of `kinds`
    kinds          those of `tasks.KINDS` that it has
    more_files     of a run, files that its rules read beside those of the data sets
    on_request     of a run, files of steps that are only asked for by name: path -> source
    genomes        of a run: owners of a genome, with its files by name
    against        of a run, methods that the others are compared with: the best of them, or the only one
    judged         of a run and a data set's name, further arguments of its kind's `evaluate` and `compare`: names of
                   classes, main metric, cut-off
    both_strands   of a run and a data set's name, whether a sequence on the other strand is a relative
    other_tests    whether further test sets hold other examples than the test split, not these changed: then relatives
                   of theirs are looked for, too
    species_rules  rules with one job per species whose time the study's page counts
    cost_names     of a data set, what the table of costs calls it
    listed         of a run, all data sets that it could have: jobs that trainings share are cut from these, so that
                   leaving one out changes its own job alone; None for those that it has
    folded         whether a method's file asks for structures, which are then folded once for all of them
    motifs         MEME file of this checkout that its motifs are compared with
    tasks          of its block, the plug-in directories and data_dir: its task files by name, checked
    check_settings of its block of the configuration and the source, for messages: raises InputError, as those below
    trim           takes analyses of methods out of its block that the run does not have: `kept(key, names, known)`
    check_data     of its block, the collections and the source: notes on what the run leaves out
    check_methods  of its block, method and model files and the source: likewise
    described      of a run, what its page is told: `datasets`, `methods`, `pools` (titles)
    products       of a run, its tables and figures
    facts          of a run, files with further facts of data cards, by data set
    intermediates  of a run, further files that its tables are made from
    """

    datasets: Callable[[Run], Mapping[str, Dataset]]
    methods: Callable[[Mapping[str, Any], Any], list[str]]
    labels: Callable[[Any], Sequence[str]]
    files: Callable[[Run, Any], Files]
    described: Callable[[Run], dict[str, Any]]
    products: Callable[[Run], list[Product]]
    task: Callable[[Any], str] = lambda dataset: "classes"
    kinds: tuple[str, ...] = ("classes",)
    more_files: Callable[[Run], Iterable[Files]] = lambda run: ()
    on_request: Callable[[Run], Mapping[str, Source]] = lambda run: {}
    genomes: Callable[[Run], Iterable[tuple[str, Files]]] = lambda run: ()
    against: Callable[[Run], list[str]] = lambda run: run.baselines
    judged: Callable[[Run, str], dict[str, Any]] = lambda run, dataset: {}
    both_strands: Callable[[Run, str], bool] = lambda run, dataset: False
    other_tests: bool = True
    species_rules: tuple[str, ...] = ()
    cost_names: Callable[[Any], list[str]] = lambda dataset: list(dataset.species)
    listed: Callable[[Run], Iterable[str]] | None = None
    folded: Callable[[Mapping[str, Any]], bool] = lambda method: False
    motifs: str | None = None
    tasks: Callable[..., dict[str, Any]] = lambda block, folders, data_dir: {}
    check_settings: Callable[[Mapping[str, Any], str], None] = lambda block, source: None
    trim: Callable[[dict[str, Any], Callable[..., list]], None] = lambda block, kept: None
    check_data: Callable[..., list[str]] = lambda block, collections, source: []
    check_methods: Callable[..., list[str]] = lambda block, methods, models, source: []
    facts: Callable[[Run], list[str]] = lambda run: []
    intermediates: Callable[[Run], list[str]] = lambda run: []
