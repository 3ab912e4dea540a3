"""What `demo` and `up` run: `supervisor` keeps the processes together, `health` looks whether they
answer, `prefect_server` is Prefect's server behind
a login, `serve` the runner and the web app (with its `crowd` of clients), `web_processes` that app in several
processes, `rotating` their logs, `demo_mailbox` the
demonstration's mail server, `prefect_api` the few calls to Prefect's server."""
