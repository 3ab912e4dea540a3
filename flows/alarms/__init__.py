"""When something goes wrong and nobody looks: `ask_again` asks a source that failed by a later run, `stale_runs` sets
runs right whose process is gone, the flow `watchdog` looks for those and for editions that did not come, `automations`
tell the operator."""
