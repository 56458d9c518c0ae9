"""What outsiders say about us: vendors' own API descriptions, recorded answers of real accounts, vendors' own SDKs.

Descriptions and recordings are not ours to ship: `INTERLACE_EVIDENCE` names a folder that holds `specs/<vendor>/` and
`fixtures/recorded-exchanges.tgz`. Without it those checks do not run and one line says how many; with `CI=true` they fail.
"""
