-- Which clients take MIX (XEP-0405 §5.1), for mod_mixd: `session.mixd_takes`.

local st = require "util.stanza";
local cache = require "util.cache";
local calculate_hash = require "util.caps".calculate_hash;
local new_id = require "util.id".medium;

local s_match = string.match;

local xmlns_caps = "http://jabber.org/protocol/caps";
local xmlns_disco = "http://jabber.org/protocol/disco#info";
local xmlns_mix = "urn:xmpp:mix:core:1";

local answer_seconds_max = module:get_option_number("mixd_answer_timeout", 30);

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

return { see = see, speaks = speaks };
