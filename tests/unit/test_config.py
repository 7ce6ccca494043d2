"""Configuration: defaults, unknown keys, plug-in files, and the generated reference."""

import json
import re
from pathlib import Path

import pytest
import yaml

from nucleotune import config_reference
from nucleotune.config import load_run, set_in
from nucleotune.errors import InputError
from nucleotune.plan.run import Run
from nucleotune.plugins import (
    find_plugin,
    load_collection,
    load_method,
    load_model,
    load_species,
    read_sheet,
)
from nucleotune.schemas import read_schema, validate
from nucleotune.stages import ROOT
from nucleotune.studies.registry import STUDIES
from nucleotune.yaml_files import read_yaml

SHIPPED = [ROOT / "config"]
PROMOTERS = {"species": ["toy"], "methods": ["gc"]}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_demo_is_valid_and_filled():
    run = load_run(read_yaml(ROOT / "config/demo.yaml"))
    assert run["config"]["bootstrap"]["resamples"] == 1000
    assert run["config"]["lncrna"]["min_length"] == 100
    assert run["config"]["studies"] == ["lncrna", "promoters", "rbp", "polya", "task"]
    assert set(run["species"]) == {"toy", "toy-yeast"}
    assert set(run["collections"]) == {"toy-eclip"}
    assert "lora-bert-tiny-pretrain" in run["methods"], (
        "a method that another starts from belongs to the run"
    )


NAN, INF = float("nan"), float("inf")


def numbers_of(schema, prefix=()):
    """Keys of all numbers of a schema that are not in lists."""
    for key, part in schema["properties"].items():
        if part.get("properties"):
            yield from numbers_of(part, (*prefix, key))
        elif "number" in part.get("type", ()):
            yield (*prefix, key)


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_numbers_are_finite(value):
    """Of every schema and key, in lists and in mappings of one's own."""
    tried = 0
    for name in config_reference.SECTIONS:
        schema = read_schema(name)
        for keys in numbers_of(schema):
            given = {keys[-1]: value}
            for key in reversed(keys[:-1]):
                given = {key: given}
            with pytest.raises(
                InputError, match=rf"a\.yaml: key '{'.'.join(keys)}': -?(nan|inf) is not a number"
            ):
                validate(given, schema, "a.yaml")
            tried += 1
    assert tried >= 25
    for given, key in (
        ({"lncrna": {"kept": [0.9, value]}}, "lncrna.kept.1"),
        ({"polya": {"tune": {"space": {"bpnet": {"x": {"low": value}}}}}}, "space.bpnet.x.low"),
    ):
        with pytest.raises(InputError, match=re.escape(key)):
            load_run(given)


@pytest.mark.parametrize("shares", [[], [0.9, 0.904], [0.001], [1.0]])
def test_shares_of_partial_transcripts(shares):
    with pytest.raises(InputError, match=r"lncrna\.kept"):
        load_run({"lncrna": {"kept": shares}})


@pytest.mark.parametrize("kind", ["species", "collections", "models", "methods"])
@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a+b", "a(b", "a b", ".x", "-x", "a..b", "\u00e9", ""]
)
def test_names_of_plugins_are_names_of_directories(kind, name):
    with pytest.raises(InputError, match=f"{kind} .* becomes the name of a directory"):
        find_plugin(kind, name, SHIPPED)


def test_names_that_stand_for_something_else(tmp_path):
    """A species called as the pool is, methods called as another directory, two data sets of one name."""
    text = "title: P\ncoding: {files: [{path: a.fa}]}\nnoncoding: {files: [{path: a.fa}]}\n"
    write(tmp_path / "species/pooled.yaml", text)
    write(tmp_path / "a.fa", ">a\nACGT\n")
    own = {"plugins": [str(tmp_path)], "data_dir": str(tmp_path)}
    run = load_run({**own, "lncrna": {"species": ["toy", "pooled"]}})
    with pytest.raises(
        InputError, match="two data sets of this run would be called 'pooled_paper'"
    ):
        Run.of(run, STUDIES)
    with pytest.raises(InputError, match="'attention' is the name of another directory"):
        load_run({"lncrna": {"methods": ["attention"]}})
    for name, rbp in (("x", "y_Z"), ("x_y", "Z")):
        write(
            tmp_path / f"collections/{name}.yaml",
            f"title: {name}\nformat: fasta\nsheet: {name}.tsv\n",
        )
        sheet = f"rbp\tpositives\tnegatives\n{rbp}\ta.fa\ta.fa\n"
        write(tmp_path / f"collections/{name}.tsv", sheet)
    run = load_run({**own, "rbp": {"collections": ["x", "x_y"]}})
    with pytest.raises(InputError, match="'x_y_Z', which is composed of a collection and an RBP"):
        Run.of(run, STUDIES)


