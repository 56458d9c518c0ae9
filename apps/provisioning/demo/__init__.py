"""The demo: two partners with a month behind them, and simulated vendors that go on living. Never run in production."""
