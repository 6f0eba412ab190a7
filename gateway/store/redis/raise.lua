-- Fences drawn from now on are above one that was drawn elsewhere. KEYS: the fence of the whole store. ARGV: that
-- one, the highest that this node has seen. Answer: as claim.lua.
local drawn = tonumber(redis.call('GET', KEYS[1]) or '0')
local clock = tonumber(redis.call('TIME')[1]) * 1024
local fence = string.format('%.0f', math.max(drawn, clock, tonumber(ARGV[1]), tonumber(ARGV[2])) + 1)
redis.call('SET', KEYS[1], fence)
return {'ours', fence, ''}