@pytest.mark.parametrize(
    "kind, name, settings",
    [
        ("species", "toy", {"lncrna": {"species": ["toy", "copy"]}}),
        ("species", "toy-yeast", {"polya": {"species": ["toy-yeast", "copy"]}}),
        ("methods", "gc", {"promoters": {"methods": ["gc"], "kmer_methods": ["copy"]}}),
        (
            "methods",
            "bpnet-tiny",
            {"polya": {"methods": ["bpnet-tiny", "average-profile", "copy"]}},
        ),
        ("collections", "toy-eclip", {"rbp": {"collections": ["toy-eclip", "copy"]}}),
    ],
)
def test_copies_have_titles_of_their_own(tmp_path, kind, name, settings):
    text = (ROOT / f"config/{kind}/{name}.yaml").read_text()
    write(tmp_path / f"{kind}/copy.yaml", text)
    if kind == "collections":
        write(tmp_path / f"{kind}/{name}.tsv", (ROOT / f"config/{kind}/{name}.tsv").read_text())
    message = rf"{kind}/{name}\.yaml and {kind}/copy\.yaml have the same title"
    with pytest.raises(InputError, match=message):
        load_run({"plugins": [str(tmp_path)], **settings})
    other = re.sub("^title: .*", "title: Copy", text, flags=re.M)
    write(tmp_path / f"{kind}/copy.yaml", other)
    load_run({"plugins": [str(tmp_path)], **settings})


def test_titles_of_the_papers_rows_are_theirs(tmp_path):
    write(
        tmp_path / "methods/x.yaml", "title: Human (as published)\nkind: baseline\nbaseline: gc\n"
    )
    with pytest.raises(
        InputError, match=r"methods/x\.yaml: title .* reserved for the papers' rows"
    ):
        load_run({"plugins": [str(tmp_path)], "lncrna": {"methods": ["x"]}})


@pytest.mark.parametrize(
    "text, studies",
    [
        ("{}", ["lncrna"]),
        ("lncrna: {}", ["lncrna"]),
        ("{polya: {}, rbp: {}}", ["rbp", "polya"]),
        ("{studies: [polya], rbp: {}}", ["polya"]),
    ],
)
def test_without_a_list_of_studies_they_are_those_of_the_blocks(text, studies):
    assert load_run(yaml.safe_load(text))["config"]["studies"] == studies


def test_the_documented_defaults_are_those_of_a_run():
    """Every default of the reference, key by key; none of the demo's settings is among them."""
    studies = ["lncrna", "promoters", "rbp", "polya"]
    page = (ROOT / "docs/configuration.md").read_text().split("\n## ")[1]
    documented = dict(re.findall(r"^\| `(\S+)` \| [^|]+ \| `(.+?)` \|", page, re.M))
    config = load_run({"studies": studies})["config"]
    compared = 0
    for key, default in documented.items():
        value = config
        for part in key.split("."):
            value = value.get(part, default) if isinstance(value, dict) else default
        if value is not default and key != "studies":
            assert value == json.loads(default), key
            compared += 1
    assert compared > 80
    assert documented["rbp.per_class"] == "15000" and documented["offline"] == "false"


def test_a_run_of_ones_own_says_nothing_of_the_toy(tmp_path):
    """The demo's proteins and methods are not looked for, nor left out with notes."""
    collection = {"title": "Mine", "format": "fasta", "sheet": "mine.tsv"}
    write(tmp_path / "collections/mine.yaml", yaml.safe_dump(collection))
    write(tmp_path / "collections/mine.tsv", "rbp\tpositives\tnegatives\nQKI\ta.fa\tb.fa\n")
    for name in ("a.fa", "b.fa"):
        (tmp_path / name).touch()
    own = {"plugins": [str(tmp_path)], "data_dir": str(tmp_path), "rbp": {"collections": ["mine"]}}
    assert load_run(own)["notes"] == []


