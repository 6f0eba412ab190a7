-- A page in order of id. KEYS: documents of the kind, ids to choose from. ARGV: from where, how many.
local ids = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
if #ids == 0 then
	return {{}, {}}
end
return {ids, redis.call('HMGET', KEYS[1], unpack(ids))}
