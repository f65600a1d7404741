// Placeholder until the first landing of SimulatorTests.
