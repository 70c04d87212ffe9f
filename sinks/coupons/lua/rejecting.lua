-- What tills asked for and did not get, told once a coupon, order and code. Nobody can fill the
-- server with it: a coupon remembers so many, the desk so many of coupons that there are not, and
-- nothing is told while much else waits to be relayed. What is left out is counted.

local MAX_REJECTED = 16 -- told of one coupon
local MAX_UNKNOWN = 1000 -- told of unknown coupons in that time
local UNKNOWN_MS = 3600000
local MOST_WAITING = 10000 -- entries of the outbox; rejections give way to what must be told

local function left_out(keys)
  redis.call('HINCRBY', keys[1], 'left_out', 1)
  return {'OK', '"left_out"'}
end

-- Names: the coupon, the set of unknown ones.
function calls.reject(keys, p, now)
  local key, unknown, r = keys[FIRST], keys[FIRST + 1], open(keys[FIRST])
  local waiting = redis.call('XLEN', keys[LOG])
  if r then
    local marks = r.rejected or {}
    for _, mark in ipairs(marks) do
      if mark == p.mark then return {'OK', '"known"'} end
    end
    if #marks >= MAX_REJECTED or waiting >= MOST_WAITING then return left_out(keys) end
    marks[#marks + 1] = p.mark
    r.rejected = marks
    redis.call('SET', key, cjson.encode(r), 'KEEPTTL')
  else
    local since = now - UNKNOWN_MS
    if tonumber(redis.call('ZSCORE', unknown, p.mark) or since) > since then
      return {'OK', '"known"'}
    end
    local many = redis.call('ZCOUNT', unknown, '(' .. whole(since), '+inf')
    if many >= MAX_UNKNOWN or waiting >= MOST_WAITING then return left_out(keys) end
    redis.call('ZADD', unknown, now, p.mark)
    redis.call('ZREMRANGEBYSCORE', unknown, '-inf', whole(since))
    redis.call('PEXPIRE', unknown, UNKNOWN_MS)
  end

  local told = {coupon = p.unknown, order = p.order, verb = p.verb, rejection_code = p.code}
  if r then told.coupon, told.campaign, told.member = r.id, r.campaign, r.member end
  local store = p.store
  if store == '' and r and r.order == p.order then store = r.store end
  if store ~= '' then told.store = store end
  local before = redis.call('HGET', keys[1], 'left_out')
  if before then
    told.left_out = tonumber(before)
    redis.call('HDEL', keys[1], 'left_out')
  end
  redis.call('XADD', keys[LOG], '*', 'what', 'redeem_rejected', 'at', whole(now), 'data',
    cjson.encode(told))
  return {'OK', '"told"'}
end
