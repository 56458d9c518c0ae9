"""Simulated vendors speaking the real vendors' wire formats; reached only over HTTP, imports nothing of the product.

`python -m sandbox --port 8500 --data var/sandbox` serves every vendor at `/<vendor>/<account>/...`, one simulated
customer account per `<account>`. A vendor is a folder here whose package exports `VENDOR`, a `sandbox.vendor.Vendor`.
Tests steer an account through `/_control/<vendor>/<account>/...` (see `sandbox.control`).
"""
