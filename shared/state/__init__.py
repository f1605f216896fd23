"""What the product remembers: connections, journal, leases, the work queue. Used by `reconcile`, `sweep`, the triggers.

    rows.py           the values: ConnectionRow, ListedConnection, JournalEntry, CheckEntry, DiaryPage
    ports.py          what the product asks of its storage, as Protocols
    control.py        documents of the whole installation: update them, hold them; the one kind of lease
    leases.py         one writer per connection at a time: that lease, and what is left for its holder
    codec.py          rows <-> table entities; limits of tables and queues (shared with the in-memory double)
    diary_codec.py    the same for the two diaries, journal and checks, and their keys: newest first
    connect.py        AzureWebJobsStorage settings -> the ports; loads the modules below when they are first used
    azure_tables.py, azure_diary.py, azure_queue.py, azure_errors.py    the ports on Azure Storage, on Microsoft's SDKs

State is a cache and a diary: if all of it is lost, the clouds' ownership markers are enough to rebuild the connections.
"""
