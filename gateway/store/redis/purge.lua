-- Removes some rows from the start of the chain and keeps where they ended.
-- KEYS: rows, anchor, hours. ARGV: what the keys of indexes begin with, before when, how many.
local last, hash, gone, indexes, hours = nil, nil, 0, {}, {}
for _, row in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[3])) do
	local f = row[2]
	if #f ~= 14 or tonumber(f[8]) >= tonumber(ARGV[2]) then
		break
	end
	last, hash, gone = row[1]:match('^%d+'), f[14], gone + 1
	hours[string.format('%.0f', math.floor(tonumber(f[8]) / 3600000))] = true
	indexes[ARGV[1] .. f[2]] = true
	indexes[ARGV[1] .. f[2] .. ':t:' .. f[4]] = true
	indexes[ARGV[1] .. f[2] .. ':l:' .. f[6]] = true
end
if gone == 0 then
	return {'0'}
end
-- This comes first because it frees memory: a script that has begun to write is not refused for
-- full memory any more.
local next_id = string.format('%.0f-0', tonumber(last) + 1)
redis.call('XTRIM', KEYS[1], 'MINID', '=', next_id)
redis.call('HSET', KEYS[2], 'seq', last, 'hash', hash)
for index in pairs(indexes) do
	redis.call('XTRIM', index, 'MINID', '=', next_id)
	if redis.call('XLEN', index) == 0 then
		redis.call('DEL', index)
	end
end
-- An hour goes with its last row.
for hour in pairs(hours) do
	local range = redis.call('ZRANGEBYSCORE', KEYS[3], hour, hour)[1]
	if range and tonumber(range:match('%d+$')) <= tonumber(last) then
		redis.call('ZREM', KEYS[3], range)
	end
end
return {tostring(gone)}
