"""Writes a folder of result files, completely or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import OutputError


def check_folder(folder: Path, manifest: str, overwrite: bool) -> None:
    """Raise OutputError if results may not be written to ``folder``.

    manifest   name of the file that marks a folder as results; only such a folder, or an empty one, is replaced
    overwrite  whether an existing folder may be replaced
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if not overwrite:
        raise OutputError(f"{folder} exists; choose another folder, or --overwrite to replace the results in it")
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / manifest).is_file()):
        raise OutputError(f"{folder} holds no {manifest}, so it is not replaced")


def write_folder(
    folder: Path, files: Mapping[str, str], manifest: str, finish: Callable[[], str], overwrite: bool = False
) -> Path:
    """Write everything into a temporary folder beside ``folder``, then rename it; an interrupted run leaves nothing.

    files      file name, perhaps with subfolders -> text
    manifest   name of the file that marks the folder as results; it is written last
    finish     returns the manifest's text; called when the other files are on the disk
    overwrite  whether results in an existing folder may be replaced
    Raises OutputError if the folder may not be replaced or cannot be written.
    """
    check_folder(folder, manifest, overwrite)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        for name, text in files.items():
            _write(temporary / name, text)
        _write(temporary / manifest, finish())
        temporary.chmod(0o755)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
            folder.rename(old / "old")
            temporary.rename(folder)
            shutil.rmtree(old)
        else:
            temporary.rename(folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        if temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