@pytest.mark.parametrize(
    "make, message",
    [(None, "no directory .*/my-plugins"), ("species.yaml", "none of the directories species, ")],
)
def test_a_directory_of_plugins_that_is_none_is_named(tmp_path, make, message):
    folder = tmp_path / "my-plugins"
    if make:
        write(folder / make, "title: X\n")
    with pytest.raises(InputError, match=rf"my\.yaml: plugins: .*{message}"):
        load_run({"plugins": [str(folder)]}, source="my.yaml")


def test_where_a_key_is_set(tmp_path):
    first = write(tmp_path / "a.yaml", "offline: true\nseeds: [1]\n")
    second = write(tmp_path / "b.yaml", "offline: true\n")
    assert set_in("offline", [first, second], {}) == f"in {second}"
    assert set_in("seeds", [first, second], {}) == f"in {first}"
    assert "--config" in set_in("offline", [first], {"offline": True})


def test_paper_overlay_is_valid():
    run = load_run(read_yaml(ROOT / "config/paper.yaml"))
    assert set(run["species"]) == {"human", "mouse", "human-110", "yeast"}
    assert run["models"]["lora-bert"]["parameters"] == 86_906_114
    assert run["models"]["nt-500m-human"]["non_commercial"]


def test_a_study_that_is_not_named_is_not_read():
    """Its species and methods need not even exist."""
    nowhere = {"species": ["nowhere"], "methods": ["nothing"]}
    run = load_run({"studies": ["promoters"], "lncrna": nowhere, "promoters": PROMOTERS})
    assert set(run["species"]) == {"toy"} and set(run["methods"]) == {"gc"}
    with pytest.raises(InputError, match=r"no file species/nowhere\.yaml"):
        load_run({"studies": ["lncrna", "promoters"], "lncrna": nowhere, "promoters": PROMOTERS})


def test_methods_of_all_lists_belong_to_the_run():
    lists = {
        "kmer_methods": ["dnabert-4-tiny"],
        "expression_methods": ["biotype"],
        "truncation_methods": ["dnabert-6-tiny-left"],
    }
    run = load_run({"studies": ["promoters"], "promoters": PROMOTERS | lists})
    assert set(run["methods"]) == {"gc", "dnabert-4-tiny", "biotype", "dnabert-6-tiny-left"}
    assert set(run["models"]) == {"dnabert-6-tiny", "dnabert-4-tiny"}


def test_non_commercial_methods_leave_all_lists():
    run = {"methods": ["gc", "promoters-nt"], "kmer_methods": ["promoters-nt"]}
    run = load_run(
        {"studies": ["promoters"], "non_commercial": False, "promoters": PROMOTERS | run}
    )
    assert run["left_out"] == ["promoters-nt"] and set(run["methods"]) == {"gc"}
    study = run["config"]["promoters"]
    assert study["methods"] == ["gc"] and study["kmer_methods"] == []


def test_species_of_the_promoter_study_needs_its_block(tmp_path):
    write(
        tmp_path / "species/x.yaml",
        "title: X\nensembl: {release: 110, species: a, assembly: B}\n",
    )
    run = {"studies": ["promoters"], "plugins": [str(tmp_path)]}
    with pytest.raises(InputError, match=r"species/x\.yaml: no block 'promoters'"):
        load_run({**run, "promoters": PROMOTERS | {"species": ["x"]}})


def test_missing_file_of_the_promoter_study_is_named(tmp_path):
    write(tmp_path / "species/x.yaml", "title: X\npromoters: {files: {genome: a.fa}}\n")
    run = {"studies": ["promoters"], "plugins": [str(tmp_path)], "data_dir": str(tmp_path)}
    run["promoters"] = PROMOTERS | {"species": ["x"]}
    with pytest.raises(InputError, match=r"x\.yaml: promoters\.files\.genome: no file .*a\.fa"):
        load_run(run)
    (tmp_path / "a.fa").touch()
    load_run(run)


