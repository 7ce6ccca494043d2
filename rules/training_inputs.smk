"""What the rules of trainings ask of the configuration, by wildcards: see nucleotune/plan/trainings.py; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/{finetune,baselines,polya,attribution,report}*.smk
"""

from nucleotune.plan import trainings

TRAINED = trainings.trained_methods(PLANNED)


def encoder_of(wildcards):
    """The model file of a method, as far as results depend on it; None for a profile network without an encoder."""
    return PLANNED.encoder(wildcards.method)


def training_need(key):
    """Resource function of a training: what its method file, or else its model file, says of `key`."""
    return lambda wildcards, attempt: trainings.need(PLANNED, wildcards.method, key, attempt)


def runtime_of_several(wildcards, attempt, count):
    """Time limit of a job in which so many trainings follow each other (minutes)."""
    return trainings.runtime_of_several(PLANNED, wildcards.method, count, attempt)


def members(wildcards):
    """Data sets whose trainings share a job."""
    group = SHARED[wildcards.study][wildcards.job]
    return trainings.members(PLANNED, wildcards.study, wildcards.method, group)


def shared_job(wildcards):
    """Directory of the job that the training of a data set shares with others."""
    one = wildcards
    return trainings.shared_job(SHARED[one.study], one.study, one.dataset, one.method, one.seed)


def start_model(wildcards, dataset=None):
    """The model directory a method starts from on a data set; none where it starts from no other."""
    found = trainings.start_model(
        PLANNED, wildcards.study, dataset or wildcards.dataset, wildcards.method, wildcards.seed
    )
    return found or []


def start_models(wildcards):
    """`start_model` of every data set of a shared job."""
    return [path for dataset in members(wildcards) if (path := start_model(wildcards, dataset))]


def checkpoint_of(wildcards):
    """The checkpoint directory a method starts from; none for random weights, or where it starts from another method."""
    return trainings.checkpoint(PLANNED, wildcards.method, CHECKPOINTS) or []


def trained_runs(study):
    """Directories of all training runs behind a study's tables, first stages included."""
    return trainings.trained_runs(PLANNED, study)
