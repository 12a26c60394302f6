-- How mod_mixd hands one stanza to many clients: as text that is made once, wherever that is what each client would have got.

local st = require "util.stanza";

local s_find, s_match, s_sub = string.find, string.match, string.sub;

-- The module that a function comes from, by the name of its file.
local function source_of(handler)
	local source = debug.getinfo(handler, "S").source;
	return s_match(source, "([%w_]+)%.lib%.lua$") or s_match(source, "([%w_]+)%.lua$");
end

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

-- Filters that leave a stanza as it is, and hold back or put into its place no more than a copy.
local careful = { mod_smacks = true, mod_csi_simple = true, mod_websocket = true, mod_mixd = true };
local is_careful = setmetatable({}, { __mode = "k", __index = function (known, filter)
	local answer = careful[source_of(filter)] == true;
	known[filter] = answer;
	return answer;
end });

local function are_careful(filters)
	for i = 1, #filters do
		if not is_careful[filters[i]] then return false; end
	end
	return true;
end

-- Hands a stanza, whose text is `head`, the address and `tail`, to one client. Its filters see the stanza; the text is used
-- where none of them puts anything else into its place. Whether it was taken.
local function hand(session, stanza, head, tail, address)
	local filters = session.filters and session.filters["stanzas/out"];
	if not is_plain[session.send] or filters and not are_careful(filters) then
		local copy = st.clone(stanza);
		copy.attr.to = address;
		return session.send(copy);
	end
	if filters and filters[1] then
		stanza.attr.to = address;
		local filtered = session.filter("stanzas/out", stanza);
		if filtered == nil then return true; end
		if filtered ~= stanza then return session.rawsend(tostring(filtered)); end
	end
	return session.rawsend(head .. escaped(address) .. tail);
end

return { escaped = escaped, halves = halves, hand = hand, sibling = sibling, source_of = source_of };
