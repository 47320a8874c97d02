"""Atomic writes: a file or folder of results is replaced as a whole or left as it was.

This holds if the process is interrupted or killed at any moment, and if several processes write to the same place. New
content is written beside its destination under a hidden name and then renamed.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import OutputError, UsageError


def check_folder(folder: Path, manifest: str, overwrite: bool) -> None:
    """Raise OutputError if results may not be written to ``folder``.

    folder     destination; its parent need not exist
    manifest   name of the file that marks a folder as results; a folder without it is never replaced
    overwrite  whether existing results may be replaced

    A folder that a killed process had renamed is first given its name back. Otherwise it would reappear after a long
    search, which then could not be written.
    """
    # a parent that is missing or cannot be read is reported by the write itself
    with suppress(OSError), _alone(folder.parent):
        _clean(folder)
    _refuse(folder, manifest, overwrite)


def _refuse(folder: Path, manifest: str, overwrite: bool) -> None:
    """Raise OutputError if ``folder`` exists and may not be replaced; the arguments are those of `check_folder`."""
    if not folder.exists() and not folder.is_symlink():
        return
    if not overwrite:
        raise OutputError(f"{folder} exists; choose another folder, or --overwrite to replace what is in it")
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / manifest).is_file()):
        raise OutputError(f"{folder} is not replaced, because it contains no {manifest}")


def write_folder(
    folder: Path,
    files: Mapping[str, str],
    manifest: str,
    finish: Callable[[], str],
    overwrite: bool = False,
    carried: Iterable[str] = (),
) -> Path:
    """Write files to a hidden sibling folder, rename that folder to ``folder``, and return ``folder``.

    files      file name, which may contain subfolders, -> text
    manifest   name of the file that marks the folder as results; it is written last
    finish     returns the text of the manifest; it is called once all other files are on the disk
    overwrite  whether existing results may be replaced
    carried    names of files and folders that are copied from the old folder into the new one

    A process that is interrupted or killed leaves either the old folder or the new one. The next process that writes
    there restores or removes what the killed process had hidden. If several processes write to one new folder without
    ``overwrite``, the first succeeds and the others raise OutputError.
    Raises OutputError if the folder may not be replaced, or cannot be written.
    """
    check_folder(folder, manifest, overwrite)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = _hidden(folder, "new")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        for name, text in files.items():
            _write(temporary / name, text)
        _write(temporary / manifest, finish())
        temporary.chmod(0o755)
        with _alone(folder.parent):
            _clean(folder)
            _refuse(folder, manifest, overwrite)  # again, as another process may have written it before the lock
            for name in carried:
                _copy(folder / name, temporary / name)
            _exchange(temporary, folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        if temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _copy(old: Path, new: Path) -> None:
    """Copy a file or a folder; a symbolic link is copied as a link."""
    if old.is_dir() and not old.is_symlink():
        shutil.copytree(old, new, symlinks=True)
    else:
        shutil.copy2(old, new, follow_symlinks=False)


def check_file(file: Path, overwrite: bool, endings: tuple[str, ...], begins: tuple[str, ...] = ()) -> None:
    """Raise an error if ``file`` may not be written.

    overwrite  whether an existing file may be replaced
    endings    permitted suffixes in lower case, such as ``(".mps", ".lp")``
    begins     texts with one of which an existing file must begin to be replaced, so that a mistyped name does not
               destroy another document; none permits any file

    Raises UsageError if the suffix is not permitted, and OutputError if the file exists and may not be replaced.
    """
    if file.is_dir():
        raise OutputError(f"{file} is a folder; name a file in it")
    if file.suffix.lower() not in endings:
        raise UsageError(f"{file}: expected a name that ends in {' or '.join(endings)}")
    if not file.exists() and not file.is_symlink():
        return
    if not overwrite:
        raise OutputError(f"{file} exists; choose another name, or --overwrite to replace it")
    try:
        ours = file.is_file()
        if ours and begins:
            with file.open("rb") as there:
                heads = tuple(head.encode() for head in begins)
                ours = there.read(max(map(len, heads))).startswith(heads)
    except OSError as error:
        raise OutputError(f"{file} cannot be read: {error.strerror}") from error
    if not ours:
        raise OutputError(f"{file} is not replaced, because this command did not write it")


@contextmanager
def whole_file(file: Path, overwrite: bool, endings: tuple[str, ...], begins: tuple[str, ...] = ()) -> Iterator[Path]:
    """Yield a temporary path, and rename what the caller wrote there to ``file`` if the block ends without an error.

    The arguments and errors are those of `check_file`. Raises OutputError too if the file cannot be written.
    """
    check_file(file, overwrite, endings, begins)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{file.stem[:100]}.", suffix=file.suffix.lower(), dir=file.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
            temporary.chmod(0o644)
            with _alone(file.parent):
                check_file(file, overwrite, endings, begins)  # again, as another process may have written it since
                temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{file} cannot be written: {error.strerror or error}") from error


def _exchange(new: Path, folder: Path) -> None:
    """Replace ``folder`` by ``new``; an error or an interrupt between the two renames restores the old folder."""
    if not folder.exists():
        new.rename(folder)
        _flush(folder.parent)
        return
    old = _hidden(folder, "old")
    try:
        folder.rename(old / "old")
        new.rename(folder)
    except BaseException:
        if (old / "old").exists() and not folder.exists():
            (old / "old").rename(folder)
        raise
    finally:
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
    _flush(folder.parent)


def _hidden(folder: Path, kind: str) -> Path:
    """Create a hidden folder beside ``folder`` and return its path.

    kind  ``new`` or ``old``

    The name records the machine and the process id, by which `_clean` knows whether its process is still running.
    """
    return Path(tempfile.mkdtemp(prefix=f".{folder.name}.{kind}.{_machine()}.{os.getpid()}.", dir=folder.parent))


def _machine() -> str:
    """Return the name of this machine, without characters that mean something in a file name."""
    return re.sub(r"\W", "-", socket.gethostname())[:40]


def _clean(folder: Path) -> None:
    """Restore or remove the hidden folders beside ``folder`` whose processes on this machine have ended.

    Hidden folders of other machines are left alone, since nobody can tell from here whether their processes run.
    """
    made = re.compile(rf"\.{re.escape(folder.name)}\.(new|old)\.{re.escape(_machine())}\.(\d+)\.\w+")
    for path in folder.parent.iterdir():
        match = made.fullmatch(path.name)
        if match is None or _alive(int(match[2])):
            continue
        if match[1] == "old" and (path / "old").exists() and not folder.exists():
            (path / "old").rename(folder)
        shutil.rmtree(path, ignore_errors=True)


def _alive(process: int) -> bool:
    """Return whether a process with this id may be running; True in doubt."""
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # the process belongs to another user, or the system cannot tell
        return True
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``folder`` for the block, on systems that lock folders."""
    try:
        import fcntl
    except ImportError:  # Windows has no lock on folders; there a rename onto an existing folder fails by itself
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network drives have no locks; there a rename onto an existing folder fails too
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # closing the handle releases the lock


def _flush(folder: Path) -> None:
    """Flush a folder to the disk so that a rename in it survives a power failure, where the system permits that."""
    if hasattr(os, "O_DIRECTORY"):
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _write(path: Path, text: str) -> None:
    """Write a text as UTF-8 and flush it to the disk, creating missing parent folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
