-- KEYS: documents of the kind, ids of the kind. ARGV: id, version that was read ('0': any), what the keys of
-- tenants begin with.
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old then
	return {'none'}
end
local version, length, from = old:match('^(%d+) (%d+)\n()')
if ARGV[2] ~= '0' and ARGV[2] ~= version then
	return {'conflict'}
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', ARGV[3] .. old:sub(from, from + tonumber(length) - 1), ARGV[1])
return {'ok'}
