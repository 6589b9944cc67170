"""A small engine for the demo and the tests, on machines where the ``pulumi`` command can't be had.

Nobody should keep a real server with it. It runs a Python program in its own process, on the seam of the SDK's
mocks, and chooses its steps as Pulumi's engine does; the same tests hold both to the same. It has: up, preview,
refresh, destroy, export; --replace, --target, --refresh, --expect-no-changes, --json; components, dynamic
resources (in the SDK's own host), command:remote:Command; parent, aliases, depends_on, protect,
delete_before_replace, ignore_changes of whole properties, additional_secret_outputs; pending operations. It has
not, and says so instead of going on: other providers and explicit ones, invokes, stack references, get and import,
transforms, hooks, time-outs, replace_on_changes, replace_with, deleted_with, retain_on_delete, dependents of
targets, plans, policies, hashes of assets.
"""
