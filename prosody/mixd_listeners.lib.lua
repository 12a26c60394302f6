-- Who listens to a delivery within Prosody, for mod_mixd: what may be skipped, who is asked, and when only the ordinary way will do.

local jid_split = require "util.jid".split;
local source_of = module:require "mixd_handing".source_of;

local hosts = prosody.hosts;

-- Prosody's own modules that do nothing about what channels send, where it is not archived.
local idle = {
	mod_message = true, mod_carbons = true, mod_mam = true, mod_component = true,
	mod_mixd = true, mixd_listeners = true, mixd_multicast = true,
};
-- Modules that keep messages and questions of strangers from people. They know of no channels, and people chose to be in those.
local guards = { mod_block_strangers = true, mod_anti_spam = true };
-- Modules that read a presence, answer or refuse it, and neither change nor keep it.
local readers = {
	mod_pep = true, mod_tombstones = true, mod_privilege = true, mod_invites_register = true, mod_anti_spam = true,
};

-- Messages: whether somebody listens besides those that have nothing to do there, the handler of mod_blocklist, and those of
-- modules against strangers.
local function of_messages(handlers)
	local known = { handlers = handlers, others = false, blocks = nil, guards = nil };
	for _, handler in ipairs(handlers or {}) do
		local source = source_of(handler);
		if source == "mod_blocklist" then
			known.blocks = handler;
		elseif guards[source] then
			known.guards = known.guards or {};
			known.guards[handler] = true;
		elseif not idle[source] then
			known.others = true;
		end
	end
	return known;
end

-- Presence: those to ask in front of mod_presence, which delivers, mod_blocklist apart; and whether somebody else listens there.
local function of_presence(handlers)
	local known = { handlers = handlers, others = true, asked = {}, blocks = nil };
	for _, handler in ipairs(handlers or {}) do
		local source = source_of(handler);
		if source == "mod_presence" or source == "mod_component" then
			known.others = false;
			return known;
		elseif source == "mod_blocklist" then
			known.blocks = handler;
		elseif readers[source] then
			known.asked[#known.asked + 1] = handler;
		elseif not idle[source] then
			return known;
		end
	end
	return known;
end

local listeners = {};

-- Who listens to the event of a kind of stanza, "message" or "presence", for a "bare" or "full" address of a host.
local function listeners_of(host, kind, place)
	local event_name = kind .. "/" .. place;
	local handlers = hosts[host].events.get_handlers(event_name);
	local key = host .. "\n" .. event_name;
	local known = listeners[key];
	if not known or known.handlers ~= handlers then
		known = kind == "presence" and of_presence(handlers) or of_messages(handlers);
		listeners[key] = known;
	end
	return known;
end

-- What the component sends passes modules against strangers: everybody else who listens is asked, in the same order. It is the
-- component that the operator named, and what it says to an account is about a channel or an invitation.
local function let_past_guards(kind, place, is_trusted)
	local function pass(event)
		if not is_trusted(event.stanza) then return; end
		local heed = listeners_of(module.host, kind, place);
		if not heed.guards then return; end
		local is_behind = false;
		for _, handler in ipairs(heed.handlers) do
			if is_behind and not heed.guards[handler] then
				local ret = handler(event);
				if ret ~= nil then return ret; end
			end
			is_behind = is_behind or handler == pass;
		end
	end
	module:hook(kind .. "/" .. place, pass, 1000);
end

--- Blocking ---

-- The accounts that are online and block nobody. mod_blocklist remembers the lists of few accounts, 64 in Prosody 0.12 and 256 in
-- 13, and reads the others from disk for every stanza: with more people in a room, that costs more than all the rest.
local unblocking = setmetatable({}, { __mode = "k" });
local blocklists = module:open_store("blocklist");

-- Whoever has edited the list is asked for, as long as the account is online.
local function forget(event)
	local user = hosts[module.host].sessions[event.origin.username];
	if user then unblocking[user] = false; end
end
module:hook("iq-set/self/urn:xmpp:blocking:block", forget, 1000);
module:hook("iq-set/self/urn:xmpp:blocking:unblock", forget, 1000);

local function blocks_nobody(username)
	local list, err = blocklists:get(username);
	if err then return false; end
	for jid, is_blocked in pairs(list or {}) do
		if jid and is_blocked then return false; end
	end
	return true;
end

-- Whether mod_blocklist, whose handler `blocks` is, takes a stanza away from its recipient. It would have some kinds bounce, and
-- from a bounce the component learns that an account is not reached this way, for any of its channels; of what is blocked
-- nobody is told.
local unheard = { send = function () end };
local function is_blocked(stanza, blocks, username)
	if not blocks then return false; end
	username = username or jid_split(stanza.attr.to);
	local user = hosts[module.host].sessions[username];
	local known = user and unblocking[user];
	if known then return false; end
	-- Asked first: it brings lists of older versions up to date.
	local is_taken = blocks({ origin = unheard, stanza = stanza }) ~= nil;
	if user and known == nil and not is_taken then unblocking[user] = blocks_nobody(username); end
	return is_taken;
end

return { is_blocked = is_blocked, let_past_guards = let_past_guards, of = listeners_of };
