"""The values that everything else speaks of: ids, resources, the record, conditions, steps, messages, errors.

Nothing here decides: `guards` say no, `planning` says what is to be done, and `model` knows neither.
"""
