"""Who may do what, and who proves who somebody is."""
