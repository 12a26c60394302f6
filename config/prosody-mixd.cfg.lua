-- Prosody (0.12 to 13) with mod_mixd in place of delegation: prosody/README.md
-- says what it does. The rest is as in prosody.cfg.lua, beside this file.

-- mixd: where mod_mixd.lua and mod_mixd_accounts.lua are.
plugin_paths = { ENV_HOST_PLUGINS or "/usr/local/lib/prosody/modules" }

Include "prosody.cfg.lua"

VirtualHost(ENV_XMPP_DOMAIN or "localhost")
  modules_enabled = { "mixd", "privilege" }
  mixd_component = ENV_MIX_DOMAIN or "mix.localhost"  -- mixd: whom the module trusts
  privileged_entities = {
    [ENV_MIX_DOMAIN or "mix.localhost"] = {
      presence = "managed_entity",  -- mixd: tells who is online, for presence in channels
    },
  }
