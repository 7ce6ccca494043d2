"""The report: one page, nothing fetched, nothing unescaped, readable without a run behind it."""

from html.parser import HTMLParser

import pandas as pd
import pytest

from nucleotune.evaluation.paired import comparison_columns
from nucleotune.evaluation.titles import COMPARED
from nucleotune.reporting.page import render_overview, render_study, summarise_benchmarks
from nucleotune.reporting.tables import long_table, render_table, row

EVIL = "<script>alert('x')</script>"
SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='400' height='200'></svg>"
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Checked(HTMLParser):
    """Collects tags and addresses, and fails on tags that are not closed in order."""

    def __init__(self, html):
        super().__init__()
        self.stack, self.ids, self.links, self.sources, self.tags = [], set(), [], [], []
        self.feed(html)
        assert not self.stack

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.ids.update({attrs["id"]} if "id" in attrs else ())
        self.links += [attrs["href"]] if "href" in attrs else []
        self.sources += [attrs["src"]] if "src" in attrs else []
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def comparison():
    auroc, accuracy, mcc = (
        (0.05, 0.02, 0.08, 0.002, 0.004),
        (0.04, -0.01, 0.09, 0.1),
        (0.07, 0, 0.1, 0.04),
    )
    values = ("bert", "svm", *auroc, *accuracy, *mcc, 1e-7, "a note")
    return pd.DataFrame([values], columns=list(comparison_columns(COMPARED)))


def context(text="Toy", **changes):
    interval = {"value": 0.95, "ci_low": 0.94, "ci_high": 0.96}
    rows = [row({"dataset": text}, "auroc", 0.9, interval, comparable=True, note=text)]
    values = {
        "title": text,
        "asked": text,
        "answer": text,
        "headlines": [
            {
                "dataset": text,
                "method": "BERT",
                "baseline": "SVM",
                "auroc": interval,
                "baseline_auroc": {"value": 0.9, "ci_low": 0.88, "ci_high": 0.92},
                "mcc": interval,
                "baseline_mcc": interval,
                "delta_auroc": 0.05,
                "ci_low": -0.002,
                "ci_high": 0.08,
                "p_holm": 0.004,
                "collapsed": [],
                "n_test": 1200,
                "seeds": 1,
            }
        ],
        "not_run": [{"method": text, "reason": text, "datasets": [text]}],
        "rows": "transcripts",
        "run": {
            "config": f"key: {text}",
            "versions": {"numpy": "2"},
            "commit": None,
            "date": "2025-01-01",
            "cores": 2,
        },
        "inputs": [
            {"file": text, "origin": "https://a.org/b.gz", "bytes": 12345, "sha256": "0" * 64},
            {"file": "b", "origin": "javascript:alert(1)", "bytes": 1, "sha256": "1" * 64},
            {"file": "c", "origin": "local file", "bytes": 1, "sha256": None},
        ],
        "datasets": [
            {
                "title": text,
                "note": text,
                "leaks": [text, "Another."],
                "tables": [
                    {"title": text, "head": [text, "n"], "rows": [[text, "5"]], "note": text}
                ],
                "waterfall": SVG,
            }
        ],
        "tables": [render_table(long_table(rows, ["dataset"]), text, text)],
        "further": 0,
        "compared": "Each against the best.",
        "comparisons": [{"dataset": text, "table": comparison()}],
        "method_titles": {"bert": text, "svm": "The SVM"},
        "figures": [{"title": "Figure 3", "caption": "ROC curves", "svg": SVG}],
        "training": [SVG],
        "models": [{"title": text, "weights": text, "licence": text, "note": text}],
        "fits": [
            {
                "dataset": text,
                "method": text,
                "seed": 1,
                "rows_used": 20000,
                "rows_available": 95070,
                "chosen": "C 2",
            }
        ],
        "gates": [
            {
                "seed": 1,
                "method": text,
                "truncated": {"side": "right", "count": 3, "share": 0.25},
                "parameters": {"total": 86906114, "trainable": 1000},
                "padding_share": 0.0312,
                "seconds": 75.0,
                "resumed": False,
                "versions": {"torch": "unshown"},
            }
        ],
        "benchmarks": [
            {"rule": text, "jobs": 2, "total_s": 3725.0, "longest_s": 59.0, "peak_mb": 2048.0}
        ],
        "deviations": "<ul><li>ours</li></ul>",
    }
    return values | changes


