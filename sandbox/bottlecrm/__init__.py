"""BottleCRM 1.35 (django-crm): accounts, contacts, opportunities, custom fields, pipelines, signed webhooks."""

from sandbox.bottlecrm import estimates, views
from sandbox.bottlecrm.vendor import VENDOR

__all__ = ["VENDOR", "estimates", "views"]
