"""What may be searched for hyper-parameters: found wrong before the first job."""

import pytest

from nucleotune.config import load_run
from nucleotune.errors import InputError
from nucleotune.plugins import load_method
from nucleotune.search_space import check_space, read_search, settings_digest, with_parameters
from nucleotune.stages import ROOT
from nucleotune.yaml_files import read_yaml

FOLDERS = [ROOT / "config"]
RATE = "training.learning_rate"


@pytest.mark.parametrize(
    ("name", "space", "message"),
    [
        ("bpnet", {}, "a.yaml: empty; expected .* sizes.filters"),
        ("bpnet", {"sizes.filtres": [1]}, "'sizes.filtres' cannot be searched .* sizes.filters, "),
        ("bpnet", {"network": ["bpnet", "average"]}, "'network' cannot be searched"),
        ("bpnet", {"sizes.widths": [[8]]}, "'sizes.widths' cannot be searched for network 'bpnet'"),
        ("bpnet", {"training.save_minutes": [1]}, "cannot be searched"),
        ("bpnet", {"sizes.filters": [0, 8]}, "sizes.filters: 0: key 'sizes.filters': 0 is less"),
        ("bpnet", {"sizes.filters": ["foo"]}, "'foo' is not of type 'integer'"),
        ("bpnet", {"sizes.layers": {"low": 1.5, "high": 4}}, "1.5 is not of type 'integer'"),
        ("bpnet", {"sizes.layers": {"low": 1, "high": 99}}, "99 is greater"),
        (
            "bpnet",
            {RATE: {"low": 1, "hgih": 2}},
            "expected a list of values, or numbers low < high",
        ),
        ("bpnet", {RATE: {"low": 2, "high": 1}}, "expected a list"),
        ("bpnet", {RATE: {"low": 0, "high": 1, "log": True}}, "expected a list"),
        ("bpnet", {RATE: {"low": "a", "high": "b"}}, "expected a list"),
        ("bpnet", {RATE: []}, "expected a list"),
        ("bpnet", {RATE: 3}, "expected a list"),
        ("specieslm-lora", {"sizes.widths": [[8], 8]}, "8 is not of type 'array'"),
        ("average-profile", {"training.epochs": [1]}, "not trained"),
    ],
)
def test_what_cannot_be_searched(name, space, message):
    with pytest.raises(InputError, match=message):
        check_space(space, load_method(name, FOLDERS), "a.yaml")


def test_spaces_of_the_paper():
    spaces = read_yaml(ROOT / "config" / "paper.yaml")["polya"]["tune"]["space"]
    assert set(spaces) == {"bpnet", "specieslm-lora", "specieslm-frozen"}
    for name, space in spaces.items():
        check_space(space, load_method(name, FOLDERS), name)


def test_a_run_is_checked_at_once():
    config = {"studies": ["polya"], "polya": {"tune": {"space": {"bpnet-tiny": {"sizes.x": [1]}}}}}
    with pytest.raises(InputError, match="polya.tune.space.bpnet-tiny: 'sizes.x'"):
        load_run(config)
    config["polya"]["tune"]["space"] = {"bpnet-tiny": None}
    with pytest.raises(InputError, match="polya.tune.space.bpnet-tiny.*object"):
        load_run(config)


def test_parameters_are_set_in_a_copy():
    method = {"title": "m", "sizes": {"layers": 3}, "training": {"learning_rate": 1.0}}
    changed = with_parameters(method, {"sizes.layers": 5, "training.learning_rate": 0.1})
    assert changed == {"title": "m", "sizes": {"layers": 5}, "training": {"learning_rate": 0.1}}
    assert method["sizes"]["layers"] == 3
    for key in ("sizes.layres", "size.layers", "title.layers", "layers"):
        with pytest.raises(InputError, match=f"no key '{key}'"):
            with_parameters(method, {key: 1})


def test_only_a_search_of_the_same_settings_is_read(tmp_path):
    path = tmp_path / "best.json"
    assert read_search(path, "a") is None
    path.write_text('{"value": 1, "settings": "a"}')
    assert read_search(path, "a")["value"] == 1 and read_search(path, "b") is None
    path.write_text('{"value": 1}')  # of a version that had no digests
    assert read_search(path, "a") is None


def test_digest_of_settings():
    """What is searched is not part of it, all else is."""
    method, space = load_method("bpnet", FOLDERS), {RATE: [1e-3, 1e-2]}
    first = settings_digest(method, None, space, 1)
    assert settings_digest(with_parameters(method, {RATE: 0.5}), None, space, 1) == first
    others = [
        settings_digest(with_parameters(method, {"sizes.filters": 7}), None, space, 1),
        settings_digest(method, {"k": 6}, space, 1),
        settings_digest(method, None, {RATE: [1e-3]}, 1),
        settings_digest(method, None, space, 2),
    ]
    assert len({first, *others}) == 5
