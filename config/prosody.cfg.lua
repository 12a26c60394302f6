-- Prosody (0.12 to 13) as host server of mixd. For a server that exists already, copy
-- what is marked "mixd"; the rest makes this file complete enough to run alone.
-- Every value can be set from the environment, else its default holds.

local folder = ENV_HOST_FOLDER or "/var/lib/prosody"    -- accounts, pid file, sockets
local interface = ENV_HOST_INTERFACE or "127.0.0.1"     -- address to listen on
local user_domain = ENV_XMPP_DOMAIN or "localhost"      -- alice@localhost
local mix_domain = ENV_MIX_DOMAIN or "mix.localhost"    -- channel@mix.localhost

run_as_root = true   -- allows a start as root in a container or a test; drop it elsewhere
pidfile = folder .. "/prosody.pid"
admin_socket = folder .. "/prosody.sock"
data_path = folder .. "/accounts"
certificates = folder .. "/certs"
log = { [ENV_HOST_LOG or "info"] = "*console" }

interfaces = { interface }
c2s_ports = { ENV_C2S_PORT or 5222 }
c2s_direct_tls_ports = { }
http_ports = { ENV_HTTP_PORT or 5280 }
http_interfaces = { interface }
https_ports = { }
s2s_ports = { }
modules_disabled = { "s2s" }          -- no other servers; drop both lines to federate
c2s_require_encryption = false        -- loopback only; require TLS on a public server
allow_unencrypted_plain_auth = false
c2s_stanza_size_limit = 256 * 1024    -- bytes in a stanza of a client
authentication = "internal_hashed"
storage = "internal"
archive_expires_after = "1w"

-- mixd: where it connects ([component] host and port of mixd.toml).
component_ports = { ENV_COMPONENT_PORT or 5347 }
component_interfaces = { interface }
-- mixd: bytes in a stanza of a component. A stanza above the limit ends the
-- link, and a page of history carries stanzas of clients with a wrapping on
-- top, so it has to stay well above c2s_stanza_size_limit.
component_stanza_size_limit = 10 * 1024 * 1024

-- mixd: mod_delegation and mod_privilege are in the package prosody-modules.
-- Debian installs them where Prosody looks; elsewhere set plugin_paths.

modules_enabled = {
  "admin_shell", "blocklist", "bosh", "carbons", "csi_simple", "disco", "mam", "offline", "pep", "ping",
  "private", "roster", "saslauth", "smacks", "time", "vcard4", "vcard_legacy", "version", "websocket",
  not Credential and "posix" or nil,   -- what it did is part of Prosody 13, which has Credential
}

VirtualHost(user_domain)
  modules_enabled = { "delegation", "privilege" }
  -- mixd: lets it answer the join and leave that clients address to their own
  -- account (XEP-0405). Without this line clients that know MIX only through
  -- their account cannot join; with it, clients that page a channel's archive
  -- only for accounts without MIX-PAM stop doing so.
  delegations = { ["urn:xmpp:mix:pam:2"] = { jid = mix_domain } }
  privileged_entities = {
    [mix_domain] = {
      presence = "managed_entity",  -- mixd: tells who is online; messages go to those resources
      roster = "both",              -- mixd: puts a joined channel into the roster
      message = "outgoing",         -- mixd: messages in a member's name, as invitations
      iq = { ["urn:xmpp:mix:core:1"] = "set" },  -- mixd: joins channels of other services for them
    },
  }

-- mixd: the service itself; the secret is [component] secret of mixd.toml.
-- As a subdomain of user_domain it is found in its disco#items.
Component(mix_domain)
  component_secret = ENV_MIX_SECRET or "change-this-secret"
  modules_enabled = { "delegation", "privilege" }
