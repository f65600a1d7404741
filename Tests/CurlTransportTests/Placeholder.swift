// Placeholder until the first landing of CurlTransportTests.
