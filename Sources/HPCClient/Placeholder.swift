// Placeholder until the first landing of HPCClient.
