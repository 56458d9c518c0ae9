"""The six business services: what a person, a program or a rule can ask for in the business's own words.

Each acts on the canonical records of one environment, in the caller's transaction, and leaves it to the rules of the
environment's flows to write what changed to the systems. Asked twice with the same key, it does its work once.
"""

from apps.sync.business.inputs import INPUTS, input_schema
from apps.sync.business.outcome import Outcome, UnableToCall
from apps.sync.business.services import TITLES, call_service

__all__ = ["INPUTS", "TITLES", "Outcome", "UnableToCall", "call_service", "input_schema"]
