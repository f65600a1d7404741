// Placeholder until the first landing of SigV4Tests.
