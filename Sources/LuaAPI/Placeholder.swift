// Placeholder until the first landing of LuaAPI.
