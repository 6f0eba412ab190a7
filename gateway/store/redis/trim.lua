-- Drops stubs at the start of the chain and keeps where they ended.
-- KEYS: rows, stubs, anchor, head, hours, series that have ended. ARGV: before when, how many.
local row = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local head = tonumber(redis.call('HGET', KEYS[4], 'seq') or '0')
local first = row and tonumber(row[1]:match('^%d+')) or head + 1
local at = tonumber(redis.call('HGET', KEYS[3], 'seq') or '0')
local hash, gone, hours = nil, 0, {}
for _, stub in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.0f', first), 'LIMIT', 0, ARGV[2])) do
	local seq, ms = stub:match('^(%d+) %a+ (%-?%d+) ')
	if not seq or tonumber(seq) ~= at + 1 or tonumber(ms) >= tonumber(ARGV[1]) then
		break
	end
	at, hash, gone = at + 1, stub:sub(-32), gone + 1
	hours[string.format('%.0f', math.floor(tonumber(ms) / 3600000))] = true
end
if gone == 0 then
	return {'0'}
end
local seq = string.format('%.0f', at)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', seq)
redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', seq)
redis.call('HSET', KEYS[3], 'seq', seq, 'hash', hash)
-- An hour goes with its last row.
for hour in pairs(hours) do
	local range = redis.call('ZRANGEBYSCORE', KEYS[5], hour, hour)[1]
	if range and tonumber(range:match('%d+$')) <= at then
		redis.call('ZREM', KEYS[5], range)
	end
end
return {tostring(gone)}