def test_methods_that_pretrain_are_none_of_the_promoter_study():
    with pytest.raises(
        InputError, match=r"'lora-bert-tiny' trains on 'pretrain', but study 'promoters' has"
    ):
        load_run(
            {"studies": ["promoters"], "promoters": PROMOTERS | {"methods": ["lora-bert-tiny"]}}
        )


def test_unknown_key_names_key_and_nearest():
    with pytest.raises(
        InputError, match=r"my\.yaml: unknown key 'lncrna.specie'; did you mean 'species'"
    ):
        load_run({"lncrna": {"specie": ["toy"]}}, source="my.yaml")


def test_all_mistakes_are_listed_at_once():
    with pytest.raises(InputError) as caught:
        load_run({"seeds": [], "offline": "yes"}, source="my.yaml")
    assert len(str(caught.value).splitlines()) == 2


def test_wrong_type_and_required():
    schema = read_schema("species")
    with pytest.raises(InputError, match="key 'title' is required"):
        validate({}, schema, "x.yaml")
    with pytest.raises(InputError, match="key 'ensembl.release': 'ten' is not of type 'integer'"):
        validate(
            {"title": "x", "ensembl": {"release": "ten", "species": "x", "assembly": "y"}},
            schema,
            "x.yaml",
        )


def test_defaults_are_not_shared_between_calls():
    schema = read_schema("config")
    validate({}, schema, "a")["mirrors"].append("x")
    assert validate({}, schema, "b")["mirrors"] == []


def test_key_given_twice(tmp_path):
    path = write(tmp_path / "a.yaml", "seeds: [1]\nseeds: [2]\n")
    with pytest.raises(InputError, match=r"a\.yaml: key 'seeds' is given twice \(line 2\)"):
        read_yaml(path)


