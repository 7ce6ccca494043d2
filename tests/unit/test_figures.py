"""Figures: the same bytes from the same data, stable colours, nothing overlapping."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import image

from nucleotune.reporting import figures
from nucleotune.reporting.figures import (
    _numbered,
    method_styles,
    roc_figure,
    training_curves,
    waterfall,
)

RATE = np.linspace(0, 1, 50)


def curve(power):
    return RATE, RATE**power, 1 / (1 + power), (0.5, 0.9)


def curves():
    methods = {"BERT": curve(0.1), "SVM": curve(0.3), "Length only": curve(0.8)}
    return {"Toy": methods, "Human": dict(reversed(methods.items()))}


def history():
    step = np.arange(0, 100, 10)
    train = {"step": step, "split": "train", "loss": 1 / (step + 1), "learning_rate": 1e-4}
    valid = {"step": [0, 50], "split": "valid", "loss": [1, 0.5], "accuracy": [0.5, 0.9]}
    return pd.concat([pd.DataFrame(train), pd.DataFrame(valid)]).assign(unheard_of="x")


def card():
    steps = [("records", 1000, 0), ("at least 100 nt", 900, 100), ("A, C, G, T only", 890, 10)]
    return {
        "waterfall": [
            {"class": name, "step": step, "kept": kept, "dropped": dropped}
            for name in ("mRNA", "lncRNA")
            for step, kept, dropped in steps
        ]
    }


DRAWN = {
    "roc": lambda path: roc_figure(curves(), path),
    "training": lambda path: training_curves({"Toy": {"BERT": [history(), history()]}}, path),
    "waterfall": lambda path: waterfall(card(), path),
}


@pytest.mark.parametrize("name", DRAWN)
def test_svg_and_png_are_written_and_repeatable(name, tmp_path):
    for folder in ("first", "second"):
        DRAWN[name](tmp_path / folder / "figure.svg")
    for suffix in (".svg", ".png"):
        first, second = (
            (tmp_path / folder / "figure").with_suffix(suffix).read_bytes()
            for folder in ("first", "second")
        )
        assert first == second
    assert b"<dc:date>" not in (tmp_path / "first" / "figure.svg").read_bytes()
    pixels = image.imread(tmp_path / "first" / "figure.png")
    assert min(pixels.shape[:2]) > 300
    assert pixels[..., :3].std() > 0.02, "something is drawn"
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == [
        "figure.png",
        "figure.svg",
    ]


def test_a_method_keeps_its_colour_whatever_the_figure_shows():
    everything = method_styles(["A", "B", "Length only", "C"], {"Length only"})
    assert everything["A"]["color"] == figures.COLOURS[0]
    assert everything["C"]["color"] == figures.COLOURS[2]
    assert everything["Length only"]["color"] in [grey for grey, _ in figures.GREYS]
    assert everything["Length only"]["linestyle"] != "-"


def test_reference_lines_stay_apart():
    names = ["length", "gc", "orf", "start"]
    styles = method_styles(names, names)
    assert len({style["color"] for style in styles.values()}) == 4
    assert len({style["linestyle"] for style in styles.values()}) == 4


def test_more_methods_than_colours_stay_apart():
    styles = method_styles([str(n) for n in range(14)])
    assert len({(style["color"], style["linestyle"]) for style in styles.values()}) == 14


def drawn(monkeypatch, draw):
    kept = []
    monkeypatch.setattr(figures, "save", lambda figure, path: kept.append(figure))
    draw("unused.svg")
    figure = kept[0]
    figure.draw_without_rendering()
    return figure


def boxes(artists):
    return [artist.get_window_extent() for artist in artists]


@pytest.mark.parametrize("name", ["roc", "training"])
def test_legends_overlap_no_axes_and_no_axis_label(name, monkeypatch):
    figure = drawn(monkeypatch, DRAWN[name])
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    assert legends
    others = boxes([axes.patch for axes in figure.axes])
    others += boxes([axes.xaxis.label for axes in figure.axes])
    for legend in boxes(legends):
        assert not any(legend.overlaps(other) for other in others)
    for one, first in enumerate(boxes(legends)):
        assert not any(first.overlaps(other) for other in boxes(legends)[one + 1 :])


def test_numbers_of_the_waterfall_stay_inside(monkeypatch):
    figure = drawn(monkeypatch, DRAWN["waterfall"])
    for axes in figure.axes:
        for text in boxes(axes.texts):
            assert text.x1 <= figure.bbox.x1
    assert "900  (\u2212100)" in [text.get_text() for text in figure.axes[0].texts]


def test_long_curves_arethinned_without_leaving_the_curve():
    fpr = np.sort(np.random.default_rng(0).random(24000))
    x, y = figures.thinned(fpr, fpr**0.1)
    assert x.size <= 501
    assert (x[-1], y[-1]) == (fpr[-1], fpr[-1] ** 0.1)
    assert np.array_equal(y, x**0.1)


def test_training_without_validation_or_accuracy(tmp_path):
    table = history().drop(columns="accuracy").query("split == 'train'")
    training_curves({"Toy": {"BERT": [table]}}, tmp_path / "t.svg")
    assert (tmp_path / "t.png").exists()


def test_a_model_without_an_interval_says_why(tmp_path):
    diagonal = np.linspace(0, 1, 5)
    panel = {"Start codon": (diagonal, diagonal, 0.5, (None, None))}
    roc_figure({"Toy": panel}, tmp_path / "figure.svg")
    # Text is drawn as paths; matplotlib names each as a comment.
    assert (
        "<!-- Start codon: 0.500 (predicts one class) -->" in (tmp_path / "figure.svg").read_text()
    )


def test_ids_of_clip_paths_are_numbers():
    """Matplotlib's are hashes of sizes, whose last digits differ from one drawing to the next."""

    def drawn(first, second):
        return (
            f'<g clip-path="url(#{first})"/><path clip-path="url(#{second})"/><use href="#p1"/>'
            f'<clipPath id="{second}"/><clipPath id="{first}"/>'
        )

    assert _numbered(drawn("p4e663ea57d", "p0a")) == drawn("clip0", "clip1")
