"""What `demo` and `up` run: `supervisor` keeps the processes together, `serve` is the runner and the web app,
`demo_mailbox` the demonstration's mail server, `prefect_api` the few calls to Prefect's server."""
