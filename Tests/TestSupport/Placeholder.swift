// Placeholder until the first landing of TestSupport.
