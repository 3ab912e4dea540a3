"""Sources, transports and looks of packages that are not ours: `installed` finds them by their entry points,
`contracts` tests what they promise, for their own tests to call."""
