-- Puts rows and stubs of another store behind the chain, as they stand.
-- KEYS: rows, stubs, head, anchor, hours. ARGV: what the keys of indexes begin with, seq and hash of the anchor
-- for an empty journal, seq of the first; then of each kind, tenant, license, time, body, hash, node ('': a stub,
-- whose body is its rest).
local FIXED, EACH = 4, 7
local count = (#ARGV - FIXED) / EACH
local head = redis.call('HGET', KEYS[3], 'seq')
if ARGV[4] ~= string.format('%.0f', tonumber(head or ARGV[2]) + 1) then
	return {'conflict'}
end
if not head then
	redis.call('HSET', KEYS[4], 'seq', ARGV[2], 'hash', ARGV[3])
end
local seq, hours = tonumber(ARGV[4]) - 1, {}
for i = 0, count - 1 do
	local at = FIXED + i * EACH
	local kind, tenant, license, ms = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
	local body, hash, node = ARGV[at + 5], ARGV[at + 6], ARGV[at + 7]
	seq = seq + 1
	local text = string.format('%.0f', seq)
	if node == '' then
		redis.call('ZADD', KEYS[2], text, text .. ' ' .. kind .. ' ' .. ms .. ' ' .. body .. hash)
	else
		local id = text .. '-0'
		redis.call('XADD', KEYS[1], id, 'k', kind, 't', tenant, 'l', license, 'at', ms, 'n', node, 'b', body,
			'h', hash)
		redis.call('XADD', ARGV[1] .. kind, id, '', '')
		redis.call('XADD', ARGV[1] .. kind .. ':t:' .. tenant, id, '', '')
		if license ~= '' then
			redis.call('XADD', ARGV[1] .. kind .. ':l:' .. license, id, '', '')
		end
		local hour = string.format('%.0f', math.floor(tonumber(ms) / 3600000))
		hours[hour] = {hours[hour] and hours[hour][1] or seq, seq}
	end
end
for hour, range in pairs(hours) do
	local old = redis.call('ZRANGEBYSCORE', KEYS[5], hour, hour)[1]
	local from = old and old:match('^%d+') or string.format('%.0f', range[1])
	redis.call('ZADD', KEYS[5], hour, from .. '-' .. string.format('%.0f', range[2]))
	if old and old ~= from .. '-' .. string.format('%.0f', range[2]) then
		redis.call('ZREM', KEYS[5], old)
	end
end
redis.call('HSET', KEYS[3], 'seq', string.format('%.0f', seq), 'hash', ARGV[#ARGV - 1])
return {'ok'}
