-- Where the streams of the bus end now, and whether messages after those that were heard are gone.
-- KEYS: the streams. ARGV: of each the last id that was heard, '' for none. Answer: of each its last id, and '1' when
-- there is a gap.
local answer = {}
for i, key in ipairs(KEYS) do
	local newest = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
	local gap = '0'
	-- What was heard last is not there any more; what came after it may be gone too.
	if ARGV[i] ~= '' and ARGV[i] ~= '0-0' and newest and #redis.call('XRANGE', key, '-', ARGV[i], 'COUNT', 1) == 0 then
		gap = '1'
	end
	answer[2 * i - 1] = newest and newest[1] or '0-0'
	answer[2 * i] = gap
end
return answer
