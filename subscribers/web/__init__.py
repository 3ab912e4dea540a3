"""The web app.

Read `services` (what it needs of the rest) and `pages` (how one is made), then `app` and `routes`. What routes
share: `forms`, `reader_links`, `damaged_links` and `choices` (what comes in), `request_limits` and `abuse` (how
often), `operators` and `sessions` (who may see the operator's pages), `settings_page` and `suggestions` (what a reader
is shown; `teaching` is for what their own papers teach), `latest`, `month_calendar`, `related`, `citations`,
`edition_picture`, `page_meta` and `atom` (editions and papers, and what others read of them).
"""
