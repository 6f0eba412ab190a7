-- As announce, but another node's announcement is left alone. KEYS: the presence. ARGV: node, value, ttl in ms.
local at = redis.call('HMGET', KEYS[1], 'node', 'value')
if at[1] and at[1] ~= ARGV[1] then
	return {'conflict', at[2]}
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'value', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'ok'}
