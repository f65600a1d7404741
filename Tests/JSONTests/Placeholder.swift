// Placeholder until the first landing of JSONTests.
