"""What Figure 2 asks, on promoters whose elements are known: a model that has learnt looks where they stand."""

import numpy as np
import pandas as pd
import pytest

from nucleotune.attention.profile import position_profile
from nucleotune.models.load import build_classifier, load_model
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.plugins import load_method
from nucleotune.plugins import load_model as load_model_file
from nucleotune.sequence.shuffle import shuffle_sequences
from nucleotune.stages import ROOT
from nucleotune.studies.promoters.toy_sequences import UPSTREAM, draw_promoter
from nucleotune.training.fit import fit

FIRST, LENGTH = UPSTREAM - 249, 300


@pytest.mark.slow
def test_attention_lies_on_planted_elements_after_tuning_and_not_before(tmp_path):
    rng = np.random.default_rng(3)
    promoters = []
    while len(promoters) < 1000:
        promoter = draw_promoter("protein_coding", rng)
        if abs(promoter.activity - 1.5) > 1.5:
            promoters.append(promoter)
    examples = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(len(promoters))],
            "sequence": [p.sequence[FIRST : FIRST + LENGTH] for p in promoters],
            "label": [int(p.activity > 1.5) for p in promoters],
            "split": ["train"] * 700 + ["valid"] * 100 + ["test"] * 200,
            "group": [f"p{i}" for i in range(len(promoters))],
        }
    )
    method = load_method("dnabert-6-tiny", [ROOT / "config"])
    model = load_model_file(method["model"], [ROOT / "config"]) | {"checkpoint": None}
    result = fit(
        examples,
        task="classes",
        method=method,
        model=model,
        seed=1,
        threads=1,
        state_dir=tmp_path / "state",
        output_dir=tmp_path / "model",
        labels=("low", "high"),
    )
    tested = result.predictions[result.predictions["split"] == "test"]
    correct = (tested["predicted"] == tested["label"]).mean()

    tuned, description = load_model(tmp_path / "model")
    tokenizer = make_tokenizer(description["model"], tmp_path / "model")
    untuned = build_classifier(description["model"], seed=5)
    rows = examples[examples["split"] == "test"]
    sites = np.zeros((len(rows), LENGTH), dtype=bool)
    for row, promoter in enumerate(promoters[800:]):
        for site in promoter.sites:
            if site.name in ("CRE", "NRSE", "CCAAT-box", "TATA-box"):
                first = UPSTREAM + site.first - FIRST
                sites[row, first : first + len(site.sequence)] = True

    def excess(classifier, sequences):
        """Attention at planted elements as a multiple of attention elsewhere."""
        values = position_profile(
            classifier.eval(),
            description["model"],
            tokenizer,
            rows["id"].tolist(),
            sequences,
            layers="all",
        )
        return values[sites].mean() / values[~sites].mean()

    sequences = rows["sequence"].tolist()
    shuffled = list(shuffle_sequences(rows["sequence"], "dinucleotide", 1))
    assert correct > 0.75
    found, by_place = excess(tuned, sequences), excess(tuned, shuffled)
    assert 0.9 < excess(untuned, sequences) < 1.1
    # Part of it is the place alone, which only the shuffled promoters show.
    assert found > 2.0
    assert by_place < 0.7 * found
