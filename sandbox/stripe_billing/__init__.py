"""A simulated Stripe account: customers, invoices, subscriptions, charges, quotes and events, in the API of 2020-08-27."""

from sandbox.stripe_billing import api as api
from sandbox.stripe_billing import meters as meters
from sandbox.stripe_billing.vendor import VENDOR

__all__ = ["VENDOR"]
