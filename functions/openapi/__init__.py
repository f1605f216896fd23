"""The OpenAPI document of the HTTP API, put together from one table of routes. Served by `operations`.

    routes.py      the table: a row for each route. A new route needs a row here; a test fails without it
    bodies.py      what is answered and what is sent, as JSON schemas
    from_types.py  JSON schemas of the product's own values, so that they stay true by themselves
    document.py    all of it as one document: parameters, errors and headers that routes share stand here

The tests hold the table to the routes that are registered, and every answer of the running app to the document.
"""
