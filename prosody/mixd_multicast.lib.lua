-- One stanza for many (XEP-0033), for mod_mixd: messages and presence that its component sends to the host with addresses.
--
-- Whoever is addressed gets what a copy of its own would have brought, and the component what that copy would have
-- brought back. Only the work is less: the stanza is turned into text once.

local st = require "util.stanza";
local jid_prepped_split = require "util.jid".prepped_split;
local jid_split = require "util.jid".split;
local handing, listeners = module:require "mixd_handing", module:require "mixd_listeners";

local full_sessions, hosts = prosody.full_sessions, prosody.hosts;
local escaped, hand = handing.escaped, handing.hand;
local s_gmatch, t_concat = string.gmatch, table.concat;

local xmlns_address = "http://jabber.org/protocol/address";
-- Tells the component that this module is here.
local xmlns_module = "urn:mixd:host:1";
-- Tells the component that presence may have many addresses as well.
local xmlns_presence = "urn:mixd:multicast:presence:0";

-- Tells the component that addresses may come in a short form, which takes Prosody less time to read than the elements do.
local xmlns_list = "urn:mixd:multicast:list:0";

local component = module:get_option_string("mixd_component");
local addresses_max = module:get_option_number("mixd_addresses_max", 5000);

-- What mod_mixd knows of accounts and channels, given below: archives, exists, forget_ended, hand_to_all, is_end, is_kept,
-- is_traffic.
local mixd;

-- One stanza on its way to many.
local Round = {};
Round.__index = Round;

local function new_round(origin, stanza)
	local copy = handing.sibling(stanza);
	local head, tail = handing.halves(copy);
	local kind = stanza.name;
	return setmetatable({
		origin = origin, stanza = copy, head = head, tail = tail, event = { origin = origin, stanza = copy }, texts = {}, ways = {},
		bare = listeners.of(module.host, kind, "bare"), full = listeners.of(module.host, kind, "full"),
	}, Round);
end

-- The way that every single stanza goes.
function Round:post(address)
	local copy = st.clone(self.stanza);
	copy.attr.to = address;
	prosody.core_post_stanza(self.origin, copy);
end

-- What is written to another component at once: three texts an address. In larger parts it waits for the last copy of a
-- round before it can read the first, in smaller ones writing costs more.
local part_texts = 3 * 32;

-- Whether a copy passes nobody on its way to the link of a component.
local function is_clear(heed)
	return not heed.others and not heed.blocks and not (heed.asked and heed.asked[1]);
end

-- The texts for another component of this Prosody; false where each copy takes the ordinary way.
function Round:texts_for(host, place)
	local key = host .. "/" .. place;
	local texts = self.ways[key];
	if texts == nil then
		local link = hosts[host].modules.component and hosts[host].modules.component.session;
		texts = link and is_clear(listeners.of(host, self.stanza.name, place)) and (self.texts[link] or {});
		if texts then self.texts[link] = texts; end
		self.ways[key] = texts or false;
	end
	return texts;
end

function Round:to_component(host, address, place)
	local texts = self:texts_for(host, place);
	if not texts then return self:post(address); end
	local n = #texts;
	texts[n + 1], texts[n + 2], texts[n + 3] = self.head, escaped(address), self.tail;
end

-- One address. Where that fails in a module that was asked, the others get theirs all the same, as with copies.
function Round:to(recipient)
	local username, host, resource, address = recipient[1], recipient[2], recipient[3], recipient[4];
	if not username then
		self:post(address);
	elseif host == module.host then
		if resource then self:to_full(username, address) else self:to_bare(username, address); end
	elseif hosts[host].type == "component" then
		self:to_component(host, address, resource and "full" or "bare");
	else
		self:post(address);
	end
end

local function complain(err)
	module:log("error", "An address of a stanza for many failed: %s", debug.traceback(err, 2));
end

