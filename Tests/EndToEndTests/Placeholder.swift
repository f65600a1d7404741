// Placeholder until the first landing of EndToEndTests.
