"""What a run consists of, worked out from its configuration alone: the one object that rules and products ask.

It is built in milliseconds, again in every cluster job: standard library only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import Any

from nucleotune.errors import InputError
from nucleotune.files import file_digest
from nucleotune.models.spec import has_windows
from nucleotune.plan import (
    DOWNLOADS,
    MODELS_LOCK,
    Dataset,
    check_baselines,
    checkpoint_files,
    pool_name,
    pretraining_pairs,
    shared_jobs,
    used_models,
)
from nucleotune.plan.attribution import Explanation, attributed_runs, targets_of
from nucleotune.simulate.paths import simulated_collection_paths, simulated_paths
from nucleotune.sources.hub import Locked, read_revisions
from nucleotune.sources.mirror import missing
from nucleotune.sources.registry import Source, local_path, read_registry
from nucleotune.stages import ROOT
from nucleotune.studies.base import Files, Product, Study

SEED_OF = "results/{study}/{dataset}/{method}/seed{seed}"
METRICS = "results/{study}/{dataset}/{method}/metrics.json"
PREDICTIONS = f"{SEED_OF}/predictions.parquet"
RELATIVES = "results/{study}/{dataset}/relatives.json"

#: What is read in another form than it is fetched: a genome unpacked, an annotation as Parquet.
READ_AS = {
    "genome": "resources/genomes/{owner}.fa",
    "annotation": "resources/annotation/{owner}.parquet",
}


def without(mapping: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """A copy of `mapping` less some keys: a parameter of a rule holds what its result depends on, no more."""
    return {key: value for key, value in mapping.items() if key not in keys}


def read_forms(owner: str, files: Files) -> dict[str, str]:
    """Where the files of a species or collection are read, by name: those of READ_AS as they are made from them."""
    return {
        name: READ_AS[name].format(owner=owner) if name in READ_AS else path
        for name, (path, _) in files.items()
    }


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A run. What follows from its parts is worked out when it is first asked for, and once.

    config, species, models, methods, collections  as `config.load_run` returns them
    notes      sentences on what the run leaves out
    studies    its studies by name, in the order of the configuration
    registry   where public files come from, by name
    revisions  commits that revisions of models are locked to, by model
    """

    config: Mapping[str, Any]
    species: Mapping[str, Any]
    models: Mapping[str, Any]
    methods: Mapping[str, Any]
    collections: Mapping[str, Any]
    tasks: Mapping[str, Any]
    notes: list[str]
    studies: Mapping[str, Study]
    registry: Mapping[str, Source]
    revisions: Mapping[str, Locked]

    @classmethod
    def of(cls, loaded: Mapping[str, Any], studies: Mapping[str, Study]) -> "Run":
        """The run that `config.load_run` loaded, with the registry of this checkout and the lock of its own directory.

        Raises InputError where a study cannot be as it is asked for, or a file of sources cannot be read.
        """
        left_out = [
            f"method {name} is left out: its model's licence is non-commercial"
            for name in loaded["left_out"]
        ]
        parts = ("config", "species", "models", "methods", "collections", "tasks")
        return cls(
            *(loaded[part] for part in parts),
            notes=left_out + loaded["notes"],
            studies={name: studies[name] for name in loaded["config"]["studies"]},
            registry=read_registry(ROOT / "resources/sources.tsv"),
            revisions=read_revisions(MODELS_LOCK),
        )

    def __post_init__(self) -> None:
        """Work out what may be refused: that is said before the first job."""
        for study, sets in self.assigned.items():
            for dataset, names in sets.items():
                kind, labels = self.task(study, dataset), self.labels(study, dataset)
                check_baselines(f"{study}: {dataset}", kind, len(labels), names, self.methods)
        for part in ("attributed", "sources", "genomes"):
            getattr(self, part)

    # Data sets and methods

    @cached_property
    def datasets(self) -> dict[str, Mapping[str, Dataset]]:
        """Study -> name -> data set, in table order."""
        return {name: study.datasets(self) for name, study in self.studies.items()}

    @cached_property
    def assigned(self) -> dict[str, dict[str, list[str]]]:
        """Study -> data set -> its methods, in the order of the tables' rows."""
        return {
            study: {
                name: self.studies[study].methods(self.config, one) for name, one in sets.items()
            }
            for study, sets in self.datasets.items()
        }

    @cached_property
    def shown(self) -> dict[str, list[str]]:
        """Study -> data sets in its tables: all but pools."""
        return {
            study: [one.name for one in sets.values() if not one.pooled]
            for study, sets in self.datasets.items()
        }

    @cached_property
    def attributed(self) -> dict[str, list[Explanation]]:
        """Study -> models that are explained, and which of their outputs."""
        return {
            study: attributed_runs(
                self.config,
                study,
                self.shown[study],
                [one.name for one in self.datasets[study].values() if one.aside],
                self.assigned[study],
                lambda dataset, study=study: (
                    self.task(study, dataset),
                    self.labels(study, dataset),
                ),
            )
            for study in self.studies
        }

    def targets(self, study: str, dataset: str) -> dict[str, str]:
        """What is explained of a data set's models: part of the path -> name, see `attribution.targets_of`."""
        settings = self.config[study]["attribution"]
        return targets_of(self.task(study, dataset), self.labels(study, dataset), settings)

    @property
    def seeds(self) -> list[int]:
        """Seeds of every training; the first one's model is analysed."""
        return self.config["seeds"]

    @cached_property
    def language_models(self) -> list[str]:
        """Methods that fine-tune a language model."""
        return [name for name, one in self.methods.items() if one["kind"] == "language_model"]

    @cached_property
    def trained(self) -> list[str]:
        """Methods that rule `finetune` trains: all but classical ones."""
        return [name for name, one in self.methods.items() if one["kind"] != "baseline"]

    @cached_property
    def baselines(self) -> list[str]:
        """Classical methods."""
        return [name for name, one in self.methods.items() if one["kind"] == "baseline"]

    @cached_property
    def originals(self) -> list[str]:
        """Those of them that are tools as they are installed."""
        return [name for name in self.baselines if self.methods[name]["mode"] == "original"]

    def task(self, study: str, dataset: str) -> str:
        """Kind of a data set's labels, one of `tasks.KINDS`."""
        return self.studies[study].task(self.datasets[study][dataset])

    def labels(self, study: str, dataset: str) -> list[str]:
        """Names of a data set's classes, labels or targets, in order."""
        return list(self.studies[study].labels(self.datasets[study][dataset]))

    def head(self, study: str, dataset: str) -> tuple[str, ...]:
        """Kind and names of what a data set's models predict; any two classes are alike.

        So is a data set that could be in the run, but is not: only studies of two classes list such ones.
        """
        if dataset not in self.datasets[study]:
            return ("classes",)
        task, names = self.task(study, dataset), self.labels(study, dataset)
        return (task,) if task == "classes" and len(names) == 2 else (task, *names)

    def compared(self, study: str, dataset: str) -> dict[str, Any]:
        """Further arguments of a kind's `compare`: how predictions are judged, and pairs that tell of pre-training."""
        pairs = pretraining_pairs(self.assigned[study][dataset], self.methods)
        return self.studies[study].judged(self, dataset) | ({"pairs": pairs} if pairs else {})

    def species_of(self, study: str) -> list[str]:
        """Species that a study is about."""
        return self.config[study].get("species", [])

    def models_of(self, study: str) -> list[str]:
        """Language models of all methods of a study."""
        names = dict.fromkeys(name for methods in self.assigned[study].values() for name in methods)
        models = dict.fromkeys(self.methods[name].get("model") for name in names)
        return [name for name in models if name is not None]

    # Files that it is made from

    @cached_property
    def files(self) -> dict[str, dict[str, Files]]:
        """Study -> data set -> files that it is built from, as they are fetched or given."""
        return {
            study: {name: self.studies[study].files(self, one) for name, one in sets.items()}
            for study, sets in self.datasets.items()
        }

    @cached_property
    def checkpoints(self) -> dict[str, Files]:
        """Model with published weights -> its files; of the models that a data set's methods use."""
        used = used_models(self.assigned, self.methods)
        return {
            name: checkpoint_files(
                name,
                model,
                revisions=self.revisions,
                data_dir=self.config["data_dir"],
                mirrors=self.config["mirrors"],
            )
            for name, model in self.models.items()
            if model["checkpoint"] and name in used
        }

    @cached_property
    def downloads(self) -> dict[str, Source]:
        """Path -> source of all that the studies fetch; `simulate`d files too, whose mirror is written first."""
        groups = [
            *(files for sets in self.files.values() for files in sets.values()),
            *(files for study in self.studies.values() for files in study.more_files(self)),
            *self.checkpoints.values(),
        ]
        return {path: source for one in groups for path, source in one.values() if source}

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Path -> source of all that can be fetched: `downloads`, and files of steps asked for by name only."""
        found: dict[str, Source] = {}
        for study in self.studies.values():
            found |= study.on_request(self)
        return found | self.downloads

    @cached_property
    def simulated(self) -> dict[str, str]:
        """Download -> directory of the simulated mirror that holds it, for files that are not of the real world."""
        found: dict[str, str] = {}
        for kind, owners, paths_of in (
            ("simulated", self.species, simulated_paths),
            ("simulated-collections", self.collections, simulated_collection_paths),
        ):
            for name, one in owners.items():
                for path in paths_of(one):
                    found.setdefault(f"{DOWNLOADS}/{path}", f"resources/{kind}/{name}")
        for name, one in self.tasks.items():
            for file in one["files"] if one["simulate"] else ():
                path = f"{DOWNLOADS}/{local_path(file['urls'][0])}"
                found.setdefault(path, f"resources/simulated-tasks/{name}")
        for name, files in self.checkpoints.items():
            for path, _ in files.values() if self.models[name]["simulate"] else ():
                found.setdefault(path, f"resources/simulated-models/{name}")
        return found

    def lacking(self) -> list[Source]:
        """Files that are to be fetched and are in no mirror, in a run that must not fetch them (`offline`)."""
        if not self.config["offline"]:
            return []
        needed = without(self.downloads, *self.simulated)
        return missing(needed, self.config["mirrors"])

    @cached_property
    def genomes(self) -> dict[str, dict[str, str]]:
        """Genome and annotation, as they were fetched or given, of each species and collection that has them.

        Name -> `genome`, `annotation` -> path. Raises InputError where two owners of one name have different files.
        """
        found: dict[str, dict[str, str]] = {}
        for owner, files in [pair for one in self.studies.values() for pair in one.genomes(self)]:
            for name in filter(files.__contains__, READ_AS):
                path, _ = files[name]
                known = found.setdefault(owner, {}).setdefault(name, path)
                if known != path:
                    raise InputError(
                        f"{owner!r} names two files for its {name}: {known} and {path}; give the species or collection "
                        "of one of them another name"
                    )
        return found

    def source_paths(self, study: str, dataset: str) -> dict[str, str]:
        """Files that a data set is built from, by name, genome and annotation in the form they are read in."""
        return read_forms(self.datasets[study][dataset].owner, self.files[study][dataset])

    def checkpoint_paths(self, study: str) -> dict[str, str]:
        """Model with published weights -> directory of its checkpoint; of a study's models."""
        names = filter(self.checkpoints.__contains__, self.models_of(study))
        return {name: f"resources/checkpoints/{name}" for name in names}

    def pool(self, study: str, dataset: str) -> str | list[str]:
        """Examples of the pool of species that methods of a data set start from; [] where none does.

        A pool of one species has nothing that the data set has not.
        """
        one, methods = self.datasets[study][dataset], self.assigned[study][dataset]
        if not any(self.methods[name].get("start_from") for name in methods):
            return []
        pool = self.datasets[study][pool_name(one.split)]
        return f"results/{study}/{pool.name}/examples.parquet" if len(pool.species) > 1 else []

    def structures(self, study: str, dataset: str, method: str) -> str | list[str]:
        """The structures of a data set, folded once for the baselines that read them; [] for other methods."""
        folded = self.studies[study].folded(self.methods[method])
        return f"results/{study}/{dataset}/structures.parquet" if folded else []

    def known_motifs(self, study: str) -> str | list[str]:
        """The user's MEME file that a study's motifs are compared with; [] without one."""
        own = self.config[study]["attribution"]["motifs"]
        return str(Path(self.config["data_dir"]) / own) if own else []

    def shipped_motifs(self, study: str) -> dict[str, str] | None:
        """The MEME file of this checkout that they are compared with otherwise, if any: path in it, and sha256.

        No input, whose path would be another one in a checkout that was moved.
        """
        path = self.studies[study].motifs
        if self.known_motifs(study) or path is None:
            return None
        return {"path": path, "sha256": file_digest(ROOT / path)}

    # Trainings

    @cached_property
    def shared(self) -> dict[str, dict[str, list[str]]]:
        """Study -> number of a job -> data sets whose trainings share it."""
        return {
            name: shared_jobs(
                self.shown[name],
                self.config[name]["per_job"],
                study.listed and study.listed(self),
                partial(self.head, name),
            )
            for name, study in self.studies.items()
        }

    def shared_runs(self, study: str) -> list[str]:
        """Directories of the jobs that trainings of a study share."""
        return [
            f"results/shared-jobs/{study}.{method}.seed{seed}.job{job}"
            for job, members in self.shared[study].items()
            for method in self.trained
            if any(method in self.assigned[study][dataset] for dataset in members)
            for seed in self.seeds
        ]

    def trained_runs(self, study: str) -> list[str]:
        """Directories of all training runs behind a study's tables, first stages included."""
        runs = []
        for shown in self.shown[study]:
            for method in [m for m in self.assigned[study][shown] if m not in self.baselines]:
                dataset = shown
                while method is not None:
                    one = {"study": study, "dataset": dataset, "method": method}
                    runs += [SEED_OF.format(**one, seed=seed) for seed in self.seeds]
                    method = self.methods[method].get("start_from")
                    dataset = pool_name(self.datasets[study][shown].split)
        return list(dict.fromkeys(runs))

    # Files that it makes

    @cached_property
    def products(self) -> dict[str, list[Product]]:
        """Study -> its tables and figures."""
        return {name: study.products(self) for name, study in self.studies.items()}

    def place(self, path: str) -> str:
        """Where tables, figures, pages and comparisons are: `run_name` keeps those of several runs apart."""
        name = self.config["run_name"]
        return f"results/{path}" if name is None else f"results/runs/{name}/{path}"

    def every(
        self,
        pattern: str,
        study: str,
        methods: Iterable[str] | None = None,
        datasets: Iterable[str] | None = None,
    ) -> list[str]:
        """Fill {dataset}, {method} and {seed} of `pattern` with all that a study shows.

        methods, datasets: these alone; of methods those that the data set is given.
        """
        wanted = None if methods is None else set(methods)
        return list(
            dict.fromkeys(
                pattern.format(study=study, dataset=dataset, method=method, seed=seed)
                for dataset in (self.shown[study] if datasets is None else datasets)
                for method, seed in product(self.assigned[study][dataset], self.seeds)
                if wanted is None or method in wanted
            )
        )

    def cards(self, study: str, datasets: Iterable[str] | None = None) -> list[str]:
        """Data cards of all that a study shows, or of some data sets."""
        names = self.shown[study] if datasets is None else datasets
        return [f"results/{study}/{name}/card.json" for name in names]

    def relatives(self, study: str) -> list[str]:
        """How many test rows have relatives in training, on each data set that a study shows."""
        return [RELATIVES.format(study=study, dataset=name) for name in self.shown[study]]

    def comparisons(self, study: str) -> list[str]:
        """Comparisons of the methods on each data set that a study shows."""
        return [self.place(f"{study}/{name}/comparison.tsv") for name in self.shown[study]]

    def explained(self, study: str, name: str) -> list[str]:
        """A file of every explanation of a study, in the order of `attributed`; the first seed is explained."""
        return [
            path
            for dataset, method, part in self.attributed[study]
            for path in self.first_seed(f"attribution{part}/{name}", study, [(dataset, method)])
        ]

    def first_seed(self, file: str, study: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
        """A file of the first seed's training, of pairs of a data set and a method."""
        return [
            SEED_OF.format(study=study, dataset=dataset, method=method, seed=self.seeds[0])
            + f"/{file}"
            for dataset, method in pairs
        ]

    def computed(self, kind: str, name: str) -> dict[str, Any]:
        """A species, model or method (`kind`: species, models, methods) as far as results depend on it.

        Texts for tables and reports are left out, so that a change of them computes nothing again, and what is said of
        windows where there are none. Its name stands in for the title, for messages.
        """
        unread = ("published_as", "comparable", "note", "licence", "non_commercial", "resources")
        one = getattr(self, kind)[name]
        if not has_windows(one):
            unread += ("long", "window_overlap", "window_pooling")
        return without(one, *unread) | {"title": name}

    def encoder(self, method: str) -> dict[str, Any] | None:
        """The model file of a method as far as results depend on it; None for a network without an encoder."""
        model = self.methods[method]["model"]
        return None if model is None else self.computed("models", model)

    def published(self, name: str) -> str:
        """Numbers that a paper printed, of this checkout."""
        return f"{ROOT}/resources/published/{name}.tsv"
