"""The OpenAPI document of the HTTP API, made from the routes that are declared. Served by `installation`.

    bodies.py      what is answered and what is sent, as JSON schemas
    from_types.py  JSON schemas of the product's own values, so that they stay true by themselves
    document.py    all of it as one document: parameters, errors and headers that routes share stand here

A route is declared once, by `functions.routing.route`. The tests hold every answer of the running app to the document.
"""
