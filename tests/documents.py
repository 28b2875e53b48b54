"""Reads a Markdown file as its parts: sections, code blocks, tables, bullets. Enough for the README, no more."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]


@dataclass
class Section:
    """One heading and what stands under it, up to the next heading."""

    level: int
    title: str
    blocks: list[tuple[str, str]] = field(default_factory=list)  # language, text
    rows: list[list[str]] = field(default_factory=list)  # of its one table, heading and rule left out
    bullets: int = 0
    text: str = ""

    def block(self, language: str) -> str:
        """The only code block in a language."""
        (text,) = (text for name, text in self.blocks if name == language)
        return text


@dataclass
class Document:
    """A Markdown file."""

    text: str
    sections: list[Section]

    @classmethod
    def read(cls, name: str) -> Self:
        """Read a file of the top level."""
        text = (ROOT / name).read_text(encoding="utf-8")
        sections = [Section(0, "")]
        pieces = re.split(r"^```(\w*)\n(.*?)^```$\n", text, flags=re.MULTILINE | re.DOTALL)
        prose, code = pieces[::3], [*zip(pieces[1::3], pieces[2::3], strict=True), None]
        for words, block in zip(prose, code, strict=True):
            for line in words.splitlines():
                _take(sections, line)
            if block is not None:
                sections[-1].blocks.append(block)
        return cls(text, sections[1:])

    def with_rows(self, first_cell: str) -> Section:
        """The section whose table has a row that begins with this cell."""
        (section,) = (s for s in self.sections if any(row[0] == first_cell for row in s.rows))
        return section

    def commands(self) -> list[str]:
        """Lines of all shell blocks, comments left out."""
        lines = [
            line
            for section in self.sections
            for name, text in section.blocks
            if name == "sh"
            for line in text.split("\n")
        ]
        return [command for line in lines if (command := re.sub(r"\s*(^|\s)#.*", "", line))]


def _take(sections: list[Section], line: str) -> None:
    if heading := re.fullmatch(r"(#+) (.+)", line):
        sections.append(Section(len(heading[1]), heading[2]))
        return
    section = sections[-1]
    section.text += line + "\n"
    section.bullets += line.startswith("- ")
    if line.startswith("|") and not line.startswith("|---"):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        section.rows.append(cells)
    elif line.startswith("|---"):
        section.rows.clear()  # what came before the rule was the heading
