"""Files and folders, written whole or not at all, whatever else writes there and whenever it is stopped."""

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
    """Raise OutputError if results marked by the file ``manifest`` may not be written to ``folder``.

    What a killed process had hidden is put back first, so that a long search does not end at a folder that comes back.
    """
    # a parent that is not there or cannot be read is told when it is written to
    with suppress(OSError), _alone(folder.parent):
        _clean(folder)
    _refuse(folder, manifest, overwrite)


def _refuse(folder: Path, manifest: str, overwrite: bool) -> None:
    if not folder.exists() and not folder.is_symlink():
        return
    if not overwrite:
        raise OutputError(f"{folder} exists; choose another folder, or --overwrite to replace what is in it")
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / manifest).is_file()):
        raise OutputError(f"{folder} holds no {manifest}, so it is not replaced")


def write_folder(
    folder: Path,
    files: Mapping[str, str],
    manifest: str,
    finish: Callable[[], str],
    overwrite: bool = False,
    carried: Iterable[str] = (),
) -> Path:
    """Write everything to a hidden sibling folder first, then put that in the folder's place.

    files     name, perhaps with subfolders, -> text
    manifest  name of the file that marks the folder as results; written last
    finish    gives the manifest's text, called when the others are on the disk
    carried   names in the old folder of what goes on in the new one

    A process that is stopped or killed leaves the folder as it was, or whole: what it had hidden is put back or removed
    by the next one that writes there. Of several that write to one folder without ``overwrite``, one does.
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
            _refuse(folder, manifest, overwrite)  # once more, now that nobody else can put one there
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
    """Copy a file, a folder, or a link as a link."""
    if old.is_dir() and not old.is_symlink():
        shutil.copytree(old, new, symlinks=True)
    else:
        shutil.copy2(old, new, follow_symlinks=False)


def check_file(file: Path, overwrite: bool, endings: tuple[str, ...], begins: str = "") -> None:
    """Raise UsageError or OutputError if a file may not be written.

    endings  what its name may end in
    begins   how a file that is replaced must begin, so that nothing else is lost by a slip of the name
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
                ours = there.read(len(begins.encode())) == begins.encode()
    except OSError as error:
        raise OutputError(f"{file} cannot be read: {error.strerror}") from error
    if not ours:
        raise OutputError(f"{file} is no file that this command writes, so it is not replaced")


@contextmanager
def whole_file(file: Path, overwrite: bool, endings: tuple[str, ...], begins: str = "") -> Iterator[Path]:
    """Give a path to write to; what is written there takes the place of ``file`` at the end, if nothing fails.

    Arguments and errors are those of `check_file`; OutputError too if the file cannot be written.
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
                check_file(file, overwrite, endings, begins)  # once more: another process may have written it
                temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{file} cannot be written: {error.strerror or error}") from error


def _exchange(new: Path, folder: Path) -> None:
    """Put ``new`` in the place of ``folder``; if that is interrupted, what was there is put back."""
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
    """A new hidden folder beside ``folder``, whose name tells which process made it, and on which machine."""
    return Path(tempfile.mkdtemp(prefix=f".{folder.name}.{kind}.{_machine()}.{os.getpid()}.", dir=folder.parent))


def _machine() -> str:
    return re.sub(r"\W", "-", socket.gethostname())[:40]


def _clean(folder: Path) -> None:
    """Put back or remove what processes hid beside ``folder`` that have ended since; those elsewhere are left alone."""
    made = re.compile(rf"\.{re.escape(folder.name)}\.(new|old)\.{re.escape(_machine())}\.(\d+)\.\w+")
    for path in folder.parent.iterdir():
        match = made.fullmatch(path.name)
        if match is None or _alive(int(match[2])):
            continue
        if match[1] == "old" and (path / "old").exists() and not folder.exists():
            (path / "old").rename(folder)
        shutil.rmtree(path, ignore_errors=True)


def _alive(process: int) -> bool:
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's, or the system cannot tell
        return True
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time, where the system has locks on folders."""
    try:
        import fcntl
    except ImportError:  # Windows, where a rename onto what exists fails by itself
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network drives have no locks; there a rename onto what exists fails too
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # which unlocks it


def _flush(folder: Path) -> None:
    """Make a rename in a folder last, where the system and the drive can; the rename is done in any case."""
    if hasattr(os, "O_DIRECTORY"):
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
