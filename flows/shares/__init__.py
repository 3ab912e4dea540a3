"""One edition, many machines: runs on a work pool of Prefect's that deliver beside the run that began it.

Read `work_pool` (shares are asked for, looked after, told to stop) with `how_many` (as many as pay), then
`deliver_share`, the flow that they are runs of; `same_settings` sees that their machines are set as the first one is.
The README beside this says how machines are added.
"""
