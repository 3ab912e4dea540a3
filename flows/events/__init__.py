"""What happens, told to whoever wants to react: `emit` tells Prefect, for automations, and by `outgoing` the address
that PAPERROUND_EVENTS_URL names. Nothing of it names a reader."""
