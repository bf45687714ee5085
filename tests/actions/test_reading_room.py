"""What `qianheng serve` shows: runs, their reviews as pages and PDF, and what to do where there is nothing."""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(home: Path, *arguments: str) -> Iterator[str]:
    """The address of a server of a home folder."""
    environment = {**os.environ, "QIANHENG_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "qianheng.cli.main", *arguments, "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        yield "http://127.0.0.1:" + re.findall(r":(\d+)", line)[-1]
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def got(address: str) -> tuple[int, str, bytes]:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


def test_runs_are_served_with_their_reviews(kept: Path, tmp_path: Path) -> None:
    (kept / "report.html").write_text("<!doctype html><html><body><header><h1>run</h1></header></body></html>")
    with served(tmp_path, "--lang", "zh") as address:
        assert got(f"{address}/healthz")[2] == b"ok"
        links = re.findall(r'href="(/[^"]+)"', got(address)[2].decode())
        assert f"/runs/{kept.name}/daily" in links
        assert [link for link in links if got(address + link)[0] != 200] == []
        daily = got(f"{address}/runs/{kept.name}/daily")[2].decode()
        assert "每日复盘" in daily
        status, kind, body = got(f"{address}/runs/{kept.name}/live.pdf")
        assert (status, kind, body[:4]) == (200, "application/pdf", b"%PDF")


def test_where_there_is_nothing_it_is_said_what_to_do(tmp_path: Path) -> None:
    with served(tmp_path) as address:
        assert "qianheng simulate" in got(address)[2].decode()
        status, _, body = got(f"{address}/reports/daily")
        assert status == 404
        assert "qianheng import" in body.decode()
        assert got(f"{address}/runs/none/daily")[0] == 404
        assert got(f"{address}/../etc/passwd")[0] == 404
