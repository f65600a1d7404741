// Placeholder until the first landing of JSON.
