"""Rows that sampling left out, said in one form for every study."""

import json

import numpy as np
import pandas as pd

from nucleotune.reporting.leaks import noted
from nucleotune.reporting.sampled import at_the_end, sampled
from nucleotune.studies.rbp.sample import build_examples


def places(n: int, label: int, seed: int) -> pd.DataFrame:
    letters = np.random.default_rng(seed).choice(list("ACGT"), (n, 40))
    return pd.DataFrame(
        {
            "id": [f"{label}-{i}" for i in range(n)],
            "sequence": ["".join(row) for row in letters],
            "label": label,
            "seqname": "",
            "start": 0,
            "end": 0,
            "strand": "",
            "group": "",
        }
    )


def test_sampling_of_an_rbp_is_said_with_its_key():
    table = pd.concat([places(150, 1, 0), places(90, 0, 1)], ignore_index=True)
    for per_class, expected in (
        (100, ["positive sampled to 100 of 150 (rbp.per_class)"]),
        (
            60,
            ["positive sampled to 60 of 150, negative sampled to 60 of 90 (rbp.per_class)"],
        ),
        (150, []),
    ):
        _, _, counts = build_examples(table, per_class=per_class, seed=1, min_per_class=10)
        assert sampled(counts) == expected, per_class


def test_tables_note_what_was_sampled_and_why_they_are_not_comparable():
    step = {"class": "bound", "step": "x", "kept": 2, "dropped": 3, "sampled_by": "rbp.per_class"}
    one = {"name": "a", "split": "random", "comparable": False, "note": ""}
    cards = {"a": {"waterfall": [step]}, "b": {"waterfall": [{**step, "dropped": 0}]}}
    others = [{**one, "name": "b", "note": "peaks"}, {**one, "name": "c"}]
    described = noted([one, {**one, "comparable": True}, *others], cards)
    assert [each["note"] for each in described] == [
        "data or procedure differ from the paper's; bound sampled to 2 of 5 (rbp.per_class)",
        "bound sampled to 2 of 5 (rbp.per_class)",
        "peaks",
        "",
    ]


def test_the_end_of_a_run_names_some_and_counts_the_rest(tmp_path):
    step = {
        "class": "mRNA",
        "step": "x",
        "kept": 5,
        "dropped": 1479,
        "sampled_by": "lncrna.balance",
    }
    filtered = {"class": "mRNA", "step": "letters", "kept": 1484, "dropped": 7}
    paths = []
    for number in range(13):
        path = tmp_path / f"lncrna/s{number}/card.json"
        path.parent.mkdir(parents=True)
        steps = [filtered, step] if number else [filtered]
        path.write_text(json.dumps({"waterfall": steps}))
        paths.append(path)
    lines = at_the_end(paths)
    assert lines[0] == "lncrna/s1: mRNA sampled to 5 of 1,484 (lncrna.balance)"
    assert len(lines) == 11 and lines[-1].startswith("and 2 more data sets")
    assert at_the_end(paths[:1]) == []
