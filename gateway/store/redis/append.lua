-- Rows go to the end of the chain, if that end is still the one they were hashed after.
-- KEYS: rows, head, hours, nodes. ARGV: what the keys of indexes begin with, node, its run, number of the
-- first row, seq and hash of the head they follow; then of each row kind, tenant, license, time, body, hash.
local FIXED, EACH = 6, 6
local count = (#ARGV - FIXED) / EACH
local first = tonumber(ARGV[4])
local head = redis.call('HMGET', KEYS[2], 'seq', 'hash')
local note = redis.call('HGET', KEYS[4], ARGV[2])
if note then
	local run, last = note:match('^(%S+) (%d+)$')
	if run ~= ARGV[3] then
		return {'other'}
	end
	if first <= tonumber(last) then
		return {'known', last, head[1] or '', head[2] or ''}
	end
end
-- A store that lost its head was emptied: the chain goes on where this node saw it last, so that the
-- loss shows instead of looking like a new beginning.
if head[1] and (head[1] ~= ARGV[5] or head[2] ~= ARGV[6]) then
	return {'head', '', head[1], head[2]}
end
local seq, hash = tonumber(ARGV[5]), ARGV[6]
local hours = {}
for i = 0, count - 1 do
	local at = FIXED + i * EACH
	local kind, tenant, license, ms = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
	seq, hash = seq + 1, ARGV[at + 6]
	local id = string.format('%.0f-0', seq)
	redis.call('XADD', KEYS[1], id, 'k', kind, 't', tenant, 'l', license, 'at', ms, 'n', ARGV[2],
		'b', ARGV[at + 5], 'h', hash)
	redis.call('XADD', ARGV[1] .. kind, id, '', '')
	redis.call('XADD', ARGV[1] .. kind .. ':t:' .. tenant, id, '', '')
	if license ~= '' then
		redis.call('XADD', ARGV[1] .. kind .. ':l:' .. license, id, '', '')
	end
	local hour = string.format('%.0f', math.floor(tonumber(ms) / 3600000))
	hours[hour] = {hours[hour] and hours[hour][1] or seq, seq}
end
-- Which rows an hour holds: filters by time become ranges of seq, exactly, whatever clock jumps.
for hour, range in pairs(hours) do
	local old = redis.call('ZRANGEBYSCORE', KEYS[3], hour, hour)[1]
	local from = old and old:match('^%d+') or string.format('%.0f', range[1])
	redis.call('ZADD', KEYS[3], hour, from .. '-' .. string.format('%.0f', range[2]))
	if old then
		redis.call('ZREM', KEYS[3], old)
	end
end
local last = string.format('%.0f', first + count - 1)
local now = string.format('%.0f', seq)
redis.call('HSET', KEYS[2], 'seq', now, 'hash', hash)
redis.call('HSET', KEYS[4], ARGV[2], ARGV[3] .. ' ' .. last)
return {'ok', last, now, hash}
