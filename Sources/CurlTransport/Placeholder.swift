// Placeholder until the first landing of CurlTransport.
