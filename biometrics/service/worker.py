"""One process of the pool: runs several checks side by side, each fed chunk by chunk.

It imports nothing heavy before its limits are set. What it answers is CBOR, not a pickle: a decoder
that a picture took over must not be able to run code in the service.
"""

from __future__ import annotations

import os
import resource
import signal
from typing import TYPE_CHECKING, Any

import cbor2

from biometrics.errors import PictureRefused
from biometrics.service.checker import CheckRequest, SentFrame, load_checker
from biometrics.service.messages import BEGIN, FEED, fed_to_message

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from biometrics.service.checker import Checker, RunningCheck


def work(factory: str, requests: Connection, answers: Connection, memory: int) -> None:
    """Serve requests until the service closes its end; `memory` bounds the address space in bytes."""
    _confine(memory)
    checker = load_checker(factory)
    checker.prepare()
    answers.send_bytes(cbor2.dumps({"ready": True}))
    running: dict[int, RunningCheck] = {}
    while True:
        try:
            data = requests.recv_bytes()
        except (EOFError, OSError):
            return
        answers.send_bytes(cbor2.dumps(_answer(checker, running, cbor2.loads(data))))


def _answer(checker: Checker, running: dict[int, RunningCheck], message: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked; a check that can't go on is forgotten, the others run on."""
    number = message.get("check", -1)
    try:
        if message["do"] == BEGIN:
            running[number] = checker.begin(CheckRequest(message["challenge"], message["reference"]))
            return {"done": True}
        if message["do"] == FEED:
            return _feed(running, message)
        for ended in message["checks"]:
            running.pop(ended, None)
    except PictureRefused as error:
        running.pop(number, None)
        return {"refused": str(error.reason), "source": error.source}
    except Exception as error:  # noqa: BLE001  whatever it is, the next request must find this process alive
        running.pop(number, None)
        return {"failed": type(error).__name__}
    return {"done": True}


def _feed(running: dict[int, RunningCheck], message: dict[str, Any]) -> dict[str, Any]:
    check = running[message["check"]]
    progress = check.feed([SentFrame(at, data) for at, data in message["frames"]], message["prompted_at"])
    if not (progress.over or message["last"]):
        return fed_to_message(progress, None)
    del running[message["check"]]
    return fed_to_message(progress, check.conclude())


def _confine(memory: int) -> None:
    """Give this process less than the service has: no files, no core dumps, no terminal, bounded memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the service's to handle
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"  # one process, one core: the pool's size is the only parallelism
    # Native decoders write to standard error as they please, and what they write may be about a face.
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    os.close(silence)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # no frame can be written anywhere, even by mistake
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
