-- Members who asked to be forgotten: their coupons lose their names. Budgets stay as they are, for
-- what was issued and used was. Every call comes to the same when it is made twice.

-- Nothing is issued to them from now on, and nobody counts what they had. Names: the counts of all
-- campaigns.
function calls.gone(keys, p, now)
  for _, one in ipairs(p.members) do
    redis.call('HSETNX', keys[1], 'gone:' .. one[2], '1')
    for i = FIRST, #keys do redis.call('HDEL', keys[i], one[1]) end
  end
  return {'OK', tostring(#p.members)}
end

-- All their coupons have been looked at: after a restart they need not be looked for again.
function calls.swept(keys, p, now)
  for _, one in ipairs(p.members) do redis.call('HSET', keys[1], 'gone:' .. one[2], '2') end
  return {'OK', tostring(#p.members)}
end

local function nameless(body, who)
  local said = cjson.decode(body)
  if said.member == who then said.member = ERASED end
  if said.by == who then said.by = ERASED end
  return cjson.encode(said)
end

-- A coupon that an erased member has, or used. Unused ones end, and that is told.
function calls.erase(keys, p, now)
  local r = open(keys[COUPON])
  if not r or (r.member ~= p.who and r.by ~= p.who) then return {'OK', '0'} end
  local mine, ended = r.member == p.who, false
  if mine then
    redis.call('ZREM', keys[DUE], entry_of(r))
    redis.call('ZREM', keys[MEMBER], index_of(r))
    if r.state == 'reserved' then
      drop_live(keys[RULE], keys[LIVE], live_of(r), r.amount)
      redis.call('ZREM', keys[ORDER], order_of(r, read_rule(keys[RULE], keys[LIVE], now)))
    end
    ended = r.state ~= 'redeemed' and r.state ~= 'expired'
    r.member, r.message, r.fingerprint = ERASED, '', ''
    if r.state ~= 'redeemed' then
      r.state, r.valid_to = 'expired', math.min(r.valid_to, now)
    end
  end
  if r.by == p.who then r.by = ERASED end
  for _, call in ipairs(r.calls) do call[4] = nameless(call[4], p.who) end
  save(keys, r, p, now)
  if ended then tell(keys, 'expired', now, r, {}) end
  return {'OK', '1'}
end
