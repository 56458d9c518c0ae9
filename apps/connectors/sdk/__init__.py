"""Plain-Python kit for talking to vendors; imports neither Django nor Celery.

A connector is a folder in `vendors/` that exports `CONNECTOR`, a `Connector` subclass:

    class HarvestConnector(Connector):
        manifest = ConnectorManifest(key="harvest", name="Harvest", domain="delivery", ...)
        stream_types = {"time_entries": TimeEntryStream}
        sink_types = {}

It is built with a `ConnectionContext` (settings, credentials, client factory, clock), reads pages of
`SourceRecord` from streams, and writes `WriteRequest` through sinks. Whatever goes wrong is one of the five
errors in `sdk.errors`; they say what the engine must do, not what the vendor called it.

The parts: `client` (HTTP with auth, budget, errors and redaction), `auth` and `oauth2`, `error_table`, `paginators`,
`webhooks` (signatures), `entities` (the words mappings may use), `conformance` (the suite every connector
inherits) with `conformance_harness` (what the suite asks of a vendor account).
"""
