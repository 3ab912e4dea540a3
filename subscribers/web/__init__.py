"""The web app: read `services` and `pages`, then `app` and `routes/`; what several routes share stands beside them."""
