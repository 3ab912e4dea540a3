"""How deployments stand in Prefect: `form_fields` gives them the choices that there are, `kept` is what an operator
changed or deleted in the UI, which stays so, `old_runs` forgets those that come all day long."""
