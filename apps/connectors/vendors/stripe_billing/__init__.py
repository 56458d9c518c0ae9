"""Stripe Billing: customers, invoices, subscriptions, quotes and the charges that paid."""

from apps.connectors.vendors.stripe_billing.connector import StripeConnector

CONNECTOR = StripeConnector

__all__ = ["CONNECTOR", "StripeConnector"]
