"""Installed tools: their output formats (lines of real runs), what they leave out, and what is not installed."""

import json

import numpy as np
import pandas as pd
import pytest

from nucleotune import contracts
from nucleotune.baselines.original import (
    predictions,
    read_output,
    reason_not_run,
    rows_to_score,
    write_fasta,
)
from nucleotune.errors import InputError
from nucleotune.evaluation.resampling import unmeasured
from nucleotune.plugins import load_method
from nucleotune.stages import ROOT
from nucleotune.studies.lncrna import tables as lncrna
from nucleotune.studies.lncrna.plan import lncfinder_model

CPC2 = """\
#ID	transcript_length	peptide_length	Fickett_score	pI	ORF_integrity	ORF_Start	coding_probability	label
seq1	220	24	0.37585	8.25311279297	-1	149	0.0464976	noncoding
seq2	981	138	0.43452	10.3516235352	1	140	0.858296	coding
seq3	30	5	0.35897	8.500108146667483	1	8	1.53577e-05	noncoding
"""
PLEK = """\
Coding	1.04327	>seq2
Non-coding	-0.785412	>seq1
Coding	0	>seq3
"""
LNCFINDER = """\
id	Pred	Coding.Potential	ORF.Max.Len	ORF.Max.Cov
seq1	NonCoding	9.99999999473644e-08	72	0.327272727272727
seq2	Coding	0.996853607866672	0	0
seq3	NonCoding	0.404623405370808	270	0.386819484240688
"""
OUTPUTS = {"cpc2": CPC2, "plek": PLEK, "lncfinder": LNCFINDER}


@pytest.fixture
def examples(tmp_path):
    """A training row, then three rows to score, with ids that no tool would give back unchanged."""
    path = tmp_path / "examples.parquet"
    table = pd.DataFrame(
        {
            "id": ["t", "a b|c", "d\te", "f>g"],
            "sequence": ["ACGT", "ACGTN" * 44, "ACG" * 70, "AC"],
            "label": [0, 1, 0, 1],
            "split": ["train", "valid", "test", "test"],
            "group": ["t", "a", "d", "f"],
        }
    )
    contracts.write_examples(path, table)
    return path


def write(folder, tool, text=None):
    path = folder / f"{tool}.txt"
    path.write_text(OUTPUTS[tool] if text is None else text)
    return path


@pytest.mark.parametrize(
    "tool, scores, calls",
    [
        ("cpc2", [1 - 0.0464976, 1 - 0.858296, 1 - 1.53577e-05], [1, 0, 1]),
        ("plek", [0.785412, -1.04327, 0.0], [1, 0, 0]),
        (
            "lncfinder",
            [1 - 9.99999999473644e-08, 1 - 0.996853607866672, 1 - 0.404623405370808],
            [1, 0, 1],
        ),
    ],
)
def test_output_becomes_predictions(tmp_path, examples, tool, scores, calls):
    """A higher score means lncRNA for every tool; rows are matched by name, whatever their order."""
    table, summary = predictions(tool, write(tmp_path, tool), rows_to_score(examples))
    assert list(table["id"]) == ["a b|c", "d\te", "f>g"]
    np.testing.assert_allclose(table["score"], scores)
    assert list(table["predicted"]) == calls
    assert summary["left_out"] == 0 and summary["predicted_rows"] == {"test": 2, "valid": 1}
    json.dumps(summary, allow_nan=False)
    contracts.write_predictions(tmp_path / "p.parquet", table)
    assert list(contracts.read_predictions(tmp_path / "p.parquet")["label"]) == [1, 0, 1]


def test_fasta_for_the_tools_is_one_line_a_sequence(tmp_path, examples):
    write_fasta(tmp_path / "in.fa", rows_to_score(examples))
    assert (tmp_path / "in.fa").read_text() == (
        ">seq1\n" + "ACGTN" * 44 + "\n>seq2\n" + "ACG" * 70 + "\n>seq3\nAC\n"
    )


def test_rows_that_plek_leaves_out_stay_and_are_counted(tmp_path, examples, caplog):
    without = "".join(line for line in PLEK.splitlines(keepends=True) if "seq3" not in line)
    path = write(tmp_path, "plek", without)
    table, summary = predictions("plek", path, rows_to_score(examples))
    assert list(table["score"])[-1] == 0 and list(table["predicted"])[-1] == 0
    assert summary["left_out"] == 1 and "1 of 3 transcripts left out" in summary["remark"]
    assert "left out 1 of 3" in caplog.text


def test_left_out_row_of_a_probability_lies_on_the_threshold(tmp_path, examples):
    path = write(tmp_path, "cpc2", "".join(CPC2.splitlines(keepends=True)[:-1]))
    table, _ = predictions("cpc2", path, rows_to_score(examples))
    assert (table["score"].iloc[-1], table["predicted"].iloc[-1]) == (0.5, 0)


def test_output_of_other_examples_is_refused(tmp_path, examples):
    path = write(tmp_path, "plek", PLEK.replace("seq3", "seq4"))
    with pytest.raises(InputError, match=r"'seq4' is not among the 3 given to plek"):
        predictions("plek", path, rows_to_score(examples))


