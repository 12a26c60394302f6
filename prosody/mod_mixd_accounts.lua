-- mod_mixd_accounts: tells a MIX service that an account of this host was deleted.
--
-- Whoever registers the name of a deleted account is somebody else, and inherits neither its channels nor its groups.
-- So the service has to end the account in all of them, and until it has the name is free for nobody. What the service
-- does not know yet is kept on disk: it may be away, and this server may be restarted.
--
-- mod_mixd loads this module by itself. Beside mod_delegation it is loaded alone. README.md says more.

local st = require "util.stanza";
local new_id = require "util.id".medium;

local hosts = prosody.hosts;
-- What is spoken with the service (docs/prosody.md).
local xmlns_module = "urn:mixd:host:1";

if module:get_host_type() ~= "local" then
	error("mod_mixd_accounts belongs to a VirtualHost, not to the component", 0);
end
local component = module:get_option_string("mixd_component");
if not component then
	error("mod_mixd_accounts needs to know whom to tell: set mixd_component = \"mix.example.org\" for " .. module.host, 0);
end
local retry_seconds = module:get_option_number("mixd_retry", 5);
local answer_seconds_max = module:get_option_number("mixd_answer_timeout", 30);
-- Accounts about which the service is asked at a time.
local asked_max = 32;

--- What the service does not know yet ---

local store = module:open_store("mixd_gone");

local function no_names(what, err)
	module:log("error", "The names of deleted accounts cannot be %s: %s", what, err);
	return nil, err;
end

-- { version = 1, accounts = { [name] = true where the service knows of it, false where it does not } }
local function read()
	local kept, err = store:get(nil);
	if err then return no_names("read", err); end
	if kept and kept.version ~= 1 then return no_names("read", "they have an unknown version"); end
	return kept and kept.accounts or {};
end

local gone, unreadable = read();
if not gone then error("The names of deleted accounts cannot be read: " .. tostring(unreadable), 0); end

local function keep(name, state)
	local past = gone[name];
	gone[name] = state;
	local ok, err = store:set(nil, next(gone) and { version = 1, accounts = gone } or nil);
	if ok then return true; end
	gone[name] = past;
	return no_names("kept", err);
end

--- Telling it ---

local asked, asked_count = {}, 0;
local is_waiting = false;
local go_on;

local function later()
	if is_waiting or not next(gone) then return; end
	is_waiting = true;
	module:add_timer(retry_seconds, function ()
		is_waiting = false;
		go_on();
	end);
end

-- First that the account is gone, then, again and again, whether it is ended everywhere.
local function ask(name, is_told)
	local account = name .. "@" .. module.host;
	local iq = st.iq({ type = is_told and "get" or "set", id = new_id(), from = module.host, to = component })
		:tag("gone", { xmlns = xmlns_module, jid = account });
	asked[name], asked_count = true, asked_count + 1;
	module:send_iq(iq, nil, answer_seconds_max):next(function (event)
		local answer = event.stanza:get_child("gone", xmlns_module);
		if not answer then error("an answer that says nothing", 0); end
		if is_told and answer.attr.state == "over" then
			if keep(name, nil) then module:log("info", "%s is ended in all channels: its name is free", account); end
		elseif not is_told then
			keep(name, true);
		end
	end):catch(function (err)
		module:log("debug", "%s does not know yet that %s is gone: %s", component, account, err);
	end):finally(function ()
		asked[name], asked_count = nil, asked_count - 1;
		later();
	end);
end

function go_on()
	for name, is_told in pairs(gone) do
		if asked_count >= asked_max then break; end
		if not asked[name] then ask(name, is_told); end
	end
	later();
end

module:hook_global("user-deleted", function (event)
	if event.host ~= module.host then return; end
	keep(event.username, false);
	go_on();
end, 20);

--- Until then nobody gets the name ---

local text = "the account that had this name is still being removed from its channels: try again in a minute";

-- In-band registration (XEP-0077), and whatever else asks first.
module:hook("user-registering", function (event)
	if gone[event.username] == nil or event.allowed == false then return; end
	event.allowed, event.reason = false, text;
	event.error_type, event.error_condition = "wait", "resource-constraint";
end, 20);

-- Whatever makes accounts without asking: the shell, other modules.
local makers = { "create_user", "create_user_with_role" };
local guarded, provider = {}, nil;

local function unguard()
	for name, pair in pairs(guarded) do
		if rawget(provider, name) == pair.guard then provider[name] = pair.past; end
	end
	guarded, provider = {}, nil;
end

local function guard()
	local users = hosts[module.host].users;
	if not users or users == provider then return; end
	if provider then unguard(); end
	provider = users;
	for _, maker in ipairs(makers) do
		local make = users[maker];
		if make then
			local function guarding(username, ...)
				if gone[username] ~= nil then return nil, text; end
				return make(username, ...);
			end
			guarded[maker] = { past = rawget(users, maker), guard = guarding };
			users[maker] = guarding;
		end
	end
end

guard();
-- The module that keeps accounts was loaded anew.
module:hook("item-added/auth-provider", function () module:add_timer(0, guard); end, -10);

function module.unload()
	if provider then unguard(); end
end

go_on();
