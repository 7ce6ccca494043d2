"""The examples of the documentation, as they are printed: files written, commands planned, the cheapest of them run."""

import gzip
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT, snakemake
from planned import jobs, run_of

from nucleotune.plugins import (
    load_collection,
    load_method,
    load_model,
    load_species,
)
from nucleotune.schemas import read_schema, validate

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)
LOAD = {
    "species": load_species,
    "collections": load_collection,
    "models": load_model,
    "methods": load_method,
}
PAGES = ["docs/species.md", "docs/collections.md", "docs/methods.md", "docs/models.md"]


def sequences(n: int, length: int, seed: int) -> list[str]:
    letters = np.random.default_rng(seed).choice(list("ACGT"), (n, length))
    return ["".join(row) for row in letters]


def write_data(folder: Path, text: str) -> None:
    """Files that a page's examples name under data/: sequences where one is read here, empty where only looked for."""
    for name in set(re.findall(r"(?<!/)\bdata/[\w./-]+\w", text)):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if path.name.startswith("ptbp1"):
            records = enumerate(sequences(120, 60, seed=len(path.name)))
            fasta = "".join(f">{number}\n{one}\n" for number, one in records)
            path.write_bytes(gzip.compress(fasta.encode()))
        elif path.suffix == ".csv":
            rows = [f"{one},{i % 2}" for i, one in enumerate(sequences(60, 80, seed=1))]
            path.write_text("\n".join(["sequence,label", *rows, ""]))
        else:
            path.touch()


def steps(page: str, folder: Path):
    """Write the files of a page one after the other; yield each command it prints for the run so far."""
    text = (ROOT / page).read_text()
    write_data(folder, text)
    sheet = None
    for language, block in BLOCK.findall(text):
        named = re.match(r"# (\S+\.yaml)\n", block)
        if language == "yaml" and named:
            path = folder / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block)
            sheet = path.parent / yaml.safe_load(block).get("sheet", "")
        elif block.startswith("rbp\t"):
            sheet.write_text(block)
        elif block.startswith("snakemake ") and (folder / "my-run.yaml").is_file():
            yield [
                str(folder / word) if word == "my-run.yaml" else word
                for word in shlex.split(block)[1:]
            ]


@pytest.mark.parametrize("page", PAGES)
def test_plugins_are_valid(page, tmp_path):
    """Those of one's own, and those that are shipped, of which a page may show a part."""
    list(steps(page, tmp_path))
    found = 0
    for kind, load in LOAD.items():
        for path in (tmp_path / "my-plugins").glob(f"{kind}/*.yaml"):
            load(path.stem, [ROOT / "config", tmp_path / "my-plugins"])
            found += 1
        for path in (tmp_path / "config").glob(f"{kind}/*.yaml"):
            shipped = yaml.safe_load((ROOT / "config" / kind / path.name).read_text())
            printed = yaml.safe_load(path.read_text())
            assert printed == {key: shipped[key] for key in printed}, path.name
    assert found >= 1


@pytest.mark.parametrize("page", ["docs/species.md", "docs/collections.md"])
def test_commands_can_be_planned(page, tmp_path, monkeypatch):
    """Data named by an address are not fetched here, but nothing says that the run is offline."""
    monkeypatch.chdir(tmp_path)
    commands = []
    for study, *options in steps(page, tmp_path):
        run = run_of(Path(options[options.index("--configfile") + 1]))
        assert study in run.studies and not run.config["offline"]
        assert not [note for note in run.notes if "left out" in note]
        assert not [path for path in run.downloads if "toy" in path.lower()]
        commands.append(study)
    assert (
        commands
        == {
            "docs/species.md": ["lncrna", "promoters"],
            "docs/collections.md": ["rbp"],
        }[page]
    )


def test_an_encoder_of_ones_own_can_be_planned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    list(steps("docs/models.md", tmp_path))
    assert jobs(run_of(Path("my-run.yaml")))["checkpoint"] == 1


@pytest.mark.parametrize(
    "page, target",
    [
        ("docs/species.md", "results/promoters/mine_task1_random"),
        ("docs/collections.md", "results/rbp/clip_PTBP1"),
    ],
)
def test_own_files_become_examples(page, target, tmp_path):
    list(steps(page, tmp_path))
    snakemake(tmp_path, f"{target}/card.json", "--configfile", str(tmp_path / "my-run.yaml"))
    card = json.loads((tmp_path / target / "card.json").read_text())
    assert sum(sum(classes.values()) for classes in card["splits"].values()) in (60, 240)


def test_keys_of_the_readme_are_those_of_the_configuration():
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert blocks
    for block in blocks:
        validate(yaml.safe_load(block), read_schema("config"), "README.md")
