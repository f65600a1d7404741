// Placeholder until the first landing of Simulator.
