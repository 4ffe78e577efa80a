"""The work of the lake.

cli            front door (`lake …`)
serving        front door for browsers and programs: the portal
pipeline       hallway: one short function a step, in the order of the way
embedded       the services a laptop runs itself: S3, Spark Connect, Airflow
ingest         source → landing → bronze        conform        bronze → silver | quarantine
quality        rules → verdicts, results        products       silver → gold
reporting      results → reports                collaboration  report → ticket → redelivery
simulator      a city that sends feeds                 catalogue      contracts → entries, search, exchange
access         roles, grades, masks, rights: what a reader may see and do
lake           zones, tables, session, object store, ledger
model          values that rooms share: deliveries, verdicts, results, tickets
contracts      what is promised, in plain Python
settings       every endpoint and credential, read once
errors         what can go wrong, by who can mend it

Imports go down this list, never up or sideways; import-linter holds it.
"""