@pytest.mark.parametrize(
    "tool, old, new, message",
    [
        ("cpc2", "#ID\t", "name\t", r"line 1: expected the header of cpc2 with .* #ID, found"),
        ("cpc2", "0.858296\tcoding", "0.85", r"line 3: expected 9 tab-separated columns \(#ID"),
        ("cpc2", "0.858296", "1.2", r"line 3, column 'coding_probability': .* 0 to 1, found '1.2'"),
        ("cpc2", "0.858296", "nan", "line 3, column 'coding_probability'"),
        ("cpc2", "1\tcoding", "1\tCoding", "expected"),
        ("cpc2", "seq3", "seq1", "line 4: record 'seq1' occurs more than once"),
        ("plek", "Coding\t1", "Maybe\t1", "line 1, column 'label': expected Coding or Non-coding"),
        ("plek", "-0.785412", "inf", "line 2, column 'decision value': expected a number"),
        ("plek", "\t>seq1", "", "line 2: expected 3 tab-separated columns"),
        ("lncfinder", "0.996853607866672", "NA", "line 3, column 'Coding.Potential'.* found 'NA'"),
        ("lncfinder", "Pred", "Result", "line 1: .*column.* Pred"),
    ],
)
def test_malformed_output_names_file_line_and_what_was_expected(tmp_path, tool, old, new, message):
    text = OUTPUTS[tool].replace(old, new, 1)
    if (tool, new) == ("cpc2", "1\tCoding"):
        text = CPC2.replace("\tcoding\n", "\tCoding\n")
        message = "line 3, column 'label': expected coding or noncoding, found 'Coding'"
    path = write(tmp_path, tool, text)
    with pytest.raises(InputError, match=message) as caught:
        read_output(tool, path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("tool, text", [("cpc2", ""), ("cpc2", CPC2.split("\n")[0]), ("plek", "")])
def test_output_without_records_is_refused(tmp_path, tool, text):
    with pytest.raises(InputError, match="no record"):
        read_output(tool, write(tmp_path, tool, text))


def test_reason_of_a_tool_that_is_not_installed(tmp_path):
    assert reason_not_run(write(tmp_path, "plek")) is None
    absent = write(tmp_path, "plek", "not run: PLEK.py is not installed (conda env: x)\n")
    assert reason_not_run(absent) == "PLEK.py is not installed (conda env: x)"


def test_predictions_without_rows_hold_the_reason(tmp_path, examples):
    path = tmp_path / "p.parquet"
    contracts.write_not_run(path, "PLEK.py is not installed")
    assert contracts.not_run(path) == "PLEK.py is not installed"
    assert pd.read_parquet(path).columns.tolist() == list(contracts.PREDICTION_COLUMNS)
    with pytest.raises(InputError, match=r"p\.parquet: no predictions, not run: PLEK"):
        contracts.read_predictions(path)
    table, _ = predictions("plek", write(tmp_path, "plek"), rows_to_score(examples))
    contracts.write_predictions(path, table)
    assert contracts.not_run(path) is None


def test_table_row_of_a_tool_that_did_not_run_says_why():
    published = pd.read_csv(ROOT / "resources/published/lncrna.tsv", sep="\t")
    dataset = {"name": "human_paper", "title": "Human", "published_as": "human"}
    method = {"name": "plek-original", "title": "PLEK (original)", "published_as": "PLEK"}
    shared = {"comparable": True, "note": "a note"}
    table = lncrna.table3(
        published,
        {"human_paper": {"plek-original": unmeasured("PLEK.py is not installed")}},
        [{**dataset, **shared}],
        [{**method, **shared, "kind": "baseline"}],
    )
    rows = table[table["method"] == "PLEK (original)"]
    assert set(rows["status"]) == {"not run"}
    assert set(rows["note"]) == {"not run: PLEK.py is not installed"}
    assert rows.set_index("metric")["published"]["auroc"] == 0.821
    assert rows[["measured", "n_test", "seeds"]].isna().all(axis=None)
    assert not ((table["dataset"] == "Human (as published)") & (table["method"] == "PLEK")).any()


def method_file(folder, text):
    (folder / "methods").mkdir()
    (folder / "methods/m.yaml").write_text(f"title: X\nkind: baseline\n{text}")
    return load_method("m", [folder])


def test_command_of_a_method_file(tmp_path):
    shipped = [ROOT / "config"]
    assert load_method("cpc2-original", shipped)["original"]["command"] == "CPC2.py"
    assert load_method("lncfinder-original", shipped)["original"]["command"] == "Rscript"
    text = "baseline: plek\nmode: original\noriginal: {command: /opt/PLEK/PLEK.py}\n"
    assert method_file(tmp_path, text)["original"]["command"] == "/opt/PLEK/PLEK.py"


def test_only_tools_can_be_run_as_installed(tmp_path):
    with pytest.raises(InputError, match=r"no.* for baseline 'gc'; expected one of cpc2, plek"):
        method_file(tmp_path, "baseline: gc\nmode: original\n")


@pytest.mark.parametrize(
    "name, model", [("homo_sapiens", "human"), ("mus_musculus", "mouse"), ("danio_rerio", "human")]
)
def test_lncfinder_model_follows_the_species(name, model):
    assert lncfinder_model({"ensembl": {"species": name}}) == model
    assert lncfinder_model({"ensembl": None}) == "human"
