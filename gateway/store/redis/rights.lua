-- Which of the commands that the store needs this user may not call. KEYS: a key of ours that nobody uses.
-- A string lies under it, so that most of them change nothing: who may call one is told that the type is wrong.
local key, missing = KEYS[1], {}
local commands = {{'SET', key, '1', 'PX', '1000'}, {'GET', key}, {'PEXPIRE', key, '1000'}, {'PTTL', key}, {'EXISTS', key},
	{'HGET', key, 'f'}, {'HMGET', key, 'f'}, {'HSET', key, 'f', 'v'}, {'HDEL', key, 'f'}, {'ZADD', key, '0', 'm'},
	{'ZREM', key, 'm'}, {'ZRANGEBYLEX', key, '-', '+'}, {'ZRANGEBYSCORE', key, '0', '0'}, {'ZCARD', key}, {'ZSCORE', key, 'm'},
	{'ZREMRANGEBYSCORE', key, '0', '0'}, {'XADD', key, '*', 'f', 'v'}, {'XRANGE', key, '-', '+'},
	{'XREVRANGE', key, '+', '-'}, {'XDEL', key, '1-1'}, {'XLEN', key}, {'XTRIM', key, 'MAXLEN', '1'},
	{'XREAD', 'STREAMS', key, '0'}, {'TIME'}, {'PERSIST', key}, {'DEL', key}}
for _, command in ipairs(commands) do
	local answer = redis.pcall(unpack(command))
	local fault = type(answer) == 'table' and answer.err or ''
	-- Redis 6.2, 7.0 and later say it in different words.
	if fault:find('NOPERM', 1, true) or fault:find('ACL failure', 1, true) or
		fault:find('user executing the script', 1, true) then
		missing[#missing + 1] = command[1]:lower()
	end
end
return missing
