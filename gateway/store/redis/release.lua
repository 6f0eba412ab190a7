-- Only by its owner. KEYS: what is held. ARGV: the field that names the owner, the owner.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
	redis.call('DEL', KEYS[1])
end
return {'ok'}
