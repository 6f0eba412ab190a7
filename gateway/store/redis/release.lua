-- Only by its owner. KEYS: what is held. ARGV: the fields that name the owner, each with what it must be.
for i = 1, #ARGV, 2 do
	if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then
		return {'ok'}
	end
end
redis.call('DEL', KEYS[1])
return {'ok'}
