"""The pure part of the product: values in, values out. No I/O, no SDK, no clock of its own."""
