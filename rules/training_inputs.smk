"""What the rules of trainings ask of the configuration: models, what they start from and need, jobs they share; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/{finetune,baselines,polya,report}*.smk
"""


def model_of(wildcards):
    """The model file of a language model method."""
    return RUN["models"][RUN["methods"][wildcards.method]["model"]]


def encoder_of(wildcards):
    """The model file of a method, as far as results depend on it; None for a profile network without an encoder."""
    return PLANNED.encoder(wildcards.method)


def training_need(key):
    """Resource function of a training or fit: what its method file, or else its model file, says of `key`.

    Memory and time grow with each attempt.
    """

    def need(wildcards, attempt):
        grown = attempt if key in ("mem_mb", "runtime") else 1
        method = RUN["methods"][wildcards.method]
        needs = method.get("resources") or model_of(wildcards)["resources"]
        return needs[key] * grown

    return need


# The longest that a job asks for because it has several trainings (minutes); partitions refuse much more, and one that is cut
# off goes on where it was, by a retry or a rerun.
DAY = 24 * 60


def runtime_of_several(wildcards, attempt, trainings):
    """Time limit of a job in which `trainings` follow each other (minutes): of all, but no more than a day or one of them."""
    one = training_need("runtime")(wildcards, attempt)
    return max(one, min(one * trainings, DAY))


def shared_runtime(wildcards, attempt):
    """Time limit of a job that several data sets share (minutes)."""
    return runtime_of_several(wildcards, attempt, len(members(wildcards)))


def members(wildcards):
    """Data sets whose trainings share a job: those of its group that the method is used on."""
    return [
        dataset
        for dataset in SHARED[wildcards.study][wildcards.job]
        if wildcards.method in METHODS[wildcards.study][dataset]
    ]


def shared_job(wildcards):
    """Directory of the job that the training of a data set shares with others."""
    (job,) = [n for n, names in SHARED[wildcards.study].items() if wildcards.dataset in names]
    return f"results/shared-jobs/{wildcards.study}.{wildcards.method}.seed{wildcards.seed}.job{job}"


def start_model(wildcards, dataset=None):
    """The model directory a method starts from on a data set: trained on the pool of the data set's split."""
    start = RUN["methods"][wildcards.method]["start_from"]
    if start is None:
        return []
    pool = pool_name(DATASETS[wildcards.study][dataset or wildcards.dataset].split)
    return f"results/{wildcards.study}/{pool}/{start}/seed{wildcards.seed}/model"


def start_models(wildcards):
    """`start_model` of every data set of a shared job; none where the method starts from no other."""
    return [path for dataset in members(wildcards) if (path := start_model(wildcards, dataset))]


def checkpoint_of(wildcards):
    """The checkpoint directory a method starts from; none where it starts from random weights or another method."""
    method = RUN["methods"][wildcards.method]
    if method.get("start_from") is None and method["model"] in CHECKPOINTS:
        return f"resources/checkpoints/{method['model']}"
    return []
