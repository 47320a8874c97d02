"""Finished cases, kept in a file with one line each, so that a study that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cases import Case

if TYPE_CHECKING:
    from .trial import Result

FORMAT = 1
FINISHED = "finished.jsonl"


def partial_file(folder: Path) -> Path:
    """Where the finished cases of a study stand until its folder is written."""
    return folder.with_name(f".{folder.name}.partial.jsonl")


class Kept:
    """Results by case; each has a key made of the plan, the case and how it is tried.

    settings  how cases are tried (audited or not, ...)
    folder    results folder whose finished cases are used, and beside which new ones are kept; None: only in memory
    """

    def __init__(self, digest: str, settings: Mapping[str, Any], folder: Path | None) -> None:
        self.base = [FORMAT, _version(), digest, dict(settings)]
        self.partial = None if folder is None else partial_file(folder)
        self.known: dict[str, Result] = {}
        if folder is not None and self.partial is not None:
            for path in (folder / FINISHED, self.partial):
                self._read(path)

    def key(self, case: Case) -> str:
        """The key of a case."""
        rows = [row.model_dump(exclude={"note", "source", "active"}) for row in case.rows]
        said = json.dumps([*self.base, {**asdict(case), "rows": rows}], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    def find(self, case: Case) -> Result | None:
        """The result of a case, if it is finished."""
        return self.known.get(self.key(case))

    def add(self, case: Case, result: Result) -> None:
        """Keep a result."""
        key = self.key(case)
        self.known[key] = result
        if self.partial is not None:
            self.partial.parent.mkdir(parents=True, exist_ok=True)
            with self.partial.open("a", encoding="utf-8") as file:
                file.write(_line(key, result))

    def text(self, cases: Iterable[Case]) -> str:
        """The finished of these cases, as the file that a later study reads."""
        keys = dict.fromkeys(map(self.key, cases))
        return "".join(_line(key, self.known[key]) for key in keys if key in self.known)

    def written(self) -> None:
        """Forget the file beside the folder, now that the folder holds everything."""
        if self.partial is not None:
            self.partial.unlink(missing_ok=True)

    def _read(self, path: Path) -> None:
        if not path.is_file():
            return
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                said = json.loads(line)
                self.known[said["key"]] = said["result"]
            except (ValueError, TypeError, KeyError):  # the last line of a killed study, or not ours
                continue


def _line(key: str, result: Result) -> str:
    return json.dumps({"key": key, "result": result}) + "\n"


def _version() -> str:
    try:
        return version("magnet-planner") + " " + version("highspy")
    except PackageNotFoundError:
        return "unknown"
