-- A Prosody without mixd, to which the lines of docs/prosody.md are added as
-- that page says. Ports and folders come from scripts/host.

run_as_root = true
local folder = ENV_HOST_FOLDER
pidfile = folder .. "/prosody.pid"
admin_socket = folder .. "/prosody.sock"
data_path = folder .. "/accounts"
certificates = folder .. "/certs"
log = { info = "*console" }

interfaces = { "127.0.0.1" }
c2s_ports = { ENV_C2S_PORT }
c2s_direct_tls_ports = { }
component_ports = { ENV_COMPONENT_PORT }
http_ports = { }
https_ports = { }
s2s_ports = { }
modules_disabled = { "s2s" }
c2s_require_encryption = false
authentication = "internal_hashed"

modules_enabled = { "disco", "roster", "saslauth", "carbons", "pep", "ping", "private", "smacks", "version",
  not Credential and "posix" or nil }

VirtualHost "localhost"

VirtualHost "example.org"

Include "conf.d/*.cfg.lua"