@pytest.mark.parametrize(
    "text, message", [("- a\n", "expected a mapping"), ("a: [1\n", "not valid YAML")]
)
def test_broken_yaml(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_yaml(write(tmp_path / "a.yaml", text))


def test_fractions_must_add_up():
    with pytest.raises(InputError, match="add up to 0.95"):
        load_run({"lncrna": {"fractions": {"pretrain": 0.35}}})


def test_pretraining_needs_rows():
    fractions = {"pretrain": 0, "train": 0.7, "valid": 0.1, "test": 0.2}
    with pytest.raises(InputError, match="trains on 'pretrain'"):
        load_run({"lncrna": {"fractions": fractions}})


def test_unknown_plugin_lists_names():
    with pytest.raises(InputError, match="did you mean 'human'"):
        load_species("humann", SHIPPED)


def test_own_folder_overrides_shipped(tmp_path):
    write(
        tmp_path / "species/human.yaml",
        "title: Mine\nensembl: {release: 110, species: a, assembly: B}\n",
    )
    assert load_species("human", [*SHIPPED, tmp_path])["title"] == "Mine"


@pytest.mark.parametrize(
    "text, message",
    [
        ("title: X\n", "give either 'ensembl' or 'coding.files'"),
        (
            "title: X\ncoding: {files: [{path: a, urls: [b]}]}\n",
            "coding.files.0: give either 'path' or 'urls'",
        ),
        ("title: X\nensembl: {release: 57, species: a, assembly: B}\n", "set 'division' if"),
        (
            "title: X\nsimulate: {}\ncoding: {files: [{path: a}]}\nnoncoding: {files: [{path: a}]}\n",
            "'simulate' writes Ensembl files",
        ),
    ],
)
def test_species_cross_field_rules(tmp_path, text, message):
    write(tmp_path / "species/x.yaml", text)
    with pytest.raises(InputError, match=message):
        load_species("x", [tmp_path])


def test_missing_local_file_is_named_with_the_key_that_moves_it(tmp_path):
    write(
        tmp_path / "species/x.yaml",
        "title: X\ncoding: {files: [{path: a.fa}]}\nnoncoding: {files: [{path: b.fa}]}\n",
    )
    run = {"plugins": [str(tmp_path)], "data_dir": str(tmp_path), "lncrna": {"species": ["x"]}}
    (tmp_path / "a.fa").touch()
    with pytest.raises(
        InputError, match=r"x\.yaml: noncoding\.files\.0\.path: no file .*b\.fa; .*'data_dir'"
    ):
        load_run(run)
    (tmp_path / "b.fa").touch()
    load_run(run)


def test_model_cross_field_rules(tmp_path):
    model = yaml.safe_load((ROOT / "config/models/lora-bert-tiny.yaml").read_text())
    for key, value, message in (
        ("vocab_size", 69, "raise it to at least 261"),
        ("max_position_embeddings", 100, "is more than architecture.max_position_embeddings"),
        ("num_attention_heads", 5, "not a multiple of num_attention_heads"),
    ):
        broken = {**model, "architecture": {**model["architecture"], "vocab_size": 261, key: value}}
        write(
            tmp_path / "models/m.yaml",
            yaml.safe_dump({**broken, "tokenizer": {"kind": "kmer", "k": 4}}),
        )
        with pytest.raises(InputError, match=message):
            load_model("m", [tmp_path])


def test_method_kind_chooses_schema(tmp_path):
    write(tmp_path / "methods/m.yaml", "title: X\nkind: magic\n")
    with pytest.raises(InputError, match="key 'kind' must be one of"):
        load_method("m", [tmp_path])
    write(tmp_path / "methods/m.yaml", "title: X\nkind: baseline\nbaseline: cpc2\nmodel: y\n")
    with pytest.raises(InputError, match="unknown key 'model'"):
        load_method("m", [tmp_path])


def test_reference_lines_ask_for_little_and_large_fits_for_more():
    small, large = (load_method(name, SHIPPED)["resources"] for name in ("gc", "plek"))
    assert small == {"threads": 1, "mem_mb": 4000, "runtime": 60}
    assert large["mem_mb"] > 4000 and large["runtime"] > 60


def method_file(
    folder: Path, name: str, start: str, model: str = "lora-bert-tiny", extra: str = ""
) -> None:
    write(
        folder / f"methods/{name}.yaml",
        f"title: {name}\nkind: language_model\nmodel: {model}\nstart_from: {start}\n{extra}"
        "training: {epochs: 1, batch_size: 2, learning_rate: 1.0e-3}\n",
    )


@pytest.mark.parametrize(
    "first, second, message",
    [
        ({"start": "b"}, {"start": "a"}, "in a circle: a -> b -> a"),
        ({"start": "cpc2"}, {"start": "null"}, "is not a language model"),
        (
            {"start": "b"},
            {"start": "null", "model": "lora-bert"},
            "differs from that of start_from",
        ),
        ({"start": "b"}, {"start": "null", "extra": "adaptation: lora\n"}, "adaptation 'full'"),
    ],
)
def test_start_from_rules(tmp_path, first, second, message):
    method_file(tmp_path, "a", **first)
    method_file(tmp_path, "b", **second)
    with pytest.raises(InputError, match=message):
        load_run({"plugins": [str(tmp_path)], "lncrna": {"methods": ["a"]}})


@pytest.mark.parametrize("name", config_reference.SECTIONS)
def test_every_key_has_description_and_default(name):
    schema = read_schema(name)
    # What only some methods have: these are as they were before there were others.
    some = (
        "weights",
        "probe",
        *(f"training.{key}" for key in ("epochs", "batch_size", "learning_rate")),
    )
    for key, part, required in config_reference.keys(schema):
        assert part.get("description"), f"{name}: {key} has no description"
        inside_list_or_optional = (
            "[]" in key or required or (name == "language_model" and key in some)
        )
        assert inside_list_or_optional or "default" in part, f"{name}: {key} has no default"


def test_reference_is_up_to_date():
    page = (ROOT / "docs/configuration.md").read_text()
    assert page == config_reference.render(), "schemas have changed: run `make docs`"


@pytest.mark.parametrize(
    "kind, load", [("species", load_species), ("models", load_model), ("methods", load_method)]
)
def test_every_shipped_plugin_is_valid(kind, load):
    names = [path.stem for path in (ROOT / "config" / kind).glob("*.yaml")]
    assert names
    for name in names:
        load(name, SHIPPED)


def test_analyses_of_other_methods_and_proteins_are_left_out_with_a_note():
    study = {"methods": ["gc"], "attention": {"method": "bert-rbp-tiny", "region_rbps": ["QKI"]}}
    run = load_run({"studies": ["rbp"], "rbp": study})
    assert run["config"]["rbp"]["attention"]["method"] is None
    assert run["config"]["rbp"]["attention"]["region_rbps"] == []
    assert len(run["notes"]) == 2 and "'bert-rbp-tiny' is left out" in run["notes"][0]


REGIONS = {"method": "bert-rbp-tiny", "region_rbps": ["TOYM"]}


def test_regions_of_a_collection_without_them_are_left_out_with_a_note(tmp_path):
    write(tmp_path / "collections/x.yaml", "title: X\nformat: fasta\nsheet: x.tsv\n")
    write(tmp_path / "collections/x.tsv", "rbp\tpositives\tnegatives\nTOYM\tp.fa\tn.fa\n")
    for name in ("p.fa", "n.fa"):
        (tmp_path / name).touch()
    attention = REGIONS | {"example": {"rbp": "TOYM", "region": "CDS"}}
    study = {"collections": ["x"], "methods": ["bert-rbp-tiny"], "attention": attention}
    run = {"studies": ["rbp"], "plugins": [str(tmp_path)], "data_dir": str(tmp_path), "rbp": study}
    loaded = load_run(run)
    assert loaded["notes"] == [
        "rbp.attention.region_rbps: TOYM of collection 'x' are left out because its file has no key 'regions'",
        "rbp.attention.example: 'TOYM' is left out because this run does not analyse it",
    ]
    assert loaded["config"]["rbp"]["attention"]["example"] is None
    study["collections"] = ["toy-eclip", "x"]
    loaded = load_run(run)
    assert len(loaded["notes"]) == 1
    assert loaded["config"]["rbp"]["attention"]["example"]["rbp"] == "TOYM"


@pytest.mark.parametrize(
    ("study", "message"),
    [
        ({"attention": {"method": "bert-rbp-tinny"}}, "did you mean 'bert-rbp-tiny'"),
        ({"attention": {"region_rbps": ["TOYM", "TOYX"]}}, "no RBP 'TOYX' in the collections"),
        ({"rbps": ["TOYN"]}, "no RBP 'TOYN' in the collections; did you mean"),
        ({"attention": {"method": "gc"}}, "'gc' is not a language model"),
        ({"attention": {"random_method": "gc"}}, "attention.random_method: 'gc' is not a language"),
        (
            {"attention": {"method": "bert-baseline-tiny"}},
            r"models/dnabert-6-tiny-random.yaml has no 'checkpoint'",
        ),
        (
            {"peaks": {"min_distance": 100}},
            r"min_distance: 100 nt is less than rbp.peaks.length \(",
        ),
        (
            {"attention": REGIONS | {"example": {"rbp": "TOYH", "region": "CDS"}}},
            "attention.example: 'TOYH' is not analysed; did you mean 'TOYM'",
        ),
        ({"attention": {"example": {"rbp": "TOYM", "region": "UTR"}}}, "'UTR' is not one of"),
        (
            {
                "folding": "linearpartition",
                "attention": {"method": "bert-rbp-tiny", "structure_rbps": ["TOYH"]},
            },
            "rbp.linearpartition: no program 'linearpartition'; build",
        ),
    ],
)
def test_mistyped_names_of_the_rbp_study(study, message):
    study = {"methods": ["bert-rbp-tiny", "bert-baseline-tiny", "gc"]} | study
    with pytest.raises(InputError, match=message):
        load_run({"studies": ["rbp"], "rbp": study})


def test_methods_belong_to_their_study():
    with pytest.raises(InputError, match="method 'bpnet-tiny' is of kind 'profile_model'"):
        load_run({"studies": ["rbp"], "rbp": {"methods": ["bpnet-tiny"]}})
    with pytest.raises(InputError, match="polya.line: 'average-profile'"):
        load_run({"studies": ["polya"], "polya": {"methods": ["bpnet-tiny"]}})


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ("rbp\tpositives\nA\tx.fa\n", "needs the tab-separated columns negatives, positives, rbp"),
        (
            "rbp\tpositives\tnegatives\nA\tx.fa\n",
            "line 2: expected negatives, positives, rbp filled",
        ),
        ("rbp\tpositives\tnegatives\nA/B\tx\ty\n", "'A/B' becomes the name of a directory"),
        ("rbp\tpositives\tnegatives\nA\tx\ty\nA\tx\ty\n", "'A' has more than one row"),
        ("rbp\tpositives\tnegatives\n", "no rows"),
    ],
)
def test_sheets_with_mistakes(tmp_path, sheet, message):
    write(tmp_path / "collections/x.yaml", "title: X\nformat: fasta\nsheet: x.tsv\n")
    write(tmp_path / "collections/x.tsv", sheet)
    with pytest.raises(InputError, match=re.escape(message)):
        load_collection("x", [tmp_path])


