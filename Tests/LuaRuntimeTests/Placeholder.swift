// Placeholder until the first landing of LuaRuntimeTests.
