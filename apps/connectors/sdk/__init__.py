"""Plain-Python kit for talking to vendors; imports neither Django nor Celery.

A connector is a folder in `vendors/` that exports `CONNECTOR`, a `Connector` subclass:

    class HarvestConnector(Connector):
        manifest = ConnectorManifest(key="harvest", name="Harvest", domain="delivery", ...)
        streams = {"time_entries": TimeEntryStream}
        sinks = {}

It is built with a `ConnectionContext` (settings, credentials, client factory, clock), reads pages of
`SourceRecord` from streams, and writes `WriteRequest` through sinks. Whatever goes wrong is one of the five
errors in `sdk.errors`; they say what the engine must do, not what the vendor called it.
"""
