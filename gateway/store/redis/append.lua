-- Rows go to the end of the chain, if that end is still the one they were hashed after.
-- KEYS: rows, head, hours, nodes, series that have ended. ARGV: what the keys of indexes begin with, node, its run,
-- numbers of the first and of the last row, seq and hash of the head they follow; then of each row kind, tenant,
-- license, time, body, hash; then of each "+SERIES" when it is the last of it, "-SERIES", or nothing.
local FIXED, EACH = 7, 6
local count = (#ARGV - FIXED) / (EACH + 1)
local first, last = tonumber(ARGV[4]), ARGV[5]
local head = redis.call('HMGET', KEYS[2], 'seq', 'hash')
local note = redis.call('HGET', KEYS[4], ARGV[2])
if note then
	local run, known = note:match('^(%S+) (%d+)$')
	if run ~= ARGV[3] then
		return {'other'}
	end
	if first <= tonumber(known) then
		return {'known', known, head[1] or '', head[2] or ''}
	end
end
-- A store that lost its head was emptied: the chain goes on where this node saw it last, so that the
-- loss shows instead of looking like a new beginning.
if head[1] and (head[1] ~= ARGV[6] or head[2] ~= ARGV[7]) then
	return {'head', '', head[1], head[2]}
end
-- What was ended by somebody else gets no more rows. The node leaves them out and hashes the others anew.
local ends, late = {}, {'ended'}
for i = 0, count - 1 do
	local mark, series = ARGV[FIXED + count * EACH + 1 + i]:match('^(.)(.+)$')
	if series and (ends[series] or redis.call('ZSCORE', KEYS[5], series)) then
		late[#late + 1] = tostring(i)
	elseif mark == '+' then
		ends[series] = i
	end
end
if #late > 1 then
	return late
end
local seq, hash = tonumber(ARGV[6]), ARGV[7]
for series, i in pairs(ends) do
	redis.call('ZADD', KEYS[5], string.format('%.0f', seq + 1 + i), series)
end
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
local now = string.format('%.0f', seq)
if count > 0 then
	redis.call('HSET', KEYS[2], 'seq', now, 'hash', hash)
end
redis.call('HSET', KEYS[4], ARGV[2], ARGV[3] .. ' ' .. last)
return {'ok', last, now, hash}
