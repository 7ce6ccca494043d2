"""What a run consists of, worked out once from its configuration: what rules and the products of studies ask."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from nucleotune.plan import Dataset
from nucleotune.plan.attribution import attributed_runs
from nucleotune.stages import ROOT
from nucleotune.studies.base import Study

SEED_OF = "results/{study}/{dataset}/{method}/seed{seed}"
METRICS = "results/{study}/{dataset}/{method}/metrics.json"
PREDICTIONS = f"{SEED_OF}/predictions.parquet"


def without(mapping: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """A copy of `mapping` less some keys: a parameter of a rule holds what its result depends on, no more."""
    return {key: value for key, value in mapping.items() if key not in keys}


@dataclass(frozen=True)
class Run:
    """A run, by study and data set.

    config, species, models, methods, collections  as `config.load_run` returns them
    datasets    study -> name -> data set, in table order
    assigned    study -> data set -> its methods, in the order of the tables' rows
    shown       study -> data sets in its tables: all but pools
    attributed  study -> pairs of a data set and a method whose model is explained
    """

    config: Mapping[str, Any]
    species: Mapping[str, Any]
    models: Mapping[str, Any]
    methods: Mapping[str, Any]
    collections: Mapping[str, Any]
    datasets: Mapping[str, Mapping[str, Dataset]]
    assigned: Mapping[str, Mapping[str, list[str]]]
    shown: Mapping[str, list[str]]
    attributed: Mapping[str, list[tuple[str, str]]]

    @classmethod
    def of(cls, loaded: Mapping[str, Any], studies: Mapping[str, Study]) -> "Run":
        """The run that `config.load_run` loaded. Raises InputError where a study cannot be as it is asked for."""
        config = loaded["config"]
        datasets = {study: studies[study].datasets(loaded) for study in config["studies"]}
        assigned = {
            study: {name: studies[study].methods(config, one) for name, one in sets.items()}
            for study, sets in datasets.items()
        }
        shown = {
            study: [one.name for one in sets.values() if not one.pooled]
            for study, sets in datasets.items()
        }
        attributed = {
            study: attributed_runs(config, study, shown[study], assigned[study])
            for study in datasets
        }
        parts = ("config", "species", "models", "methods", "collections")
        return cls(*(loaded[part] for part in parts), datasets, assigned, shown, attributed)

    @property
    def seeds(self) -> list[int]:
        """Seeds of every training; the first one's model is analysed."""
        return self.config["seeds"]

    @property
    def language_models(self) -> list[str]:
        """Methods that fine-tune a language model."""
        return [name for name, one in self.methods.items() if one["kind"] == "language_model"]

    @property
    def baselines(self) -> list[str]:
        """Classical methods."""
        return [name for name, one in self.methods.items() if one["kind"] == "baseline"]

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

    def explained(self, study: str, name: str) -> list[str]:
        """A file of every explained model of a study, in the order of `attributed`; the first seed is explained."""
        return self.first_seed(f"attribution/{name}", study, self.attributed[study])

    def first_seed(self, file: str, study: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
        """A file of the first seed's training, of pairs of a data set and a method."""
        return [
            SEED_OF.format(study=study, dataset=dataset, method=method, seed=self.seeds[0])
            + f"/{file}"
            for dataset, method in pairs
        ]

    def computed(self, kind: str, name: str) -> dict[str, Any]:
        """A species, model or method (`kind`: species, models, methods) as far as results depend on it.

        Texts for tables and reports are left out, so that a change of them computes nothing again. Its name stands in
        for the title, for messages.
        """
        texts = ("published_as", "comparable", "note", "licence", "non_commercial", "resources")
        return without(getattr(self, kind)[name], *texts) | {"title": name}

    def encoder(self, method: str) -> dict[str, Any] | None:
        """The model file of a method as far as results depend on it; None for a network without an encoder."""
        model = self.methods[method]["model"]
        return None if model is None else self.computed("models", model)

    def published(self, name: str) -> str:
        """Numbers that a paper printed, of this checkout."""
        return f"{ROOT}/resources/published/{name}.tsv"