function Round:go(recipients)
	for i = 1, #recipients do xpcall(self.to, complain, self, recipients[i]); end
	for link, texts in pairs(self.texts) do
		for i = 1, #texts, part_texts do
			link.send(t_concat(texts, "", i, math.min(i + part_texts - 1, #texts)));
		end
	end
end

--- Messages ---

local Messages = setmetatable({}, Round);
Messages.__index = Messages;

local function messages(origin, stanza)
	local round = setmetatable(new_round(origin, stanza), Messages);
	round.is_traffic = mixd.is_traffic(stanza);
	round.is_archived = mixd.archives() and mixd.is_kept(stanza);
	round.is_end = mixd.is_end(stanza);
	return round;
end

-- Nothing takes it there: the component learns that this way is no good, and where there is no such account, that.
function Messages:bounce(address, is_nobody)
	self.stanza.attr.to = address;
	local bounce = st.error_reply(self.stanza, "cancel", "service-unavailable");
	if is_nobody then bounce:get_child("error"):add_direct_child(st.stanza("no-account", { xmlns = xmlns_module })); end
	self.origin.send(bounce);
end

function Messages:is_blocked(username, address, blocks)
	self.stanza.attr.to = address;
	return listeners.is_blocked(self.stanza, blocks, username);
end

function Messages:to_bare(username, address)
	local user = hosts[module.host].sessions[username];
	if self.is_traffic and not user and not mixd.exists(username) then return self:bounce(address, true); end
	if not self.is_traffic or self.is_archived or self.bare.others then return self:post(address); end
	if self.is_end then
		self.stanza.attr.to = address;
		mixd.forget_ended(username, self.stanza);
	end
	if user and not self:is_blocked(username, address, self.bare.blocks) then
		mixd.hand_to_all(user, self.stanza, self.head, self.tail);
	end
end

function Messages:to_full(username, address)
	if not self.is_traffic or self.full.others then return self:post(address); end
	local session = full_sessions[address];
	if not session then
		self:bounce(address);
	elseif not self:is_blocked(username, address, self.full.blocks)
		and not hand(session, self.stanza, self.head, self.tail, address) then
		self:bounce(address);
	end
end

--- Presence ---

local Presences = setmetatable({}, Round);
Presences.__index = Presences;

local function presences(origin, stanza)
	local round = setmetatable(new_round(origin, stanza), Presences);
	local kind = stanza.attr.type;
	-- Subscriptions and probes are for the roster, and each of its own.
	round.is_availability = kind == nil or kind == "unavailable" or kind == "error";
	return round;
end

-- Whether a module that listens in front of mod_presence takes a copy for itself: blocked, or refused.
function Presences:is_taken(username, address, heed)
	self.stanza.attr.to = address;
	if listeners.is_blocked(self.stanza, heed.blocks, username) then return true; end
	for i = 1, #heed.asked do
		if heed.asked[i](self.event) ~= nil then return true; end
	end
	return false;
end

function Presences:to_bare(username, address)
	if not self.is_availability or self.bare.others then return self:post(address); end
	if self:is_taken(username, address, self.bare) then return; end
	local user = hosts[module.host].sessions[username];
	for _, session in pairs(user and user.sessions or {}) do
		-- As mod_presence hands it out: with the address that it was sent to.
		if session.presence then hand(session, self.stanza, self.head, self.tail, address); end
	end
end

-- Who is gone gets nothing, and nothing comes back, as Prosody has it.
function Presences:to_full(username, address)
	if not self.is_availability or self.full.others then return self:post(address); end
	local session = full_sessions[address];
	if session and not self:is_taken(username, address, self.full) then
		hand(session, self.stanza, self.head, self.tail, address);
	end
end

--- What the component sends ---

-- An address as it stands in a list: { username, host, resource, address }; or why it cannot be taken.
local function recipient(given)
	local session = full_sessions[given];
	if session then return { session.username, session.host, session.resource, given }; end
	local told, username, host, resource = given, jid_split(given);
	local there = host and hosts[host];
	-- What is known as it stands, or is another component's to read, needs no preparation.
	if not (there and username and (there.type == "component" or not resource and there.sessions[username])) then
		username, host, resource = jid_prepped_split(given);
		given = resource and username .. "@" .. host .. "/" .. resource or username and username .. "@" .. host or host;
	end
	if not host then return nil, "modify", "jid-malformed", ("'%s' is no address"):format(told); end
	if not hosts[host] then
		return nil, "auth", "forbidden", ("%s is not served here: send to it directly"):format(host);
	end
	return { username, host, resource, given };
end

-- The addresses that a stanza is for, and the header that recipients see; or why it cannot be taken.
local function read(addresses)
	local recipients, header, n = {}, st.stanza("addresses", { xmlns = xmlns_address }), 0;
	-- The short form: one text, blind copies, an address after the other with tabs between, of which no address has any.
	local list = addresses:get_child_text("list", xmlns_list);
	for given in s_gmatch(list or "", "[^\t]+") do
		local known, kind, condition, text = recipient(given);
		if not known then return nil, kind, condition, text; end
		n = n + 1;
		recipients[n] = known;
	end
	for address in addresses:childtags("address") do
		local kind = address.attr.type;
		if kind == "to" or kind == "cc" or kind == "bcc" then
			local known, why, condition, text = recipient(address.attr.jid or "");
			if not known then return nil, why, condition, text; end
			if address.attr.delivered ~= "true" then
				n = n + 1;
				recipients[n] = known;
			end
		end
		if kind ~= "bcc" then
			local shown = st.clone(address);
			shown.attr.delivered = (kind == "to" or kind == "cc") and "true" or nil;
			header:add_direct_child(shown);
		end
	end
	if n > addresses_max then
		return nil, "modify", "not-acceptable", ("%d addresses in one stanza at most"):format(addresses_max);
	end
	return recipients, header;
end

-- An error is answered by none (RFC 6120 §8.3.1).
local function refuse(origin, stanza, ...)
	if stanza.attr.type == "error" then
		module:log("warn", "An error for many is dropped: %s", (select(3, ...)));
	else
		origin.send(st.error_reply(stanza, ...));
	end
	return true;
end

-- How much of what the component sends is read at once, in bytes. Prosody takes 4 KiB, less than a list of addresses has, and
-- writes to each client what one reading brought: with more of it, clients get several stanzas by one system call.
local read_bytes = 64 * 1024;
local read_more = setmetatable({}, { __mode = "k" });

local function read_much(link)
	if not read_more[link] and link.conn and link.conn.set_mode then link.conn:set_mode(read_bytes); end
	read_more[link] = true;
end

local function take(event, round_of)
	local origin, stanza = event.origin, event.stanza;
	local addresses = stanza:get_child("addresses", xmlns_address);
	local is_ours = origin.type == "component" and origin.host == component;
	if not addresses or stanza.attr.type == "error" and not (is_ours and stanza.name == "presence") then return; end
	if not is_ours then
		return refuse(origin, stanza, "auth", "forbidden", "only the component in mixd_component may do this");
	end
	read_much(origin);
	local recipients, header, condition, text = read(addresses);
	if not recipients then return refuse(origin, stanza, header, condition, text); end
	stanza:maptags(function (tag)
		if tag ~= addresses then return tag; end
		return #header.tags > 0 and header or nil;
	end);
	round_of(origin, stanza):go(recipients);
	return true;
end

module:hook("message/host", function (event) return take(event, messages); end, 10);
module:hook("presence/host", function (event) return take(event, presences); end, 10);

module:add_feature(xmlns_address);
module:add_feature(xmlns_presence);
module:add_feature(xmlns_list);
module:add_extension(st.stanza("x", { xmlns = "jabber:x:data", type = "result" })
	:tag("field", { var = "FORM_TYPE", type = "hidden" }):text_tag("value", xmlns_address):up()
	:tag("field", { var = "message" }):text_tag("value", ("%d"):format(addresses_max)):up()
	:tag("field", { var = "presence" }):text_tag("value", ("%d"):format(addresses_max)):up());

return function (given) mixd = given; end;
