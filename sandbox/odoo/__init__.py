"""Odoo 17 (JSON-RPC) and 19 (JSON-2): partners, leads, projects, time, expenses, quotes, invoices and payments."""

from sandbox.odoo import json2, jsonrpc
from sandbox.odoo.vendor import VENDOR

__all__ = ["VENDOR", "json2", "jsonrpc"]
