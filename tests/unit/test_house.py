"""The shape of the house: what is a study's own stands in its directory, and rooms import from lower floors only."""

import re

from nucleotune.stages import ROOT
from nucleotune.studies.registry import STUDIES
from nucleotune.tasks import KINDS

NAMES = "|".join(STUDIES)

#: Shared files that may hold the name of a study as a word, and what it stands for there.
ALLOWED = {
    "nucleotune/studies/registry.py": "the list of studies",
    "nucleotune/plugins.py": "blocks of species files, columns of sheets",
    "nucleotune/config_reference.py": "the schema of task files",
    "nucleotune/simulate/paths.py": "parts of the `simulate` block of species files",
    "scripts/simulate.py": "parts of the `simulate` block of species files",
    "nucleotune/genome/manifest.py": "a column of ENCODE's table",
    "nucleotune/__main__.py": "a column of sheets",
    "nucleotune/models/description.py": "the kind of labels in a model's description",
    "nucleotune/training/fit.py": "the kind of labels in a model's description",
    "nucleotune/baselines/__init__.py": "the kind of labels in a model's description",
}

#: Rooms from the ground up; files beside them at the level where they are read.
FLOORS = [
    {"errors"},
    {
        "bounds",
        "text",
        "files",
        "delimited",
        "yaml_files",
        "frames",
        "outputs",
        "groups",
        "names",
        "compiled",
        "devices",
        "progress",
        "scripting",
    },
    {"sources", "sequence", "genome", "contracts", "profile_contracts", "stages", "schemas"},
    {"models", "evaluation"},
    {
        "plugins",
        "search_space",
        "baselines",
        "attention",
        "tasks",
        "costs",
        "estimate",
        "config_reference",
    },
    {"training"},
    {"attribution", "predict"},
    {"simulate", "plan", "studies", "reporting", "config", "warm", "__main__", "__init__"},
]


def shared_files():
    own = re.compile(
        rf"nucleotune/studies/({NAMES})/|rules/({NAMES})\w*\.smk|scripts/({NAMES})_|rules/calibrate|scripts/calibrate"
    )
    files = [*(ROOT / "nucleotune").rglob("*.py"), *(ROOT / "rules").glob("*.smk")]
    files += [*(ROOT / "scripts").glob("*.py"), ROOT / "Snakefile"]
    paths = {str(path.relative_to(ROOT)): path for path in files}
    return {name: path for name, path in paths.items() if not own.match(name)}


def test_shared_code_knows_no_study_by_name():
    word = re.compile(rf"""["']({NAMES})["']""")
    found = {
        f"{name}:{number}: {line.strip()}"
        for name, path in shared_files().items()
        if name not in ALLOWED
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if word.search(line)
    }
    assert not found


def modules(folder):
    return {path.stem for path in (ROOT / folder).glob("[a-z]*.py")}


def test_every_kind_of_labels_can_be_evaluated_and_trained():
    assert modules("nucleotune/tasks") - {"base"} == set(KINDS)
    assert modules("nucleotune/training/kinds") == set(KINDS)
    assert {kind for study in STUDIES.values() for kind in study.kinds} == set(KINDS)


def test_no_file_is_called_after_a_study_elsewhere():
    for path in (ROOT / "nucleotune").rglob("*.py"):
        parts = path.relative_to(ROOT / "nucleotune").parts
        if parts[0] != "studies":
            assert not re.search(rf"(^|_)({NAMES})(_|\.)", path.name), path


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def test_a_room_imports_from_its_floor_or_below():
    level = {name: number for number, floor in enumerate(FLOORS) for name in floor}
    found = []
    for path in (ROOT / "nucleotune").rglob("*.py"):
        here = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for package, names in re.findall(
            r"^[ \t]*from (nucleotune[\w.]*) import (\([^)]*\)|[^\n]*)", path.read_text(), re.M
        ):
            others = [room(package)] if "." in package else re.findall(r"\b[a-z]\w*", names)
            found += [f"{path}: {here} imports {one}" for one in others if level[one] > level[here]]
    assert not found
