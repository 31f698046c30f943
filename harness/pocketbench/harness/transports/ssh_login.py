"""Log in to an SSH server: keys first, then a password, in several steps where the server asks for several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import paramiko

from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.ssh_config import SshHost
from pocketbench.harness.transports.ssh_errors import clean_line
from pocketbench.harness.transports.ssh_keys import KeyRing
from pocketbench.harness.transports.ssh_secrets import Secrets

__all__ = ["log_in"]

_INTERACTIVE = "keyboard-interactive"
_ATTEMPTS = 100  # a server that is never content would keep us forever


def log_in(transport: paramiko.Transport, device: str, host: SshHost, secrets: Secrets) -> None:
    """Authenticate on a connection whose host key has been checked; TransportError with what was tried if refused."""
    with ExitStack() as opened:
        _Login(transport, device, host, secrets, opened).run()


class _Login:
    def __init__(
        self, transport: paramiko.Transport, device: str, host: SshHost, secrets: Secrets, opened: ExitStack
    ) -> None:
        self._transport = transport
        self._device = device
        self._host = host
        self._secrets = secrets
        self._ring = KeyRing(host, secrets.passphrase)
        self._keys: Iterator[tuple[str, paramiko.PKey]] = self._ring.keys(opened)
        self._passwords = secrets.passwords(host.place)
        self._allowed: tuple[str, ...] = ()
        self._tried: list[str] = []

    def run(self) -> None:
        """Go on until the server is content: a server may want a key and a password."""
        if self._attempt(lambda: self._transport.auth_none(self._host.user)):
            return
        for _ in range(_ATTEMPTS):
            # An attempt that the server takes as one step of several changes what it allows.
            if "publickey" in self._allowed and (key := next(self._keys, None)) is not None:
                if self._try_key(*key):
                    return
            elif {"password", _INTERACTIVE} & set(self._allowed) and (
                password := next(self._passwords, None)
            ) is not None:
                if self._try_password(password):
                    return
            else:
                break
        raise self._refused()

    def _try_key(self, label: str, key: paramiko.PKey) -> bool:
        self._tried.append(label)
        return self._attempt(lambda: self._transport.auth_publickey(self._host.user, key))

    def _try_password(self, password: str) -> bool:
        self._tried.append("a password")
        before = self._allowed
        user = self._host.user
        if "password" in self._allowed:
            done = self._attempt(lambda: self._transport.auth_password(user, password, fallback=False))
        else:
            answer = _answers(password, self._secrets)
            done = self._attempt(lambda: self._transport.auth_interactive(user, answer))
        if done or self._allowed != before:
            self._secrets.keep(self._host.place, password)
            self._passwords = self._secrets.passwords(self._host.place)  # a further step may ask for it again
        return done

    def _attempt(self, authenticate: Callable[[], Sequence[str]]) -> bool:
        """Whether the server is content now; what it allows next is in `_allowed`."""
        try:
            further = authenticate()
        except paramiko.BadAuthenticationType as error:
            self._allowed = tuple(error.allowed_types)
        except paramiko.AuthenticationException as error:
            if not self._transport.is_active():
                raise self._hung_up() from error
            if "timeout" in str(error).lower():
                raise TimeoutError("the server did not answer the login") from error
        else:
            if not further:
                return True
            self._allowed = tuple(further)
        return False

    def _refused(self) -> TransportError:
        return TransportError(
            f"{self._device}: expected to log in to {self._host.place}, got a refusal: {self._summary()}. "
            f"{self._remedy()}"
        )

    def _remedy(self) -> str:
        address = f"{self._host.user}@{self._host.hostname}"
        if "publickey" in self._allowed:
            return (
                f"Put a key of yours there with `ssh-copy-id -p {self._host.port} {address}`, name the right one with "
                "IdentityFile in ~/.ssh/config, or mend the user in the address."
            )
        return "Check the user in the address, and the password; a terminal is needed to ask for one."

    def _hung_up(self) -> TransportError:
        saved = self._transport.get_exception()
        why = f" ({clean_line(str(saved))})" if saved is not None and str(saved) else ""
        return TransportError(
            f"{self._device}: expected to log in to {self._host.place}, got the end of the connection{why}: "
            f"{self._summary()}. A server hangs up after some wrong keys (MaxAuthTries): name the right one with "
            "IdentityFile, and IdentitiesOnly yes, in ~/.ssh/config."
        )

    def _summary(self) -> str:
        allowed = ", ".join(clean_line(method) for method in self._allowed) or "nothing"
        tried = ", ".join(self._tried) or "nothing"
        unusable = f"; passed over {', '.join(self._ring.unusable)}" if self._ring.unusable else ""
        return f"the server takes {allowed}; tried {tried}{unusable}"


def _answers(password: str, secrets: Secrets) -> Callable[[str, str, list[tuple[str, bool]]], list[str]]:
    """Answers for keyboard-interactive: the first hidden question is for the password, others go to the user."""
    unused = [password]

    def answer(title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        answers = []
        for prompt, echo in prompts:
            hidden_and_first = unused and not echo
            answers.append(unused.pop() if hidden_and_first else secrets.question(f"{clean_line(prompt)} ") or "")
        return answers

    return answer
