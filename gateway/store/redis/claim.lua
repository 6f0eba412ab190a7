-- The one way to a session: free, run out, or held by the same session: ours, with a new fence.
-- KEYS: the claim, the fence of the whole store. ARGV: session, holder, ttl in ms, the highest fence that
-- this node has seen.
local held = redis.call('HMGET', KEYS[1], 'session', 'fence', 'holder')
if held[1] and held[1] ~= ARGV[1] then
	-- The clock was set back, or another Redis with another clock gave it: nobody waits longer than a claim lasts.
	if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[3]) then
		redis.call('PEXPIRE', KEYS[1], ARGV[3])
	end
	return {'held', held[2], held[3]}
end
-- 1024 fences a second since 1970: more than were ever drawn. So fences grow also when this Redis was
-- emptied or came back from a backup, and hosts that remember one do not refuse us.
local drawn = tonumber(redis.call('GET', KEYS[2]) or '0')
local clock = tonumber(redis.call('TIME')[1]) * 1024
local fence = string.format('%.0f', math.max(drawn, clock, tonumber(ARGV[4])) + 1)
redis.call('SET', KEYS[2], fence)
redis.call('HSET', KEYS[1], 'session', ARGV[1], 'fence', fence, 'holder', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'ours', fence, ARGV[2]}
