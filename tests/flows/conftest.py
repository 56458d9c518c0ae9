from tests.sync.conftest import deploy, environment, fake_vendors, systems

__all__ = ["deploy", "environment", "fake_vendors", "systems"]
