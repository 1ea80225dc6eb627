"""Tell people about nights that need them: a hook of the flows, for Apprise URLs and Prefect's notification blocks.

Prefect runs the hook when the flow has ended, in the runner's process where the flow's own was killed. Whatever goes
wrong here is said in the log and changes nothing about how the flow ended.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import httpx
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import PrefectException
from prefect.logging.loggers import flow_run_logger
from pydantic import SecretStr

from flows.console import err
from flows.messages import Message, message_of
from flows.settings import load_settings
from flows.watch import watchers


def tell(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Send what `flows.messages` has to say about the end of the run to everybody in the setting `notify`."""
    settings = load_settings(**_settings_of(flow_run))
    message = message_of(flow.name, _as_named_now(flow_run), state, settings) if settings.notify else None
    if message is None:
        return
    failures = send(settings.notify, message)
    told = len(settings.notify) - len(failures)
    logger = flow_run_logger(flow_run, flow)
    logger.info("notified %d of %d: %s", told, len(settings.notify), message.title)
    for failure in failures:
        logger.warning(failure)
        if watchers():  # at a terminal, where Prefect's log is silent
            err.print(f"warning: {failure}", markup=False)


def send(targets: Sequence[SecretStr], message: Message) -> list[str]:
    """Send the message to each target; a sentence for each that did not get it, which does not tell the address."""
    failures = []
    for number, target in enumerate(targets, start=1):
        address = target.get_secret_value()
        try:
            _by_apprise(address, message) if "://" in address else _by_block(address, message)
        except Exception as error:  # whatever the service: a night must not hang on whether somebody is told
            # Not the error's own words: they may quote the address, which is a secret.
            failures.append(
                f"notification {number} of {len(targets)} by {_kind(address)} failed: {type(error).__name__}. "
                "Remedy: correct that entry of the setting notify, or see whether the service answers."
            )
    return failures


class NotDelivered(RuntimeError):  # noqa: N818 - named after what is the case
    """The service was not reached, or refused the message."""


class UnknownService(ValueError):  # noqa: N818 - named after what is the case
    """Apprise knows no service of that address."""


def _by_apprise(url: str, message: Message) -> None:
    from apprise import Apprise

    # Its own log quotes addresses.
    logging.getLogger("apprise").disabled = True
    service = Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        raise UnknownService
    if not service.notify(title=message.title, body=message.body):
        raise NotDelivered


def _by_block(name: str, message: Message) -> None:
    from prefect.blocks.abstract import NotificationBlock
    from prefect.blocks.core import Block

    block = Block.load(name, _sync=True)  # type: ignore[call-arg]
    if not isinstance(block, NotificationBlock):
        raise UnknownService
    with block.raise_on_failure():
        _: Any = block.notify(message.body, message.title)  # asynchronous only where an event loop runs


def _kind(address: str) -> str:
    """The service, without what follows: slack, or a block's type and name, which are no secret."""
    return address.partition("://")[0] if "://" in address else address


def _as_named_now(flow_run: FlowRun) -> FlowRun:
    """The run as the server has it: a night learns its day, and so its name, only when it has begun."""
    try:
        with get_client(sync_client=True) as client:
            return client.read_flow_run(flow_run.id)
    except (httpx.HTTPError, PrefectException):
        return flow_run  # the server is lost; people are told all the same


def _settings_of(run: FlowRun) -> dict[str, Any]:
    return dict(run.parameters.get("settings") or {})
