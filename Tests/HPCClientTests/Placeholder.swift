// Placeholder until the first landing of HPCClientTests.
