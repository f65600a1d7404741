// Placeholder until the first landing of LuaAPITests.
