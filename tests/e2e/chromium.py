"""Where a Chromium is: one of the machine's, or one installed on the spot. Run as a script it prints the path."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qianheng-chromium"
MINUTES = 60
# The npm package carries the browser and, for machines without them, the libraries and fonts it needs.
PACKAGE = "@sparticuz/chromium"
UNPACK = f"import('{PACKAGE}').then(({{ default: chromium }}) => chromium.executablePath())"
START = """#!/bin/sh
export LD_LIBRARY_PATH="{folder}/al2023/lib:$LD_LIBRARY_PATH"
export FONTCONFIG_PATH="${{FONTCONFIG_PATH:-{folder}/fonts}}"
exec "{folder}/chromium" "$@"
"""


class NoChromium(Exception):
    """There is none and none could be installed; the message tells what was tried."""


def chromium() -> Path:
    """The path of a Chromium to run. None and no way to install one: NoChromium."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:  # tests run side by side; only one installs
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _found()
        if found is not None:
            return found
        failures = [why for install in (_from_apt, _from_npm) if (why := install()) is not None]
        found = _found()
    if found is None:
        told = "\n".join(failures)
        raise NoChromium(f"no Chromium: set QIANHENG_CHROMIUM to the path of one, or install one.\n{told}")
    return found


def _found() -> Path | None:
    chosen = os.environ.get("QIANHENG_CHROMIUM")
    if chosen is not None:
        if shutil.which(chosen) is None:
            raise NoChromium(f"QIANHENG_CHROMIUM is {chosen}, which is not a program")
        return Path(chosen)
    paths = (shutil.which(name) for name in (*NAMES, str(CACHE / "start")))
    return next((Path(path) for path in paths if path), None)


def _from_apt() -> str | None:
    """Install Debian's as root; why not, if that fails."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "apt-get: not root, or no apt-get"
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        why = _run(["apt-get", "-qq", *arguments], env=quiet)
        if why is not None:
            return why
    return None


def _from_npm() -> str | None:
    """Install npm's into the cache; why not, if that fails."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "npm: no npm or no node"
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        unpacked = CACHE / "unpacked"
        unpacked.mkdir(exist_ok=True)
        why = _run(["npm", "install", "--silent", "--prefix", folder, PACKAGE])
        # It unpacks its libraries only where it believes to run on Amazon Linux.
        amazon = {**os.environ, "TMPDIR": str(unpacked), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x"}
        why = why or _run(["node", "--input-type=module", "-e", UNPACK], env=amazon, cwd=folder)
    if why is None:
        start = CACHE / "start"
        start.write_text(START.format(folder=unpacked))
        start.chmod(0o755)
    return why


def _run(command: list[str], env: dict[str, str] | None = None, cwd: str | None = None) -> str | None:
    """Run a command without a sound; its error if it fails."""
    try:
        done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=10 * MINUTES)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {error}"
    return None if done.returncode == 0 else f"{' '.join(command[:4])}: {done.stderr.strip()[-500:]}"


if __name__ == "__main__":
    sys.stdout.write(f"{chromium()}\n")