def test_page_is_whole_and_self_contained():
    html = render_study(context())
    assert html.startswith("<!DOCTYPE html>")
    page = Checked(html)
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert all(source.startswith("data:") for source in page.sources)
    assert "link" not in page.tags
    assert "@import" not in html
    assert "url(" not in html
    assert len(page.sources) == 3


def test_everything_given_is_escaped_but_our_own_fragments():
    html = render_study(context(EVIL))
    page = Checked(html)
    assert "script" not in page.tags
    assert html.count("&lt;script&gt;") > 10
    assert "javascript:alert(1)" not in page.links
    assert "https://a.org/b.gz" in page.links
    assert "<ul><li>ours</li></ul>" in html


def test_the_overview_escapes_and_fetches_nothing():
    study = {key: context(EVIL)[key] for key in ("title", "asked", "headlines", "not_run")}
    values = {key: context(EVIL)[key] for key in ("run", "models", "benchmarks")}
    page = Checked(render_overview({**values, "studies": [{**study, "study": "lncrna"}]}))
    assert "script" not in page.tags and not page.sources
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert "reports/lncrna.html" in page.links


def words(html):
    return " ".join(html.split())


def test_what_the_reader_wants_to_know_stands_there():
    html = words(render_study(context()))
    for text in (
        "0.950 (0.940 to 0.960)",
        "<b>+0.050</b> (\u22120.002 to +0.080, p = 0.004",
        "the language model is better",
        "1,200 test examples, 1 training seed;",
        "Toy Another.",
        '<td>Toy</td><td class="n">5</td>',
        "Toy did not run (Toy): Toy.",
        "86,906,114",
        "25.0 %",
        "<td>3.1 %</td>",
        "<td>1 min 15 s</td>",
        "<td>\u2013</td>",
        "<td>no</td>",
        "1 h 02 min",
        "2.0 GB",
        "1.0e-07",
        "The SVM",
        "local file",
    ):
        assert text in html, text
    assert "unshown" not in html


@pytest.mark.parametrize(
    ("delta", "p", "verdict"),
    [
        (0.05, 0.2, "the two cannot be told apart"),
        (-0.05, 0.2, "the two cannot be told apart"),
        (-0.05, 0.01, "the baseline is better"),
    ],
)
def test_verdict(delta, p, verdict):
    values = context()
    values["headlines"][0] |= {"delta_auroc": delta, "p_holm": p}
    html = render_study(values)
    assert verdict in html
    assert "the language model is better" not in html


def test_an_empty_run():
    values = context(
        headlines=[],
        not_run=[],
        inputs=[],
        tables=[],
        figures=[],
        training=[],
        gates=[],
        fits=[],
        models=[],
        benchmarks=[],
    )
    values["comparisons"] = [{"dataset": "Toy", "table": comparison().head(0)}]
    html = render_study(values)
    Checked(html)
    assert "No language model was trained" in html
    assert "Nothing to compare" in html


def test_a_forgotten_key_is_an_error_and_not_a_blank():
    values = context()
    del values["run"]["commit"]
    with pytest.raises(Exception, match="commit"):
        render_study(values)


def test_benchmarks_are_summed_per_rule(tmp_path):
    head = "s\th:m:s\tmax_rss\tmax_vms\n"
    (tmp_path / "a.tsv").write_text(head + "10.5\t0:00:10\t100.0\t5\n")
    (tmp_path / "b.tsv").write_text(head + "30.0\t0:00:30\t300.0\t5\n20.0\t0:00:20\t50.0\t5\n")
    (tmp_path / "c.tsv").write_text(head + "0.1\t0:00:00\t-\t-\n")
    files = [
        ("train", tmp_path / "a.tsv"),
        ("train", tmp_path / "b.tsv"),
        ("x", tmp_path / "c.tsv"),
    ]
    train, other = summarise_benchmarks(reversed(files))
    assert train == {
        "rule": "train",
        "jobs": 2,
        "total_s": 35.5,
        "longest_s": 25.0,
        "peak_mb": 300.0,
    }
    assert other["peak_mb"] is None


@pytest.mark.parametrize(("seeds", "some"), [(1, ""), (3, " in 1 of 3 seeds")])
def test_a_collapsed_model_is_named_in_the_findings(seeds, some):
    values = context()
    interval = {"value": 0.0, "ci_low": None, "ci_high": None, "one_class": 1}
    values["headlines"][0] |= {"mcc": interval, "seeds": seeds}
    html = " ".join(render_study(values).split())
    assert "MCC 0.000 (predicts one class) against" in html
    assert f"predicts one class</b> for all test examples{some}." in html
