"""A small engine for the demo and the tests on machines where the ``pulumi`` command can't be had."""
