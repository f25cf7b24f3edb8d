"""A report's page as a test looks at it: its text, its markup, the data in it."""

import json
import re
from typing import Any

from reports import page, queries


def rendered(folder: Any) -> str:
    return page.render([queries.read(folder.path)])


def markup(html: str) -> str:
    """The page without the scripts that run: the chart library holds markup of its own."""
    return re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)


def said(html: str) -> str:
    """The page's text without scripts, style and tags, in one line."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).replace("&nbsp;", " ").split()).replace(
        "\N{NO-BREAK SPACE}", " "
    )


def data(html: str) -> Any:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    return json.loads(text)


def column(html: str, name: str) -> list[Any]:
    """A column of the page's cases, unpacked."""
    packed = data(html)["cases"][name]
    return packed["values"] if "values" in packed else [packed["of"][place] for place in packed["at"]]
