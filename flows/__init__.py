"""Paperround brings the day's research papers to people's inboxes.

Data flows one way, and the folders are read in the same order: `papers` (what sources list), `editions` (grouped,
ranked, chosen), `storage` (kept), `mail` (rendered, encoded, joined for a reader), `sending` (to the mail server),
`delivery` (an edition or a letter, to its readers; `shares`: by many machines), `incoming` (what comes back).
`approval` is an operator's look at an edition before its readers, `config` what an operator sets, `subscribers` (beside
this package) who gets what, and the ledger.

The flows stand here, a file each: `daily` and `weekly` run `collect`, `compose` and `deliver`, which can be started by
hand too; `returns` and `upkeep`; in `by_hand` what an operator does about an edition. They are thin: `pipeline` has the
stages as plain functions. `deployments` is what Prefect offers to start, `parameters` its forms, `artifacts` what a run
leaves in the UI. `context` is what a process works with, `process` how it runs and ends, `outcomes`, `turns` and
`causes` values that import nothing.

`events` tells what happens, `alarms` is for when something goes wrong and nobody looks, `backups` an installation as
one file, `processes` what `demo` and `up` run, `commands` the command `paperround`, `plugins` what other packages add,
`offers` how deployments stand in Prefect, `blocks` what is set there instead of the environment.
"""
