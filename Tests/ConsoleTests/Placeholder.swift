// Placeholder until the first landing of ConsoleTests.
