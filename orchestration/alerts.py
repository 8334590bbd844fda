"""Tell somebody that a refresh failed: CITYSYNC_ON_FAILURE names a program, a web address or a mail
address. Off unless it is set.

Nothing here can change how a refresh ends: an alert that cannot be sent is one line, and the exit
code stays as it was.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from typing import IO

SETTING, MAIL_SERVER = "CITYSYNC_ON_FAILURE", "CITYSYNC_SMTP"
# Set for the work of `make refresh`, whose end the watching process reports: the job's hook then
# keeps quiet.
WATCHED = "CITYSYNC_ALERTS_BY_WATCHER"
SECONDS = 20
# a longer reason is cut: the whole one stands in the log
LONGEST = 4000
_reason: list[IO[bytes]] = []


def watch() -> None:
    """Called before the work gets a process of its own: opens what the reason is handed over in,
    and takes the job's hook out.
    """
    if os.environ.get(SETTING):
        os.environ[WATCHED] = "1"
        _reason[:] = [tempfile.TemporaryFile()]  # noqa: SIM115 (lives as long as this process)


def remember(reason: str) -> None:
    """Called by the work: why it ended."""
    if _reason:
        os.pwrite(_reason[0].fileno(), reason.encode()[:LONGEST], 0)


def send_ending(command: str, code: int) -> None:
    """Called by the watching process after a command failed: sends what the work said last, or that
    it was killed before it could.
    """
    said = os.pread(_reason[0].fileno(), LONGEST, 0).decode(errors="replace") if _reason else ""
    send(
        command,
        code,
        said or "it was ended before it could say why: the last lines of its output have more",
    )


def send(command: str, code: int, reason: str) -> None:
    """Send one alert where CITYSYNC_ON_FAILURE says.

    Parameters
    ----------
    command : str
        Such as ``refresh``.
    code : int
        Its exit code.
    reason : str
    """
    to = os.environ.get(SETTING, "").strip()
    if not to:
        return
    home = os.environ.get("CITYSYNC_HOME", "")
    message = {
        "command": f"citysync {command}",
        "exit": int(code),
        "reason": reason,
        "home": home,
        "host": socket.gethostname(),
    }
    try:
        if to.startswith(("http://", "https://")):
            _post(to, message)
        elif to.startswith("mailto:"):
            _mail(to.removeprefix("mailto:"), message)
        else:
            _run(to, message)
    except (
        OSError,
        ValueError,
        subprocess.SubprocessError,
    ) as error:  # those of mail and web are OSErrors
        found = f"{type(error).__name__}: {error}"
        # the last line of a refresh's output stays its ending
        print(
            (
                f"alert: {SETTING} could not be reached ({found}): expected a program, "
                "https://... or "
                "mailto:name@host"
            ),
            file=sys.stderr,
        )


def _post(address: str, message: dict[str, object]) -> None:
    import urllib.request  # an unchanged refresh is over before this would be loaded

    body = json.dumps(message, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    # http or https, above
    request = urllib.request.Request(address, data=body, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 (the same request)
        answer.read(1)


def _mail(address: str, message: dict[str, object]) -> None:
    import smtplib
    from email.message import EmailMessage

    host, _, port = (os.environ.get(MAIL_SERVER) or "127.0.0.1:25").partition(":")
    mail = EmailMessage()
    mail["To"], mail["From"] = address, f"citysync@{message['host']}"
    mail["Subject"] = f"{message['command']}: exit {message['exit']}"
    mail.set_content("\n".join(f"{name}: {value}" for name, value in message.items()))
    with smtplib.SMTP(host, int(port or 25), timeout=SECONDS) as server:
        server.send_message(mail)


def _run(program: str, message: dict[str, object]) -> None:
    """The program gets the alert as JSON on its standard input; no shell reads the setting, and no
    text of the alert is an argument.
    """
    text = json.dumps(message, ensure_ascii=False)
    done = subprocess.run(
        shlex.split(program),
        input=text,
        text=True,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )  # see above
    if done.returncode:
        raise subprocess.SubprocessError(
            f"exit {done.returncode}: {(done.stderr or done.stdout).strip()[:200]}"
        )
