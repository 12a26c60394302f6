-- mod_mixd: what a MIX service behind Prosody 0.12 and later needs from its host server.
--
-- * One stanza for many recipients (XEP-0033), taken from the component that the operator names and from nobody else.
--   The stanza is serialised once, whatever the number of recipients.
-- * MIX-PAM (XEP-0405) for the accounts of the host: joins and leaves, the roster with its annotations, delivery to
--   every client that takes MIX, and the archive of the account where mod_mam is loaded.
-- * That an account was deleted, by mod_mixd_accounts.
--
-- README.md says how to install it. Presence of channels (XEP-0403) is not served.

local st = require "util.stanza";
local cache = require "util.cache";
local calculate_hash = require "util.caps".calculate_hash;
local errors = require "util.error";
local filters = require "util.filters";
local jid_bare = require "util.jid".bare;
local jid_host = require "util.jid".host;
local jid_prepped_split = require "util.jid".prepped_split;
local jid_split = require "util.jid".split;
local new_id = require "util.id".medium;
local rostermanager = require "core.rostermanager";
local user_exists = require "core.usermanager".user_exists;

local full_sessions, hosts = prosody.full_sessions, prosody.hosts;
local t_concat, s_find, s_match, s_sub = table.concat, string.find, string.match, string.sub;

local xmlns_address = "http://jabber.org/protocol/address";
local xmlns_caps = "http://jabber.org/protocol/caps";
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
local addresses_max = module:get_option_number("mixd_addresses_max", 5000);
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

-- What versions of clients take, by the node and hash of XEP-0115, where the hash fits to what the client answered.
local proven = cache.new(5000);
-- Sessions that wait for the answer to one question.
local waiting = {};

local function learn(session, disco)
	for feature in disco:childtags("feature") do
		if feature.attr.var == xmlns_mix then
			session.mixd_takes = true;
			return true;
		end
	end
	session.mixd_takes = session.mixd_speaks;
	return false;
end

local function ask(session, version, node, is_provable)
	if is_provable and waiting[version] then
		waiting[version][session] = true;
		return;
	end
	if is_provable then waiting[version] = {}; end
	local iq = st.iq({ type = "get", id = new_id(), from = module.host, to = session.full_jid })
		:tag("query", { xmlns = xmlns_disco, node = node });
	module:send_iq(iq, nil, answer_seconds_max):next(function (event)
		local disco = event.stanza:get_child("query", xmlns_disco);
		if not disco or session.mixd_version ~= version then return; end
		local takes = learn(session, disco);
		if is_provable and calculate_hash(disco) == s_match(version, "#([^#]*)$") then
			proven:set(version, takes);
		end
	end):catch(function (err)
		module:log("debug", "%s did not say what it takes: %s", session.full_jid, err);
	end):finally(function ()
		local others = is_provable and waiting[version] or {};
		if is_provable then waiting[version] = nil; end
		for other in pairs(others) do
			if other.mixd_version == version and not other.destroyed then
				if proven:get(version) ~= nil then
					other.mixd_takes = proven:get(version) or other.mixd_speaks;
				else
					ask(other, version, node, false);
				end
			end
		end
	end);
end

-- The longest version of a client that is remembered, in bytes; those there are have a fraction of it.
local version_bytes_max = 512;

-- A client announced itself.
local function see(session, presence)
	local caps = presence:get_child("c", xmlns_caps);
	local node = caps and caps.attr.node and caps.attr.ver and caps.attr.node .. "#" .. caps.attr.ver;
	if node and #node > version_bytes_max then node = nil; end
	local version = node or "none";
	if session.mixd_version == version then return; end
	session.mixd_version = version;
	if proven:get(version) ~= nil then
		session.mixd_takes = proven:get(version) or session.mixd_speaks;
	else
		ask(session, version, node, node and caps.attr.hash == "sha-1");
	end
end

-- A client spoke MIX, so it takes MIX, whatever it announces.
local function speaks(session)
	session.mixd_speaks, session.mixd_takes = true, true;
end

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

-- A stanza as text, with a gap where the address goes.
local function halves(stanza)
	stanza.attr.to = "\1";
	local text = tostring(stanza);
	local gap = s_find(text, "\1", 1, true);
	return s_sub(text, 1, gap - 1), s_sub(text, gap + 1);
end

