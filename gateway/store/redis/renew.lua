-- KEYS: the claim. ARGV: session, ttl in ms.
local held = redis.call('HMGET', KEYS[1], 'session', 'fence', 'holder')
if held[1] ~= ARGV[1] then
	return {'gone'}
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'ours', held[2], held[3]}
