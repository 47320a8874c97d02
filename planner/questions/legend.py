"""The names of what a text calls by its ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..instance.instance import Instance

# what stands between spaces, the marks of a sentence, and the letters of a script that puts no spaces between words
WORD = re.compile(r"[^\s,;:()\[\]@=\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]+")


def legend(text: str, instance: Instance) -> list[str]:
    """Return lines with the ids that stand in a text and the names that the instance gives them, in their order.

    Ids are those of countries, materials, facilities, options and sectors. What is called by its name is left out, and
    so is a word that a stage has too, since the text may mean the stage.
    """
    names = {c.country: c.name for c in instance.countries}
    names |= {m.material: m.name for m in instance.materials}
    names |= {s.sector: s.name for s in instance.sectors}
    names |= {f.facility: f.name for f in instance.facilities}
    names |= {o.option: o.name for o in instance.options}
    words = {word.rstrip(".") for word in WORD.findall(text)}
    ways = {
        part for word in words for mark in "-/" for part in word.split(mark) if names.keys() >= set(word.split(mark))
    }
    said = words | ways  # a way from one country to another is one word: AUS-MYS
    told = [
        (key, name)
        for key, name in names.items()
        if _stands(key, text, said) and key not in instance.stages and plain(key) != plain(name)
    ]
    width = max((len(key) for key, _ in told), default=0)
    return [f"  {key:<{width}}  {name}" for key, name in told]


def _stands(key: str, text: str, said: set[str]) -> bool:
    """Whether an id is a word of the text; one of several words stands in it between two that are not its own."""
    if WORD.fullmatch(key):
        return key in said
    return re.search(rf"(?<!\w){re.escape(key)}(?!\w)", text) is not None


def plain(name: str) -> str:
    """Return a name as it is compared with an id: in small letters, words parted by a space."""
    return re.sub(r"[\s_-]+", " ", name).casefold()