local escapes = { ["'"] = "&apos;", ["\""] = "&quot;", ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;" };
local function escaped(address)
	return s_find(address, "['\"<>&]") and address:gsub("['\"<>&]", escapes) or address;
end

-- Another stanza with the same children, which nobody may change.
local function sibling(stanza)
	local attr, tags = {}, {};
	local copy = { name = stanza.name, attr = attr, namespaces = stanza.namespaces, tags = tags };
	for name, value in pairs(stanza.attr) do attr[name] = value; end
	for i = 1, #stanza.tags do tags[i] = stanza.tags[i]; end
	for i = 1, #stanza do copy[i] = stanza[i]; end
	return setmetatable(copy, getmetatable(stanza));
end

-- Whether a session's send is the one of Prosody's session manager: the filters, then the text. BOSH and whatever wraps
-- send have others.
local is_plain = setmetatable({}, { __mode = "k", __index = function (known, send)
	local plain = s_find(debug.getinfo(send, "S").source, "core/sessionmanager.lua", 1, true) ~= nil;
	known[send] = plain;
	return plain;
end });

-- Hands a stanza to one client. The text is used where no filter puts anything else into its place.
local function hand(session, stanza, head, tail)
	stanza.attr.to = session.full_jid;
	if not head or not is_plain[session.send] then
		return session.send(head and sibling(stanza) or stanza);
	end
	local children = #stanza;
	local filtered = session.filter("stanzas/out", stanza);
	if filtered == nil then return true; end
	if filtered ~= stanza or #stanza ~= children then return session.rawsend(tostring(filtered)); end
	return session.rawsend(head .. escaped(session.full_jid) .. tail);
end

-- Hands a stanza to every client of an account that takes MIX.
local function hand_to_all(user, stanza, head, tail)
	for _, session in pairs(user.sessions) do
		if session.mixd_takes and session.presence then
			hand(session, stanza, head, tail);
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

-- Prosody's own modules that do nothing about what channels send, where it is not archived.
local idle = { mod_message = true, mod_carbons = true, mod_mam = true, mod_mixd = true, mod_component = true };
-- Modules that keep messages and questions of strangers from people. They know of no channels, and people chose to be in those.
local guards = { mod_block_strangers = true, mod_anti_spam = true };
local listeners = {};

-- Who listens to an event of a host besides those: whether there are others, the handler of mod_blocklist, and those of
-- modules against strangers.
local function listeners_of(host, event_name)
	local handlers = hosts[host].events.get_handlers(event_name);
	local key = host .. "\n" .. event_name;
	local known = listeners[key];
	if not known or known.handlers ~= handlers then
		known = { handlers = handlers, others = false, blocks = nil, guards = nil };
		for _, handler in ipairs(handlers or {}) do
			local source = s_match(debug.getinfo(handler, "S").source, "([%w_]+)%.lua$");
			if source == "mod_blocklist" then
				known.blocks = handler;
			elseif guards[source] then
				known.guards = known.guards or {};
				known.guards[handler] = true;
			elseif not idle[source] then
				known.others = true;
			end
		end
		listeners[key] = known;
	end
	return known;
end

-- What the component sends passes modules against strangers: everybody else who listens is asked, in the same order. It is the
-- component that the operator named, and what it says to an account is about a channel or an invitation.
local function let_past_guards(event_name)
	local function pass(event)
		if jid_host(event.stanza.attr.from) ~= component then return; end
		local heed = listeners_of(module.host, event_name);
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
	module:hook(event_name, pass, 1000);
end

for _, event_name in ipairs({ "message/bare", "message/full", "iq/bare", "iq/full" }) do let_past_guards(event_name); end

-- Whether mod_blocklist keeps a stanza from its recipient. It would have some kinds bounce, and from a bounce the
-- component learns that an account is not reached this way, for any of its channels; of what is blocked nobody is told.
local unheard = { send = function () end };
local function is_blocked(stanza, blocks)
	return blocks ~= nil and blocks({ origin = unheard, stanza = stanza }) ~= nil;
end

-- In front of mod_blocklist.
module:hook("message/bare", function (event)
	local stanza = event.stanza;
	local username, host, resource = jid_split(stanza.attr.to);
	if username and host == module.host and not resource and is_traffic(stanza)
		and is_from_channel(username, stanza.attr.from)
		and is_blocked(stanza, listeners_of(host, "message/bare").blocks) then
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

-- One stanza on its way to many.
local Round = {};
Round.__index = Round;

local function new_round(origin, stanza)
	local copy = sibling(stanza);
	local head, tail = halves(copy);
	return setmetatable({
		origin = origin, stanza = copy, head = head, tail = tail, texts = {};
		is_traffic = is_traffic(stanza), is_archived = archives() and is_kept(stanza), is_end = is_end(stanza);
	}, Round);
end

-- The way that every single stanza goes.
function Round:post(address)
	local copy = st.clone(self.stanza);
	copy.attr.to = address;
	prosody.core_post_stanza(self.origin, copy);
end

-- Nothing takes it there: the component learns that this way is no good, and where there is no such account, that.
function Round:bounce(address, is_nobody)
	self.stanza.attr.to = address;
	local bounce = st.error_reply(self.stanza, "cancel", "service-unavailable");
	if is_nobody then bounce:get_child("error"):add_direct_child(st.stanza("no-account", { xmlns = xmlns_module })); end
	self.origin.send(bounce);
end

function Round:is_blocked(address, blocks)
	self.stanza.attr.to = address;
	return is_blocked(self.stanza, blocks);
end

function Round:to_bare(username, address)
	local heed = listeners_of(module.host, "message/bare");
	local user = hosts[module.host].sessions[username];
	if self.is_traffic and not user and not exists(username) then return self:bounce(address, true); end
	if not self.is_traffic or self.is_archived or heed.others then return self:post(address); end
	if self.is_end then
		self.stanza.attr.to = address;
		forget_ended(username, self.stanza);
	end
	if user and not self:is_blocked(address, heed.blocks) then
		hand_to_all(user, self.stanza, self.head, self.tail);
	end
end

function Round:to_full(address)
	local heed = listeners_of(module.host, "message/full");
	if not self.is_traffic or heed.others then return self:post(address); end
	local session = full_sessions[address];
	if not session then
		self:bounce(address);
	elseif not self:is_blocked(address, heed.blocks) and not hand(session, self.stanza, self.head, self.tail) then
		self:bounce(address);
	end
end

-- What is written to another component at once: three texts an address. In larger parts it waits for the last copy of a
-- round before it can read the first, in smaller ones writing costs more.
local part_texts = 3 * 32;

-- An address at another component of this Prosody.
function Round:to_component(host, address, is_full)
	local link = hosts[host].modules.component and hosts[host].modules.component.session;
	if not link or listeners_of(host, is_full and "message/full" or "message/bare").others then return self:post(address); end
	local texts = self.texts[link];
	if not texts then
		texts = {};
		self.texts[link] = texts;
	end
	local n = #texts;
	texts[n + 1], texts[n + 2], texts[n + 3] = self.head, escaped(address), self.tail;
end

function Round:to(recipient)
	local username, host, resource, address = recipient[1], recipient[2], recipient[3], recipient[4];
	if host == module.host and username then
		if resource then self:to_full(address) else self:to_bare(username, address); end
	elseif hosts[host].type == "component" and username then
		self:to_component(host, address, resource ~= nil);
	else
		self:post(address);
	end
end

function Round:finish()
	for link, texts in pairs(self.texts) do
		for i = 1, #texts, part_texts do
			link.send(t_concat(texts, "", i, math.min(i + part_texts - 1, #texts)));
		end
	end
end

-- The addresses that a stanza is for, and the header that recipients see; or why it cannot be taken.
local function read(addresses)
	local recipients, header = {}, st.stanza("addresses", { xmlns = xmlns_address });
	for address in addresses:childtags("address") do
		local kind, given = address.attr.type, address.attr.jid;
		if kind == "to" or kind == "cc" or kind == "bcc" then
			local username, host, resource = jid_split(given);
			local there = host and hosts[host];
			-- What is known as it stands, or is another component's to read, needs no preparation.
			if not (there and username and (there.type == "component" or there.sessions[username])) then
				username, host, resource = jid_prepped_split(given);
				given = resource and username .. "@" .. host .. "/" .. resource or username and username .. "@" .. host or host;
			end
			if not host then return nil, "modify", "jid-malformed", ("'%s' is no address"):format(address.attr.jid or ""); end
			if not hosts[host] then
				return nil, "auth", "forbidden", ("%s is not served here: send to it directly"):format(host);
			end
			if address.attr.delivered ~= "true" then
				recipients[#recipients + 1] = { username, host, resource, given };
			end
		end
		if kind ~= "bcc" then
			local shown = st.clone(address);
			shown.attr.delivered = (kind == "to" or kind == "cc") and "true" or nil;
			header:add_direct_child(shown);
		end
	end
	if #recipients > addresses_max then
		return nil, "modify", "not-acceptable", ("%d addresses in one stanza at most"):format(addresses_max);
	end
	return recipients, header;
end

module:hook("message/host", function (event)
	local origin, stanza = event.origin, event.stanza;
	local addresses = stanza:get_child("addresses", xmlns_address);
	if not addresses or stanza.attr.type == "error" then return; end
	if origin.type ~= "component" or origin.host ~= component then
		origin.send(st.error_reply(stanza, "auth", "forbidden", "only the component in mixd_component may do this"));
		return true;
	end
	local recipients, header, condition, text = read(addresses);
	if not recipients then
		origin.send(st.error_reply(stanza, header, condition, text));
		return true;
	end
	stanza:maptags(function (tag)
		if tag ~= addresses then return tag; end
		return #header.tags > 0 and header or nil;
	end);
	local round = new_round(origin, stanza);
	for i = 1, #recipients do round:to(recipients[i]); end
	round:finish();
	return true;
end, 10);

-- Presence is not handed out: whoever sends it learns that, and nothing is swallowed.
module:hook("presence/host", function (event)
	local origin, stanza = event.origin, event.stanza;
	if not stanza:get_child("addresses", xmlns_address) or stanza.attr.type == "error" then return; end
	origin.send(st.error_reply(stanza, "cancel", "feature-not-implemented", "presence is not handed out to many"));
	return true;
end, 10);

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

module:add_feature(xmlns_address);
module:add_feature(xmlns_module);
module:add_extension(st.stanza("x", { xmlns = "jabber:x:data", type = "result" })
	:tag("field", { var = "FORM_TYPE", type = "hidden" }):text_tag("value", xmlns_address):up()
	:tag("field", { var = "message" }):text_tag("value", ("%d"):format(addresses_max)):up());

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