@pytest.mark.parametrize(
    ("form", "sheet", "message"),
    [
        ("narrowpeak", "rbp\tcell_line\taccession\tmd5sum\nA\tK\tE\t0\n", "'md5sum' is unknown; did you mean 'md5'?"),
        ("narrowpeak", "rbp\tcell_line\taccession\tmd5\nA\tK\tE\tF00\n", "line 2: md5 'F00'; expected 32"),
        ("table", "rbp\ttrain\ttest\tval\nA\tx\ty\tz\n", "column 'val' is unknown; did you mean 'valid'?"),
        ("strazar", "rbp\ttrain\ttest\tValid\nA\tx\ty\tz\n", "column 'Valid' is unknown; did you mean 'valid'?"),
        ("table", "rbp\tsequences\ttrain\ttest\nA\ts\tx\ty\n", "expected rbp, sequences or rbp, test, train filled"),
        ("rbpsuite", "rbp\tzzz\nA\tx\n", "column 'zzz' is unknown; format 'rbpsuite' has rbp"),
        ("rbpsuite", "rbp\trbp\nA\tB\n", "column 'rbp' comes twice"),
    ],
)  # fmt: skip
def test_columns_of_sheets(tmp_path, form, sheet, message):
    path = write(tmp_path / "x.tsv", sheet)
    with pytest.raises(InputError, match=re.escape(message)):
        read_sheet(path, form)


