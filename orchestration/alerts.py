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

SETTING, MAIL_SERVER = "CITYSYNC_ON_FAILURE", "CITYSYNC_SMTP"
# Set by the command line, which reports the end of a refresh itself: the job's hook keeps quiet.
BY_COMMAND = "CITYSYNC_ALERTS_BY_COMMAND"
SECONDS = 20


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
            f"alert: {SETTING} could not be reached ({found}): expected a program, "
            "https://... or mailto:name@host",
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
