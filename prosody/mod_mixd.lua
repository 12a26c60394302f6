-- mod_mixd: what a MIX service behind Prosody 0.12 and later needs from its host server.
--
-- * One stanza for many recipients (XEP-0033), messages and presence, taken from the component that the operator names and
--   from nobody else. The stanza is serialised once, whatever the number of recipients (mixd_multicast.lib.lua).
-- * MIX-PAM (XEP-0405) for the accounts of the host: joins and leaves, the roster with its annotations, delivery to
--   every client that takes MIX, and the archive of the account where mod_mam is loaded.
-- * That an account was deleted, by mod_mixd_accounts.
--
-- README.md says how to install it.

local st = require "util.stanza";
local cache = require "util.cache";
local errors = require "util.error";
local filters = require "util.filters";
local jid_bare = require "util.jid".bare;
local jid_host = require "util.jid".host;
local jid_prepped_split = require "util.jid".prepped_split;
local jid_split = require "util.jid".split;
local new_id = require "util.id".medium;
local rostermanager = require "core.rostermanager";
local user_exists = require "core.usermanager".user_exists;
local handing, listeners = module:require "mixd_handing", module:require "mixd_listeners";
local halves, hand, sibling = handing.halves, handing.hand, handing.sibling;

local hosts = prosody.hosts;
local s_match = string.match;

local xmlns_disco = "http://jabber.org/protocol/disco#info";
local xmlns_event = "http://jabber.org/protocol/pubsub#event";
local xmlns_hints = "urn:xmpp:hints";
local xmlns_mix = "urn:xmpp:mix:core:1";
local xmlns_pam = "urn:xmpp:mix:pam:2";
local xmlns_annotate = "urn:xmpp:mix:roster:0";
local xmlns_sid = "urn:xmpp:sid:0";
-- Tells the component that this module is here.
local xmlns_module = "urn:mixd:host:1";

if module:get_host_type() ~= "local" then
	error("mod_mixd belongs to a VirtualHost, not to the component", 0);
end
module:depends("mixd_accounts");
local component = module:get_option_string("mixd_component");
if not component then
	error("mod_mixd needs to know whom to trust: set mixd_component = \"mix.example.org\" for " .. module.host, 0);
end
local wants_archive = module:get_option_boolean("mixd_archive", true);
local answer_seconds_max = module:get_option_number("mixd_answer_timeout", 30);

local function archives()
	return wants_archive and hosts[module.host].modules.mam ~= nil;
end

--- Channels of accounts ---

