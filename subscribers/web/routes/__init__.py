"""The routes of the web app, by what a visitor comes for. Each module has its `ROUTES`."""