def test_a_sheet_of_a_spreadsheet_is_read(tmp_path):
    text = "\ufeffrbp\tsequences\ttrain\ttest\nA\ts\t\t\nB\t\tx\ty\n"
    rows = read_sheet(write(tmp_path / "x.tsv", text), "table")
    assert rows == [{"rbp": "A", "sequences": "s"}, {"rbp": "B", "train": "x", "test": "y"}]


@pytest.mark.parametrize(
    ("form", "sheet", "message"),
    [
        ("table", "rbp\tsequences\nA\tx\n", "format 'table' has no places"),
        ("strazar", "rbp\ttrain\ttest\nA\tx\ty\n", "the files of A come split"),
    ],
)
def test_split_locus_where_it_cannot_be(tmp_path, form, sheet, message):
    write(
        tmp_path / "collections/x.yaml", f"title: X\nformat: {form}\nsheet: x.tsv\nsplit: locus\n"
    )
    write(tmp_path / "collections/x.tsv", sheet)
    with pytest.raises(InputError, match=f"x.yaml: split 'locus': {message}"):
        load_collection("x", [tmp_path])


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (
            "network: bpnet\nmodel: lora-bert-tiny\nadaptation: lora",
            "network 'bpnet' needs `model` and",
        ),
        ("network: bpnet\nfaithful: true", "`faithful` is about an encoder's k-mers"),
    ],
)
def test_networks_and_encoders_fit_before_the_first_job(tmp_path, keys, reason):
    path = tmp_path / "methods/odd.yaml"
    path.parent.mkdir()
    training = "training: {epochs: 1, batch_size: 8, learning_rate: 1.0e-3}"
    path.write_text(f"title: Odd\nkind: profile_model\n{keys}\n{training}\n")
    config = {
        "studies": ["polya"],
        "plugins": [str(tmp_path)],
        "polya": {"species": ["toy-yeast"], "methods": ["odd", "average-profile"]},
    }
    with pytest.raises(InputError, match=f"method 'odd': {reason}"):
        load_run(config)
