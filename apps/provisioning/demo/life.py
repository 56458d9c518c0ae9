"""The simulated vendors' users, busy at a calm pace, so that the portals move while somebody watches."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable
from datetime import date

import structlog

from apps.core import clock
from apps.provisioning.demo import cast
from apps.provisioning.demo.cast import CustomerCast
from apps.provisioning.demo.vendors import VendorRefused
from apps.provisioning.demo.work import Firm

log = structlog.get_logger()
SHORTEST_PAUSE, LONGEST_PAUSE = 5.0, 11.0

Act = Callable[[Firm, date], object]


def talk(firm: Firm, day: date) -> object:
    return firm.open_deals(1, day)


def win(firm: Firm, day: date) -> object:
    return firm.win_deals(1, day)


def book(firm: Firm, day: date) -> object:
    firm.plan_tasks()
    return firm.book_time(day)


def approve(firm: Firm, day: date) -> object:
    return firm.approve_time(day)


def pay(firm: Firm, day: date) -> object:
    return firm.receive_payments(day, share=0.15)


# Each act with how often it happens; a deal won is followed by the most.
ACTS: tuple[tuple[Act, int], ...] = ((talk, 3), (win, 3), (book, 3), (approve, 1), (pay, 2))


def live(stop: threading.Event | None = None) -> None:
    """This function will act as one vendor user after the other until it is told to stop."""
    stop = stop or stopped_by_signal()
    seed = clock.now().isoformat()
    firms = [
        Firm(partner, customer, seed=seed)
        for partner in cast.PARTNERS
        for customer in partner.customers
        if acts_alone(customer)
    ]
    # In a small month some firms have not joined yet, and have nobody to talk to.
    firms = [firm for firm in firms if firm.systems["hubspot"].objects("companies")]
    dice = random.Random(seed)  # noqa: S311 - nothing depends on it
    while not stop.wait(dice.uniform(SHORTEST_PAUSE, LONGEST_PAUSE)):
        act_once(dice.choice(firms), dice)


def acts_alone(customer: CustomerCast) -> bool:
    """A firm that is being set up, or whose connection waits for its owner, is left as the visitor found it."""
    return not customer.is_onboarding and not customer.has_revoked_token


def act_once(firm: Firm, dice: random.Random) -> str:
    """This function will have one thing happen at the firm; returns what. The simulators may be on their way down."""
    acts, weights = zip(*ACTS, strict=True)
    act: Act = dice.choices(acts, weights)[0]
    try:
        act(firm, clock.now().date())
    except VendorRefused as refusal:
        log.info("demo.act_refused", firm=firm.customer.slug, act=act.__name__, reason=str(refusal))
    return act.__name__


def stopped_by_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
