// Placeholder until the first landing of Console.
