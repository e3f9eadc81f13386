"""What git knows of the migrations: which there were at a commit, and with what text."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from sharding.errors import InvalidInput


@dataclass(frozen=True)
class Checkout:
    """A work tree; paths are relative to its top."""

    top: Path

    @classmethod
    def around(cls, directory: Path) -> Checkout:
        """Return the checkout that a directory belongs to.

        Raises:
            InvalidInput: it belongs to none, or git is not installed.
        """
        try:
            return cls(Path(_git(directory, "rev-parse", "--show-toplevel").strip()))
        except subprocess.CalledProcessError as error:
            raise InvalidInput(f"{directory} is in no git checkout: {_first(error)}") from error
        except FileNotFoundError as error:
            raise InvalidInput("git is not installed, and it has to tell what is new.") from error

    def commit(self, ref: str) -> str:
        """Return the commit that a tag, branch or number names.

        Raises:
            InvalidInput: there is none.
        """
        try:
            return self._git(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
            ).strip()
        except subprocess.CalledProcessError as error:
            hint = " (a shallow clone: fetch its whole history)" if self._is_shallow() else ""
            raise InvalidInput(f"git knows no commit {ref!r}{hint}.") from error

    def last_tag(self) -> str | None:
        """Return the newest tag before what is checked out; None if there is none.

        A clean checkout of a tag is that release itself: the one before it is what runs.

        Raises:
            InvalidInput: the clone is shallow, and tags may be missing from it.
        """
        if self._is_shallow():
            raise InvalidInput(
                "This is a shallow clone, which may lack the last release's tag: fetch its whole "
                "history, or name the release with --since."
            )
        is_release = self._git("tag", "--points-at", "HEAD") and not self._git(
            "status", "--porcelain"
        )
        start = "HEAD^" if is_release else "HEAD"
        try:
            return self._git("describe", "--tags", "--abbrev=0", start).strip()
        except subprocess.CalledProcessError:
            return None

    def files_at(self, commit: str) -> frozenset[str]:
        """Return the paths of all files of a commit."""
        listed = self._git("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        return frozenset(filter(None, listed.split("\0")))

    def files(self) -> frozenset[str]:
        """Return the paths of all files of the work tree but those that git ignores."""
        listed = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        return frozenset(filter(None, listed.split("\0")))

    def text_at(self, commit: str, path: str) -> str:
        """Return a file's content as it was at a commit."""
        return self._git("show", f"{commit}:{path}")

    def _is_shallow(self) -> bool:
        return self._git("rev-parse", "--is-shallow-repository").strip() == "true"

    def _git(self, *arguments: str) -> str:
        return _git(self.top, *arguments)


def _git(directory: Path, *arguments: str) -> str:
    """Run git; its paths are UTF-8, whatever the terminal is."""
    command = ["git", "-C", str(directory), *arguments]
    finished = subprocess.run(command, capture_output=True, check=True)
    return finished.stdout.decode(errors="surrogateescape")


def _first(error: subprocess.CalledProcessError) -> str:
    return error.stderr.decode(errors="replace").strip().partition("\n")[0]
