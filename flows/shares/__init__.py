"""One edition, many machines: runs on a work pool of Prefect's that deliver beside the run that began it.

`deliver_share` is the flow that they are of, `same_settings` sees that their machines are set as the first one is. The
README beside this says how machines are added.
"""