-- { version = 1, channels = { [channel's JID] = participant id } }, by account.
local store = module:open_store("mixd");
local channels_of_offline = cache.new(1000);

-- Nothing, and why, where they cannot be read.
local function kept_channels(username)
	local user = hosts[module.host].sessions[username];
	local channels = user and user.mixd_channels or channels_of_offline:get(username);
	if not channels then
		local kept, err = store:get(username);
		if err or kept and kept.version ~= 1 then
			err = err or "they have an unknown version";
			module:log("error", "The channels of %s cannot be read: %s", username, err);
			return nil, err;
		end
		channels = kept and kept.channels or {};
	end
	if user then
		user.mixd_channels = channels;
	else
		channels_of_offline:set(username, channels);
	end
	return channels;
end

local function channels_of(username)
	return kept_channels(username) or {};
end

-- Keeps a participant id, or forgets the channel where it is nil. What cannot be read is not written over.
local function keep_channel(username, channel, participant)
	local past, unreadable = kept_channels(username);
	if not past then return nil, unreadable; end
	local channels = {};
	for known, id in pairs(past) do channels[known] = id; end
	channels[channel] = participant;
	local ok, err = store:set(username, next(channels) and { version = 1, channels = channels } or nil);
	if not ok then return nil, err; end
	local user = hosts[module.host].sessions[username];
	if user then user.mixd_channels = channels; end
	channels_of_offline:set(username, not user and channels or nil);
	return true;
end

-- Whether a stanza comes from a channel that the account is in. The component knows best who is in its channels.
local function is_from_channel(username, from)
	return jid_host(from) == component or channels_of(username)[jid_bare(from)] ~= nil;
end

-- Whether it is what channels send to all who are in them: a message, or an event of a node.
local function is_traffic(stanza)
	local kind = stanza.attr.type;
	if kind == "groupchat" then return true; end
	return (kind == nil or kind == "normal" or kind == "headline") and stanza:get_child("event", xmlns_event) ~= nil;
end

--- Which clients take MIX (XEP-0405 §5.1) ---

local clients = module:require "mixd_clients";
local see, speaks = clients.see, clients.speaks;

module:hook("presence/bare", function (event)
	local session, stanza = event.origin, event.stanza;
	if session.type == "c2s" and stanza.attr.type == nil and (not stanza.attr.to or event.to_self) then
		see(session, stanza);
	end
end, 10);

module:hook("pre-message/bare", function (event)
	local session, stanza = event.origin, event.stanza;
	if not session.mixd_speaks and stanza.attr.type == "groupchat" and is_from_channel(session.username, stanza.attr.to) then
		speaks(session);
	end
end);

--- Channels that are destroyed ---

-- Whether a channel tells that it is no more (XEP-0369 §7.3.4).
local function is_end(stanza)
	local event = stanza.attr.type ~= "error" and stanza:get_child("event", xmlns_event);
	local delete = event and event:get_child("delete");
	return delete ~= nil and delete ~= false and delete.attr.node == "urn:xmpp:mix:nodes:participants";
end

local left; -- below, with joining

-- It leaves the roster of an account, whether anybody is online there or not.
local function forget_ended(username, stanza)
	local channel = jid_bare(stanza.attr.from);
	if jid_host(channel) ~= component or not channels_of(username)[channel] then return; end
	local ok, err = left(username, channel);
	if not ok then module:log("error", "%s cannot be taken out of the roster of %s: %s", channel, username, err); end
end

-- In front of whatever keeps a message from its account, blocking included.
module:hook("message/bare", function (event)
	local username, host, resource = jid_split(event.stanza.attr.to);
	if username and host == module.host and not resource and is_end(event.stanza) then
		forget_ended(username, event.stanza);
	end
end, 102);

--- Handing out ---

-- Hands a stanza to every client of an account that takes MIX.
local function hand_to_all(user, stanza, head, tail)
	for _, session in pairs(user.sessions) do
		if session.mixd_takes and session.presence then
			hand(session, stanza, head, tail, session.full_jid);
		end
	end
end

-- Behind blocking, archiving and carbons, in front of mod_message.
module:hook("message/bare", function (event)
	local stanza = event.stanza;
	local username, host, resource = jid_split(stanza.attr.to);
	local user = username and host == module.host and not resource and hosts[host].sessions[username];
	if user and is_traffic(stanza) and is_from_channel(username, stanza.attr.from) then
		local to, copy = stanza.attr.to, sibling(stanza);
		local head, tail = halves(copy);
		hand_to_all(user, copy, head, tail);
		stanza.attr.to = to;
		return true;
	end
end, -0.9);

-- Nobody is online: it is in the archives, and nowhere kept besides. What was for a client that is gone bounces.
module:hook("message/bare/groupchat", function (event)
	local username, _, resource = jid_split(event.stanza.attr.to);
	if not resource and is_from_channel(username, event.stanza.attr.from) then return true; end
end);

module:hook("message/offline/handle", function (event)
	if is_traffic(event.stanza) and is_from_channel(event.username, event.stanza.attr.from) then return true; end
end, 10);

--- The archive of the account (XEP-0405 §5.9) ---

-- Whether a channel keeps it, so that it belongs into archives of accounts, too.
local function is_kept(stanza)
	return stanza.attr.type == "groupchat"
		and (stanza:get_child("stanza-id", xmlns_sid) or stanza:get_child("body")) ~= nil
		and not stanza:get_child("no-store", xmlns_hints) and not stanza:get_child("no-permanent-store", xmlns_hints);
end

module:hook("archive-should-store", function (event)
	local stanza = event.stanza;
	local username, host, resource = jid_split(stanza.attr.to);
	if archives() and username and host == module.host and not resource and is_kept(stanza)
		and is_from_channel(username, stanza.attr.from) then
		event.reason = "mix";
		return true;
	end
end, 10);

--- One stanza for many (XEP-0033) ---

for _, kind in ipairs({ "message", "iq" }) do
	for _, place in ipairs({ "bare", "full" }) do
		listeners.let_past_guards(kind, place, function (stanza) return jid_host(stanza.attr.from) == component; end);
	end
end

-- In front of mod_blocklist.
module:hook("message/bare", function (event)
	local stanza = event.stanza;
	local username, host, resource = jid_split(stanza.attr.to);
	if username and host == module.host and not resource and is_traffic(stanza)
		and is_from_channel(username, stanza.attr.from)
		and listeners.is_blocked(stanza, listeners.of(host, "message", "bare").blocks) then
		return true;
	end
end, 101);

-- Accounts that are known to exist though nobody is online there.
local existing = cache.new(10000);

local function exists(username)
	if existing:get(username) then return true; end
	local found = user_exists(username, module.host);
	if found then existing:set(username, true); end
	return found;
end

module:require "mixd_multicast" {
	archives = archives, exists = exists, forget_ended = forget_ended, hand_to_all = hand_to_all,
	is_end = is_end, is_kept = is_kept, is_traffic = is_traffic,
};

--- Joining and leaving (XEP-0405 §5.6 – §5.8) ---

local function set_roster(username, channel, change)
	local roster = rostermanager.load_roster(username, module.host);
	local past = roster[channel];
	roster[channel] = change(past);
	if not rostermanager.save_roster(username, module.host, roster, channel) then
		roster[channel] = past;
		return nil, errors.new({ type = "wait", condition = "internal-server-error", text = "the roster cannot be saved" });
	end
	rostermanager.roster_push(username, module.host, channel);
	return true;
end

local function named(name)
	return function (past)
		local item = { subscription = past and past.subscription or "none", groups = { Channels = true } };
		item.name = name or past and past.name;
		for group in pairs(past and past.groups or {}) do item.groups[group] = true; end
		return item;
	end
end

-- Sends a request in the name of the account; a promise of the answer.
local function request(username, channel, kind, payload)
	local iq = st.iq({ type = kind, id = new_id(), from = username .. "@" .. module.host, to = channel });
	return module:send_iq(iq:add_child(payload), nil, answer_seconds_max);
end

-- The channel's own name goes into the roster, where it has one.
local function name_in_roster(username, channel)
	request(username, channel, "get", st.stanza("query", { xmlns = xmlns_disco })):next(function (event)
		local disco = event.stanza:get_child("query", xmlns_disco);
		local identity = disco and disco:get_child("identity");
		local name = identity and identity.attr.name;
		if name and name ~= "" and channels_of(username)[channel] then set_roster(username, channel, named(name)); end
	end):catch(function (err)
		module:log("debug", "%s does not tell its name: %s", channel, err);
	end);
end

local function joined(username, channel, join)
	local id = join.attr.id or s_match(join.attr.jid or "", "^([^#]+)#");
	if not id then
		return nil, errors.new({ type = "cancel", condition = "undefined-condition", text = "the channel told no participant id" });
	end
	-- The annotation of the roster item is known before the item is pushed.
	local ok, err = keep_channel(username, channel, id);
	if ok then ok, err = set_roster(username, channel, named(nil)); end
	if ok then name_in_roster(username, channel); end
	return ok, err;
end

function left(username, channel)
	local ok, err = set_roster(username, channel, function () return nil; end);
	if ok then ok, err = keep_channel(username, channel, nil); end
	return ok, err;
end

-- A request to the own account, which holds what the channel is to be asked.
local function pass_on(outer, inner, settle)
	module:hook("iq-set/self/" .. xmlns_pam .. ":" .. outer, function (event)
		local session, stanza = event.origin, event.stanza;
		local wrapping = stanza:get_child(outer, xmlns_pam);
		local node, host, resource = jid_prepped_split(wrapping.attr.channel);
		local payload = wrapping:get_child(inner, xmlns_mix);
		if not node or resource or not payload then
			session.send(st.error_reply(stanza, "modify", "bad-request",
				("<%s/> names a channel and holds a <%s/> (XEP-0405)"):format(outer, inner)));
			return true;
		end
		speaks(session);
		local username, channel = session.username, node .. "@" .. host;
		local bare, full = username .. "@" .. module.host, session.full_jid;
		local function answer(reply)
			reply.attr.from, reply.attr.to = bare, full;
			module:send(reply);
		end
		request(username, channel, "set", st.clone(payload)):next(function (answered)
			local result = answered.stanza:get_child(inner, xmlns_mix) or st.stanza(inner, { xmlns = xmlns_mix });
			local ok, err = settle(username, channel, result);
			if not ok then return answer(st.error_reply(stanza, errors.coerce(nil, err))); end
			local told = st.clone(result);
			local id = told.attr.id or s_match(told.attr.jid or "", "^([^#]+)#");
			if inner == "join" and id then told.attr.id, told.attr.jid = id, id .. "#" .. channel; end
			answer(st.reply(stanza):tag(outer, { xmlns = xmlns_pam, channel = channel }):add_child(told));
		end, function (err)
			-- A channel that is gone, or that the account is not in, is not kept in the roster.
			if inner == "leave" and (err.condition == "item-not-found" or err.condition == "gone") then
				left(username, channel);
			end
			answer(st.error_reply(stanza, err));
		end):catch(function (err)
			module:log("error", "A %s of %s for %s failed: %s", outer, bare, channel, err);
			answer(st.error_reply(stanza, "wait", "internal-server-error"));
		end);
		return true;
	end);
end

pass_on("client-join", "join", joined);
pass_on("client-leave", "leave", left);

-- A deleted account leaves channels of other services; the component is told by mod_mixd_accounts.
module:hook_global("user-deleted", function (event)
	if event.host ~= module.host then return; end
	for channel in pairs(channels_of(event.username)) do
		if jid_host(channel) ~= component then
			local iq = st.iq({ type = "set", id = new_id(), from = event.username .. "@" .. module.host, to = channel });
			module:send(iq:tag("leave", { xmlns = xmlns_mix }));
		end
	end
	store:set(event.username, nil);
	channels_of_offline:set(event.username, nil);
	existing:set(event.username, nil);
end, 10);

--- Rosters that tell channels from people (XEP-0405 §5.8) ---

local function annotate(stanza, session)
	local query = stanza.name == "iq" and stanza:get_child("query", "jabber:iq:roster");
	local channels = query and channels_of(session.username);
	if not channels or not next(channels) then return stanza; end
	local copy = st.clone(stanza);
	for item in copy:get_child("query", "jabber:iq:roster"):childtags("item") do
		local id = channels[item.attr.jid];
		if id and item.attr.subscription ~= "remove" then
			item:add_direct_child(st.stanza("channel", { xmlns = xmlns_annotate, ["participant-id"] = id }));
		end
	end
	return copy;
end

module:hook("iq/self/jabber:iq:roster:query", function (event)
	local session, query = event.origin, event.stanza.tags[1];
	if event.stanza.attr.type ~= "get" then return; end
	if query:get_child("annotate", xmlns_annotate) then
		speaks(session);
		filters.add_filter(session, "stanzas/out", annotate, 100);
	else
		filters.remove_filter(session, "stanzas/out", annotate);
	end
end, 10);

--- What is announced ---

module:add_feature(xmlns_module);

module:hook("account-disco-info", function (event)
	event.reply:tag("feature", { var = xmlns_pam }):up();
	if archives() then event.reply:tag("feature", { var = xmlns_pam .. "#archive" }):up(); end
end);

-- Clients that are online already.
for _, user in pairs(hosts[module.host].sessions) do
	for _, session in pairs(user.sessions) do
		if session.presence and not session.mixd_version then see(session, session.presence); end
	end
end

function module.unload()
	for _, user in pairs(hosts[module.host].sessions) do
		for _, session in pairs(user.sessions) do
			filters.remove_filter(session, "stanzas/out", annotate);
			session.mixd_version = nil;
		end
	end
end
