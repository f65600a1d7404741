// Placeholder until the first landing of LuaRuntime.
