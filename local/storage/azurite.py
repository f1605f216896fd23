"""Azurite, Microsoft's emulator of Azure Storage: queues and tables of the app, and blobs because its host wants them.

Called by `make setup`, by `local.cli.stack` and by the tests that are marked `azurite` or `e2e`. Everything here blocks
(a process starts or npm installs), so asynchronous callers use a thread.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from local.process.child import Child
from local.process.npm import NpmError, npm_install
from local.process.ports import free_ports

VERSION = "3.35.0"  # the last line that runs on Node 20
FOLDER = Path(".azurite")
ACCOUNT = "devstoreaccount1"
# Published by Microsoft, the same in every emulator: nothing secret.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_READY_SECONDS = 30.0
_HOST = "127.0.0.1"
_OTHER_PORTS = 2
"""Times that it is started again where another process took one of its ports."""


class AzuriteError(RuntimeError):
    """Azurite could not be installed or started; the message says why and what to do."""


class PortTaken(AzuriteError):
    """Another process listens on one of the ports that it was given."""


def find_executable(folder: Path = FOLDER) -> Path | None:
    """Return the `azurite` program: `AZURITE` names it, else the folder that `install` fills, else PATH."""
    named = os.environ.get("AZURITE")
    candidates = [Path(named)] if named else [folder / "node_modules" / ".bin" / "azurite"]
    on_path = shutil.which("azurite")
    if on_path and not named:
        candidates.append(Path(on_path))
    return next((one.resolve() for one in candidates if one.exists()), None)


def install(folder: Path = FOLDER) -> Path:
    """Return the program, installing it from npm first when it is missing."""
    found = find_executable(folder)
    if found is not None:
        return found
    print(f"Installing Azurite {VERSION} into {folder} (once, about 100 MB) ...", flush=True)
    try:
        npm_install(f"azurite@{VERSION}", folder)
    except NpmError as error:
        raise AzuriteError(f"{error}\nOr set AZURITE to an azurite program.") from error
    found = find_executable(folder)
    if found is None:
        raise AzuriteError(f"npm has installed azurite@{VERSION}, but there is no program of it in {folder}")
    return found


class Azurite:
    """A running Azurite; `start` returns it ready, `stop` ends it and everything it started."""

    def __init__(self, child: Child, ports: tuple[int, int, int]) -> None:
        self.child = child
        self.ports = ports

    @classmethod
    def start(
        cls,
        *,
        location: Path | None = None,
        ports: tuple[int, int, int] | None = None,
        executable: Path | None = None,
        log: Path | None = None,
    ) -> Azurite:
        """Start it on `ports` (blob, queue, table; free ones unless given), in memory unless `location` keeps data.

        Another process may take a free port before Azurite does: then it is started on others.
        """
        program = executable or find_executable()
        if program is None:
            raise AzuriteError(f"Azurite is not installed: npm install --prefix {FOLDER} azurite@{VERSION}")
        for _ in range(0 if ports else _OTHER_PORTS):
            with suppress(PortTaken):
                blob, queue, table = free_ports(3)
                return cls._on((blob, queue, table), location, program, log)
        blob, queue, table = ports or free_ports(3)
        return cls._on((blob, queue, table), location, program, log)

    @classmethod
    def _on(cls, ports: tuple[int, int, int], location: Path | None, program: Path, log: Path | None) -> Azurite:
        blob, queue, table = ports
        command = [str(program), "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        command += ["--blobHost", _HOST, "--queueHost", _HOST, "--tableHost", _HOST]
        command += ["--blobPort", str(blob), "--queuePort", str(queue), "--tablePort", str(table)]
        command += ["--inMemoryPersistence"] if location is None else ["--location", str(location)]
        azurite = cls(Child(command, log=log), ports)
        try:
            azurite._wait_until_ready()
        except BaseException:
            azurite.stop()
            raise
        return azurite

    @property
    def connection_string(self) -> str:
        """What `AzureWebJobsStorage` is set to."""
        blob, queue, table = (f"http://{_HOST}:{port}/{ACCOUNT}" for port in self.ports)
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint={blob};QueueEndpoint={queue};TableEndpoint={table};"
        )

    def stop(self) -> None:
        """End it: asked first, after five seconds made to."""
        self.child.stop(grace=5.0)

    def _says_that_it_listens(self, port: int) -> bool:
        # That something answers there is not enough: it may be the process that was quicker.
        return f"listening at http://{_HOST}:{port}" in self.child.output()

    def _wait_until_ready(self) -> None:
        # Real time on purpose: another process is waited for, no clock of ours can hurry it.
        deadline = time.monotonic() + _READY_SECONDS
        for port in self.ports:
            while not (self._says_that_it_listens(port) and _answers(port)):
                if self.child.returncode is not None:
                    told = self.child.output()
                    kind = PortTaken if "EADDRINUSE" in told else AzuriteError
                    raise kind(f"Azurite ended with status {self.child.returncode}: {told}")
                if time.monotonic() > deadline:
                    raise AzuriteError(f"Azurite did not listen within {_READY_SECONDS:.0f} s: {self.child.output()}")
                time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        socket.create_connection((_HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def main() -> int:
    """Install it, for `make setup`; returns the exit status."""
    try:
        install()
    except AzuriteError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
