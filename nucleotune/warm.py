"""Compile what jobs would compile otherwise, each for itself on its first run: `python -m nucleotune.warm`.

Each function below calls the public functions of some modules on tiny inputs, of the types that real runs give them;
numba keeps what it compiles for that (`compiled.py`). A test fails if none of them reaches a compiled function of ours.
"""

import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

_RNA = "GGGATGAAACCCTAACACGGAGAAATCCAGT"
_STRUCTURE = "(((...(((.)))..)))(((....)))..."


def motifs() -> None:
    """modisco-lite, which keeps its own: a motif in noise, because the search ends early where there is none."""
    from nucleotune.attribution.modisco import run_modisco

    generator = np.random.default_rng(1)
    codes = generator.integers(0, 4, (150, 100))
    codes[:, 40:48] = [0, 1, 2, 3, 3, 2, 2, 1]
    one_hot = np.eye(4, dtype=np.float32)[codes]
    contributions = generator.normal(0, 0.01, one_hot.shape)
    contributions[:, 40:48] += one_hot[:, 40:48]
    with tempfile.TemporaryDirectory() as folder:
        run_modisco(one_hot.transpose(0, 2, 1), contributions, Path(folder, "motifs.h5"))


def graphprot() -> None:
    """Features and classifier of `baselines.graphprot`."""
    from nucleotune.baselines.graphprot_features import features
    from nucleotune.baselines.graphprot_sgd import fit_sgd

    x = features([_RNA, _RNA], [[_STRUCTURE], [_STRUCTURE]])
    fit_sgd(x, np.array([0, 1]), penalty=0.01, epochs=1, seed=1)


def annotation() -> None:
    """The readers of GTF and GFF3, which are one."""
    from nucleotune.genome.annotation import read_annotation

    line = '1\ttoy\texon\t1\t90\t.\t+\t.\tgene_id "g"; transcript_id "t"; tag "basic";\n'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "toy.gtf")
        path.write_text(line)
        read_annotation(path)


def sequences() -> None:
    """Tokens of language models, and the features of baselines that read frames and words."""
    from nucleotune.baselines import lncfinder, mdeep_features, plek
    from nucleotune.sequence.kmers import encode_kmers
    from nucleotune.sequence.sixmers import encode_sixmers

    encode_kmers(["toy"], [_RNA], k=6)
    encode_sixmers(["toy"], [_RNA])
    plek.features([_RNA])
    rnas, labels = [_RNA, _RNA], np.array([0, 1])
    lncfinder.features(rnas, lncfinder.hexamer_frequencies(rnas, labels))
    ratios = mdeep_features.learn_hexamer_ratios(rnas, labels)
    mdeep_features.make_inputs(rnas, ratios, len(_RNA))


def evaluation() -> None:
    """Metrics of resamples; those of profiles count positions in whole numbers."""
    from nucleotune.evaluation.areas import areas, rank
    from nucleotune.evaluation.number_metrics import weighted_spearman

    scores = np.array([0.1, 0.2])
    for weights in (np.ones((1, 2)), np.ones((1, 2), dtype=np.int64)):
        areas(rank(np.array([False, True]), scores), weights)
    weighted_spearman(scores, scores, np.ones((1, 2)))


#: The slowest first.
STEPS: tuple[Callable[[], None], ...] = (motifs, graphprot, annotation, sequences, evaluation)


def main() -> None:
    """Compile all, two processes side by side; where nothing can be kept, say so and leave it to the jobs."""
    try:
        with ProcessPoolExecutor(2) as processes:
            for step in [processes.submit(step) for step in STEPS]:
                step.result()
    except (OSError, RuntimeError) as error:
        print(f"Functions are not compiled ahead, jobs compile them when they start: {error}")


if __name__ == "__main__":
    main()
