"""The part of docs/deviations.md that belongs to a study, for its page."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token


def deviations(text: str, study: str) -> str:
    """HTML of the parts of docs/deviations.md (`text`) on a study and on published models.

    A part begins with a heading of the second level; that of a study has its name in backticks. A study without one
    follows no paper: nothing. Links to other files
    of the documentation are left as text: the page stands alone.
    """
    parts = {
        part.partition("\n")[0]: part for part in re.split(r"^(?=## )", text, flags=re.MULTILINE)
    }
    own = [part for heading, part in parts.items() if f"`{study}`" in heading]
    if not own:
        return ""
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse("".join([*own, parts.get("## Published models", "")]))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + 1}"
        if token.children:
            token.children = _without_local_links(token.children)
    return markdown.renderer.render(tokens, markdown.options, {})


def _without_local_links(tokens: Sequence[Token]) -> list[Token]:
    kept, dropped = [], False
    for token in tokens:
        if token.type == "link_open":
            dropped = "://" not in str(token.attrGet("href"))
        if not (dropped and token.type in ("link_open", "link_close")):
            kept.append(token)
    return kept
