-- Creates or changes a document whose version is the one that was read.
-- KEYS: documents of the kind, ids of the kind, ids of the kind and tenant.
-- ARGV: id, version that was read, tenant, body, what the keys of tenants begin with.
-- A document is stored as "VERSION LENGTH\n" tenant body, LENGTH being that of the tenant.
local old = redis.call('HGET', KEYS[1], ARGV[1])
local version, tenant = '0', nil
if old then
	local length, from
	version, length, from = old:match('^(%d+) (%d+)\n()')
	tenant = old:sub(from, from + tonumber(length) - 1)
end
if version ~= ARGV[2] then
	return {(old or ARGV[2] == '0') and 'conflict' or 'none'}
end
local head = string.format('%.0f %d\n', tonumber(version) + 1, #ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], head .. ARGV[3] .. ARGV[4])
if tenant ~= ARGV[3] then
	redis.call('ZADD', KEYS[3], 0, ARGV[1])
	if old then
		redis.call('ZREM', ARGV[5] .. tenant, ARGV[1])
	else
		redis.call('ZADD', KEYS[2], 0, ARGV[1])
	end
end
return {'ok'}
