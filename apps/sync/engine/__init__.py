"""The sync engine: from a page of a vendor's records to confirmed writes elsewhere. Stage = module.

    read     pull pages, resume at the checkpoint; fetch referenced records on demand
    hashing  decide "unchanged" before mapping
    mapping  vendor's JSON → canonical fields and references
    merging  match, and take over what was edited in this system (only what differs from what it was seen to hold)
    rules    derive, update and want writes until nothing changes any more
    plan     canonical record → payload; intents for what a target does not hold yet
    write    intent committed as sent → vendor call
    beside   threads that read the next page, or call several batches at once, and do nothing else
    confirm  read-back, cross-reference, log; all in one transaction
    recover  intents found sent after a crash: resolved with the vendor, never blindly repeated
    journal  log facts, payload differences, vendor calls, usage

Laws. (1) Everything a page or a confirmation causes commits at once, under the environment's lock, together with the
checkpoint and the run's claim: a crash replays at most one page, and hashes make the replay a no-op. (2) No vendor is
called inside a transaction. (3) A create is only ever sent under a committed intent with a deterministic key. (4) What
a flow's own pages did not change reaches its rules through the change history (`catch_up`), so that no flow depends on
which flow read a record first. (5) Only the newest claim of a run may write (`claim`).
"""
